/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAINVET_SCHEDULE_H
#define TRAINVET_SCHEDULE_H
/* The learning rate that a configuration promises.
 * A schedule is a row of the kinds table (daemon/schedule/kinds.c) plus its parameters. It is a
 * plain value: copy it, change a field, evaluate it again; that is how lr_mismatch tries its
 * hypotheses. */
#include <stdbool.h>
#include <stdint.h>

#define TV_SCHEDULE_PARAMS 16
#define TV_SCHEDULE_NOTES  8

struct tv_schedule_kind; /* private row: name, parameters, formula */

struct tv_schedule {
    const struct tv_schedule_kind *kind; /* NULL: nothing known */
    const char *framework;               /* "transformers", "llamafactory", ... static string */
    double peak;                         /* base learning rate of parameter group 0 */
    double total_steps; /* optimizer steps planned; NaN when the kind needs none and none is known.
                           A double: Megatron counts samples, OLMo tokens. */
    double warmup_steps;
    int64_t steps_per_epoch;          /* 0 when unknown */
    double param[TV_SCHEDULE_PARAMS]; /* meaning by kind */
    const double *table; /* milestones or the like, owned by the resolver's owner; NULL mostly */
    int64_t table_len;
    /* Logged at global_step g is lr(g - log_offset). 0: read after scheduler.step() (transformers
     * < 4.51, DeepSpeed); 1: read before it. offset_known is false when the version is not known:
     * fit it. */
    int log_offset;
    bool offset_known;
    char notes[TV_SCHEDULE_NOTES][160]; /* what was assumed, one sentence each */
    int notes_len;
};

/* Learning rate after n calls of scheduler.step(), n >= 0. Double arithmetic in the source's order.
 * NaN when kind is NULL or the kind follows a metric. */
double tv_schedule_lr(const struct tv_schedule *schedule, double n);

/* Name as the framework spells it ("cosine_with_restarts"), "unknown" when kind is NULL. */
const char *tv_schedule_name(const struct tv_schedule *schedule);

/* Replaces the kind by its framework-independent name, keeping peak, total and warm-up; the
 * parameters get the kind's defaults. False (nothing changed) when no such kind exists. For
 * hypotheses. */
bool tv_schedule_set_kind(struct tv_schedule *schedule, const char *name);

#endif
