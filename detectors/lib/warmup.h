/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_WARMUP_H
#define DETECTORS_LIB_WARMUP_H
/* Where in the run the learning rate is still, or has just been, on its way up. */
#include "trainvet/detector.h"

/* Last step of the warm-up's neighbourhood: the rise of the learning rate, and as many steps again
 * (at most a tenth of the run), at least a twentieth of the run. While the rise is still going on
 * (or nothing is known) the answer is the present step. */
int64_t tv_warmup_end(const struct tv_view *view);

#endif
