/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json_lines [SIZE_MB]: the JSON parsers beside a reader on json-c, on made-up logs in memory, one
 * core. "lf": trainer_log.jsonl; "dpo": the same with 14 rewards of 17 digits a line; "state":
 * trainer_state.json with indent=2. Both sides parse every number, know the tags by name and sum
 * up. */
#include "base/memory.h"
#include "bench/bench.h"
#include "support/counter.h"
#include "trainvet/parser.h"
#include "trainvet/text.h"
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

extern const struct tv_parser tv_parser_lf_trainer_log, tv_parser_hf_trainer_state;

static uint64_t random_state = 88172645463325252u;

static double noise(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) * 0x1p-53;
}

struct log {
    const char *name;
    const struct tv_parser *parser;
    int (*write)(char *to, size_t cap, int64_t step);
    const char *head, *tail;
};

static int write_lf(char *to, size_t cap, int64_t step)
{
    return snprintf(
        to, cap,
        "{\"current_steps\": %lld, \"total_steps\": 2000000, \"loss\": %.4f, \"lr\": "
        "%.17g, \"epoch\": %.4f, \"percentage\": %.2f, \"elapsed_time\": \"%lld:%02lld:%02lld\", "
        "\"remaining_time\": \"1 day, 1:02:03\", \"throughput\": %.2f, \"total_tokens\": %lld}\n",
        (long long)step, 2 + noise(), 1e-4 * noise(), (double)step * 1e-4, (double)step / 2e4,
        (long long)step / 3600, (long long)step / 60 % 60, (long long)step % 60,
        5000 + 100 * noise(), (long long)step * 4096);
}

static int write_dpo(char *to, size_t cap, int64_t step)
{
    static const char *const keys[] = {"rewards/chosen",     "rewards/rejected", "rewards/margins",
                                       "rewards/accuracies", "logps/chosen",     "logps/rejected",
                                       "logits/chosen",      "logits/rejected",  "nll_loss",
                                       "grad_norm",          "entropy",          "kl",
                                       "reward_std",         "step_time"};
    int len =
        snprintf(to, cap, "{\"current_steps\": %lld, \"total_steps\": 2000000, \"loss\": %.17g",
                 (long long)step, noise());
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        len += snprintf(to + len, cap - (size_t)len, ", \"%s\": %.17g", keys[i], noise() * 20 - 10);
    return len + snprintf(to + len, cap - (size_t)len, ", \"epoch\": %.17g}\n", (double)step / 1e4);
}

static int write_state(char *to, size_t cap, int64_t step)
{
    return snprintf(
        to, cap,
        "%s\n    {\n      \"epoch\": %.17g,\n      \"grad_norm\": %.17g,\n"
        "      \"learning_rate\": %.17g,\n      \"loss\": %.4f,\n      \"step\": %lld\n    }",
        step == 1 ? "" : ",", (double)step / 1e4, noise(), 1e-4 * noise(), 2 + noise(),
        (long long)step);
}

static const struct log logs[] = {
    {"lf", &tv_parser_lf_trainer_log, write_lf, "", ""},
    {"dpo", &tv_parser_lf_trainer_log, write_dpo, "", ""},
    {"state", &tv_parser_hf_trainer_state, write_state,
     "{\n  \"best_metric\": null,\n  \"log_history\": [", "\n  ],\n  \"max_steps\": 2000000\n}\n"},
};

static struct tv_span make(const struct log *log, size_t size)
{
    char *text = tv_xmalloc(size + 4096), *p = stpcpy(text, log->head);
    for (int64_t step = 1; (size_t)(p - text) < size; step++)
        p += log->write(p, 2048, step);
    p = stpcpy(p, log->tail);
    return (struct tv_span){text, (size_t)(p - text)};
}

/* ---- ours ---- */

static uint64_t read_ours(const struct log *log, struct tv_span text, struct tv_counter *counter)
{
    struct tv_emit emit = tv_counter_emit(counter);
    void *state = tv_xcalloc(1, log->parser->state_size);
    uint64_t records = log->parser->feed(state, text, true, &emit, NULL).records;
    free(state);
    return records;
}

/* ---- json-c ---- */

static void add_object(struct json_object *object, struct tv_counter *counter)
{
    json_object_object_foreach(object, key, value)
    {
        if (!json_object_is_type(value, json_type_double) &&
            !json_object_is_type(value, json_type_int))
            continue;
        tv_counter_tag(counter, tv_span_of(key));
        counter->sum += json_object_get_double(value);
        counter->points++;
    }
}

static uint64_t read_jsonc(const struct log *log, struct tv_span text, struct tv_counter *counter)
{
    struct json_tokener *tokener = json_tokener_new();
    uint64_t records = 0;
    const char *end = text.data + text.len;
    bool is_lines = log->parser->mode == TV_PARSER_STREAM;
    for (const char *p = text.data; p < end;) {
        const char *stop = is_lines ? (const char *)memchr(p, '\n', (size_t)(end - p)) + 1 : end;
        struct json_object *object = json_tokener_parse_ex(tokener, p, (int)(stop - p)), *history;
        if (!is_lines && json_object_object_get_ex(object, "log_history", &history)) {
            for (size_t i = 0; i < json_object_array_length(history); i++, records++)
                add_object(json_object_array_get_idx(history, i), counter);
        } else {
            add_object(object, counter);
            records++;
        }
        json_object_put(object);
        json_tokener_reset(tokener);
        p = stop;
    }
    json_tokener_free(tokener);
    return records;
}

/* The best of five. */
static double measure(const struct log *log, struct tv_span text, bool ours)
{
    char name[32];
    double best = 1e9, best_wall = 1e9;
    struct tv_counter counter;
    uint64_t records = 0;
    for (int i = 0; i < 5; i++) {
        counter = (struct tv_counter){0};
        double cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID), wall = bench_clock(CLOCK_MONOTONIC);
        records = (ours ? read_ours : read_jsonc)(log, text, &counter);
        cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        wall = bench_clock(CLOCK_MONOTONIC) - wall;
        best = cpu < best ? cpu : best;
        best_wall = wall < best_wall ? wall : best_wall;
    }
    snprintf(name, sizeof name, "%s, %s", log->name, ours ? "trainvet" : "json-c");
    bench_print(name, (double)text.len, records, counter.points, best, best_wall);
    if (counter.damages || counter.sum == -1)
        printf("%llu damaged places\n", (unsigned long long)counter.damages);
    return best;
}

int main(int argc, char **argv)
{
    size_t size = (size_t)(strtod(argc > 1 ? argv[1] : "64", NULL) * 1e6);
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        struct tv_span text = make(&logs[i], size);
        double ours = measure(&logs[i], text, true);
        double jsonc = measure(&logs[i], text, false);
        printf("%-18s %.1f times json-c\n", logs[i].name, jsonc / ours);
        free((char *)text.data);
    }
    return 0;
}
