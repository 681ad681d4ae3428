/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H
/* A run from the inside: what the files of engine/ share. Nothing outside engine/ includes this.
 *   run.c     its life; rest.c: how it takes little memory between two looks
 *   view.c    what a detector may ask
 *   report.c  what is told about it */
#include "base/block.h"
#include "base/map.h"
#include "base/memory.h"
#include "engine/alerts.h"
#include "engine/measured.h"
#include "engine/sources.h"

/* Wall times below are seconds since the job began: some trainers log nothing else. */
#define TV_ELAPSED_MAX 1e8

/* What the configuration says about the learning rate; all zeros: nothing. */
struct tv_promise {
    struct tv_schedule schedule;
    struct tv_error error;
};

/* All that a call of a detector needs, side by side: there are dozens at each step. */
struct tv_seat {
    struct tv_block state;
    const void *options;
    void (*on_sample)(struct tv_view *view, const void *options, void *state,
                      const struct tv_point *point);
};

struct tv_run {
    const struct tv_engine_options *options;
    struct tv_arena arena;
    char *name;
    const char *root; /* NULL: no part of the identity */
    struct tv_source *sources;
    size_t sources_len;
    struct tv_series **series;
    size_t series_len, series_cap;
    bool said_tags_full;
    struct tv_facts resting_facts; /* tv_run_facts() unfolds them */
    struct tv_map texts;           /* escaped settings handed to detectors, each once */
    struct tv_arena texts_arena;   /* until the run rests */
    struct tv_input_report **input_list;
    size_t inputs_len, inputs_cap;
    void (*on_problem)(void *ctx, const char *path, const struct tv_damage *damage);
    void *on_problem_ctx;

    struct tv_role_slot roles[TV_ROLE_COUNT];
    struct tv_buckets *plots; /* by role, for tv_run_plot(); NULL: not wanted */
    enum tv_role driver;      /* the role whose steps decide about attempts */
    uint32_t attempt;
    int64_t resume_step, first_step, last_step, end_step; /* end_step: of the END mark */
    double last_wall;
    double point_wall; /* of the last point that had one; less than last_wall after a restart */
    double written;    /* when the log grew last by the observer's clock, NaN: not live */
    bool end_mark, is_rl, ended, disordered;
    double now;
    struct tv_lr_rise rise;
    struct tv_block rate; /* struct tv_rate, NULL before the first learning rate */
    double rate_total;    /* optimizer steps that the identified schedule takes, NaN: unknown */
    double rate_zero;     /* with which step it reaches its lowest value, NaN: unknown */
    struct tv_evaluations evaluations[2]; /* losses, metrics: of a schedule that follows them */
    struct tv_epoch_length epoch;
    int64_t maybe_anew;        /* first step of an attempt whose second point will tell; 0: none */
    struct tv_point held_rate; /* the learning rate at that step, which waits for it */
    const struct tv_source *foreign;  /* of another job than this attempt, NULL: none known */
    const struct tv_source *end_told; /* who set end_mark */
    double end_epoch;                 /* of an END mark that knows no step, 0: none */
    double first_rate; /* the learning rate that was logged at step 0 or else 1, 0: none */
    int64_t first_rate_step;
    uint64_t points, late_points; /* points: that were handed over */

    struct tv_block promise; /* struct tv_promise */
    enum tv_status schedule_status;
    uint32_t schedule_version;
    uint32_t resolved_facts; /* what the schedule rests on: 1 + their version, 0: not looked at */
    int64_t total_steps;     /* what the facts and the schedule say, 0: nothing */

    const struct tv_detector *const *detectors;
    struct tv_seat *seats; /* by detector */
    void *asleep;          /* those that are away, deflated; NULL: none (rest.c) */
    size_t asleep_len;
    char **silences; /* by detector, malloc'd, NULL: nothing to say */
    bool *is_enabled;
    size_t detectors_len;
    /* Enabled detectors that asked for a role: subscribers[first_of[role]] up to first_of[role + 1]
     */
    uint8_t *subscribers;
    uint16_t first_of[TV_ROLE_COUNT + 1];

    struct tv_run_now stands; /* as tv_run_now() told it last */
    bool knows_stands;        /* and nothing has happened since */
    char framework[32];       /* stands.framework: other texts go while the run rests */

    struct tv_alert_box **alerts;
    struct tv_alert_box **withdrawn; /* by detector: the last one, NULL: none */
    const struct tv_alert **alert_list, **story_list;
    size_t alerts_len, alerts_cap, alerts_dropped;
    int64_t calm_step; /* the first of the alerts' */
    struct tv_input_report *report_inputs;
    struct tv_silence *report_silences;
    struct tv_plot *report_plots;
    struct tv_plot_point *report_points;
};

struct tv_view {
    struct tv_run *run;
    size_t detector;              /* index into run->detectors */
    const struct tv_point *point; /* NULL outside on_sample */
    bool has_now;
};

void tv_run_resolve_again(struct tv_run *run);
struct tv_promise *tv_run_promise(struct tv_run *run); /* as resolved last */
void *tv_run_open_state(struct tv_run *run, size_t detector);
void tv_run_wake(struct tv_run *run); /* no detector's state is away then */

/* Brings the schedule up to date with the facts; asked at every point, and nearly always it is. */
static inline void tv_run_resolve_schedule(struct tv_run *run)
{
    if (run->resolved_facts != run->resting_facts.version + 1)
        tv_run_resolve_again(run);
}

/* Zeroed at first use. */
static inline void *tv_run_state(struct tv_run *run, size_t detector)
{
    struct tv_block *block = &run->seats[detector].state;
    return block->is_open ? block->data : tv_run_open_state(run, detector);
}

#endif
