/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The job lives but logs nothing, or has become slower by a factor. */
#include "lib/gaps.h"
#include "lib/note.h"
#include "lib/pace.h"
#include "lib/plan.h"
#include "lib/silence.h"
#include <math.h>

struct options {
    struct tv_gap_limits gaps;
    struct tv_pace_limits pace;
    double critical, abandoned;
};

struct state {
    /* Any logged point counts as a sign of life. */
    struct tv_gaps gaps;
    double last_time;
    int64_t last_step;
    uint32_t attempt, writer[TV_ROLE_COUNT];
    bool seen, gap_fires;
    bool gap_was_one;                  /* another process ended it */
    bool loss_broken, gradient_broken; /* the last one was NaN, infinite, or a NaN shown as 0 */
    uint32_t calm;
    struct tv_pace pace; /* between two training points with nothing else in between */
    double train_time;
    int64_t train_step;
    bool has_train, interrupted;
    bool evaluated;  /* since the last training point */
    bool eval_known; /* how long an evaluation takes has been seen */
    bool plain_seen; /* an interval without evaluation: those with one are then left out */
    double stride;   /* steps between two signs of life, lately at most */
};

static const char gap_subject[] = "log";
static const char slow_subject[] = "seconds_per_step";

static void raise_gap(struct tv_view *view, const struct options *options, struct state *state,
                      double silent, bool open)
{
    const struct tv_gaps *gaps = &state->gaps;
    double limit = tv_gaps_patience(gaps, &options->gaps), usual = tv_gaps_usual(gaps);
    struct tv_note note;
    struct tv_finding finding;
    tv_note_init(&note, &finding, gap_subject,
                 silent > options->critical ? TV_CRITICAL : TV_WARNING, state->last_step);
    if (!open && gaps->pause_count > 1)
        tv_note_summary(&note,
                        "the log was silent %llu times since step %lld, the last time for %.0f s "
                        "after step %lld, the usual interval is %.3g s",
                        (unsigned long long)gaps->pause_count, (long long)gaps->first_pause, silent,
                        (long long)state->last_step, usual);
    else if (gaps->count == 0)
        tv_note_summary(&note, "nothing was logged for %.0f s after step %lld, the log's first",
                        silent, (long long)state->last_step);
    else
        tv_note_summary(&note, "%s for %.0f s after step %lld, the usual interval is %.3g s",
                        open ? "nothing was logged" : "the log was silent", silent,
                        (long long)state->last_step, usual);
    finding.observed = silent;
    finding.expected = limit;
    finding.confidence = open ? 0.8 : 0.95;
    tv_note_evidence(&note, "silent_seconds", silent);
    tv_note_evidence(&note, "patience_seconds", limit);
    if (gaps->count)
        tv_note_evidence(&note, "median_interval_seconds", usual);
    tv_note_evidence(&note, "intervals", (double)gaps->count);
    tv_note_cause(&note, "a collective operation or the data loader hangs, the node was suspended, "
                         "or the file system blocked");
    if (open) {
        tv_note_cause(&note, "the process has died without writing its end");
        tv_note_advice(&note, "look whether the process lives (py-spy dump --pid PID shows where "
                              "it waits), and restart from the last checkpoint if not");
    } else
        tv_note_advice(&note, "look at the node's journal and the storage at that time; the job "
                              "has gone on by itself");
    tv_raise(view, &finding);
    state->gap_fires = true;
    state->calm = 0;
}

/* A silence that is over. Those that come regularly were no stalls. */
static void add_pause(struct tv_view *view, const struct options *options, struct state *state,
                      double silent)
{
    struct tv_gaps *gaps = &state->gaps;
    tv_gaps_pause(gaps, (struct tv_pause){state->last_step, state->last_time, silent});
    raise_gap(view, options, state, silent, false); /* as a tick has done already */
    if (!tv_gaps_pauses_are_regular(gaps))
        return;
    /* What was told of other silences before them stays true. */
    (gaps->pause_count == TV_PAUSES ? tv_withdraw_all : tv_clear)(view, gap_subject);
    tv_gaps_accept_pauses(gaps);
    state->gap_fires = false;
}

static void raise_slow(struct tv_view *view, const struct options *options,
                       const struct tv_pace *pace)
{
    double now = pace->now, usual = pace->usual;
    struct tv_note note;
    struct tv_finding finding;
    double left = (double)tv_view_total_steps(view) - (double)tv_view_step(view);
    tv_note_init(&note, &finding, slow_subject, TV_WARNING, pace->since);
    tv_note_summary(&note, "a step takes %.3g s since step %lld, %.3g times the usual %.3g s", now,
                    (long long)pace->since, now / usual, usual);
    finding.observed = now;
    finding.expected = usual;
    finding.confidence = 0.9;
    tv_note_evidence(&note, "seconds_per_step", now);
    tv_note_evidence(&note, "usual_seconds_per_step", usual);
    tv_note_evidence(&note, "factor", now / usual);
    tv_note_evidence(&note, "factor_threshold", options->pace.slow_factor);
    if (left > 0) {
        tv_note_evidence(&note, "remaining_seconds_now", left * now);
        tv_note_evidence(&note, "remaining_seconds_as_usual", left * usual);
    }
    tv_note_cause(&note, "the data loader or the storage has become slow");
    tv_note_cause(&note, "the accelerator is throttled or shared, or one worker straggles");
    tv_note_cause(&note, "longer sequences, or memory is swapped or fragmented");
    tv_note_advice(&note, "compare the accelerator's load and clock with the time before step %lld",
                   (long long)pace->since);
    tv_raise(view, &finding);
}

static void add_train(struct tv_view *view, const struct options *options, struct state *state,
                      const struct tv_point *point)
{
    double seconds = point->wall_time - state->train_time;
    double steps = (double)point->step - (double)state->train_step;
    bool usable = state->has_train && !state->interrupted && steps > 0 && seconds > 0 &&
                  !(state->evaluated && state->plain_seen);
    bool first_plain = usable && !state->evaluated && !state->plain_seen;
    int64_t since = state->train_step;
    state->has_train = true;
    state->interrupted = state->evaluated = false;
    state->train_time = point->wall_time;
    state->train_step = point->step;
    if (!usable)
        return;
    if (first_plain) {
        state->plain_seen = true;
        tv_pace_forget(&state->pace);
    }
    enum tv_pace_change change =
        tv_pace_add(&state->pace, &options->pace, since, point->step, seconds);
    if (change == TV_PACE_SLOWED)
        raise_slow(view, options, &state->pace);
    else if (change == TV_PACE_RECOVERED) /* by itself, and it cost less than a silence may */
        (state->pace.lost < options->gaps.floor ? tv_withdraw : tv_clear)(view, slow_subject);
}

/* Another process writes from here on, or the run was taken up again: the time before is nobody's.
 */
static bool is_restarted(const struct tv_view *view, struct state *state, enum tv_role role)
{
    uint32_t writer = tv_view_writer(view);
    bool restarted = tv_view_attempt(view) != state->attempt || writer != state->writer[role];
    state->gap_was_one |= restarted && state->gap_fires && state->writer[role] > 0;
    state->attempt = tv_view_attempt(view);
    state->writer[role] = writer;
    return restarted;
}

static bool is_evaluation(const struct tv_point *point)
{
    return point->role == TV_ROLE_EVAL_LOSS || point->role == TV_ROLE_EVAL_METRIC;
}

static TV_RARE void next_sign(struct tv_view *view, const struct options *options,
                              struct state *state, const struct tv_point *point, bool restarted)
{
    double gap = point->wall_time - state->last_time;
    bool is_first_eval = is_evaluation(point) && !state->eval_known;
    if (state->seen && point->step > state->last_step)
        state->stride = fmax((double)point->step - (double)state->last_step, 0.9 * state->stride);
    if (state->seen && gap <= 0 && !restarted) {
        if (point->step > state->last_step)
            state->last_step = point->step;
        return;
    }
    state->eval_known |= is_first_eval;
    if (state->seen && !restarted) {
        if (!is_first_eval && tv_gaps_is_too_long(&state->gaps, &options->gaps, gap)) {
            add_pause(view, options, state, gap);
            state->interrupted = true;
        } else {
            state->interrupted |= state->gaps.regular > 0 && gap > state->gaps.regular / 2;
            if (state->gap_fires && state->gaps.count == 0 && !state->gap_was_one) {
                /* it may be how this job logs */
                tv_withdraw(view, gap_subject);
                state->gap_fires = false;
            }
            tv_gaps_add(&state->gaps, gap);
            if (state->gap_fires && ++state->calm >= 3 &&
                (double)point->step >= tv_gaps_calm_until(&state->gaps)) {
                tv_clear(view, gap_subject);
                state->gap_fires = false;
            }
        }
    }
    if (restarted)
        state->has_train = false;
    state->seen = true;
    state->last_time = point->wall_time;
    state->last_step = point->step;
}

static void sign_of_life(struct tv_view *view, const struct options *options, struct state *state,
                         const struct tv_point *point)
{
    double gap = point->wall_time - state->last_time;
    bool restarted = is_restarted(view, state, point->role);
    if (!state->seen || restarted || point->step != state->last_step || !(gap < 1)) {
        next_sign(view, options, state, point, restarted);
        return;
    }
    /* The series of one step are written one after the other. */
    if (gap > 0) {
        state->eval_known |= is_evaluation(point);
        state->last_time = point->wall_time;
    }
}

static void on_sample(struct tv_view *view, const void *options, void *state_,
                      const struct tv_point *point)
{
    struct state *state = state_;
    if (point->role == TV_ROLE_TRAIN_LOSS)
        state->loss_broken = !isfinite(point->value) || point->value == 0;
    else if (point->role == TV_ROLE_GRAD_NORM)
        state->gradient_broken = !isfinite(point->value);
    if (!isfinite(point->wall_time))
        return;
    sign_of_life(view, options, state, point);
    if (point->role == TV_ROLE_TRAIN_LOSS)
        add_train(view, options, state, point);
    else if (is_evaluation(point))
        state->evaluated = true;
}

/* Two of its usual intervals would lead to the last step. */
static bool is_near_end(const struct tv_view *view, const struct state *state, int64_t total)
{
    const struct tv_pace *pace = &state->pace;
    double interval = state->gaps.count ? tv_gaps_usual(&state->gaps) : 0;
    double steps = pace->recent_len ? interval / pace->recent[pace->recent_len - 1] : 1;
    steps = fmax(steps, fmax(state->stride, 1));
    return (double)tv_view_step(view) + 2 * steps > (double)total;
}

/* The silence that lasts. Returns the seconds until it says something else. */
static double on_tick(struct tv_view *view, const void *options_, void *state_)
{
    const struct options *options = options_;
    struct state *state = state_;
    double now = tv_view_now(view), silent = now - state->last_time;
    int64_t total = tv_view_total_steps(view);
    if (!state->seen)
        tv_silent(view, "the log has no time of day");
    else if (tv_view_finished(view))
        tv_silent(view, "the run has finished, and its pace was steady to the end");
    else if (!(total > 0))
        tv_silent(view, "the planned length is not known: the silence may be the run's end");
    else if (state->loss_broken || state->gradient_broken)
        tv_silent(view, "the last values were not finite: the job was stopped by that");
    else if (!isfinite(now))
        tv_silent(view, "it is not known what time it is: the silence cannot be measured");
    else if (!(silent < options->abandoned))
        tv_silent_because(view,
                          "the last point is %.0f days old (or its clock is not the time of day): "
                          "a stall is told for %.0f days",
                          silent / 86400, options->abandoned / 86400);
    else if (is_near_end(view, state, total))
        tv_silent(view, "the planned steps are done");
    else {
        double limit = tv_gaps_patience(&state->gaps, &options->gaps);
        if (silent > limit) {
            raise_gap(view, options, state, silent, true);
            return silent > options->critical ? INFINITY : options->critical - silent;
        }
        tv_silent_because(view,
                          "the last point is %.0f s old (%.0f s of silence are needed), and "
                          "the pace is steady",
                          silent, limit);
        return limit - silent;
    }
    return INFINITY;
}

static void on_end(struct tv_view *view, const void *options_, void *state)
{
    on_tick(view, options_, state);
}

static const struct tv_option options[] = {
    TV_OPTION_PART_ROW(struct options, gaps, floor, DOUBLE, 300, 1, 1e6,
                       "seconds; no shorter silence is a stall (writers flush every 120 s)"),
    TV_OPTION_PART_ROW(struct options, gaps, longest, DOUBLE, 3, 1, 1000,
                       "times the longest of the last 48 intervals"),
    TV_OPTION_PART_ROW(struct options, gaps, median, DOUBLE, 10, 1, 1000, "times their median"),
    TV_OPTION_PART_ROW(
        struct options, gaps, early, DOUBLE, 4, 1, 1000,
        "the patience is so many times longer before the sixth point (compiling, data)"),
    TV_OPTION_ROW(struct options, critical, DOUBLE, 1800, 1, 1e7,
                  "seconds from which a silence is critical"),
    TV_OPTION_ROW(struct options, abandoned, DOUBLE, 604800, 60, 1e9,
                  "seconds after which a silent log is no longer a job to look after"),
    TV_OPTION_PART_ROW(struct options, pace, slow_factor, DOUBLE, 2, 1.1, 1000,
                       "times the usual duration of a step that is a slow-down"),
    TV_OPTION_PART_ROW(struct options, pace, slow_seconds, DOUBLE, 1.5, 0, 1e6,
                       "seconds that an interval must take longer (some logs have whole seconds)"),
    TV_OPTION_PART_ROW(
        struct options, pace, slow_intervals, INT, 6, 3, 12,
        "successive intervals that must all be so slow; half as many at the factor's square"),
    TV_OPTION_END,
};

const struct tv_detector tv_detector_stall = {
    .name = "stall",
    .summary = "the job lives but logs nothing, or has become slower by a factor",
    .explain =
        "Silence: fires when the time between two logged points, or from the last one to the "
        "observer's clock, exceeds the\n"
        "largest of `floor`, `longest` times the longest and `median` times the median of the "
        "last 48 intervals (`early` times\n"
        "that at first, `early` times more before the second point, which takes it back). The last "
        "silence counts only while planned steps are missing, the last values were finite, and for "
        "`abandoned` seconds; the time\n"
        "between two attempts, or before a process that writes a new event file, does not count. "
        "Three silences at like distances\n"
        "(within 20 %, in steps or in seconds), none twice as long as another, are no stalls but "
        "what the job does regularly.\n"
        "Slow-down: the last `slow_intervals` intervals "
        "between training points, those\n"
        "with an evaluation left out unless all have one, (or half as many at its square) all take "
        "more than `slow_factor` times "
        "the median duration "
        "of a step before. Onset: the\n"
        "last step before the silence, the first slow step. A slow-down that goes by itself and "
        "cost less "
        "than `floor` is taken\n"
        "back.\n"
        "Source: measured on 130 real timelines: with a floor of 300 s and 3 times the longest 6 "
        "misfire, a fixed 300 s on 13,\n"
        "a fixed 1800 s on 3 but half an hour late.\n"
        "It needs times: trainer_state.json has none, and without a planned length it cannot tell "
        "a stall from the end. It\n"
        "does not see whether the process lives.",
    .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS) | TV_ROLE_BIT(TV_ROLE_EVAL_LOSS) |
             TV_ROLE_BIT(TV_ROLE_LEARNING_RATE) | TV_ROLE_BIT(TV_ROLE_GRAD_NORM) |
             TV_ROLE_BIT(TV_ROLE_EVAL_METRIC) | TV_ROLE_BIT(TV_ROLE_REWARD),
    .options = options,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_tick = on_tick,
    .on_end = on_end,
};
