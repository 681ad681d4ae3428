/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about the length of the run, its batches, and what happens how often in it. */
#include "lib/lint.h"
#include <math.h>
#include <string.h>
#include <strings.h>

static bool epochs_are_many(struct tv_view *view, const struct tv_lint_options *options,
                            struct tv_note *note)
{
    struct tv_setting epochs, samples;
    if (!tv_lint_number(view, "num_train_epochs", &epochs) ||
        tv_lint_value_or(view, "max_steps", -1) > 0)
        return false;
    if (!tv_lint_number(view, "max_samples", &samples) &&
        !tv_lint_number(view, "num_samples", &samples))
        return false;
    if (samples.number > (double)options->small_data ||
        epochs.number <= (double)options->many_epochs)
        return false;
    tv_note_summary(note, "%s passes over %s samples: the model will learn them by heart (%s)",
                    epochs.value, samples.value, epochs.source);
    tv_note_evidence(note, "num_train_epochs", epochs.number);
    tv_note_evidence(note, "samples", samples.number);
    tv_note_advice(note, "%s: %s -> %lld", epochs.key, epochs.value,
                   (long long)options->many_epochs);
    return true;
}

static bool batch_is_one(struct tv_view *view, const struct tv_lint_options *options,
                         struct tv_note *note)
{
    (void)options;
    struct tv_setting batch, spread;
    if (!tv_lint_number(view, "per_device_train_batch_size", &batch) || batch.number != 1 ||
        tv_lint_value_or(view, "gradient_accumulation_steps", 1) > 1 ||
        tv_lint_value_or(view, "world_size", 1) > 1)
        return false;
    bool many = tv_lint_given(view, "deepspeed", &spread) || tv_lint_given(view, "fsdp", &spread);
    if (many && !tv_lint_number(view, "world_size", &spread)) /* on how many processes? */
        return false;
    tv_note_summary(note, "the effective batch is one sample: the gradient is mostly noise (%s)",
                    batch.source);
    bool layerwise = tv_lint_says(view, "galore_layerwise", "true") ||
                     tv_lint_says(view, "apollo_layerwise", "true");
    if (layerwise) /* refuses to accumulate */
        tv_note_advice(note, "%s: 1 -> 8", batch.key);
    else
        tv_note_advice(note, "gradient_accumulation_steps: 1 -> 8");
    return true;
}

static bool never_fires(struct tv_view *view, const char *steps_key, const char *what,
                        struct tv_note *note)
{
    struct tv_setting steps;
    int64_t total = tv_view_total_steps(view);
    if (!tv_lint_number(view, steps_key, &steps) || total <= 0 || steps.number < 1 ||
        steps.number <= (double)total)
        return false;
    tv_note_summary(note, "%s is %s, but the run has %lld steps: no %s ever happens (%s)",
                    steps.key, steps.value, (long long)total, what, steps.source);
    tv_note_evidence(note, "total_steps", (double)total);
    tv_note_advice(note, "%s: %s -> %lld", steps.key, steps.value, (long long)((total + 9) / 10));
    return true;
}

static bool eval_never_fires(struct tv_view *view, const struct tv_lint_options *options,
                             struct tv_note *note)
{
    (void)options;
    struct tv_setting steps;
    const char *strategy = tv_lint_strategy(view, "eval_strategy");
    if (strcasecmp(strategy, "steps") == 0)
        return never_fires(view, "eval_steps", "evaluation", note);
    if (strcasecmp(strategy, "no") != 0 || !tv_lint_number(view, "eval_steps", &steps))
        return false;
    tv_note_summary(note, "%s is %s, but eval_strategy is no: no evaluation ever happens (%s)",
                    steps.key, steps.value, steps.source);
    if (tv_lint_says(view, "framework", "axolotl"))
        tv_note_advice(note, "val_set_size: 0.05, or test_datasets");
    else
        tv_note_advice(note, "eval_strategy: no -> steps");
    return true;
}

static bool save_never_fires(struct tv_view *view, const struct tv_lint_options *options,
                             struct tv_note *note)
{
    (void)options;
    return strcasecmp(tv_lint_strategy(view, "save_strategy"), "steps") == 0 &&
           never_fires(view, "save_steps", "checkpoint before the end", note);
}

static bool logging_never_fires(struct tv_view *view, const struct tv_lint_options *options,
                                struct tv_note *note)
{
    (void)options;
    return strcasecmp(tv_lint_strategy(view, "logging_strategy"), "steps") == 0 &&
           never_fires(view, "logging_steps", "log entry", note);
}

const struct tv_lint_rule tv_lint_run[] = {
    {"num_train_epochs", TV_WARNING, epochs_are_many},
    {"effective batch", TV_WARNING, batch_is_one},
    {"eval_steps", TV_WARNING, eval_never_fires},
    {"logging_steps", TV_WARNING, logging_never_fires},
    {"save_steps", TV_INFO, save_never_fires},
    {NULL, TV_INFO, NULL},
};
