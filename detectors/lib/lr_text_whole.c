/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Causes that hold from the first step on. */
#include "lib/lr_telling.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

void tv_lr_tell_kind(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    const char *kind = t->verdict->kind;
    bool is_constant = strncmp(kind, "constant", 8) == 0;
    if (isnan(t->verdict->value))
        tv_note_summary(t->note,
                        "the learning rate follows the scheduler %s, the configuration says %s",
                        kind, t->promised);
    else
        tv_note_summary(
            t->note,
            "the learning rate follows the scheduler %s with %s %s, the configuration says %s",
            kind, tv_lr_argument(t->verdict->param), tv_lr_number(&w, t->verdict->value),
            t->promised);
    if (is_constant)
        tv_note_cause(t->note,
                      "the scheduler is constant%s or its step() is never called after that",
                      strcmp(kind, "constant") ? " after the warm-up" : "");
    tv_note_cause(t->note, "the job runs with %s %s: the setting %s%s does not reach it",
                  tv_lr_key(t, &w, TV_LR_KIND_KEYS, TV_LR_KIND_NAMES), kind, t->promised,
                  tv_lr_place(t, &w, TV_LR_KIND_KEYS));
    tv_note_advice(
        t->note,
        "%s: %s -> %s if that is what you want; else let the job read the file that says %s",
        tv_lr_key(t, &w, TV_LR_KIND_KEYS, TV_LR_KIND_NAMES), t->promised, kind, t->promised);
    if (is_constant)
        tv_lr_advise_stepping(t);
}

void tv_lr_tell_parameter(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    if (isnan(t->verdict->value)) {
        tv_note_summary(
            t->note,
            "the learning rate follows %s with its default parameters, not with those given",
            t->promised);
        tv_note_cause(t->note,
                      "lr_scheduler_kwargs are not passed on to the scheduler by this trainer");
        tv_note_advice(t->note,
                       "lr_scheduler_kwargs: remove them, or use a version that passes them on");
        return;
    }
    const char *name = tv_lr_argument(t->verdict->param);
    tv_note_summary(t->note,
                    "the learning rate follows %s with %s %s, which the configuration does not say",
                    t->promised, name, tv_lr_number(&w, t->verdict->value));
    tv_note_cause(t->note, "%s is %s where the scheduler is made", name,
                  tv_lr_number(&w, t->verdict->value));
    tv_note_advice(t->note, "lr_scheduler_kwargs.%s -> %s if that is what you want", name,
                   tv_lr_number(&w, t->verdict->value));
}

/* " 2 (lr-AdamW/pg3)", or nothing. */
static const char *group_of(const struct tv_lr_telling *t, struct tv_lr_words *w)
{
    char *buffer = w->text[w->next++ % 16];
    struct tv_text text = tv_text_in(buffer, sizeof w->text[0]);
    int group = tv_view_rate_group(t->view);
    if (group >= 0)
        tv_text_add(&text, " %d (%s)", group, tv_view_tag(t->view, TV_ROLE_LEARNING_RATE));
    return buffer;
}

/* A setting says so: the schedule is right, another group is looked at. */
static void tell_group(const struct tv_lr_telling *t, const struct tv_setting *setting)
{
    struct tv_lr_words w = {0};
    t->note->finding->severity = TV_INFO;
    tv_note_summary(t->note,
                    "the logged learning rate is that of another parameter group%s: %s times what "
                    "the configuration says for the others, at every step",
                    group_of(t, &w), tv_lr_number(&w, t->verdict->value));
    tv_note_cause(t->note, "%s is %s: the group that it is for was logged", setting->key,
                  setting->value);
    tv_note_advice(t->note, "log the learning rate of each parameter group, or of the first one");
}

void tv_lr_tell_scaled(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    double factor = t->verdict->value, peak = t->input->promise->peak;
    struct tv_setting group;
    if (tv_lr_group_setting(t->input, factor, &group)) {
        tell_group(t, &group);
        return;
    }
    tv_note_summary(t->note,
                    "the learning rate is %s times what the configuration says, at every step "
                    "(peak %s, not %s)",
                    tv_lr_number(&w, factor), tv_lr_number(&w, factor * peak),
                    tv_lr_number(&w, peak));
    const char *meaning = tv_lr_meaning(t, &w, factor);
    bool is_inverse = !meaning && (meaning = tv_lr_meaning(t, &w, 1 / factor));
    if (!meaning && t->input->world_size > 1 && tv_lr_is_about(factor, sqrt(t->input->world_size)))
        meaning = "the square root of the number of processes";
    if (meaning)
        tv_note_cause(t->note, "the peak is %s by %s (learning rate scaled with the batch)",
                      is_inverse ? "divided" : "multiplied", meaning);
    else
        tv_note_cause(
            t->note,
            "the job was started with another peak (%s), or scales it by the batch or world size",
            tv_lr_number(&w, factor * peak));
    tv_note_cause(t->note, "the logged value belongs to another parameter group%s",
                  group_of(t, &w));
    tv_note_advice(t->note, "%s: %s -> %s if that is what you want; else remove what changes it",
                   tv_lr_key(t, &w, TV_LR_PEAK_KEYS, TV_LR_PEAK_NAMES), tv_lr_number(&w, peak),
                   tv_lr_number(&w, factor * peak));
}

void tv_lr_tell_rate(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    double rate = t->verdict->value, total = t->input->promise->total_steps;
    const char *meaning = tv_lr_meaning(t, &w, rate);
    const char *step = t->input->promise->by_epoch ? "epoch" : "optimizer step";
    if (rate < 1) {
        tv_note_summary(t->note, "the scheduler makes one step every %s %ss",
                        tv_lr_number(&w, 1 / rate), step);
        tv_note_cause(t->note,
                      "the scheduler is stepped too rarely: the steps are divided twice (%s)",
                      tv_lr_key(t, &w, TV_LR_ACCUMULATION_KEYS, ""));
        tv_lr_advise_stepping(t);
        return;
    }
    if (isfinite(total))
        tv_note_summary(t->note,
                        "the scheduler makes %s steps for each %s: the schedule ends at step %s",
                        tv_lr_number(&w, rate), step, tv_lr_number(&w, total / rate));
    else
        tv_note_summary(t->note, "the scheduler makes %s steps for each %s", tv_lr_number(&w, rate),
                        step);
    if (tv_lr_is_about(rate, t->input->accumulation))
        tv_note_cause(t->note, "the scheduler is stepped on every micro-batch (%s %s)",
                      tv_lr_key(t, &w, TV_LR_ACCUMULATION_KEYS, ""), tv_lr_number(&w, rate));
    else
        tv_note_cause(
            t->note, "a scheduler prepared by Accelerate makes one step a process: %s processes%s",
            tv_lr_number(&w, rate), meaning ? "" : ", or it is stepped on every micro-batch");
    if (isfinite(total))
        tv_note_advice(t->note,
                       "step the scheduler once for each %s, or give it %s times as many steps: "
                       "total %s -> %s, warm-up %s -> %s",
                       step, tv_lr_number(&w, rate), tv_lr_number(&w, total),
                       tv_lr_number(&w, rate * total),
                       tv_lr_number(&w, t->input->promise->warmup_steps),
                       tv_lr_number(&w, rate * t->input->promise->warmup_steps));
    else
        tv_lr_advise_stepping(t);
}

static void cause_of_warmup(const struct tv_lr_telling *t, struct tv_lr_words *w, double logged,
                            double promised, const char *key)
{
    bool has_both = promised > 0 && logged > 0;
    const char *meaning = has_both ? tv_lr_meaning(t, w, logged / promised) : NULL;
    const char *inverse = has_both ? tv_lr_meaning(t, w, promised / logged) : NULL;
    if (meaning)
        tv_note_cause(
            t->note,
            "the warm-up is multiplied by %s: it is counted in micro-batches or per process",
            meaning);
    else if (inverse)
        tv_note_cause(t->note, "the warm-up is divided by %s", inverse);
    else if (logged == 0)
        tv_note_cause(t->note, "%s does not reach the scheduler", key);
    else
        tv_note_cause(t->note, "the scheduler is made with %s warm-up %s", tv_lr_number(w, logged),
                      t->unit);
}

void tv_lr_tell_warmup(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    const struct tv_lr_verdict *v = t->verdict;
    double logged = v->value;
    double promised = v->setting ? v->promised : t->input->promise->warmup_steps;
    double total = t->input->promise->total_steps;
    struct tv_setting setting;
    bool by_ratio = t->input->warmup_is_ratio && tv_lr_setting(t->view, TV_LR_RATIO_KEYS, &setting);
    const char *key =
        tv_lr_key(t, &w, by_ratio ? TV_LR_RATIO_KEYS : TV_LR_WARMUP_KEYS, TV_LR_WARMUP_NAMES);
    if (logged == 0)
        tv_note_summary(t->note,
                        "the learning rate does not warm up, the configuration says %s warm-up %s",
                        tv_lr_number(&w, promised), t->unit);
    else
        tv_note_summary(t->note, "the warm-up takes %s %s, the configuration says %s",
                        tv_lr_number(&w, logged), t->unit, tv_lr_number(&w, promised));
    cause_of_warmup(t, &w, logged, promised, key);
    const char *from, *to;
    if (v->setting && tv_view_setting(t->view, v->setting, &setting)) {
        from = setting.value;
        to = tv_lr_number(&w, v->set_to);
    } else {
        from = by_ratio && total > 0 ? setting.value : tv_lr_number(&w, promised);
        to = tv_lr_number(&w, by_ratio && total > 0 ? logged / total : logged);
    }
    tv_note_advice(t->note, "%s: %s -> %s if that is what you want; else count the warm-up in %s",
                   key, from, to, t->input->promise->by_epoch ? "epochs" : "optimizer steps");
}

static void cause_of_total(const struct tv_lr_telling *t, struct tv_lr_words *w, double ratio)
{
    struct tv_setting setting;
    double total = t->input->promise->total_steps;
    const struct tv_lr_verdict *v = t->verdict;
    bool by_epochs = !tv_lr_setting(t->view, TV_LR_TOTAL_KEYS, &setting) || !(setting.number > 0);
    if (v->setting && tv_view_setting(t->view, v->setting, &setting)) {
        tv_note_cause(t->note,
                      "the scheduler was made with another %s, number of epochs or data "
                      "set size",
                      v->setting);
        tv_note_advice(t->note, "%s: %s -> %s if that is what you want", v->setting, setting.value,
                       tv_lr_number(w, v->set_to));
    } else if (by_epochs && tv_lr_setting(t->view, TV_LR_EPOCHS_KEYS, &setting) &&
               setting.number > 0) {
        tv_note_cause(t->note,
                      "the scheduler was made for %s epochs, or for a data set of another size",
                      tv_lr_number(w, setting.number * ratio));
        tv_note_advice(t->note, "%s: %s -> %s if that is what you want", setting.key, setting.value,
                       tv_lr_number(w, setting.number * ratio));
    } else {
        tv_note_cause(
            t->note,
            "the scheduler was made for another number of epochs or another data set size");
        tv_note_advice(t->note, "%s: %s -> %s if that is what you want",
                       tv_lr_key(t, w, TV_LR_TOTAL_KEYS, TV_LR_TOTAL_NAMES), tv_lr_number(w, total),
                       tv_lr_number(w, v->value));
    }
}

void tv_lr_tell_total(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    const struct tv_lr_verdict *v = t->verdict;
    double promised = v->setting ? v->promised : t->input->promise->total_steps;
    tv_note_summary(t->note, "the schedule is laid out for %s %s, the run for %s",
                    tv_lr_number(&w, v->value), t->unit, tv_lr_number(&w, promised));
    cause_of_total(t, &w, v->value / promised);
    double ratio = v->value < promised ? promised / v->value : v->value / promised;
    const char *meaning = tv_lr_meaning(t, &w, ratio);
    if (meaning)
        tv_note_cause(t->note, "the number of %s is %s by %s", t->unit,
                      v->value < promised ? "divided" : "multiplied", meaning);
    if (!t->input->promise->by_epoch)
        tv_note_advice(t->note,
                       "give the scheduler the number of optimizer steps of the whole run, %s",
                       tv_lr_number(&w, promised));
}

void tv_lr_tell_floor(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    double lowest = t->verdict->value * t->input->promise->peak;
    tv_note_summary(t->note, "the learning rate falls to %s only, the configuration says lower",
                    tv_lr_number(&w, lowest));
    tv_note_cause(t->note, "the scheduler has a lowest learning rate of %s (min_lr)",
                  tv_lr_number(&w, lowest));
    tv_note_advice(t->note, "lr_scheduler_kwargs.min_lr -> %s if that is what you want",
                   tv_lr_number(&w, lowest));
}

void tv_lr_tell_log_warmup(const struct tv_lr_telling *t)
{
    tv_note_summary(t->note,
                    "the learning rate warms up logarithmically, the configuration says linearly");
    if (t->verdict->setting) {
        tv_note_cause(t->note,
                      "the job runs with the default warmup_type, log: the setting %s does not "
                      "reach it",
                      t->verdict->setting);
        tv_note_advice(t->note, "%s: linear -> log if that is what you want", t->verdict->setting);
        return;
    }
    tv_note_cause(
        t->note,
        "the scheduler block of the DeepSpeed configuration replaces lr_scheduler_type, and its "
        "warmup_type is log by default");
    tv_note_advice(
        t->note,
        "scheduler.params.warmup_type: log -> linear in the DeepSpeed configuration, or remove its "
        "scheduler block");
}

void tv_lr_tell_per_epoch(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    tv_note_summary(
        t->note,
        "the learning rate changes once in %s steps: the scheduler is stepped once an epoch",
        tv_lr_number(&w, t->verdict->value));
    tv_note_cause(
        t->note,
        "scheduler.step() is called at the end of an epoch, the schedule counts optimizer steps");
    tv_lr_advise_stepping(t);
}

void tv_lr_tell_frozen(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    tv_note_summary(t->note, "the learning rate is %s from the first step on and never changes",
                    tv_lr_number(&w, t->verdict->value));
    tv_note_cause(t->note, "the scheduler is never stepped");
    if (t->verdict->value == 0)
        tv_note_cause(t->note, "every optimizer step is skipped (fp16 overflow)");
    tv_lr_advise_stepping(t);
}
