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

static const struct {
    double (*lr)(const struct tv_curve *c, double n);
    struct tv_piece (*piece)(const struct tv_curve *c, double n);
} formulas[] = {
    {tv_decay_lr, tv_decay_piece},
    {tv_power_law_lr, tv_power_law_piece},
    {tv_noam_lr, tv_power_law_piece},
    {tv_decay_tail_lr, tv_decay_tail_piece},
    {tv_power_tail_lr, tv_power_tail_piece},
    {tv_constant_lr, tv_warm_piece},
    {tv_warmup_only_lr, tv_warm_piece},
    {tv_second_half_lr, tv_warm_piece},
    {tv_epochs_lr, tv_epochs_piece},
    {tv_deepspeed_lr, tv_deepspeed_piece},
    {tv_hard_restarts_lr, tv_hard_restarts_piece},
    {tv_cycles_lr, tv_cycles_piece},
    {tv_triangle_lr, tv_triangle_piece},
    {tv_stairs_lr, tv_stairs_piece},
    {tv_range_test_lr, tv_stairs_piece},
    {tv_phases_lr, tv_phases_piece},
    {tv_sequence_lr, tv_sequence_piece},
    {tv_dampened_lr, tv_dampened_piece},
    {tv_factor_lr, tv_factor_piece},
    {tv_radam_lr, tv_factor_piece},
    {tv_jagged_lr, tv_jagged_piece},
};

struct tv_piece tv_piece_of(double (*lr)(const struct tv_curve *c, double n),
                            const struct tv_curve *curve, double n)
{
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        if (formulas[i].lr == lr)
            return formulas[i].piece(curve, n);
    }
    return (struct tv_piece){n, false, 0};
}

enum { NODES = 11, BLOCK = 1024, WORTH_IT = 16, ROUGH = 128 };

/* cos(k pi / 10) */
static const double node[NODES] = {1.0,
                                   -1.0,
                                   0.0,
                                   0.8090169943749475,
                                   -0.5877852522924731,
                                   0.3090169943749474,
                                   -0.9510565162951535,
                                   0.5877852522924731,
                                   -0.3090169943749474,
                                   0.9510565162951535,
                                   -0.8090169943749475};

/* The polynomial through the values at the nodes, in Newton's form, in the order of Leja: it is
 * good enough when the last two nodes were met before they were taken in. */
static int fit(const struct tv_smooth *f, double first, double last, double *coefficient)
{
    double close = 2e-15 * f->scale, met = INFINITY;
    for (int k = 0; k < NODES; k++) {
        double at = tv_mix(first, last, 0.5 * (1.0 + node[k])), reach = 1.0;
        double value = f->value(f->ctx, k == 0 ? last : k == 1 ? first : at);
        if (!(fabs(value) <= 4.0 * f->scale)) /* rounding would count */
            return 0;
        for (int j = 0; j < k; j++) {
            value = (value - coefficient[j]) / (node[k] - node[j]);
            reach *= node[k] - node[j];
        }
        coefficient[k] = value;
        double missed = fabs(value * reach);
        if (k > 2 && fmax(missed, met) <= close)
            return k - 1;
        met = missed;
    }
    return 0;
}

/* How many coefficients it took; 0 where no polynomial fits. */
static int interpolate(const struct tv_smooth *f, double first, double stride, size_t count,
                       double *ret)
{
    double coefficient[NODES], at[BLOCK], width = 2.0 / (double)(count - 1);
    int len = fit(f, first, first + (double)(count - 1) * stride, coefficient);
    if (len == 0)
        return 0;
    int k = len - 1 - (len + 1) % 2;
    double last = coefficient[k], slope = k < len - 1 ? coefficient[len - 1] : 0.0;
    for (size_t i = 0; i < count; i++) {
        at[i] = (double)i * width - 1.0;
        ret[i] = last + slope * (at[i] - node[k]);
    }
    for (k -= 2; k >= 0; k -= 2) {
        double c0 = coefficient[k], c1 = coefficient[k + 1], n0 = node[k], n1 = node[k + 1];
        for (size_t i = 0; i < count; i++)
            ret[i] = (ret[i] * (at[i] - n1) + c1) * (at[i] - n0) + c0;
    }
    return len;
}

void tv_smooth_series(const struct tv_smooth *f, double first, double stride, size_t count,
                      double *ret)
{
    size_t block = BLOCK;
    while (count > 0) {
        size_t len = count < block ? count : block;
        int terms = len >= WORTH_IT ? interpolate(f, first, stride, len, ret) : 0;
        if (terms == 0 && len >= (size_t)2 * WORTH_IT) {
            block = len / 2;
            continue;
        }
        if (terms == 0) /* it will not fit soon */
            len = count < ROUGH ? count : ROUGH;
        for (size_t i = 0; i < len && terms == 0; i++)
            ret[i] = f->value(f->ctx, first + (double)i * stride);
        if (terms < NODES - 3 && block < BLOCK)
            block *= 2;
        ret += len;
        count -= len;
        first += (double)len * stride;
    }
}

struct formula {
    double (*lr)(const struct tv_curve *c, double n);
    const struct tv_curve *curve;
};

static double formula_value(void *ctx, double n)
{
    const struct formula *formula = ctx;
    return formula->lr(formula->curve, n);
}

/* The higher of two: where they cross is not known. */
static void higher_series(const struct tv_curve *curve, double first, double stride, size_t count,
                          double *ret)
{
    double other[BLOCK];
    tv_curve_series(tv_decay_lr, curve, first, stride, count, ret);
    for (size_t i = 0; i < count; i++) {
        if (i % BLOCK == 0)
            tv_curve_series(tv_power_law_lr, curve, first + (double)i, stride,
                            count - i < BLOCK ? count - i : BLOCK, other);
        ret[i] = tv_max(ret[i], other[i % BLOCK]);
    }
}

size_t tv_piece_steps(struct tv_piece piece, double n, double stride, size_t count)
{
    double left = ceil((piece.end - n) / stride);
    return left < (double)count ? (size_t)tv_max(1.0, left) : count;
}

void tv_curve_series(double (*lr)(const struct tv_curve *c, double n), const struct tv_curve *curve,
                     double first, double stride, size_t count, double *ret)
{
    struct formula formula = {lr, curve};
    struct tv_smooth smooth = {formula_value, &formula, 0};
    if (lr == tv_chain_lr) {
        tv_chain_series(curve, first, stride, count, ret);
        return;
    }
    if (lr == tv_max_lr) {
        higher_series(curve, first, stride, count, ret);
        return;
    }
    for (size_t i = 0; i < count;) {
        double n = (first + (double)i) * stride;
        struct tv_piece piece = tv_piece_of(lr, curve, n);
        size_t run = tv_piece_steps(piece, n, stride, count - i);
        smooth.scale = fmax(fabs(curve->peak), piece.peak);
        if (piece.is_flat) {
            double value = lr(curve, n);
            for (size_t end = i + run; i < end; i++)
                ret[i] = value;
        } else {
            tv_smooth_series(&smooth, n, stride, run, ret + i);
            i += run;
        }
    }
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

/* A value for each `every` steps: one after the other, then spread from behind. */
static void stepped_series(const struct tv_schedule *schedule, double first, size_t count,
                           double *ret)
{
    struct tv_curve curve = tv_curve_of(schedule);
    double every = schedule->param[TV_P_EVERY] / schedule->param[TV_P_STRIDE];
    double begin = floor(first / every), end = floor((first + (double)count - 1.0) / every);
    tv_curve_series(schedule->kind->lr, &curve, begin, 1.0, (size_t)(end - begin) + 1, ret);
    for (size_t i = count; i-- > 0;)
        ret[i] = ret[(size_t)(floor((first + (double)i) / every) - begin)];
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
    if (param[TV_P_EVERY] >= param[TV_P_STRIDE] && !has_ramp)
        stepped_series(schedule, first, count - i, ret + i);
    else if (has_ramp && param[TV_P_STRIDE] == 1.0 && !(param[TV_P_EVERY] > 0.0))
        ramp_series(schedule, first, count - i, ret + i);
    else if (has_ramp || param[TV_P_EVERY] > 0.0)
        for (; i < count; i++, first++)
            ret[i] = tv_schedule_lr(schedule, first);
    else
        tv_curve_series(schedule->kind->lr, &curve, first, param[TV_P_STRIDE], count - i, ret + i);
}
