/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_IDENTIFY_PARTS_H
#define ENGINE_IDENTIFY_PARTS_H
/* What the files of the identification share: identify.c decides, identify_outline.c looks at the
 * points, identify_family.c fits one kind, identify_stairs.c and identify_waves.c know those that
 * need another look, identify_text.c tells. */
#include "engine/identify.h"
#include "engine/identify_fit.h"

#define TV_SAME_VALUE 3e-7 /* relative: what float32 makes of one value */
#define TV_FREE(free) (1U << TV_FREE_##free)
#define TV_FLOOR_NONE (-1) /* 0: what the kind has by itself */

/* How the learning rate gets to the peak. */
struct tv_warm {
    enum tv_shape shape;
    bool has_start;  /* begins above 0 */
    bool is_covered; /* the decay counts from step 0 and the warm-up covers its beginning: timm */
    double hold;     /* steps at the peak behind it: DeepSpeed has one */
};

/* What the points look like, before any kind is tried. */
struct tv_outline {
    struct tv_lr_data data;
    const struct tv_lr_points *points;
    const struct tv_warm *warm;
    bool is_headless;   /* what comes before the decay has been taken off */
    double total;       /* as the trainer counted, NaN */
    size_t top;         /* first point of the highest value */
    size_t flat_end;    /* last point of it before the fall */
    double lowest;      /* since then */
    size_t jumps;       /* upwards, since then */
    size_t first_jump;  /* point behind the first of them */
    size_t falling;     /* different values since the top */
    double first_delay; /* where the warm-up's line meets zero, NaN */
    double rise;        /* warm-up in steps, 0: none seen */
};

struct tv_family {
    const char *kind;
    unsigned free; /* besides the peak and, where it is seen, the warm-up */
    int shape;     /* of the decay; -1: the kind's own */
    double floor, power;
};

struct tv_answer {
    struct tv_shape_fit fit;
    const struct tv_family *family; /* NULL: no end */
    int score; /* digits and fractions that the parameters need: fewer is likelier */
    int64_t lag;
};

bool tv_outline_of(const struct tv_lr_points *points, double total, struct tv_outline *ret);
/* Up to the peak, down from it, and up again only at a restart. */
bool tv_outline_is_orderly(const struct tv_outline *outline);
/* The same without what comes before the decay; false: too little remains. */
bool tv_outline_behead(const struct tv_outline *outline, struct tv_outline *ret);
/* Whether every point is met up to rounding. */
bool tv_fit_meets(const struct tv_shape_fit *fit, const struct tv_outline *outline);

/* Fits one kind with every offset that a trainer may log with; false: no fit meets the points. */
bool tv_family_fit(const struct tv_outline *outline, const struct tv_family *family,
                   struct tv_answer *ret);
/* Whether a warm-up of this form meets the points up to the peak. */
bool tv_warm_fits(const struct tv_outline *outline, const struct tv_warm *warm);
/* Whole numbers and a peak of few digits, where they meet the points as well. */
void tv_fit_round_off(struct tv_shape_fit *fit, const struct tv_outline *outline);
int tv_digits_of(double value); /* decimal digits that it needs; 17: more than 6 */
double tv_to_digits(double value, int digits);

/* Drops at certain steps, or a schedule that is stepped once an epoch. False: no stairs; true with
 * ret->schedule.kind NULL: stairs that are not understood yet. */
bool tv_identify_stairs(const struct tv_lr_levels *levels, double total, struct tv_identity *ret);
/* Cycles that grow or shrink, triangles, waves. */
bool tv_identify_waves(const struct tv_outline *outline, struct tv_answer *ret);

void tv_identity_say(const struct tv_outline *outline, struct tv_answer *answer,
                     struct tv_identity *ret);

#endif
