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

struct tv_piece tv_stairs_piece(const struct tv_curve *c, double n)
{
    double period = c->param[TV_P_PERIOD], gamma = c->param[TV_P_GAMMA], limit = tv_curve_floor(c);
    double shift = c->param[TV_P_SHIFT], x = n + shift, mode = c->param[TV_P_MODE];
    double end = tv_until(tv_warmup_piece(c, INFINITY, n), n, -shift);
    if (n < c->warmup || x < 0.0)
        return (struct tv_piece){end, false, 0};
    if (mode == 2.0) {
        for (int i = 0; i < c->table_len; i++)
            end = tv_until(end, n, c->table[i] - c->param[TV_P_EXTRA] - shift);
    } else if (mode == 0.0) {
        double done = whole_times(x, period);
        end = tv_until(end, n, done * period - shift);
        end = tv_until(end, n, (done + 1.0) * period - shift);
    } else {
        limit = gamma > 1.0 ? tv_param_or(c, TV_P_FLOOR, INFINITY) : limit;
        if (gamma > 0.0 && gamma != 1.0 && limit > 0.0)
            end = tv_until(end, n, period * log(limit / c->peak) / log(gamma) - shift);
    }
    return (struct tv_piece){end, mode != 1.0, 0};
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

struct tv_piece tv_phases_piece(const struct tv_curve *c, double n)
{
    double end = INFINITY;
    for (int i = 0; i + TV_PHASE_ROW <= c->table_len; i += TV_PHASE_ROW)
        end = tv_until(tv_until(end, n, c->table[i]), n, c->table[i] + 1.0);
    return (struct tv_piece){tv_until(end, n, 0.0), false, 0};
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

static struct tv_piece part_piece(const struct tv_curve *c, const struct tv_schedule_part *part,
                                  double n)
{
    struct tv_curve curve = tv_curve_of_part(c->whole, part);
    if (!part->kind || !part->kind->lr)
        return (struct tv_piece){INFINITY, true, 0};
    struct tv_piece piece = tv_piece_of(part->kind->lr, &curve, n);
    piece.peak = fmax(curve.peak, piece.peak);
    return piece;
}

struct tv_piece tv_sequence_piece(const struct tv_curve *c, double n)
{
    const struct tv_schedule_part *part = part_at(c, n);
    struct tv_piece piece = part_piece(c, part, n - part->begin);
    piece.end += part->begin;
    if (turns(part))
        piece.end = tv_until(piece.end, n, part->begin + part->param[TV_P_END]);
    for (int i = 1; i < c->whole->parts; i++)
        piece.end = tv_until(piece.end, n, c->whole->part[i].begin);
    return piece;
}

struct tv_piece tv_dampened_piece(const struct tv_curve *c, double n)
{
    double end = INFINITY;
    for (int i = 0; i < c->whole->parts; i++)
        end = fmin(end, part_piece(c, &c->whole->part[i], n).end);
    return (struct tv_piece){end, false, 0};
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

/* What keeps the variance of Adam's step down: it grows with the length of the average of squares.
 */
double tv_radam_lr(const struct tv_curve *c, double n)
{
    double beta2 = c->param[TV_P_TIMESCALE], t = n + c->param[TV_P_SHIFT], weight = pow(beta2, t);
    double longest = 2.0 / (1.0 - beta2) - 1.0,
           length = longest - 2.0 * t * weight / (1.0 - weight);
    double above = (length - 4.0) * (length - 2.0) * longest;
    return c->peak * sqrt(above / ((longest - 4.0) * (longest - 2.0) * length));
}

struct tv_piece tv_factor_piece(const struct tv_curve *c, double n)
{
    return (struct tv_piece){tv_until(INFINITY, n, c->param[TV_P_TIMESCALE] - 1.0), false, 0};
}

struct tv_piece tv_jagged_piece(const struct tv_curve *c, double n)
{
    double every = c->param[TV_P_PERIOD], from = floor(n / every) * every;
    double end = part_piece(c, &c->whole->part[0], n).end;
    end = tv_until(end, n, from);
    end = tv_until(end, n, from + c->param[TV_P_EXTRA]);
    end = tv_until(end, n, from + every - c->param[TV_P_DECAY]);
    return (struct tv_piece){tv_until(end, n, from + every), false, 0};
}
