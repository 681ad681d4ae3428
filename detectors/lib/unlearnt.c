/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/unlearnt.h"
#include "lib/advice.h"
#include "lib/lr_setting.h"
#include <math.h>

enum suspect { GRADIENT, HIGH_RATE, LOW_RATE, MODEL };

/* Peak learning rate of fine-tuning. */
static double usual_rate(const struct tv_view *view)
{
    struct tv_setting setting;
    return tv_view_setting(view, "lora_rank", &setting) ? 1e-4 : 2e-5;
}

/* A rate that is too low leaves the loss where it is: it neither rises nor swings by what a fall
 * would have had to be. Below what is usual the swings are those of the batches. Where a rate is
 * beyond what every optimizer learns with, a higher one is no answer. */
static enum suspect suspect_of(const struct tv_view *view, const struct tv_change *change,
                               double needed, bool is_dead)
{
    double peak = tv_view_peak_lr(view), usual = usual_rate(view), error = change->error;
    if (is_dead)
        return GRADIENT;
    if (!(peak < usual / 5) && (error > needed || -change->fall > fmax(2 * error, needed)))
        return HIGH_RATE;
    return peak > 50 * usual ? MODEL : LOW_RATE;
}

static void add_causes(struct tv_note *note, enum suspect suspect, double peak, bool is_noisy)
{
    static const char detached[] = "the trainable parameters do not reach the loss, or labels and "
                                   "inputs do not belong together";
    const char *size = suspect == HIGH_RATE ? "high" : "low";
    if (suspect == GRADIENT)
        tv_note_cause(note, "the signal dies on its way through the layers");
    else if (suspect == MODEL)
        tv_note_cause(note, "%s", detached);
    else if (peak > 0)
        tv_note_cause(note, "the learning rate is far too %s (peak %s)", size, TV_DIGITS(peak, 2));
    else
        tv_note_cause(note, "the learning rate is far too %s", size);
    if (is_noisy)
        tv_note_cause(note, "the noise of the losses hides what is learnt");
    else if (suspect != HIGH_RATE)
        tv_note_cause(note, "a learning rate that was far too high has killed the units early on");
    if (suspect != MODEL)
        tv_note_cause(note, "%s", detached);
    if (suspect == LOW_RATE || suspect == MODEL)
        tv_note_cause(note, "the run began with weights that had learnt all this before");
}

static void advise_higher_lr(struct tv_note *note, const struct tv_view *view)
{
    struct tv_setting setting;
    double peak = tv_view_peak_lr(view), usual = usual_rate(view);
    if (tv_lr_setting(view, TV_LR_PEAK_KEYS, &setting) && setting.number > 0) {
        if (setting.number < usual / 5)
            tv_note_advice(note, "%s: %s -> %g, usual for %s", setting.key, setting.value, usual,
                           usual > 5e-5 ? "LoRA" : "fine-tuning");
        else
            tv_note_advice(note, "%s: %s -> %s (10 times as much) on a short trial", setting.key,
                           setting.value, TV_DIGITS(10 * setting.number, 2));
    } else if (peak > 0)
        tv_note_advice(note, "try a peak learning rate of %s, 10 times as much, on a short trial",
                       TV_DIGITS(10 * peak, 2));
}

void tv_unlearnt_tell(struct tv_note *note, const struct tv_view *view,
                      const struct tv_change *change, double needed, bool is_dead)
{
    enum suspect suspect = suspect_of(view, change, needed, is_dead);
    double peak = tv_view_peak_lr(view);
    add_causes(note, suspect, peak, change->error > needed);
    if (suspect == GRADIENT)
        tv_note_advice(note, "look for frozen or detached parameters and a dead initialisation: no "
                             "learning rate makes up for such a gradient");
    else if (suspect == HIGH_RATE)
        tv_advise_lower_lr(view, note, peak / 10);
    else if (suspect == MODEL)
        tv_note_advice(note, "look which parameters require gradients and which ones the "
                             "optimizer has");
    else
        advise_higher_lr(note, view);
    tv_note_advice(note, "train on one batch only: when even that is not learnt, look for frozen "
                         "parameters, wrong labels or a dead initialisation");
}
