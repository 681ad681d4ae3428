/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the logged learning rate tells where no configuration does. */
#include "engine/identify.h"
#include "engine/run.h"
#include "lib/lr_fit.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

struct tv_rate {
    struct tv_lr_points points;
    struct tv_lr_levels levels;
    struct tv_identity identity;
    uint32_t looked; /* points of the last look */
    char note[400];
};

/* NULL before the first learning rate. */
static struct tv_rate *rate_of(struct tv_run *run)
{
    return run->rate.data ? tv_block_open(&run->rate, sizeof(struct tv_rate)) : NULL;
}

/* Planned, as the configuration or the trainer says; NaN when they do not. */
static double planned(struct tv_run *run)
{
    tv_run_resolve_schedule(run);
    return run->total_steps ? (double)run->total_steps : NAN;
}

static bool is_promised(struct tv_run *run)
{
    tv_run_resolve_schedule(run);
    return run->schedule_status == TV_OK;
}

static void look(struct tv_run *run, struct tv_rate *rate)
{
    if (rate->looked == rate->points.seen)
        return;
    rate->looked = rate->points.seen;
    if (tv_identity_holds(&rate->identity, &rate->points))
        return;
    double total = planned(run);
    struct tv_identity *identity = &rate->identity;
    tv_identify(&rate->points, &rate->levels,
                isnan(total) && run->end_mark ? (double)run->last_step : total, identity);
    bool has_end = identity->schedule.kind && identity->end_known;
    run->rate_total =
        has_end ? round(identity->schedule.total_steps + (double)identity->lag) : (double)NAN;
    run->rate_zero = identity->zero_step;
}

/* Looks whenever the points have doubled, so that it does not matter who asks when. */
void tv_rate_watch(struct tv_run *run, const struct tv_point *point)
{
    if (!isfinite(point->value))
        return;
    struct tv_rate *rate = tv_block_open(&run->rate, sizeof *rate);
    tv_lr_points_add(&rate->points, point->step, point->value);
    tv_lr_levels_add(&rate->levels, point->step, point->value);
    uint32_t seen = rate->points.seen;
    if ((seen & (seen - 1)) == 0 && !is_promised(run))
        look(run, rate);
}

void tv_rate_end(struct tv_run *run)
{
    struct tv_rate *rate = rate_of(run);
    if (rate && !is_promised(run))
        look(run, rate);
}

void tv_rate_forget(struct tv_run *run)
{
    tv_block_free(&run->rate);
    run->rate_total = run->rate_zero = NAN;
}

void tv_rate_fold(struct tv_run *run)
{
    tv_block_fold(&run->rate, sizeof(struct tv_rate));
}

const struct tv_identity *tv_run_identity(struct tv_run *run)
{
    struct tv_rate *rate = rate_of(run);
    return rate && rate->looked && !is_promised(run) ? &rate->identity : NULL;
}

const char *tv_rate_note(struct tv_run *run, int64_t skipped)
{
    struct tv_rate *rate = tv_block_open(&run->rate, sizeof *rate);
    if (is_promised(run)) {
        snprintf(rate->note, sizeof rate->note,
                 "%lld optimizer step%s skipped (fp16 overflow): the schedule lags by as many",
                 (long long)skipped, skipped == 1 ? " was" : "s were");
        return rate->note;
    }
    return tv_identity_text(&rate->identity, planned(run), rate->note, sizeof rate->note);
}

/* A learning rate that goes on behind its end says nothing about the run's. */
double tv_rate_identified_total(struct tv_run *run)
{
    bool usable = !is_promised(run) && (double)run->last_step <= run->rate_zero + 1;
    return usable ? run->rate_total : (double)NAN;
}

int64_t tv_run_skipped(struct tv_run *run)
{
    struct tv_rate *rate = rate_of(run);
    if (!rate || rate->points.seen < TV_LR_SETTLED)
        return -1;
    if (!is_promised(run)) {
        const struct tv_identity *identity = tv_run_identity(run);
        return identity && identity->schedule.kind ? identity->lag : -1;
    }
    const struct tv_schedule *schedule = &tv_run_promise(run)->schedule;
    if (tv_schedule_follows_metric(schedule))
        return -1;
    struct tv_lr_point all[TV_LR_POINTS];
    struct tv_lr_tolerance tolerance = {0};
    size_t len = tv_lr_points_get(&rate->points, all);
    struct tv_lr_fit fit = tv_lr_fit_best(schedule, &tolerance, &rate->points);
    /* A few that are near only may be an epoch's last steps, or a total that was estimated. */
    bool is_told = fit.exact == len || (fit.fails == 0 && (size_t)fit.exact * 10 >= 9 * len);
    return !fit.is_broken && is_told ? fit.lag : -1;
}
