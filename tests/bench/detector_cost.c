/* SPDX-License-Identifier: GPL-2.0-or-later */
/* detector_cost [POINTS [ROUNDS]]: nanoseconds that each detector takes for one point of the series
 * that it subscribes to, on a healthy run that logs loss, learning rate, gradient norm and epoch at
 * each step and evaluates at every 100th; in the last lines with a learning rate of four digits,
 * and of a total that only the logged epochs tell. The cost of the engine without any detector is
 * taken off; each is the best of the rounds, which call all of them in turn. */
#include "base/memory.h"
#include "bench/bench.h"
#include "engine/engine.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct tv_parser by_hand = {.name = "by_hand", .summary = ""};

enum { SERIES = 5 };
static const char *const names[SERIES] = {"train/loss", "train/learning_rate", "train/grad_norm",
                                          "train/epoch", "eval/loss"};
static const enum tv_role roles[SERIES] = {TV_ROLE_TRAIN_LOSS, TV_ROLE_LEARNING_RATE,
                                           TV_ROLE_GRAD_NORM, TV_ROLE_EPOCH, TV_ROLE_EVAL_LOSS};

enum variant { FULL_DIGITS, FOUR_DIGITS, TOTAL_FROM_EPOCHS };

struct work {
    long points;
    enum variant variant;
    double *values; /* of each step its SERIES values */
};

static double noise(unsigned *seed)
{
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += (double)rand_r(seed) / RAND_MAX - 0.5;
    return sum;
}

static double four_digits(double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.3e", value);
    return strtod(text, NULL);
}

static void fill(struct work *work, unsigned seed)
{
    for (long step = 1; step <= work->points; step++) {
        double *value = work->values + (step - 1) * SERIES;
        double share = (double)step / (double)work->points;
        double rate = share < 0.1 ? share / 0.1 : 0.5 * (1 + cos(M_PI * (share - 0.1) / 0.9));
        value[0] = 1.5 + 1.5 * exp(-5 * share) + 0.02 * noise(&seed);
        value[1] = work->variant == FOUR_DIGITS ? four_digits(1e-4 * rate) : 1e-4 * rate;
        value[2] = exp(0.2 * noise(&seed));
        value[3] = work->variant == TOTAL_FROM_EPOCHS ? round(300 * share) / 100 : 3 * share;
        value[4] = value[0] + 0.05;
    }
}

static void emit_all(const struct tv_emit *emit, struct tv_tag *const tags[SERIES],
                     const struct work *work)
{
    for (long step = 1; step <= work->points; step++) {
        const double *value = work->values + (step - 1) * SERIES;
        double wall = 1.7e9 + (double)step;
        struct tv_sample batch[SERIES];
        for (int i = 0; i < SERIES; i++)
            batch[i] = (struct tv_sample){tags[i], step, wall, value[i]};
        emit->samples(emit->ctx, batch, step % 100 == 0 ? SERIES : SERIES - 1);
    }
}

static void emit_facts(const struct tv_emit *emit, const struct work *work)
{
    char total[32];
    snprintf(total, sizeof total, "%ld", work->points);
    bool is_counted = work->variant != TOTAL_FROM_EPOCHS;
    const char *const facts[][2] = {
        {"framework", "transformers"},
        {"learning_rate", "1e-4"},
        {is_counted ? "max_steps" : "num_train_epochs", is_counted ? total : "3"},
        {"lr_scheduler_type", "cosine"},
        {"warmup_ratio", "0.1"}};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        emit->fact(emit->ctx, &(struct tv_fact){.key = tv_span_of(facts[i][0]),
                                                .value = tv_span_of(facts[i][1])});
}

static double seconds(const struct tv_detector *detector, const struct work *work)
{
    const struct tv_detector *const one[] = {detector, NULL};
    struct tv_engine_options options = {.detectors = one};
    struct tv_run *run = tv_run_new(&options, "bench");
    struct tv_source *source = tv_run_source(run, &(struct tv_source_info){.prefix = ""});
    struct tv_emit emit = tv_source_file(source, "bench", &by_hand);
    struct tv_tag *tags[SERIES];
    emit_facts(&emit, work);
    for (int i = 0; i < SERIES; i++)
        tags[i] = emit.tag(emit.ctx, tv_span_of(names[i]));
    double before = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    emit_all(&emit, tags, work);
    double spent = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - before;
    tv_source_done(source);
    tv_run_end(run, NAN);
    tv_run_free(run);
    return spent;
}

static double points_of(const struct tv_detector *detector, const struct work *work)
{
    double points = 0;
    for (int i = 0; i < SERIES; i++)
        if (detector->roles & TV_ROLE_BIT(roles[i]))
            points += (double)work->points / (i == SERIES - 1 ? 100 : 1);
    return points;
}

/* The best of several rounds in turn: what else runs on the machine only adds. */
static void least_seconds(const struct tv_detector *const *detectors, size_t len,
                          const struct work *work, long rounds, double *ret)
{
    for (size_t i = 0; i < len; i++)
        ret[i] = INFINITY;
    for (long round = 0; round < rounds; round++)
        for (size_t i = 0; i < len; i++)
            ret[i] = fmin(ret[i], seconds(detectors[i], work));
}

static void print(const struct tv_detector *detector, const char *variant, double spent,
                  const struct work *work)
{
    double points = points_of(detector, work);
    printf("%-20s %12.0f %14zu %12.0f%s\n", detector->name, fmax(0, spent) * 1e9 / fmax(1, points),
           detector->state_size, points, variant);
}

static void measure_variant(struct work *work, enum variant variant, const char *text, long rounds)
{
    const struct tv_detector *pair[2] = {NULL, NULL};
    double spent[2];
    for (size_t i = 0; tv_detectors[i]; i++)
        if (strcmp(tv_detectors[i]->name, "lr_mismatch") == 0)
            pair[1] = tv_detectors[i];
    work->variant = variant;
    fill(work, 1);
    least_seconds(pair, 2, work, rounds, spent);
    print(pair[1], text, spent[1] - spent[0], work);
}

int main(int argc, char **argv)
{
    struct work work = {.points = argc > 1 ? atol(argv[1]) : 100000};
    long rounds = argc > 2 ? atol(argv[2]) : 9;
    const struct tv_detector *detectors[64] = {NULL};
    double spent[64];
    size_t len = 1, states = 0;
    if (work.points < 1 || work.points > 100000000 || rounds < 1)
        return 2;
    work.values = tv_xcalloc((size_t)work.points, SERIES * sizeof *work.values);
    fill(&work, 1);
    for (size_t i = 0; tv_detectors[i] && len < 64; i++)
        detectors[len++] = tv_detectors[i];
    least_seconds(detectors, len, &work, rounds, spent);
    printf("%-20s %12s %14s %12s\n", "detector", "ns a point", "state bytes", "points");
    for (size_t i = 1; i < len; i++) {
        states += detectors[i]->state_size;
        print(detectors[i], "", spent[i] - spent[0], &work);
    }
    printf("%-20s %12s %14zu\n", "all, for a run", "", states);
    printf("%-20s %12.0f %14s %12ld\n", "engine alone", spent[0] * 1e9 / (double)work.points / 4,
           "-", work.points * 4);
    measure_variant(&work, FOUR_DIGITS, " (four digits)", rounds);
    measure_variant(&work, TOTAL_FROM_EPOCHS, " (total from epochs)", rounds);
    free(work.values);
    return 0;
}
