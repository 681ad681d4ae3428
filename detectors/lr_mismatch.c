/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The logged learning rate against the one that the configuration promises. */
#include "lib/lr_again.h"
#include "lib/lr_evidence.h"
#include "lib/lr_plateau.h"
#include "lib/lr_promise.h"
#include "lib/lr_text.h"
#include <math.h>

#define REFITS 64   /* points that fit nowhere before we look again at rarer and rarer ones only */
#define CLOSE  5e-3 /* residual under which a cause that is not exact is still named */
#define KEPT   6    /* points in a row that keep the promise exactly again: the trouble is over */

struct options {
    double of_peak, of_expected;
};

struct state {
    struct tv_lr_points points;
    struct tv_lr_fit fit; /* as it was when it broke, once it is broken */
    struct tv_lr_plateau plateau;
    struct tv_lr_again again;
    struct tv_lr_tolerance tolerance;
    uint32_t settings; /* version of those that the tolerance rests on */
    double rough;      /* uncertainty of the total that does not shrink with the epochs */
    enum { UNDECIDED, NOTHING_PROMISED, PLATEAU, SCHEDULE, OTHER_GROUP } promised;
    uint32_t version; /* of the schedule that this is about */
    bool has_fit, is_raised;
    bool was_kept; /* the promise before this one was kept to the end */
    uint32_t refits;
    uint32_t next_look; /* points seen when the cause is worked out again */
    uint32_t raised_at; /* points seen when it was raised */
    uint32_t kept;      /* points in a row that keep the promise while the finding fires, */
    double kept_value;  /* without those of a stretch at one value: other schedules have one too */
    bool is_minimum_open;
    uint32_t floorless; /* points in a row that follow a schedule without a minimum exactly */
    int64_t floorless_step;
};

static void set_tolerance(const struct tv_view *view, const struct options *options,
                          struct state *state, const struct tv_schedule *promise)
{
    state->tolerance =
        (struct tv_lr_tolerance){.of_peak = options->of_peak, .of_expected = options->of_expected};
    state->settings = tv_view_settings_version(view);
    tv_lr_promise_tolerate(view, promise, &state->tolerance, &state->rough);
}

static struct tv_lr_case case_of(const struct tv_view *view, const struct state *state,
                                 const struct tv_schedule *promise)
{
    return (struct tv_lr_case){
        .promise = promise,
        .points = &state->points,
        .fit = state->fit,
        .accumulation = tv_lr_promise_number(view, TV_LR_ACCUMULATION_KEYS, 0),
        .world_size = tv_lr_promise_number(view, TV_LR_WORLD_KEYS, 0),
        .warmup_is_ratio = tv_lr_promise_warmup_is_ratio(view),
        .view = view,
    };
}

static const char *subject_of(const struct tv_view *view)
{
    const char *tag = tv_view_tag(view, TV_ROLE_LEARNING_RATE);
    return tag ? tag : "learning_rate";
}

/* Several groups are logged, and another one keeps the promise. */
static void leave_alone(struct tv_view *view, struct state *state, const char *tag)
{
    char why[300];
    struct tv_text text = tv_text_in(why, sizeof why);
    tv_text_add(&text,
                "%s keeps the promise; %s is another parameter group, a constant part or multiple "
                "of it",
                tag, subject_of(view));
    tv_clear(view, subject_of(view));
    tv_silent(view, why);
    state->is_raised = false;
    state->promised = OTHER_GROUP;
}

/* The tag names a parameter group, or a setting gives one this factor of the promise. */
static bool may_be_group(const struct tv_view *view, const struct tv_lr_case *input)
{
    struct tv_lr_point all[TV_LR_POINTS];
    struct tv_setting setting;
    bool may_be = tv_view_rate_group(view) >= 0;
    size_t len = tv_lr_points_get(input->points, all);
    for (int offset = -1; offset <= 1 && len > 0; offset++) {
        double n = fmax(0, (double)(all[len - 1].step - offset));
        double factor = all[len - 1].value / tv_schedule_lr(input->promise, n);
        may_be |= tv_lr_group_setting(input, factor, &setting);
    }
    return may_be;
}

static void tell(struct tv_view *view, struct state *state, const struct tv_schedule *promise)
{
    struct tv_lr_case input = case_of(view, state, promise);
    struct tv_lr_verdict verdicts[TV_LR_VERDICTS];
    size_t len = tv_lr_causes(&input, verdicts);
    if (len == 0 && state->points.seen < TV_LR_FAILS && may_be_group(view, &input))
        return; /* more is known with the next point */
    const char *group = len > 0 ? tv_lr_promised_group(&input, &verdicts[0]) : NULL;
    if (group) {
        leave_alone(view, state, group);
        return;
    }
    if (len > 0 && !verdicts[0].is_exact && verdicts[0].residual > CLOSE)
        len = 0;
    struct tv_finding finding;
    struct tv_note note;
    tv_note_init(&note, &finding, subject_of(view), TV_WARNING, state->fit.fail_step);
    tv_lr_add_evidence(&note, &input, verdicts, len);
    tv_lr_tell(&note, view, &input, verdicts, len);
    if (finding.causes_len == 0)
        tv_note_cause(&note, "another scheduler, or code that sets the learning rate itself: no "
                             "known slip gives these values");
    tv_raise(view, &finding);
    /* What was raised on the first bad point is looked at again as soon as there are more. */
    uint32_t seen = state->points.seen;
    if (!state->is_raised)
        state->raised_at = seen;
    uint32_t since = seen - state->raised_at;
    state->next_look = since >= 9 ? 3 * seen : seen + 2 * since + 1;
    state->is_raised = true;
}

/* A run that is resumed with other settings kept its first promise; the new one begins here. */
static void forget_past(struct state *state)
{
    struct tv_lr_point all[TV_LR_POINTS];
    size_t len = tv_lr_points_get(&state->points, all);
    state->points = (struct tv_lr_points){0};
    if (len)
        tv_lr_points_add(&state->points, all[len - 1].step, all[len - 1].value);
}

/* Explains the points by the promise again, with what is now known. */
static void refit(struct tv_view *view, struct state *state, const struct tv_schedule *promise)
{
    state->fit = tv_lr_fit_best(promise, &state->tolerance, &state->points);
    state->has_fit = true;
    if (state->fit.is_broken && state->was_kept) {
        forget_past(state);
        state->fit = tv_lr_fit_best(promise, &state->tolerance, &state->points);
    }
    state->was_kept = false;
    if (state->fit.is_broken) {
        tv_lr_points_pin(&state->points, state->fit.fail_step);
        tell(view, state, promise);
    } else if (state->is_raised) {
        tv_clear(view, subject_of(view));
        state->is_raised = false;
    }
}

static void tell_floorless(struct tv_view *view, struct state *state,
                           const struct tv_schedule *promise, struct tv_lr_point point)
{
    struct tv_finding finding;
    struct tv_note note;
    tv_note_init(&note, &finding, subject_of(view), TV_WARNING, state->floorless_step);
    finding.observed = point.value;
    finding.confidence = 0.8;
    tv_note_summary(&note, "the learning rate falls towards 0 as if %s had no minimum",
                    tv_schedule_name(promise));
    tv_note_cause(&note, "min_lr or min_lr_rate is not set or does not reach the scheduler");
    tv_note_advice(&note,
                   "lr_scheduler_kwargs: set min_lr_rate: 0.1, or name the scheduler cosine");
    tv_note_evidence(&note, "promised_peak", promise->peak);
    tv_note_evidence(&note, "logged_of_peak", point.value / promise->peak);
    tv_note_evidence(&note, "points", state->floorless);
    tv_note_evidence(&note, "points_threshold", TV_LR_FAILS);
    tv_raise(view, &finding);
    state->is_raised = true;
}

/* True when the point is settled: behind the warm-up, and above what the schedule gives without a
 * minimum. */
static bool follow_open_minimum(struct tv_view *view, struct state *state,
                                const struct tv_schedule *promise, struct tv_lr_point point)
{
    double n = (double)(point.step - state->fit.offset);
    double lowest = tv_schedule_lr(promise, n);
    double exact = tv_lr_exactness(&state->points, lowest, promise->peak);
    if (n < promise->warmup_steps || point.value < lowest - exact ||
        point.value > promise->peak * 1.001)
        return false;
    if (lowest > 0.95 * promise->peak)
        return true;
    if (point.value > lowest + exact)
        state->floorless = 0;
    else if (state->floorless++ == 0)
        state->floorless_step = point.step;
    if (state->floorless == TV_LR_FAILS)
        tell_floorless(view, state, promise, point);
    return true;
}

/* Nothing else is promised any more. */
static bool stands_still(const struct tv_schedule *promise, double value)
{
    double end = isfinite(promise->total_steps) ? promise->total_steps : 1e9;
    return fabs(tv_schedule_lr(promise, end) - value) <= 1e-6 * value;
}

/* The promise is kept again: what was wrong for a while is over. */
static bool has_come_back(struct tv_view *view, struct state *state,
                          const struct tv_schedule *promise, struct tv_lr_point point)
{
    double expected = tv_lr_fit_expected(&state->fit, promise, point.step);
    double exact = tv_lr_exactness(&state->points, expected, promise->peak);
    bool is_kept = point.value > 0 && fabs(point.value - expected) <= exact;
    bool is_news = fabs(expected - state->kept_value) > exact || stands_still(promise, expected);
    state->kept = !is_kept ? 0 : state->kept + is_news;
    state->kept_value = expected;
    if (state->kept < KEPT)
        return false;
    tell(view, state, promise); /* with all that is known of it */
    forget_past(state);
    state->fit.fails = 0;
    state->fit.is_broken = false;
    state->fit.last_step = point.step;
    state->fit.last_value = point.value;
    state->is_raised = false;
    state->kept = 0;
    tv_clear(view, subject_of(view));
    return true;
}

static bool should_refit(const struct state *state)
{
    return state->refits <= REFITS || (state->refits & (state->refits - 1)) == 0;
}

static TV_RARE void compare(struct tv_view *view, const struct options *options,
                            struct state *state, const struct tv_schedule *promise,
                            struct tv_lr_point point)
{
    if (state->has_fit && state->is_minimum_open &&
        follow_open_minimum(view, state, promise, point))
        return;
    if (state->has_fit && state->is_raised) {
        if (!state->is_minimum_open && !has_come_back(view, state, promise, point) &&
            state->points.seen >= state->next_look)
            tell(view, state, promise);
        return;
    }
    bool is_stale = state->tolerance.total_uncertainty > 0 && state->points.seen % 8 == 0;
    if (!state->has_fit || (is_stale && state->settings != tv_view_settings_version(view)))
        set_tolerance(view, options, state, promise);
    else if (is_stale)
        tv_lr_promise_narrow(view, &state->tolerance, state->rough);
    if (state->has_fit) {
        if (tv_lr_fit_add(&state->fit, promise, &state->tolerance, &state->points, point) !=
            TV_LR_OFF)
            return;
        state->refits++;
        if (!should_refit(state))
            return;
    }
    refit(view, state, promise);
}

static TV_RARE void decide_anew(struct tv_view *view, struct state *state)
{
    state->version = tv_view_schedule_version(view);
    state->was_kept = state->has_fit && !state->is_raised && state->fit.exact >= TV_LR_FAILS;
    state->has_fit = false;
    const struct tv_schedule *promise = tv_view_schedule(view);
    const char *why = tv_lr_promise_why_none(view, promise);
    if (tv_lr_promise_follows(view, promise)) {
        state->promised = PLATEAU;
    } else if (why) {
        state->promised = NOTHING_PROMISED;
        tv_silent(view, why);
    } else {
        state->promised = SCHEDULE;
        state->is_minimum_open = tv_lr_promise_minimum_is_open(view, promise);
    }
}

/* What the configuration promises now; asked anew whenever it has changed. */
static void decide(struct tv_view *view, struct state *state)
{
    if (state->promised == UNDECIDED || state->version != tv_view_schedule_version(view))
        decide_anew(view, state);
}

static void on_sample(struct tv_view *view, const void *options, void *state,
                      const struct tv_point *point)
{
    struct state *s = state;
    decide(view, s);
    if (!isfinite(point->value))
        return;
    struct tv_lr_point logged = {point->step, point->value};
    tv_lr_points_add(&s->points, logged.step, logged.value);
    if (s->promised == PLATEAU)
        tv_lr_plateau_add(&s->plateau, view, &s->points, logged);
    else if (s->promised == SCHEDULE)
        compare(view, options, s, tv_view_schedule(view), logged);
    else if (s->promised == NOTHING_PROMISED)
        tv_lr_again_add(&s->again, view, &s->points, subject_of(view), logged);
}

/* Without a version the log decides how it was written; then say what that takes for granted. */
static const char *why_kept(const struct state *state, const struct tv_schedule *promise)
{
    if (promise->offset_known || !tv_lr_promise_is_hf(promise) || state->fit.exact < TV_LR_SETTLED)
        return "the logged learning rate is the promised one";
    if (state->fit.offset == 1)
        return "the logged learning rate is the promised one, written before the scheduler's step "
               "as transformers 4.51 and later do (assumed: the version is not known)";
    return "the logged learning rate is the promised one, written behind the scheduler's step as "
           "transformers before 4.51 and DeepSpeed do (assumed: the version is not known)";
}

static void end_plateau(struct tv_view *view, struct state *state)
{
    enum tv_role metric;
    if (!tv_view_followed(view, &metric) || tv_view_count(view, metric) == 0)
        tv_silent(view, "the promised learning rate depends on a metric that is not logged");
    else if (!state->plateau.is_raised)
        tv_silent(view, "the logged learning rate is what the promised scheduler makes of the "
                        "logged evaluations");
    tv_lr_plateau_end(&state->plateau, view);
}

static void on_end(struct tv_view *view, const void *options, void *state)
{
    struct state *s = state;
    decide(view, s);
    const struct tv_schedule *promise = tv_view_schedule(view);
    if (s->points.seen == 0)
        tv_silent(view, "no learning rate is logged");
    else if (s->promised == PLATEAU)
        end_plateau(view, s);
    else if (s->is_minimum_open)
        tv_silent(view, "the promised scheduler has a minimum that no setting tells: any minimum "
                        "keeps the promise");
    if (s->points.seen == 0 || s->promised != SCHEDULE || s->is_minimum_open)
        return;
    if (!s->has_fit) {
        set_tolerance(view, options, s, promise);
        refit(view, s, promise);
    } else if (s->is_raised) {
        tell(view, s, promise);
    }
    if (!s->is_raised)
        tv_silent(view, why_kept(s, promise));
}

static const struct tv_option option_rows[] = {
    TV_OPTION_ROW(struct options, of_peak, DOUBLE, 1e-3, 1e-6, 1,
                  "Tolerated difference as a share of the promised peak"),
    TV_OPTION_ROW(struct options, of_expected, DOUBLE, 0.01, 1e-6, 1,
                  "Tolerated difference as a share of the promised value"),
    TV_OPTION_END};

const struct tv_detector tv_detector_lr_mismatch = {
    .name = "lr_mismatch",
    .summary = "the logged learning rate is not what the configuration says; names the cause",
    .explain =
        "Rebuilds the schedule that the configuration promises and compares it with the "
        "logged learning rate. A point "
        "differs when it is farther than max(of_peak x peak, of_expected x expected) from "
        "lr(g), lr(g-1) and lr(g+1), "
        "where g is the logged step, also after taking off a whole, never falling number of "
        "skipped optimizer steps, "
        "printed digits and float32 into account. Three such points in a row are a "
        "mismatch, two when one is twice as far off, one when it is five times as far off "
        "(unless the total is only estimated, the value is 0 or repeated, or the digits that "
        "the log prints are not known yet); the first of them is the onset. Six points "
        "that keep the promise exactly again resolve it. The cause is the simplest of these that "
        "meets all logged points: another "
        "scheduler or parameter, a "
        "factor, several or too few scheduler steps per optimizer step (Accelerate, "
        "micro-batches, epochs), another "
        "warm-up or total, a logarithmic warm-up (DeepSpeed), a lowest learning rate, a "
        "scheduler never stepped, another value of a setting (by the framework's own rules); since "
        "the onset: a restart or a shift on resume, a factor, a stop, another total. A scheduler "
        "that follows a metric is replayed from the logged evaluations, with other settings, "
        "metric and direction when it differs. "
        "residual_best and residual_second "
        "are root mean squares relative to the highest logged value. It cannot see a wrong "
        "configuration that the job "
        "follows, and says nothing when the total number of steps is not known. Where nothing is "
        "promised, only a schedule that leaves its decay at one jump and repeats its own first "
        "five points is told.",
    .roles = TV_ROLE_BIT(TV_ROLE_LEARNING_RATE),
    .options = option_rows,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
