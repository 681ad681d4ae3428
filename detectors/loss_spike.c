/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A loss far above its own recent noise, from one point to the next. */
#include "lib/advice.h"
#include "lib/descent.h"
#include "lib/innovation.h"
#include "lib/note.h"
#include "lib/silence.h"
#include <math.h>

enum { RECENT = 10 };

struct options {
    double score, pair_score, early, large, late, heavy, rise, share, above_recent, restart_factor;
    int64_t least, mask, gap, relevel;
};

struct past {
    double change, score;
};

struct state {
    struct tv_innovation loss, gradient;
    struct tv_descent descent;
    uint32_t points;                      /* accepted */
    double high_change[4], high_score[4]; /* highest of accepted points, in generations */
    uint32_t generation, in_generation;   /* the one that is filled, its points */
    struct past pair_past;                /* the highest ones before the last point */
    double pair_score;                    /* of the last point, 0 unless it was large */
    double pair_high;                     /* highest of the points before that one */
    bool is_second;                       /* the point before this one was large */
    uint32_t attempt;
    uint32_t masked;     /* points still not judged after a resume */
    uint32_t quiet;      /* points until the next spike may be reported */
    uint32_t after_jump; /* points still under the influence of a jump of the learning rate */
    uint32_t rejected;   /* points above the limit in a row */
    uint32_t calm;       /* points back at the level in a row while an alert fires */
    bool is_raised;
    int64_t onset_step, previous_step, earlier_step;
    int64_t before_step; /* last point before the onset */
    int64_t level_step;  /* where the last new level began, 0: there was none */
    bool is_pair;        /* the point before was part of it */
    double limit;        /* above this the spike is not over, in the series' unit */
    double peak;
    struct tv_surprise first; /* of the point that began it */
    double score_needed;      /* what its score had to exceed */
    bool is_waiting, is_paired;
    struct tv_point waiting; /* loss not judged yet */
    int64_t rate_step;
    double last_lr, gradient_score;
    int64_t gradient_step;
};

/* Highest change and score among the last accepted points: 90 to 120, half of a longer run. */
static double highest(const double *generation)
{
    return fmax(fmax(generation[0], generation[1]), fmax(generation[2], generation[3]));
}

/* How many noises are needed: more while little is known (less so for a jump that is large in
 * itself), among very many points and after the learning rate jumped. */
static double caution(const struct state *state, const struct options *options, double early,
                      const struct tv_surprise *surprise)
{
    double n = (double)(state->points + 1);
    double range = tv_descent_range(&state->descent);
    double size = state->loss.is_raw ? surprise->change / range : surprise->change;
    early *= fmin(1, fmax(0.4, options->large / size));
    double factor = (1 + early / n) * (1 + options->late * fmax(0, log10(n / 1000)));
    return state->after_jump > 0 ? factor * options->restart_factor : factor;
}

/* Noise with heavy tails repeats its excursions: only what stands out among them is a spike. */
static bool stands_out(const struct options *options, const struct tv_surprise *surprise,
                       const struct past *past)
{
    return surprise->change > options->heavy * past->change && surprise->score > past->score;
}

/* What falls steeply bounces back a little: a spike also stands above where the loss was a few
 * points ago. */
static bool is_above_recent(const struct state *state, const struct options *options, double value,
                            double centre)
{
    double high = state->is_second ? state->pair_high : tv_innovation_highest(&state->loss, RECENT);
    return value - high > options->above_recent * (value - centre);
}

/* Large against the noise, against the level and against the way that the loss has come. */
static bool is_large(const struct state *state, const struct options *options, double value,
                     struct tv_surprise *surprise)
{
    if (!tv_innovation_expect(&state->loss, value, surprise) ||
        surprise->known < (size_t)options->least)
        return false;
    double rise = value - surprise->centre;
    if (!state->loss.is_raw && !(rise > options->rise * surprise->centre))
        return false;
    double range = tv_descent_range(&state->descent);
    if (state->after_jump > 0 &&
        (state->loss.is_raw ? rise < 0.5 * range : rise < 0.5 * surprise->centre))
        return false;
    return rise > options->share * range &&
           is_above_recent(state, options, value, surprise->centre) &&
           tv_innovation_judge(&state->loss, value, surprise);
}

/* One point far out, or two in a row less far. */
static bool is_spike(struct state *state, const struct options *options, double value,
                     struct tv_surprise *surprise)
{
    struct past before = state->pair_past;
    double score_before = state->pair_score;
    state->pair_score = 0;
    state->is_second = score_before > 0;
    if (!is_large(state, options, value, surprise))
        return false;
    struct past now = {highest(state->high_change), highest(state->high_score)};
    state->score_needed = options->score * caution(state, options, options->early, surprise);
    if (surprise->score > state->score_needed && stands_out(options, surprise, &now)) {
        state->is_pair = false;
        return true;
    }
    state->score_needed =
        options->pair_score * caution(state, options, 2 * options->early, surprise);
    if (fmin(surprise->score, score_before) > state->score_needed &&
        stands_out(options, surprise, &before)) {
        surprise->score = fmin(surprise->score, score_before);
        state->is_pair = true;
        return true;
    }
    state->pair_past = now;
    state->pair_score = surprise->score;
    if (!state->is_second)
        state->pair_high = tv_innovation_highest(&state->loss, RECENT);
    return false;
}

/* With the loss: an unstable step, not other data. */
static bool gradient_jumped(const struct state *state)
{
    return state->gradient_score > 5 && state->gradient_step >= state->before_step;
}

static void say(struct tv_view *view, const struct options *options, const struct state *state)
{
    const char *tag = tv_view_tag(view, TV_ROLE_TRAIN_LOSS);
    double factor = state->peak / state->first.centre;
    bool gradient_too = gradient_jumped(state);
    const char *stays = state->rejected >= options->relevel ? " and stays up" : "";
    struct tv_note note;
    struct tv_finding finding;
    tv_note_init(&note, &finding, tag ? tag : "train_loss",
                 gradient_too || state->rejected > 2 ? TV_CRITICAL : TV_WARNING, state->onset_step);
    finding.severity = TV_WARNING;
    finding.observed = state->peak;
    finding.expected = state->first.centre;
    finding.confidence = tv_margin_confidence(state->first.score, state->score_needed);
    if (factor > 1 && !state->loss.is_raw)
        tv_note_summary(&note, "loss jumps from %s to %s (x%s) at step %lld%s, %s times its noise",
                        TV_SHOW(state->first.centre), TV_SHOW(state->peak), TV_SHOW(factor),
                        (long long)state->onset_step, stays, TV_SHOW(state->first.score));
    else
        tv_note_summary(&note, "loss jumps from %s to %s at step %lld%s, %s times its noise",
                        TV_SHOW(state->first.centre), TV_SHOW(state->peak),
                        (long long)state->onset_step, stays, TV_SHOW(state->first.score));
    tv_note_evidence(&note, "score", state->first.score);
    tv_note_evidence(&note, "score_threshold", state->score_needed);
    tv_note_evidence(&note, "rise", state->first.change);
    tv_note_evidence(&note, "noise", state->first.scale);
    tv_note_evidence(&note, "points_above", state->rejected);
    if (tv_view_count(view, TV_ROLE_LEARNING_RATE))
        tv_note_evidence(&note, "learning_rate", state->last_lr);
    if (tv_view_count(view, TV_ROLE_GRAD_NORM))
        tv_note_evidence(&note, "grad_norm_score", state->gradient_score);
    if (state->after_jump > 0)
        tv_note_cause(&note, "the learning rate had just jumped up");
    tv_note_cause(&note,
                  "a bad batch: samples that are broken, mislabelled or from another source");
    tv_note_cause(&note, gradient_too ? "an unstable step: the gradient norm jumps with the loss"
                                      : "an unstable step: learning rate near the stability limit");
    tv_note_advice(&note, "look at the batches between step %lld and %lld",
                   (long long)state->before_step, (long long)state->onset_step);
    tv_advise_clipping(view, &note);
    if (gradient_too || state->rejected > 2)
        tv_advise_lower_lr(view, &note, tv_view_peak_lr(view) / 2);
    tv_raise(view, &finding);
}

static TV_RARE void begin(struct tv_view *view, const struct options *options, struct state *state,
                          const struct tv_point *point, const struct tv_surprise *surprise)
{
    state->first = *surprise;
    state->onset_step = state->is_pair ? state->previous_step : point->step;
    state->before_step = state->is_pair ? state->earlier_step : state->previous_step;
    state->pair_score = 0;
    state->peak = point->value;
    state->rejected = 1;
    state->calm = 0;
    state->quiet = (uint32_t)options->gap;
    state->is_raised = true;
    double half = surprise->change / 2;
    state->limit = state->loss.is_raw ? surprise->centre + half : surprise->centre * exp(half);
    say(view, options, state);
}

static void remember(struct state *state, const struct tv_surprise *surprise)
{
    if (state->in_generation >= TV_INNOVATIONS && state->in_generation >= state->points / 8) {
        state->generation = (state->generation + 1) % 4;
        state->in_generation = 0;
        state->high_change[state->generation] = state->high_score[state->generation] = 0;
    }
    state->in_generation++;
    uint32_t now = state->generation;
    state->high_change[now] = fmax(state->high_change[now], surprise->change);
    if (surprise->score > 0)
        state->high_score[now] = fmax(state->high_score[now], surprise->score);
}

static void learn(struct state *state, const struct tv_point *point)
{
    struct tv_surprise surprise;
    if (tv_innovation_peek(&state->loss, point->value, &surprise)) {
        surprise.score = state->pair_score;
        remember(state, &surprise);
        tv_innovation_accept_judged(&state->loss, point->value, &surprise);
    } else {
        tv_innovation_accept(&state->loss, point->value);
    }
    state->points++;
    tv_descent_add(&state->descent, point->step, point->value);
    state->rejected = 0;
}

/* While it fires: still up, a new level, or over? */
static TV_RARE void follow(struct tv_view *view, const struct options *options, struct state *state,
                           const struct tv_point *point)
{
    const char *tag = tv_view_tag(view, TV_ROLE_TRAIN_LOSS);
    if (point->value > state->limit) {
        state->calm = 0;
        bool higher = point->value > state->peak;
        state->peak = fmax(state->peak, point->value);
        if (++state->rejected <= 4 || higher || state->rejected == options->relevel)
            say(view, options, state);
        if (state->rejected < options->relevel)
            return;
        tv_innovation_relevel(&state->loss);
        if (!gradient_jumped(state)) {
            learn(state, point);
            state->is_raised = false;
            state->level_step = state->onset_step;
            tv_withdraw(view, tag ? tag : "train_loss");
            return;
        }
    } else if (++state->calm < 3) {
        learn(state, point);
        return;
    }
    learn(state, point);
    state->is_raised = false;
    tv_clear(view, tag ? tag : "train_loss");
}

static void on_loss(struct tv_view *view, const struct options *options, struct state *state,
                    const struct tv_point *point)
{
    struct tv_surprise surprise;
    state->quiet -= state->quiet > 0;
    state->after_jump -= state->after_jump > 0;
    if (state->is_raised)
        follow(view, options, state, point);
    else if (state->masked > 0) {
        state->masked--;
        learn(state, point);
    } else if (is_spike(state, options, point->value, &surprise)) {
        if (state->quiet == 0)
            begin(view, options, state, point, &surprise);
        else if (++state->rejected >= options->relevel)
            learn(state, point);
    } else {
        learn(state, point);
    }
    state->earlier_step = state->previous_step;
    state->previous_step = point->step;
}

static void judge_waiting(struct tv_view *view, const struct options *options, struct state *state)
{
    if (state->is_waiting)
        on_loss(view, options, state, &state->waiting);
    state->is_waiting = false;
}

/* A loss waits for the learning rate of its step, which may explain it, when the last one had its
 * own too. */
static void receive_loss(struct tv_view *view, const struct options *options, struct state *state,
                         const struct tv_point *point)
{
    judge_waiting(view, options, state);
    state->waiting = *point;
    state->is_waiting = true;
    if (!state->is_paired || state->rate_step == point->step)
        judge_waiting(view, options, state);
}

static void on_rate(struct tv_view *view, const struct options *options, struct state *state,
                    const struct tv_point *point)
{
    if (state->last_lr > 0 && point->value > 2 * state->last_lr &&
        tv_descent_known(&state->descent))
        state->after_jump = 10;
    state->last_lr = point->value;
    state->rate_step = point->step;
    if (state->is_waiting)
        state->is_paired = state->waiting.step == point->step;
    else
        state->is_paired = state->previous_step == point->step;
    judge_waiting(view, options, state);
}

static void on_gradient(struct state *state, const struct tv_point *point)
{
    struct tv_surprise surprise;
    if (point->value <= 0)
        return;
    if (!tv_innovation_peek(&state->gradient, point->value, &surprise)) {
        tv_innovation_accept(&state->gradient, point->value);
    } else if (surprise.change > 0.3 &&
               tv_innovation_judge(&state->gradient, point->value, &surprise) &&
               surprise.known >= 6 && surprise.score > 5) {
        state->gradient_score = surprise.score;
        state->gradient_step = point->step;
    } else {
        tv_innovation_accept_judged(&state->gradient, point->value, &surprise);
    }
}

static void on_sample(struct tv_view *view, const void *options_, void *state_,
                      const struct tv_point *point)
{
    const struct options *options = options_;
    struct state *state = state_;
    if (!isfinite(point->value) || tv_view_is_rl(view))
        return;
    if (tv_view_attempt(view) != state->attempt) {
        state->attempt = tv_view_attempt(view);
        state->masked = (uint32_t)options->mask;
        tv_innovation_relevel(&state->loss);
    }
    if (point->role == TV_ROLE_TRAIN_LOSS)
        receive_loss(view, options, state, point);
    else if (point->role == TV_ROLE_LEARNING_RATE)
        on_rate(view, options, state, point);
    else
        on_gradient(state, point);
}

static void on_end(struct tv_view *view, const void *options_, void *state_)
{
    const struct options *options = options_;
    struct state *state = state_;
    judge_waiting(view, options, state);
    if (tv_silent_about_loss(view))
        return;
    if (state->loss.changes < options->least)
        tv_silent_because(view, "needs %lld training losses to know their noise, has %u",
                          (long long)options->least + TV_INNOVATION_LAST + 1, state->points);
    else if (state->level_step)
        tv_silent_because(view,
                          "the training loss jumped at step %lld and stayed for %lld points: a new "
                          "level (harder data, or divergence), not a spike",
                          (long long)state->level_step, (long long)options->relevel);
    else
        tv_silent_because(view,
                          "none of %llu training losses stands far enough above those before it "
                          "(%.3g times their noise, more while little is known)",
                          (unsigned long long)tv_view_count(view, TV_ROLE_TRAIN_LOSS),
                          options->score);
}

static const struct tv_option table[] = {
    TV_OPTION_ROW(struct options, score, DOUBLE, 5, 2, 100,
                  "innovation over its scale, times 1 + early/n at the n-th point"),
    TV_OPTION_ROW(struct options, pair_score, DOUBLE, 3.5, 2, 100,
                  "the same for two points in a row, times 1 + 2 early/n"),
    TV_OPTION_ROW(struct options, early, DOUBLE, 12, 0, 1000, "caution at the start, in points"),
    TV_OPTION_ROW(
        struct options, large, DOUBLE, 0.4, 0.01, 100,
        "innovation from which this caution shrinks, to 40 % (negative losses: part of the way)"),
    TV_OPTION_ROW(
        struct options, late, DOUBLE, 0.1, 0, 1,
        "more caution for each tenfold of 1,000 points, since many points have large extremes"),
    TV_OPTION_ROW(
        struct options, heavy, DOUBLE, 1.2, 0, 100,
        "innovation over the largest one of the last 90 to 120 points, or half of the run"),
    TV_OPTION_ROW(struct options, rise, DOUBLE, 0.1, 0, 100,
                  "least rise, as a share of the level (positive losses)"),
    TV_OPTION_ROW(struct options, share, DOUBLE, 0.04, 0, 100,
                  "least rise, as a share of what the loss has come down since the start"),
    TV_OPTION_ROW(struct options, above_recent, DOUBLE, 0.5, 0, 1,
                  "part of the rise that must stand above all of the last 10 points"),
    TV_OPTION_ROW(struct options, restart_factor, DOUBLE, 2, 1, 100,
                  "score is multiplied by this for 10 points after the learning rate jumped up"),
    TV_OPTION_ROW(struct options, least, INT, 6, 2, 30, "innovations that must be known"),
    TV_OPTION_ROW(struct options, mask, INT, 2, 0, 100, "points not judged after a resume"),
    TV_OPTION_ROW(struct options, gap, INT, 10, 0, 1e6,
                  "points between two spikes that are reported"),
    TV_OPTION_ROW(struct options, relevel, INT, 8, 2, 1000,
                  "points above the limit in a row that are a new level, not a spike"),
    TV_OPTION_END};

const struct tv_detector tv_detector_loss_spike = {
    .name = "loss_spike",
    .summary = "the training loss jumps far out of its own noise",
    .explain =
        "e = ln x - ln(median of the last 3 accepted losses); s = max(1.4826 MAD, (95 % "
        "quantile - median)/1.645, 0.01) of the last 30 e. Fires when e/s > `score` x (1 + "
        "`early`/n) at the n-th point (and `late` more for each tenfold of 1,000), or > "
        "`pair_score` x (1 + 2 `early`/n) at two in a row "
        "(beyond `large` this caution is less); "
        "when e is `heavy` times the largest e, and e/s above the largest e/s, of the last 90 "
        "to 120 accepted points or half of the run, since noise with heavy tails repeats its "
        "excursions; when `above_recent` of the rise stands above the last 10 points; and "
        "when the rise is above `rise` of the level and above `share` of the way from the "
        "start to here. Once a loss was negative, differences replace logarithms.\n"
        "Only accepted points are learnt. Over after 3 points below half of the jump; "
        "`relevel` points above it are a new level: unless the gradient norm jumped too, the "
        "finding is withdrawn (harder data; divergence reports those that matter). After a resume "
        "`mask` points are not judged; after a jump of the learning rate (a cosine restart) "
        "the score needed is `restart_factor` times higher and the rise at least 50 %.\n"
        "Measured on 21 public runs (27,764 points): no false alarm at 58 % recall of an injected "
        "one-point doubling; the plain rule without `heavy` and `early` has 0.14 false alarms per "
        "1,000 points, mean and standard deviation of 128 points (OLMo) 0.24 at 22 %.\n"
        "Cannot see: spikes within the first points of a run, and spikes that averaging over "
        "the logging window has spread below the noise.",
    .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS) | TV_ROLE_BIT(TV_ROLE_GRAD_NORM) |
             TV_ROLE_BIT(TV_ROLE_LEARNING_RATE),
    .options = table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
