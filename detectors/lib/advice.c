/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/advice.h"
#include "lib/lr_text.h"
#include "trainvet/number.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *tv_show(char buffer[TV_NUMBER_MAX], double value, int digits)
{
    tv_format_short(buffer, value, digits);
    return buffer;
}

bool tv_setting_is_true(const struct tv_view *view, const char *name)
{
    struct tv_setting setting;
    return tv_view_setting(view, name, &setting) &&
           (strcasecmp(setting.value, "true") == 0 || strcmp(setting.value, "1") == 0);
}

bool tv_framework_is(const struct tv_view *view, const char *names)
{
    struct tv_setting setting;
    if (!tv_view_setting(view, "framework", &setting))
        return false;
    for (size_t len; *names; names += len + (names[len] == '|')) {
        len = strcspn(names, "|");
        if (strlen(setting.value) == len && strncmp(setting.value, names, len) == 0)
            return true;
    }
    return false;
}

static const char *place(char buffer[160], const struct tv_setting *setting)
{
    buffer[0] = '\0';
    if (setting->source && setting->source[0])
        snprintf(buffer, 160, " (%.150s)", setting->source);
    return buffer;
}

/* Less is no other rate, and would be shown as the same. */
static bool is_lower(double target, double rate)
{
    return target < 0.8 * rate;
}

void tv_advise_lower_lr(const struct tv_view *view, struct tv_note *note, double target)
{
    char shown[TV_NUMBER_MAX], where[160];
    if (!(target > 0) || !isfinite(target))
        return;
    tv_format_short(shown, target, 1);
    struct tv_setting setting;
    double peak = tv_view_peak_lr(view);
    if (tv_lr_setting(view, TV_LR_PEAK_KEYS, &setting) && setting.number > 0) {
        if (is_lower(target, setting.number))
            tv_note_advice(note, "%s: %s -> %s%s", setting.key, setting.value, shown,
                           place(where, &setting));
    } else if (is_lower(target, peak)) {
        tv_note_advice(note, "peak learning rate: %s -> %s", TV_SHOW(peak), shown);
    }
}

void tv_advise_warmup(const struct tv_view *view, struct tv_note *note, double share)
{
    double total = (double)tv_view_total_steps(view);
    double now = fmax((double)tv_view_warmup_steps(view), 0);
    double wanted = ceil(share * total);
    struct tv_setting setting;
    char where[160];
    if (!(wanted > 1.5 * now) || wanted < 2)
        return;
    bool has_steps = tv_lr_setting(view, TV_LR_WARMUP_KEYS, &setting) && setting.number > 0;
    if (!has_steps && tv_lr_setting(view, TV_LR_RATIO_KEYS, &setting) && setting.number > 0)
        tv_note_advice(note, "%s: %s -> %s (%.0f of %.0f steps)%s", setting.key, setting.value,
                       TV_SHOW(share), wanted, total, place(where, &setting));
    else if (has_steps)
        tv_note_advice(note, "%s: %s -> %.0f (%.0f %% of %.0f)%s", setting.key, setting.value,
                       wanted, 100 * share, total, place(where, &setting));
    else if (tv_framework_is(view, "transformers|trl|llamafactory|axolotl"))
        tv_note_advice(note, "warmup_steps: %.0f -> %.0f (%.0f %% of %.0f)", now, wanted,
                       100 * share, total);
    else if (tv_view_warmup_steps(view) < 0)
        tv_note_advice(note, "a warm-up of %.0f steps (%.0f %% of %.0f), if it is shorter", wanted,
                       100 * share, total);
    else
        tv_note_advice(note, "warm-up: %.0f -> %.0f steps (%.0f %% of %.0f)", now, wanted,
                       100 * share, total);
}

/* Where it is not set: what each framework calls it, NULL where it clips at 1 (Ultralytics: at 10)
 * by itself. Sources: TrainingArguments.max_grad_norm, Megatron-LM --clip-grad, torchtitan
 * training.max_norm, nanoGPT grad_clip: 1.0; Lightning Trainer(gradient_clip_val=None), fairseq
 * --clip-norm 0.0, DeepSpeed gradient_clipping 0.0, timm --clip-grad None. */
static const struct {
    const char *frameworks, *key;
} clipping[] = {
    {"transformers|trl|llamafactory|axolotl|megatron|torchtitan|nanogpt|ultralytics", NULL},
    {"lightning|nemo", "gradient_clip_val"},
    {"keras", "clipnorm"},
    {"fairseq", "clip_norm"},
    {"deepspeed", "gradient_clipping"},
    {"timm", "clip_grad"},
    {"mmengine", "optim_wrapper.clip_grad.max_norm"},
    {"olmo|olmocore", "max_grad_norm"},
};

void tv_advise_clipping(const struct tv_view *view, struct tv_note *note)
{
    struct tv_setting setting;
    char where[160];
    if (!tv_lr_setting(view,
                       "max_grad_norm|gradient_clip_val|gradient_clipping|clip_grad|grad_clip|"
                       "clip_norm|clipnorm|max_norm",
                       &setting)) {
        for (size_t i = 0; i < sizeof clipping / sizeof *clipping; i++)
            if (tv_framework_is(view, clipping[i].frameworks)) {
                if (clipping[i].key)
                    tv_note_advice(note, "%s: 1.0 (clip the gradient norm)", clipping[i].key);
                return;
            }
        tv_note_advice(note, "clip the gradient norm at 1.0, if it is not clipped yet");
    } else if (setting.number == 0 || setting.number > 1)
        tv_note_advice(note, "%s: %s -> 1.0%s", setting.key, setting.value, place(where, &setting));
}

/* As many as people write: two digits, or all of a whole number. */
static double to_epochs(double epochs)
{
    double unit = epochs < 1 ? 100 : epochs < 10 ? 10 : 1;
    return fmax(round(epochs * unit) / unit, 0.01);
}

void tv_advise_end_at(const struct tv_view *view, struct tv_note *note, const char *lead,
                      int64_t step)
{
    struct tv_setting setting;
    char where[160];
    double total = (double)tv_view_total_steps(view);
    if (total > 0 && (double)step >= total)
        return;
    if (tv_lr_setting(view, TV_LR_TOTAL_KEYS, &setting) && setting.number > 0) {
        if ((double)step < setting.number)
            tv_note_advice(note, "%s%s: %s -> %lld%s", lead, setting.key, setting.value,
                           (long long)step, place(where, &setting));
    } else if (total > 0 && tv_lr_setting(view, TV_LR_EPOCHS_KEYS, &setting) &&
               to_epochs(setting.number * (double)step / total) < setting.number)
        tv_note_advice(note, "%s%s: %s -> %g%s", lead, setting.key, setting.value,
                       to_epochs(setting.number * (double)step / total), place(where, &setting));
}

void tv_advise_bf16(const struct tv_view *view, struct tv_note *note)
{
    if (tv_setting_is_true(view, "fp16"))
        tv_note_advice(note, "fp16: true -> bf16: true (same range as float32, where the GPU can)");
}

double tv_rate_now(const struct tv_view *view)
{
    struct tv_point last;
    if (tv_view_last(view, TV_ROLE_LEARNING_RATE, &last))
        return last.value;
    const struct tv_schedule *schedule = tv_view_schedule(view);
    int64_t step = tv_view_step(view);
    return schedule && step >= 0 ? tv_schedule_lr(schedule, (double)step) : NAN;
}
