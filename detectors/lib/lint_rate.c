/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about the learning rate. Usual ranges: the defaults and examples of hiyouga/LlamaFactory
 * (examples/train_full 1e-5, train_lora 1e-4) and huggingface/trl (SFT 2e-5, LoRA ten times that).
 */
#include "lib/lint.h"
#include "trainvet/number.h"
#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

static bool is_lora(const struct tv_view *view)
{
    struct tv_setting setting;
    return tv_lint_says(view, "finetuning_type", "lora") ||
           tv_lint_says(view, "finetuning_type", "qlora") ||
           tv_lint_says(view, "finetuning_type", "oft") ||
           (tv_lint_number(view, "lora_rank", &setting) && setting.number > 0) ||
           (tv_lint_number(view, "lora_r", &setting) && setting.number > 0);
}

/* Billions of parameters by the model's name: "Llama-3.1-8B", "opt-350m", "Mixtral-8x7B"; NaN when
 * it does not say. */
static double model_size(const struct tv_view *view)
{
    struct tv_setting model;
    double size = NAN;
    if (!tv_view_setting(view, "model_name_or_path", &model) &&
        !tv_view_setting(view, "model_name", &model))
        return NAN;
    const char *slash = strrchr(model.value, '/');
    for (const char *at = slash ? slash + 1 : model.value; *at;) {
        size_t digits = strspn(at, "0123456789.");
        const char *unit = at + digits;
        bool ends = digits && *unit && !isalnum((unsigned char)unit[1]);
        struct tv_span text = {at, digits};
        double number;
        if (ends && strchr("bBmM", *unit) && tv_parse_double(text, &number))
            size = *unit == 'b' || *unit == 'B' ? number : number / 1000;
        at = digits ? unit : at + 1;
    }
    return size;
}

/* Large models take smaller rates: LLaMA (Touvron et al. 2023, table 2) halves it from 33B on, so
 * does QLoRA (Dettmers et al. 2023, table 9); full fine-tuning of Alpaca takes 2e-5 at 7B and 1e-5
 * at 13B. */
static double size_factor(double billions, bool lora)
{
    if (billions >= 30)
        return lora ? 0.5 : 0.25;
    return billions >= 6 && !lora ? 0.5 : 1;
}

/* The usual maximum for this way of fine-tuning, NaN when the file does not say that it is one. */
static double usual_maximum(const struct tv_view *view, const struct tv_lint_options *options,
                            char *ret_what, size_t ret_size)
{
    bool lora = is_lora(view);
    bool new_layers = tv_lint_says(view, "use_llama_pro", "true");
    if (!lora && !tv_lint_says(view, "finetuning_type", "full") &&
        (!tv_lint_says(view, "finetuning_type", "freeze") || new_layers))
        return NAN;
    double size = model_size(view), bits = tv_lint_value_or(view, "quantization_bit", 0);
    struct tv_text what = tv_text_in(ret_what, ret_size);
    tv_text_add(&what, "%s", !lora ? "full fine-tuning" : bits > 0 ? "QLoRA" : "LoRA");
    if (size > 0)
        tv_text_add(&what, " of %g billion parameters", size);
    return (lora ? options->lora_lr : options->full_lr) * size_factor(size, lora);
}

static bool lr_is_large(struct tv_view *view, const struct tv_lint_options *options,
                        struct tv_note *note)
{
    struct tv_setting rate;
    char what[64];
    double most = usual_maximum(view, options, what, sizeof what);
    if (!tv_lint_number(view, "learning_rate", &rate) || isnan(most) || rate.number <= most)
        return false;
    tv_note_summary(note, "%s %s is high for %s, where at most %g is usual (%s)", rate.key,
                    rate.value, what, most, rate.source);
    tv_note_evidence(note, "learning_rate", rate.number);
    tv_note_evidence(note, "usual_maximum", most);
    tv_note_advice(note, "%s: %s -> %g", rate.key, rate.value, most / 5);
    return true;
}

/* Preference tuning and reinforcement learning take a hundredth of the rate: LLaMA Factory's and
 * TRL's examples 5e-6 and less, also with LoRA. */
static bool is_preference(const struct tv_view *view)
{
    static const char *const keys[] = {
        "rl",       "pref_beta", "pref_loss", "num_generations",  "reward_model", "beta",
        "trl.beta", "ebft",      "loss_type", "desirable_weight", "ebft.mode"};
    struct tv_setting setting;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (tv_lint_given(view, keys[i], &setting))
            return true;
    return tv_lint_given(view, "stage", &setting) && strcasecmp(setting.value, "sft") != 0 &&
           strcasecmp(setting.value, "pt") != 0;
}

static bool lr_is_small(struct tv_view *view, const struct tv_lint_options *options,
                        struct tv_note *note)
{
    struct tv_setting rate;
    if (!tv_lint_number(view, "learning_rate", &rate) || !is_lora(view) || is_preference(view) ||
        rate.number >= options->small_lora_lr || !(rate.number > 0))
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
    if (!tv_lint_number(view, "learning_rate", &rate) || rate.number > 0)
        return false;
    tv_note_summary(note, "%s is %s: a learning rate is a number above 0 (%s)", rate.key,
                    rate.value, rate.source);
    bool is_sign = -rate.number >= 1e-7 && -rate.number <= 1e-2; /* all that is wrong with it */
    tv_note_advice(note, "%s: %s -> %g", rate.key, rate.value,
                   is_sign         ? -rate.number
                   : is_lora(view) ? 1e-4
                                   : 5e-5);
    return true;
}

/* YAML 1.1 wants a point before the exponent and a sign in it. */
static bool is_bare_exponent(const struct tv_setting *setting)
{
    const char *e = strpbrk(setting->value, "eE");
    bool is_yaml = !strstr(setting->source, ".json:");
    return is_yaml && e && (!strchr(setting->value, '.') || !strchr("+-", e[1]));
}

static bool rate_has_no_point(struct tv_view *view, const struct tv_lint_options *options,
                              struct tv_note *note)
{
    (void)options;
    struct tv_setting rate;
    if (!tv_lint_number(view, "learning_rate", &rate) || !rate.is_text ||
        !is_bare_exponent(&rate) ||
        tv_lint_says(view, "framework", "axolotl")) /* makes a number of it (pydantic) */
        return false;
    const char *e = strpbrk(rate.value, "eE");
    bool has_point = strchr(rate.value, '.') != NULL;
    tv_note_summary(note,
                    "%s %s is text for readers of YAML 1.1 (PyYAML), a number only for some "
                    "others (OmegaConf): an exponent needs a %s (%s)",
                    rate.key, rate.value, has_point ? "sign" : "point", rate.source);
    tv_note_advice(note, "%s: %s -> %.*s%se%s%s", rate.key, rate.value, (int)(e - rate.value),
                   rate.value, has_point ? "" : ".0", strchr("+-", e[1]) ? "" : "+", e + 1);
    return true;
}

/* transformers/hf_argparser.py, parse_dict: no conversion. */
static bool number_is_quoted(struct tv_view *view, const struct tv_lint_options *options,
                             struct tv_note *note)
{
    static const char *const names[] = {"learning_rate",
                                        "num_train_epochs",
                                        "max_steps",
                                        "warmup_steps",
                                        "warmup_ratio",
                                        "per_device_train_batch_size",
                                        "gradient_accumulation_steps",
                                        "weight_decay",
                                        "max_grad_norm"};
    (void)options;
    bool found = false;
    struct tv_setting setting;
    if (!tv_lint_is_hf(view))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!tv_lint_number(view, names[i], &setting) || !setting.is_text ||
            is_bare_exponent(&setting))
            continue;
        if (!found)
            tv_note_summary(note,
                            "%s is the text \"%s\", not a number: transformers takes it as it "
                            "stands, and the trainer dies of a TypeError (%s)",
                            setting.key, setting.value, setting.source);
        tv_note_advice(note, "%s: \"%s\" -> %s, without quotes", setting.key, setting.value,
                       setting.value);
        found = true;
    }
    return found;
}

static bool warmup_is_short_for_lr(struct tv_view *view, const struct tv_lint_options *options,
                                   struct tv_note *note)
{
    struct tv_setting rate;
    char what[64];
    double most = usual_maximum(view, options, what, sizeof what);
    int64_t total = tv_view_total_steps(view), warmup = tv_view_warmup_steps(view);
    int64_t enough = total / 20 < options->least_warmup ? total / 20 : options->least_warmup;
    if (!tv_lint_number(view, "learning_rate", &rate) || isnan(most) || warmup < 0 ||
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

const struct tv_lint_rule tv_lint_rate[] = {
    {"learning_rate", TV_CRITICAL, lr_is_not_positive},
    {"learning rate range", TV_WARNING, lr_is_large},
    {"warmup length", TV_WARNING, warmup_is_short_for_lr},
    {"number as text", TV_WARNING, number_is_quoted},
    {"learning_rate as text", TV_INFO, rate_has_no_point},
    {"learning rate low", TV_INFO, lr_is_small},
    {NULL, TV_INFO, NULL},
};
