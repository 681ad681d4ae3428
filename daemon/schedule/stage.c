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

/* How many steps behind n have n's number of stairs for certain. */
static double stairs_left(const struct tv_curve *c, double n)
{
    double x = n + c->param[TV_P_SHIFT], next = INFINITY;
    if (n < c->warmup || x < 0.0)
        return 0.0;
    if (c->param[TV_P_MODE] != 2.0) {
        double period = c->param[TV_P_PERIOD];
        return floor((whole_times(x, period) + 1.0) * period - x) - 2.0;
    }
    for (int i = 0; i < c->table_len; i++) {
        double at = c->table[i] - c->param[TV_P_EXTRA];
        if (at > x)
            next = fmin(next, at);
    }
    return ceil(next - x) - 2.0;
}

/* Behind the warm-up; the exact value again every few steps, since each product adds an error. */
static size_t falling_run(const struct tv_curve *c, double n, double stride, size_t count,
                          double *ret)
{
    enum { EXACT_AGAIN = 16 };
    size_t run = count < EXACT_AGAIN ? count : EXACT_AGAIN;
    double ratio = pow(c->param[TV_P_GAMMA], stride / c->param[TV_P_PERIOD]);
    double value = c->peak * pow(c->param[TV_P_GAMMA], stairs_done(c, n));
    for (size_t i = 0; i < run; i++, value *= ratio)
        ret[i] = fmax(value, tv_curve_floor(c));
    return run;
}

void tv_stairs_series(const struct tv_curve *c, double first, double stride, size_t count,
                      double *ret)
{
    double gamma = c->param[TV_P_GAMMA];
    bool falls = c->param[TV_P_MODE] == 1.0 && gamma > 0.0 && gamma <= 1.0;
    for (size_t i = 0; i < count;) {
        double n = (first + (double)i) * stride;
        if (falls && n >= c->warmup && n + c->param[TV_P_SHIFT] >= 0.0) {
            i += falling_run(c, n, stride, count - i, ret + i);
            continue;
        }
        double value = tv_stairs_lr(c, n);
        double left = stride == 1.0 && c->param[TV_P_MODE] != 1.0 ? stairs_left(c, n) : 0.0;
        size_t end = left < (double)(count - i) ? i + 1 + (size_t)fmax(0.0, left) : count;
        while (i < end && i < count)
            ret[i++] = value;
    }
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

static const struct tv_schedule_part *part_at(const struct tv_curve *c, double n)
{
    const struct tv_schedule *whole = c->whole;
    const struct tv_schedule_part *part = &whole->part[0];
    bool late = c->param[TV_P_MODE] != 0.0;
    for (int i = 1; i < whole->parts; i++) {
        if (late ? n > whole->part[i].begin : n >= whole->part[i].begin)
            part = &whole->part[i];
    }
    return part;
}

/* torch's cosine comes up again behind its end, to what it found when it was made. */
static bool turns(const struct tv_schedule_part *part)
{
    return part->kind && part->kind->lr == tv_decay_lr && part->base > 0.0 &&
           part->param[TV_P_PERIODIC] == 1.0;
}

static double peak_at(const struct tv_schedule_part *part, double x)
{
    return turns(part) && x > part->param[TV_P_END] ? part->base : part->peak;
}

double tv_sequence_lr(const struct tv_curve *c, double n)
{
    const struct tv_schedule_part *part = part_at(c, n);
    double x = n - part->begin;
    return part_lr(c, part, peak_at(part, x), x);
}

/* The first whole step behind n at which another part, or the same one with another peak, may
 * begin. */
static double next_part(const struct tv_curve *c, const struct tv_schedule_part *part, double n)
{
    bool late = c->param[TV_P_MODE] != 0.0;
    double next = turns(part) ? floor(part->begin + part->param[TV_P_END]) + 1.0 : INFINITY;
    next = next > n ? next : INFINITY;
    for (int i = 1; i < c->whole->parts; i++) {
        double begin = c->whole->part[i].begin, at = late ? floor(begin) + 1.0 : ceil(begin);
        if (at > n)
            next = fmin(next, at);
    }
    return next;
}

void tv_sequence_series(const struct tv_curve *c, double first, double stride, size_t count,
                        double *ret)
{
    bool is_whole = stride == 1.0 && first == floor(first);
    for (size_t i = 0; i < count;) {
        double n = (first + (double)i) * stride;
        const struct tv_schedule_part *part = part_at(c, n);
        if (!is_whole || !part->kind || !part->kind->lr || part->begin != floor(part->begin)) {
            ret[i++] = tv_sequence_lr(c, n);
            continue;
        }
        struct tv_curve curve = tv_curve_of_part(c->whole, part);
        double x = n - part->begin, left = next_part(c, part, n) - n;
        size_t run = left < (double)(count - i) ? (size_t)left : count - i;
        curve.peak = peak_at(part, x);
        tv_curve_series(part->kind->lr, &curve, x, 1.0, run, ret + i);
        i += run;
    }
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
