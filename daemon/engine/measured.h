/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_MEASURED_H
#define ENGINE_MEASURED_H
/* What the engine itself takes from the points, beside the detectors. Inside engine/ only:
 *   rate.c         what the logged learning rate tells; identify*.c: which schedule it is
 *   evaluations.c  what a schedule that follows a metric goes by
 *   epoch.c        steps per epoch from logged epochs; batches.c: batches */
#include "engine/engine.h"

/* Warm-up as the logged learning rate shows it. */
struct tv_lr_rise {
    double max;
    int64_t max_step, first_step;
    int flat;
    bool over, rose;
    double previous;
};

/* Steps per epoch as the logged epochs show them: between low and high, 0 before the first. */
struct tv_epoch_length {
    double low, high, told;
    double told_width; /* of the estimate when it was told */
    double exact;      /* step / epoch is this whole number at every point; 0: not so */
    int decimals;      /* most that an epoch needed */
    uint32_t points, tellings;
};

/* Of one role, in the order of steps; more than so many are not kept. */
#define TV_EVALUATIONS_MAX 2048
struct tv_evaluations {
    struct tv_evaluation *at;
    uint32_t len, cap;
    bool is_full;
};

void tv_epoch_watch(struct tv_run *run,
                    const struct tv_point *point); /* adds log.steps_per_epoch */
void tv_epoch_forget(struct tv_run *run);          /* another job: its epochs have another length */
void tv_batches_watch(struct tv_run *run,
                      const struct tv_point *point); /* adds log.batches_per_epoch */
void tv_evaluations_watch(struct tv_run *run, const struct tv_point *point);
void tv_evaluations_forget(struct tv_run *run);
void tv_rate_watch(struct tv_run *run, const struct tv_point *point);
void tv_rate_end(struct tv_run *run);
void tv_rate_forget(struct tv_run *run); /* the run began anew */
void tv_rate_fold(struct tv_run *run);
/* The identity, or what was skipped of a promised schedule, in a sentence; valid until the next
 * call. */
const char *tv_rate_note(struct tv_run *run, int64_t skipped);
/* Steps as the logged learning rate shows them; NaN. */
double tv_rate_identified_total(struct tv_run *run);

#endif
