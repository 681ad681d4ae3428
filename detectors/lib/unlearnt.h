/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_UNLEARNT_H
#define DETECTORS_LIB_UNLEARNT_H
/* Why a loss may have stayed where it began, and what to try: the texts. */
#include "lib/change.h"
#include "lib/note.h"

/* Adds causes and advice. `needed`: the fall that would have been progress. `is_dead`: the gradient
 * is next to 0. */
void tv_unlearnt_tell(struct tv_note *note, const struct tv_view *view,
                      const struct tv_change *change, double needed, bool is_dead);

#endif
