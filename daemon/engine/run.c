/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a run, and what is told about it. */
#include "engine/run.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t count_detectors(const struct tv_detector *const *detectors)
{
    size_t n = 0;
    while (detectors[n])
        n++;
    return n;
}

static size_t count_subscriptions(const struct tv_run *run)
{
    size_t n = 0;
    for (size_t i = 0; i < run->detectors_len; i++)
        if (run->is_enabled[i])
            n += (size_t)__builtin_popcountll(run->detectors[i]->roles);
    return n;
}

/* Who gets the points of which role, so that a point costs only those who asked for it. */
static void subscribe(struct tv_run *run)
{
    uint16_t len = 0;
    run->subscribers = tv_arena_alloc(&run->arena, count_subscriptions(run));
    for (int role = 0; role < TV_ROLE_COUNT; role++) {
        run->first_of[role] = len;
        for (size_t i = 0; i < run->detectors_len; i++)
            if (run->is_enabled[i] && run->detectors[i]->roles & TV_ROLE_BIT(role))
                run->subscribers[len++] = (uint8_t)i;
    }
    run->first_of[TV_ROLE_COUNT] = len;
}

struct tv_run *tv_run_new(const struct tv_engine_options *options, const char *name)
{
    struct tv_run *run = tv_xcalloc(1, sizeof *run);
    char safe[512];
    run->options = options;
    run->name =
        tv_arena_text(&run->arena, tv_span_of(tv_escape(tv_span_of(name), safe, sizeof safe)));
    run->calm_step = TV_CALM_NEVER;
    run->first_step = run->last_step = run->resume_step = TV_STEP_UNKNOWN;
    run->last_wall = run->point_wall = run->written = run->now = run->rate_total = run->rate_zero =
        NAN;
    if (options->plot_buckets)
        run->plots = tv_arena_alloc(&run->arena, TV_ROLE_COUNT * sizeof *run->plots);
    for (int role = 0; run->plots && role < TV_ROLE_COUNT; role++)
        run->plots[role].max = options->plot_buckets;
    run->detectors = options->detectors ? options->detectors : tv_detectors;
    run->detectors_len = count_detectors(run->detectors);
    run->seats = tv_arena_alloc(&run->arena, run->detectors_len * sizeof *run->seats);
    run->silences = tv_arena_alloc(&run->arena, run->detectors_len * sizeof(char *));
    run->withdrawn = tv_arena_alloc(&run->arena, run->detectors_len * sizeof(void *));
    run->is_enabled = tv_arena_alloc(&run->arena, run->detectors_len * sizeof(bool));
    for (size_t i = 0; i < run->detectors_len; i++) {
        run->is_enabled[i] = !options->enabled || options->enabled[i];
        const void *own = options->options ? options->options[i] : NULL;
        if (!own) {
            void *defaults = tv_arena_alloc(&run->arena, run->detectors[i]->options_size + 1);
            tv_option_defaults(run->detectors[i]->options, defaults);
            own = defaults;
        }
        run->seats[i].options = own;
        run->seats[i].on_sample = run->detectors[i]->on_sample;
    }
    subscribe(run);
    return run;
}

void tv_run_set_root(struct tv_run *run, const char *root)
{
    char safe[512];
    run->root =
        tv_arena_text(&run->arena, tv_span_of(tv_escape(tv_span_of(root), safe, sizeof safe)));
}

struct tv_source *tv_run_source(struct tv_run *run, const struct tv_source_info *info)
{
    struct tv_source *source = tv_arena_alloc(&run->arena, sizeof *source);
    source->run = run;
    source->prefix = tv_arena_text(&run->arena, tv_span_of(info->prefix ? info->prefix : ""));
    source->rank = info->rank;
    source->last_wall_time = -INFINITY;
    source->flushed_to = INT64_MIN;
    source->reached = INT64_MIN;
    source->next = run->sources;
    run->sources = source;
    run->sources_len++;
    return source;
}

void tv_source_done(struct tv_source *source)
{
    source->done = true;
}

void tv_run_on_problem(struct tv_run *run,
                       void (*say)(void *ctx, const char *path, const struct tv_damage *damage),
                       void *ctx)
{
    run->on_problem = say;
    run->on_problem_ctx = ctx;
}

void tv_run_pump(struct tv_run *run, bool flush)
{
    tv_merge(run, flush);
}

static void free_states(struct tv_run *run)
{
    for (size_t i = 0; i < run->detectors_len; i++)
        tv_block_free(&run->seats[i].state);
    free(run->asleep);
    run->asleep = NULL;
}

/* The observer's clock as the log would tell it: elapsed seconds where it tells those. */
static double in_log_time(const struct tv_run *run, double now)
{
    bool is_elapsed = run->point_wall < TV_ELAPSED_MAX && !isnan(run->written);
    return is_elapsed ? run->point_wall + (now - run->written) : now;
}

double tv_run_tick(struct tv_run *run, double now)
{
    double next = INFINITY;
    run->now = in_log_time(run, now);
    for (size_t i = 0; i < run->detectors_len; i++) {
        const struct tv_detector *detector = run->detectors[i];
        struct tv_view view = {.run = run, .detector = i, .has_now = true};
        if (detector->on_tick && run->is_enabled[i])
            next =
                fmin(next, detector->on_tick(&view, run->seats[i].options, tv_run_state(run, i)));
    }
    return next;
}

static void end_all(struct tv_run *run, double now)
{
    run->now = in_log_time(run, now);
    for (size_t i = 0; i < run->detectors_len; i++) {
        const struct tv_detector *detector = run->detectors[i];
        struct tv_view view = {.run = run, .detector = i, .has_now = true};
        if (detector->on_end && run->is_enabled[i])
            detector->on_end(&view, run->seats[i].options, tv_run_state(run, i));
    }
}

void tv_run_written(struct tv_run *run, double wall_time)
{
    run->written = wall_time;
}

void tv_run_end(struct tv_run *run, double now)
{
    tv_merge(run, true);
    run->knows_stands = false;
    if (run->maybe_anew)
        tv_settle_attempt(run, run->maybe_anew);
    tv_rate_end(run);
    if (tv_run_points(run) || run->resting_facts.len)
        end_all(run, now);
    free_states(run);
    run->ended = true;
}

struct tv_facts *tv_run_facts(struct tv_run *run)
{
    tv_facts_unfold(&run->resting_facts);
    return &run->resting_facts;
}

const struct tv_schedule *tv_run_schedule(struct tv_run *run, enum tv_status *ret_status,
                                          struct tv_error *reterr)
{
    tv_run_resolve_schedule(run);
    if (ret_status)
        *ret_status = run->schedule_status;
    if (reterr)
        *reterr = tv_run_promise(run)->error;
    return &tv_run_promise(run)->schedule;
}

void tv_run_free(struct tv_run *run)
{
    if (!run)
        return;
    for (struct tv_source *source = run->sources; source; source = source->next) {
        free(source->tags.slots);
        free(source->queue);
    }
    for (size_t i = 0; i < run->detectors_len; i++) {
        free(run->silences[i]);
        if (run->withdrawn[i])
            free(run->withdrawn[i]->texts);
    }
    free_states(run);
    tv_block_free(&run->promise);
    tv_block_free(&run->rate);
    tv_evaluations_forget(run);
    for (int role = 0; run->plots && role < TV_ROLE_COUNT; role++)
        tv_buckets_free(&run->plots[role]);
    for (size_t i = 0; i < run->alerts_len; i++)
        free(run->alerts[i]->texts);
    free(run->alerts);
    free(run->alert_list);
    free(run->story_list);
    free(run->series);
    free(run->input_list);
    free(run->report_inputs);
    free(run->report_silences);
    free(run->report_plots);
    free(run->report_points);
    tv_map_free(&run->texts);
    tv_arena_free(&run->texts_arena);
    tv_facts_free(&run->resting_facts);
    tv_arena_free(&run->arena);
    free(run);
}
