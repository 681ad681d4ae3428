/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NaN and infinities, also those that the trainer hides. */
#include "lib/advice.h"
#include "lib/note.h"
#include "lib/silence.h"
#include "trainvet/number.h"
#include <math.h>

struct options {
    int64_t zeros, never, missing, fp16_grace, clear;
    double zero_from;
};

enum { METRICS = 3 }; /* evaluations of a metric before it tells, and so many in a row that do */

/* What is known of one role. */
struct series {
    double last_good; /* last finite value that was not a suspicious zero */
    int64_t last_good_step;
    int64_t bad_step;   /* first of the bad streak */
    double bad_value;   /* its value */
    uint32_t good, bad; /* lengths of the current streaks */
    double recent_low,
        before_low; /* lowest good value of this group of three and of the one before */
};

struct state {
    struct series of[TV_ROLE_COUNT];
    double lr_at_good;
    enum tv_role about; /* what the firing alert is about, TV_ROLE_OTHER: nothing fires */
    int64_t loss_step;  /* of the last loss */
    int64_t aside_step; /* of the last learning rate: a logged step, which should have a loss */
    bool has_loss, has_aside, aside_had_loss;
    uint32_t in_step; /* logged steps with a loss, all so far */
    uint32_t without; /* logged steps without, in a row */
    uint32_t excused; /* bad points that were not told */
    bool is_hurt;     /* beside its alert a loss is bad too, or many gradients in a row are */
    bool moved;       /* a loss or a gradient norm that is not 0 was logged */
};

enum sign { CLEAN, PLAIN, HIDDEN_ZERO, MISSING, NEVER };

static void learn_good(struct series *series, const struct tv_point *point)
{
    if (series->good % 3 == 0) {
        series->before_low = series->recent_low;
        series->recent_low = INFINITY;
    }
    series->recent_low = tv_least(series->recent_low, fabs(point->value));
    series->good += series->good < 1000000;
    series->bad = 0;
    series->last_good = point->value;
    series->last_good_step = point->step;
}

static void learn_bad(struct series *series, const struct tv_point *point)
{
    if (series->bad++ == 0) {
        series->bad_step = point->step;
        series->bad_value = point->value;
    }
}

/* A loss that was well above zero a moment ago and is now exactly zero: no descent ends like that,
 * whatever the rounding, but transformers' logging_nan_inf_filter does. */
static bool is_suspicious_zero(const struct series *loss, const struct options *options,
                               const struct tv_point *point)
{
    if (point->role != TV_ROLE_TRAIN_LOSS || point->value != 0)
        return false;
    if (loss->bad > 0)
        return true;
    double low = fmin(loss->recent_low, loss->before_low > 0 ? loss->before_low : INFINITY);
    return loss->good >= 2 && low > options->zero_from;
}

static bool has_good(const struct series *series)
{
    return series->good || series->last_good;
}

/* Dynamic loss scaling probes for the overflow and skips such a step: part of its work. */
static int64_t gradients_needed(const struct tv_view *view, const struct options *options,
                                const struct state *state)
{
    bool scaled = tv_setting_is_true(view, "fp16") || tv_view_count(view, TV_ROLE_LOSS_SCALE) > 0;
    return scaled && state->of[TV_ROLE_TRAIN_LOSS].bad == 0 ? options->fp16_grace : 1;
}

static int64_t needed_points(const struct tv_view *view, const struct options *options,
                             const struct state *state, enum sign sign)
{
    if (sign == MISSING)
        return options->missing;
    if (sign == NEVER)
        return options->never;
    if (sign == HIDDEN_ZERO)
        return state->of[TV_ROLE_GRAD_NORM].bad > 0 ? 1 : options->zeros;
    if (state->about == TV_ROLE_EVAL_METRIC)
        return METRICS;
    return state->about == TV_ROLE_GRAD_NORM ? gradients_needed(view, options, state) : 1;
}

static void describe(const struct tv_view *view, const struct options *options,
                     const struct state *state, enum sign sign, struct tv_note *note)
{
    const struct series *series = &state->of[state->about];
    const char *tag = tv_view_tag(view, state->about);
    tag = tag ? tag : tv_role_name(state->about);
    long long step = (long long)series->bad_step;
    if (sign == MISSING)
        tv_note_summary(note,
                        "%s is no longer written since step %lld, which trainers do when it is NaN",
                        tag, step);
    else if (sign == NEVER)
        tv_note_summary(note, "%s was never anything but exactly 0, since step %lld", tag, step);
    else if (sign == HIDDEN_ZERO)
        tv_note_summary(
            note, "%s is exactly 0 since step %lld, after %s: a NaN loss that the trainer filters",
            tag, step, TV_SHOW(series->last_good));
    else
        tv_note_summary(note, "%s is %s at step %lld", tag, TV_SHOW(series->bad_value), step);
    if (has_good(series)) {
        tv_note_evidence(note, "last_finite", series->last_good);
        tv_note_evidence(note, "last_finite_step", (double)series->last_good_step);
    }
    tv_note_evidence(note, "bad_points", sign == MISSING ? state->without : series->bad);
    tv_note_evidence(note, "bad_points_threshold",
                     (double)needed_points(view, options, state, sign));
    if (has_good(series))
        tv_note_evidence(note, "learning_rate", state->lr_at_good);
    const struct series *gradient = &state->of[TV_ROLE_GRAD_NORM];
    if (tv_view_count(view, TV_ROLE_GRAD_NORM))
        tv_note_evidence(note, "grad_norm",
                         gradient->bad ? gradient->bad_value : gradient->last_good);
}

/* One overflow of the gradient, beside a loss that is finite: most often a step that was skipped.
 */
static bool is_one_overflow(const struct state *state)
{
    return state->about == TV_ROLE_GRAD_NORM && state->of[TV_ROLE_GRAD_NORM].bad == 1 &&
           state->of[TV_ROLE_TRAIN_LOSS].bad == 0;
}

static void advise_filter(const struct tv_view *view, struct tv_note *note)
{
    struct tv_setting filter;
    bool has = tv_view_setting(view, "logging_nan_inf_filter", &filter);
    tv_note_advice(note, "%s: %s -> false (so that the log shows what happens)",
                   has ? filter.key : "logging_nan_inf_filter", has ? filter.value : "true");
}

static void explain(const struct tv_view *view, const struct state *state, enum sign sign,
                    struct tv_note *note)
{
    if (sign == NEVER) {
        tv_note_cause(note, "no label is left to learn from: all of them are masked (-100)");
        tv_note_cause(note, "the loss is NaN from the first step on and the trainer logs 0");
        tv_note_advice(note, "print the labels of one batch: some must not be -100");
        advise_filter(view, note);
        return;
    }
    if (tv_setting_is_true(view, "fp16"))
        tv_note_cause(note, "fp16 overflow: float16 ends at 65504");
    if (state->about == TV_ROLE_GRAD_NORM)
        tv_note_cause(note, "the gradient overflowed while the logged loss still looks finite");
    tv_note_cause(note,
                  "a step that was too large: learning rate too high for this point of the run");
    tv_note_cause(note,
                  "a bad batch: empty labels, log(0), division by a zero count, or broken input");
    if (is_one_overflow(state)) {
        tv_note_advice(note, "wait for the next norms: where they and the loss are finite, the "
                             "step was skipped and did no harm");
        return;
    }
    tv_advise_lower_lr(view, note, tv_view_peak_lr(view) / 3);
    tv_advise_clipping(view, note);
    tv_advise_bf16(view, note);
    const struct series *loss = &state->of[TV_ROLE_TRAIN_LOSS];
    if (sign == HIDDEN_ZERO || (loss->bad > 0 && loss->bad_value == 0))
        advise_filter(view, note);
    tv_note_advice(note,
                   "resume from a checkpoint saved before step %lld; later ones hold the damage",
                   (long long)state->of[state->about].bad_step);
}

static TV_RARE void raise(struct tv_view *view, const struct options *options, struct state *state,
                          enum tv_role role, enum sign sign)
{
    if (state->about == TV_ROLE_OTHER)
        state->about = role;
    else if (state->about != role)
        return;
    const struct series *series = &state->of[role];
    const char *tag = tv_view_tag(view, role);
    struct tv_note note;
    struct tv_finding finding;
    tv_note_init(&note, &finding, tag ? tag : tv_role_name(role),
                 is_one_overflow(state) ? TV_WARNING : TV_CRITICAL, series->bad_step);
    finding.observed = series->bad_value;
    finding.expected = has_good(series) ? series->last_good : NAN;
    finding.confidence = sign == PLAIN ? 1 : 0.9;
    describe(view, options, state, sign, &note);
    explain(view, state, sign, &note);
    tv_raise(view, &finding);
}

static TV_RARE void judge_bad(struct tv_view *view, const struct options *options,
                              struct state *state, const struct tv_point *point)
{
    struct series *series = &state->of[point->role];
    learn_bad(series, point);
    if (state->about == TV_ROLE_OTHER)
        state->is_hurt = state->of[TV_ROLE_TRAIN_LOSS].bad || state->of[TV_ROLE_EVAL_LOSS].bad;
    state->is_hurt |= point->role == TV_ROLE_TRAIN_LOSS || point->role == TV_ROLE_EVAL_LOSS ||
                      series->bad > options->fp16_grace;
    bool finite = isfinite(point->value);
    bool is_single =
        finite && series->bad < options->zeros && state->of[TV_ROLE_GRAD_NORM].bad == 0;
    bool is_probe =
        point->role == TV_ROLE_GRAD_NORM && series->bad < gradients_needed(view, options, state);
    /* A metric is undefined at times (a class that does not occur). */
    bool is_undefined =
        point->role == TV_ROLE_EVAL_METRIC && (series->bad < METRICS || series->good < METRICS);
    if (is_single || is_probe || is_undefined) {
        state->excused += state->excused < UINT32_MAX;
        return;
    }
    /* Said about a handful of points; a million more add nothing. */
    if (series->bad <= 16 || (series->bad & (series->bad - 1)) == 0)
        raise(view, options, state, point->role, finite ? HIDDEN_ZERO : PLAIN);
    if (series->bad == 1 && point->role == TV_ROLE_TRAIN_LOSS && state->about == TV_ROLE_GRAD_NORM)
        raise(view, options, state, TV_ROLE_GRAD_NORM, PLAIN); /* no mere overflow any more */
    series->good = 0;
}

/* Nothing but 0 so far, in the loss and in the gradient norm: the labels are all masked, which
 * makes a mean of nothing, NaN, with a gradient of 0. Returns false where something has moved. */
static bool judge_never(struct tv_view *view, const struct options *options, struct state *state,
                        const struct tv_point *point)
{
    struct series *loss = &state->of[TV_ROLE_TRAIN_LOSS];
    bool is_zero = point->value == 0, is_loss = point->role == TV_ROLE_TRAIN_LOSS;
    if (state->moved || (!is_loss && point->role != TV_ROLE_GRAD_NORM))
        return false;
    if (!is_zero) {
        state->moved = true;
        loss->bad = 0;
    }
    if (!is_zero || !is_loss || tv_view_is_rl(view))
        return false;
    learn_bad(loss, point);
    if (loss->bad >= options->never && (loss->bad <= 16 || (loss->bad & (loss->bad - 1)) == 0))
        raise(view, options, state, TV_ROLE_TRAIN_LOSS, NEVER);
    return true;
}

static void judge_good(struct tv_view *view, const struct options *options, struct state *state,
                       const struct tv_point *point)
{
    struct series *series = &state->of[point->role];
    learn_good(series, point);
    if (point->role == TV_ROLE_TRAIN_LOSS)
        state->lr_at_good = tv_rate_now(view);
    if (state->about == point->role && series->good >= options->clear) {
        const char *tag = tv_view_tag(view, point->role);
        /* Weights that had taken a NaN gradient would give nothing but NaN: it was skipped. */
        bool is_harmless = point->role == TV_ROLE_GRAD_NORM && !state->is_hurt &&
                           state->of[TV_ROLE_TRAIN_LOSS].good >= options->clear;
        (is_harmless ? tv_withdraw : tv_clear)(view, tag ? tag : tv_role_name(point->role));
        state->about = TV_ROLE_OTHER;
        state->is_hurt = false;
    }
}

/* The logged step before this one is complete: had it a loss? */
static void judge_step(struct tv_view *view, const struct options *options, struct state *state)
{
    struct series *loss = &state->of[TV_ROLE_TRAIN_LOSS];
    if (state->aside_had_loss) {
        state->in_step = state->without ? 0 : state->in_step + 1;
        state->without = 0;
        return;
    }
    if (state->in_step < 10 || loss->bad ||
        !tv_view_is_one_log(view, TV_ROLE_TRAIN_LOSS, TV_ROLE_LEARNING_RATE))
        return;
    if (state->without++ == 0) {
        loss->bad_step = state->aside_step;
        loss->bad_value = NAN;
    }
    if (state->without >= options->missing && state->about == TV_ROLE_OTHER)
        raise(view, options, state, TV_ROLE_TRAIN_LOSS, MISSING);
}

/* Megatron leaves the loss out of the line when its average is NaN: the learning rate goes on
 * without it. */
static void watch_missing(struct tv_view *view, const struct options *options, struct state *state,
                          const struct tv_point *point)
{
    if (point->role == TV_ROLE_TRAIN_LOSS) {
        state->loss_step = point->step;
        state->has_loss = true;
        state->aside_had_loss |= state->has_aside && point->step == state->aside_step;
    }
    if (point->role != TV_ROLE_LEARNING_RATE ||
        (state->has_aside && point->step == state->aside_step))
        return;
    if (state->has_aside)
        judge_step(view, options, state);
    state->has_aside = true;
    state->aside_step = point->step;
    state->aside_had_loss = state->has_loss && state->loss_step == point->step;
}

static void on_sample(struct tv_view *view, const void *options_, void *state_,
                      const struct tv_point *point)
{
    const struct options *options = options_;
    struct state *state = state_;
    watch_missing(view, options, state, point);
    if (point->role == TV_ROLE_LEARNING_RATE)
        return;
    if (point->role == TV_ROLE_EVAL_METRIC &&
        tv_view_count(view, TV_ROLE_TRAIN_LOSS) + tv_view_count(view, TV_ROLE_EVAL_LOSS) > 0)
        return; /* the loss knows better */
    if (judge_never(view, options, state, point))
        return;
    if (!isfinite(point->value) || is_suspicious_zero(&state->of[point->role], options, point))
        judge_bad(view, options, state, point);
    else
        judge_good(view, options, state, point);
}

static void on_end(struct tv_view *view, const void *options_, void *state_)
{
    const struct options *options = options_;
    const struct state *state = state_;
    unsigned long long loss = tv_view_count(view, TV_ROLE_TRAIN_LOSS);
    unsigned long long eval = tv_view_count(view, TV_ROLE_EVAL_LOSS);
    unsigned long long norm = tv_view_count(view, TV_ROLE_GRAD_NORM);
    if (loss + eval + norm == 0)
        tv_silent(view, "neither a loss nor a gradient norm is logged");
    else if (state->excused)
        tv_silent_because(
            view,
            "%u values came and went that fp16 loss scaling or rounding explains (%lld "
            "gradient norms or %lld losses of 0 in a row would not be)",
            state->excused, (long long)options->fp16_grace, (long long)options->zeros);
    else
        tv_silent_because(view,
                          "every value is finite (training losses: %llu, evaluation losses: %llu, "
                          "gradient norms: %llu)",
                          loss, eval, norm);
}

static const struct tv_option table[] = {
    TV_OPTION_ROW(struct options, zeros, INT, 2, 1, 100,
                  "points; so many losses of exactly 0 in a row are a hidden NaN (1 with a NaN "
                  "gradient norm)"),
    TV_OPTION_ROW(struct options, never, INT, 10, 2, 1000000,
                  "losses of exactly 0 from the first on, beside no gradient norm above 0"),
    TV_OPTION_ROW(struct options, missing, INT, 3, 2, 1000,
                  "logged steps without the loss that every step before had"),
    TV_OPTION_ROW(struct options, fp16_grace, INT, 3, 1, 1000,
                  "overflowing gradient norms in a row that fp16 loss scaling may cause"),
    TV_OPTION_ROW(struct options, clear, INT, 10, 1, 1e6,
                  "finite points in a row that end the alert"),
    TV_OPTION_ROW(struct options, zero_from, DOUBLE, 0.01, 0, 1e9,
                  "loss that cannot become exactly 0 from one point to the next"),
    TV_OPTION_END};

const struct tv_detector tv_detector_non_finite = {
    .name = "non_finite",
    .summary = "NaN or infinity in the loss or the gradient norm, also when the trainer hides it",
    .explain =
        "Fires at once when the training loss, the evaluation loss or the gradient norm is "
        "NaN or infinite.\n"
        "Hidden forms: a loss of exactly 0 (`zeros` points in a row, one when the gradient "
        "norm is NaN) after losses above `zero_from`: transformers replaces NaN losses in its "
        "log while logging_nan_inf_filter is true, which is the default; `never` losses of exactly "
        "0 from the first on, beside no gradient norm above 0: no label is left to learn from; a "
        "loss that is left out of `missing` logged steps although it was in each one before, in "
        "the same log: "
        "Megatron-LM writes no loss when its average is NaN.\n"
        "With fp16 loss scaling a single overflowing gradient norm is normal (the step is "
        "skipped): `fp16_grace` in a row are needed as long as the loss is finite.\n"
        "Where no loss is logged under a known name, an evaluated metric that was a number 3 times "
        "and is none 3 times in a row tells instead.\n"
        "Resolved after `clear` finite points; taken back when only gradient norms were bad, no "
        "more than `fp16_grace` in a row: a NaN that reaches the weights stays.\n"
        "Source: transformers Trainer._maybe_log_save_evaluate; Megatron-LM training_log.\n"
        "Cannot see: NaN inside the model that no logged number shows; a filtered NaN in a "
        "log that averages so many steps that the loss does not become 0.",
    .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS) | TV_ROLE_BIT(TV_ROLE_EVAL_LOSS) |
             TV_ROLE_BIT(TV_ROLE_GRAD_NORM) | TV_ROLE_BIT(TV_ROLE_LEARNING_RATE) |
             TV_ROLE_BIT(TV_ROLE_EVAL_METRIC),
    .options = table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
