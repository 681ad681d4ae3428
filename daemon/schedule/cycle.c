/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Schedules that come back: restarts and triangles. */
#include "schedule/formulas.h"

double tv_hard_restarts_lr(const struct tv_curve *c, double n)
{
    if (n < c->warmup)
        return tv_warmup(c, n);
    double p = (n - c->warmup) / tv_max(1.0, tv_curve_end(c) - c->warmup);
    if (!(p < 1.0))
        return tv_curve_floor(c);
    double cycles = c->param[TV_P_CYCLES] * p;
    double whole = cycles < 1e15 ? (double)(int64_t)cycles : floor(cycles); /* floor() is a call */
    return c->peak * tv_half_cosine(cycles - whole);
}

/* The first step behind n that is not of n's cycle. */
static double next_restart(const struct tv_curve *c, double n)
{
    double span = tv_curve_end(c) - c->warmup, cycles = c->param[TV_P_CYCLES];
    double whole = floor(cycles * ((n - c->warmup) / span));
    double next = ceil(c->warmup + (whole + 1.0) / cycles * span);
    for (int tries = 0; tries < 4 && floor(cycles * ((next - c->warmup) / span)) <= whole; tries++)
        next++;
    for (int tries = 0; tries < 4; tries++) {
        if (floor(cycles * ((next - 1.0 - c->warmup) / span)) > whole)
            next--;
    }
    return fmax(n + 1.0, fmin(next, ceil(tv_curve_end(c))));
}

void tv_hard_restarts_series(const struct tv_curve *c, double first, double stride, size_t count,
                             double *ret)
{
    enum { WORTH_IT = 64 };
    struct tv_rotation rotation;
    double end = tv_curve_end(c), span = end - c->warmup, cycles = c->param[TV_P_CYCLES];
    bool is_plain = stride == 1.0 && c->warmup >= 0.0 && end < 1e15 && span >= 1.0 &&
                    cycles >= 1.0 && cycles < span / WORTH_IT && tv_curve_floor(c) == 0.0;
    if (is_plain)
        tv_rotation_init(&rotation, cycles, span);
    for (size_t i = 0; i < count;) {
        double n = first + (double)i;
        if (!is_plain || n <= c->warmup || n >= end) {
            ret[i++] = tv_hard_restarts_lr(c, n * stride);
            continue;
        }
        double left = next_restart(c, n) - n;
        size_t run = left < (double)(count - i) ? (size_t)left : count - i;
        /* every cycle begins at the top: those with an odd number run upside down */
        bool odd = fmod(floor(cycles * ((n - c->warmup) / span)), 2.0) != 0.0;
        tv_rotation_run(&rotation, n - c->warmup, odd ? c->peak : 0.0, odd ? 0.0 : c->peak, run,
                        ret + i);
        i += run;
    }
}

struct cycle {
    double index, at, length;
};

/* Which cycle x is in. The logarithm is what timm and fairseq compute, with its rounding at a
 * cycle's first step. */
static struct cycle find_cycle(const struct tv_curve *c, double x)
{
    double first = c->param[TV_P_PERIOD], growth = c->param[TV_P_GROWTH];
    if (growth == 1.0) {
        double index = floor(x / first);
        return (struct cycle){index, x - first * index, first};
    }
    if ((int)c->param[TV_P_MODE] & 1) {
        struct cycle cycle = {0, x, first};
        while (cycle.at >= cycle.length && cycle.length >= 1.0) {
            cycle.at -= cycle.length;
            cycle.length *= growth;
            cycle.index++;
        }
        return cycle;
    }
    double index = floor(log(1.0 - x / first * (1.0 - growth)) / log(growth));
    double power = pow(growth, index);
    return (struct cycle){index, x - (1.0 - power) / (1.0 - growth) * first, power * first};
}

static double cycles_value(const struct tv_curve *c, double n)
{
    double bottom = tv_curve_floor(c);
    struct cycle cycle = find_cycle(c, fmax(0.0, n + c->param[TV_P_SHIFT]));
    if (cycle.index >= c->param[TV_P_CYCLES])
        return bottom;
    double scale = pow(c->param[TV_P_GAMMA], cycle.index);
    if ((int)c->param[TV_P_MODE] & 2)
        bottom *= scale;
    double x = cycle.at, length = cycle.length, exponent = c->param[TV_P_EXTRA2];
    if (exponent != 1.0) {
        x = pow(x, exponent);
        length = pow(length, exponent);
    }
    double part = tv_curve_shape(c) == TV_SHAPE_COSINE ? tv_half_cosine(x / length)
                                                       : tv_fall(c, x, length, length - x);
    return tv_mix(bottom, c->peak * scale, part);
}

double tv_cycles_lr(const struct tv_curve *c, double n)
{
    if (n >= c->warmup)
        return cycles_value(c, n);
    struct tv_curve warm = *c;
    if ((int)c->param[TV_P_MODE] & 4)
        warm.peak = cycles_value(c, c->warmup);
    return tv_warmup(&warm, n);
}

void tv_cycles_series(const struct tv_curve *c, double first, double stride, size_t count,
                      double *ret)
{
    enum { WORTH_IT = 16 };
    bool is_plain =
        stride == 1.0 && tv_curve_shape(c) == TV_SHAPE_COSINE && c->param[TV_P_EXTRA2] == 1.0;
    struct tv_rotation rotation = {.span = 0.0};
    for (size_t i = 0; i < count;) {
        double n = (first + (double)i) * stride, x = n + c->param[TV_P_SHIFT];
        struct cycle cycle = {0};
        if (is_plain && n >= c->warmup && x >= 0.0)
            cycle = find_cycle(c, x);
        double left = ceil(cycle.length - cycle.at) - 1.0;
        if (left < WORTH_IT || !(cycle.at > 0.0)) {
            ret[i++] = tv_cycles_lr(c, n);
            continue;
        }
        size_t run = left < (double)(count - i) ? (size_t)left : count - i;
        double scale = pow(c->param[TV_P_GAMMA], cycle.index), bottom = tv_curve_floor(c);
        bool is_over = cycle.index >= c->param[TV_P_CYCLES];
        if (!is_over && (int)c->param[TV_P_MODE] & 2)
            bottom *= scale;
        if (rotation.span != cycle.length) /* most cycles are as long as the one before */
            tv_rotation_init(&rotation, 1.0, cycle.length);
        tv_rotation_run(&rotation, cycle.at, bottom, is_over ? bottom : c->peak * scale, run,
                        ret + i);
        i += run;
    }
}

/* 0 to 1 and back within one cycle; *cycle counts from 0. */
static double triangle(double n, double up, double down, double *cycle)
{
    double total = up + down, part = up / total;
    *cycle = floor(n / total);
    double x = n / total - *cycle;
    return x <= part ? x / part : (x - 1.0) / (part - 1.0);
}

static double one_triangle(const struct tv_curve *c, double n)
{
    double up = c->param[TV_P_PERIOD], down = c->param[TV_P_DECAY], bottom = tv_curve_floor(c),
           cycle;
    if (n > up + down) {
        double every = c->param[TV_P_EXTRA], rate = c->param[TV_P_GAMMA];
        return every == 0.0 || rate == 0.0 ? bottom
                                           : bottom / (1.0 + rate * (n - up - down) / every);
    }
    double part = triangle(n, up, down, &cycle);
    double at = fmod(n, up + down), stairs = c->param[at <= up ? TV_P_CYCLES : TV_P_EXTRA2];
    if (stairs > 0.0)
        part = floor(at <= up ? at * stairs / up : (up + down - at) * stairs / down) / stairs;
    return tv_mix(bottom, c->peak, part);
}

double tv_triangle_lr(const struct tv_curve *c, double n)
{
    double bottom = tv_curve_floor(c), gamma = c->param[TV_P_GAMMA], cycle;
    double part = triangle(n, c->param[TV_P_PERIOD], c->param[TV_P_DECAY], &cycle);
    switch ((enum tv_triangle)(int)c->param[TV_P_MODE]) {
    case TV_TRIANGLE_HEIGHT_BY_CYCLE:
        return tv_mix(bottom, c->peak, part * pow(gamma, cycle));
    case TV_TRIANGLE_HEIGHT_BY_STEP:
        return tv_mix(bottom, c->peak, part * pow(gamma, n));
    case TV_TRIANGLE_PEAK_BY_CYCLE:
        return tv_mix(bottom, c->peak * pow(gamma, cycle), part);
    case TV_TRIANGLE_BOTH_BY_CYCLE:
        return tv_mix(bottom, c->peak, part) * pow(gamma, cycle);
    case TV_TRIANGLE_ONCE:
        return one_triangle(c, n);
    default:
        return tv_mix(bottom, c->peak, part);
    }
}
