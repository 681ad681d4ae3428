/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration judged before (and beside) the run. The rules are in lib/lint_*.c. */
#include "lib/lint.h"

struct state {
    uint32_t judged; /* schedule version + 1 */
};

static void judge_rule(struct tv_view *view, const struct tv_lint_options *options,
                       const struct tv_lint_rule *rule)
{
    struct tv_note note;
    struct tv_finding finding;
    tv_note_init(&note, &finding, rule->setting, rule->severity, 0);
    if (rule->broken(view, options, &note))
        tv_raise(view, &finding);
    else
        tv_clear(view, rule->setting);
}

static void judge(struct tv_view *view, const struct tv_lint_options *options)
{
    for (const struct tv_lint_rule *const *rules = tv_lint_rules; *rules; rules++)
        for (const struct tv_lint_rule *rule = *rules; rule->setting; rule++)
            if ((double)rule->severity >= options->least_severity)
                judge_rule(view, options, rule);
}

/* Again whenever the configuration turns out to say more. */
static void judge_when_changed(struct tv_view *view, const void *options, void *state_)
{
    struct state *state = state_;
    uint32_t version = tv_view_schedule_version(view) + 1;
    if (state->judged == version)
        return;
    state->judged = version;
    judge(view, options);
}

static bool has_settings(const struct tv_view *view)
{
    static const char *const names[] = {"learning_rate",     "max_steps",    "num_train_epochs",
                                        "lr_scheduler_type", "warmup_steps", "output_dir"};
    struct tv_setting setting;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (tv_view_setting(view, names[i], &setting))
            return true;
    return false;
}

static void on_end(struct tv_view *view, const void *options_, void *state)
{
    const struct tv_lint_options *options = options_;
    judge_when_changed(view, options, state);
    if (!has_settings(view))
        tv_silent(view, "no configuration was found");
    else if (options->least_severity > 0)
        tv_silent(view, "no setting that was found rules the run out; `trainvet lint` also tells "
                        "what is unusual");
    else
        tv_silent(view, "no setting that was found is a known mistake");
}

static void on_sample(struct tv_view *view, const void *options, void *state,
                      const struct tv_point *point)
{
    (void)point;
    judge_when_changed(view, options, state);
}

static const struct tv_option options[] = {
    TV_OPTION_ROW(
        struct tv_lint_options, least_severity, DOUBLE, 2, 0, 2,
        "what is reported at all: 0 advice too, 1 mistakes, 2 what cannot work; lint uses 0"),
    TV_OPTION_ROW(struct tv_lint_options, warmup_share, DOUBLE, 0.2, 0, 1,
                  "warm-up above this share of the run is too long"),
    TV_OPTION_ROW(struct tv_lint_options, short_run, INT, 200, 1, 1e9,
                  "steps; restarts and phases need a longer run than this"),
    TV_OPTION_ROW(struct tv_lint_options, full_lr, DOUBLE, 1e-4, 0, 10,
                  "learning rate that is high for full fine-tuning"),
    TV_OPTION_ROW(struct tv_lint_options, lora_lr, DOUBLE, 1e-3, 0, 10,
                  "learning rate that is high for LoRA"),
    TV_OPTION_ROW(struct tv_lint_options, small_lora_lr, DOUBLE, 1e-5, 0, 10,
                  "learning rate that is low for LoRA"),
    TV_OPTION_ROW(struct tv_lint_options, small_data, INT, 1000, 1, 1e12,
                  "samples; so many or fewer are a small data set"),
    TV_OPTION_ROW(struct tv_lint_options, many_epochs, INT, 10, 1, 1e6,
                  "epochs; more on a small data set are too many"),
    TV_OPTION_ROW(struct tv_lint_options, least_warmup, INT, 50, 0, 1e9,
                  "steps of warm-up that a large learning rate needs"),
    TV_OPTION_ROW(struct tv_lint_options, large_lr_share, DOUBLE, 0.5, 0, 10,
                  "a learning rate is large from this share of the usual maximum on"),
    TV_OPTION_END,
};

const struct tv_detector tv_detector_config_lint = {
    .name = "config_lint",
    .summary = "the configuration itself cannot work, or is a known mistake",
    .explain = "Judges the settings, not the log: what the trainer itself rejects, warm-up that is "
               "longer than the run or a\n"
               "fifth of it, a ratio written into warmup_steps, a constant schedule that ignores "
               "its warm-up, learning rates\n"
               "out of the usual range for full fine-tuning or LoRA, schedules with phases on "
               "short runs, many epochs on few\n"
               "samples, an effective batch of one, evaluations and checkpoints that never happen, "
               "early stopping without\n"
               "evaluation, keys of other frameworks. `trainvet lint` reports all of it; in a scan "
               "only what cannot work is\n"
               "reported, since a run that is under way is judged by its log.\n"
               "It cannot see what the command line or the code overrides.",
    .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS) | TV_ROLE_BIT(TV_ROLE_LEARNING_RATE),
    .options = options,
    .options_size = sizeof(struct tv_lint_options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
