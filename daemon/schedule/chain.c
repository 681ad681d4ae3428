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
    double value, at;
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

static double restart(struct link *link, double value, double k0, double k1)
{
    const double *row = link->curve.table;
    double start = 0.0;
    for (int i = 0; i + TV_PHASE_ROW < link->curve.table_len && k1 >= row[0];
         i += TV_PHASE_ROW, row += TV_PHASE_ROW)
        start = row[0];
    if (k0 < start)
        return part_at(link, k1);
    double length = row[0] - start;
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
    *chain = (struct chain){.value = c->peak, .at = -1.0};
    for (int i = 0; i < c->whole->parts; i++) {
        if (c->whole->part[i].kind && c->whole->part[i].kind->lr)
            make_link(c, &c->whole->part[i], &chain->link[chain->len++]);
    }
    apply(chain, 0.0);
}

void tv_chain_series(const struct tv_curve *c, double first, double stride, size_t count,
                     double *ret)
{
    struct chain chain;
    begin(&chain, c);
    for (size_t i = 0; i < count; i++) {
        double target = floor((first + (double)i) * stride);
        while (chain.at < target && target <= SERIES_MAX)
            apply(&chain, chain.at + 1.0);
        ret[i] = target <= SERIES_MAX ? chain.value : NAN;
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
