/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_MODEL_H
#define DETECTORS_LIB_LR_MODEL_H
/* A hypothesis about a learning rate: the promised schedule with something done to it, and how well
 * that agrees with what was logged. */
#include "lib/lr_points.h"
#include "trainvet/schedule.h"

/* lr(g) = scale * schedule(rate * (g - delay) + shift), per epoch of `epoch` steps when that is >
 * 0. */
struct tv_lr_model {
    const struct tv_schedule *promise;
    struct tv_schedule schedule; /* at first a copy of the promise */
    double delay;                /* offset and lag of the log */
    double scale;                /* 1: none */
    double rate;                 /* scheduler steps per optimizer step */
    double shift;                /* scheduler steps that the run is ahead */
    double epoch;                /* optimizer steps between two scheduler steps, 0: every step */
    double stride;               /* with epoch: what one scheduler step counts for */
    double floor;                /* share of the peak under which the decay does not go, 0: none */
    double value;                /* not NaN: the learning rate is this, always */
};

/* The points that a model is judged by. */
struct tv_lr_data {
    struct tv_lr_point at[TV_LR_POINTS];
    double exact[TV_LR_POINTS]; /* largest difference that is rounding and nothing else */
    size_t len;
    double highest; /* of the logged values: differences are relative to it */
};

void tv_lr_model_init(struct tv_lr_model *model, const struct tv_schedule *promise, double delay);
double tv_lr_model_at(const struct tv_lr_model *model, int64_t step);
/* Root mean square of the differences, relative to the highest logged value; infinite when the
 * model gives no number. `fit_scale`: sets the model's scale to the best one first. */
double tv_lr_model_residual(struct tv_lr_model *model, const struct tv_lr_data *data,
                            bool fit_scale);
/* The same without a scale, or infinite when it is above `limit`. */
double tv_lr_model_residual_below(const struct tv_lr_model *model, const struct tv_lr_data *data,
                                  double limit);
/* Every point is met up to rounding. */
bool tv_lr_model_is_exact(const struct tv_lr_model *model, const struct tv_lr_data *data);

/* One free parameter of a model. */
struct tv_lr_search {
    void (*apply)(struct tv_lr_model *model, double value);
    double low, high;
    bool is_log; /* spread the first guesses evenly in the logarithm */
    bool is_integer;
    const double *seeds; /* numbers that mean something: tried first, and kept when next to nothing
                            is better */
    size_t seeds_len;
    const double *near; /* not NULL: look around this value only */
};
/* Finds the parameter of the smallest residual and leaves the model set to it. Returns the
 * residual. First guesses are judged by a few points, and only what is near is made exact. */
double tv_lr_model_search(struct tv_lr_model *model, const struct tv_lr_data *data,
                          const struct tv_lr_search *search, bool fit_scale, double *ret_value);

#endif
