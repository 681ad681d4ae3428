/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The run ended while its loss was still falling at a useful learning rate. */
#include "lib/note.h"
#include "lib/plan.h"
#include "lib/robust.h"
#include "lib/silence.h"
#include "lib/thin.h"
#include <math.h>

struct options {
    double gain, eval_gain, log_gain, final_lr, sigmas, silence;
    int64_t points;
};

struct state {
    struct tv_thin loss, eval;
    double start[5];
    uint32_t start_len;
    uint64_t points;
    int64_t first_step, last_step;
    double last_time;
    bool positive;
};

static void on_sample(struct tv_view *view, const void *options, void *state_,
                      const struct tv_point *point)
{
    struct state *state = state_;
    (void)options;
    if (tv_view_is_rl(view) || !isfinite(point->value))
        return;
    if (point->role == TV_ROLE_EVAL_LOSS) {
        tv_thin_add(&state->eval, point->step, point->value);
        return;
    }
    if (state->points && point->step <= state->last_step)
        return;
    if (state->points == 0) {
        state->first_step = point->step;
        state->positive = true;
    }
    state->positive = state->positive && point->value > 0;
    if (state->start_len < 5)
        state->start[state->start_len++] = point->value;
    state->points++;
    state->last_step = point->step;
    state->last_time = point->wall_time;
    tv_thin_add(&state->loss, point->step, point->value);
}

struct gain {
    double share;     /* fall over the last 15 % of the run, as a part of the whole fall */
    double log_share; /* the same of the logarithms, 0 when there are none */
    double sigmas;    /* the fall in standard errors */
    double before, after;
};

/* Means of the blocks in a part of the run, with their squared standard error. */
static double mean_of(const struct tv_thin *thin, double from, double to, double *retsquare)
{
    double sum = 0, bends = 0, last = NAN;
    size_t n = 0;
    for (uint32_t i = 0; i < thin->len; i++) {
        if ((double)thin->step[i] <= from || (double)thin->step[i] > to)
            continue;
        if (n)
            bends += (thin->value[i] - last) * (thin->value[i] - last) / 2;
        last = thin->value[i];
        sum += last;
        n++;
    }
    *retsquare = n > 1 ? bends / (double)(n - 1) / (double)n : INFINITY;
    return n ? sum / (double)n : NAN;
}

static struct gain gain_of(const struct tv_thin *thin, double first, double start, bool positive)
{
    struct gain gain = {0, 0, 0, NAN, NAN};
    if (thin->len < 4)
        return gain;
    double last = (double)thin->step[thin->len - 1], span = last - first;
    double before2, after2;
    gain.before = mean_of(thin, first + 0.7 * span, first + 0.85 * span, &before2);
    gain.after = mean_of(thin, first + 0.85 * span, last, &after2);
    double fall = start - gain.after;
    if (!(fall > 0) || !(gain.before > gain.after))
        return gain;
    gain.share = (gain.before - gain.after) / fall;
    gain.sigmas = (gain.before - gain.after) / sqrt(before2 + after2);
    if (positive && gain.after > 0)
        gain.log_share = log(gain.before / gain.after) / log(start / gain.after);
    return gain;
}

static void raise(struct tv_view *view, const struct options *options, const struct state *state,
                  const struct gain *train, const struct gain *eval, double lr_share)
{
    const char *tag = tv_view_tag(view, TV_ROLE_TRAIN_LOSS);
    struct tv_note note;
    struct tv_finding finding;
    struct tv_setting setting;
    double steps = 0.15 * ((double)state->last_step - (double)state->first_step);
    double per_tenth = (train->before - train->after) / 1.5;
    tv_note_init(&note, &finding, tag ? tag : "train_loss", TV_INFO, state->last_step);
    tv_note_summary(
        &note,
        "the run ended while the training loss was still falling: by %.3g (from %.4g to "
        "%.4g) over its last %.0f steps",
        train->before - train->after, train->before, train->after, steps);
    bool by_log = train->share < options->gain; /* the other rule decided */
    finding.observed = by_log ? train->log_share : train->share;
    finding.expected = by_log ? options->log_gain : options->gain;
    finding.confidence = fmin(0.95, 0.5 + 0.1 * fmin(train->sigmas, 5));
    tv_note_evidence(&note,
                     by_log ? "log_gain_share_of_the_last_15_percent"
                            : "gain_share_of_the_last_15_percent",
                     finding.observed);
    tv_note_evidence(&note,
                     by_log ? "log_gain_share_of_the_last_15_percent_threshold"
                            : "gain_share_of_the_last_15_percent_threshold",
                     finding.expected);
    tv_note_evidence(&note, "gain_sigmas", train->sigmas);
    tv_note_evidence(&note, "gain_sigmas_threshold", options->sigmas);
    tv_note_evidence(&note, "eval_gain_share", state->eval.len < 4 ? NAN : eval->share);
    tv_note_evidence(&note, "lr_share_of_peak", lr_share);
    tv_note_evidence(&note, "loss", train->after);
    if (lr_share > options->final_lr)
        tv_note_cause(&note,
                      "the learning rate ends at %.0f %% of its peak: the schedule does not "
                      "bring the loss down at the end",
                      100 * lr_share);
    tv_note_cause(&note, "too few steps for this learning rate and amount of data");
    double more = (double)state->last_step * 1.5;
    if (tv_view_setting(view, "max_steps", &setting) && setting.number > 0)
        tv_note_advice(&note, "%s: %s -> %.0f (another %.3g lower at this pace)", setting.key,
                       setting.value, 1.5 * setting.number, 3 * per_tenth);
    else if (tv_view_setting(view, "num_train_epochs", &setting) && setting.number > 0)
        tv_note_advice(&note, "%s: %s -> %.3g (another %.3g lower at this pace)", setting.key,
                       setting.value, 1.5 * setting.number, 3 * per_tenth);
    else
        tv_note_advice(&note, "train about half as long again, %.0f steps in all", more);
    if (lr_share > 0.9 && tv_view_setting(view, "lr_scheduler_type", &setting))
        tv_note_advice(&note, "%s: %s -> cosine, which ends with a small learning rate",
                       setting.key, setting.value);
    tv_raise(view, &finding);
}

/* `planned`: a plan or a learning rate says how the run was meant to end. */
static bool still_falls(const struct options *options, const struct state *state,
                        const struct gain *train, const struct gain *eval, bool planned)
{
    bool has_eval = state->eval.len >= 4;
    bool eval_falls = has_eval && eval->share >= options->eval_gain;
    if (has_eval && !eval_falls && eval->share <= 0)
        return false; /* more training would not help */
    bool is_certain =
        train->sigmas >= options->sigmas || (eval_falls && eval->sigmas >= options->sigmas);
    if (train->share >= options->gain && is_certain)
        return true;
    return !planned && !has_eval && train->log_share >= options->log_gain &&
           train->sigmas >= options->sigmas;
}

static void on_end(struct tv_view *view, const void *options_, void *state_)
{
    const struct options *options = options_;
    struct state *state = state_;
    if (tv_silent_about_loss(view))
        return;
    if (state->points < (uint64_t)options->points) {
        tv_silent_because(view, "needs %lld training losses, has %llu", (long long)options->points,
                          (unsigned long long)state->points);
        return;
    }
    double span = (double)state->last_step - (double)state->first_step;
    double interval = span / (double)(state->points - 1);
    int64_t total = tv_view_total_steps(view);
    if (!tv_plan_ended(view, 2 * interval, state->last_time, options->silence)) {
        if (total > 0)
            tv_silent_because(view, "the run has not ended: step %lld of %lld",
                              (long long)state->last_step, (long long)total);
        else
            tv_silent_because(view, "it is not known whether the run has ended at step %lld",
                              (long long)state->last_step);
        return;
    }
    double lr_share = tv_plan_logged_share(view);
    if (!isfinite(lr_share))
        lr_share = tv_plan_lr_share(view, state->last_step);
    if (lr_share < options->final_lr) {
        tv_silent_because(view,
                          "the learning rate has come down to %.2g %% of its peak: the run is "
                          "complete",
                          100 * lr_share);
        return;
    }
    double start = tv_median_of(state->start, state->start_len);
    struct gain train = gain_of(&state->loss, (double)state->first_step, start, state->positive);
    struct gain eval = {0, 0, 0, NAN, NAN};
    if (state->eval.len)
        eval = gain_of(&state->eval, (double)state->first_step, state->eval.value[0], false);
    if (still_falls(options, state, &train, &eval,
                    isfinite(lr_share) || tv_view_total_steps(view) > 0))
        raise(view, options, state, &train, &eval, lr_share);
    else
        tv_silent_because(view,
                          "in the last 15 %% of the run the training loss made %.2g %% of its "
                          "whole fall (%.2g %% beyond its noise is needed%s)",
                          100 * train.share, 100 * options->gain,
                          state->eval.len < 4 ? "" : ", and an evaluation that still gains");
}

static const struct tv_option options[] = {
    TV_OPTION_ROW(struct options, gain, DOUBLE, 0.039, 0, 1,
                  "fall over the last 15 % of the run, as a part of the whole fall"),
    TV_OPTION_ROW(
        struct options, eval_gain, DOUBLE, 0.03, 0, 1,
        "the same of the evaluation loss, which then confirms a fall that is not certain"),
    TV_OPTION_ROW(
        struct options, log_gain, DOUBLE, 0.06, 0, 1,
        "the same of the logarithm of the loss, for logs without evaluation, plan and rate"),
    TV_OPTION_ROW(struct options, final_lr, DOUBLE, 0.4, 0, 1,
                  "part of the peak; a run that ended below has been brought to its end"),
    TV_OPTION_ROW(struct options, sigmas, DOUBLE, 2, 0, 100,
                  "standard errors that the fall of one of the two losses must exceed"),
    TV_OPTION_ROW(struct options, silence, DOUBLE, 3600, 1, 1e9,
                  "seconds without a point after which a run of unknown length has ended"),
    TV_OPTION_ROW(struct options, points, INT, 20, 8, 1e9,
                  "points of the training loss that are needed"),
    TV_OPTION_END,
};

const struct tv_detector tv_detector_undertraining = {
    .name = "undertraining",
    .summary = "the run ended while the loss was still falling",
    .explain =
        "Judged once, when the run has ended, and only when the learning rate ends above "
        "`final_lr` of its peak: a schedule\n"
        "that has come down ends a run as it should. With A and B the mean losses of the last "
        "15 % of the steps and of the 15 %\n"
        "before: fires when (B - A) is at least `gain` of the whole fall since the start and "
        "`sigmas` standard errors, its\n"
        "own or those of a like fall of the evaluation loss. Where neither evaluation, plan nor "
        "learning rate is "
        "logged, the fall of the logarithm counts too. A rising evaluation\n"
        "loss excludes it.\n"
        "Source: thresholds set on labelled runs.\n"
        "It cannot see that the data have nothing more to give, nor judge a run that was stopped "
        "before its planned end.",
    .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS) | TV_ROLE_BIT(TV_ROLE_EVAL_LOSS),
    .options = options,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
