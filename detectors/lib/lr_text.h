/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_TEXT_H
#define DETECTORS_LIB_LR_TEXT_H
/* A verdict about the learning rate in the user's words. */
#include "lib/lr_cause.h"
#include "lib/lr_setting.h"
#include "lib/note.h"

/* What a verdict's value is, for the evidence: "factor". Static. */
const char *tv_lr_value_name(const struct tv_lr_verdict *verdict);

/* What is wrong and since when (one sentence), why, and what to change. No verdict: says that
 * nothing fits. */
void tv_lr_tell(struct tv_note *note, const struct tv_view *view, const struct tv_lr_case *input,
                const struct tv_lr_verdict *verdicts, size_t len);

#endif
