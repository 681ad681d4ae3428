/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A schedule's learning rate: at one step, at chosen steps, at many in a row. */
#include "schedule/kinds.h"

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

#define RAMP_LEVELS_MAX 10000

/* Where an iteration is while the batch size ramps up: so many full batches were consumed before
 * this size, so many iterations ago; it stays for so many more. */
struct ramp {
    double consumed, iterations, batch, left;
};

/* Source: NVIDIA/Megatron-LM megatron/core/num_microbatches_calculator.py, d98e8a64. */
static struct ramp ramp_at(const struct tv_schedule *schedule, double n)
{
    const double *param = schedule->param;
    double from = param[TV_P_RAMP_FROM], step = param[TV_P_RAMP_STEP], consumed = 0;
    double length = param[TV_P_RAMP] / round((1 - from) / step);
    for (int level = 0; level < RAMP_LEVELS_MAX && consumed < param[TV_P_RAMP]; level++) {
        double batch = from + level * step;
        double iterations = ceil(((level + 1) * length - consumed) / batch - 1e-9);
        if (n <= iterations)
            return (struct ramp){consumed, n, batch, iterations - n};
        n -= fmax(0, iterations);
        consumed += fmax(0, iterations) * batch;
    }
    return (struct ramp){consumed, n, 1.0, INFINITY};
}

double tv_schedule_consumed(const struct tv_schedule *schedule, double n)
{
    struct ramp ramp = ramp_at(schedule, n);
    return ramp.consumed + ramp.iterations * ramp.batch;
}

double tv_schedule_lr(const struct tv_schedule *schedule, double n)
{
    if (!schedule->kind || !schedule->kind->lr)
        return NAN;
    struct tv_curve curve = tv_curve_of(schedule);
    double every = schedule->param[TV_P_EVERY], at = tv_max(n, 0.0) * schedule->param[TV_P_STRIDE];
    if (schedule->param[TV_P_RAMP] > 0.0)
        at = tv_schedule_consumed(schedule, at);
    return schedule->kind->lr(&curve, every > 0.0 ? floor(at / every) : at);
}

void tv_schedule_points(const struct tv_schedule *schedule, const double *n, size_t count,
                        double *ret)
{
    bool is_plain = schedule->kind && schedule->kind->lr == tv_decay_lr &&
                    !(schedule->param[TV_P_RAMP] > 0.0) && !(schedule->param[TV_P_EVERY] > 0.0);
    if (is_plain) {
        struct tv_curve curve = tv_curve_of(schedule);
        tv_decay_points(&curve, schedule->param[TV_P_STRIDE], n, count, ret);
        return;
    }
    for (size_t i = 0; i < count; i++)
        ret[i] = tv_schedule_lr(schedule, n[i]);
}

/* Formulas that cost less for many steps in a row than for each alone. */
static const struct {
    double (*lr)(const struct tv_curve *c, double n);
    void (*series)(const struct tv_curve *c, double first, double stride, size_t count,
                   double *ret);
} in_a_row[] = {
    {tv_decay_lr, tv_decay_series},       {tv_power_law_lr, tv_power_law_series},
    {tv_chain_lr, tv_chain_series},       {tv_hard_restarts_lr, tv_hard_restarts_series},
    {tv_cycles_lr, tv_cycles_series},     {tv_stairs_lr, tv_stairs_series},
    {tv_sequence_lr, tv_sequence_series},
};

void tv_curve_series(double (*lr)(const struct tv_curve *c, double n), const struct tv_curve *curve,
                     double first, double stride, size_t count, double *ret)
{
    for (size_t i = 0; i < sizeof in_a_row / sizeof *in_a_row; i++) {
        if (in_a_row[i].lr == lr) {
            in_a_row[i].series(curve, first, stride, count, ret);
            return;
        }
    }
    for (size_t i = 0; i < count; i++)
        ret[i] = lr(curve, (first + (double)i) * stride);
}

/* One size of the batch after the other. */
static void ramp_series(const struct tv_schedule *schedule, double first, size_t count, double *ret)
{
    struct tv_curve curve = tv_curve_of(schedule);
    for (size_t i = 0; i < count;) {
        struct ramp ramp = ramp_at(schedule, first + (double)i);
        size_t run = ramp.left + 1.0 < (double)(count - i) ? (size_t)(ramp.left + 1.0) : count - i;
        tv_curve_series(schedule->kind->lr, &curve, ramp.consumed / ramp.batch + ramp.iterations,
                        ramp.batch, run, ret + i);
        i += run;
    }
}

/* A value for each `every` steps. */
static void stepped_series(const struct tv_schedule *schedule, double first, size_t count,
                           double *ret)
{
    double every = schedule->param[TV_P_EVERY], counted = NAN;
    for (size_t i = 0; i < count; i++) {
        double now = floor((first + (double)i) * schedule->param[TV_P_STRIDE] / every);
        ret[i] = i > 0 && now == counted ? ret[i - 1] : tv_schedule_lr(schedule, first + (double)i);
        counted = now;
    }
}

void tv_schedule_series(const struct tv_schedule *schedule, double first, size_t count, double *ret)
{
    const double *param = schedule->param;
    bool is_known = schedule->kind && schedule->kind->lr, has_ramp = param[TV_P_RAMP] > 0.0;
    size_t i = 0;
    for (; i < count && (first + (double)i <= 0.0 || !is_known); i++)
        ret[i] = tv_schedule_lr(schedule, first + (double)i);
    if (i == count)
        return;
    first += (double)i;
    struct tv_curve curve = tv_curve_of(schedule);
    if (param[TV_P_EVERY] > 0.0)
        stepped_series(schedule, first, count - i, ret + i);
    else if (has_ramp && param[TV_P_STRIDE] == 1.0)
        ramp_series(schedule, first, count - i, ret + i);
    else if (has_ramp)
        for (; i < count; i++, first++)
            ret[i] = tv_schedule_lr(schedule, first);
    else
        tv_curve_series(schedule->kind->lr, &curve, first, param[TV_P_STRIDE], count - i, ret + i);
}
