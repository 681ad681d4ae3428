/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event files, the same bytes every time.
 *   gen_events [--mixed] SIZE_MB FILE
 *       Plain: 24 tags of simple values as torch writes them, 57 bytes a record. --mixed: of each
 *       600 records by TensorFlow 2, 40 histograms of 1.1 kB and one image of 47 kB follow, by
 * bytes about a third each. gen_events --runs COUNT RECORDS TAGS DIR
 *       DIR/run-00000/events.out.tfevents.1700000000.bench and so on, plain, of so many records,
 * with a learning rate that falls in a straight line from 1e-4. */
#include "support/event_writer.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const tags[] = {
    "train/loss",           "train/learning_rate",
    "train/grad_norm",      "train/epoch",
    "train/tokens_second",  "train/step_time_sec",
    "train/loss_scale",     "train/weight_norm",
    "train/accuracy_top1",  "train/accuracy_top5",
    "memory/allocated_gib", "memory/reserved_gib",
    "layer.0/attn/entropy", "layer.4/attn/entropy",
    "layer.8/attn/entropy", "layer.12/attn_entropy",
    "layer.0/mlp/act_rms",  "layer.4/mlp/act_rms",
    "layer.8/mlp/act_rms",  "layer.12/mlp/act_rms",
    "optim/update_ratio",   "optim/beta2_effective",
    "data/padding_ratio",   "data/seq_len_mean",
};
enum { LEARNING_RATE = 1, EPOCH = 3, TAGS = sizeof tags / sizeof *tags };

static uint64_t random_state = 88172645463325252u;

static double noise(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) * 0x1p-53;
}

static float value_of(size_t tag, int64_t step)
{
    return (float)((2.0 + (double)tag) / (1.0 + (double)step * 1e-4) + 0.05 * noise());
}

static void write_plain_step(struct tv_bytes *file, int64_t step)
{
    for (size_t tag = 0; tag < TAGS; tag++)
        tv_write_scalar_at(file, 1.7e9 + (double)step * 0.4, step, tags[tag], value_of(tag, step));
}

static void write_blob(struct tv_bytes *file, int64_t step, const char *tag, int field, size_t size)
{
    char blob[47000];
    struct tv_bytes message = {0};
    for (size_t i = 0; i < size; i += 8)
        memcpy(blob + i, &(double){noise()}, 8);
    tv_pb_text(&message, 1, tag);
    tv_pb_bytes(&message, field, blob, size);
    tv_write_value(file, step, &message);
}

static void write_mixed_step(struct tv_bytes *file, int64_t step)
{
    for (size_t tag = 0; tag < TAGS; tag++)
        tv_write_tf2_scalar(file, step, tags[tag], value_of(tag, step));
    if (step % 25 != 0)
        return;
    for (size_t i = 0; i < 40; i++)
        write_blob(file, step, tags[i % TAGS], 5, 1104);
    write_blob(file, step, "samples/image", 4, 47000);
}

static bool save(struct tv_bytes *file, FILE *out)
{
    bool good = fwrite(file->data, 1, file->len, out) == file->len;
    file->len = 0;
    return good;
}

static int write_one(bool mixed, double size, const char *path)
{
    double written = 0;
    bool good = true;
    FILE *out = fopen(path, "wb");
    if (!out) {
        perror(path);
        return 1;
    }
    struct tv_bytes file = {0};
    tv_write_version(&file);
    for (int64_t step = 0; good && written < size; step++) {
        if (mixed)
            write_mixed_step(&file, step);
        else
            write_plain_step(&file, step);
        if (file.len >= 1u << 18 || written + (double)file.len >= size) {
            written += (double)file.len;
            good = save(&file, out);
        }
    }
    tv_bytes_free(&file);
    if (fclose(out) != 0 || !good) {
        perror(path);
        return 1;
    }
    return 0;
}

/* As a trainer logs it: what has a rule follows it. */
static float value_in_run(long tag, long step, long steps)
{
    if (tag == LEARNING_RATE)
        return 1e-4f * (float)(steps - step) / (float)steps;
    return tag == EPOCH ? (float)(step + 1) * 0.01f : value_of((size_t)tag, step);
}

static bool write_run(struct tv_bytes *file, long records, long count, const char *path)
{
    char name[32];
    long steps = (records - 1 + count - 1) / count;
    tv_write_version(file);
    for (long i = 1; i < records; i++) {
        long step = (i - 1) / count, tag = (i - 1) % count;
        snprintf(name, sizeof name, "layer.%ld/norm", tag);
        const char *known = tag < TAGS ? tags[tag] : name;
        tv_write_scalar_at(file, 1.7e9 + (double)step * 0.4, step, known,
                           value_in_run(tag, step, steps));
    }
    FILE *out = fopen(path, "wb");
    bool good = out && save(file, out);
    return out && fclose(out) == 0 && good;
}

static int write_runs(char **args)
{
    long runs = atol(args[0]), records = atol(args[1]), count = atol(args[2]);
    struct tv_bytes file = {0};
    char path[4096];
    mkdir(args[3], 0777);
    for (long run = 0; run < runs; run++) {
        int len = snprintf(path, sizeof path - 64, "%s/run-%05ld", args[3], run);
        mkdir(path, 0777);
        snprintf(path + len, 64, "/events.out.tfevents.1700000000.bench");
        if (count < 1 || !write_run(&file, records, count, path)) {
            perror(path);
            return 1;
        }
    }
    tv_bytes_free(&file);
    return 0;
}

int main(int argc, char **argv)
{
    bool mixed = argc > 1 && strcmp(argv[1], "--mixed") == 0;
    if (argc == 6 && strcmp(argv[1], "--runs") == 0)
        return write_runs(argv + 2);
    if (argc == 3 + mixed)
        return write_one(mixed, strtod(argv[1 + mixed], NULL) * 1e6, argv[2 + mixed]);
    fprintf(stderr, "usage: gen_events [--mixed] SIZE_MB FILE\n"
                    "       gen_events --runs COUNT RECORDS TAGS DIR\n");
    return 2;
}
