/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several schedulers at work on one learning rate, each changing what the others left: torch's
 * ChainedScheduler, mmengine's param_scheduler. Their chainable forms are recursions; where one
 * scheduler, or factors alone, are at work, many steps are taken at once. Source:
 * torch/optim/lr_scheduler.py 1.13.0, mmengine/optim/scheduler/param_scheduler.py 25434293. */
#include "schedule/formulas.h"
#include "schedule/kinds.h"
#include <string.h>

#define STEPS_MAX  4000 /* where schedulers that do not commute work side by side */
#define SERIES_MAX 1e6  /* steps that a series goes through */

enum effect {
    FACTOR,   /* multiplies by a ratio of its own curve */
    AFFINE,   /* draws the value to a floor */
    ABSOLUTE, /* sets the value */
    RESTART   /* sets the value where a period begins, then draws it to a floor */
};

struct link {
    struct tv_curve curve; /* absolute: its own; else with peak 1 and floor 0 */
    double param[TV_SCHEDULE_PARAMS];
    enum effect effect;
    double (*lr)(const struct tv_curve *curve, double n);
    double epoch; /* steps that one of its counts takes */
    double begin, stop;
    double base, floor;
    double at, value; /* its curve where it was last asked for it */
};

struct chain {
    struct link link[TV_SCHEDULE_PARTS];
    int len;
    double value, at, scale;
};

static enum effect effect_of(const struct tv_schedule_part *part)
{
    if (part->kind->lr == tv_decay_lr)
        return AFFINE;
    if (part->kind->lr == tv_phases_lr && !strcmp(part->kind->name, "CosineRestartLR"))
        return RESTART;
    bool factor = part->kind->lr == tv_stairs_lr ||
                  (part->kind->lr == tv_phases_lr && strcmp(part->kind->name, "OneCycleLR") != 0);
    return factor ? FACTOR : ABSOLUTE;
}

/* The last of its own steps that changes anything. */
static double last_change(const struct link *link)
{
    const double *table = link->curve.table;
    int len = link->curve.table_len;
    if (link->effect == RESTART)
        return table[len - TV_PHASE_ROW] - 1.0;
    if (link->effect == AFFINE)
        return link->curve.param[TV_P_PERIODIC] != 0.0 ? INFINITY : link->curve.param[TV_P_END];
    if (link->effect == ABSOLUTE)
        return INFINITY;
    if (link->lr == tv_phases_lr)
        return fmax(0.0, table[len - TV_PHASE_ROW]);
    if (link->curve.param[TV_P_MODE] != 2.0)
        return INFINITY;
    double last = 0.0;
    for (int i = 0; i < len; i++)
        last = fmax(last, table[i]);
    return last;
}

static void make_link(const struct tv_curve *c, const struct tv_schedule_part *part,
                      struct link *link)
{
    *link = (struct link){.curve = tv_curve_of_part(c->whole, part),
                          .effect = effect_of(part),
                          .lr = part->kind->lr,
                          .epoch = fmax(1.0, part->param[TV_P_EXTRA2]),
                          .begin = part->begin,
                          .base = part->base};
    memcpy(link->param, part->param, sizeof link->param);
    link->curve.param = link->param;
    link->curve.peak = part->base;
    link->floor =
        link->effect == RESTART ? link->curve.table[2] * part->base : tv_curve_floor(&link->curve);
    if (link->effect == AFFINE) {
        link->param[TV_P_FLOOR] = 0.0;
        link->curve.peak = 1.0;
    } else if (link->effect == FACTOR) {
        link->curve.peak = 1.0;
    } else if (link->effect == ABSOLUTE) {
        link->curve.peak = part->peak;
    }
    link->stop = fmin(part->end, part->begin + last_change(link) + 1.0);
    link->at = NAN;
}

static double part_at(struct link *link, double k)
{
    if (k != link->at) {
        link->at = k;
        link->value = link->lr(&link->curve, k);
    }
    return link->value;
}

static double draw(const struct link *link, double value, double from, double to)
{
    return from == 0.0 ? value : link->floor + (value - link->floor) * (to / from);
}

static double draw_to(struct link *link, double value, double k0, double k1)
{
    double from = part_at(link, k0);
    return draw(link, value, from, part_at(link, k1));
}

/* A cosine that has come down goes up again as from its own peak. */
static double turn(struct link *link, double value, double k0, double k1)
{
    double half = link->param[TV_P_END], height = link->base - link->floor;
    double turns0 = floor((k0 + half - 1.0) / (2.0 * half)),
           turns1 = floor((k1 + half - 1.0) / (2.0 * half));
    if (link->param[TV_P_PERIODIC] == 0.0 || turns0 == turns1)
        return draw_to(link, value, k0, k1);
    return k1 == k0 + 1.0 ? value + height * part_at(link, k1)
                          : link->floor + height * part_at(link, k1);
}

/* Where k's period begins, and its length. */
static double period_of(const struct link *link, double k, double *length)
{
    const double *row = link->curve.table;
    double start = 0.0;
    for (int i = 0; i + TV_PHASE_ROW < link->curve.table_len && k >= row[0];
         i += TV_PHASE_ROW, row += TV_PHASE_ROW)
        start = row[0];
    *length = row[0] - start;
    return start;
}

static double restart(struct link *link, double value, double k0, double k1)
{
    double length, start = period_of(link, k1, &length);
    if (k0 < start)
        return part_at(link, k1);
    return draw(link, value, tv_half_cosine((k0 - start) / length),
                tv_half_cosine((k1 - start) / length));
}

/* What the scheduler makes of the value between two of its own steps. */
static double change(struct link *link, double value, double k0, double k1)
{
    switch (link->effect) {
    case FACTOR: {
        double before = part_at(link, k0);
        return before == 0.0 ? value : value * (part_at(link, k1) / before);
    }
    case AFFINE:
        return turn(link, value, k0, k1);
    case RESTART:
        return restart(link, value, k0, k1);
    default:
        return part_at(link, k1);
    }
}

/* Its step 0. */
static double join(struct link *link, double value)
{
    if (link->effect == AFFINE)
        return value;
    if (link->lr == tv_triangle_lr) /* knows its own levels from step 1 on only */
        return link->base;
    return link->effect == FACTOR ? value * part_at(link, 0.0) : part_at(link, 0.0);
}

static double own_step(const struct link *link, double n)
{
    return (link->epoch == 1.0 ? n : floor(n / link->epoch)) - link->begin;
}

static double last_step(const struct link *link)
{
    return (link->stop - 1.0) * link->epoch;
}

/* The links, those that count epochs last, as they come at the end of an epoch. */
static void apply(struct chain *chain, double next)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < chain->len; i++) {
            struct link *link = &chain->link[i];
            double k0 = own_step(link, chain->at), k1 = own_step(link, next);
            k1 = fmin(k1, link->stop - link->begin - 1.0);
            if ((link->epoch > 1.0) != pass || k1 < 0.0 || k1 <= k0)
                continue;
            if (k0 < 0.0)
                chain->value = join(link, chain->value);
            if (k1 > 0.0)
                chain->value = change(link, chain->value, fmax(0.0, k0), k1);
        }
    }
    chain->at = next;
}

/* The step at which a link at work changes the value again. */
static double next_change(const struct link *link, double at)
{
    const struct tv_curve *c = &link->curve;
    double k = own_step(link, at), next = k + 1.0;
    if (link->lr == tv_stairs_lr && c->param[TV_P_MODE] == 0.0) {
        next = (floor(k / c->param[TV_P_PERIOD]) + 1.0) * c->param[TV_P_PERIOD];
    } else if (link->lr == tv_stairs_lr && c->param[TV_P_MODE] == 2.0) {
        next = INFINITY;
        for (int i = 0; i < c->table_len; i++)
            next = c->table[i] > k ? fmin(next, c->table[i]) : next;
    }
    return (link->begin + ceil(next)) * link->epoch;
}

struct stretch {
    double end;
    bool at_once; /* factors alone are at work, or one link at most */
};

/* How far the links go on like this. */
static struct stretch stretch_from(const struct chain *chain, double target)
{
    int working = 0, factors = 0, soon = 0;
    double end = target, later = INFINITY, next_step = chain->at + 1.0;
    for (int i = 0; i < chain->len; i++) {
        const struct link *link = &chain->link[i];
        double first = link->begin * link->epoch, last = last_step(link);
        if (first > chain->at && last >= first)
            end = fmin(end, fmax(next_step, first - 1.0));
        if (first > chain->at || last <= chain->at)
            continue;
        double next = next_change(link, chain->at);
        end = fmin(end, last);
        working++;
        factors += link->effect == FACTOR;
        soon += next <= next_step;
        if (next > next_step)
            later = fmin(later, next - 1.0);
    }
    if (working <= 1 || factors == working)
        return (struct stretch){end, true};
    return (struct stretch){fmin(end, later), soon <= 1};
}

static void begin(struct chain *chain, const struct tv_curve *c)
{
    *chain = (struct chain){.value = c->peak, .at = -1.0, .scale = c->peak};
    for (int i = 0; i < c->whole->parts; i++) {
        if (c->whole->part[i].kind && c->whole->part[i].kind->lr)
            make_link(c, &c->whole->part[i], &chain->link[chain->len++]);
        chain->scale = fmax(chain->scale, fmax(c->whole->part[i].peak, c->whole->part[i].base));
    }
    apply(chain, 0.0);
}

/* The value at n, as far as the links go on like this. */
static double value_at(void *ctx, double n)
{
    struct chain *chain = ctx;
    double value = chain->value, at = chain->at;
    apply(chain, n);
    double ret = chain->value;
    chain->value = value;
    chain->at = at;
    return ret;
}

/* How far that is smooth. */
static struct tv_piece chain_piece(const struct chain *chain, double n)
{
    double end = INFINITY;
    bool is_flat = true;
    for (int i = 0; i < chain->len; i++) {
        const struct link *link = &chain->link[i];
        double k = own_step(link, n), first = link->begin * link->epoch;
        if (first > n || last_step(link) <= chain->at)
            continue;
        if (link->epoch > 1.0) {
            end = tv_until(end, n, (floor(n / link->epoch) + 1.0) * link->epoch);
            continue;
        }
        struct tv_piece piece = tv_piece_of(link->lr, &link->curve, k);
        is_flat = is_flat && piece.is_flat;
        end = tv_until(fmin(end, piece.end + link->begin), n, first + 1.0);
        if (link->effect == AFFINE && link->param[TV_P_PERIODIC] != 0.0) {
            double half = link->param[TV_P_END];
            double turns = floor((k + half - 1.0) / (2.0 * half));
            end = tv_until(end, n, first + (2.0 * turns + 1.0) * half + 1.0);
        }
    }
    return (struct tv_piece){end, is_flat, 0};
}

/* Steps behind chain->at, none of which depends on the one before. */
static void run_at_once(struct chain *chain, size_t count, double *ret)
{
    struct tv_smooth smooth = {value_at, chain, chain->scale};
    for (size_t i = 0; i < count;) {
        double n = chain->at + 1.0 + (double)i;
        struct tv_piece piece = chain_piece(chain, n);
        size_t run = tv_piece_steps(piece, n, 1.0, count - i);
        if (piece.is_flat) {
            double value = value_at(chain, n);
            for (size_t end = i + run; i < end; i++)
                ret[i] = value;
        } else {
            tv_smooth_series(&smooth, n, 1.0, run, ret + i);
            i += run;
        }
    }
}

enum { BLOCK = 1024 };

/* Whether the link does anything in the steps behind chain->at. */
static bool is_at_work(const struct link *link, double at, double behind)
{
    return own_step(link, at) >= 0.0 && last_step(link) > at && next_change(link, at) <= behind;
}

/* Whether each step of the link makes a * value + b of the value. */
static bool is_linear(const struct link *link, double k, size_t count)
{
    double half = link->param[TV_P_END], behind = k + (double)count, length;
    if (link->epoch != 1.0)
        return false;
    if (link->effect == RESTART)
        return k >= period_of(link, behind, &length);
    return link->effect != AFFINE || link->param[TV_P_PERIODIC] == 0.0 ||
           floor((k + half - 1.0) / (2.0 * half)) == floor((behind + half - 1.0) / (2.0 * half));
}

/* Steps behind chain->at, each of which depends on the one before. False (nothing done) where a
 * link is not linear. */
static bool run_in_turn(struct chain *chain, size_t count, double *ret)
{
    double a[BLOCK], b[BLOCK], part[BLOCK + 1], behind = chain->at + (double)count;
    for (int i = 0; i < chain->len; i++) {
        const struct link *link = &chain->link[i];
        if (is_at_work(link, chain->at, behind) &&
            !is_linear(link, own_step(link, chain->at), count))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        a[i] = 1.0;
        b[i] = 0.0;
    }
    for (struct link *link = chain->link; link < chain->link + chain->len; link++) {
        double k = own_step(link, chain->at);
        double bottom = link->effect == AFFINE || link->effect == RESTART ? link->floor : 0.0;
        double zero = link->effect == RESTART ? link->floor : 0.0;
        if (!is_at_work(link, chain->at, behind))
            continue;
        tv_curve_series(link->lr, &link->curve, k, 1.0, count + 1, part);
        part[0] = part_at(link, k); /* the same as the last of the block before */
        for (size_t i = 0; i < count && link->effect == ABSOLUTE; i++) {
            a[i] = 0.0;
            b[i] = part[i + 1];
        }
        for (size_t i = 0; i < count && link->effect != ABSOLUTE; i++) {
            double from = part[i] - zero, ratio = from == 0.0 ? 1.0 : (part[i + 1] - zero) / from;
            a[i] *= ratio;
            b[i] = bottom + (b[i] - bottom) * ratio;
        }
        link->at = k + (double)count;
        link->value = part[count];
    }
    double value = chain->value;
    for (size_t i = 0; i < count; i++)
        ret[i] = value = a[i] * value + b[i];
    chain->value = value;
    chain->at = behind;
    return true;
}

/* One or more steps on, to `target` at most; their values into ret unless it is NULL. */
static size_t advance(struct chain *chain, double target, double *ret)
{
    double unwanted[BLOCK];
    struct stretch stretch = stretch_from(chain, target);
    size_t steps = (size_t)fmax(1.0, floor(stretch.end - chain->at));
    if (stretch.at_once) {
        if (ret)
            run_at_once(chain, steps, ret);
        apply(chain, chain->at + (double)steps);
        return steps;
    }
    steps = steps < BLOCK ? steps : BLOCK;
    ret = ret ? ret : unwanted;
    if (run_in_turn(chain, steps, ret))
        return steps;
    apply(chain, chain->at + 1.0);
    ret[0] = chain->value;
    return 1;
}

void tv_chain_series(const struct tv_curve *c, double first, double stride, size_t count,
                     double *ret)
{
    struct chain chain;
    double last = fmin(SERIES_MAX, first + (double)count - 1.0);
    bool in_a_row = stride == 1.0 && first == floor(first);
    begin(&chain, c);
    for (size_t i = 0; i < count;) {
        double target = floor((first + (double)i) * stride);
        while (target <= SERIES_MAX && chain.at < target - 1.0)
            advance(&chain, target - 1.0, NULL);
        if (in_a_row && target <= last && chain.at < target) {
            i += advance(&chain, last, ret + i);
            continue;
        }
        if (target <= SERIES_MAX && chain.at < target)
            apply(&chain, target);
        ret[i++] = target <= SERIES_MAX ? chain.value : NAN;
    }
}

double tv_chain_lr(const struct tv_curve *c, double n)
{
    struct chain chain;
    double target = floor(n);
    begin(&chain, c);
    for (int steps = 0; chain.at < target; steps++) {
        struct stretch stretch = stretch_from(&chain, target);
        if (stretch.at_once)
            apply(&chain, stretch.end);
        for (; chain.at < stretch.end && steps < STEPS_MAX; steps++)
            apply(&chain, chain.at + 1.0);
        if (steps >= STEPS_MAX)
            return NAN;
    }
    return chain.value;
}
