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

struct tv_piece tv_hard_restarts_piece(const struct tv_curve *c, double n)
{
    double span = tv_max(1.0, tv_curve_end(c) - c->warmup), cycles = c->param[TV_P_CYCLES];
    double end = tv_until(tv_warmup_piece(c, INFINITY, n), n, c->warmup + span);
    double whole = floor(cycles * ((n - c->warmup) / span));
    if (n >= c->warmup && n < end) {
        end = tv_until(end, n, c->warmup + whole / cycles * span);
        end = tv_until(end, n, c->warmup + (whole + 1.0) / cycles * span);
    }
    return (struct tv_piece){end, false, 0};
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

struct tv_piece tv_cycles_piece(const struct tv_curve *c, double n)
{
    double end = tv_warmup_piece(c, INFINITY, n), x = n + c->param[TV_P_SHIFT];
    end = tv_until(end, n, -c->param[TV_P_SHIFT]);
    if (n < c->warmup || x < 0.0)
        return (struct tv_piece){end, false, 0};
    struct cycle cycle = find_cycle(c, x);
    end = tv_until(end, n, n - cycle.at);
    end = tv_until(end, n, n - cycle.at + cycle.length);
    return (struct tv_piece){end, cycle.index >= c->param[TV_P_CYCLES], 0};
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

/* The stairs of TV_TRIANGLE_ONCE. */
static double until_stair(const struct tv_curve *c, double end, double n)
{
    double up = c->param[TV_P_PERIOD], down = c->param[TV_P_DECAY];
    double stairs = c->param[n <= up ? TV_P_CYCLES : TV_P_EXTRA2];
    double from = n <= up ? 0.0 : up, width = (n <= up ? up : down) / stairs;
    double done = floor((n - from) / width);
    end = tv_until(end, n, from + done * width);
    return tv_until(end, n, from + (done + 1.0) * width);
}

struct tv_piece tv_triangle_piece(const struct tv_curve *c, double n)
{
    double up = c->param[TV_P_PERIOD], total = up + c->param[TV_P_DECAY], end = INFINITY;
    bool is_once = c->param[TV_P_MODE] == TV_TRIANGLE_ONCE;
    if (is_once && n > total)
        return (struct tv_piece){tv_until(end, n, total), false, 0};
    double begin = is_once ? 0.0 : floor(n / total) * total;
    end = tv_until(end, n, begin);
    end = tv_until(end, n, begin + up);
    end = tv_until(end, n, begin + total);
    if (is_once && c->param[n <= up ? TV_P_CYCLES : TV_P_EXTRA2] > 0.0)
        end = until_stair(c, end, n);
    return (struct tv_piece){end, false, 0};
}
