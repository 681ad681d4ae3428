/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about a schedule's levels and lengths, and about settings that stand twice. Sources:
 * transformers/optimization.py; transformers/integrations/deepspeed.py (HfTrainerDeepSpeedConfig:
 * fill_match); deepspeed/runtime/config.py (_batch_assertion), edaa7221. */
#include "lib/lint.h"
#include <math.h>
#include <string.h>

static bool floor_is_above(struct tv_view *view, const struct tv_lint_options *options,
                           struct tv_note *note)
{
    static const char *const pairs[][2] = {
        {"lr_scheduler_kwargs.min_lr", "learning_rate"},
        {"scheduler.params.warmup_min_lr", "scheduler.params.warmup_max_lr"},
        {"scheduler.params.cycle_min_lr", "scheduler.params.cycle_max_lr"}};
    static const char *const shares[] = {"lr_scheduler_kwargs.min_lr_rate",
                                         "lr_scheduler_kwargs.min_lr_ratio", "lrf",
                                         "lr_scheduler.min_lr_factor"};
    struct tv_setting low, high;
    (void)options;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (!tv_lint_number(view, pairs[i][0], &low) || !tv_lint_number(view, pairs[i][1], &high) ||
            low.number < high.number || low.number <= 0)
            continue;
        tv_note_summary(note, "%s %s is not below %s %s: the learning rate rises to it (%s)",
                        low.key, low.value, high.key, high.value, low.source);
        tv_note_advice(note, "%s: %s -> %g", low.key, low.value, high.number / 10);
        return true;
    }
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        if (!tv_lint_number(view, shares[i], &low) || low.number <= 1)
            continue;
        tv_note_summary(note, "%s is %s: a learning rate that ends above its peak (%s)", low.key,
                        low.value, low.source);
        tv_note_advice(note, "%s: %s -> 0.1", low.key, low.value);
        return true;
    }
    return false;
}

static bool stages_are_too_long(struct tv_view *view, const struct tv_lint_options *options,
                                struct tv_note *note)
{
    struct tv_setting decay;
    double total = (double)tv_view_total_steps(view);
    (void)options;
    if (!tv_lint_says(view, "lr_scheduler_type", "warmup_stable_decay") || total <= 0 ||
        !tv_lint_number(view, "lr_scheduler_kwargs.num_decay_steps", &decay))
        return false;
    double warmup = fmax(0, (double)tv_view_warmup_steps(view));
    double stable = tv_lint_value_or(view, "lr_scheduler_kwargs.num_stable_steps", 0);
    double sum = warmup + stable + decay.number;
    if (sum <= total)
        return false;
    tv_note_summary(note,
                    "%.0f steps of warm-up, %.0f stable and %.0f of decay do not fit into a run of "
                    "%.0f: the learning rate never comes down (%s)",
                    warmup, stable, decay.number, total, decay.source);
    tv_note_evidence(note, "total_steps", total);
    tv_note_advice(note, "%s: %s -> %.0f", decay.key, decay.value, ceil(total / 10));
    return true;
}

/* torchtitan cuts the decay to what the warm-up leaves (components/optimizer/lr_scheduler.py). */
static bool decay_is_too_long(struct tv_view *view, const struct tv_lint_options *options,
                              struct tv_note *note)
{
    struct tv_setting ratio;
    (void)options;
    if (!tv_lint_number(view, "lr_scheduler.decay_ratio", &ratio) || ratio.number <= 1)
        return false;
    tv_note_summary(
        note, "%s is %s, more than the whole run: the decay begins where the warm-up ends (%s)",
        ratio.key, ratio.value, ratio.source);
    tv_note_advice(note, "%s: %s -> 0.2, or remove it", ratio.key, ratio.value);
    return true;
}

static bool nothing_is_trained(struct tv_view *view, const struct tv_lint_options *options,
                               struct tv_note *note)
{
    struct tv_setting epochs;
    (void)options;
    if (!tv_lint_is_hf(view) || !tv_lint_number(view, "num_train_epochs", &epochs) ||
        epochs.number > 0 || tv_lint_value_or(view, "max_steps", -1) > 0)
        return false;
    tv_note_summary(note, "%s is %s, and no max_steps: nothing is trained (%s)", epochs.key,
                    epochs.value, epochs.source);
    tv_note_advice(note, "%s: %s -> 3", epochs.key, epochs.value);
    return true;
}

static bool batches_do_not_divide(struct tv_view *view, const struct tv_lint_options *options,
                                  struct tv_note *note)
{
    struct tv_setting all, micro;
    (void)options;
    if (!tv_lint_is_before_start(view) ||
        !tv_lint_number(view, "train_micro_batch_size_per_gpu", &micro) ||
        !tv_lint_number(view, "train_batch_size", &all))
        return false;
    double steps = tv_lint_value_or(view, "gradient_accumulation_steps", NAN);
    double world = tv_lint_value_or(view, "world_size", NAN);
    double piece = micro.number * (isnan(steps) ? 1 : steps) * (isnan(world) ? 1 : world);
    bool exact = !isnan(steps) && !isnan(world);
    if (!(piece > 0) || (exact ? all.number == piece : fmod(all.number, piece) == 0))
        return false;
    tv_note_summary(note,
                    "%s %s is no multiple of %s %s, times accumulation steps and processes: "
                    "DeepSpeed refuses to start (%s)",
                    all.key, all.value, micro.key, micro.value, all.source);
    tv_note_advice(note, "%s: %s -> %.0f", all.key, all.value,
                   exact ? piece : piece * ceil(all.number / piece));
    return true;
}

/* What the inline DeepSpeed configuration says otherwise than TrainingArguments. */
static bool deepspeed_differs(struct tv_view *view, const struct tv_lint_options *options,
                              struct tv_note *note)
{
    static const struct {
        const char *inner, *outer;
        double otherwise;
    } twins[] = {{"deepspeed.optimizer.params.lr", "learning_rate", 5e-5},
                 {"deepspeed.scheduler.params.warmup_max_lr", "learning_rate", 5e-5},
                 {"deepspeed.train_micro_batch_size_per_gpu", "per_device_train_batch_size", 8},
                 {"deepspeed.gradient_accumulation_steps", "gradient_accumulation_steps", 1},
                 {"deepspeed.gradient_clipping", "max_grad_norm", 1},
                 {"deepspeed.optimizer.params.weight_decay", "weight_decay", 0}};
    struct tv_setting inner;
    (void)options;
    for (size_t i = 0; tv_lint_is_hf(view) && i < sizeof twins / sizeof *twins; i++) {
        double outer = tv_lint_value_or(view, twins[i].outer, twins[i].otherwise);
        if (!tv_lint_number(view, twins[i].inner, &inner) || inner.number == outer)
            continue;
        tv_note_summary(note, "%s is %s, but %s is %g: the trainer refuses to start (%s)",
                        inner.key, inner.value, twins[i].outer, outer, inner.source);
        tv_note_advice(note, "%s: %s -> auto", inner.key, inner.value);
        return true;
    }
    return false;
}

const struct tv_lint_rule tv_lint_schedule[] = {
    {"num_train_epochs 0", TV_CRITICAL, nothing_is_trained},
    {"train_batch_size", TV_CRITICAL, batches_do_not_divide},
    {"deepspeed", TV_CRITICAL, deepspeed_differs},
    {"floor above peak", TV_WARNING, floor_is_above},
    {"num_decay_steps", TV_WARNING, stages_are_too_long},
    {"decay_ratio", TV_WARNING, decay_is_too_long},
    {NULL, TV_INFO, NULL},
};
