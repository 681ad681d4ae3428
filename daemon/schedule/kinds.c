/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "schedule/kinds.h"
#include <string.h>

#define COSINE                                                                                     \
    {                                                                                              \
        TV_P_SHAPE, TV_SHAPE_COSINE                                                                \
    }
#define POLYNOMIAL                                                                                 \
    {                                                                                              \
        TV_P_SHAPE, TV_SHAPE_POLYNOMIAL                                                            \
    }
#define FLAT                                                                                       \
    {                                                                                              \
        TV_P_SHAPE, TV_SHAPE_NONE                                                                  \
    }
#define WAVES                                                                                      \
    {                                                                                              \
        TV_P_PERIODIC, 1                                                                           \
    }

/* Sources: transformers/optimization.py v4.0.0 to v5.15.0. */
static const struct tv_schedule_kind kinds[] = {
    {"transformers", "constant", tv_constant_lr, TV_KIND_NO_WARMUP, {{0}}},
    {"transformers", "constant_with_warmup", tv_decay_lr, 0, {FLAT}},
    {"transformers", "linear", tv_decay_lr, TV_KIND_NEEDS_TOTAL, {{0}}},
    {"transformers", "cosine", tv_decay_lr, TV_KIND_NEEDS_TOTAL, {COSINE, WAVES}},
    {"transformers",
     "cosine_with_restarts",
     tv_restarts_lr,
     TV_KIND_NEEDS_TOTAL,
     {{TV_P_CYCLES, 1}}},
    {"transformers",
     "polynomial",
     tv_decay_lr,
     TV_KIND_NEEDS_TOTAL,
     {POLYNOMIAL, {TV_P_FLOOR, 1e-7}}},
    {"transformers", "inverse_sqrt", tv_inverse_sqrt_lr, 0, {{TV_P_SHIFT, NAN}}},
    {"transformers", "cosine_with_min_lr", tv_decay_lr, TV_KIND_NEEDS_TOTAL, {COSINE, WAVES}},
    {"transformers",
     "cosine_warmup_with_min_lr",
     tv_decay_lr,
     TV_KIND_NEEDS_TOTAL,
     {COSINE, WAVES, {TV_P_WARM_SHIFT, 1}, {TV_P_SHIFT, 1}}},
    {"transformers",
     "warmup_stable_decay",
     tv_decay_lr,
     TV_KIND_NEEDS_TOTAL,
     {COSINE, {TV_P_HOLD, NAN}}},

    /* Formulas of guides: the constant rate warms up. */
    {"plain", "constant", tv_decay_lr, 0, {FLAT}},
    {"plain", "linear", tv_decay_lr, TV_KIND_NEEDS_TOTAL, {{0}}},
    {"plain", "cosine", tv_decay_lr, TV_KIND_NEEDS_TOTAL, {COSINE, WAVES}},
    {"plain", "warmup", tv_warmup_only_lr, 0, {{0}}},
};

#define KINDS (sizeof kinds / sizeof *kinds)

const struct tv_schedule_kind *tv_kind_find(const char *framework, const char *name)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (!strcmp(kinds[i].framework, framework) && !strcmp(kinds[i].name, name))
            return &kinds[i];
    }
    return NULL;
}

void tv_kind_defaults(const struct tv_schedule_kind *kind, double param[TV_SCHEDULE_PARAMS])
{
    static const enum tv_schedule_param open[] = {TV_P_END, TV_P_FLOOR, TV_P_START, TV_P_DECAY,
                                                  TV_P_TIMESCALE};
    memset(param, 0, TV_SCHEDULE_PARAMS * sizeof *param);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        param[open[i]] = NAN;
    param[TV_P_CYCLES] = 0.5;
    param[TV_P_POWER] = 1.0;
    param[TV_P_STRIDE] = 1.0;
    for (size_t i = 0; i < TV_KIND_FIXED && kind->fixed[i].value != 0.0; i++)
        param[kind->fixed[i].param] = kind->fixed[i].value;
}

struct tv_curve tv_curve_of(const struct tv_schedule *s)
{
    return (struct tv_curve){
        s->peak, s->total_steps, s->warmup_steps, s->param, s->table, s->table_len, s};
}

struct tv_curve tv_curve_of_part(const struct tv_schedule *s, const struct tv_schedule_part *part)
{
    return (struct tv_curve){part->peak,
                             part->total_steps,
                             part->warmup_steps,
                             part->param,
                             s->table + part->table_at,
                             part->table_len,
                             s};
}

double tv_schedule_lr(const struct tv_schedule *schedule, double n)
{
    if (!schedule->kind || (schedule->kind->flags & TV_KIND_FOLLOWS_METRIC))
        return NAN;
    struct tv_curve curve = tv_curve_of(schedule);
    return schedule->kind->lr(&curve, fmax(n, 0.0) * schedule->param[TV_P_STRIDE]);
}

void tv_schedule_series(const struct tv_schedule *schedule, double first, size_t count, double *ret)
{
    bool unknown = !schedule->kind || (schedule->kind->flags & TV_KIND_FOLLOWS_METRIC);
    struct tv_curve curve = tv_curve_of(schedule);
    double stride = schedule->param[TV_P_STRIDE];
    for (size_t i = 0; i < count; i++)
        ret[i] = unknown ? NAN : schedule->kind->lr(&curve, (first + (double)i) * stride);
}

const char *tv_schedule_name(const struct tv_schedule *schedule)
{
    return schedule->kind ? schedule->kind->name : "unknown";
}

bool tv_schedule_follows_metric(const struct tv_schedule *schedule)
{
    return schedule->kind && (schedule->kind->flags & TV_KIND_FOLLOWS_METRIC);
}

bool tv_schedule_set_kind(struct tv_schedule *schedule, const char *name)
{
    const struct tv_schedule_kind *kind =
        schedule->framework ? tv_kind_find(schedule->framework, name) : NULL;
    if (!kind)
        kind = tv_kind_find("transformers", name);
    for (size_t i = 0; !kind && i < KINDS; i++) {
        if (!strcmp(kinds[i].name, name))
            kind = &kinds[i];
    }
    if (!kind)
        return false;
    schedule->kind = kind;
    tv_kind_defaults(kind, schedule->param);
    schedule->table_len = 0;
    schedule->parts = 0;
    return true;
}
