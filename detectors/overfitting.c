/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The evaluation loss has turned up while the training loss went on falling. */
#include "lib/advice.h"
#include "lib/eval_series.h"
#include "lib/lr_text.h"
#include "lib/note.h"
#include "lib/plan.h"
#include "lib/silence.h"
#include <math.h>

struct options {
    double rise, critical_rise, noise, opening_rise, opening_sigmas, climb, climb_sigmas, widening,
        long_rise;
    int64_t evals;
    double lasting, train_fall;
};

struct state {
    struct tv_eval_series series;
    bool has_risen;
    double told; /* how far above the best it was when it was raised */
};

static void advise(const struct tv_view *view, const struct state *state, struct tv_note *note)
{
    struct tv_setting setting;
    const struct tv_evals *evals = &state->series.evals;
    tv_note_advice(note, "keep the checkpoint of step %lld, the best evaluation",
                   (long long)evals->best_step);
    tv_advise_end_at(view, note, "", evals->best_step);
    if (tv_framework_is(view, "transformers|trl|llamafactory|axolotl") &&
        !tv_setting_is_true(view, "load_best_model_at_end"))
        tv_note_advice(note, "load_best_model_at_end: true, with an early stopping callback");
    else if (tv_framework_is(view, "lightning"))
        tv_note_advice(note, "ModelCheckpoint(monitor=\"%s\") keeps the best one",
                       tv_eval_series_subject(&state->series, view));
    if (tv_view_setting(view, "lora_dropout", &setting) && setting.number < 0.05)
        tv_note_advice(note, "%s: %s -> 0.05 or 0.1", setting.key, setting.value);
    if (tv_view_setting(view, "weight_decay", &setting) && setting.number < 0.01)
        tv_note_advice(note, "%s: %s -> 0.01 or 0.1", setting.key, setting.value);
    if (tv_view_setting(view, "lora_rank", &setting) && setting.number >= 64)
        tv_note_advice(note, "%s: %s -> %.0f", setting.key, setting.value, setting.number / 4);
    if (tv_lr_setting(view, TV_LR_PEAK_KEYS, &setting) && setting.number > 0)
        tv_note_advice(note, "or %s: %s -> %.2g, half as much", setting.key, setting.value,
                       setting.number / 2);
}

static void raise(struct tv_view *view, const struct options *options, struct state *state,
                  const struct tv_evals_gap *gap, double needed)
{
    const struct tv_evals *evals = &state->series.evals;
    double last = evals->recent[evals->recent_len - 1];
    double percent = 100 * (last - evals->best) / tv_evals_scale(evals);
    struct tv_note note;
    struct tv_finding finding;
    struct tv_setting epochs;
    tv_note_init(&note, &finding, tv_eval_series_subject(&state->series, view),
                 percent > options->critical_rise ? TV_CRITICAL : TV_WARNING, evals->best_step);
    tv_note_summary(&note,
                    "the %s from %.4g at step %lld to %.4g (%+.1f %%) while the training loss "
                    "fell from %.4g to %.4g",
                    state->series.role != TV_ROLE_EVAL_METRIC ? "evaluation loss has risen"
                                                              : "evaluated metric has turned",
                    tv_eval_series_shown(&state->series, evals->best), (long long)evals->best_step,
                    tv_eval_series_shown(&state->series, last),
                    tv_eval_series_shown(&state->series, percent), evals->train_best,
                    evals->train_now);
    finding.observed = tv_eval_series_shown(&state->series, last);
    finding.expected = tv_eval_series_shown(&state->series, evals->best);
    double sigmas = gap->noise > 0 ? (last - evals->best) / gap->noise : 10;
    finding.confidence = fmin(0.99, 1 - 0.5 * exp(-0.25 * fmin(sigmas, 50)));
    tv_note_evidence(&note, "rise_percent", percent);
    tv_note_evidence(&note, "rise_percent_threshold", needed);
    tv_note_evidence(&note, "evals_since_best", (double)evals->since_best);
    tv_note_evidence(&note, "evals", (double)evals->count);
    tv_note_evidence(&note, "eval_noise", gap->noise);
    tv_note_evidence(&note, "train_loss_at_best", evals->train_best);
    tv_note_evidence(&note, "train_loss_now", evals->train_now);
    tv_note_evidence(&note, "train_fall_sigmas", gap->fall_sigmas);
    if (tv_view_setting(view, "num_train_epochs", &epochs) && epochs.number > 3)
        tv_note_cause(&note, "the data are seen %s times (%s, %s)", epochs.value, epochs.key,
                      epochs.source);
    tv_note_cause(&note, "the model memorises the training set: too many passes or too few samples "
                         "for its size");
    tv_note_cause(&note, "too little regularisation, or a learning rate that is too high for the "
                         "number of passes");
    advise(view, state, &note);
    tv_raise(view, &finding);
    state->series.fires = true;
}

/* By a clear part of itself, or by more than its noise, which lags behind a loss that shrinks. */
static bool has_train_fallen(const struct options *options, const struct state *state,
                             const struct tv_evals_gap *gap)
{
    if (state->series.role == TV_ROLE_EVAL_METRIC)
        return gap->fall_sigmas > 2;
    return gap->fall > 0 && (!(gap->fall_sigmas < options->train_fall) ||
                             gap->fall > 0.05 * fabs(state->series.evals.train_best));
}

/* The best is beaten, or twice no more than half of the rise is left that was told first or that it
 * takes. */
static bool has_come_back(const struct options *options, const struct state *state)
{
    const struct tv_evals *evals = &state->series.evals;
    const double *last = evals->recent + evals->recent_len - 1;
    double rise = fmin(state->told, options->rise / 100 * tv_evals_scale(evals));
    double near = evals->best + rise / 2;
    return evals->since_best == 0 || (last[0] < near && last[-1] < near);
}

/* The rise in percent that was enough, by the first of the rules that holds; NaN: none does. */
static double decisive_rise(const struct tv_view *view, const struct options *options,
                            const struct state *state, const struct tv_evals_gap *gap)
{
    const struct tv_evals *evals = &state->series.evals;
    double scale = tv_evals_scale(evals), rise = 100 * gap->rise / scale;
    double last = 100 * (evals->recent[evals->recent_len - 1] - evals->best) / scale;
    bool is_double = rise > 100 && gap->rise > options->noise * evals->noise_at_best;
    bool is_loss = state->series.role == TV_ROLE_EVAL_LOSS;
    if (evals->since_best < (uint64_t)options->evals ||
        (!is_double && !tv_eval_series_lasts(&state->series, view, options->lasting)))
        return NAN;
    /* What was told needs no proof again, nor does what has doubled: a still worse evaluation is
     * noise to those before it. */
    if (rise > options->rise &&
        (state->series.fires || is_double || gap->rise_sigmas >= options->noise))
        return options->rise;
    if (is_loss && last > 1.5 * options->opening_rise) {
        if (rise > options->opening_rise && tv_evals_opens(evals, gap, options->opening_sigmas))
            return options->opening_rise;
        if (tv_evals_climbs(evals, gap, options->climb, options->climb_sigmas))
            return 1.5 * options->opening_rise;
    }
    if (rise > 2 * options->rise && tv_evals_widens(evals, options->widening))
        return 2 * options->rise;
    bool is_long = evals->since_best > TV_EVALS_RECENT && 2 * evals->since_best >= evals->count;
    if (is_long && rise > options->long_rise && gap->rise_sigmas >= options->noise &&
        gap->fall_sigmas > 2)
        return options->long_rise;
    return NAN;
}

static TV_RARE void judge(struct tv_view *view, const struct options *options, struct state *state)
{
    const struct tv_evals *evals = &state->series.evals;
    if (state->series.fires && has_come_back(options, state)) {
        tv_withdraw(view, tv_eval_series_subject(&state->series, view));
        state->series.fires = false;
    }
    if (evals->count < 3)
        return;
    const struct tv_evals_gap gap = tv_evals_gap(evals, 2);
    double needed = decisive_rise(view, options, state, &gap);
    state->has_risen = !isnan(needed);
    if (!state->has_risen)
        return;
    if (evals->train_len == 0) {
        tv_silent(view, "no training loss to compare the evaluation with");
        return;
    }
    if (!has_train_fallen(options, state, &gap)) {
        tv_silent(view, "the training loss did not fall meanwhile: that is not overfitting");
        return;
    }
    if (tv_eval_series_restarts(&state->series)) {
        tv_silent(view, "the learning rate was restarted: the rise may be passing");
        return;
    }
    if (!state->series.fires)
        state->told = evals->recent[evals->recent_len - 1] - evals->best;
    raise(view, options, state, &gap, needed);
}

static void on_sample(struct tv_view *view, const void *options, void *state_,
                      const struct tv_point *point)
{
    struct state *state = state_;
    state->series.loss_first = true;
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
    else if (evals->count < 3)
        tv_silent_because(view, "needs 3 evaluations, has %llu", (unsigned long long)evals->count);
    else if (evals->since_best == 0)
        tv_silent_because(view, "the last evaluation is the best one (%.4g)",
                          tv_eval_series_shown(&state->series, evals->best));
    else if (!state->has_risen)
        tv_silent_because(
            view,
            "the last evaluation (%.4g) is %.2g %% worse than the best (%.4g at step %lld): %.3g "
            "%% and %.3g times their noise (%.2g %%) in %lld evaluations is needed, or less while "
            "the training loss falls faster",
            tv_eval_series_shown(&state->series, evals->recent[evals->recent_len - 1]),
            100 * (evals->recent[evals->recent_len - 1] - evals->best) / tv_evals_scale(evals),
            tv_eval_series_shown(&state->series, evals->best), (long long)evals->best_step,
            options->rise, options->noise,
            100 * tv_evals_gap(evals, 2).noise / tv_evals_scale(evals), (long long)options->evals);
}

static const struct tv_option options[] = {
    TV_OPTION_ROW(struct options, rise, DOUBLE, 5, 0, 1000,
                  "percent; evaluation loss above its best that is overfitting"),
    TV_OPTION_ROW(struct options, critical_rise, DOUBLE, 25, 0, 10000,
                  "percent; the same from which it is critical"),
    TV_OPTION_ROW(struct options, noise, DOUBLE, 4, 0, 100,
                  "standard deviations of the evaluation's noise that the rise must exceed"),
    TV_OPTION_ROW(struct options, opening_rise, DOUBLE, 3, 0, 1000,
                  "percent; the same where the training loss fell by at least as much meanwhile"),
    TV_OPTION_ROW(struct options, opening_sigmas, DOUBLE, 4.5, 0, 100,
                  "standard deviations that this rise and fall must be beyond, taken together"),
    TV_OPTION_ROW(struct options, climb, DOUBLE, 1, 0, 100,
                  "deviations of a training point that two climbing evaluations must reach where "
                  "their own noise is not known yet"),
    TV_OPTION_ROW(struct options, climb_sigmas, DOUBLE, 3, 0, 1000,
                  "standard errors that the training loss must have fallen by meanwhile"),
    TV_OPTION_ROW(struct options, widening, DOUBLE, 2.3, 0, 10,
                  "Mann-Kendall score of the training loss's fall while the evaluations rise, from "
                  "which twice `rise` needs no noise"),
    TV_OPTION_ROW(struct options, long_rise, DOUBLE, 1.5, 0, 1000,
                  "percent; the same where at least ten evaluations and half of all lie behind the "
                  "best"),
    TV_OPTION_ROW(struct options, evals, INT, 2, 1, 1000,
                  "successive evaluations that must be so far above the best"),
    TV_OPTION_ROW(struct options, lasting, DOUBLE, 0.05, 0, 1,
                  "the same as a part of the evaluations planned; the larger counts"),
    TV_OPTION_ROW(
        struct options, train_fall, DOUBLE, 1, 0, 100,
        "standard errors that the training loss must have fallen by since the best, or 5 percent"),
    TV_OPTION_END,
};

const struct tv_detector tv_detector_overfitting = {
    .name = "overfitting",
    .summary = "the evaluation loss turned up while the training loss went on falling",
    .explain =
        "With e the evaluation loss, b its best so far and t the mean training loss of the "
        "interval "
        "before an evaluation:\n"
        "fires when `evals` evaluations in a row are no new best and the last two lie more than "
        "`rise` percent above b (Prechelt's GL with UP2),\n"
        "the rise exceeds `noise` times the deviation of e from the middle of its neighbours (that "
        "before b where both are twice b; behind ten evaluations not less than the mean since b), "
        "and "
        "t "
        "is below what it was\n"
        "at b by `train_fall` standard errors or 5 percent; or already when they lie "
        "`opening_rise` percent "
        "above b and t fell by at least as "
        "much, both together by more\n"
        "than `opening_sigmas` standard errors: the gap opens; or when the last two climb one "
        "above "
        "the other within four of b, to more than `climb` deviations of a logged training loss (an "
        "evaluation averages over as much data) above b, while t fell by `climb_sigmas` standard "
        "errors (twice as many where b is the first one): that needs no history; or when they lie "
        "twice `rise` above b, those since b climb on the whole (Mann-Kendall z > 1.64) and t "
        "falls (z < -`widening`): that needs no noise; or when ten evaluations and half of all lie "
        "behind b, `long_rise` percent and `noise` deviations above b are enough if t fell by 2 "
        "standard errors. The last condition keeps divergence "
        "and a change of the data apart. Losses near or "
        "below zero are measured\n"
        "against the way that they have come. A restart of the learning rate excuses the next 5 "
        "evaluations; what was evaluated in the warm-up at less than half of a later rate is no "
        "reference, unless ten are worse and still rise. In long plans at least `lasting` of all "
        "evaluations must lie behind the best, unless the last two are twice as high. "
        "Onset: the step\n"
        "of the best evaluation. Withdrawn by a new best, or by two evaluations that are back "
        "within half of `rise` and of the rise that was told first: it was said too early.\n"
        "Source: L. Prechelt, Early Stopping - But When?, LNCS 1524 (1998) 55; the condition on "
        "the "
        "training loss was measured\n"
        "on labelled runs.\n"
        "It needs 3 evaluations. It cannot see overfitting without an evaluation loss, nor when "
        "the "
        "evaluation set is part of\n"
        "the training set, and a metric is judged only where no loss is "
        "evaluated, and it is known which way it is\n"
        "better; the training loss must then have fallen by 2 standard errors.",
    .roles = TV_EVAL_SERIES_ROLES,
    .options = options,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
