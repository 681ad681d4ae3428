/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_IDENTIFY_LEVELS_H
#define ENGINE_IDENTIFY_LEVELS_H
/* The levels of a learning rate that stays the same for many logged points: where each begins. A
 * bounded number is kept, evenly thinned; each knows how many came before it. */
#include <stdint.h>

#define TV_LR_LEVELS 24

struct tv_lr_level {
    int64_t before, first; /* steps of the last point before it and of its first point */
    double value;
    uint32_t index;
};

/* Zero-initialise to create. */
struct tv_lr_levels {
    struct tv_lr_level kept[TV_LR_LEVELS]; /* those whose index is a multiple of `stride` */
    struct tv_lr_level last;
    int64_t last_step;
    uint32_t kept_len, stride;
    uint32_t seen;   /* levels */
    uint32_t points; /* logged points; no more are counted at UINT32_MAX */
};

void tv_lr_levels_add(struct tv_lr_levels *levels, int64_t step, double value);

#endif
