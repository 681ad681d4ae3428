/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The warm-up takes too much of the run, promised or as logged. */
#include "lib/note.h"
#include "lib/plan.h"
#include "lib/silence.h"
#include <math.h>

struct options {
    double share, short_run_steps, target_share;
    int64_t points;
};

struct state {
    uint32_t judged; /* schedule version + 1 */
    bool promised;   /* the promise was found to be slow */
    bool logged;
    bool is_early; /* it was told before a learning rate was logged: its subject has no tag */
    bool is_past;  /* what was told is over */
    /* The rise of the logged learning rate. */
    double top;
    int64_t first, rising_to;
    uint64_t rises;
    bool over;
};

static void advise(const struct tv_view *view, const struct options *options, double total,
                   double warmup, struct tv_note *note)
{
    struct tv_setting setting;
    double target = fmax(1, round(options->target_share * total));
    if (tv_view_setting(view, "warmup_ratio", &setting) && setting.number > 0 &&
        !(tv_view_setting(view, "warmup_steps", &setting) && setting.number > 0)) {
        tv_view_setting(view, "warmup_ratio", &setting);
        tv_note_advice(note, "%s: %s -> %g (%.0f of %.0f steps)", setting.key, setting.value,
                       options->target_share, target, total);
    } else if (tv_view_setting(view, "warmup_steps", &setting))
        tv_note_advice(note, "%s: %s -> %.0f (%g %% of %.0f)", setting.key, setting.value, target,
                       100 * options->target_share, total);
    else
        tv_note_advice(note, "warm-up: %.0f -> %.0f steps (%g %% of %.0f)", warmup, target,
                       100 * options->target_share, total);
}

static const char *subject_of(const struct tv_view *view, const struct state *state)
{
    const char *tag = state->is_early ? NULL : tv_view_tag(view, TV_ROLE_LEARNING_RATE);
    return tag ? tag : "warmup_steps";
}

enum form { PROMISED, RISING, RISEN };

static void explain(const struct tv_view *view, enum form form, struct tv_note *note)
{
    struct tv_setting setting;
    if (tv_view_setting(view, "warmup_steps", &setting) && setting.number > 0)
        tv_note_cause(note, "%s: %s (%s) was chosen for a longer run", setting.key, setting.value,
                      setting.source);
    else if (tv_view_setting(view, "warmup_ratio", &setting) && setting.number > 0)
        tv_note_cause(note, "%s: %s (%s) is a large part", setting.key, setting.value,
                      setting.source);
    else if (form == PROMISED)
        tv_note_cause(note, "the schedule itself warms up for that long");
    else
        tv_note_cause(note, "a fixed number of warm-up steps was chosen for a longer run");
    if (form != PROMISED)
        tv_note_cause(note, "the warm-up is counted in other steps than the optimizer's "
                            "(gradient accumulation, number of processes)");
}

static TV_RARE void raise(struct tv_view *view, const struct options *options, struct state *state,
                          double warmup, double total, enum form form)
{
    struct tv_note note;
    struct tv_finding finding;
    bool never = warmup >= total;
    if (!state->promised && !state->logged)
        state->is_early = !tv_view_tag(view, TV_ROLE_LEARNING_RATE);
    tv_note_init(&note, &finding, subject_of(view, state), never ? TV_CRITICAL : TV_WARNING,
                 tv_view_first_step(view));
    if (form == PROMISED)
        tv_note_summary(&note, "the warm-up takes %.0f of %.0f steps (%.0f %%)%s", warmup, total,
                        100 * warmup / total, never ? ": the peak is never reached" : "");
    else if (form == RISEN)
        tv_note_summary(&note, "the logged learning rate rose until step %.0f of %.0f (%.0f %%)",
                        warmup, total, 100 * warmup / total);
    else
        tv_note_summary(&note,
                        "the logged learning rate is still rising at step %.0f of %.0f (%.0f %%)",
                        warmup, total, 100 * warmup / total);
    finding.observed = warmup;
    finding.expected = round(options->target_share * total);
    finding.confidence = form == PROMISED ? 0.95 : 0.85;
    tv_note_evidence(&note, "warmup_steps", warmup);
    tv_note_evidence(&note, "total_steps", total);
    tv_note_evidence(&note, "warmup_share", warmup / total);
    tv_note_evidence(&note, "warmup_share_threshold", options->share);
    explain(view, form, &note);
    advise(view, options, total, warmup, &note);
    tv_raise(view, &finding);
}

static void judge_promise(struct tv_view *view, const struct options *options, struct state *state)
{
    uint32_t version = tv_view_schedule_version(view) + 1;
    if (state->judged == version)
        return;
    state->judged = version;
    if (state->is_past)
        return;
    const struct tv_schedule *schedule = tv_view_schedule(view);
    double total = (double)tv_view_total_steps(view);
    bool slow = schedule && total > 0 && schedule->warmup_steps > options->share * total &&
                total >= options->short_run_steps;
    if (slow)
        raise(view, options, state, schedule->warmup_steps, total, PROMISED);
    else if (state->promised)
        tv_clear(view, subject_of(view, state));
    state->promised = slow;
}

static TV_RARE void end_it(struct tv_view *view, struct state *state)
{
    tv_clear(view, subject_of(view, state));
    state->is_past = true;
}

/* Rises that are too small to be a warm-up (cosine restarts, rounding) end it. */
static void judge_log(struct tv_view *view, const struct options *options, struct state *state,
                      const struct tv_point *point)
{
    double total = (double)tv_view_total_steps(view);
    if (state->over || state->promised)
        return;
    if (state->rises == 0 && state->top == 0 && point->value > 0) {
        state->top = point->value;
        state->first = point->step;
        return;
    }
    if (point->value <= state->top) {
        state->over = point->value > 0 || state->rises > 0;
        if (state->logged && state->over) {
            raise(view, options, state, (double)state->rising_to, total, RISEN);
            end_it(view, state);
        }
        return;
    }
    state->top = point->value;
    state->rising_to = point->step;
    state->rises++;
    if (state->logged || total < options->short_run_steps ||
        state->rises < (uint64_t)options->points || (double)point->step <= options->share * total)
        return;
    raise(view, options, state, (double)point->step, total, RISING);
    state->logged = true;
}

static void on_sample(struct tv_view *view, const void *options, void *state_,
                      const struct tv_point *point)
{
    struct state *state = state_;
    if (tv_view_is_rl(view))
        return;
    judge_promise(view, options, state);
    if (state->promised && !state->is_past &&
        (double)point->step > tv_view_schedule(view)->warmup_steps)
        end_it(view, state);
    if (point->role == TV_ROLE_LEARNING_RATE && isfinite(point->value))
        judge_log(view, options, state, point);
}

static void on_end(struct tv_view *view, const void *options_, void *state_)
{
    const struct options *options = options_;
    const struct state *state = state_;
    if (tv_view_is_rl(view)) {
        tv_silent(view,
                  "rewards are logged: the plan of reinforcement learning counts other steps");
        return;
    }
    judge_promise(view, options, state_);
    const struct tv_schedule *schedule = tv_view_schedule(view);
    double total = (double)tv_view_total_steps(view);
    if (!(total > 0))
        tv_silent(view, "neither the configuration nor the log tells how long the run is to be");
    else if (total < options->short_run_steps)
        tv_silent_because(view, "the run has %.0f steps: shorter ones than %.0f are not judged",
                          total, options->short_run_steps);
    else if (schedule)
        tv_silent_because(view,
                          "the promised warm-up takes %.0f of %.0f steps, %.2g %% (more than "
                          "%.3g %% is slow)",
                          schedule->warmup_steps, total, 100 * schedule->warmup_steps / total,
                          100 * options->share);
    else if (state->top > 0)
        tv_silent_because(view,
                          "the logged learning rate rises until step %lld of %.0f (behind %.3g %% "
                          "is slow)",
                          (long long)(state->rises ? state->rising_to : state->first), total,
                          100 * options->share);
    else
        tv_silent(view, "no learning rate is logged, and the configuration promises no warm-up");
}

static const struct tv_option options[] = {
    TV_OPTION_ROW(struct options, share, DOUBLE, 0.25, 0.01, 1,
                  "part of the planned steps; a longer warm-up is slow"),
    TV_OPTION_ROW(struct options, short_run_steps, DOUBLE, 20, 1, 1e9,
                  "steps; shorter runs are not judged"),
    TV_OPTION_ROW(struct options, target_share, DOUBLE, 0.1, 0.001, 0.5,
                  "part of the planned steps that is advised"),
    TV_OPTION_ROW(struct options, points, INT, 5, 2, 1e6,
                  "rising points of the logged learning rate before it is judged"),
    TV_OPTION_END,
};

const struct tv_detector tv_detector_slow_warmup = {
    .name = "slow_warmup",
    .summary = "the warm-up takes too much of the run",
    .explain =
        "Fires when the warm-up that the configuration promises is longer than `share` of the "
        "planned steps, at once; or when\n"
        "the logged learning rate is still rising behind that part of the plan, whatever was "
        "promised. Onset: the first step. Resolved where the warm-up ends.\n"
        "Source: usual warm-ups are 1 to 10 % of a run; the threshold was set on labelled runs (a "
        "warm-up of a fifth is unusual,\n"
        "not wrong).\n"
        "It needs the planned number of steps. It does not weigh what the loss gains in the "
        "warm-up.",
    .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS) | TV_ROLE_BIT(TV_ROLE_LEARNING_RATE),
    .options = options,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
