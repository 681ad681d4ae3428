/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The evaluation has not improved for long and the run goes on. */
#include "lib/advice.h"
#include "lib/eval_series.h"
#include "lib/note.h"
#include "lib/plan.h"
#include "lib/silence.h"
#include <math.h>

struct options {
    int64_t patience;
    double share, rise;
    int64_t risen_evals;
    double lasting, noise, min_delta, decay, opening_rise, opening_noise, opening_sigmas, climb,
        climb_sigmas;
    int64_t many_evals;
};

struct state {
    struct tv_eval_series series;
    /* Best that was beaten by more than min_delta, and how long ago. */
    double mark;
    uint64_t stale;
    int64_t stale_from; /* second evaluation without progress */
};

/* The last evaluations all lie above the best. */
static bool turned_up(const struct tv_view *view, const struct options *options,
                      const struct state *state)
{
    const struct tv_evals *evals = &state->series.evals;
    uint32_t n = (uint32_t)options->risen_evals;
    double rise = tv_evals_rise(evals, n), scale = tv_evals_scale(evals);
    return evals->since_best >= n && tv_eval_series_lasts(&state->series, view, options->lasting) &&
           100 * rise > options->rise * scale && rise > options->noise * tv_evals_noise(evals);
}

/* Evaluations without progress that are worth an advice. */
static double stale_needed(const struct tv_view *view, const struct options *options,
                           const struct state *state)
{
    return fmax((double)options->patience,
                options->share * tv_eval_series_planned(&state->series, view));
}

/* What decided, beside what it took. */
static void add_decision(const struct tv_view *view, const struct options *options,
                         const struct state *state, bool has_risen, struct tv_note *note)
{
    const struct tv_evals *evals = &state->series.evals;
    double last = evals->recent[evals->recent_len - 1];
    bool many = turned_up(view, options, state);
    tv_note_evidence(note, "evals_since_best", (double)evals->since_best);
    if (has_risen)
        tv_note_evidence(note, "evals_since_best_threshold",
                         many ? (double)options->risen_evals : 2);
    tv_note_evidence(note, "rise_percent", 100 * (last - evals->best) / tv_evals_scale(evals));
    if (has_risen) {
        tv_note_evidence(note, "rise_percent_threshold",
                         many ? options->rise : options->opening_rise);
        return;
    }
    tv_note_evidence(note, "evals_without_progress", (double)state->stale);
    tv_note_evidence(note, "evals_without_progress_threshold", stale_needed(view, options, state));
}

static void raise(struct tv_view *view, const struct options *options, struct state *state,
                  bool has_risen)
{
    const struct tv_evals *evals = &state->series.evals;
    double last = evals->recent[evals->recent_len - 1];
    double wasted = (double)tv_view_step(view) - (double)evals->best_step;
    int64_t total = tv_view_total_steps(view);
    struct tv_note note;
    struct tv_finding finding;
    tv_note_init(&note, &finding, tv_eval_series_subject(&state->series, view), TV_INFO,
                 evals->since_best >= 2 ? evals->after_best[1] : state->stale_from);
    tv_note_summary(
        &note,
        "the %s has not improved since step %lld (%.4g, now %.4g), %llu evaluations "
        "ago",
        state->series.role == TV_ROLE_EVAL_METRIC ? "evaluated metric" : "evaluation loss",
        (long long)evals->best_step, tv_eval_series_shown(&state->series, evals->best),
        tv_eval_series_shown(&state->series, last), (unsigned long long)evals->since_best);
    finding.observed = tv_eval_series_shown(&state->series, last);
    finding.expected = tv_eval_series_shown(&state->series, evals->best);
    finding.confidence = fmin(0.95, 0.6 + 0.05 * (double)evals->since_best);
    add_decision(view, options, state, has_risen, &note);
    tv_note_evidence(&note, "evals", (double)evals->count);
    tv_note_evidence(&note, "eval_noise", tv_evals_noise(evals));
    tv_note_evidence(&note, "steps_since_best", wasted);
    if (total > evals->best_step)
        tv_note_evidence(&note, "steps_of_the_plan_after_best",
                         (double)total - (double)evals->best_step);
    bool is_broken = has_risen && evals->train_len > 0 && evals->train_best_count > 0 &&
                     evals->train_now > 1.1 * evals->train_best && evals->train_best > 0;
    if (is_broken)
        tv_note_cause(&note,
                      "the training loss has risen with it (%.4g, now %.4g): the run is damaged, "
                      "that is no overfitting",
                      evals->train_best, evals->train_now);
    else
        tv_note_cause(&note, has_risen ? "the evaluation has turned: the model overfits"
                                       : "the model has learnt what this data, learning rate and "
                                         "capacity allow");
    tv_note_advice(&note, "stop, and keep the checkpoint of step %lld",
                   (long long)evals->best_step);
    tv_advise_end_at(view, &note, "next time ", evals->best_step);
    tv_note_advice(&note,
                   "early stopping with a patience of %lld evaluations would have saved %.0f steps",
                   (long long)options->risen_evals,
                   fmax(0, wasted - (double)options->risen_evals * tv_evals_interval(evals)));
    tv_raise(view, &finding);
    state->series.fires = true;
}

/* The gap to the training loss opens: where evaluations are many, two of them tell. */
static bool opens(const struct tv_view *view, const struct options *options,
                  const struct state *state)
{
    const struct tv_evals *evals = &state->series.evals;
    const struct tv_evals_gap gap = tv_evals_gap(evals, 2);
    double least = options->opening_rise / 100 * tv_evals_scale(evals);
    double last = evals->recent[evals->recent_len - 1] - evals->best;
    if (evals->since_best < 2 || !tv_eval_series_lasts(&state->series, view, options->lasting) ||
        !(last > 1.5 * least))
        return false;
    bool many = tv_eval_series_planned(&state->series, view) >= (double)options->many_evals;
    if (tv_evals_climbs(evals, &gap, options->climb, options->climb_sigmas))
        return many || tv_view_total_steps(view) == 0;
    return many && gap.rise > least && !(gap.rise_sigmas < options->opening_noise) &&
           tv_evals_opens(evals, &gap, options->opening_sigmas);
}

static bool risen(const struct tv_view *view, const struct options *options,
                  const struct state *state)
{
    return turned_up(view, options, state) || opens(view, options, state);
}

static bool stale(const struct tv_view *view, const struct options *options,
                  const struct state *state)
{
    /* Losses fall when the learning rate does: what is still to come is waited for. */
    double now = tv_plan_lr_share(view, state->series.evals.last_step);
    double end = tv_plan_lr_share(view, tv_view_total_steps(view));
    if (tv_view_schedule(view) && tv_view_total_steps(view) > 0 && now > 0.5 &&
        end < options->decay * now)
        return false;
    return (double)state->stale >= stale_needed(view, options, state);
}

static TV_RARE void judge(struct tv_view *view, const struct options *options, struct state *state)
{
    const struct tv_evals *evals = &state->series.evals;
    double last = evals->recent[evals->recent_len - 1];
    /* Equal is not worse: rounded losses stay equal while they improve. */
    if (evals->count == 1 || last <= state->mark - options->min_delta * tv_evals_scale(evals)) {
        state->mark = last;
        state->stale = 0;
        if (state->series.fires)
            tv_withdraw(view, tv_eval_series_subject(&state->series, view));
        state->series.fires = false;
    } else if (++state->stale == 2)
        state->stale_from = evals->last_step;
    if (tv_eval_series_restarts(&state->series))
        return;
    if (risen(view, options, state))
        raise(view, options, state, true);
    else if (stale(view, options, state))
        raise(view, options, state, false);
}

static void on_sample(struct tv_view *view, const void *options, void *state_,
                      const struct tv_point *point)
{
    struct state *state = state_;
    /* The unit of a metric is not that of the loss. */
    if (point->role == TV_ROLE_TRAIN_LOSS && state->series.role == TV_ROLE_EVAL_METRIC)
        return;
    if (tv_eval_series_add(&state->series, view, point))
        judge(view, options, state);
}

static void on_end(struct tv_view *view, const void *options_, void *state_)
{
    const struct options *options = options_;
    const struct state *state = state_;
    const struct tv_evals *evals = &state->series.evals;
    const char *why = tv_eval_series_why_none(&state->series, view);
    if (tv_view_is_rl(view))
        tv_silent(view, "rewards are logged: the loss of reinforcement learning has no direction");
    else if (why)
        tv_silent(view, why);
    else if (tv_eval_series_restarts(&state->series))
        tv_silent_because(view,
                          "the learning rate was restarted at step %lld: improvement may come back",
                          (long long)state->series.restarts.step);
    else if ((double)state->stale < stale_needed(view, options, state))
        tv_silent_because(view,
                          "evaluations since the last new best (%.4g at step %lld): %llu of %llu "
                          "(%.0f are needed, or a clear rise)",
                          tv_eval_series_shown(&state->series, evals->best),
                          (long long)evals->best_step, (unsigned long long)state->stale,
                          (unsigned long long)evals->count,
                          ceil(stale_needed(view, options, state)));
    else
        tv_silent_because(view,
                          "no new best for %llu evaluations, but the learning rate is still to "
                          "fall, which lowers losses",
                          (unsigned long long)state->stale);
}

static const struct tv_option options[] = {
    TV_OPTION_ROW(struct options, patience, INT, 6, 1, 10000,
                  "evaluations without progress that are the least to advise on"),
    TV_OPTION_ROW(struct options, share, DOUBLE, 0.3, 0, 1,
                  "the same as a part of the evaluations planned; the larger counts"),
    TV_OPTION_ROW(struct options, rise, DOUBLE, 5, 0, 1000,
                  "percent above the best from which few evaluations are enough"),
    TV_OPTION_ROW(struct options, risen_evals, INT, 4, 1, 9,
                  "successive evaluations so far above the best"),
    TV_OPTION_ROW(struct options, lasting, DOUBLE, 0.05, 0, 1,
                  "the least evaluations since the best for a rise, as a part of those planned"),
    TV_OPTION_ROW(struct options, noise, DOUBLE, 4, 0, 100,
                  "standard deviations of the evaluation's noise that such a rise must exceed"),
    TV_OPTION_ROW(struct options, opening_rise, DOUBLE, 3, 0, 1000,
                  "percent above the best in 2 evaluations while the training loss fell by more"),
    TV_OPTION_ROW(struct options, opening_noise, DOUBLE, 1, 0, 100,
                  "standard deviations of the evaluation's noise that this rise must exceed"),
    TV_OPTION_ROW(struct options, many_evals, INT, 16, 3, 1000000,
                  "planned evaluations from which two are enough for that"),
    TV_OPTION_ROW(struct options, opening_sigmas, DOUBLE, 4.5, 0, 100,
                  "standard deviations that this rise and fall must be beyond, taken together"),
    TV_OPTION_ROW(struct options, climb, DOUBLE, 1, 0, 100,
                  "deviations of a training point that two climbing evaluations must reach where "
                  "their own noise is not known yet"),
    TV_OPTION_ROW(struct options, climb_sigmas, DOUBLE, 3, 0, 1000,
                  "standard errors that the training loss must have fallen by meanwhile"),
    TV_OPTION_ROW(struct options, decay, DOUBLE, 0.5, 0, 1,
                  "part of its present value; a learning rate that is promised to fall below is "
                  "waited for"),
    TV_OPTION_ROW(struct options, min_delta, DOUBLE, 0.0, 0, 1,
                  "progress that counts, as a part of the best"),
    TV_OPTION_END,
};

const struct tv_detector tv_detector_early_stop_advised = {
    .name = "early_stop_advised",
    .summary = "the evaluation has not improved for long and the run goes on",
    .explain =
        "Fires when the last `risen_evals` evaluation losses all lie more than `rise` percent and "
        "`noise` deviations above\n"
        "the best one; or, in a run of at least `many_evals`, the last two `opening_rise` percent "
        "(and `opening_noise` deviations, the last one half as much again) while the training loss "
        "fell by at "
        "least as much, both together by\n"
        "more than `opening_sigmas` standard errors (or the last two climb to `climb` deviations "
        "of "
        "a training point while that fell by `climb_sigmas` standard errors); or when there was no "
        "progress by more than "
        "`min_delta` for `patience` "
        "evaluations and `share` of all\n"
        "that are planned. Onset: the second evaluation after the best. Names the best step and "
        "the steps spent since then.\n"
        "Withdrawn by a new best: it was said too early. A restart of the learning rate excuses "
        "the next 5 evaluations.\n"
        "Source: L. Prechelt, Early Stopping - But When?, LNCS 1524 (1998) 55 (GL and UP); the "
        "shares were measured on labelled\n"
        "runs.\n"
        "It cannot know that a long pause ends (double descent, grokking), and where "
        "metric_for_best_model names a "
        "metric, or no loss is evaluated, it\n"
        "judges that metric, if it is known which way it is better (greater_is_better, or its "
        "name). Without a rise, nothing is\n"
        "said while the schedule still promises a learning rate below `decay` of the present "
        "one.",
    .roles = TV_EVAL_SERIES_ROLES,
    .options = options,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
