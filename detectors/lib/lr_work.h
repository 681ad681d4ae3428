/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_WORK_H
#define DETECTORS_LIB_LR_WORK_H
/* What the hypotheses of tv_lr_causes() share. */
#include "lib/lr_cause.h"

struct tv_lr_work {
    const struct tv_lr_case *input;
    struct tv_lr_data all, late; /* late: since the onset */
    size_t early_len;            /* points before the onset */
    struct tv_lr_verdict *found; /* TV_LR_VERDICTS, best first */
    size_t found_len;
    bool fit_scale; /* besides, everything may be multiplied by something */
};

/* What the promise says, nothing done to it yet. */
struct tv_lr_model tv_lr_promised(const struct tv_lr_work *work);
/* Puts a verdict where it belongs. */
void tv_lr_found(struct tv_lr_work *work, struct tv_lr_verdict verdict);
/* Residual from which on a verdict is of no interest: two are better. */
double tv_lr_limit(const struct tv_lr_work *work);
/* Tries a prepared model with each way of logging that the promise allows; keeps the best. NULL
 * search: as it is. Returns the residual. */
double tv_lr_judge(struct tv_lr_work *work, const struct tv_lr_model *prepared,
                   struct tv_lr_verdict verdict, const struct tv_lr_data *data,
                   const struct tv_lr_search *search);
/* The same for the promise with one parameter searched for. */
double tv_lr_try_search(struct tv_lr_work *work, enum tv_lr_cause cause,
                        const struct tv_lr_data *data, const struct tv_lr_search *search);
#define TV_LR_HOPELESS 0.25 /* residual that no other way of logging makes good */
/* The promise times a factor, and a rate that stands still. */
void tv_lr_try_scaled(struct tv_lr_work *work, enum tv_lr_cause cause,
                      const struct tv_lr_data *data);
void tv_lr_try_constant(struct tv_lr_work *work, enum tv_lr_cause cause,
                        const struct tv_lr_data *data);

/* Families of hypotheses. */
void tv_lr_try_kinds(struct tv_lr_work *work);    /* lr_kinds.c */
void tv_lr_try_counts(struct tv_lr_work *work);   /* lr_counts.c: warm-up, total, steps a step */
void tv_lr_try_late(struct tv_lr_work *work);     /* lr_late.c: something happened on the way */
void tv_lr_try_settings(struct tv_lr_work *work); /* lr_remade.c: another value of a setting */

/* The number of the run that this ratio is: gradient_accumulation_steps, world size or both. */
bool tv_lr_is_number_of_run(const struct tv_lr_case *input, double ratio);

void tv_lr_apply_total(struct tv_lr_model *model, double value);

#endif
