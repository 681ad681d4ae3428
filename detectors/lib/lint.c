/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about settings of transformers' TrainingArguments and LLaMA Factory. Learning-rate ranges:
 * the defaults and examples of hiyouga/LlamaFactory (examples/train_full 1e-5, train_lora 1e-4) and
 * huggingface/trl (SFT 2e-5, LoRA ten times that); step counts and rejections:
 * transformers/training_args.py and optimization.py. */
#include "lib/lint.h"
#include <math.h>
#include <string.h>
#include <strings.h>

static bool number(const struct tv_view *view, const char *name, struct tv_setting *ret)
{
    return tv_view_setting(view, name, ret) && !isnan(ret->number);
}

static bool says(const struct tv_view *view, const char *name, const char *value)
{
    struct tv_setting setting;
    return tv_view_setting(view, name, &setting) && strcasecmp(setting.value, value) == 0;
}

static double value_or(const struct tv_view *view, const char *name, double otherwise)
{
    struct tv_setting setting;
    return number(view, name, &setting) ? setting.number : otherwise;
}

static bool rejected(struct tv_view *view, const struct tv_lint_options *options,
                     struct tv_note *note)
{
    (void)options;
    const char *reason = tv_view_rejection(view);
    if (!reason)
        return false;
    tv_note_summary(note, "the trainer rejects this configuration: %s", reason);
    return true;
}

static bool warmup_never_ends(struct tv_view *view, const struct tv_lint_options *options,
                              struct tv_note *note)
{
    struct tv_setting setting;
    int64_t total = tv_view_total_steps(view);
    if (!number(view, "warmup_steps", &setting) || total <= 0 || setting.number < 1 ||
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

static bool warmup_is_long(struct tv_view *view, const struct tv_lint_options *options,
                           struct tv_note *note)
{
    struct tv_setting setting;
    double total = (double)tv_view_total_steps(view), share;
    if (number(view, "warmup_steps", &setting) && setting.number >= 1 && total > 0)
        share = setting.number / total;
    else if (number(view, "warmup_ratio", &setting))
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
    if (!number(view, "warmup_steps", &setting) || !(setting.number > 0 && setting.number < 1))
        return false;
    tv_note_summary(note,
                    "%s is %s: a ratio where steps are expected; before transformers 5 it means no "
                    "warm-up (%s)",
                    setting.key, setting.value, setting.source);
    tv_note_advice(note, "%s: %s -> warmup_ratio: %s", setting.key, setting.value, setting.value);
    return true;
}

static bool ratio_is_steps(struct tv_view *view, const struct tv_lint_options *options,
                           struct tv_note *note)
{
    (void)options;
    struct tv_setting setting;
    if (!number(view, "warmup_ratio", &setting) || !(setting.number > 1))
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
    if (!number(view, "warmup_steps", &steps) || !number(view, "warmup_ratio", &ratio) ||
        steps.number < 1 || ratio.number <= 0)
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
    bool asked = (number(view, "warmup_steps", &warmup) && warmup.number > 0) ||
                 (number(view, "warmup_ratio", &warmup) && warmup.number > 0);
    if (!asked || !tv_view_setting(view, "lr_scheduler_type", &scheduler) ||
        strcmp(scheduler.value, "constant") != 0)
        return false;
    tv_note_summary(note, "%s is constant, which ignores %s: %s (%s)", scheduler.key, warmup.key,
                    warmup.value, scheduler.source);
    tv_note_advice(note, "%s: constant -> constant_with_warmup", scheduler.key);
    return true;
}

static bool is_lora(const struct tv_view *view)
{
    struct tv_setting setting;
    return says(view, "finetuning_type", "lora") || says(view, "finetuning_type", "qlora") ||
           says(view, "finetuning_type", "oft") ||
           (number(view, "lora_rank", &setting) && setting.number > 0) ||
           (number(view, "lora_r", &setting) && setting.number > 0);
}

/* The usual maximum for this way of fine-tuning, NaN when the file does not say that it is one. */
static double usual_maximum(const struct tv_view *view, const struct tv_lint_options *options,
                            const char **ret_what)
{
    if (is_lora(view)) {
        *ret_what = "LoRA";
        return options->lora_lr;
    }
    if (says(view, "finetuning_type", "full") || says(view, "finetuning_type", "freeze")) {
        *ret_what = "full fine-tuning";
        return options->full_lr;
    }
    return NAN;
}

static bool lr_is_large(struct tv_view *view, const struct tv_lint_options *options,
                        struct tv_note *note)
{
    struct tv_setting rate;
    const char *what = "";
    double most = usual_maximum(view, options, &what);
    if (!number(view, "learning_rate", &rate) || isnan(most) || rate.number <= most)
        return false;
    tv_note_summary(note, "%s %s is high for %s, where at most %g is usual (%s)", rate.key,
                    rate.value, what, most, rate.source);
    tv_note_evidence(note, "learning_rate", rate.number);
    tv_note_evidence(note, "usual_maximum", most);
    tv_note_advice(note, "%s: %s -> %g", rate.key, rate.value, most / 5);
    return true;
}

static bool lr_is_small(struct tv_view *view, const struct tv_lint_options *options,
                        struct tv_note *note)
{
    struct tv_setting rate;
    if (!number(view, "learning_rate", &rate) || !is_lora(view) ||
        rate.number >= options->small_lora_lr)
        return false;
    tv_note_summary(
        note,
        "%s %s is low for LoRA, which usually takes ten times the rate of full fine-tuning (%s)",
        rate.key, rate.value, rate.source);
    tv_note_evidence(note, "learning_rate", rate.number);
    tv_note_advice(note, "%s: %s -> 1e-4", rate.key, rate.value);
    return true;
}

static bool lr_is_not_positive(struct tv_view *view, const struct tv_lint_options *options,
                               struct tv_note *note)
{
    (void)options;
    struct tv_setting rate;
    if (!tv_view_setting(view, "learning_rate", &rate) || rate.number > 0)
        return false;
    tv_note_summary(note, "%s is %s: a learning rate is a number above 0 (%s)", rate.key,
                    rate.value, rate.source);
    return true;
}

static bool lr_is_text(struct tv_view *view, const struct tv_lint_options *options,
                       struct tv_note *note)
{
    (void)options;
    struct tv_setting rate;
    if (!number(view, "learning_rate", &rate) || !rate.is_text)
        return false;
    tv_note_summary(note,
                    "%s is the text \"%s\", not a number: in YAML 1.1 a number with an exponent "
                    "needs a point (%s)",
                    rate.key, rate.value, rate.source);
    const char *exponent = strpbrk(rate.value, "eE");
    if (exponent && !strchr(rate.value, '.'))
        tv_note_advice(note, "%s: %s -> %.*s.0%s", rate.key, rate.value,
                       (int)(exponent - rate.value), rate.value, exponent);
    else
        tv_note_advice(note, "write %s without quotes", rate.key);
    return true;
}

static bool warmup_is_short_for_lr(struct tv_view *view, const struct tv_lint_options *options,
                                   struct tv_note *note)
{
    struct tv_setting rate;
    const char *what = "";
    double most = usual_maximum(view, options, &what);
    int64_t total = tv_view_total_steps(view), warmup = tv_view_warmup_steps(view);
    int64_t enough = total / 20 < options->least_warmup ? total / 20 : options->least_warmup;
    if (!number(view, "learning_rate", &rate) || isnan(most) || warmup < 0 ||
        total < options->short_run || rate.number < most * options->large_lr_share ||
        warmup >= enough)
        return false;
    tv_note_summary(note, "%lld warm-up steps are few for %s %s with %s (%s)", (long long)warmup,
                    rate.key, rate.value, what, rate.source);
    tv_note_evidence(note, "warmup_steps", (double)warmup);
    tv_note_evidence(note, "total_steps", (double)total);
    tv_note_advice(note, "warmup_steps: %lld -> %lld (10 %% of %lld)", (long long)warmup,
                   (long long)((total + 9) / 10), (long long)total);
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

static bool epochs_are_many(struct tv_view *view, const struct tv_lint_options *options,
                            struct tv_note *note)
{
    struct tv_setting epochs, samples;
    if (!number(view, "num_train_epochs", &epochs) || value_or(view, "max_steps", -1) > 0)
        return false;
    if (!number(view, "max_samples", &samples) && !number(view, "num_samples", &samples))
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
    struct tv_setting batch;
    if (!number(view, "per_device_train_batch_size", &batch) || batch.number != 1 ||
        value_or(view, "gradient_accumulation_steps", 1) > 1 || value_or(view, "world_size", 1) > 1)
        return false;
    tv_note_summary(note, "the effective batch is one sample: the gradient is mostly noise (%s)",
                    batch.source);
    tv_note_advice(note, "gradient_accumulation_steps: 1 -> 8");
    return true;
}

static bool never_fires(struct tv_view *view, const char *steps_key, const char *what,
                        struct tv_note *note)
{
    struct tv_setting steps;
    int64_t total = tv_view_total_steps(view);
    if (!number(view, steps_key, &steps) || total <= 0 || steps.number < 1 ||
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
    if (says(view, "eval_strategy", "no") || says(view, "eval_strategy", "epoch"))
        return false;
    return never_fires(view, "eval_steps", "evaluation", note);
}

static bool save_never_fires(struct tv_view *view, const struct tv_lint_options *options,
                             struct tv_note *note)
{
    (void)options;
    if (says(view, "save_strategy", "no") || says(view, "save_strategy", "epoch"))
        return false;
    return never_fires(view, "save_steps", "checkpoint before the end", note);
}

static bool logging_never_fires(struct tv_view *view, const struct tv_lint_options *options,
                                struct tv_note *note)
{
    (void)options;
    if (says(view, "logging_strategy", "no") || says(view, "logging_strategy", "epoch"))
        return false;
    return never_fires(view, "logging_steps", "log entry", note);
}

static bool stops_early_blindly(struct tv_view *view, const struct tv_lint_options *options,
                                struct tv_note *note)
{
    (void)options;
    struct tv_setting stop, strategy;
    if (!tv_view_setting(view, "early_stopping_steps", &stop) &&
        !tv_view_setting(view, "early_stopping_patience", &stop))
        return false;
    if (tv_view_setting(view, "eval_strategy", &strategy) && strcmp(strategy.value, "no") != 0)
        return false;
    if (tv_view_setting(view, "evaluation_strategy", &strategy) &&
        strcmp(strategy.value, "no") != 0)
        return false;
    tv_note_summary(note, "%s is set, but nothing is ever evaluated (%s)", stop.key, stop.source);
    tv_note_advice(note, "eval_strategy: no -> steps");
    return true;
}

static bool qlora_is_no_type(struct tv_view *view, const struct tv_lint_options *options,
                             struct tv_note *note)
{
    (void)options;
    struct tv_setting type;
    if (!tv_view_setting(view, "finetuning_type", &type) || strcasecmp(type.value, "qlora") != 0)
        return false;
    tv_note_summary(note, "%s has no value qlora in LLaMA Factory (%s)", type.key, type.source);
    tv_note_advice(note, "%s: qlora -> lora, with quantization_bit: 4", type.key);
    return true;
}

const struct tv_lint_rule tv_lint_rules[] = {
    {"configuration", TV_CRITICAL, rejected},
    {"learning_rate", TV_CRITICAL, lr_is_not_positive},
    {"warmup_steps", TV_CRITICAL, warmup_never_ends},
    {"warmup_ratio", TV_CRITICAL, ratio_is_steps},
    {"finetuning_type", TV_CRITICAL, qlora_is_no_type},
    {"warmup_steps as ratio", TV_WARNING, warmup_is_a_ratio},
    {"warmup share", TV_WARNING, warmup_is_long},
    {"warmup length", TV_WARNING, warmup_is_short_for_lr},
    {"lr_scheduler_type", TV_WARNING, constant_does_not_warm_up},
    {"schedule length", TV_WARNING, schedule_is_complex},
    {"learning rate range", TV_WARNING, lr_is_large},
    {"num_train_epochs", TV_WARNING, epochs_are_many},
    {"effective batch", TV_WARNING, batch_is_one},
    {"eval_steps", TV_WARNING, eval_never_fires},
    {"save_steps", TV_INFO, save_never_fires},
    {"logging_steps", TV_WARNING, logging_never_fires},
    {"early_stopping_steps", TV_WARNING, stops_early_blindly},
    {"learning_rate as text", TV_INFO, lr_is_text},
    {"learning rate low", TV_INFO, lr_is_small},
    {"two warm-ups", TV_INFO, both_warmups},
    {NULL, TV_INFO, NULL},
};
