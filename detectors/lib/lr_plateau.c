/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_plateau.h"
#include "lib/lr_text.h"
#include "trainvet/number.h"
#include <math.h>
#include <string.h>

#define SAME  0.01 /* relative difference of equal learning rates */
#define FAILS 3

bool tv_lr_plateau_is_promised(const struct tv_view *view)
{
    struct tv_setting setting;
    return tv_view_setting(view, "lr_scheduler_type", &setting) &&
           tv_span_ends(tv_span_of(setting.value), "reduce_lr_on_plateau");
}

/* A number out of lr_scheduler_kwargs, which is a mapping or a text that holds one: {"factor":
 * 0.5}. */
static double argument(const struct tv_view *view, const char *name, double otherwise)
{
    char key[64];
    struct tv_text text = tv_text_in(key, sizeof key);
    struct tv_setting setting;
    tv_text_add(&text, "lr_scheduler_kwargs.%s", name);
    if (tv_view_setting(view, key, &setting))
        return isfinite(setting.number) ? setting.number : otherwise;
    if (!tv_view_setting(view, "lr_scheduler_kwargs", &setting))
        return otherwise;
    const char *at = strstr(setting.value, name);
    if (!at)
        return otherwise;
    at += strlen(name);
    at += strspn(at, "\"': ");
    double value;
    return tv_scan_double(tv_span_of(at), &value) ? value : otherwise;
}

static bool is_same(double a, double b)
{
    return fabs(a - b) <= SAME * fabs(b);
}

/* How often peak must be multiplied by the factor to give the value; -1: it never does. */
static int falls_to(double peak, double factor, double lowest, double value)
{
    double level = peak;
    for (int falls = 0; falls < 64; falls++) {
        if (is_same(value, level))
            return falls;
        if (level <= lowest || level < value * (1 - SAME) || !(factor < 1))
            break;
        level = fmax(level * factor, lowest);
    }
    return -1;
}

static void raise_finding(struct tv_lr_plateau *plateau, struct tv_view *view, double value,
                          double expected, bool is_early)
{
    struct tv_finding finding;
    struct tv_note note;
    const char *tag = tv_view_tag(view, TV_ROLE_LEARNING_RATE);
    double factor = argument(view, "factor", 0.1), patience = argument(view, "patience", 10);
    double ratio = value / plateau->level;
    tv_note_init(&note, &finding, tag ? tag : "learning_rate", TV_WARNING, plateau->fail_step);
    finding.observed = value;
    finding.expected = expected;
    finding.confidence = 0.9;
    if (is_early) {
        tv_note_summary(&note, "the learning rate fell after %u evaluations, the patience is %g",
                        (unsigned)plateau->evaluations, patience);
        tv_note_cause(
            &note, "reduce_lr_on_plateau runs with a smaller patience than the configuration says");
        tv_note_advice(&note,
                       "lr_scheduler_kwargs.patience: %g -> %u or less if that is what you want",
                       patience, (unsigned)(plateau->evaluations ? plateau->evaluations - 1 : 0));
    } else if (ratio < 1) {
        tv_note_summary(
            &note, "the learning rate fell by a factor of %.3g, reduce_lr_on_plateau promises %g",
            ratio, factor);
        tv_note_cause(&note,
                      "the scheduler is made with another factor than the configuration says");
        tv_note_advice(&note, "lr_scheduler_kwargs.factor: %g -> %.3g if that is what you want",
                       factor, ratio);
    } else {
        tv_note_summary(&note,
                        "the learning rate is not one that reduce_lr_on_plateau can give: it may "
                        "only fall by %g",
                        factor);
        tv_note_cause(&note,
                      "another scheduler runs, or the run was resumed with another learning rate");
        tv_note_advice(&note, "lr_scheduler_type: name the scheduler that the job really uses");
    }
    tv_note_evidence(&note, "promised_factor", factor);
    tv_note_evidence(&note, "logged_factor", ratio);
    tv_note_evidence(&note, "promised_patience", patience);
    tv_note_evidence(&note, "evaluations", plateau->evaluations);
    tv_raise(view, &finding);
    plateau->is_raised = true;
}

/* Evaluations may come later than the learning rate of the same step: a fall is judged at the first
 * one behind it. */
void tv_lr_plateau_evaluated(struct tv_lr_plateau *plateau, struct tv_view *view, int64_t step)
{
    if (plateau->level > 0 && step <= plateau->level_step && plateau->needed > 0)
        plateau->evaluations++;
    else
        plateau->since++;
    if (plateau->is_raised || plateau->needed <= 0 || step <= plateau->level_step)
        return;
    if (plateau->evaluations < plateau->needed) {
        plateau->fail_step = plateau->level_step;
        raise_finding(plateau, view, plateau->level, NAN, true);
    }
    plateau->needed = 0;
}

void tv_lr_plateau_add(struct tv_lr_plateau *plateau, struct tv_view *view,
                       struct tv_lr_point point)
{
    struct tv_setting peak;
    if (plateau->is_raised || !tv_lr_setting(view, TV_LR_PEAK_KEYS, &peak) || !(peak.number > 0))
        return;
    double factor = argument(view, "factor", 0.1), lowest = argument(view, "min_lr", 0);
    if (plateau->level == 0 || plateau->attempt != tv_view_attempt(view))
        *plateau = (struct tv_lr_plateau){.level = peak.number, .attempt = tv_view_attempt(view)};
    if (is_same(point.value, plateau->level)) {
        plateau->fails = 0;
        return;
    }
    int falls = falls_to(plateau->level, factor, lowest, point.value);
    if (falls > 0) {
        plateau->level = point.value;
        plateau->level_step = point.step;
        plateau->evaluations = plateau->since;
        plateau->since = 0;
        plateau->needed = plateau->evaluations ? falls * (argument(view, "patience", 10) + 1) : 0;
        plateau->fails = 0;
        return;
    }
    if (plateau->fails++ == 0)
        plateau->fail_step = point.step;
    if (plateau->fails >= FAILS)
        raise_finding(plateau, view, point.value, plateau->level, false);
}
