/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No progress although the learning rate should still give some: nothing was learnt from the start,
 * or the weights have stopped moving. */
#include "lib/advice.h"
#include "lib/change.h"
#include "lib/lr_text.h"
#include "lib/note.h"
#include "lib/plan.h"
#include "lib/robust.h"
#include "lib/silence.h"
#include "lib/standstill.h"
#include "lib/thin.h"
#include "trainvet/number.h"
#include <math.h>
#include <string.h>

struct options {
    double drop, effort, constant_effort, noisy_effort, useful_lr, zero_lr, still_share;
    int64_t points, still_points, still_evals;
};

enum {
    START = 5,
    UNPLANNED_POINTS = 50, /* when the length of the run is not known */
    NOISY_POINTS = 30,     /* when noise hides small progress */
    MANY_EVALS = 10,       /* from so many on their lowest is low by chance */
    DEAD_POINTS = 2        /* equal losses beside a gradient that trains nothing */
};

#define DEAD 1e-5 /* gradient norm over loss, as of gradient_vanishing */

struct state {
    struct tv_thin loss, eval_loss;
    struct tv_change change, eval_change; /* of the two, kept up to date */
    double start[START];                  /* first points */
    uint32_t start_len;
    double start_level;           /* median of those */
    double low, high;             /* of all points */
    double later_low;             /* of all but the first */
    double level_low, level_high; /* of their levels: a spike is in none */
    uint64_t points;
    int64_t first_step, second_step, last_step;
    double effort; /* steps, weighted with the learning rate's part of its peak */
    double recent[START];
    double swing; /* sum of the differences of neighbours */
    struct tv_standstill still;
    double eval_first, eval_lowest;
    double eval_noise; /* the least that they have had: not that of a divergence */
    uint64_t evals;
    bool has_fallen;  /* the training loss, by more than its noise */
    bool has_learnt;  /* it has once, for certain */
    bool never_again; /* has it been as low as at its first point */
    bool fires;
    const char *said; /* and since when: what fires */
    int64_t said_onset;
    uint64_t confirmed; /* times */
};

static double level_now(const struct state *state)
{
    size_t n = state->points < START ? (size_t)state->points : START;
    return tv_median_of(state->recent + START - n, n);
}

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
static double steps_left(const struct tv_view *view, const struct state *state)
{
    double done = (double)state->last_step - (double)state->first_step;
    double left = (double)tv_view_total_steps(view) - (double)state->last_step;
    return tv_view_total_steps(view) > 0 ? fmax(left, 0) : done;
}

/* The evaluation loss has little noise: what it has come and what it is heading for. */
static bool eval_learns(const struct tv_view *view, const struct options *options,
                        struct state *state)
{
    double enough = options->drop * fabs(state->eval_first);
    double fall = state->eval_first - state->eval_lowest, chance = 0;
    if (state->evals < 2)
        return false;
    if (state->evals >= MANY_EVALS) /* about what the lowest of so many is below their level */
        chance = state->eval_noise * sqrt(2 * log((double)state->evals));
    if (fall > enough + tv_most(chance, 0))
        return true;
    const struct tv_thin *eval = &state->eval_loss;
    double slope = tv_change_slope(eval, &state->eval_change);
    if (eval->len == 2)
        slope = (eval->value[1] - eval->value[0]) / ((double)eval->step[1] - (double)eval->step[0]);
    return fall - slope * steps_left(view, state) > 2 * enough;
}

/* What a fall is measured against. */
static double size_of(const struct state *state)
{
    double size = fabs(state->start_level);
    bool has_sign = state->start_level <= 0 || state->low <= 0;
    return has_sign ? tv_most(size, (state->level_high - state->level_low) / 2) : size;
}

/* The training loss has fallen by more than its noise can feign. */
static bool has_fallen(const struct options *options, const struct state *state)
{
    const struct tv_change *change = &state->change;
    double start = state->start_level, enough = options->drop * size_of(state);
    /* A median of START values has about 0.54 of their deviation. */
    double single = state->swing / ((double)state->points - 1) / 1.128;
    double start_error = 0.54 * tv_least(change->point_noise, single);
    double lowest = tv_least(change->last, change->middle); /* it may have risen again since */
    return start - lowest > tv_most(enough, 2 * start_error) ||
           change->fall > enough + 1.5 * change->error;
}

/* What was learnt for certain stays learnt when it is lost again: that is a divergence, whose noise
 * must not hide it. */
static bool has_learnt(const struct options *options, const struct state *state)
{
    const struct tv_change *change = &state->change;
    return state->points >= (uint64_t)options->points &&
           change->fall > 2 * options->drop * size_of(state) + 4 * change->error;
}

/* The first point, as long a mean as the others, lies clearly below all that came after it. */
static bool was_never_better(const struct state *state)
{
    double first = state->start[0];
    return state->later_low > first * 1.05 && first > 0 && state->points >= NOISY_POINTS &&
           state->first_step + 1 >= state->second_step - state->first_step &&
           state->later_low > first + 3 * state->change.point_noise;
}

static void add_loss(const struct tv_view *view, const struct options *options, struct state *state,
                     const struct tv_point *point)
{
    double share = tv_plan_logged_share(view);
    if (!isfinite(share))
        share = tv_plan_lr_share(view, point->step);
    double steps = state->points ? (double)point->step - (double)state->last_step : 0;
    state->effort += steps * (isfinite(share) ? tv_least(tv_most(share, 0), 1) : 1);
    if (state->points == 0) {
        state->first_step = point->step;
        state->low = state->high = point->value;
    }
    if (state->points == 1) {
        state->second_step = point->step;
        state->later_low = point->value;
    }
    state->later_low = tv_least(state->later_low, point->value);
    state->low = tv_least(state->low, point->value);
    state->high = tv_most(state->high, point->value);
    if (state->start_len < START) {
        state->start[state->start_len++] = point->value;
        state->start_level = tv_median_of(state->start, state->start_len);
    }
    if (state->points)
        state->swing += fabs(point->value - state->recent[START - 1]);
    memmove(state->recent, state->recent + 1, sizeof state->recent - sizeof *state->recent);
    state->recent[START - 1] = point->value;
    state->last_step = point->step;
    state->points++;
    double level = level_now(state);
    bool has_level = state->points > START;
    state->level_low = has_level ? tv_least(state->level_low, level) : level;
    state->level_high = has_level ? tv_most(state->level_high, level) : level;
    if (tv_thin_add(&state->loss, point->step, point->value))
        state->change = tv_change_of(&state->loss);
    state->never_again = was_never_better(state);
    state->has_learnt = state->has_learnt || has_learnt(options, state);
    state->has_fallen = !state->never_again && (state->has_learnt || has_fallen(options, state));
}

/* A spike hides in the mean of the last third how far the loss has come, not in a median. Two
 * medians of START values differ by about 0.76 of their deviation. */
static bool level_has_fallen(const struct options *options, const struct state *state, double start,
                             double size)
{
    return start - level_now(state) >
           fmax(2 * options->drop * size, 4 * 0.76 * state->change.point_noise);
}

/* So small beside the loss that no step moves anything. */
static bool gradient_is_dead(const struct tv_view *view, double start)
{
    struct tv_point gradient;
    return tv_view_last(view, TV_ROLE_GRAD_NORM, &gradient) && gradient.value > 0 &&
           gradient.value < DEAD * fabs(start);
}

/* Or it is on its way. */
static bool is_falling(const struct tv_view *view, const struct options *options,
                       struct state *state, double size)
{
    struct tv_change *change = &state->change;
    double enough = options->drop * size;
    if (tv_change_z(&state->loss, change) >= -2.5)
        return false;
    double ahead = -tv_change_slope(&state->loss, change) * steps_left(view, state);
    if (state->never_again)
        return ahead > level_now(state) - state->start[0] + enough;
    return change->fall + ahead > 2 * enough;
}

/* Nothing was learnt since the start, with enough steps at a useful learning rate. */
static bool never_learnt(const struct tv_view *view, const struct options *options,
                         struct state *state, struct verdict *ret)
{
    bool worse = state->never_again;
    double start = worse ? state->start[0] : state->start_level, size = size_of(state);
    const struct tv_change *change = &state->change;
    double done = state->effort / tv_plan_length(view);
    bool constant = state->high - state->low <= 1e-4 * size && size > 0;
    bool dead = constant && state->points >= DEAD_POINTS && gradient_is_dead(view, start);
    uint64_t points = dead ? DEAD_POINTS : constant ? START + 1 : (uint64_t)options->points;
    if (!constant && tv_view_total_steps(view) == 0 && points < UNPLANNED_POINTS)
        points = UNPLANNED_POINTS;
    double effort = dead ? 0 : constant ? options->constant_effort : options->effort;
    if (state->points < points || done < effort || level_has_fallen(options, state, start, size))
        return false;
    if ((!isfinite(change->fall) && !dead) || is_falling(view, options, state, size) ||
        eval_learns(view, options, state))
        return false;
    /* Noise hides small progress: then the evaluation decides, or more of the run. */
    double enough = options->drop * size, fall = fmax(change->fall, 0);
    bool no_trend = tv_change_z(&state->loss, &state->change) > -1 && fall < enough &&
                    state->points >= NOISY_POINTS;
    bool sure = (worse && done > options->noisy_effort) || fall + change->error < enough ||
                (no_trend && state->evals >= 3) ||
                (no_trend && done > options->noisy_effort && change->error < 1.5 * enough);
    if (!sure)
        return false;
    *ret = (struct verdict){
        .what = constant ? "the loss has not moved at all since the start"
                : worse  ? "the loss was never again as low as at its first point"
                         : "nothing was learnt since the start",
        .start = start,
        .onset = state->first_step,
        .observed = change->last,
        .expected = start * (1 - options->drop),
        .confidence = constant            ? 0.99
                      : state->evals >= 3 ? 0.95
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
    double scale = fmax(fabs(state->start_level), state->high - state->low);
    bool something_left = state->points >= START && fabs(level_now(state)) > 0.01 * scale;
    if (!something_left || !tv_standstill_judge(&state->still, view, &limits, &found))
        return false;
    *ret = (struct verdict){
        .what = found.what,
        .cause = found.cause,
        .advice = found.advice,
        .start = state->start_level,
        .onset = found.onset,
        .observed = level_now(state),
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

static double usual_rate(const struct tv_view *view)
{
    struct tv_setting setting;
    return tv_view_setting(view, "lora_rank", &setting) ? 1e-4 : 2e-5;
}

/* A rate that is too low leaves the loss where it is: it neither rises nor swings by what a fall
 * would have had to be. Below what is usual the swings are those of the batches. */
static bool is_too_high(const struct tv_view *view, const struct state *state,
                        const struct verdict *verdict, double usual)
{
    double error = state->change.error, needed = verdict->fall_needed;
    double peak = tv_view_peak_lr(view);
    return !(peak < usual / 5) && (error > needed || -state->change.fall > fmax(2 * error, needed));
}

/* Not beyond what every optimizer learns with: there a higher one is no answer. */
static bool may_be_low(const struct tv_view *view, double usual)
{
    return !(tv_view_peak_lr(view) > 50 * usual);
}

static void advise(const struct tv_view *view, const struct state *state,
                   const struct verdict *verdict, double usual, bool is_dead, struct tv_note *note)
{
    struct tv_setting setting;
    double peak = tv_view_peak_lr(view);
    if (verdict->advice) {
        tv_note_advice(note, "%s", verdict->advice);
        return;
    }
    if (is_dead) {
        tv_note_advice(note, "look for frozen or detached parameters and a dead initialisation: no "
                             "learning rate makes up for such a gradient");
    } else if (is_too_high(view, state, verdict, usual)) {
        tv_advise_lower_lr(view, note, peak / 10);
    } else if (!may_be_low(view, usual)) {
        tv_note_advice(note, "look which parameters require gradients and which ones the "
                             "optimizer has");
    } else if (tv_lr_setting(view, TV_LR_PEAK_KEYS, &setting) && setting.number > 0) {
        if (setting.number < usual / 5)
            tv_note_advice(note, "%s: %s -> %g, usual for %s", setting.key, setting.value, usual,
                           usual > 5e-5 ? "LoRA" : "fine-tuning");
        else
            tv_note_advice(note, "%s: %s -> %s (10 times as much) on a short trial", setting.key,
                           setting.value, TV_DIGITS(10 * setting.number, 2));
    } else if (peak > 0)
        tv_note_advice(note, "try a peak learning rate of %s, 10 times as much, on a short trial",
                       TV_DIGITS(10 * peak, 2));
    tv_note_advice(note, "train on one batch only: when even that is not learnt, look for frozen "
                         "parameters, wrong labels or a dead initialisation");
}

#define DETACHED                                                                                   \
    "the trainable parameters do not reach the loss, or labels and inputs do not belong together"

static void guess(const struct tv_view *view, const struct state *state,
                  const struct verdict *verdict, double usual, bool is_dead, struct tv_note *note)
{
    double peak = tv_view_peak_lr(view);
    bool is_high = is_too_high(view, state, verdict, usual);
    bool is_usual = !is_high && !may_be_low(view, usual);
    if (is_dead) {
        tv_note_cause(note, "the signal dies on its way through the layers");
    } else if (is_usual) {
        tv_note_cause(note, DETACHED);
    } else if (peak > 0) {
        tv_note_cause(note, "the learning rate is far too %s (peak %s)", is_high ? "high" : "low",
                      TV_DIGITS(peak, 2));
    } else {
        tv_note_cause(note, "the learning rate is far too %s", is_high ? "high" : "low");
    }
    if (state->change.error > verdict->fall_needed)
        tv_note_cause(note, "the noise of the losses hides what is learnt");
    else if (is_dead || !is_high)
        tv_note_cause(note, "a learning rate that was far too high has killed the units early on");
    if (is_dead || !is_usual)
        tv_note_cause(note, DETACHED);
    if (!is_dead && !is_high)
        tv_note_cause(note, "the run began with weights that had learnt all this before");
}

static void raise(struct tv_view *view, struct state *state, const struct verdict *verdict)
{
    const char *tag = tv_view_tag(view, TV_ROLE_TRAIN_LOSS);
    struct tv_point gradient;
    struct tv_note note;
    struct tv_finding finding;
    double start = verdict->start, logged = tv_plan_logged_share(view);
    double usual = usual_rate(view);
    const struct tv_change change = state->change;
    tv_note_init(&note, &finding, tag ? tag : "train_loss", TV_WARNING, verdict->onset);
    tv_note_summary(&note, "%s: the training loss is %s after %s at the start", verdict->what,
                    TV_DIGITS(level_now(state), 4), TV_DIGITS(start, 4));
    finding.observed = verdict->observed;
    finding.expected = verdict->expected;
    finding.confidence = verdict->confidence;
    tv_note_evidence(&note, verdict->decisive, verdict->value);
    tv_note_evidence(&note, verdict->decisive_threshold, verdict->threshold);
    tv_note_evidence(&note, "loss_at_start", start);
    tv_note_evidence(&note, "loss_now", level_now(state));
    tv_note_evidence(&note, "fall", change.fall);
    tv_note_evidence(&note, "fall_threshold", verdict->fall_needed);
    tv_note_evidence(&note, "fall_error", change.error);
    tv_note_evidence(&note, "trend_z", tv_change_z(&state->loss, &state->change));
    tv_note_evidence(&note, "points", (double)state->points);
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
    if (!verdict->cause)
        guess(view, state, verdict, usual, is_dead, &note);
    advise(view, state, verdict, usual, is_dead, &note);
    tv_raise(view, &finding);
}

/* It learns after all, and everything moves. */
static bool is_back(const struct options *options, const struct state *state)
{
    double start = state->start_level, scale = fmax(fabs(start), state->high - state->low);
    return start - level_now(state) > 2 * options->drop * scale &&
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
    return state->confirmed <= 4 || (state->confirmed & (state->confirmed - 1)) == 0;
}

static bool is_plateau(const struct tv_view *view, const struct options *options,
                       struct state *state, struct verdict *ret)
{
    if (may_stand_still(options, state) && stands_still(view, options, state, ret))
        return true;
    return !state->has_fallen && never_learnt(view, options, state, ret);
}

static void judge(struct tv_view *view, const struct options *options, struct state *state)
{
    struct verdict verdict;
    if (state->has_fallen && !state->fires && !may_stand_still(options, state))
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
    if (state->evals && point->step <= state->still.eval.last)
        return;
    tv_standstill_add_eval(&state->still, point, state->evals == 0);
    if (!state->evals)
        state->eval_first = state->eval_lowest = point->value;
    state->eval_lowest = fmin(state->eval_lowest, point->value);
    if (tv_thin_add(&state->eval_loss, point->step, point->value))
        state->eval_change = tv_change_of(&state->eval_loss);
    double noise = state->eval_change.point_noise;
    if (state->evals >= MANY_EVALS / 2 && (state->eval_noise == 0 || noise < state->eval_noise))
        state->eval_noise = noise;
    state->evals++;
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
        if (state->points && point->step <= state->last_step)
            return; /* a resumed run repeats itself */
        add_loss(view, options, state, point);
        break;
    case TV_ROLE_GRAD_NORM:
        tv_still_add(&state->still.gradient, point->step, point->value, point->value == 0);
        break;
    case TV_ROLE_LEARNING_RATE:
        tv_still_add(&state->still.lr, point->step, point->value,
                     state->points > START &&
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
    if (state->points < (uint64_t)options->points) {
        tv_silent_because(view, "needs %lld training losses, has %llu", (long long)options->points,
                          (unsigned long long)state->points);
        return;
    }
    double start = state->start_level, now = level_now(state);
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
