/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_IDENTIFY_H
#define ENGINE_IDENTIFY_H
/* Which schedule is it, as far as the logged learning rate alone tells? Every kind is fitted to the
 * logged points (Levenberg-Marquardt on its few parameters); what meets all of them up to rounding
 * is an answer, provided that no other kind does and that enough of the decay has been seen. */
#include "engine/identify_levels.h"
#include "lib/lr_points.h"
#include "trainvet/schedule.h"

struct tv_identity {
    struct tv_schedule schedule; /* kind NULL: not determined; log_offset is as the log has it */
    bool start_known; /* peak and warm-up are certain; else the first steps were not logged */
    bool end_known;   /* schedule.total_steps is certain */
    bool is_so_far;   /* the log does not reach the schedule's end: something else may follow */
    bool is_cyclic;   /* more cycles may follow */
    double epoch;     /* steps between two scheduler steps; 0: every step */
    double first_step, last_step; /* logged, of what is described */
    double zero_step; /* optimizer step with which it reaches its lowest value, NaN: it does not */
    double lowest;    /* that value */
    double residual;  /* root mean square of the differences, relative to the highest value */
    int64_t lag;      /* skipped steps so far */
    char open[120];   /* not determined: why, one sentence; else empty */
};

/* What the trainer itself counted helps; NaN when it did not. Depends on nothing else. `levels` may
 * be NULL. */
void tv_identify(const struct tv_lr_points *points, const struct tv_lr_levels *levels,
                 double total_steps, struct tv_identity *ret);
/* What people call it: "linear to a floor of 10 % of the peak". */
const char *tv_identity_name(const struct tv_identity *identity, char *buffer, size_t cap);
/* Whether an earlier answer meets these points too; then it speaks of them all. */
bool tv_identity_holds(struct tv_identity *identity, const struct tv_lr_points *points);
/* "at this rate the learning rate reaches 0 at step 2,500 of 10,000"; empty when it does not.
 * `total_steps` is the run's, NaN when unknown. */
const char *tv_identity_prediction(const struct tv_identity *identity, double total_steps,
                                   char *buffer, size_t cap);
/* The whole answer, or why there is none, in one sentence. */
const char *tv_identity_text(const struct tv_identity *identity, double total_steps, char *buffer,
                             size_t cap);

#endif
