/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No progress although the learning rate should still give some: nothing was learnt from the start,
 * or the weights have stopped moving. */
#include "lib/advice.h"
#include "lib/learning.h"
#include "lib/plan.h"
#include "lib/silence.h"
#include "lib/standstill.h"
#include "lib/unlearnt.h"
#include <math.h>

struct options {
    double drop, effort, constant_effort, noisy_effort, useful_lr, zero_lr, still_share;
    int64_t points, still_points, still_evals;
};

enum {
    UNPLANNED_POINTS = 50, /* when the length of the run is not known */
    NOISY_POINTS = 30,     /* when noise hides small progress */
    DEAD_POINTS = 2        /* equal losses beside a gradient that trains nothing */
};

#define DEAD 1e-5 /* gradient norm over loss, as of gradient_vanishing */

struct state {
    struct tv_learning loss;
    struct tv_eval_learning evals;
    double effort; /* steps, weighted with the learning rate's part of its peak */
    struct tv_standstill still;
    bool fires;
    const char *said; /* and since when: what fires */
    int64_t said_onset;
    uint64_t confirmed; /* times */
};

struct verdict {
    const char *what, *cause, *advice;
    int64_t onset;
    double start, observed, expected, confidence;
    /* Which number decided, and what it took. */
    const char *decisive, *decisive_threshold;
    double value, threshold;
    double fall_needed; /* less is no progress */
};

/* Steps to the planned end; without a plan as many as were done. */
static double steps_left(const struct tv_view *view, const struct tv_learning *loss)
{
    double done = (double)loss->last_step - (double)loss->first_step;
    double left = (double)tv_view_total_steps(view) - (double)loss->last_step;
    return tv_view_total_steps(view) > 0 ? fmax(left, 0) : done;
}

static void add_loss(const struct tv_view *view, const struct options *options, struct state *state,
                     const struct tv_point *point)
{
    double share = tv_plan_logged_share(view);
    if (!isfinite(share))
        share = tv_plan_lr_share(view, point->step);
    double steps = state->loss.points ? (double)point->step - (double)state->loss.last_step : 0;
    state->effort += steps * (isfinite(share) ? tv_least(tv_most(share, 0), 1) : 1);
    tv_learning_add(&state->loss, point->step, point->value, options->drop,
                    (uint64_t)options->points);
}

/* So small beside the loss that no step moves anything. */
static bool gradient_is_dead(const struct tv_view *view, double start)
{
    struct tv_point gradient;
    return tv_view_last(view, TV_ROLE_GRAD_NORM, &gradient) && gradient.value > 0 &&
           gradient.value < DEAD * fabs(start);
}

/* Nothing was learnt since the start, with enough steps at a useful learning rate. */
static bool never_learnt(const struct tv_view *view, const struct options *options,
                         struct state *state, struct verdict *ret)
{
    struct tv_learning *loss = &state->loss;
    const struct tv_change *change = &loss->change;
    bool worse = loss->never_again;
    double start = worse ? loss->start[0] : loss->start_level, size = tv_learning_size(loss);
    double done = state->effort / tv_plan_length(view), left = steps_left(view, loss);
    bool constant = loss->high - loss->low <= 1e-4 * size && size > 0;
    bool dead = constant && loss->points >= DEAD_POINTS && gradient_is_dead(view, start);
    uint64_t points = dead       ? DEAD_POINTS
                      : constant ? TV_LEARNING_START + 1
                                 : (uint64_t)options->points;
    if (!constant && tv_view_total_steps(view) == 0 && points < UNPLANNED_POINTS)
        points = UNPLANNED_POINTS;
    double effort = dead ? 0 : constant ? options->constant_effort : options->effort;
    if (loss->points < points || done < effort || tv_learning_is_below(loss, start, options->drop))
        return false;
    if ((!isfinite(change->fall) && !dead) || tv_learning_will_fall(loss, options->drop, left) ||
        tv_eval_learning_will_fall(&state->evals, options->drop, left))
        return false;
    /* Noise hides small progress: then the evaluation decides, or more of the run. */
    double enough = options->drop * size, fall = fmax(change->fall, 0);
    bool no_trend = tv_change_z(&loss->means, &loss->change) > -1 && fall < enough &&
                    loss->points >= NOISY_POINTS;
    bool sure = (worse && done > options->noisy_effort) || fall + change->error < enough ||
                (no_trend && state->evals.points >= 3) ||
                (no_trend && done > options->noisy_effort && change->error < 1.5 * enough);
    if (!sure)
        return false;
    *ret = (struct verdict){
        .what = constant ? "the loss has not moved at all since the start"
                : worse  ? "the loss was never again as low as at its first point"
                         : "nothing was learnt since the start",
        .start = start,
        .onset = loss->first_step,
        .observed = change->last,
        .expected = start * (1 - options->drop),
        .confidence = constant                   ? 0.99
                      : state->evals.points >= 3 ? 0.95
                                                 : 0.85,
        .decisive = "run_share_at_peak_lr",
        .decisive_threshold = "run_share_at_peak_lr_threshold",
        .fall_needed = enough,
        .value = done,
        .threshold = effort,
    };
    return true;
}

static bool may_stand_still(const struct options *options, const struct state *state)
{
    return tv_standstill_possible(&state->still, (uint64_t)options->still_points);
}

/* The weights do not move while there is loss left. */
static bool stands_still(const struct tv_view *view, const struct options *options,
                         const struct state *state, struct verdict *ret)
{
    struct tv_standstill_limits limits = {
        .useful_lr = options->useful_lr,
        .share = options->still_share,
        .points = (uint64_t)options->still_points,
        .evals = (uint64_t)options->still_evals,
    };
    struct tv_standstill_finding found;
    double scale = fmax(fabs(state->loss.start_level), state->loss.high - state->loss.low);
    bool something_left = state->loss.points >= TV_LEARNING_START &&
                          fabs(tv_learning_level(&state->loss)) > 0.01 * scale;
    if (!something_left || !tv_standstill_judge(&state->still, view, &limits, &found))
        return false;
    *ret = (struct verdict){
        .what = found.what,
        .cause = found.cause,
        .advice = found.advice,
        .start = state->loss.start_level,
        .onset = found.onset,
        .observed = tv_learning_level(&state->loss),
        .expected = NAN,
        .confidence = 0.9,
        .decisive = "still_run_share",
        .decisive_threshold = "still_run_share_threshold",
        .value = found.share,
        .threshold = found.share_needed,
        .fall_needed = NAN,
    };
    return true;
}

static void raise(struct tv_view *view, struct state *state, const struct verdict *verdict)
{
    const char *tag = tv_view_tag(view, TV_ROLE_TRAIN_LOSS);
    struct tv_point gradient;
    struct tv_note note;
    struct tv_finding finding;
    double start = verdict->start, logged = tv_plan_logged_share(view);
    const struct tv_change change = state->loss.change;
    tv_note_init(&note, &finding, tag ? tag : "train_loss", TV_WARNING, verdict->onset);
    tv_note_summary(&note, "%s: the training loss is %s after %s at the start", verdict->what,
                    TV_DIGITS(tv_learning_level(&state->loss), 4), TV_DIGITS(start, 4));
    finding.observed = verdict->observed;
    finding.expected = verdict->expected;
    finding.confidence = verdict->confidence;
    tv_note_evidence(&note, verdict->decisive, verdict->value);
    tv_note_evidence(&note, verdict->decisive_threshold, verdict->threshold);
    tv_note_evidence(&note, "loss_at_start", start);
    tv_note_evidence(&note, "loss_now", tv_learning_level(&state->loss));
    tv_note_evidence(&note, "fall", change.fall);
    tv_note_evidence(&note, "fall_threshold", verdict->fall_needed);
    tv_note_evidence(&note, "fall_error", change.error);
    tv_note_evidence(&note, "trend_z", tv_change_z(&state->loss.means, &state->loss.change));
    tv_note_evidence(&note, "points", (double)state->loss.points);
    tv_note_evidence(&note, "steps_at_peak_lr", state->effort);
    tv_note_evidence(&note, "lr_share_of_peak", logged);
    tv_note_evidence(&note, "lr_share_promised", tv_plan_lr_share(view, tv_view_step(view)));
    if (verdict->cause)
        tv_note_cause(&note, "%s", verdict->cause);
    bool is_dead = false;
    if (tv_view_last(view, TV_ROLE_GRAD_NORM, &gradient)) {
        tv_note_evidence(&note, "grad_norm", gradient.value);
        is_dead = gradient.value < 1e-4;
        if (is_dead)
            tv_note_cause(&note, "the gradient vanishes (norm %.2g)", gradient.value);
    }
    if (verdict->advice)
        tv_note_advice(&note, "%s", verdict->advice);
    else
        tv_unlearnt_tell(&note, view, &state->loss.change, verdict->fall_needed, is_dead);
    tv_raise(view, &finding);
}

/* It learns after all, and everything moves. */
static bool is_back(const struct options *options, const struct state *state)
{
    double start = state->loss.start_level,
           scale = fmax(fabs(start), state->loss.high - state->loss.low);
    return start - tv_learning_level(&state->loss) > 2 * options->drop * scale &&
           tv_standstill_none(&state->still);
}

/* Said anew when it is about something else, and ever more rarely with newer numbers. */
static bool is_news(struct state *state, const struct verdict *verdict)
{
    bool is_same =
        state->fires && state->said == verdict->what && state->said_onset == verdict->onset;
    state->said = verdict->what;
    state->said_onset = verdict->onset;
    state->confirmed = is_same ? state->confirmed + 1 : 0;
    bool is_power_of_2 = (state->confirmed & (state->confirmed - 1)) == 0;
    return is_power_of_2 && !(state->confirmed & 0xAAAAAAAAAAAAAAAA); /* 0, 1, 4, 16, 64, ... */
}

static bool is_plateau(const struct tv_view *view, const struct options *options,
                       struct state *state, struct verdict *ret)
{
    if (may_stand_still(options, state) && stands_still(view, options, state, ret))
        return true;
    return !state->loss.has_fallen && never_learnt(view, options, state, ret);
}

static void judge(struct tv_view *view, const struct options *options, struct state *state)
{
    struct verdict verdict;
    if (state->loss.has_fallen && !state->fires && !may_stand_still(options, state))
        return; /* most points end here */
    if (is_plateau(view, options, state, &verdict)) {
        if (is_news(state, &verdict))
            raise(view, state, &verdict);
        state->fires = true;
        return;
    }
    if (state->fires && is_back(options, state)) {
        tv_withdraw(view, tv_view_tag(view, TV_ROLE_TRAIN_LOSS));
        state->fires = false;
    }
}

static void add_eval(struct state *state, const struct tv_point *point)
{
    if (state->evals.points && point->step <= state->still.eval.last)
        return;
    tv_standstill_add_eval(&state->still, point, state->evals.points == 0);
    tv_eval_learning_add(&state->evals, point->step, point->value);
}

static void on_sample(struct tv_view *view, const void *options_, void *state_,
                      const struct tv_point *point)
{
    const struct options *options = options_;
    struct state *state = state_;
    if (tv_view_is_rl(view) || !isfinite(point->value))
        return;
    switch (point->role) {
    case TV_ROLE_TRAIN_LOSS:
        if (state->loss.points && point->step <= state->loss.last_step)
            return; /* a resumed run repeats itself */
        add_loss(view, options, state, point);
        break;
    case TV_ROLE_GRAD_NORM:
        tv_still_add(&state->still.gradient, point->step, point->value, point->value == 0);
        break;
    case TV_ROLE_LEARNING_RATE:
        tv_still_add(&state->still.lr, point->step, point->value,
                     state->loss.points > TV_LEARNING_START &&
                         point->value <= options->zero_lr * tv_view_peak_lr(view));
        break;
    default:
        add_eval(state, point);
    }
    judge(view, options, state);
}

static void on_end(struct tv_view *view, const void *options_, void *state_)
{
    const struct options *options = options_;
    struct state *state = state_;
    struct verdict verdict;
    if (tv_silent_about_loss(view))
        return;
    if (state->fires && is_plateau(view, options, state, &verdict)) {
        raise(view, state, &verdict);
        return;
    }
    if (state->loss.points < (uint64_t)options->points) {
        tv_silent_because(view, "needs %lld training losses, has %llu", (long long)options->points,
                          (unsigned long long)state->loss.points);
        return;
    }
    double start = state->loss.start_level, now = tv_learning_level(&state->loss);
    double done = state->effort / tv_plan_length(view);
    if (start - now > options->drop * fabs(start))
        tv_silent_because(view, "the training loss fell from %.4g to %.4g", start, now);
    else if (done < options->effort)
        tv_silent_because(view,
                          "the training loss has not fallen yet (%.4g, %.4g at the start), after "
                          "%.2g %% of the plan at its peak learning rate (%.3g %% is needed)",
                          now, start, 100 * done, 100 * options->effort);
    else
        tv_silent_because(view,
                          "the training loss is at %.4g after %.4g at the start, but it had "
                          "fallen, is falling, or its noise would hide that, or the evaluation "
                          "learns",
                          now, start);
}

static const struct tv_option options[] = {
    TV_OPTION_ROW(struct options, drop, DOUBLE, 0.028, 0, 1,
                  "part of the first loss; falling by less is no learning"),
    TV_OPTION_ROW(struct options, effort, DOUBLE, 0.15, 0, 1,
                  "part of the planned steps, counted at the peak learning rate, before judging"),
    TV_OPTION_ROW(struct options, constant_effort, DOUBLE, 0.03, 0, 1,
                  "the same when the loss is constant to 4 digits"),
    TV_OPTION_ROW(struct options, noisy_effort, DOUBLE, 0.4, 0, 1,
                  "the same when noise hides small progress and nothing is evaluated"),
    TV_OPTION_ROW(struct options, points, INT, 10, 5, 1e9,
                  "points of the training loss before judging (50 when the plan is not known)"),
    TV_OPTION_ROW(struct options, useful_lr, DOUBLE, 0.1, 0, 1,
                  "part of the peak; below it no progress is expected"),
    TV_OPTION_ROW(struct options, zero_lr, DOUBLE, 0.001, 0, 1,
                  "part of the peak; a logged learning rate up to this is none"),
    TV_OPTION_ROW(struct options, still_points, INT, 5, 2, 1e9,
                  "points that the gradient norm or the learning rate must be 0 for"),
    TV_OPTION_ROW(struct options, still_evals, INT, 4, 2, 1e9,
                  "successive equal evaluations that mean that the weights stand still"),
    TV_OPTION_ROW(struct options, still_share, DOUBLE, 0.05, 0, 1,
                  "part of the planned steps that it must last"),
    TV_OPTION_END,
};

const struct tv_detector tv_detector_loss_plateau = {
    .name = "loss_plateau",
    .summary = "no progress although the schedule still gives a useful learning rate",
    .explain =
        "Two cases. Nothing learnt: after `effort` of the planned steps (each counted with its "
        "learning rate's part of the peak,\n"
        "so that warm-up does not count) the mean training loss of the last third is not more "
        "than `drop` below that of the\n"
        "first third and below the first 5 points, a significant trend (Mann-Kendall) does not "
        "lead twice as far by the planned\n"
        "end (Theil-Sen slope), and neither has the evaluation loss come so far nor is it on its "
        "way. Where the noise is larger\n"
        "than `drop`, 3 evaluations or `noisy_effort` are needed. A loss that is constant to 4 "
        "digits takes `constant_effort`, and only 2 points beside a gradient norm below 1e-5 of "
        "it. Also nothing learnt: all later points lie 5 % and 3 noises above the first one. "
        "Standing still: the gradient "
        "norm is exactly 0, or the logged\n"
        "learning rate is 0 long before the planned end, or `still_evals` evaluations are equal "
        "to 7 digits (rounded ones twice as many), for `still_share` of the planned steps while "
        "the schedule\n"
        "promises at least `useful_lr` of the peak.\n"
        "Source: H. B. Mann 1945, P. K. Sen 1968 for the trend; thresholds measured on labelled "
        "runs, where plateau rules on\n"
        "short windows alarm on a third of healthy runs.\n"
        "A loss that fell and then stays flat while weights move is not reported: from the log "
        "alone it cannot be told from\n"
        "convergence. It cannot see that a better minimum exists. Withdrawn when the loss falls "
        "after all; what once fell by twice `drop` and 4 standard errors was learnt, whatever "
        "comes "
        "after.",
    .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS) | TV_ROLE_BIT(TV_ROLE_EVAL_LOSS) |
             TV_ROLE_BIT(TV_ROLE_GRAD_NORM) | TV_ROLE_BIT(TV_ROLE_LEARNING_RATE),
    .options = options,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
