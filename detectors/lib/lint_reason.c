/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The schedule's own refusals (daemon/schedule says why, without knowing the file): which setting
 * it is about, where that stands, and what to write instead. */
#include "lib/lint.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <string.h>

/* `setting`: names separated by '|', the first that is there is the place and the old value. The
 * remedy is text, or for some a number that is computed. */
static const struct {
    const char *reason; /* part of the refusal */
    const char *setting;
    const char *advice; /* %k, %v: its name and old value, %t: a tenth of the run, %r: of the
                           learning rate */
} refusals[] = {
    {"only one of min_lr", "lr_scheduler_kwargs.min_lr", "remove min_lr or min_lr_rate"},
    {"one of min_lr or min_lr_rate", "lr_scheduler_kwargs",
     "lr_scheduler_kwargs: {min_lr_rate: 0.1}"},
    {"lr_end (", "lr_scheduler_kwargs.lr_end", "lr_scheduler_kwargs.lr_end: %v -> %r"},
    {"the polynomial scheduler divides", "warmup_steps|warmup_ratio", "warmup_steps: %t"},
    {"needs num_decay_steps", "lr_scheduler_kwargs", "lr_scheduler_kwargs: {num_decay_steps: %t}"},
    {"needs num_stable_steps", "lr_scheduler_kwargs",
     "lr_scheduler_kwargs: {num_stable_steps: %t, num_decay_steps: %t}"},
    {"decay_type of warmup_stable_decay", "lr_scheduler_kwargs", "linear, cosine or 1-sqrt"},
    {"inverse_sqrt without warm-up", "lr_scheduler_type", "warmup_steps: %t"},
    {"warmup_steps must not be negative", "warmup_steps", "warmup_steps: %v -> 0"},
    {"max_steps must be set", "max_steps", "more samples, or max_steps: 1000"},
    {"per_device_train_batch_size must be", "per_device_train_batch_size",
     "per_device_train_batch_size: %v -> 8"},
    {"gradient_accumulation_steps must be", "gradient_accumulation_steps",
     "gradient_accumulation_steps: %v -> 1"},
    {"lr_scheduler_kwargs exists", "lr_scheduler_kwargs",
     "remove lr_scheduler_kwargs, or take a newer transformers"},
    {"exists from transformers", "lr_scheduler_type",
     "lr_scheduler_type: %v -> cosine, or a newer transformers"},
    {"cannot be given with a warm-up", "lr_warmup_fraction", "remove lr_warmup_fraction"},
    {"the warm-up (", "lr_warmup_iters|lr_warmup_samples|lr_warmup_fraction",
     "%k -> lr_warmup_fraction: 0.01"},
    {"min_lr (", "min_lr", "min_lr: %v -> %r"},
    {"lr_warmup_init (", "lr_warmup_init", "lr_warmup_init: %v -> 0.0"},
    {"lr_wsd_decay_iters", "lr_decay_style", "lr_wsd_decay_iters: %t"},
    {"lr_wsd_decay_style must", "lr_wsd_decay_style", "lr_wsd_decay_style: %v -> exponential"},
    {"warmup_num_steps must be", "scheduler.params.warmup_num_steps",
     "warmup_num_steps: %v -> 1 or more"},
    {"does not recognize LR scheduler", "scheduler.type", "scheduler.type: %v -> WarmupDecayLR"},
    {"needs total_num_steps", "scheduler.type",
     "scheduler.params.total_num_steps: the run's steps"},
    {"cosine_min_lr_ratio and", "cosine_min_lr_ratio|cosine_constant_lr_ratio",
     "cosine_min_lr_ratio: 0.1"},
    {"epochs must be positive", "epochs", "epochs: %v -> 100"},
    {"OneCycleLR needs total_steps", "lr_scheduler.class_path", "total_steps: the run's steps"},
    {"OneCycle needs cycle_min_lr", "scheduler.type",
     "scheduler.params.cycle_min_lr and cycle_max_lr"},
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
        !strstr(reason, " which is no whole number (") &&
        !strstr(reason, " where one number is needed ("))
        return false;
    tv_note_summary(note, "the trainer rejects this configuration: %s", reason);
    for (const char *at = reason; at; at = strstr(at, "); "), at = at ? at + 3 : NULL)
        advise_number(view, (struct tv_span){at, strcspn(at, " ")}, note);
    return true;
}

static const char *learning_rate_of(const struct tv_view *view, struct tv_setting *ret)
{
    static const char *const names[] = {"learning_rate", "lr"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (tv_lint_number(view, names[i], ret))
            return ret->value;
    return NULL;
}

static void add_value(struct tv_text *text, const struct tv_view *view, char what,
                      const struct tv_setting *old)
{
    struct tv_setting rate;
    double total = (double)tv_view_total_steps(view);
    if (total <= 0)
        total = tv_lint_value_or(view, "train_iters", 0);
    if (what == 'v' || what == 'k')
        tv_text_add(text, "%s", !old ? "?" : what == 'v' ? old->value : old->key);
    else if (what == 't' && total > 0)
        tv_text_add(text, "%.0f", ceil(total / 10));
    else if (what == 'r' && learning_rate_of(view, &rate))
        tv_text_add(text, "%g", rate.number / 10);
    else
        tv_text_add(text, what == 't' ? "a tenth of the run's steps" : "a tenth of the peak");
}

static void advise(const struct tv_view *view, const char *advice, const struct tv_setting *old,
                   struct tv_note *note)
{
    char buffer[160];
    struct tv_text text = tv_text_in(buffer, sizeof buffer);
    for (const char *at = advice; *at; at++) {
        if (*at == '%' && at[1])
            add_value(&text, view, *++at, old);
        else
            tv_text_add(&text, "%c", *at);
    }
    tv_note_advice(note, "%s", buffer);
}

/* The first of the names that is there. */
static bool any_setting(const struct tv_view *view, const char *names, struct tv_setting *ret)
{
    char name[64];
    while (*names) {
        size_t len = strcspn(names, "|");
        if (tv_span_copy((struct tv_span){names, len}, name, sizeof name) &&
            tv_view_setting(view, name, ret))
            return true;
        names += len;
        names += *names == '|';
    }
    return false;
}

/* Letters that two names have in common at their beginnings, whatever stands between words. */
static size_t alike(const char *a, const char *b)
{
    size_t same = 0;
    while (*a && *b) {
        if (*a == *b || (strchr("-_ ", *a) && strchr("-_ ", *b))) {
            same++;
            a++;
            b++;
        } else if (a[1] == *b) {
            a++;
        } else if (*a == b[1]) {
            b++;
        } else {
            a++;
            b++;
        }
    }
    return 2 * same >= strlen(a) + strlen(b) ? same : 0;
}

static void advise_kind(const struct tv_view *view, const char *framework, struct tv_note *note)
{
    static const char names[] = "lr_scheduler_type|lr_decay_style|lr_scheduler.decay_type";
    struct tv_setting setting;
    const char *best = NULL, *name;
    size_t most = 3;
    if (!any_setting(view, names, &setting))
        return;
    for (size_t i = 0; (name = tv_schedule_kind_name(framework, i)); i++)
        if (alike(setting.value, name) > most) {
            most = alike(setting.value, name);
            best = name;
        }
    tv_note_advice(note, "%s: %s -> %s", setting.key, setting.value, best ? best : "cosine");
}

/* "lr_scheduler_kwargs holds num_cycle, which the scheduler ... does not take" */
static bool advise_kwarg(const struct tv_view *view, const char *reason, struct tv_setting *ret,
                         struct tv_note *note)
{
    static const char *const known[] = {"num_cycles",   "power",           "lr_end",
                                        "min_lr",       "min_lr_rate",     "num_decay_steps",
                                        "min_lr_ratio", "num_stable_steps"};
    const char *name = strstr(reason, " holds ") + 7, *best = NULL;
    char key[96] = "lr_scheduler_kwargs.", *wrong = key + strlen(key);
    size_t len = strcspn(name, ","), most = 3;
    if (!tv_span_copy((struct tv_span){name, len}, wrong, 64))
        return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], wrong) != 0 && alike(wrong, known[i]) > most &&
            alike(wrong, known[i]) + 2 > strlen(known[i])) {
            most = alike(wrong, known[i]);
            best = known[i];
        }
    if (best)
        tv_note_advice(note, "lr_scheduler_kwargs: %s -> %s", wrong, best);
    else
        tv_note_advice(note, "remove %s from lr_scheduler_kwargs", wrong);
    return tv_view_setting(view, key, ret);
}

static void advise_ratio(const struct tv_setting *ratio, struct tv_note *note)
{
    if (ratio->number > 1)
        tv_note_advice(note, "%s: %s -> warmup_steps: %s", ratio->key, ratio->value, ratio->value);
    else
        tv_note_advice(note, "%s: %s -> 0.1", ratio->key, ratio->value);
}

void tv_lint_refusal(const struct tv_view *view, const char *reason, struct tv_note *note)
{
    struct tv_setting setting;
    bool found = false;
    if (is_about_numbers(view, reason, note))
        return;
    if (strstr(reason, " has no scheduler named ")) {
        char framework[32] = "";
        tv_span_copy((struct tv_span){reason, strcspn(reason, " ")}, framework, sizeof framework);
        advise_kind(view, framework, note);
    } else if (strstr(reason, "lr_scheduler_kwargs holds ")) {
        found = advise_kwarg(view, reason, &setting, note);
    } else if (strstr(reason, "warmup_ratio must lie") &&
               (found = tv_lint_number(view, "warmup_ratio", &setting))) {
        advise_ratio(&setting, note);
    }
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (!strstr(reason, refusals[i].reason))
            continue;
        found = any_setting(view, refusals[i].setting, &setting);
        advise(view, refusals[i].advice, found ? &setting : NULL, note);
        break;
    }
    if (!found)
        found = any_setting(view,
                            "lr_scheduler_type|lr_scheduler|lr_decay_style|scheduler.type|"
                            "lr_scheduler.decay_type",
                            &setting);
    tv_note_summary(note, "the trainer rejects this configuration: %s%s%s%s", reason,
                    found ? " (" : "", found ? setting.source : "", found ? ")" : "");
}
