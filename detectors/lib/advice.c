/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/advice.h"
#include "trainvet/number.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *tv_show(char buffer[TV_SHOWN], double value)
{
    char text[TV_NUMBER_MAX];
    tv_format_short(text, value, 3);
    snprintf(buffer, TV_SHOWN, "%s", text);
    return buffer;
}

bool tv_setting_is_true(const struct tv_view *view, const char *name)
{
    struct tv_setting setting;
    return tv_view_setting(view, name, &setting) &&
           (strcasecmp(setting.value, "true") == 0 || strcmp(setting.value, "1") == 0);
}

static const char *place(char buffer[160], const struct tv_setting *setting)
{
    buffer[0] = '\0';
    if (setting->source && setting->source[0])
        snprintf(buffer, 160, " (%.150s)", setting->source);
    return buffer;
}

void tv_advise_lower_lr(const struct tv_view *view, struct tv_note *note, double target)
{
    char shown[TV_NUMBER_MAX], where[160];
    if (!(target > 0) || !isfinite(target))
        return;
    tv_format_short(shown, target, 1);
    struct tv_setting setting;
    double peak = tv_view_peak_lr(view);
    if (tv_view_setting(view, "learning_rate", &setting) && setting.number > 0) {
        if (target < setting.number)
            tv_note_advice(note, "%s: %s -> %s%s", setting.key, setting.value, shown,
                           place(where, &setting));
    } else if (!(target >= peak)) {
        tv_note_advice(note, "learning_rate: %s -> %s", TV_SHOW(peak), shown);
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
    bool has_steps = tv_view_setting(view, "warmup_steps", &setting) && setting.number > 0;
    if (!has_steps && tv_view_setting(view, "warmup_ratio", &setting) && setting.number > 0)
        tv_note_advice(note, "%s: %s -> %s (%.0f of %.0f steps)%s", setting.key, setting.value,
                       TV_SHOW(share), wanted, total, place(where, &setting));
    else if (has_steps)
        tv_note_advice(note, "%s: %s -> %.0f (%.0f %% of %.0f)%s", setting.key, setting.value,
                       wanted, 100 * share, total, place(where, &setting));
    else
        tv_note_advice(note, "warmup_steps: %.0f -> %.0f (%.0f %% of %.0f)", now, wanted,
                       100 * share, total);
}

void tv_advise_clipping(const struct tv_view *view, struct tv_note *note)
{
    struct tv_setting setting;
    char where[160];
    if (!tv_view_setting(view, "max_grad_norm", &setting))
        tv_note_advice(note, "max_grad_norm: 1.0 (clip the gradient norm, if it is not yet)");
    else if (setting.number == 0 || setting.number > 1)
        tv_note_advice(note, "%s: %s -> 1.0%s", setting.key, setting.value, place(where, &setting));
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
