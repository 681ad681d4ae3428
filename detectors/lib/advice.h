/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_ADVICE_H
#define DETECTORS_LIB_ADVICE_H
/* Advice in the user's own keys with computed values: "learning_rate: 1e-4 -> 3e-5
 * (train.yaml:12)". Each adds one line, or none when it would not change anything. */
#include "lib/note.h"
#include "trainvet/number.h"

/* A number for texts, with three significant digits or as many as are asked for. */
#define TV_SHOW(value)           TV_DIGITS(value, 3)
#define TV_DIGITS(value, digits) tv_show((char[TV_NUMBER_MAX]){0}, (value), (digits))
const char *tv_show(char buffer[TV_NUMBER_MAX], double value, int digits);

bool tv_setting_is_true(const struct tv_view *view, const char *name);
/* Peak learning rate to `target`, from the setting's value, else from the peak. Nothing when target
 * is not lower by more than a fifth. */
void tv_advise_lower_lr(const struct tv_view *view, struct tv_note *note, double target);
/* Warm-up to `share` of the run's steps when it is shorter; in steps or as a ratio, as the user has
 * it. */
void tv_advise_warmup(const struct tv_view *view, struct tv_note *note, double share);
/* Clipping of the gradient norm at 1 where it is off or looser, under the framework's own key. */
void tv_advise_clipping(const struct tv_view *view, struct tv_note *note);
/* A run that ends at `step`, in steps or epochs as the user has it; `lead` goes before. Nothing
 * when that is not earlier than planned. */
void tv_advise_end_at(const struct tv_view *view, struct tv_note *note, const char *lead,
                      int64_t step);
/* Whether the run's framework is one of these: "transformers|trl". */
bool tv_framework_is(const struct tv_view *view, const char *names);
/* bf16 for fp16; nothing when the run does not say that it uses fp16. */
void tv_advise_bf16(const struct tv_view *view, struct tv_note *note);

/* Last logged learning rate, else the promised one at this step; NaN when unknown. */
double tv_rate_now(const struct tv_view *view);

#endif
