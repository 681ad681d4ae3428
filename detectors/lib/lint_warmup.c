/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about warm-up and the shape of the schedule: transformers/training_args.py and
 * optimization.py say what a setting does. */
#include "lib/lint.h"
#include <math.h>
#include <string.h>

static bool warmup_never_ends(struct tv_view *view, const struct tv_lint_options *options,
                              struct tv_note *note)
{
    struct tv_setting setting;
    int64_t total = tv_view_total_steps(view);
    if (!tv_lint_number(view, "warmup_steps", &setting) || total <= 0 || setting.number < 1 ||
        setting.number < (double)total)
        return false;
    double enough = ceil((double)total * options->warmup_share / 2);
    tv_note_summary(
        note,
        "%s is %.0f, but the run has %lld steps: the learning rate never reaches its peak (%s)",
        setting.key, setting.number, (long long)total, setting.source);
    tv_note_evidence(note, "warmup_steps", setting.number);
    tv_note_evidence(note, "total_steps", (double)total);
    tv_note_advice(note, "%s: %.0f -> %.0f (%.0f %% of %lld)", setting.key, setting.number, enough,
                   100 * enough / (double)total, (long long)total);
    return true;
}

/* In other frameworks' words; in epochs where the run is counted in epochs. */
static bool all_is_warmup(struct tv_view *view, const struct tv_lint_options *options,
                          struct tv_note *note)
{
    static const char names[] = "warmup_num_steps|num_warmup_steps|lr_warmup_steps|warmup_iters|"
                                "warmup_epochs|t_warmup|warmup_steps";
    const struct tv_schedule *schedule = tv_view_schedule(view);
    struct tv_setting hf, setting;
    if (!schedule || !(schedule->total_steps > 0) || tv_lint_number(view, "warmup_steps", &hf))
        return false;
    double total = schedule->total_steps;
    for (size_t i = 0; tv_view_setting_named(view, names, i, &setting); i++) {
        bool epochs = strstr(setting.key, "epochs") != NULL;
        if (!(setting.number >= total) || epochs != schedule->by_epoch)
            continue;
        double enough = fmax(1, ceil(total * options->warmup_share / 2));
        tv_note_summary(note, "%s is %s, but the run has %.0f %s: all of it is warm-up (%s)",
                        setting.key, setting.value, total, epochs ? "epochs" : "steps",
                        setting.source);
        tv_note_evidence(note, "total_steps", total);
        tv_note_advice(note, "%s: %s -> %.0f", setting.key, setting.value, enough);
        return true;
    }
    return false;
}

static bool warmup_is_long(struct tv_view *view, const struct tv_lint_options *options,
                           struct tv_note *note)
{
    struct tv_setting setting;
    double total = (double)tv_view_total_steps(view), share;
    if (tv_lint_number(view, "warmup_steps", &setting) && setting.number >= 1 && total > 0)
        share = setting.number / total;
    else if (tv_lint_number(view, "warmup_ratio", &setting))
        share = setting.number;
    else
        return false;
    if (!(share > options->warmup_share) || share >= 1)
        return false;
    tv_note_summary(note, "warm-up takes %.0f %% of the run, more than %.0f %% (%s)", 100 * share,
                    100 * options->warmup_share, setting.source);
    tv_note_evidence(note, "warmup_share", share);
    tv_note_evidence(note, "warmup_share_limit", options->warmup_share);
    if (setting.number < 1)
        tv_note_advice(note, "%s: %s -> 0.1", setting.key, setting.value);
    else
        tv_note_advice(note, "%s: %s -> %.0f (10 %% of %.0f)", setting.key, setting.value,
                       ceil(total / 10), total);
    return true;
}

static bool warmup_is_a_ratio(struct tv_view *view, const struct tv_lint_options *options,
                              struct tv_note *note)
{
    (void)options;
    struct tv_setting setting;
    if (!tv_lint_number(view, "warmup_steps", &setting) ||
        !(setting.number > 0 && setting.number < 1) || tv_lint_since(view, 5, 0) ||
        tv_lint_says(view, "framework", "axolotl")) /* its examples do */
        return false;
    tv_note_summary(note,
                    "%s is %s: a ratio where steps are expected; before transformers 5 it means no "
                    "warm-up (%s)",
                    setting.key, setting.value, setting.source);
    tv_note_advice(note, "%s: %s -> warmup_ratio: %s", setting.key, setting.value, setting.value);
    return true;
}

/* From transformers 5 on a warm-up of 1 is one step, whatever its name. */
static bool all_is_one_step(struct tv_view *view, const struct tv_lint_options *options,
                            struct tv_note *note)
{
    (void)options;
    struct tv_setting setting;
    if (!tv_lint_number(view, "warmup_ratio", &setting) || setting.number != 1 ||
        !tv_lint_since(view, 5, 0))
        return false;
    tv_note_summary(note,
                    "%s is %s: from transformers 5 on that is one step, not the whole run (%s)",
                    setting.key, setting.value, setting.source);
    tv_note_advice(note, "%s: %s -> warmup_steps: 0.1", setting.key, setting.value);
    return true;
}

static bool ratio_is_steps(struct tv_view *view, const struct tv_lint_options *options,
                           struct tv_note *note)
{
    (void)options;
    struct tv_setting setting;
    if (!tv_lint_number(view, "warmup_ratio", &setting) || !(setting.number > 1) ||
        tv_view_rejection(view)) /* says it already */
        return false;
    tv_note_summary(note, "%s is %s: a ratio lies between 0 and 1 (%s)", setting.key, setting.value,
                    setting.source);
    tv_note_advice(note, "%s: %s -> warmup_steps: %s", setting.key, setting.value, setting.value);
    return true;
}

static bool both_warmups(struct tv_view *view, const struct tv_lint_options *options,
                         struct tv_note *note)
{
    (void)options;
    struct tv_setting steps, ratio;
    if (!tv_lint_number(view, "warmup_steps", &steps) ||
        !tv_lint_number(view, "warmup_ratio", &ratio) || steps.number < 1 || ratio.number <= 0)
        return false;
    tv_note_summary(note,
                    "%s and %s are both given; before transformers 5 the steps win, in 5.0 to 5.14 "
                    "the ratio (%s)",
                    steps.key, ratio.key, ratio.source);
    tv_note_advice(note, "remove %s or %s", steps.key, ratio.key);
    return true;
}

static bool constant_does_not_warm_up(struct tv_view *view, const struct tv_lint_options *options,
                                      struct tv_note *note)
{
    (void)options;
    struct tv_setting scheduler, warmup;
    bool asked = (tv_lint_number(view, "warmup_steps", &warmup) && warmup.number > 0) ||
                 (tv_lint_number(view, "warmup_ratio", &warmup) && warmup.number > 0);
    if (!asked || !tv_view_setting(view, "lr_scheduler_type", &scheduler) ||
        strcmp(scheduler.value, "constant") != 0)
        return false;
    tv_note_summary(note, "%s is constant, which ignores %s: %s (%s)", scheduler.key, warmup.key,
                    warmup.value, scheduler.source);
    tv_note_advice(note, "%s: constant -> constant_with_warmup", scheduler.key);
    return true;
}

static bool schedule_is_complex(struct tv_view *view, const struct tv_lint_options *options,
                                struct tv_note *note)
{
    static const char *const complex[] = {"cosine_with_restarts", "warmup_stable_decay", "greedy"};
    struct tv_setting scheduler;
    int64_t total = tv_view_total_steps(view);
    if (!tv_view_setting(view, "lr_scheduler_type", &scheduler) || total <= 0 ||
        total >= options->short_run)
        return false;
    for (size_t i = 0; i < sizeof complex / sizeof *complex; i++) {
        if (strcmp(scheduler.value, complex[i]) != 0)
            continue;
        tv_note_summary(note,
                        "%s %s on a run of %lld steps: its phases are too short to be of use (%s)",
                        scheduler.key, scheduler.value, (long long)total, scheduler.source);
        tv_note_evidence(note, "total_steps", (double)total);
        tv_note_advice(note, "%s: %s -> cosine", scheduler.key, scheduler.value);
        return true;
    }
    return false;
}

const struct tv_lint_rule tv_lint_warmup[] = {
    {"warmup_steps", TV_CRITICAL, warmup_never_ends},
    {"warm-up of the whole run", TV_WARNING, all_is_warmup},
    {"warmup_ratio", TV_CRITICAL, ratio_is_steps},
    {"warmup_steps as ratio", TV_WARNING, warmup_is_a_ratio},
    {"warmup_ratio 1", TV_WARNING, all_is_one_step},
    {"warmup share", TV_WARNING, warmup_is_long},
    {"lr_scheduler_type", TV_WARNING, constant_does_not_warm_up},
    {"schedule length", TV_WARNING, schedule_is_complex},
    {"two warm-ups", TV_INFO, both_warmups},
    {NULL, TV_INFO, NULL},
};
