/* SPDX-License-Identifier: GPL-2.0-or-later */
/* detector_cost [POINTS]: nanoseconds that each detector takes for one point of the series that it
 * subscribes to, on a healthy run that logs loss, learning rate, gradient norm and epoch at each
 * step and evaluates at every 100th. The cost of the engine without any detector is taken off; each
 * is the best of five passes. */
#include "bench/bench.h"
#include "engine/engine.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct tv_parser by_hand = {.name = "by_hand", .summary = ""};

static double noise(unsigned *seed)
{
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += (double)rand_r(seed) / RAND_MAX - 0.5;
    return sum;
}

static void emit_step(const struct tv_emit *emit, struct tv_tag *const tags[5], long step,
                      long points, unsigned *seed)
{
    double share = (double)step / (double)points, wall = 1.7e9 + (double)step;
    double rate = share < 0.1 ? share / 0.1 : 0.5 * (1 + cos(M_PI * (share - 0.1) / 0.9));
    double loss = 1.5 + 1.5 * exp(-5 * share) + 0.02 * noise(seed);
    struct tv_sample batch[5] = {
        {tags[0], step, wall, loss},
        {tags[1], step, wall, 1e-4 * rate},
        {tags[2], step, wall, exp(0.2 * noise(seed))},
        {tags[3], step, wall, 3 * share},
        {tags[4], step, wall, loss + 0.05},
    };
    emit->samples(emit->ctx, batch, step % 100 == 0 ? 5 : 4);
}

static double seconds(const struct tv_detector *detector, long points, double *ret_samples)
{
    const struct tv_detector *const one[] = {detector, NULL};
    struct tv_engine_options options = {.detectors = one};
    static const char *const names[5] = {"train/loss", "train/learning_rate", "train/grad_norm",
                                         "train/epoch", "eval/loss"};
    static const enum tv_role roles[5] = {TV_ROLE_TRAIN_LOSS, TV_ROLE_LEARNING_RATE,
                                          TV_ROLE_GRAD_NORM, TV_ROLE_EPOCH, TV_ROLE_EVAL_LOSS};
    struct tv_run *run = tv_run_new(&options, "bench");
    struct tv_source *source = tv_run_source(run, &(struct tv_source_info){.prefix = ""});
    struct tv_emit emit = tv_source_file(source, "bench", &by_hand);
    char total[32];
    snprintf(total, sizeof total, "%ld", points);
    const char *const facts[][2] = {{"framework", "transformers"},
                                    {"learning_rate", "1e-4"},
                                    {"max_steps", total},
                                    {"lr_scheduler_type", "cosine"},
                                    {"warmup_ratio", "0.1"}};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        emit.fact(emit.ctx, &(struct tv_fact){.key = tv_span_of(facts[i][0]),
                                              .value = tv_span_of(facts[i][1])});
    struct tv_tag *tags[5];
    *ret_samples = 0;
    for (int i = 0; i < 5; i++) {
        tags[i] = emit.tag(emit.ctx, tv_span_of(names[i]));
        bool wanted = detector && detector->roles & TV_ROLE_BIT(roles[i]);
        *ret_samples += wanted ? (double)points / (i == 4 ? 100 : 1) : 0;
    }
    unsigned seed = 1;
    double before = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    for (long step = 1; step <= points; step++)
        emit_step(&emit, tags, step, points, &seed);
    double spent = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - before;
    tv_source_done(source);
    tv_run_end(run, NAN);
    tv_run_free(run);
    return spent;
}

/* The best of several passes: what else runs on the machine only adds. */
static double least_seconds(const struct tv_detector *detector, long points, double *ret_samples)
{
    double least = INFINITY;
    for (int i = 0; i < 5; i++)
        least = fmin(least, seconds(detector, points, ret_samples));
    return least;
}

int main(int argc, char **argv)
{
    long points = argc > 1 ? atol(argv[1]) : 200000;
    double samples, nothing = least_seconds(NULL, points, &samples);
    size_t states = 0;
    printf("%-20s %12s %14s %12s\n", "detector", "ns a point", "state bytes", "points");
    for (size_t i = 0; tv_detectors[i]; i++) {
        double spent = least_seconds(tv_detectors[i], points, &samples) - nothing;
        states += tv_detectors[i]->state_size;
        printf("%-20s %12.0f %14zu %12.0f\n", tv_detectors[i]->name,
               samples > 0 ? fmax(0, spent) * 1e9 / samples : 0, tv_detectors[i]->state_size,
               samples);
    }
    printf("%-20s %12s %14zu\n", "all, for a run", "", states);
    printf("%-20s %12.0f %14s %12ld\n", "engine alone", nothing * 1e9 / (double)points / 4, "-",
           points * 4);
    return 0;
}
