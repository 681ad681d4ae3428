/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told about a run when it is reported, and its series for inspect. */
#include "engine/identify.h"
#include "engine/run.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void report_inputs(struct tv_run *run, struct tv_run_report *ret)
{
    run->report_inputs =
        tv_xrealloc(run->report_inputs, run->inputs_len, sizeof *run->report_inputs);
    for (size_t i = 0; i < run->inputs_len; i++)
        run->report_inputs[i] = *run->input_list[i];
    ret->inputs = run->report_inputs;
    ret->inputs_len = run->inputs_len;
}

/* A detector whose finding is over has not been silent. */
static bool has_told(const struct tv_run *run, size_t detector)
{
    for (size_t i = 0; i < run->alerts_len; i++)
        if (strcmp(run->alerts[i]->alert.detector, run->detectors[detector]->name) == 0)
            return true;
    return false;
}

static void report_silences(struct tv_run *run, struct tv_run_report *ret)
{
    run->report_silences =
        tv_xrealloc(run->report_silences, run->detectors_len, sizeof *run->report_silences);
    for (size_t i = 0; i < run->detectors_len; i++)
        if (run->silences[i] && !has_told(run, i))
            run->report_silences[ret->silences_len++] =
                (struct tv_silence){run->detectors[i]->name, run->silences[i]};
    ret->silences = run->report_silences;
}

static struct tv_plot_point plot_point(const struct tv_bucket *bucket,
                                       const struct tv_schedule *promised)
{
    bool finite = bucket->points > bucket->non_finite;
    return (struct tv_plot_point){
        .first_step = finite ? bucket->first_step : bucket->non_finite_step,
        .last_step = finite ? bucket->last_step : bucket->non_finite_step,
        .first = bucket->first,
        .last = bucket->last,
        .min = bucket->min,
        .max = bucket->max,
        .non_finite = bucket->non_finite > 0,
        .expected = promised && finite ? tv_schedule_lr(promised, (double)bucket->last_step -
                                                                      (double)promised->log_offset)
                                       : (double)NAN,
    };
}

/* The buckets of each role that hold something, one role behind the other in report_points. */
static void report_plots(struct tv_run *run, const struct tv_schedule *promised,
                         struct tv_run_report *ret)
{
    size_t all = 0, used = 0;
    for (int role = 0; role < TV_ROLE_COUNT; role++)
        all += tv_buckets_len(&run->plots[role]);
    run->report_plots = tv_xrealloc(run->report_plots, TV_ROLE_COUNT, sizeof *run->report_plots);
    run->report_points = tv_xrealloc(run->report_points, all, sizeof *run->report_points);
    for (int role = TV_ROLE_OTHER + 1; role < TV_ROLE_COUNT; role++) {
        const struct tv_buckets *buckets = &run->plots[role];
        struct tv_plot *plot = &run->report_plots[ret->plots_len];
        *plot = (struct tv_plot){.role = role,
                                 .tag = tv_view_tag(&(struct tv_view){.run = run}, role),
                                 .points = run->report_points + used};
        for (size_t i = 0; i < tv_buckets_len(buckets); i++)
            if (tv_buckets_at(buckets, i)->points)
                run->report_points[used + plot->len++] = plot_point(
                    tv_buckets_at(buckets, i), role == TV_ROLE_LEARNING_RATE ? promised : NULL);
        used += plot->len;
        ret->plots_len += plot->len > 0;
    }
    ret->plots = run->report_plots;
}

uint64_t tv_run_points(const struct tv_run *run)
{
    uint64_t points = run->points;
    for (size_t i = 0; i < run->series_len; i++)
        points += run->series[i]->tag.passed;
    return points;
}

static const char *status_of(const struct tv_run *run, const struct tv_view *view)
{
    if (tv_run_points(run) == 0)
        return "no_data";
    if (run->alerts_len)
        return "findings";
    /* the last logging interval is often shorter than the others and logs nothing */
    double planned = 0.97 * (double)tv_view_total_steps(view) - 1;
    bool more_is_planned = !tv_view_finished(view) && (double)run->last_step < planned;
    return more_is_planned || !run->ended ? "running" : "ok";
}

static void report_schedule(struct tv_run *run, const struct tv_schedule *promised,
                            struct tv_run_report *ret)
{
    const struct tv_identity *identity = tv_run_identity(run);
    if (promised) {
        ret->scheduler = tv_schedule_name(promised);
        ret->scheduler_source = "configuration";
    } else if (identity) {
        if (identity->schedule.kind) {
            ret->scheduler = tv_schedule_name(&identity->schedule);
            ret->scheduler_source = "log";
        }
    }
    ret->skipped_steps = tv_run_skipped(run);
    if (promised ? ret->skipped_steps > 0 : identity != NULL)
        ret->schedule_note = tv_rate_note(run, ret->skipped_steps);
}

const struct tv_buckets *tv_run_plot(const struct tv_run *run, enum tv_role role)
{
    return run->plots && tv_buckets_len(&run->plots[role]) ? &run->plots[role] : NULL;
}

static const char *framework_of(const struct tv_view *view, const struct tv_schedule *schedule)
{
    struct tv_setting framework;
    if (tv_view_setting(view, "framework", &framework))
        return framework.value;
    return schedule ? schedule->framework : NULL;
}

void tv_run_report(struct tv_run *run, struct tv_run_report *ret)
{
    struct tv_view view = {.run = run};
    const struct tv_schedule *schedule = tv_view_schedule(&view);
    int64_t total = tv_view_total_steps(&view);
    *ret = (struct tv_run_report){
        .run = run->name,
        .root = run->root,
        .status = status_of(run, &view),
        .first_step = run->first_step == TV_STEP_UNKNOWN ? -1 : run->first_step,
        .steps = run->last_step == TV_STEP_UNKNOWN ? -1 : run->last_step,
        .total_steps = total ? total : -1,
        .warmup_steps = tv_view_warmup_steps(&view),
        .points = tv_run_points(run),
        .final_loss = run->roles[TV_ROLE_TRAIN_LOSS].count
                          ? run->roles[TV_ROLE_TRAIN_LOSS].last.value
                          : (double)NAN,
        .final_eval_loss = run->roles[TV_ROLE_EVAL_LOSS].count
                               ? run->roles[TV_ROLE_EVAL_LOSS].last.value
                               : (double)NAN,
        .attempts = run->attempt + 1,
        .alerts = run->alerts_len,
    };
    for (size_t i = 0; i < run->alerts_len; i++)
        if (run->alerts[i]->alert.severity > ret->worst)
            ret->worst = run->alerts[i]->alert.severity;
    ret->framework = framework_of(&view, schedule);
    report_schedule(run, schedule, ret);
    report_inputs(run, ret);
    if (run->plots)
        report_plots(run, schedule, ret);
    if (run->options->keep_silences)
        report_silences(run, ret);
}

void tv_run_each_series(const struct tv_run *run,
                        void (*visit)(void *ctx, const struct tv_series_info *info), void *ctx)
{
    for (size_t i = 0; i < run->series_len; i++) {
        const struct tv_series *series = run->series[i];
        const struct tv_series_count *count = series->count;
        if (!count || !count->points)
            continue;
        char full[TV_TAG_LENGTH_MAX + 64], safe[TV_TAG_LENGTH_MAX + 64];
        struct tv_text text = tv_text_in(full, sizeof full);
        tv_text_add(&text, "%s", series->source->prefix);
        tv_text_add_span(&text, (struct tv_span){series->tag.name, series->tag.len});
        struct tv_series_info info = {
            .tag = tv_escape((struct tv_span){full, text.len}, safe, sizeof safe),
            .role = series->role,
            .points = count->points,
            .non_finite = count->non_finite,
            .first_step = count->first_step,
            .last_step = count->last_step,
            .min = count->min,
            .max = count->max,
            .last = count->last,
        };
        visit(ctx, &info);
    }
}

static double last_value(const struct tv_run *run, enum tv_role role)
{
    return run->roles[role].count ? run->roles[role].last.value : (double)NAN;
}

static void look_at(struct tv_run *run, struct tv_run_now *ret)
{
    struct tv_view view = {.run = run};
    const struct tv_role_slot *rate = &run->roles[TV_ROLE_LEARNING_RATE];
    const struct tv_schedule *schedule = tv_view_schedule(&view);
    const struct tv_identity *identity = schedule ? NULL : tv_run_identity(run);
    const char *framework = framework_of(&view, schedule);
    snprintf(run->framework, sizeof run->framework, "%s", framework ? framework : "");
    int64_t total = tv_view_total_steps(&view);
    *ret = (struct tv_run_now){
        .run = run->name,
        .root = run->root,
        .framework = framework ? run->framework : NULL,
        .step = run->last_step,
        .total_steps = total ? total : -1,
        .last_time = run->last_wall > TV_ELAPSED_MAX ? run->last_wall : (double)NAN,
        .loss = last_value(run, TV_ROLE_TRAIN_LOSS),
        .eval_loss = last_value(run, TV_ROLE_EVAL_LOSS),
        .grad_norm = last_value(run, TV_ROLE_GRAD_NORM),
        .learning_rate = last_value(run, TV_ROLE_LEARNING_RATE),
        .expected_learning_rate = NAN,
    };
    if (schedule)
        ret->scheduler = tv_schedule_name(schedule);
    else if (identity && identity->schedule.kind)
        ret->scheduler = tv_schedule_name(&identity->schedule);
    if (schedule && rate->count)
        ret->expected_learning_rate =
            tv_schedule_lr(schedule, (double)rate->last.step - (double)schedule->log_offset);
}

const struct tv_run_now *tv_run_now(struct tv_run *run)
{
    if (!run->knows_stands)
        look_at(run, &run->stands);
    run->knows_stands = true;
    return &run->stands;
}
