/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_UNREST_H
#define DETECTORS_LIB_UNREST_H
/* Has a loss become higher and rougher than it was at its calmest, and stayed so? Levels and noise
 * (distance of neighbours) in blocks, so that single spikes do not count; the last window, of at
 * least 20 points and a sixteenth of the run, is compared with the lowest window before it. */
#include "lib/blocks.h"

struct tv_unrest {
    struct tv_blocks level, noise;
    double last;
};

struct tv_unrest_finding {
    double calm_level;   /* of the lowest window */
    double calm_noise;   /* of all blocks near that level */
    double level, noise; /* of the last window */
    double level_ratio, noise_ratio;
    double lowest_ratio; /* of any single block in the window */
    double kept;         /* level of the window's second half over that of its first */
    int64_t since;       /* first step of the window */
};

/* A zeroed struct is empty. True when a block was finished: then ask. `value` must be finite. */
bool tv_unrest_add(struct tv_unrest *unrest, int64_t step, double value);
/* False when there are too few points or the loss is not positive everywhere it matters. */
bool tv_unrest_measure(const struct tv_unrest *unrest, struct tv_unrest_finding *ret);

#endif
