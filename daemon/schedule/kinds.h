/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_KINDS_H
#define SCHEDULE_KINDS_H
/* The table of schedule kinds: a name as a framework spells it, the formula, and what is fixed in
 * it. */
#include "schedule/formulas.h"

#define TV_KIND_FIXED 7

enum tv_kind_flags {
    TV_KIND_NEEDS_TOTAL = 1,
    TV_KIND_NO_WARMUP = 2, /* warmup_steps is ignored */
    TV_KIND_FOLLOWS_METRIC = 4
};

struct tv_schedule_kind {
    const char *framework, *name;
    double (*lr)(const struct tv_curve *curve, double n);
    unsigned flags;
    struct {
        enum tv_schedule_param param;
        double value;
    } fixed[TV_KIND_FIXED]; /* ends at the first entry with value 0: the general defaults are there
                               already */
};

/* NULL when the framework has no such kind. */
const struct tv_schedule_kind *tv_kind_find(const char *framework, const char *name);

/* Full batches that Megatron has consumed after n iterations while the batch size ramps up. */
double tv_schedule_consumed(const struct tv_schedule *schedule, double n);

/* The kind's own values, and the general defaults for all others. */
void tv_kind_defaults(const struct tv_schedule_kind *kind, double param[TV_SCHEDULE_PARAMS]);

#endif
