/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stairs, phases, and schedules that are made of several schedulers. */
#include "schedule/kinds.h"

/* Python's x // period: 84 // 16.8 is 4, though 84 / 16.8 is 5. */
static double whole_times(double x, double period)
{
    double times = (x - fmod(x, period)) / period, whole = floor(times);
    return times - whole > 0.5 ? whole + 1.0 : whole;
}

static double stairs_done(const struct tv_curve *c, double n)
{
    double x = fmax(0.0, n + c->param[TV_P_SHIFT]);
    if (c->param[TV_P_MODE] == 2.0) {
        double done = 0.0;
        for (int i = 0; i < c->table_len; i++)
            done += c->table[i] <= x + c->param[TV_P_EXTRA];
        return done;
    }
    double period = c->param[TV_P_PERIOD];
    return c->param[TV_P_MODE] == 1.0 ? x / period : whole_times(x, period);
}

double tv_stairs_lr(const struct tv_curve *c, double n)
{
    if (n < c->warmup)
        return tv_warmup(c, n);
    double gamma = c->param[TV_P_GAMMA];
    double value = c->peak * pow(gamma, stairs_done(c, n));
    if (gamma > 1.0)
        return fmin(value, tv_param_or(c, TV_P_FLOOR, INFINITY));
    return fmax(value, tv_curve_floor(c));
}

double tv_range_test_lr(const struct tv_curve *c, double n)
{
    return c->peak * (1.0 + c->param[TV_P_GAMMA] * stairs_done(c, n));
}

double tv_phases_lr(const struct tv_curve *c, double n)
{
    double begin = 0.0, to = 1.0;
    bool holds_last = c->param[TV_P_MODE] != 0.0, overshoots = c->param[TV_P_MODE] == 2.0;
    for (int i = 0; i + TV_PHASE_ROW <= c->table_len; i += TV_PHASE_ROW) {
        const double *row = c->table + i;
        double end = row[0], from = row[1];
        to = row[2];
        if (!(end > begin)) {
            begin = end;
            continue;
        }
        bool is_last = i + TV_PHASE_ROW == c->table_len;
        if (n < end || (holds_last && n == end) || (is_last && overshoots && n <= end + 1.0)) {
            double p = (n - begin) / (end - begin);
            if (row[3] == TV_SHAPE_NONE)
                return c->peak * from;
            if (row[3] == TV_SHAPE_COSINE)
                return c->peak * tv_mix(to, from, tv_half_cosine(p));
            return c->peak * tv_mix(from, to, p);
        }
        begin = end;
    }
    return c->peak * to;
}

/* NaN for a part that could not be resolved. */
static double part_lr(const struct tv_curve *c, const struct tv_schedule_part *part, double peak,
                      double n)
{
    struct tv_curve curve = tv_curve_of_part(c->whole, part);
    curve.peak = peak;
    return part->kind && part->kind->lr ? part->kind->lr(&curve, n) : NAN;
}

double tv_sequence_lr(const struct tv_curve *c, double n)
{
    const struct tv_schedule *whole = c->whole;
    const struct tv_schedule_part *part = &whole->part[0];
    bool late = c->param[TV_P_MODE] != 0.0;
    for (int i = 1; i < whole->parts; i++) {
        if (late ? n > whole->part[i].begin : n >= whole->part[i].begin)
            part = &whole->part[i];
    }
    double x = n - part->begin;
    bool turned = part->kind && part->kind->lr == tv_decay_lr && part->base > 0.0 &&
                  part->param[TV_P_PERIODIC] == 1.0 && x > part->param[TV_P_END];
    /* torch's cosine comes up again to what it found when it was made */
    return part_lr(c, part, turned ? part->base : part->peak, x);
}

double tv_dampened_lr(const struct tv_curve *c, double n)
{
    double value = c->peak;
    for (int i = 0; i < c->whole->parts; i++) {
        const struct tv_schedule_part *part = &c->whole->part[i];
        value = part_lr(c, part, isnan(part->peak) ? value : part->peak, n);
    }
    return value;
}

double tv_factor_lr(const struct tv_curve *c, double n)
{
    double p = (n + 1.0) / c->param[TV_P_TIMESCALE];
    return c->peak * (tv_curve_shape(c) == TV_SHAPE_EXPONENTIAL ? 1.0 - exp(-p) : fmin(1.0, p));
}

double tv_jagged_lr(const struct tv_curve *c, double n)
{
    const struct tv_schedule_part *part = &c->whole->part[0];
    double inner = part_lr(c, part, part->peak, n);
    double every = c->param[TV_P_PERIOD], up = c->param[TV_P_EXTRA], down = c->param[TV_P_DECAY];
    if (n < every - down)
        return inner;
    double at = fmod(n, every), scale = 1.0;
    if (at < up)
        scale = fmin(1.0, at / up);
    else if (at > every - down)
        scale = fmin(1.0, (every - at) / down);
    return inner * tv_mix(c->param[TV_P_FLOOR_RATIO], 1.0, scale);
}
