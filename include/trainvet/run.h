/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAINVET_RUN_H
#define TRAINVET_RUN_H
/* The read-only view of a run that a detector gets, and the words for what a series means. */
#include "trainvet/sample.h"
#include "trainvet/schedule.h"

/* One series a role and run: when several tags claim a role, the best-ranked one has it
 * (daemon/model/tags.c). */
enum tv_role {
    TV_ROLE_OTHER,
    TV_ROLE_TRAIN_LOSS,
    TV_ROLE_EVAL_LOSS,
    TV_ROLE_LEARNING_RATE,
    TV_ROLE_GRAD_NORM,
    TV_ROLE_EPOCH,
    TV_ROLE_THROUGHPUT,
    TV_ROLE_LOSS_SCALE,
    TV_ROLE_EVAL_METRIC,
    TV_ROLE_REWARD,
    TV_ROLE_COUNT
};
#define TV_ROLE_BIT(role) (1u << (role))

const char *tv_role_name(enum tv_role role); /* "train_loss", ... static */

struct tv_point {
    int64_t step;
    double wall_time; /* unix seconds, NaN when unknown */
    double value;
    enum tv_role role;
};

struct tv_view; /* one detector looking at one run; valid during a callback only */

/* The last point of a role before or at this event, false when there is none. */
bool tv_view_last(const struct tv_view *view, enum tv_role role, struct tv_point *ret);
/* Points of a role delivered so far, over all attempts. */
uint64_t tv_view_count(const struct tv_view *view, enum tv_role role);
/* The tag that holds a role, escaped for output ("train/loss"); NULL when no tag does. */
const char *tv_view_tag(const struct tv_view *view, enum tv_role role);
/* Whether one sequential log holds both: only then does it mean something that one is told and the
 * other is not (yet). */
bool tv_view_is_one_log(const struct tv_view *view, enum tv_role role, enum tv_role other);

/* The index-th learning rate in the log beside the one that has the role: those of other parameter
 * groups. Its last point and its tag; false behind the last. */
bool tv_view_other_rate(const struct tv_view *view, size_t index, struct tv_point *ret,
                        const char **ret_tag);
/* The parameter group, from 0, that the tag with the role names; -1: none. */
int tv_view_rate_group(const struct tv_view *view);

/* Which way the series with role TV_ROLE_EVAL_METRIC is better: 1 up, -1 down, 0 not known. By
 * greater_is_better where metric_for_best_model names it, else by what well-known metrics do. */
int tv_view_metric_direction(const struct tv_view *view);
/* The user chose the best checkpoint by that series (metric_for_best_model). */
bool tv_view_metric_is_chosen(const struct tv_view *view);

/* Several evaluation sets claim the role and nothing says which one counts: none is delivered. */
bool tv_view_is_contested(const struct tv_view *view, enum tv_role role);

/* A setting by its canonical (transformers) name, with the key, file and line that the user knows
 * it by. Texts are valid during the callback. */
struct tv_setting {
    const char *key;    /* as the user's file spells it */
    const char *value;  /* text, escaped for output */
    const char *source; /* "train.yaml:12" */
    double number;      /* NaN when the text is no number */
    bool is_text;       /* the file says that it is text, which a number should not be */
};
bool tv_view_setting(const struct tv_view *view, const char *name, struct tv_setting *ret);
/* The index-th setting whose last name is one of these, which are separated by '|':
 * "scheduler.params.total_num_steps" by "max_steps|total_num_steps", "optimization.lr.0" by "lr".
 * False when there are not so many. */
bool tv_view_setting_named(const struct tv_view *view, const char *names, size_t index,
                           struct tv_setting *ret);
/* As long as it stays the same, so do all settings: asking for one at every point is dear. */
uint32_t tv_view_settings_version(const struct tv_view *view);

/* The promised schedule, NULL when the configuration does not determine one. Valid during the
 * callback. Its identity changes when later facts complete it: compare tv_view_schedule_version().
 */
const struct tv_schedule *tv_view_schedule(const struct tv_view *view);
uint32_t tv_view_schedule_version(const struct tv_view *view);
/* What the configuration would promise if this setting had another value; false when there is no
 * such setting or it would promise nothing. For hypotheses: some microseconds. */
bool tv_view_schedule_if(const struct tv_view *view, const char *key, const char *value,
                         struct tv_schedule *ret);
/* The reason for which the framework itself rejects this configuration; NULL when it does not. */
const char *tv_view_rejection(const struct tv_view *view);

/* Steps that the run was planned to take: configuration or the trainer's own count, else where the
 * schedule ends that the logged learning rate shows; 0 when unknown. */
int64_t tv_view_total_steps(const struct tv_view *view);
/* Warm-up steps: configuration, else from the logged learning rate's rise; -1 when unknown. */
int64_t tv_view_warmup_steps(const struct tv_view *view);
/* Highest learning rate: promised peak, else that of the schedule that the log shows, else the
 * highest logged so far; NaN when unknown. */
double tv_view_peak_lr(const struct tv_view *view);
/* First step of the run's points, TV_STEP_UNKNOWN before the first. */
int64_t tv_view_first_step(const struct tv_view *view);
/* The step of the event being delivered: on_sample the point's, else the highest step of this
 * attempt. */
int64_t tv_view_step(const struct tv_view *view);
/* 0 for the first attempt; +1 each time that the run went back to an earlier step. */
uint32_t tv_view_attempt(const struct tv_view *view);
/* How often a process has begun to write the log of this point's role (event files begun, purge
 * marks); only within on_sample. What lies between two of them is no time of a living job. */
uint32_t tv_view_writer(const struct tv_view *view);
/* The step that this attempt went back to; TV_STEP_UNKNOWN in the first attempt. */
int64_t tv_view_resume_step(const struct tv_view *view);
/* The trainer wrote that it finished, or the planned steps were reached. */
bool tv_view_finished(const struct tv_view *view);
/* The observer's clock, unix seconds: on_tick and on_end only, NaN otherwise or when there is none.
 */
double tv_view_now(const struct tv_view *view);
/* True in a reinforcement-learning run (rewards are logged): losses have no direction there. */
bool tv_view_is_rl(const struct tv_view *view);

#endif
