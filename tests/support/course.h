/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_COURSE_H
#define SUPPORT_COURSE_H
/* A made-up run with a known course, told to a detector through the engine. */
#include "support/log.h"

struct tv_course {
    int64_t steps, planned;    /* points up to `steps`; planned 0: no plan is configured */
    int64_t every, eval_every; /* steps between points; eval_every 0: no evaluation */
    const char *scheduler;     /* NULL: cosine */
    double warmup;             /* steps */
    /* As functions of the part of the run that is done, 0..1. NULL train: 0.5 + 2 exp(-8 x). */
    double (*train)(double done);
    double (*eval)(double done);
    double (*lr)(double done);       /* NULL: as promised */
    double (*gradient)(double done); /* NULL: none is logged */
    double noise;                    /* deviation, as a part of the training loss */
    double eval_noise;
    double scale, shift; /* of all losses; scale 0 means 1 */
    int decimals;        /* losses are rounded to so many; 0: not */
    uint64_t seed;
};

/* Feeds the whole course; the log stays open for further points. */
void tv_course_tell(struct tv_log *log, const char *detector, const struct tv_course *course);
/* The same, ended, and its alert of this detector; NULL when it was silent. Valid until
 * tv_log_close(log). */
const struct tv_alert *tv_course_judge(struct tv_log *log, const char *detector,
                                       const struct tv_course *course);
/* True when the detector raised an alert. */
bool tv_course_alarms(const char *detector, const struct tv_course *course);

/* Curves: 0.5 + 2 exp(-8 x), and constants. */
double tv_curve_learning(double done);
double tv_curve_one(double done);
double tv_curve_zero(double done);

#endif
