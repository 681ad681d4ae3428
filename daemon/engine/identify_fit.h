/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_IDENTIFY_FIT_H
#define ENGINE_IDENTIFY_FIT_H
/* Fits one kind of schedule to a logged learning rate. */
#include "lib/lr_model.h"

/* Lengths are in units of tv_shape_fit.span, the peak in units of the highest logged value. */
enum tv_free {
    TV_FREE_PEAK,
    TV_FREE_WARMUP,
    TV_FREE_HOLD,
    TV_FREE_DECAY, /* from the end of warm-up and hold to the end */
    TV_FREE_FLOOR, /* share of the peak */
    TV_FREE_POWER,
    TV_FREE_SCALE, /* time scale of inverse_sqrt */
    TV_FREE_GAMMA, /* logarithm of the factor over the span */
    TV_FREE_START, /* of the warm-up, share of the peak */
    TV_FREE_PERIOD,
    TV_FREE_DOWN,   /* of a triangle; as long as PERIOD when it is not free */
    TV_FREE_SHRINK, /* factor of each cycle, or of each step */
    TV_FREES
};

struct tv_shape_fit {
    struct tv_schedule schedule;
    unsigned free; /* bits 1 << enum tv_free */
    double at[TV_FREES];
    double span;
    double delay;    /* the log's offset: logged(g) = lr(g - delay) */
    double cycles;   /* of cosine_with_restarts; 1 else */
    bool is_covered; /* the decay counts from step 0, below the warm-up */
    double residual; /* root mean square, relative to the highest value; finely printed values weigh
                        more */
};

/* Writes at[] into the schedule. */
void tv_shape_apply(struct tv_shape_fit *fit, double highest);
/* Improves at[] from where it is; sets the residual. */
void tv_shape_improve(struct tv_shape_fit *fit, const struct tv_lr_data *data);
double tv_shape_residual(struct tv_shape_fit *fit, const struct tv_lr_data *data);
/* The same for each of these values of one parameter, which has the last of them then. */
void tv_shape_residuals(struct tv_shape_fit *fit, const struct tv_lr_data *data, enum tv_free which,
                        const double *values, size_t len, double *ret);

#endif
