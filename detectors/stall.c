/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The job lives but logs nothing, or has become slower by a factor. */
#include "lib/note.h"
#include "lib/plan.h"
#include "lib/robust.h"
#include "lib/silence.h"
#include "lib/thin.h"
#include <math.h>
#include <string.h>

struct options {
    double floor, longest, median, early, critical, abandoned;
    double slow_factor, slow_seconds;
    int64_t slow_intervals;
};

enum { GAPS = 48, PACES = 16, PAUSES = 3 };

/* A silence that was too long, and over. */
struct pause {
    int64_t step; /* the last one before it */
    double began, seconds;
};

struct state {
    /* Any logged point counts as a sign of life. */
    double gaps[GAPS]; /* seconds between two signs of life at different times, a ring */
    uint32_t gaps_at;
    uint64_t gap_count;
    double last_time;
    int64_t last_step;
    uint32_t attempt, writer[TV_ROLE_COUNT];
    bool seen, gap_fires;
    struct pause pauses[PAUSES]; /* the last ones, oldest first */
    uint64_t pause_count;
    int64_t first_pause;
    double regular; /* the longest of the pauses that come regularly, 0: none do */
    bool loss_broken, gradient_broken; /* the last one was NaN, infinite, or a NaN shown as 0 */
    uint32_t calm;
    /* Seconds a step between two training points with nothing else in between. */
    struct tv_thin pace;
    double fastest; /* of those */
    double recent[PACES];
    int64_t recent_step[PACES];
    uint32_t recent_len;
    double train_time;
    int64_t train_step;
    bool has_train, interrupted, slow_fires;
    bool evaluated;  /* since the last training point */
    bool eval_known; /* how long an evaluation takes has been seen */
    bool plain_seen; /* an interval without evaluation: those with one are then left out */
    double stride;   /* steps between two signs of life, lately at most */
    double usual;
    double lost; /* seconds, by the slow-down that fires */
};

static const char gap_subject[] = "log";
static const char slow_subject[] = "seconds_per_step";

/* Silence that is too long after what was seen. */
static double patience(const struct options *options, const struct state *state)
{
    size_t n = state->gap_count < GAPS ? (size_t)state->gap_count : GAPS;
    double longest = state->regular;
    for (size_t i = 0; i < n; i++)
        longest = fmax(longest, state->gaps[i]);
    double limit = fmax(options->longest * longest, options->floor);
    if (n)
        limit = fmax(limit, options->median * tv_median_of(state->gaps, n));
    return state->gap_count < 5 ? options->early * limit : limit;
}

/* Most intervals are ordinary: what they have stayed below is looked at only beyond the floor. */
static bool is_too_long(const struct options *options, const struct state *state, double gap)
{
    return gap > options->floor && gap > patience(options, state);
}

/* Where another silence would no longer belong to the last ones. */
static double calm_until(const struct state *state)
{
    double n = (double)state->pause_count;
    double since = (double)state->pauses[PAUSES - 1].step;
    return n < 2 ? since : since + 2 * (since - (double)state->first_pause) / (n - 1);
}

static void raise_gap(struct tv_view *view, const struct options *options, struct state *state,
                      double silent, bool open)
{
    double limit = patience(options, state);
    size_t n = state->gap_count < GAPS ? (size_t)state->gap_count : GAPS;
    double usual = n ? tv_median_of(state->gaps, n) : NAN;
    struct tv_note note;
    struct tv_finding finding;
    tv_note_init(&note, &finding, gap_subject,
                 silent > options->critical ? TV_CRITICAL : TV_WARNING, state->last_step);
    if (!open && state->pause_count > 1)
        tv_note_summary(&note,
                        "the log was silent %llu times since step %lld, the last time for %.0f s "
                        "after step %lld, the usual interval is %.3g s",
                        (unsigned long long)state->pause_count, (long long)state->first_pause,
                        silent, (long long)state->last_step, usual);
    else
        tv_note_summary(&note, "%s for %.0f s after step %lld, the usual interval is %.3g s",
                        open ? "nothing was logged" : "the log was silent", silent,
                        (long long)state->last_step, usual);
    finding.observed = silent;
    finding.expected = limit;
    finding.confidence = open ? 0.8 : 0.95;
    tv_note_evidence(&note, "silent_seconds", silent);
    tv_note_evidence(&note, "patience_seconds", limit);
    tv_note_evidence(&note, "median_interval_seconds", usual);
    tv_note_evidence(&note, "intervals", (double)state->gap_count);
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

static bool is_alike(double a, double b)
{
    return fmin(a, b) > 0.8 * fmax(a, b);
}

/* The last pauses lie at like distances, in steps or in seconds, and none is twice as long as
 * another: the job evaluates, saves or waits as it was told to. */
static bool is_regular(const struct state *state)
{
    const struct pause *p = state->pauses;
    if (state->pause_count < PAUSES)
        return false;
    double least = fmin(p[0].seconds, fmin(p[1].seconds, p[2].seconds));
    double most = fmax(p[0].seconds, fmax(p[1].seconds, p[2].seconds));
    return most < 2 * least &&
           (is_alike((double)(p[1].step - p[0].step), (double)(p[2].step - p[1].step)) ||
            is_alike(p[1].began - p[0].began - p[0].seconds,
                     p[2].began - p[1].began - p[1].seconds));
}

/* A silence that is over. Those that come regularly were no stalls. */
static void add_pause(struct tv_view *view, const struct options *options, struct state *state,
                      double silent)
{
    memmove(state->pauses, state->pauses + 1, sizeof state->pauses - sizeof *state->pauses);
    state->pauses[PAUSES - 1] = (struct pause){state->last_step, state->last_time, silent};
    if (state->pause_count++ == 0)
        state->first_pause = state->last_step;
    raise_gap(view, options, state, silent, false); /* as a tick has done already */
    if (!is_regular(state))
        return;
    for (size_t i = 0; i < PAUSES; i++)
        state->regular = fmax(state->regular, state->pauses[i].seconds);
    /* What was told of other silences before them stays true. */
    (state->pause_count == PAUSES ? tv_withdraw_all : tv_clear)(view, gap_subject);
    state->pause_count = 0;
    state->gap_fires = false;
}

static void raise_slow(struct tv_view *view, const struct options *options, struct state *state,
                       double now, int64_t onset)
{
    struct tv_note note;
    struct tv_finding finding;
    double left = (double)tv_view_total_steps(view) - (double)tv_view_step(view);
    tv_note_init(&note, &finding, slow_subject, TV_WARNING, onset);
    tv_note_summary(&note, "a step takes %.3g s since step %lld, %.3g times the usual %.3g s", now,
                    (long long)onset, now / state->usual, state->usual);
    finding.observed = now;
    finding.expected = state->usual;
    finding.confidence = 0.9;
    tv_note_evidence(&note, "seconds_per_step", now);
    tv_note_evidence(&note, "usual_seconds_per_step", state->usual);
    tv_note_evidence(&note, "factor", now / state->usual);
    tv_note_evidence(&note, "factor_threshold", options->slow_factor);
    if (left > 0) {
        tv_note_evidence(&note, "remaining_seconds_now", left * now);
        tv_note_evidence(&note, "remaining_seconds_as_usual", left * state->usual);
    }
    tv_note_cause(&note, "the data loader or the storage has become slow");
    tv_note_cause(&note, "the accelerator is throttled or shared, or one worker straggles");
    tv_note_cause(&note, "longer sequences, or memory is swapped or fragmented");
    tv_note_advice(&note, "compare the accelerator's load and clock with the time before step %lld",
                   (long long)onset);
    tv_raise(view, &finding);
    state->slow_fires = true;
}

static double lowest_of(const double *values, uint32_t len)
{
    double lowest = INFINITY;
    for (uint32_t i = 0; i < len; i++)
        lowest = values[i] < lowest ? values[i] : lowest;
    return lowest;
}

static void add_pace(struct state *state, int64_t step, double pace)
{
    if (state->recent_len == PACES) {
        /* What leaves the window is history, unless it belongs to a slow-down. */
        if (!state->slow_fires &&
            tv_thin_add(&state->pace, state->recent_step[0], state->recent[0]))
            state->fastest = lowest_of(state->pace.value, state->pace.len);
        memmove(state->recent, state->recent + 1, sizeof state->recent - sizeof *state->recent);
        memmove(state->recent_step, state->recent_step + 1,
                sizeof state->recent_step - sizeof *state->recent_step);
        state->recent_len--;
    }
    state->recent[state->recent_len] = pace;
    state->recent_step[state->recent_len++] = step;
}

/* Median of everything before the last `hold` intervals. */
static double usual_pace(const struct state *state, uint32_t hold)
{
    double before[TV_THIN + PACES];
    uint32_t n = state->pace.len, from = state->recent_len - hold;
    memcpy(before, state->pace.value, n * sizeof *before);
    memcpy(before + n, state->recent, from * sizeof *before);
    return tv_median(before, n + from);
}

static uint32_t count_faster(const double *paces, uint32_t len, double factor, double pace)
{
    uint32_t faster = 0;
    for (uint32_t i = 0; i < len; i++)
        faster += factor * paces[i] < pace;
    return faster;
}

/* True when the last `hold` intervals all took more than `factor` times the usual. */
static bool slowed(const struct options *options, const struct state *state, uint32_t hold,
                   double factor, double seconds)
{
    uint32_t from = state->recent_len - hold;
    /* Most points end here: none of the history is so much faster, and it outnumbers the rest. */
    if (from < state->pace.len && state->recent[state->recent_len - 1] <= factor * state->fastest)
        return false;
    double fastest = lowest_of(state->recent + from, hold);
    /* Less than half of the others are so much faster, so neither is their median. */
    if (2 * (count_faster(state->pace.value, state->pace.len, factor, fastest) +
             count_faster(state->recent, from, factor, fastest)) <
        state->pace.len + from)
        return false;
    double usual = usual_pace(state, hold);
    double steps = seconds / state->recent[state->recent_len - 1];
    return usual > 0 && fastest > factor * usual &&
           (fastest - usual) * steps > options->slow_seconds;
}

/* A small slow-down has to last longer than a large one. */
static void judge_pace(struct tv_view *view, const struct options *options, struct state *state,
                       double seconds)
{
    uint32_t hold = (uint32_t)options->slow_intervals, half = hold / 2 > 2 ? hold / 2 : 2;
    double factor = options->slow_factor;
    if (state->recent_len < hold + 3)
        return;
    double now = tv_median_of(state->recent + state->recent_len - half, half);
    if (state->slow_fires) {
        state->lost += seconds - seconds * state->usual / state->recent[state->recent_len - 1];
        if (now < sqrt(factor) * state->usual) {
            /* It went by itself, and cost less than a silence that is none. */
            (state->lost < options->floor ? tv_withdraw : tv_clear)(view, slow_subject);
            state->slow_fires = false;
        }
        return;
    }
    bool much = slowed(options, state, half, factor * factor, seconds);
    if (!much && !slowed(options, state, hold, factor, seconds))
        return;
    uint32_t first = state->recent_len - (much ? half : hold);
    state->usual = usual_pace(state, state->recent_len - first);
    while (first > 0 && state->recent[first - 1] > factor * state->usual)
        first--;
    double slow = (double)(tv_view_step(view) - state->recent_step[first]);
    state->lost = slow * (now - state->usual);
    raise_slow(view, options, state, now, state->recent_step[first]);
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
        state->pace = (struct tv_thin){0};
        state->recent_len = 0;
    }
    add_pace(state, since, seconds / steps);
    judge_pace(view, options, state, seconds);
}

/* Another process writes from here on, or the run was taken up again: the time before is nobody's.
 */
static bool is_restarted(const struct tv_view *view, struct state *state, enum tv_role role)
{
    uint32_t writer = tv_view_writer(view);
    bool restarted = tv_view_attempt(view) != state->attempt || writer != state->writer[role];
    state->attempt = tv_view_attempt(view);
    state->writer[role] = writer;
    return restarted;
}

static bool is_evaluation(const struct tv_point *point)
{
    return point->role == TV_ROLE_EVAL_LOSS || point->role == TV_ROLE_EVAL_METRIC;
}

static void sign_of_life(struct tv_view *view, const struct options *options, struct state *state,
                         const struct tv_point *point)
{
    double gap = point->wall_time - state->last_time;
    bool restarted = is_restarted(view, state, point->role);
    bool is_first_eval = is_evaluation(point) && !state->eval_known;
    if (state->seen && point->step > state->last_step)
        state->stride = fmax((double)point->step - (double)state->last_step, 0.9 * state->stride);
    if (state->seen && gap <= 0 && !restarted) {
        if (point->step > state->last_step)
            state->last_step = point->step;
        return;
    }
    state->eval_known |= is_first_eval;
    /* The series of one step are written one after the other. */
    if (state->seen && !restarted && point->step == state->last_step && gap < 1) {
        state->last_time = point->wall_time;
        return;
    }
    if (state->seen && !restarted) {
        if (!is_first_eval && is_too_long(options, state, gap)) {
            add_pause(view, options, state, gap);
            state->interrupted = true;
        } else {
            state->interrupted |= state->regular > 0 && gap > state->regular / 2;
            state->gaps[state->gaps_at] = gap;
            state->gaps_at = (state->gaps_at + 1) % GAPS;
            state->gap_count++;
            if (state->gap_fires && ++state->calm >= 3 &&
                (double)point->step >= calm_until(state)) {
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
    size_t n = state->gap_count < GAPS ? (size_t)state->gap_count : GAPS;
    double interval = n ? tv_median_of(state->gaps, n) : 0;
    double steps = state->recent_len ? interval / state->recent[state->recent_len - 1] : 1;
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
        double limit = patience(options, state);
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
    TV_OPTION_ROW(struct options, floor, DOUBLE, 300, 1, 1e6,
                  "seconds; no shorter silence is a stall (writers flush every 120 s)"),
    TV_OPTION_ROW(struct options, longest, DOUBLE, 3, 1, 1000,
                  "times the longest of the last 48 intervals"),
    TV_OPTION_ROW(struct options, median, DOUBLE, 10, 1, 1000, "times their median"),
    TV_OPTION_ROW(struct options, early, DOUBLE, 4, 1, 1000,
                  "the patience is so many times longer before the sixth point (compiling, data)"),
    TV_OPTION_ROW(struct options, critical, DOUBLE, 1800, 1, 1e7,
                  "seconds from which a silence is critical"),
    TV_OPTION_ROW(struct options, abandoned, DOUBLE, 604800, 60, 1e9,
                  "seconds after which a silent log is no longer a job to look after"),
    TV_OPTION_ROW(struct options, slow_factor, DOUBLE, 2, 1.1, 1000,
                  "times the usual duration of a step that is a slow-down"),
    TV_OPTION_ROW(struct options, slow_seconds, DOUBLE, 1.5, 0, 1e6,
                  "seconds that an interval must take longer (some logs have whole seconds)"),
    TV_OPTION_ROW(
        struct options, slow_intervals, INT, 6, 3, 12,
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
        "that at first). The last silence counts only while planned steps are missing, the last "
        "values were finite, and for "
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
