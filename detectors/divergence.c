/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The training loss leaves its level upwards and does not come back. */
#include "lib/advice.h"
#include "lib/note.h"
#include "lib/rise.h"
#include "lib/silence.h"
#include "lib/warmup.h"
#include <math.h>

struct options {
    struct tv_rise_limits rise;
    double back;
    int64_t dead_points;
};

struct state {
    struct tv_rise rise;
    double base_lr;            /* learning rate at the base of the level, since the warm-up */
    double before_lr, calm_lr; /* before the fast rule began, and at the last point not above */
    int64_t dead_step;
    double last_lr, max_lr, jump_from, jump_to;
    int64_t jump_step;
    double said_peak;
    uint32_t attempt;
    uint32_t dead;        /* points in a row that are no number */
    uint32_t kick_points; /* points left under the influence of the jump */
    bool gradient_dead, is_raised;
    bool is_early;  /* raised one point early: withdrawn if it comes back at once */
    bool restarted; /* the learning rate jumped back up since the base */
};

enum rule { FAST, SLOW, DEAD };

static int64_t dead_needed(const struct state *state, const struct options *options)
{
    if (state->rise.above > 0 && state->gradient_dead)
        return 1;
    return state->gradient_dead ? options->dead_points : 3 * options->dead_points;
}

/* NaN where none is known. */
static double good_lr(const struct tv_view *view, const struct state *state, enum rule rule)
{
    double logged = tv_view_count(view, TV_ROLE_LEARNING_RATE) ? state->before_lr : NAN;
    return rule == SLOW ? state->base_lr : logged;
}

static void causes(const struct tv_view *view, const struct state *state, enum rule rule,
                   int64_t onset, struct tv_note *note)
{
    double peak = tv_view_peak_lr(view), lr = good_lr(view, state, rule);
    bool kicked = state->jump_to > 1.2 * lr &&
                  state->jump_step >= onset - (onset - tv_view_first_step(view)) / 20;
    if (kicked)
        tv_note_cause(note, "the learning rate jumped from %s to %s at step %lld",
                      TV_SHOW(state->jump_from), TV_SHOW(state->jump_to),
                      (long long)state->jump_step);
    if (rule == DEAD || state->gradient_dead)
        tv_note_cause(note, "the values became NaN or infinite (see non_finite)");
    if (lr < 0.1 * peak)
        tv_note_cause(note,
                      "a change of the data or the weights: the learning rate is already low (%s)",
                      TV_SHOW(lr));
    if (isnan(lr))
        tv_note_cause(note, "a learning rate too high for this stage of the run");
    else if (!kicked)
        tv_note_cause(note, "learning rate %s too high for this stage of the run", TV_SHOW(lr));
    tv_note_cause(note, "a bad batch whose update damaged the weights or the optimizer state");
    tv_note_cause(note, "harder data from this step on, if that was intended (curriculum)");
    tv_note_advice(note, "stop and resume from the last checkpoint before step %lld",
                   (long long)onset);
    if (kicked)
        tv_note_advice(note, "learning rate: back to %s, as before step %lld", TV_SHOW(lr),
                       (long long)state->jump_step);
    else
        tv_advise_lower_lr(view, note, peak / 3);
    tv_advise_clipping(view, note);
}

/* What decided, beside what it took. */
static void add_decision(const struct options *options, const struct state *state, enum rule rule,
                         struct tv_note *note)
{
    if (rule == DEAD) {
        tv_note_evidence(note, "points", state->dead);
        tv_note_evidence(note, "points_threshold", (double)dead_needed(state, options));
        note->finding->confidence = state->gradient_dead ? 1 : 0.9;
        return;
    }
    tv_note_evidence(note, "rise", state->rise.size);
    tv_note_evidence(note, "rise_threshold", state->rise.size_needed);
    tv_note_evidence(note, "progress_undone", state->rise.share);
    tv_note_evidence(note, "progress_undone_threshold", state->rise.share_needed);
    tv_note_evidence(note, "points", rule == SLOW ? state->rise.held : state->rise.above);
    double margin = fmin(state->rise.size / state->rise.size_needed,
                         state->rise.share / state->rise.share_needed);
    note->finding->confidence = tv_margin_confidence(margin, 1);
}

static void raise(struct tv_view *view, const struct options *options, struct state *state,
                  enum rule rule)
{
    const char *tag = tv_view_tag(view, TV_ROLE_TRAIN_LOSS);
    double from = rule == SLOW ? state->rise.level.base : state->rise.before;
    double to = rule == SLOW ? state->rise.level.now : state->rise.peak;
    int64_t onset = rule == SLOW   ? state->rise.held_step
                    : rule == DEAD ? state->dead_step
                                   : state->rise.above_step;
    double lr = good_lr(view, state, rule);
    bool is_critical = rule != SLOW || state->rise.loss.is_raw || from <= 0 || to > 1.5 * from;
    struct tv_note note;
    struct tv_finding finding;
    tv_note_init(&note, &finding, tag ? tag : "train_loss", is_critical ? TV_CRITICAL : TV_WARNING,
                 onset);
    finding.observed = rule == DEAD ? NAN : to;
    finding.expected = from;
    if (rule == DEAD)
        tv_note_summary(&note, "loss was %s and is no number since step %lld", TV_SHOW(from),
                        (long long)onset);
    else
        tv_note_summary(&note, "loss rose from %s to %s since step %lld and does not come back",
                        TV_SHOW(from), TV_SHOW(to), (long long)onset);
    tv_note_evidence(&note, "lowest_loss", state->rise.descent.lowest);
    tv_note_evidence(&note, "level_before", from);
    tv_note_evidence(&note, "noise", tv_innovation_noise(&state->rise.loss));
    if (!isnan(lr))
        tv_note_evidence(&note, "last_good_lr", lr);
    add_decision(options, state, rule, &note);
    causes(view, state, rule, onset, &note);
    tv_raise(view, &finding);
    state->is_raised = true;
    state->is_early = false;
    state->said_peak = fabs(to);
}

static void learn(struct tv_view *view, struct state *state, const struct tv_point *point)
{
    tv_running_level_add(&state->rise.level, point->value);
    if (point->step <= tv_warmup_end(view) || state->rise.held > 0 || state->rise.above > 0)
        return;
    if (tv_running_level_accept(&state->rise.level, point->step, point->value)) {
        state->base_lr = tv_rate_now(view);
        state->restarted = false;
    }
}

static void follow(struct tv_view *view, const struct options *options, struct state *state,
                   double value)
{
    const char *tag = tv_view_tag(view, TV_ROLE_TRAIN_LOSS);
    state->is_early &=
        tv_rise_undone(&state->rise, value) < options->rise.fast_undone; /* a third one up there */
    double now = tv_running_level_of_last(&state->rise.level, state->is_early ? 3 : 5);
    double back = state->is_early ? options->rise.slow_undone : options->back;
    if (state->rise.level.ring_len >= 3 && tv_descent_undone(&state->rise.descent, now) < back) {
        state->is_raised = false;
        state->rise.held = state->rise.above = 0;
        (state->is_early ? tv_withdraw : tv_clear)(view, tag ? tag : "train_loss");
    } else if (state->rise.above > 0 && state->rise.peak > 2 * state->said_peak) {
        raise(view, options, state, FAST);
    }
}

static void on_loss(struct tv_view *view, const struct options *options, struct state *state,
                    const struct tv_point *point)
{
    struct tv_rise *rise = &state->rise;
    bool is_fast = false;
    state->dead = 0;
    state->kick_points -= state->kick_points > 0;
    if (!state->is_raised) {
        bool is_kick = state->kick_points > 0;
        is_fast = tv_rise_is_fast(rise, &options->rise, point->step, point->value, is_kick);
        if (rise->above == 1)
            state->before_lr = is_kick ? state->jump_from : state->calm_lr;
    } else if (rise->above) {
        rise->above++;
        rise->peak = fmax(rise->peak, point->value);
    }
    learn(view, state, point);
    if (rise->above == 0 && !state->is_raised) {
        state->calm_lr = state->last_lr;
        tv_descent_add(&rise->descent, point->step, point->value);
        tv_innovation_accept(&rise->loss, point->value);
    }
    if (state->is_raised) {
        follow(view, options, state, point->value);
    } else if (is_fast) {
        raise(view, options, state, FAST);
        state->is_early = rise->above < options->rise.fast_points && state->kick_points == 0;
    } else if (tv_rise_is_slow(rise, &options->rise, point->step, state->restarted)) {
        raise(view, options, state, SLOW);
    }
}

/* One point far up whose gradient is no number: the weights are gone. Loss scaling skips such a
 * step. */
static void on_dead_gradient(struct tv_view *view, const struct options *options,
                             struct state *state)
{
    bool scaled = tv_setting_is_true(view, "fp16") || tv_view_count(view, TV_ROLE_LOSS_SCALE) > 0;
    if (state->rise.above > 0 && !state->is_raised && !scaled &&
        state->rise.above_share > options->rise.far_undone)
        raise(view, options, state, FAST);
}

/* No number, or the zero that stands for one in a filtered log. */
static void on_dead(struct tv_view *view, const struct options *options, struct state *state,
                    const struct tv_point *point)
{
    if (state->dead++ == 0) {
        state->dead_step = state->rise.above ? state->rise.above_step : point->step;
        if (!state->rise.above) {
            state->rise.before = state->rise.level.now;
            state->before_lr = state->calm_lr;
        }
    }
    if (!state->is_raised && state->dead >= dead_needed(state, options) &&
        state->rise.level.points >= 6)
        raise(view, options, state, DEAD);
}

static void on_rate(struct state *state, const struct tv_point *point)
{
    double rate = point->value;
    if (!isfinite(rate))
        return;
    if (state->last_lr > 0 && rate > 2 * state->last_lr && state->rise.level.has_base) {
        state->restarted = rate <= 1.2 * state->max_lr;
        if (!state->restarted) {
            state->jump_from = state->last_lr;
            state->jump_to = rate;
            state->jump_step = point->step;
            state->kick_points = 10;
        }
    }
    state->last_lr = rate;
    state->max_lr = fmax(state->max_lr, rate);
}

/* An earlier checkpoint has an earlier level: what came after it is no longer the base. */
static void begin_attempt(struct state *state, uint32_t attempt)
{
    state->attempt = attempt;
    tv_running_level_forget(&state->rise.level);
    state->rise.held = state->rise.above = 0;
}

static void on_sample(struct tv_view *view, const void *options_, void *state_,
                      const struct tv_point *point)
{
    const struct options *options = options_;
    struct state *state = state_;
    if (tv_view_is_rl(view))
        return;
    if (tv_view_attempt(view) != state->attempt)
        begin_attempt(state, tv_view_attempt(view));
    if (point->role == TV_ROLE_LEARNING_RATE)
        on_rate(state, point);
    else if (point->role == TV_ROLE_GRAD_NORM) {
        state->gradient_dead = !isfinite(point->value);
        if (state->gradient_dead)
            on_dead_gradient(view, options, state);
    } else if (!isfinite(point->value) || (point->value == 0 && state->gradient_dead))
        on_dead(view, options, state, point);
    else
        on_loss(view, options, state, point);
}

static void on_end(struct tv_view *view, const void *options, void *state_)
{
    const struct state *state = state_;
    (void)options;
    if (tv_silent_about_loss(view))
        return;
    if (state->rise.level.points < 10)
        tv_silent_because(view, "needs 10 training losses, has %u", state->rise.level.points);
    else if (!state->rise.level.has_base)
        tv_silent(view, "needs training losses after the warm-up (warmup_divergence judges those "
                        "in it)");
    else if (state->rise.level.now > state->rise.level.base)
        tv_silent_because(view,
                          "the training loss ends at a level of %.4g, %.4g at its lowest: its "
                          "noise, or too little of what it had come down",
                          state->rise.level.now, state->rise.level.base);
    else
        tv_silent_because(view, "the training loss ends at its lowest level (%.4g)",
                          state->rise.level.now);
}

static const struct tv_option table[] = {
    TV_OPTION_PART_ROW(struct options, rise, fast_undone, DOUBLE, 0.5, 0, 100,
                       "share of the progress since the start that single points must undo"),
    TV_OPTION_PART_ROW(struct options, rise, far_undone, DOUBLE, 20, 0, 1e6,
                       "times the whole progress; one such point is enough behind a jump of "
                       "the learning rate or beside a gradient norm that is no number"),
    TV_OPTION_PART_ROW(struct options, rise, fast_points, INT, 3, 2, 1000, "such points in a row"),
    TV_OPTION_PART_ROW(struct options, rise, early_undone, DOUBLE, 1, 0, 1e6,
                       "times the whole progress; one point less is enough where it stays there"),
    TV_OPTION_PART_ROW(struct options, rise, fast_steps, INT, 5, 0, 1e9,
                       "steps that they span, or one point more"),
    TV_OPTION_PART_ROW(struct options, rise, slow_undone, DOUBLE, 0.1, 0, 100,
                       "share that the level must undo"),
    TV_OPTION_PART_ROW(struct options, rise, rise, DOUBLE, 1.1, 1, 100,
                       "least ratio of the level to the lowest level"),
    TV_OPTION_PART_ROW(struct options, rise, score, DOUBLE, 6, 1, 100,
                       "rise over the standard error of the two levels"),
    TV_OPTION_PART_ROW(struct options, rise, restart_undone, DOUBLE, 0.5, 0, 100,
                       "share that the level must undo after the learning rate was restarted"),
    TV_OPTION_ROW(
        struct options, dead_points, INT, 2, 1, 1000,
        "points in a row that are no number, as the gradient norm (three times as many without)"),
    TV_OPTION_ROW(struct options, back, DOUBLE, 0.05, -1, 100,
                  "share left undone at which the alert is resolved"),
    TV_OPTION_END};

const struct tv_detector tv_detector_divergence = {
    .name = "divergence",
    .summary = "the loss leaves its level upwards after warm-up and does not come back",
    .explain =
        "Progress = first level - lowest level; a rise is judged by the share of it that it "
        "undoes.\n"
        "Fast: `fast_points` points in a row, over at least `fast_steps` steps, each undo "
        "`fast_undone` of the progress and stand 4 noises and 25 % above the level before, "
        "and the last is not on its way back (still half of the peak, or three times the "
        "whole progress above the lowest level); one point less within 10 points of a "
        "learning rate that jumped above all before, or where the last two undo "
        "`early_undone` times the progress, stand twice as far above the noise, and the second "
        "no lower than the first: what comes back at once is taken back (loss_spike reports it). "
        "One is enough where it undoes `far_undone` "
        "times the progress within 10 points of such a jump or beside a gradient norm that is no "
        "number (without loss scaling, which skips such a step).\n"
        "Slow: median of the last f points above the lowest median of 2f points, f = n/8 "
        "(odd) within 3..15: rise in log space > max(ln `rise`, `score` x 1.2533 s sqrt(1/f + "
        "1/2f)) and as many times the noise of its blocks (of a long run the lowest block, not the "
        "lowest median, is the base), at least `slow_undone` of the progress, held for 0.75 f "
        "points (0.3 f, at least "
        "3.75, "
        "where 0.4 more of the progress is undone), not falling "
        "(Mann-Kendall) and still half of its peak up (or held for 3 f points). After the "
        "schedule restarted the learning rate it takes `restart_undone`.\n"
        "Dead: `dead_points` points that are NaN, infinite or a filtered zero after finite "
        "ones, the gradient norm too; three times as many without that; one when the loss was "
        "already on its way up.\n"
        "Judged after the warm-up's neighbourhood, which is warmup_divergence's. Resolved "
        "when the level is back within `back` of the progress. A resume from a checkpoint begins "
        "with a new base. In the evidence `rise` is a difference of logarithms (of values once a "
        "loss was negative) and `points` are logged points.\n"
        "Source: median tests; the slow rule alone gave 0.09 alarms per 1,000 points on 36 "
        "public runs.\n"
        "Cannot see: a rise that undoes less than these shares; in two logged points, that the "
        "second is no bad batch across two logging windows, so a coarse log costs three points; "
        "harder data from a step on "
        "looks the same.",
    .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS) | TV_ROLE_BIT(TV_ROLE_GRAD_NORM) |
             TV_ROLE_BIT(TV_ROLE_LEARNING_RATE),
    .options = table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
