/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loss bounces without progress: evaluation and training loss rise and fall together, again and
 * again. */
#include "lib/advice.h"
#include "lib/alternation.h"
#include "lib/evals.h"
#include "lib/note.h"
#include "lib/plan.h"
#include "lib/robust.h"
#include "lib/silence.h"
#include "lib/swings.h"
#include "lib/unrest.h"
#include <math.h>

struct options {
    double swing, level, train_swing;
    int64_t turns, train_turns;
    double progress;
    double unrest_noise, unrest_level, unrest_relative, unrest_blind, unrest_kept, smooth;
    double unrest_share, alternation;
};

enum {
    START = 5,
    CALM = 16 /* points behind an alternation that end it */
};

struct state {
    struct tv_evals evals;
    struct tv_swings eval, train;
    struct tv_restarts restarts;
    double start[START];
    uint32_t start_len;
    int64_t last_train;
    struct tv_unrest unrest;
    struct tv_alternation alternation;
    uint32_t calm; /* points since it was long enough */
    bool fires, unrest_fires, alternates;
};

static void explain(const struct tv_view *view, struct tv_note *note)
{
    struct tv_setting setting;
    tv_note_cause(note, "the learning rate is too high for this curvature and batch size (beyond "
                        "the edge of stability)");
    tv_note_cause(note, "momentum or a small beta2 lets the updates overshoot");
    tv_note_cause(note, "the batch is too small, or its data are not shuffled");
    tv_advise_lower_lr(view, note, tv_view_peak_lr(view) / 3);
    tv_advise_clipping(view, note);
    if (tv_view_setting(view, "gradient_accumulation_steps", &setting) && setting.number > 0)
        tv_note_advice(note, "or %s: %s -> %.0f, a larger batch", setting.key, setting.value,
                       4 * setting.number);
}

static void raise(struct tv_view *view, const struct options *options, struct state *state,
                  double way)
{
    const char *tag = tv_view_tag(view, TV_ROLE_EVAL_LOSS);
    struct tv_note note;
    struct tv_finding finding;
    tv_note_init(&note, &finding, tag ? tag : "eval_loss", TV_WARNING, state->eval.first_rise);
    tv_note_summary(&note,
                    "the loss bounces: the evaluation turned %u times since step %lld, by up to "
                    "%.3g (its best is %.4g)",
                    state->eval.count, (long long)state->eval.first_rise, state->eval.widest_rise,
                    state->evals.best);
    finding.observed = state->eval.widest_rise;
    finding.expected = options->swing * way;
    finding.confidence = fmin(0.95, 0.6 + 0.05 * (double)(state->eval.count + state->train.count));
    tv_note_evidence(&note, "eval_turns", state->eval.count);
    tv_note_evidence(&note, "eval_turns_threshold", (double)options->turns);
    tv_note_evidence(&note, "train_turns", state->train.count);
    tv_note_evidence(&note, "train_turns_threshold", (double)options->train_turns);
    tv_note_evidence(&note, "widest_rise", state->eval.widest_rise);
    tv_note_evidence(&note, "widest_rise_threshold", options->swing * way);
    tv_note_evidence(&note, "eval_best", state->evals.best);
    tv_note_evidence(&note, "eval_noise", tv_evals_noise(&state->evals));
    tv_note_evidence(&note, "lr_share_of_peak", tv_plan_logged_share(view));
    explain(view, &note);
    tv_raise(view, &finding);
    state->fires = true;
}

/* A swing counts against the way that the loss has come and against its level; where the level says
 * nothing, against the noise. */
static double threshold(double swing, double level_share, double way, double level, double noise)
{
    double least = swing * way;
    return level > 0 ? fmax(least, level_share * level) : fmax(2 * least, 5 * noise);
}

static TV_RARE void judge(struct tv_view *view, const struct options *options, struct state *state,
                          const struct tv_point *point)
{
    const struct tv_evals *evals = &state->evals;
    double start = fmax(state->start_len ? tv_median_of(state->start, state->start_len) : 0,
                        state->start_len ? evals->first : evals->worst);
    int64_t warmup = tv_view_warmup_steps(view);
    if (point->step < warmup || state->start_len == 0)
        return;
    double way = start - evals->best;
    bool turned = tv_swings_add(
        &state->eval, point->step, point->value,
        threshold(options->swing, options->level, way, point->value, tv_evals_noise(evals)));
    double train_way =
        start - fmin(state->train.seen ? state->train.lowest : start, evals->train_now);
    tv_swings_add(
        &state->train, point->step, evals->train_now,
        threshold(options->train_swing, 0.375 * options->level, train_way, evals->train_now, 0));
    if (state->restarts.count > 0) {
        return;
    }
    if (state->eval.count > 1 &&
        state->eval.first_low - evals->best > options->progress * state->eval.widest_rise) {
        if (state->fires)
            tv_clear(view, tv_view_tag(view, TV_ROLE_EVAL_LOSS));
        state->fires = false;
        return;
    }
    if (state->fires && !turned)
        return;
    if (state->eval.count >= (uint32_t)options->turns &&
        state->train.count >= (uint32_t)options->train_turns && !state->unrest_fires)
        raise(view, options, state, way);
}

static void raise_unrest(struct tv_view *view, const struct options *options,
                         const struct tv_unrest_finding *found)
{
    const char *tag = tv_view_tag(view, TV_ROLE_TRAIN_LOSS);
    struct tv_note note;
    struct tv_finding finding;
    tv_note_init(&note, &finding, tag ? tag : "train_loss", TV_WARNING, found->since);
    tv_note_summary(
        &note,
        "the training loss bounces around %.4g since step %lld: its noise is %.3g times "
        "what it was at %.4g",
        found->level, (long long)found->since, found->noise_ratio, found->calm_level);
    finding.observed = found->noise;
    finding.expected = found->calm_noise;
    finding.confidence = fmin(0.95, 0.6 + 0.05 * found->noise_ratio);
    tv_note_evidence(&note, "noise_ratio", found->noise_ratio);
    tv_note_evidence(&note, "noise_ratio_threshold", options->unrest_noise);
    tv_note_evidence(&note, "level_ratio", found->level_ratio);
    tv_note_evidence(&note, "level_ratio_threshold", options->unrest_level);
    tv_note_evidence(&note, "level", found->level);
    tv_note_evidence(&note, "calm_level", found->calm_level);
    tv_note_evidence(&note, "lr_share_of_peak", tv_plan_logged_share(view));
    explain(view, &note);
    tv_raise(view, &finding);
}

/* Higher and rougher than at its calmest, yet below the start: beyond that it is a divergence.
 * While evaluations run smoothly it is the data, not the weights. */
static TV_RARE void judge_unrest(struct tv_view *view, const struct options *options,
                                 struct state *state)
{
    struct tv_unrest_finding found;
    if (!tv_unrest_measure(&state->unrest, &found) || state->restarts.count > 0)
        return;
    double start = tv_median_of(state->start, state->start_len);
    double bend = tv_evals_bend(&state->evals, found.since);
    double relative = options->unrest_relative + (isnan(bend) ? options->unrest_blind : 0);
    bool bounces =
        found.noise_ratio > options->unrest_noise && found.level_ratio > options->unrest_level &&
        found.lowest_ratio > sqrt(options->unrest_level) && found.kept > options->unrest_kept &&
        found.noise_ratio > relative * found.level_ratio && found.level < start &&
        found.level - found.calm_level > options->unrest_share * (start - found.calm_level) &&
        found.noise < 2 * found.level && /* else it is a spike or two */
        !(bend < options->smooth);
    if (bounces && !state->unrest_fires && !state->fires) {
        raise_unrest(view, options, &found);
        state->unrest_fires = true;
    } else if (state->unrest_fires && found.level_ratio < sqrt(options->unrest_level)) {
        tv_clear(view, tv_view_tag(view, TV_ROLE_TRAIN_LOSS));
        state->unrest_fires = false;
    }
}

static TV_RARE void raise_alternation(struct tv_view *view, const struct options *options,
                                      const struct tv_alternation *found)
{
    const char *tag = tv_view_tag(view, TV_ROLE_TRAIN_LOSS);
    double swing = tv_alternation_swing(found), level = tv_alternation_level(found);
    struct tv_note note;
    struct tv_finding finding;
    tv_note_init(&note, &finding, tag ? tag : "train_loss", TV_WARNING, found->since);
    tv_note_summary(&note,
                    "the training loss goes up and down in turn by %.3g around %.4g since step "
                    "%lld, %u times",
                    swing, level, (long long)found->since, found->turns);
    finding.observed = swing;
    finding.expected = options->alternation * fabs(level);
    finding.confidence = 0.95;
    tv_note_evidence(&note, "turns_in_a_row", found->turns);
    tv_note_evidence(&note, "turns_in_a_row_threshold", tv_alternation_needed(found));
    tv_note_evidence(&note, "swing", swing);
    tv_note_evidence(&note, "swing_threshold", finding.expected);
    tv_note_evidence(&note, "level", level);
    tv_note_evidence(&note, "level_before", found->level);
    tv_note_evidence(&note, "lr_share_of_peak", tv_plan_logged_share(view));
    explain(view, &note);
    tv_raise(view, &finding);
}

/* Two points an epoch in a fixed order alternate because their data do. */
static bool is_of_two_halves(const struct tv_view *view, const struct tv_alternation *found)
{
    struct tv_point epoch;
    const struct tv_schedule *schedule = tv_view_schedule(view);
    double steps = (double)found->last_step - (double)found->since, points = found->turns + 1;
    double length = schedule ? (double)schedule->steps_per_epoch : 0;
    if (!(length > 0) && tv_view_last(view, TV_ROLE_EPOCH, &epoch) && epoch.value > 0)
        length = (double)epoch.step / epoch.value;
    return length * points > 1.5 * steps && length * points < 2.5 * steps;
}

/* Up and down in turn for longer than any noise: every step overshoots. That needs no calm past and
 * no evaluation. */
static void judge_alternation(struct tv_view *view, const struct options *options,
                              struct state *state)
{
    const struct tv_alternation *found = &state->alternation;
    if (!tv_alternation_is_long(found)) {
        if (state->alternates && ++state->calm >= CALM) {
            state->alternates = false;
            tv_clear(view, tv_view_tag(view, TV_ROLE_TRAIN_LOSS));
        }
        return;
    }
    double swing = tv_alternation_swing(found), level = tv_alternation_level(found);
    state->calm = 0;
    if (state->alternates || state->fires || state->unrest_fires || state->restarts.count > 0 ||
        swing < options->alternation * fabs(level) || found->level - level > swing / 2 ||
        is_of_two_halves(view, found))
        return;
    raise_alternation(view, options, found);
    state->alternates = true;
}

static void on_sample(struct tv_view *view, const void *options, void *state_,
                      const struct tv_point *point)
{
    struct state *state = state_;
    if (tv_view_is_rl(view) || !isfinite(point->value))
        return;
    if (point->role == TV_ROLE_LEARNING_RATE)
        tv_restarts_add(&state->restarts, point->step, point->value);
    else if (point->role == TV_ROLE_EVAL_LOSS) {
        if (tv_evals_add(&state->evals, point->step, point->value))
            judge(view, options, state, point);
    } else if (state->start_len == 0 || point->step > state->last_train) {
        if (state->start_len < START)
            state->start[state->start_len++] = point->value;
        state->last_train = point->step;
        tv_evals_train(&state->evals, point->value);
        tv_alternation_add(&state->alternation, point->step, point->value);
        if (tv_unrest_add(&state->unrest, point->step, point->value) && !state->alternates)
            judge_unrest(view, options, state);
        judge_alternation(view, options, state);
    }
}

static void on_end(struct tv_view *view, const void *options_, void *state_)
{
    const struct options *options = options_;
    const struct state *state = state_;
    if (tv_silent_about_loss(view))
        return;
    if (state->restarts.count > 0)
        tv_silent_because(view, "the learning rate was restarted at step %lld: swings are expected",
                          (long long)state->restarts.step);
    else if (state->evals.count == 0)
        tv_silent(view, "the training loss has not become rougher, and no evaluation loss is "
                        "logged");
    else
        tv_silent_because(view,
                          "%u turns of the evaluation loss and %u of the training loss are wide "
                          "enough (%lld and %lld are needed%s)",
                          state->eval.count, state->train.count, (long long)options->turns,
                          (long long)options->train_turns,
                          state->eval.count >= (uint32_t)options->turns &&
                                  state->train.count >= (uint32_t)options->train_turns
                              ? ", and no progress meanwhile"
                              : "");
}

static const struct tv_option options[] = {
    TV_OPTION_ROW(struct options, swing, DOUBLE, 0.15, 0.01, 1,
                  "part of the way from the first to the best loss; smaller swings do not count"),
    TV_OPTION_ROW(struct options, level, DOUBLE, 0.2, 0, 10, "the same as a part of the loss"),
    TV_OPTION_ROW(struct options, train_swing, DOUBLE, 0.1, 0.01, 1,
                  "part of the way that the training loss has to swing as well"),
    TV_OPTION_ROW(struct options, turns, INT, 3, 2, 1000,
                  "turning points of the evaluation loss: 3 are down, up, down and up again"),
    TV_OPTION_ROW(struct options, train_turns, INT, 2, 0, 1000,
                  "turning points of the training loss between evaluations"),
    TV_OPTION_ROW(struct options, progress, DOUBLE, 0.4, 0, 100,
                  "gain since the first low, as a part of the widest rise, that is progress"),
    TV_OPTION_ROW(struct options, unrest_noise, DOUBLE, 2.3, 1, 1000,
                  "times the noise of the training loss at its lowest that is unrest"),
    TV_OPTION_ROW(struct options, unrest_level, DOUBLE, 1.3, 1, 1000,
                  "times its lowest level that it must have risen to"),
    TV_OPTION_ROW(
        struct options, unrest_relative, DOUBLE, 1.5, 0, 1000,
        "times the calm noise, both as parts of the level: a higher loss is rougher anyway"),
    TV_OPTION_ROW(struct options, unrest_blind, DOUBLE, 0.4, 0, 1000,
                  "more than that where no 3 evaluations tell the weights from the data"),
    TV_OPTION_ROW(struct options, unrest_kept, DOUBLE, 0.6, 0, 10,
                  "part of its level that the second half of the window keeps; less is a recovery"),
    TV_OPTION_ROW(struct options, smooth, DOUBLE, 0.005, 0, 1,
                  "bends of the evaluations, as a part of them, below which the weights are calm"),
    TV_OPTION_ROW(struct options, unrest_share, DOUBLE, 0.003, 0, 1,
                  "part of the way from the start that it must have risen by"),
    TV_OPTION_ROW(struct options, alternation, DOUBLE, 0.05, 0, 100,
                  "part of the loss that its ups and downs in turn must be"),
    TV_OPTION_END,
};

const struct tv_detector tv_detector_oscillation = {
    .name = "oscillation",
    .summary = "the loss bounces without progress",
    .explain =
        "Three signs. The evaluation bounces: the turning points of the evaluation loss and of the "
        "mean training loss between\n"
        "evaluations are counted after warm-up. A turn counts when the loss comes back by more "
        "than `swing` of the way from the\n"
        "first to the best loss and by more than `level` of itself. Fires at `turns` turns of "
        "the evaluation and `train_turns` of\n"
        "the training loss, unless the best has come down since the first low by `progress` of "
        "the widest rise. The evaluation\n"
        "is on fixed data, so that its bouncing is the weights', not the batches'. Unrest: over "
        "a window (20\n"
        "points, a sixteenth of the run) the training loss is `unrest_level` times as high and "
        "`unrest_noise` times as rough as\n"
        "in its lowest window before, rougher also in relation to its level, still below its "
        "start and not on its way back (`unrest_kept`), by `unrest_share` of the way from there or "
        "more, and the evaluations since do not run "
        "smoothly (`smooth`); without them `unrest_blind` more is needed. Alternation: the "
        "training loss goes up and "
        "down in turn more often than chance does in one of 10,000 logs of its length (36 times "
        "in a row in 300 points), by `alternation` of itself or more and without progress. "
        "Onset: where the first\n"
        "rise, window or row began. Restarts of the learning rate excuse all.\n"
        "Source: the edge of stability, J. Cohen et al., ICLR 2021; D. Andre 1879 for alternating "
        "permutations; thresholds set on labelled runs.\n"
        "It cannot see bouncing without a rhythm that was there from the first point on when "
        "nothing is evaluated: it has the size and the autocorrelation of noisy batches, and "
        "alternation of data that come in turn looks the same where the length of an epoch is not "
        "known.",
    .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS) | TV_ROLE_BIT(TV_ROLE_EVAL_LOSS) |
             TV_ROLE_BIT(TV_ROLE_LEARNING_RATE),
    .options = options,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
