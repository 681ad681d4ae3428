/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_FRAMEWORK_H
#define SCHEDULE_FRAMEWORK_H
/* One row a framework: how its settings are recognised and how they become a schedule. */
#include "model/facts.h"
#include "schedule/kinds.h"
#include "schedule/lookup.h"
#include "trainvet/error.h"

struct tv_framework {
    const char *name;
    /* Whether these settings can only be this framework's; asked in the order of resolve.c. */
    bool (*owns)(const struct tv_facts *facts);
    /* As tv_schedule_resolve; *ret is zeroed but for its framework. */
    enum tv_status (*resolve)(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr);
};

extern const struct tv_framework tv_framework_transformers, tv_framework_llamafactory,
    tv_framework_accelerate, tv_framework_lightning, tv_framework_plain;

/* Gives the schedule this kind with its defaults; TV_EUNSUPPORTED when the framework has none of
 * that name. */
enum tv_status tv_schedule_start(struct tv_schedule *schedule, const char *framework,
                                 const char *name, struct tv_error *reterr);
/* Sets a parameter unless the value is NaN. */
static inline void tv_set(struct tv_schedule *schedule, enum tv_schedule_param param, double value)
{
    if (!isnan(value))
        schedule->param[param] = value;
}
/* The last check: peak known, and the total where the kind needs it. */
enum tv_status tv_schedule_complete(const struct tv_schedule *schedule, struct tv_error *reterr);

/* The scheduler of this name with transformers' keyword arguments (hf.c); peak, total and warm-up
 * are set. */
enum tv_status tv_hf_kind(const struct tv_facts *facts, const char *name,
                          struct tv_schedule *schedule, struct tv_error *reterr);

#endif
