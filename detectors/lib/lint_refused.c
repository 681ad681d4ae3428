/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the trainer itself refuses when the job starts, other than what concerns the schedule alone
 * (daemon/schedule says that). Sources: TrainingArguments.__post_init__ in transformers
 * (src/transformers/training_args.py, 4.41 to 5.x), EarlyStoppingCallback.on_train_begin
 * (trainer_callback.py), and src/llamafactory/hparams/{parser,data_args,finetuning_args}.py of
 * hiyouga/LLaMA-Factory. A run that has logged something was evidently not refused. */
#include "lib/lint.h"
#include <math.h>
#include <string.h>
#include <strings.h>

static bool is_on(const struct tv_view *view, const char *name, struct tv_setting *ret)
{
    return tv_view_setting(view, name, ret) &&
           (strcasecmp(ret->value, "true") == 0 || strcmp(ret->value, "1") == 0);
}

static bool is_llamafactory(const struct tv_view *view)
{
    return tv_lint_is_before_start(view) && tv_lint_says(view, "framework", "llamafactory");
}

static bool schedule_is_refused(struct tv_view *view, const struct tv_lint_options *options,
                                struct tv_note *note)
{
    (void)options;
    const char *reason = tv_view_rejection(view);
    bool other_kind = reason && strstr(reason, "has no scheduler named");
    if (!reason || (other_kind && !tv_lint_is_before_start(view)))
        return false;
    tv_lint_refusal(view, reason, note);
    return true;
}

static bool best_model_is_unknown(struct tv_view *view, const struct tv_lint_options *options,
                                  struct tv_note *note)
{
    (void)options;
    struct tv_setting best;
    const char *eval = tv_lint_strategy(view, "eval_strategy"),
               *save = tv_lint_strategy(view, "save_strategy");
    if (!tv_lint_is_hf(view) || !is_on(view, "load_best_model_at_end", &best))
        return false;
    if (strcasecmp(save, "best") == 0)
        return false;
    if (strcasecmp(eval, save) != 0) {
        tv_note_summary(note,
                        "%s needs evaluations and checkpoints at the same times, but eval_strategy "
                        "is %s and save_strategy is %s: the trainer refuses to start (%s)",
                        best.key, eval, save, best.source);
        tv_note_advice(note, "eval_strategy: %s -> %s", eval,
                       strcasecmp(save, "no") == 0 ? "steps, and save_strategy: no -> steps"
                                                   : save);
        return true;
    }
    double logging = tv_lint_value_or(view, "logging_steps", 500);
    double eval_steps = tv_lint_value_or(view, "eval_steps", logging);
    double save_steps = tv_lint_value_or(view, "save_steps", 500);
    if (strcasecmp(eval, "steps") != 0 || !(eval_steps > 0) ||
        fabs(remainder(save_steps, eval_steps)) <= 1e-9 * eval_steps)
        return false;
    tv_note_summary(note,
                    "%s needs save_steps to be a multiple of eval_steps, but they are %g and %g: "
                    "the trainer refuses to start (%s)",
                    best.key, save_steps, eval_steps, best.source);
    tv_note_advice(note, "save_steps: %g -> %g", save_steps,
                   eval_steps * ceil(save_steps / eval_steps));
    return true;
}

static bool precision_is_twofold(struct tv_view *view, const struct tv_lint_options *options,
                                 struct tv_note *note)
{
    (void)options;
    struct tv_setting fp16, bf16;
    if (!tv_lint_is_hf(view) || !is_on(view, "fp16", &fp16) || !is_on(view, "bf16", &bf16))
        return false;
    tv_note_summary(note, "fp16 and bf16 are both set: the trainer takes one of them (%s)",
                    fp16.source);
    tv_note_advice(note, "fp16: %s -> false", fp16.value);
    return true;
}

static bool plateau_has_no_metric(struct tv_view *view, const struct tv_lint_options *options,
                                  struct tv_note *note)
{
    (void)options;
    struct tv_setting scheduler;
    if (!tv_lint_is_hf(view) || !tv_lint_says(view, "lr_scheduler_type", "reduce_lr_on_plateau") ||
        strcasecmp(tv_lint_strategy(view, "eval_strategy"), "no") != 0)
        return false;
    tv_view_setting(view, "lr_scheduler_type", &scheduler);
    tv_note_summary(note,
                    "%s reduce_lr_on_plateau follows the evaluation, but nothing is evaluated: the "
                    "trainer refuses to start (%s)",
                    scheduler.key, scheduler.source);
    tv_note_advice(note, "eval_strategy: no -> steps");
    return true;
}

static bool ratio_is_gone(struct tv_view *view, const struct tv_lint_options *options,
                          struct tv_note *note)
{
    (void)options;
    struct tv_setting ratio;
    if (!tv_lint_is_hf(view) || !tv_lint_since(view, 5, 15) ||
        !tv_lint_given(view, "warmup_ratio", &ratio))
        return false;
    tv_note_summary(note, "%s is no setting any more since transformers 5.15 (%s)", ratio.key,
                    ratio.source);
    tv_note_advice(note, "%s: %s -> warmup_steps: %s", ratio.key, ratio.value, ratio.value);
    return true;
}

static bool strategy_is_gone(struct tv_view *view, const struct tv_lint_options *options,
                             struct tv_note *note)
{
    (void)options;
    struct tv_setting old, other;
    if (!tv_lint_is_hf(view) || !tv_lint_given(view, "evaluation_strategy", &old) ||
        tv_lint_given(view, "eval_strategy", &other) || !tv_lint_since(view, 4, 51))
        return false;
    tv_note_summary(note, "%s is no setting any more since transformers 4.51 (%s)", old.key,
                    old.source);
    tv_note_advice(note, "%s: %s -> eval_strategy: %s", old.key, old.value, old.value);
    return true;
}

static bool logs_every_zero_steps(struct tv_view *view, const struct tv_lint_options *options,
                                  struct tv_note *note)
{
    (void)options;
    struct tv_setting steps;
    if (!tv_lint_is_hf(view) || !tv_lint_number(view, "logging_steps", &steps) ||
        steps.number != 0 || strcasecmp(tv_lint_strategy(view, "logging_strategy"), "steps") != 0)
        return false;
    tv_note_summary(note, "%s is 0: the trainer refuses to start (%s)", steps.key, steps.source);
    tv_note_advice(note, "%s: 0 -> 10", steps.key);
    return true;
}

static bool stops_early_blindly(struct tv_view *view, const struct tv_lint_options *options,
                                struct tv_note *note)
{
    (void)options;
    struct tv_setting stop;
    if (!tv_lint_given(view, "early_stopping_steps", &stop) &&
        !tv_lint_given(view, "early_stopping_patience", &stop))
        return false;
    if (strcasecmp(tv_lint_strategy(view, "eval_strategy"), "no") != 0)
        return false;
    tv_note_summary(note, "%s is set, but nothing is ever evaluated (%s)", stop.key, stop.source);
    if (tv_lint_says(view, "framework", "axolotl"))
        tv_note_advice(note, "val_set_size: 0.05, or test_datasets");
    else
        tv_note_advice(note, "eval_strategy: no -> steps");
    return true;
}

/* Settings of LLaMA Factory that exclude each other: `name`, given or switched on, asks for `needs`
 * to have one of `values`, ended by NULL; `otherwise` is what it is when it is absent. */
struct demand {
    const char *name;
    bool is_switch;
    const char *needs, *otherwise;
    const char *values[7];
};

static const struct demand demands[] = {
    {"finetuning_type", false, "finetuning_type", "lora", {"lora", "oft", "freeze", "full"}},
    {"stage", false, "stage", "sft", {"pt", "sft", "rm", "ppo", "dpo", "kto"}},
    {"quantization_bit", false, "finetuning_type", "lora", {"lora", "oft"}},
    {"adapter_name_or_path", false, "finetuning_type", "lora", {"lora", "oft"}},
    {"loraplus_lr_ratio", false, "finetuning_type", "lora", {"lora"}},
    {"use_rslora", true, "finetuning_type", "lora", {"lora"}},
    {"use_dora", true, "finetuning_type", "lora", {"lora"}},
    {"pissa_init", true, "finetuning_type", "lora", {"lora"}},
    {"use_galore", true, "finetuning_type", "lora", {"full", "freeze", "oft"}},
    {"use_apollo", true, "finetuning_type", "lora", {"full", "freeze", "oft"}},
    {"use_badam", true, "finetuning_type", "lora", {"full", "freeze", "oft"}},
    {"predict_with_generate", true, "stage", "sft", {"sft"}},
    {"neat_packing", true, "stage", "sft", {"sft"}},
    {"train_on_prompt", true, "stage", "sft", {"sft"}},
    {"mask_history", true, "stage", "sft", {"sft"}},
    {"load_best_model_at_end", true, "stage", "sft", {"pt", "sft", "dpo", "kto"}},
};

static bool meets(const struct demand *demand, const char *value)
{
    for (const char *const *one = demand->values; *one; one++)
        if (strcmp(*one, value) == 0)
            return true;
    return *value >= 'A' && *value <= 'Z'; /* LLaMA Board's own names for the stages */
}

static void tell_demand(const struct demand *demand, const struct tv_setting *asks,
                        const char *value, struct tv_note *note)
{
    if (strcasecmp(value, "qlora") == 0) {
        tv_note_summary(note, "%s has no value qlora in LLaMA Factory (%s)", asks->key,
                        asks->source);
        tv_note_advice(note, "%s: qlora -> lora, with quantization_bit: 4", asks->key);
        return;
    }
    if (strcmp(demand->name, demand->needs) == 0)
        tv_note_summary(note, "%s has no value %s in LLaMA Factory (%s)", asks->key, value,
                        asks->source);
    else
        tv_note_summary(note, "%s does not go with %s %s: LLaMA Factory refuses to start (%s)",
                        asks->key, demand->needs, value, asks->source);
    tv_note_advice(note, "%s: %s -> %s%s%s", demand->needs, value, demand->values[0],
                   demand->values[1] ? " or " : "", demand->values[1] ? demand->values[1] : "");
}

static bool settings_exclude_each_other(struct tv_view *view, const struct tv_lint_options *options,
                                        struct tv_note *note)
{
    (void)options;
    if (!is_llamafactory(view))
        return false;
    for (size_t i = 0; i < sizeof demands / sizeof *demands; i++) {
        const struct demand *demand = &demands[i];
        struct tv_setting asks, has;
        bool asked = demand->is_switch ? is_on(view, demand->name, &asks)
                                       : tv_lint_given(view, demand->name, &asks);
        if (!asked)
            continue;
        const char *value =
            tv_lint_given(view, demand->needs, &has) ? has.value : demand->otherwise;
        if (meets(demand, value))
            continue;
        tell_demand(demand, &asks, value, note);
        return true;
    }
    return false;
}

static bool evaluates_on_nothing(struct tv_view *view, const struct tv_lint_options *options,
                                 struct tv_note *note)
{
    (void)options;
    struct tv_setting own, data, asks;
    if (!is_llamafactory(view))
        return false;
    bool has_set = tv_lint_given(view, "eval_dataset", &own);
    double share = tv_lint_value_or(view, "val_size", 0);
    if (has_set && share > 1e-6) {
        tv_note_summary(note, "val_size and %s are both given: LLaMA Factory refuses to start (%s)",
                        own.key, own.source);
        tv_note_advice(note, "remove val_size or %s", own.key);
        return true;
    }
    if (strcasecmp(tv_lint_strategy(view, "eval_strategy"), "no") == 0 || has_set || share > 1e-6 ||
        !tv_lint_given(view, "dataset", &data))
        return false;
    if (!tv_view_setting(view, "eval_strategy", &asks) &&
        !tv_view_setting(view, "evaluation_strategy", &asks))
        return false;
    tv_note_summary(note,
                    "%s is %s, but there is nothing to evaluate on: LLaMA Factory refuses to start "
                    "(%s)",
                    asks.key, asks.value, asks.source);
    tv_note_advice(note, "val_size: 0.1, or eval_dataset: NAME");
    return true;
}

static bool stream_is_cut(struct tv_view *view, const struct tv_lint_options *options,
                          struct tv_note *note)
{
    (void)options;
    struct tv_setting stream, samples;
    if (!is_llamafactory(view) || !is_on(view, "streaming", &stream) ||
        !tv_lint_given(view, "max_samples", &samples))
        return false;
    tv_note_summary(note, "%s does not go with streaming: LLaMA Factory refuses to start (%s)",
                    samples.key, samples.source);
    tv_note_advice(note, "remove %s, and set max_steps", samples.key);
    return true;
}

static bool ppo_has_no_reward(struct tv_view *view, const struct tv_lint_options *options,
                              struct tv_note *note)
{
    (void)options;
    struct tv_setting stage, model;
    if (!is_llamafactory(view) || !tv_lint_says(view, "stage", "ppo") ||
        tv_lint_given(view, "reward_model", &model))
        return false;
    tv_view_setting(view, "stage", &stage);
    tv_note_summary(note, "%s ppo needs a reward_model: LLaMA Factory refuses to start (%s)",
                    stage.key, stage.source);
    tv_note_advice(note, "reward_model: PATH of the model that stage rm made");
    return true;
}

const struct tv_lint_rule tv_lint_refused[] = {
    {"configuration", TV_CRITICAL, schedule_is_refused},
    {"load_best_model_at_end", TV_CRITICAL, best_model_is_unknown},
    {"fp16 and bf16", TV_CRITICAL, precision_is_twofold},
    {"reduce_lr_on_plateau", TV_CRITICAL, plateau_has_no_metric},
    {"warmup_ratio is gone", TV_CRITICAL, ratio_is_gone},
    {"evaluation_strategy is gone", TV_CRITICAL, strategy_is_gone},
    {"logging_steps 0", TV_CRITICAL, logs_every_zero_steps},
    {"finetuning_type", TV_CRITICAL, settings_exclude_each_other},
    {"val_size", TV_CRITICAL, evaluates_on_nothing},
    {"streaming", TV_CRITICAL, stream_is_cut},
    {"reward_model", TV_CRITICAL, ppo_has_no_reward},
    {"early_stopping_steps", TV_WARNING, stops_early_blindly},
    {NULL, TV_INFO, NULL},
};
