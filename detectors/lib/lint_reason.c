/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The schedule's own refusals (daemon/schedule says why, without knowing the file): which setting
 * it is about, where that stands, and what to write instead. */
#include "lib/lint.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <string.h>

static const struct {
    const char *reason;  /* part of the refusal */
    const char *setting; /* that it is about, by its canonical name */
    const char *advice;
} refusals[] = {
    {"only one of min_lr", "lr_scheduler_kwargs", "remove min_lr or min_lr_rate"},
    {"one of min_lr or min_lr_rate", "lr_scheduler_kwargs",
     "lr_scheduler_kwargs: {min_lr_rate: 0.1}"},
    {"lr_end (", "lr_scheduler_kwargs.lr_end",
     "lr_scheduler_kwargs: {lr_end: 0.0}, or a larger learning_rate"},
    {"the polynomial scheduler divides", "warmup_steps",
     "warmup_steps: fewer than the run has steps"},
    {"needs num_decay_steps", "lr_scheduler_kwargs",
     "lr_scheduler_kwargs: {num_decay_steps: N}, a tenth of the run"},
    {"needs num_stable_steps", "lr_scheduler_kwargs",
     "lr_scheduler_kwargs: {num_stable_steps: N, num_decay_steps: N}"},
    {"lr_scheduler_kwargs holds ", "lr_scheduler_kwargs", "lr_scheduler_kwargs: without it"},
    {"decay_type of warmup_stable_decay", "lr_scheduler_kwargs", "linear, cosine or 1-sqrt"},
    {"inverse_sqrt without warm-up", "lr_scheduler_type", "warmup_ratio: 0.1"},
    {"warmup_ratio must lie", "warmup_ratio", "warmup_ratio: 0.1"},
    {"warmup_steps must not be negative", "warmup_steps", "warmup_steps: 0"},
    {"max_steps must be set", "max_steps", "more samples, or max_steps: N"},
    {"the warm-up (", "lr_warmup_iters", "lr_warmup_fraction: 0.01"},
    {"min_lr (", "min_lr", "min_lr: a tenth of lr"},
    {"lr_warmup_init (", "lr_warmup_init", "lr_warmup_init: 0.0"},
    {"lr_wsd_decay_iters", "lr_decay_style", "lr_wsd_decay_iters: a tenth of train_iters"},
    {"warmup_num_steps must be", "scheduler.params.warmup_num_steps",
     "warmup_num_steps: 1 or more"},
};

/* The remedy for a sentence that begins with a setting's name. */
static void advise_number(const struct tv_view *view, struct tv_span name, struct tv_note *note)
{
    char key[64];
    struct tv_setting setting;
    double percent;
    if (!tv_span_copy(name, key, sizeof key))
        return;
    struct tv_span text = tv_span_of(tv_view_setting(view, key, &setting) ? setting.value : "");
    if (text.len > 1 && text.data[text.len - 1] == '%' &&
        tv_parse_double((struct tv_span){text.data, text.len - 1}, &percent))
        tv_note_advice(note, "%s: %s -> %g", key, setting.value, percent / 100);
    else
        tv_note_advice(note, "%s: a number", key);
}

/* Each of them names its place itself. */
static bool is_about_numbers(const struct tv_view *view, const char *reason, struct tv_note *note)
{
    if (!strstr(reason, " which is no number (") &&
        !strstr(reason, " where one number is needed ("))
        return false;
    tv_note_summary(note, "the trainer rejects this configuration: %s", reason);
    for (const char *at = reason; at; at = strstr(at, "); "), at = at ? at + 3 : NULL)
        advise_number(view, (struct tv_span){at, strcspn(at, " ")}, note);
    return true;
}

void tv_lint_refusal(const struct tv_view *view, const char *reason, struct tv_note *note)
{
    struct tv_setting setting, scheduler;
    const char *where = "";
    if (is_about_numbers(view, reason, note))
        return;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (!strstr(reason, refusals[i].reason))
            continue;
        if (tv_view_setting(view, refusals[i].setting, &setting))
            where = setting.source;
        tv_note_advice(note, "%s", refusals[i].advice);
        break;
    }
    if (!*where && tv_view_setting(view, "lr_scheduler_type", &scheduler))
        where = scheduler.source;
    tv_note_summary(note, "the trainer rejects this configuration: %s%s%s%s", reason,
                    *where ? " (" : "", where, *where ? ")" : "");
}
