/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_RISE_H
#define DETECTORS_LIB_RISE_H
/* Does a loss leave its level upwards, and stay there? A rise is judged against the noise (a
 * difference of logarithms, of values once one was negative) and by the share of the progress since
 * the start that it undoes. Two rules: fast, of points in a row far above the level; slow, of the
 * level (lib/running_level.h) above its base. */
#include "lib/descent.h"
#include "lib/innovation.h"
#include "lib/running_level.h"

struct tv_rise_limits {
    double fast_undone, far_undone, early_undone; /* shares of the progress */
    double slow_undone, restart_undone;
    double rise;  /* least ratio of the level to its base */
    double score; /* standard errors of the two */
    int64_t fast_points, fast_steps;
};

/* Zeroed: nothing is known. Who uses it adds every point to the level, and those that are as they
 * should be to its base and to the other two. */
struct tv_rise {
    struct tv_innovation loss;
    struct tv_descent descent;
    struct tv_running_level level;
    uint32_t above, held; /* points in a row that the fast and the slow rule looked at */
    int64_t above_step, held_step;
    double before, peak; /* level when `above` began; highest point since */
    double above_share;  /* of the progress that the last of these points undid */
    double held_peak;    /* highest level since `held` began */
    /* As the rule that looked last had them. */
    double size, size_needed, share, share_needed;
};

/* The share of the progress that `value` undoes; progress within the noise is none. */
double tv_rise_undone(const struct tv_rise *rise, double value);
/* A finite point. `jumped`: the learning rate has just gone beyond all before, which tells a kick
 * from a bad batch: fewer points are enough. */
bool tv_rise_is_fast(struct tv_rise *rise, const struct tv_rise_limits *limits, int64_t step,
                     double value, bool jumped);
/* `restarted`: the learning rate went back up since the base. */
bool tv_rise_is_slow(struct tv_rise *rise, const struct tv_rise_limits *limits, int64_t step,
                     bool restarted);

#endif
