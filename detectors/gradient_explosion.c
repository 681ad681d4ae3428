/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The logged gradient norm leaves its level by a factor and stays there. */
#include "lib/advice.h"
#include "lib/blocks.h"
#include "lib/innovation.h"
#include "lib/note.h"
#include "lib/robust.h"
#include "lib/silence.h"
#include "lib/trend.h"
#include "lib/warmup.h"
#include <math.h>

#define LAST 8

struct options {
    double factor, far, single, growth, score;
    int64_t points, fp16_grace, clear;
};

struct state {
    struct tv_innovation norm;
    struct tv_blocks blocks; /* ln norm of accepted points after the warm-up */
    double reference;        /* usual() of them, once there is a block */
    double ordinary;         /* a norm up to here is not `growth` times the usual one */
    double last[LAST];       /* norm */
    double loss[LAST];       /* at the same time, 0 when unknown */
    int64_t last_step[LAST];
    uint32_t seen, attempt;
    uint32_t above, far, dead, calm;
    int64_t above_step, dead_step;
    double peak, last_good, dead_value;
    int64_t onset_step; /* of what fires */
    bool is_raised;
    double said;
    double rise, rise_needed; /* of what fires: ln of the norm over the usual one */
};

/* ln of the usual norm: all finished blocks after the warm-up but the latest, before that the last
 * accepted points; NaN when too few are known. */
static double usual(const struct state *state)
{
    uint32_t len = state->norm.values < TV_INNOVATIONS ? state->norm.values : TV_INNOVATIONS;
    if (state->blocks.len > 0)
        return state->reference;
    return len >= LAST ? log(tv_median_of(state->norm.value, len)) : NAN;
}

/* This norm is surely less than `growth` times the usual one, as most are: known without its
 * logarithm, and without sorting the last norms to know that their median is no lower than a share
 * of this one. */
static bool is_ordinary(const struct state *state, const struct options *options, double value)
{
    uint32_t len = state->norm.values < TV_INNOVATIONS ? state->norm.values : TV_INNOVATIONS;
    if (state->blocks.len > 0)
        return value <= state->ordinary;
    if (len < LAST)
        return false;
    double limit = value / options->growth * (1 + 1e-9);
    uint32_t above = 0;
    for (uint32_t i = 0; i < len; i++)
        above += state->norm.value[i] >= limit;
    return above > len / 2;
}

/* Dynamic loss scaling probes for the overflow and skips such a step: part of its work. Where
 * nobody says that the loss is scaled, one overflow out of the blue may be just that. */
static int64_t dead_needed(const struct tv_view *view, const struct options *options,
                           const struct state *state)
{
    struct tv_point loss;
    if (tv_setting_is_true(view, "fp16") || tv_view_count(view, TV_ROLE_LOSS_SCALE) > 0)
        return options->fp16_grace;
    bool is_lost = tv_view_last(view, TV_ROLE_TRAIN_LOSS, &loss) && !isfinite(loss.value);
    bool had_grown = state->seen && log(state->last[(state->seen - 1) % LAST]) >
                                        usual(state) + log(options->growth);
    return is_lost || had_grown ? 1 : 2;
}

/* What decided, beside what it took. */
static void add_decision(const struct tv_view *view, const struct options *options,
                         const struct state *state, struct tv_note *note)
{
    if (state->dead > 0) {
        tv_note_evidence(note, "points", state->dead);
        tv_note_evidence(note, "points_threshold", (double)dead_needed(view, options, state));
        note->finding->confidence = 1;
        return;
    }
    tv_note_evidence(note, "highest", exp(state->peak));
    tv_note_evidence(note, "factor", exp(state->rise));
    tv_note_evidence(note, "factor_threshold", exp(state->rise_needed));
    note->finding->confidence = tv_margin_confidence(state->rise, state->rise_needed);
}

static void say(struct tv_view *view, const struct options *options, struct state *state,
                double reference)
{
    int64_t onset = state->onset_step;
    const char *tag = tv_view_tag(view, TV_ROLE_GRAD_NORM);
    struct tv_setting clip;
    bool clips = tv_view_setting(view, "max_grad_norm", &clip) && clip.number > 0;
    bool dead = state->dead > 0;
    struct tv_note note;
    struct tv_finding finding;
    tv_note_init(&note, &finding, tag ? tag : "grad_norm",
                 clips && !dead ? TV_WARNING : TV_CRITICAL, onset);
    finding.observed = dead ? state->dead_value : exp(state->peak);
    finding.expected = exp(reference);
    if (dead)
        tv_note_summary(&note, "gradient norm was %s and overflows since step %lld",
                        TV_SHOW(state->last_good), (long long)onset);
    else
        tv_note_summary(&note, "gradient norm grows from %s to %s (x%s) since step %lld",
                        TV_SHOW(exp(reference)), TV_SHOW(exp(state->peak)),
                        TV_SHOW(exp(state->peak - reference)), (long long)onset);
    tv_note_evidence(&note, "usual", exp(reference));
    add_decision(view, options, state, &note);
    tv_note_evidence(&note, "noise", tv_innovation_noise(&state->norm));
    tv_note_evidence(&note, "learning_rate", tv_rate_now(view));
    struct tv_point loss;
    if (tv_view_last(view, TV_ROLE_TRAIN_LOSS, &loss))
        tv_note_evidence(&note, "loss", loss.value);
    if (dead)
        tv_note_cause(&note, "the values became NaN or infinite (see non_finite)");
    if (clips && !dead)
        tv_note_cause(&note,
                      "the logged norm is the one before clipping at %s: updates are bounded, but "
                      "their direction "
                      "is ever less that of the loss",
                      clip.value);
    tv_note_cause(&note, "learning rate too high for the curvature here");
    tv_note_cause(&note, "activations or logits grow without bound");
    tv_note_cause(&note, "a wrong loss scale, or a sum where a mean is meant");
    tv_advise_lower_lr(view, &note, tv_view_peak_lr(view) / 3);
    tv_advise_clipping(view, &note);
    tv_advise_bf16(view, &note);
    tv_note_advice(&note, "resume from a checkpoint before step %lld", (long long)onset);
    tv_raise(view, &finding);
    state->is_raised = true;
    state->said = state->peak;
}

/* Where a model begins to learn, its gradient grows while its loss falls. */
static bool learns(const struct state *state)
{
    double loss[LAST];
    if (state->seen < LAST)
        return false;
    for (uint32_t i = 0; i < LAST; i++)
        loss[i] = state->loss[(state->seen + i) % LAST];
    double before = tv_median_of(loss, LAST / 2), now = tv_median_of(loss + LAST / 2, LAST / 2);
    return tv_mann_kendall(loss, LAST) < -1.64 || (now > 0 && now < 0.8 * before);
}

/* Steady growth shows before the factor is reached: the last points rise one after the other. */
static bool grows(struct state *state, const struct options *options, double reference,
                  double noise)
{
    double values[LAST];
    if (state->seen < LAST || learns(state))
        return false;
    for (uint32_t i = 0; i < LAST; i++)
        values[i] = log(state->last[(state->seen + i) % LAST]);
    double rise = tv_median_of(values + LAST - 3, 3) - reference;
    /* The median of three has 0.67 of the noise of a point. */
    double needed = fmax(log(options->growth), 0.67 * options->score * noise);
    if (!(rise > needed))
        return false;
    /* Of five rising ones more is asked for: one in 120 is by chance. */
    bool is_steep = rise > fmax(log(2 * options->growth), options->score * noise) &&
                    tv_mann_kendall(values + LAST - 5, 5) > 2.2;
    if (!is_steep && !(tv_mann_kendall(values, LAST) > 2.6))
        return false;
    state->rise = rise;
    state->rise_needed = needed;
    return true;
}

/* One point so far above all before it that no batch explains it, while the loss of the same step
 * is an ordinary one: a bad batch shows in its loss. */
static bool is_single(const struct tv_view *view, const struct state *state,
                      const struct options *options, const struct tv_point *point, double rise)
{
    struct tv_point loss;
    double low = INFINITY, high = -INFINITY;
    if (!(rise > log(options->single)) || !(rise > 2 * state->rise_needed) || state->above != 1 ||
        state->seen < LAST || state->norm.values < TV_INNOVATIONS)
        return false;
    for (uint32_t i = 0; i + 1 < LAST; i++) { /* without this point's own */
        low = fmin(low, state->loss[(state->seen + i) % LAST]);
        high = fmax(high, state->loss[(state->seen + i) % LAST]);
    }
    double highest = tv_innovation_highest(&state->norm, TV_INNOVATIONS);
    return point->value > 0.5 * options->single * highest &&
           tv_view_last(view, TV_ROLE_TRAIN_LOSS, &loss) && loss.step == point->step &&
           loss.value <= high + (high - low);
}

static void add_to_blocks(const struct options *options, struct state *state,
                          const struct tv_point *point)
{
    if (!tv_blocks_add_log(&state->blocks, point->step, point->value))
        return;
    uint32_t len = state->blocks.len;
    state->reference =
        tv_blocks_median(&state->blocks, len > 16 ? len - 16 : 0, len > 2 ? len - 1 : len);
    state->ordinary = exp(state->reference) * options->growth * (1 - 1e-9);
}

static void learn(struct tv_view *view, const struct options *options, struct state *state,
                  const struct tv_point *point)
{
    if (state->above)
        return;
    tv_innovation_accept(&state->norm, point->value);
    if (point->step > tv_warmup_end(view))
        add_to_blocks(options, state, point);
    state->last_good = point->value;
}

static void remember(const struct tv_view *view, struct state *state, const struct tv_point *point)
{
    struct tv_point loss;
    bool has_loss = tv_view_last(view, TV_ROLE_TRAIN_LOSS, &loss) && isfinite(loss.value);
    uint32_t at = state->seen++ % LAST;
    state->loss[at] = has_loss ? loss.value : 0;
    state->last_step[at] = point->step;
    state->last[at] = point->value;
    if (state->seen == 1000 * LAST)
        state->seen -= 900 * LAST;
}

static void count_above(struct state *state, const struct options *options, double rise,
                        double noise, const struct tv_point *point, double norm)
{
    if (!(rise > 0)) {
        state->far = state->above = 0;
        return;
    }
    double needed = fmax(log(options->factor), options->score * noise);
    state->far = rise > fmax(log(options->far), needed) ? state->far + 1 : 0;
    if (!(rise > needed)) {
        state->above = 0;
        return;
    }
    state->rise = rise;
    state->rise_needed = needed;
    if (state->above++ == 0) {
        state->above_step = point->step;
        state->peak = norm;
    }
    state->peak = fmax(state->peak, norm);
}

static void follow(struct tv_view *view, const struct options *options, struct state *state,
                   double reference)
{
    const char *tag = tv_view_tag(view, TV_ROLE_GRAD_NORM);
    state->calm = state->above ? 0 : state->calm + 1;
    if (state->above && state->peak > state->said + log(10))
        say(view, options, state, reference);
    if (state->calm < options->clear)
        return;
    state->is_raised = false;
    tv_clear(view, tag ? tag : "grad_norm");
}

static TV_RARE void judge(struct tv_view *view, const struct options *options, struct state *state,
                          const struct tv_point *point, bool ordinary)
{
    double norm = log(point->value); /* as what it is compared with */
    double reference = ordinary ? NAN : usual(state), rise = norm - reference, noise = NAN;
    if (rise > 0 && rise > log(options->growth))
        noise = tv_innovation_noise(&state->norm);
    count_above(state, options, noise >= 0 ? rise : 0, noise, point, norm);
    learn(view, options, state, point);
    if (state->is_raised) {
        follow(view, options, state, reference);
    } else if (state->above >= options->points || state->far >= 2 ||
               is_single(view, state, options, point, rise)) {
        state->onset_step = state->above_step;
        say(view, options, state, reference);
    } else if (noise >= 0 && grows(state, options, reference, noise)) {
        state->peak = norm;
        state->onset_step = state->last_step[state->seen % LAST];
        say(view, options, state, reference);
    }
}

static void on_norm(struct tv_view *view, const struct options *options, struct state *state,
                    const struct tv_point *point)
{
    bool ordinary = is_ordinary(state, options, point->value);
    state->dead = 0;
    remember(view, state, point);
    if (!ordinary || state->is_raised) {
        judge(view, options, state, point, ordinary);
        return;
    }
    state->far = state->above = 0;
    learn(view, options, state, point);
}

static TV_RARE void on_dead(struct tv_view *view, const struct options *options,
                            struct state *state, const struct tv_point *point)
{
    if (state->dead++ == 0)
        state->dead_step = point->step;
    state->dead_value = point->value;
    state->peak = INFINITY;
    if (!state->is_raised && state->dead >= dead_needed(view, options, state) &&
        state->last_good > 0) {
        double reference = usual(state);
        state->onset_step = state->dead_step;
        say(view, options, state, isfinite(reference) ? reference : log(state->last_good));
    }
}

/* What is usual in one attempt, often another job in the same directory, is not in the next. */
static TV_RARE void begin_attempt(struct state *state, uint32_t attempt)
{
    state->attempt = attempt;
    state->norm = (struct tv_innovation){0};
    state->blocks = (struct tv_blocks){0};
    state->seen = state->above = state->far = state->dead = 0;
    state->last_good = 0;
}

static void on_sample(struct tv_view *view, const void *options, void *state_,
                      const struct tv_point *point)
{
    struct state *state = state_;
    if (tv_view_attempt(view) != state->attempt)
        begin_attempt(state, tv_view_attempt(view));
    if (!isfinite(point->value))
        on_dead(view, options, state, point);
    else if (point->value > 0)
        on_norm(view, options, state, point);
}

static void on_end(struct tv_view *view, const void *options_, void *state_)
{
    const struct options *options = options_;
    const struct state *state = state_;
    uint64_t norms = tv_view_count(view, TV_ROLE_GRAD_NORM);
    if (norms == 0)
        tv_silent(view, "no gradient norm is logged");
    else if (!isfinite(usual(state)))
        tv_silent_because(view, "needs %d gradient norms above 0 to know the usual one, has %u",
                          LAST, state->norm.values);
    else
        tv_silent_because(view,
                          "no %lld of %llu gradient norms in a row are %g times the usual (%s at "
                          "the end), nor do they grow towards it",
                          (long long)options->points, (unsigned long long)norms, options->factor,
                          TV_SHOW(exp(usual(state))));
}

static const struct tv_option table[] = {
    TV_OPTION_ROW(struct options, factor, DOUBLE, 12, 1, 1e6, "gradient norm over the usual one"),
    TV_OPTION_ROW(struct options, far, DOUBLE, 30, 1, 1e6,
                  "factor at which two points in a row are enough"),
    TV_OPTION_ROW(struct options, single, DOUBLE, 100, 1, 1e9,
                  "factor at which one point is, beside an ordinary loss"),
    TV_OPTION_ROW(struct options, points, INT, 3, 1, 1000, "points in a row above the factor"),
    TV_OPTION_ROW(struct options, growth, DOUBLE, 2.5, 1, 1e6,
                  "factor that is enough while the norm rises steadily"),
    TV_OPTION_ROW(struct options, score, DOUBLE, 6, 1, 100,
                  "least rise over the noise of the norm"),
    TV_OPTION_ROW(struct options, fp16_grace, INT, 3, 1, 1000,
                  "NaN or infinite norms in a row that fp16 loss scaling may cause"),
    TV_OPTION_ROW(struct options, clear, INT, 10, 1, 1e6,
                  "points in a row below that end the alert"),
    TV_OPTION_END};

const struct tv_detector tv_detector_gradient_explosion = {
    .name = "gradient_explosion",
    .summary = "the logged gradient norm grows by a factor and stays there",
    .explain =
        "Usual norm = median of the block levels after warm-up (at most the last 16 of 32 "
        "blocks, the latest left out; at first the median of the last 30 points). Fires when "
        "`points` logged norms in a row exceed `factor` times the usual one and `score` "
        "noises, or two in a row `far` times, or one `single` times (twice `score` noises, and "
        "half as "
        "many times the highest of the last 30) at a step whose loss is an ordinary one; when the "
        "last 8 rise steadily (Mann-Kendall z > "
        "2.6) and the median of the last 3 is past `growth` times the usual one and 0.67 `score` "
        "noises (a median of 3 has 0.67 of the noise), or the last 5 rise one after the other past "
        "twice `growth` and `score` noises, while the loss does not fall, which it does "
        "where a model begins to learn; or when the norm is NaN or infinite (`fp16_grace` "
        "times in a row with loss scaling, which skips such steps; otherwise twice, or once after "
        "the norm had grown or beside a lost loss). Each attempt, often another job in the same "
        "directory, has a usual norm of its own. Single peaks, which most "
        "runs have, are not reported.\n"
        "Trainers log the norm before clipping, so this shows also where clipping hides it "
        "from the weights.\n"
        "Source: rule and defaults after SageMaker's and Megatron's tenfold rules, with a "
        "reference that follows the run.\n"
        "Cannot see: anything when no gradient norm is logged; explosion in one layer that "
        "the total norm drowns.",
    .roles = TV_ROLE_BIT(TV_ROLE_GRAD_NORM),
    .options = table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
