/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loss turns upwards while the learning rate rises to its peak, or just after. */
#include "lib/advice.h"
#include "lib/innovation.h"
#include "lib/note.h"
#include "lib/robust.h"
#include "lib/silence.h"
#include "lib/trend.h"
#include "lib/warmup.h"
#include <math.h>

#define HEAD            8  /* first points that later ones are compared with */
#define LAST            5  /* points that a level is the median of */
#define SETTLED         12 /* points after the first ones that tell the noise */
#define COARSE          16 /* points until which a rise is followed however many steps they span */
#define HIDDEN          0.01  /* a loss that does not become exactly 0 from one point to the next */
#define MEDIAN_VARIANCE 0.287 /* of the median of five normal values; of three it is 0.449 */

struct options {
    double rise, critical, early_rise, far_rise, score, worse_score, undone;
};

struct state {
    struct tv_innovation loss;
    double last[LAST];
    int64_t last_step[LAST];
    double last_lr[LAST];
    uint32_t points, attempt;
    double first;           /* median of the first 3 points, or fewer */
    double lowest;          /* lowest level so far */
    double lowest_variance; /* of that level, in units of the noise's */
    double lowest_lr;
    int64_t lowest_step;
    double head[HEAD]; /* the first points */
    int64_t end;       /* of the warm-up's neighbourhood, once it is over */
    uint32_t far;      /* bits of the last 10 points: far above the first ones */
    bool is_over, is_raised;
    double level;         /* now */
    double judged, limit; /* the loss that fires, and what it had to exceed */
    double margin;        /* its rise over the one that it took */
    double widest;        /* highest level so far above the lowest one before: for --explain */
    double widest_lowest; /* the lowest one then */
};

/* The rise of the level over the lowest one, in the innovations' space. */
static double rise_of(const struct state *state)
{
    return state->loss.is_raw || state->lowest <= 0 ? state->level - state->lowest
                                                    : log(state->level / state->lowest);
}

/* `from`: what the rise is measured from. */
static bool exceeds(struct state *state, double from, double judged, double limit)
{
    if (!(judged > limit))
        return false;
    state->judged = judged;
    state->limit = limit;
    state->margin = state->loss.is_raw || !(from > 0) ? (judged - from) / (limit - from)
                                                      : log(judged / from) / log(limit / from);
    return true;
}

static void say(struct tv_view *view, const struct options *options, const struct state *state)
{
    const char *tag = tv_view_tag(view, TV_ROLE_TRAIN_LOSS);
    int64_t total = tv_view_total_steps(view), warmup = tv_view_warmup_steps(view);
    double peak = tv_view_peak_lr(view), good = state->lowest_lr;
    bool positive = !state->loss.is_raw && state->lowest > 0;
    bool is_critical = !positive || rise_of(state) > log(options->critical);
    struct tv_note note;
    struct tv_finding finding;
    tv_note_init(&note, &finding, tag ? tag : "train_loss", is_critical ? TV_CRITICAL : TV_WARNING,
                 state->lowest_step);
    finding.observed = state->level;
    finding.expected = state->lowest;
    finding.confidence = tv_margin_confidence(state->margin, 1);
    tv_note_summary(&note, "loss rises from %s to %s %s, since step %lld", TV_SHOW(state->lowest),
                    TV_SHOW(state->level),
                    warmup == 0 ? "at the start, without any warm-up" : "during warm-up",
                    (long long)state->lowest_step);
    tv_note_evidence(&note, "first_loss", state->first);
    tv_note_evidence(&note, "lowest_loss", state->lowest);
    tv_note_evidence(&note, "loss", state->level);
    tv_note_evidence(&note, "judged_loss", state->judged);
    tv_note_evidence(&note, "judged_loss_threshold", state->limit);
    tv_note_evidence(&note, "noise", tv_innovation_noise(&state->loss));
    if (good >= 0)
        tv_note_evidence(&note, "last_good_lr", good);
    tv_note_evidence(&note, "lr", tv_rate_now(view));
    tv_note_evidence(&note, "peak_lr", peak);
    if (warmup >= 0)
        tv_note_evidence(&note, "warmup_steps", (double)warmup);
    bool is_short = total > 0 && warmup >= 0 && (double)warmup < 0.05 * (double)total;
    if (warmup == 0)
        tv_note_cause(&note, "no warm-up: the first steps run at the peak learning rate");
    else if (is_short)
        tv_note_cause(&note, "warm-up is short: %lld of %lld steps", (long long)warmup,
                      (long long)total);
    tv_note_cause(&note, "the %slearning rate %s is too high for this model and batch size",
                  warmup >= 0 ? "peak " : "", TV_SHOW(peak));
    tv_note_cause(
        &note,
        "the optimizer's second moment is not settled yet (Adam beta2 above 0.99 needs about "
        "1/(1 - beta2) steps)");
    if (good > 0 && good < peak / 2 && !(warmup == 0))
        tv_advise_lower_lr(view, &note, fmax(good, peak / 10));
    else
        tv_advise_lower_lr(view, &note, peak / 3);
    tv_advise_warmup(view, &note, 0.1);
    tv_advise_clipping(view, &note);
    tv_raise(view, &finding);
}

/* A long warm-up has many points, and many points have large extremes. */
static double caution(const struct state *state)
{
    return 1 + fmax(0, log10(state->points / (3.0 * HEAD)));
}

static double highest_of_first(const struct state *state, uint32_t len)
{
    double high = -INFINITY;
    for (uint32_t i = 0; i < len; i++)
        high = fmax(high, state->head[i]);
    return high;
}

/* What three points in a row must exceed to be above the first ones, of which at most `len` are
 * looked at. While the noise is unknown the spread of the first ones stands in for it. Where
 * `highest`, the highest value that is asked about, is below every limit, the lowest one will do:
 * noise is costly. */
static double first_limit(const struct state *state, const struct options *options, uint32_t len,
                          double highest)
{
    double low = INFINITY, high = highest_of_first(state, len);
    for (uint32_t i = 0; i < len; i++)
        low = fmin(low, state->head[i]);
    double least = state->loss.is_raw ? high + 3 * (high - low)
                                      : fmin(options->rise, options->early_rise) * high;
    if (state->points >= 8 && highest <= least)
        return least;
    double noise = tv_innovation_noise(&state->loss);
    if (state->loss.is_raw)
        return len < 3 ? INFINITY
                       : high + fmax(3 * (high - low), noise >= 0 ? 2 * noise * caution(state) : 0);
    if (state->points < 8 || !(noise >= 0))
        return options->early_rise * (len == 1 ? 2 : len == 2 ? 1.5 : 1) * high;
    return fmax(options->rise, exp(2 * noise * caution(state))) * high;
}

static double lowest_of_last(const struct state *state, uint32_t len)
{
    double lowest = INFINITY;
    for (uint32_t i = 0; i < len; i++)
        lowest = fmin(lowest, state->last[(state->points - 1 - i) % LAST]);
    return lowest;
}

/* All points but the first lie on a level above it, in view of how they spread: three of them close
 * together, five or more with a spread of nearly half of the rise, or even of 0.8 of a doubling. */
static bool stays_up(struct state *state, const struct options *options)
{
    uint32_t len = state->points - 1;
    double low = INFINITY, high = highest_of_first(state, state->points);
    for (uint32_t i = 1; i <= len; i++)
        low = fmin(low, state->head[i]);
    if (!(low > 0))
        return false;
    double first = state->head[0], rise = log(low / first), spread = log(high / low);
    double least = len == 3 ? options->early_rise : options->rise;
    if (spread < (len <= 4 ? 0.25 : 0.45) * rise)
        return exceeds(state, first, low, least * first);
    return len > 3 && spread < 0.8 * rise && exceeds(state, first, low, 2 * first);
}

/* The first points themselves climb from the very first one: a step up onto a new level, or one
 * after the other. */
static bool climbs(struct state *state, const struct options *options)
{
    uint32_t n = state->points;
    if (n < 4 || n > HEAD || state->loss.is_raw || !(state->head[0] > 0))
        return false;
    double first = state->head[0], low = lowest_of_last(state, 3);
    double climb = tv_mann_kendall(state->head, n);
    if (climb > 1.64 && exceeds(state, first, low, options->far_rise * first))
        return true;
    /* Five or more that climb like this are no chance: the last one alone needs to be far. */
    if (climb > 2.1 && state->head[n - 1] > options->far_rise * first &&
        exceeds(state, first, low, options->early_rise * first))
        return true;
    return stays_up(state, options);
}

/* A descent never has three points in a row clearly above its first ones, nor four of ten at twice
 * their height. */
static bool rises_at_once(struct state *state, const struct options *options)
{
    uint32_t n = state->points;
    double start = fmax(state->head[0], n > 3 ? state->head[1] : 0);
    double before = n >= 2 && n <= HEAD ? highest_of_first(state, n - 1) : INFINITY;
    if (before < INFINITY && !state->loss.is_raw &&
        exceeds(state, before, lowest_of_last(state, 1), 2.5 * options->far_rise * before))
        return true;
    if (n >= 3 && n <= HEAD && !state->loss.is_raw &&
        exceeds(state, start, lowest_of_last(state, 2), 1.5 * options->far_rise * start))
        return true;
    if (n < 4)
        return false;
    uint32_t len = n < 6 ? n - 3 : n < 3 * HEAD ? 3 : HEAD;
    double last = state->last[(n - 1) % LAST];
    double limit = first_limit(state, options, len, last);
    double high = highest_of_first(state, n < 3 * HEAD ? 3 : HEAD);
    double far = state->loss.is_raw ? limit : options->far_rise * high;
    bool is_far = n >= 6 && last > far;
    state->far = (state->far << 1 | is_far) & 0x3ff;
    if (is_far && __builtin_popcount(state->far) >= 4)
        return exceeds(state, high, last, far);
    return lowest_of_last(state, 3) > limit &&
           exceeds(state, highest_of_first(state, len), lowest_of_last(state, 3), limit);
}

/* The first points stood far above what the noise became a little later: the weights were thrown
 * about, and the loss has settled since, often where nothing is learnt any more. */
static bool was_thrown(const struct tv_view *view, struct state *state,
                       const struct options *options)
{
    double change[SETTLED];
    if (state->points != HEAD + SETTLED || state->loss.is_raw || state->loss.changes < SETTLED)
        return false;
    for (uint32_t i = 0; i < SETTLED; i++)
        change[i] = state->loss.change[(state->loss.changes - 1 - i) % TV_INNOVATIONS];
    double noise = fmax(tv_mad(change, SETTLED), 0.05), far = 0;
    double limit = state->head[0] * fmax(options->far_rise, exp(6 * noise));
    for (uint32_t i = 1; i < HEAD; i++)
        far += state->head[i] > limit;
    if (far < 3)
        return false;
    state->lowest = state->head[0];
    state->lowest_step = tv_view_first_step(view);
    state->lowest_lr = NAN;
    state->level = highest_of_first(state, HEAD);
    return exceeds(state, state->lowest, state->level, limit);
}

/* In the warm-up's neighbourhood; a rise that begins there is followed for as long again, in a
 * coarse log until its noise is known. */
static bool is_inside(const struct tv_view *view, const struct state *state,
                      const struct options *options, int64_t step)
{
    int64_t first = tv_view_first_step(view), end = tv_warmup_end(view);
    if (step <= end || state->points <= 6)
        return true;
    bool is_near = step <= end + (end - first) || state->points <= COARSE;
    return state->lowest_step <= end && end < INT64_MAX / 4 && is_near && !state->loss.is_raw &&
           rise_of(state) > log(options->rise);
}

static bool rises(struct state *state, const struct options *options)
{
    double rise = rise_of(state);
    if (state->points < 2 * LAST || (!state->loss.is_raw && !(rise > log(options->rise))) ||
        !(state->level - state->lowest > options->undone * fmax(state->first - state->lowest, 0)))
        return false; /* most points end here */
    double noise = tv_innovation_noise(&state->loss);
    if (!(noise >= 0))
        return false;
    /* Worse than at the very start is no fluctuation of a descent. */
    bool is_worse = state->loss.is_raw || state->first <= 0
                        ? state->level > state->first + 2 * noise
                        : state->level > options->rise * state->first;
    double needed = caution(state) * (is_worse ? options->worse_score : options->score) * noise *
                    sqrt(state->lowest_variance + MEDIAN_VARIANCE);
    bool is_ratio = !state->loss.is_raw && state->lowest > 0;
    needed = is_ratio ? fmax(needed, log(options->rise)) : needed;
    return exceeds(state, state->lowest, state->level,
                   is_ratio ? state->lowest * exp(needed) : state->lowest + needed);
}

static void learn(struct tv_view *view, struct state *state, const struct tv_point *point)
{
    uint32_t n = state->points++;
    if (n < HEAD)
        state->head[n] = point->value;
    if (n < 3)
        state->first = tv_median_of(state->head, n + 1);
    state->last[n % LAST] = point->value;
    state->last_step[n % LAST] = point->step;
    state->last_lr[n % LAST] = tv_rate_now(view);
    tv_innovation_accept(&state->loss, point->value);
    size_t len = n + 1 < LAST ? n + 1 : LAST;
    state->level = tv_median_of(state->last, len);
    uint32_t middle = n + 1 < LAST ? n : (n + 1 + LAST / 2) % LAST;
    if (n == 0 || ((n + 1 >= LAST || n < 3) && state->level < state->lowest)) {
        state->lowest = state->level;
        state->lowest_variance = n == 0 ? 1 : n == 1 ? 0.5 : n == 2 ? 0.449 : MEDIAN_VARIANCE;
        state->lowest_step = state->last_step[middle % LAST];
        state->lowest_lr = state->last_lr[middle % LAST];
    }
}

static void on_sample(struct tv_view *view, const void *options_, void *state_,
                      const struct tv_point *point)
{
    const struct options *options = options_;
    struct state *state = state_;
    if (state->is_over && !state->is_raised)
        return;
    if (state->points == 0)
        state->attempt = tv_view_attempt(view);
    if (!isfinite(point->value) || tv_view_is_rl(view) || tv_view_attempt(view) != state->attempt)
        return;
    if (point->value == 0 && state->points && state->level > HIDDEN)
        return; /* a NaN that the trainer hides: non_finite tells */
    learn(view, state, point);
    if (state->is_raised) {
        const char *tag = tv_view_tag(view, TV_ROLE_TRAIN_LOSS);
        if (state->level > state->lowest && rise_of(state) > 0.05)
            return;
        state->is_raised = false;
        state->is_over = !is_inside(view, state, options, point->step);
        /* A start that settles within the first points was no divergence. */
        (state->points < HEAD ? tv_withdraw : tv_clear)(view, tag ? tag : "train_loss");
        return;
    }
    if (state->level - state->lowest > state->widest) {
        state->widest = state->level - state->lowest;
        state->widest_lowest = state->lowest;
    }
    bool inside = is_inside(view, state, options, point->step);
    if (inside && (rises_at_once(state, options) || climbs(state, options) ||
                   was_thrown(view, state, options) || rises(state, options))) {
        state->is_raised = true;
        state->is_over = true;
        say(view, options, state);
    } else if (!inside) {
        state->is_over = true;
    }
}

static void on_end(struct tv_view *view, const void *options_, void *state_)
{
    const struct options *options = options_;
    const struct state *state = state_;
    double low = state->widest_lowest, high = low + state->widest;
    if (tv_silent_about_loss(view))
        return;
    if (state->points < 3)
        tv_silent_because(view, "needs 3 training losses, has %u", state->points);
    else if (!(state->widest > 0))
        tv_silent_because(
            view,
            "the level of the training loss only fell in the warm-up and just after (%u "
            "losses looked at)",
            state->points);
    else if (state->points < 2 * LAST)
        tv_silent_because(view,
                          "only %u training losses lie in the warm-up: too few to know their "
                          "noise, and none of them rose plainly",
                          state->points);
    else if (low > 0 && high < options->rise * low)
        tv_silent_because(view,
                          "in the warm-up and just after the level of the training loss rose by "
                          "%.2g %% at most, %.4g to %.4g (%.3g %% is needed)",
                          100 * (high / low - 1), low, high, 100 * (options->rise - 1));
    else
        tv_silent_because(view,
                          "in the warm-up and just after the level of the training loss rose from "
                          "%.4g to %.4g at most: no more than its noise, or soon gone",
                          low, high);
}

static const struct tv_option table[] = {
    TV_OPTION_ROW(struct options, rise, DOUBLE, 1.25, 1, 100,
                  "least ratio of the level to the lowest level"),
    TV_OPTION_ROW(struct options, critical, DOUBLE, 1.5, 1, 1000,
                  "ratio from which the alert is critical"),
    TV_OPTION_ROW(struct options, early_rise, DOUBLE, 1.4, 1, 100,
                  "ratio of 3 points in a row to the first 3, within the first 8 points"),
    TV_OPTION_ROW(struct options, far_rise, DOUBLE, 2, 1, 100,
                  "ratio of 4 in 10 points to the first 3"),
    TV_OPTION_ROW(struct options, score, DOUBLE, 4, 1, 100,
                  "rise over the standard error of the two levels"),
    TV_OPTION_ROW(struct options, worse_score, DOUBLE, 3.5, 1, 100,
                  "the same once the level is also `rise` times the first losses"),
    TV_OPTION_ROW(struct options, undone, DOUBLE, 0.5, 0, 100,
                  "least share of the progress since the start that the rise undoes"),
    TV_OPTION_END};

const struct tv_detector tv_detector_warmup_divergence = {
    .name = "warmup_divergence",
    .summary = "the loss rises in or just after warm-up",
    .explain =
        "Level = median of the last 5 losses. Inside the warm-up and as many steps again (at "
        "most 10 %, at least 5 % of the run) the level must not rise above its lowest value "
        "by more than max(ln `rise`, `score` x s sqrt(v + 0.287)) (times 1 + log10(n/24) from the "
        "24th point on) in log space, s being the noise from innovations and v the variance of "
        "the lowest level in its units (1 for a single first point, 0.287 for a median of 5), "
        "while the rise undoes at least `undone` of the progress so far (`worse_score` once the "
        "level is also `rise` above the first losses). Three points in a row above all of the "
        "first three by `early_rise` (later by `rise` and 2 noises) are enough, and so are four "
        "of ten points at `far_rise` times the first three, or two in a row at 1.5 `far_rise` "
        "times within the first 8, or one at 2.5 times `far_rise` above all before it. Within the "
        "first 8 points also: three in a row at "
        "`far_rise` times the very first one on a climb (Mann-Kendall z > 1.64), or at "
        "`early_rise` "
        "times on a steep one (z > 2.1) whose last point is at `far_rise`; all but the "
        "first above it by more than they spread (3 points: `early_rise` and a quarter of it as "
        "spread; 4: `rise` and a quarter; more: `rise` and 0.45; 4 and more: a doubling and 0.8). "
        "At the 20th point: three of "
        "the "
        "first 8 that stood 6 later noises and `far_rise` times above the very first one. A rise "
        "that begins in that neighbourhood is followed for as long again, at least to the 16th "
        "point. Withdrawn when it is gone again before the 8th point.\n"
        "Warm-up comes from the configuration, else from the rise of the logged learning "
        "rate. The learning rate at the lowest level is reported as the last good one.\n"
        "Source: median test of two samples; 0.287 and 0.449 are the variances of the median of "
        "five and of three normal values.\n"
        "Cannot see: a rise within the first logging interval; steps that were averaged away; in "
        "negative losses the rules of the first points, which are ratios.",
    .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS),
    .options = table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
