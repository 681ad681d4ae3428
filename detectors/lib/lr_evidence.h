/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_EVIDENCE_H
#define DETECTORS_LIB_LR_EVIDENCE_H
#include "lib/lr_cause.h"
#include "lib/note.h"

/* The numbers of a finding about a broken promise; its words are lib/lr_text.h's. Sets observed and
 * expected (where they are farthest apart since the onset), confidence and severity as well. */
void tv_lr_add_evidence(struct tv_note *note, const struct tv_lr_case *input,
                        const struct tv_lr_verdict *verdicts, size_t len);

#endif
