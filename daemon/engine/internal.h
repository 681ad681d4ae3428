/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H
/* What the files of engine/ share. Nothing outside engine/ includes this.
 *   source.c   what parsers emit: tags, queues, facts, damage         -> tv_deliver
 *   merge.c    several sources into one order by step
 *   deliver.c  roles, attempts, steps that go back                    -> detectors
 *   rate.c     what the logged learning rate tells; identify*.c: which schedule it is
 *   evaluations.c  what a schedule that follows a metric goes by
 *   epoch.c    steps per epoch from logged epochs
 *   view.c     what a detector may ask
 *   bus.c      what a detector says: alerts, their identity and state
 *   story.c    which alert is a consequence of which
 *   run.c      life of a run; rest.c how it takes little memory between two looks
 *   report.c   what is told about it */
#include "base/block.h"
#include "base/map.h"
#include "base/memory.h"
#include "engine/engine.h"

#define TV_RUN_TAGS_MAX                                                                            \
    4096                       /* series a run; one user must not fill the node's memory with tags \
                                */
#define TV_TAG_LENGTH_MAX 1024 /* bytes; longer ones are dropped and counted */
#define TV_RUN_ALERTS_MAX 256  /* alerts a run; more are counted only */
#define TV_CALM           2    /* times the mean distance of its comings: then it stays away */

/* Wall times below are seconds since the job began: some trainers log nothing else. */
#define TV_ELAPSED_MAX 1e8

struct tv_series {
    struct tv_tag tag; /* first member: a tag handed to a parser is the series */
    struct tv_source *source;
    struct tv_series_count *count; /* NULL: nobody will ask */
    int rank;
    uint8_t role;   /* enum tv_role */
    bool has_come;  /* a point, of one that gets its role with the second */
    bool tells_end; /* the trainer logs it once, when it has finished */
    char name[];    /* of the tag */
};

/* What is known of the points of a series that has a role, or that is counted for inspect. */
struct tv_series_count {
    const char *shown; /* the tag with the prefix, escaped for detectors; NULL: nobody has asked */
    uint64_t points, non_finite;
    int64_t first_step, last_step;
    double min, max, last;
};

/* Tags of a source, by name: open addressing, each slot an index + 1 into the run's series. */
struct tv_tag_table {
    uint16_t *slots;
    uint32_t len, cap;
};

#define TV_FIRST_RATES 16

/* The first learning rates of a source that has not that role (beside.c). */
struct tv_first_rates {
    int64_t step[TV_FIRST_RATES];
    double rate[TV_FIRST_RATES];
    uint32_t len;
    bool is_known; /* whether it is of the same job as this attempt */
    bool said;
};

struct tv_source {
    struct tv_run *run;
    struct tv_source *next;
    char *prefix;
    int rank;
    bool done;
    struct tv_tag_table tags;
    /* the file being read */
    const struct tv_parser *parser;
    struct tv_input_report *input;
    uint32_t file_index;    /* +1 for each file */
    uint32_t restart_marks; /* +1 for each file begun and each purge mark */
    double last_wall_time;  /* of the previous file, to see two writers */
    bool checked_overlap;
    int64_t flushed_to;           /* highest step delivered before its turn was certain */
    int64_t reached;              /* highest step that the merge has delivered */
    bool is_back;                 /* it has gone back and not come there again */
    struct tv_first_rates *rates; /* NULL: none */
    /* samples that wait for the other sources */
    struct tv_sample *queue;
    size_t head, len, cap;
};

/* The series that has a role, and where it stands. */
struct tv_role_slot {
    struct tv_series *owner;
    struct tv_point last;
    uint64_t count;
    uint32_t seen_marks; /* the owner's source's restart_marks when `last` came */
    bool taken_over;     /* another series had the role before: skip what it already told */
    bool contested;      /* the owner is one of several evaluation sets */
    bool may_go_back;    /* the run was restarted through another role */
    bool has_pending;    /* a point that went back; the next one tells jitter from a restart */
    struct tv_point pending;
};

/* Warm-up as the logged learning rate shows it. */
struct tv_lr_rise {
    double max;
    int64_t max_step, first_step;
    int flat;
    bool over, rose;
    double previous;
};

/* Steps per epoch as the logged epochs show them: between low and high, 0 before the first. */
struct tv_epoch_length {
    double low, high, told;
    double told_width; /* of the estimate when it was told */
    double exact;      /* step / epoch is this whole number at every point; 0: not so */
    int decimals;      /* most that an epoch needed */
    uint32_t points, tellings;
};

/* What the configuration says about the learning rate; all zeros: nothing. */
struct tv_promise {
    struct tv_schedule schedule;
    struct tv_error error;
};

/* Of one role, in the order of steps; more than so many are not kept. */
#define TV_EVALUATIONS_MAX 2048
struct tv_evaluations {
    struct tv_evaluation *at;
    uint32_t len, cap;
    bool is_full;
};

struct tv_alert_box {
    struct tv_alert alert;
    char *texts; /* of summary, causes, advice: replaced as a whole */
    /* A finding that comes and goes: */
    uint32_t times;    /* it came, episodes before this one included */
    int64_t since;     /* step at which it came first */
    int64_t calm_step; /* it is gone, and over when it is not back by then; TV_CALM_NEVER: not so */
    bool is_flapping;
};

#define TV_CALM_NEVER INT64_MAX

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
    uint32_t schedule_version, resolved_facts;
    bool resolved_once;
    int64_t total_steps; /* what the facts and the schedule say, 0: nothing */

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

/* All of the log, those included that nobody asked for. */
uint64_t tv_run_points(const struct tv_run *run);
void tv_deliver(struct tv_run *run, const struct tv_sample *sample);
void tv_epoch_watch(struct tv_run *run,
                    const struct tv_point *point); /* adds log.steps_per_epoch */
void tv_epoch_forget(struct tv_run *run);          /* another job: its epochs have another length */
void tv_rate_watch(struct tv_run *run, const struct tv_point *point);
void tv_evaluations_watch(struct tv_run *run, const struct tv_point *point);
/* Of an attempt behind the first steps the next point has come, at `step`. When the first lies no
 * farther from the start than from this one, it was not resumed: it logs at longer intervals. */
void tv_settle_attempt(struct tv_run *run, int64_t step);
/* beside.c: a learning rate that has no role, one that has, another attempt */
bool tv_beside_is_doubtful(const struct tv_source *source); /* a state that may be another job's */
void tv_beside_add(struct tv_run *run, struct tv_source *source, const struct tv_sample *sample);
void tv_beside_check(struct tv_run *run, const struct tv_source *own, const struct tv_point *point);
/* `is_anew`: from the first steps on, so what lies beside must show that it is of this attempt. */
void tv_beside_forget(struct tv_run *run, bool is_anew);
/* source.c: a sentence for people about the file that it reads */
void tv_source_note(struct tv_source *source, const char *what);
void tv_evaluations_forget(struct tv_run *run);
void tv_batches_watch(struct tv_run *run,
                      const struct tv_point *point); /* adds log.batches_per_epoch */
void tv_rate_end(struct tv_run *run);
void tv_rate_forget(struct tv_run *run); /* the run began anew */
void tv_rate_fold(struct tv_run *run);
/* The identity, or what was skipped of a promised schedule, in a sentence; valid until the next
 * call. */
const char *tv_rate_note(struct tv_run *run, int64_t skipped);
/* Steps as the logged learning rate shows them; NaN. */
double tv_rate_identified_total(struct tv_run *run);
void tv_merge(struct tv_run *run, bool flush);
void tv_bus_resolve_all(struct tv_run *run, size_t detector, int64_t step);
/* The run has come to run->calm_step. */
void tv_bus_calm(struct tv_run *run, int64_t step);
void tv_story_tell(struct tv_run *run); /* sets every alert's leader */
void tv_run_resolve_again(struct tv_run *run);
struct tv_promise *tv_run_promise(struct tv_run *run); /* as resolved last */
void *tv_run_open_state(struct tv_run *run, size_t detector);
void tv_run_wake(struct tv_run *run); /* no detector's state is away then */

/* Brings the schedule up to date with the facts; asked at every point, and nearly always it is. */
static inline void tv_run_resolve_schedule(struct tv_run *run)
{
    if (!run->resolved_once || run->resolved_facts != run->resting_facts.version)
        tv_run_resolve_again(run);
}

/* Zeroed at first use. */
static inline void *tv_run_state(struct tv_run *run, size_t detector)
{
    struct tv_block *block = &run->seats[detector].state;
    return block->is_open ? block->data : tv_run_open_state(run, detector);
}

#endif
