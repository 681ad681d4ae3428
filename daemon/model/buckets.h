/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MODEL_BUCKETS_H
#define MODEL_BUCKETS_H
/* What a plot needs of a series, in bounded memory however long it is: the whole range of steps in
 * buckets of one width, a power of two that doubles when the buckets no longer suffice. Each keeps
 * its lowest and highest value, so a spike of a single point never disappears, and its first and
 * last one, so that lines join. Bucket k of width w holds the steps k * w to k * w + w - 1: where
 * buckets begin depends on the steps alone, not on their order, nor on when the width doubled.
 *
 *   struct tv_buckets buckets = {.max = 512};
 *   tv_buckets_add(&buckets, step, value)       for each point, in any order
 *   for i in 0 .. tv_buckets_len(): tv_buckets_at(&buckets, i), those with points == 0 are gaps
 *   tv_buckets_free(&buckets) */
#include <stddef.h>
#include <stdint.h>

struct tv_bucket {
    uint32_t points, non_finite; /* both stay at UINT32_MAX; `points` counts the others too */
    int64_t non_finite_step;     /* the lowest step that is not finite; 0 when non_finite is */
    /* of the finite points; all NaN, and the steps 0, when there is none */
    int64_t first_step, last_step;
    double first, last; /* of equal steps the first and the last that came */
    double min, max;
};

struct tv_buckets {
    uint32_t max; /* set by the owner: most buckets, at least 2. At 64 bytes each. */
    /* the rest is private */
    uint32_t len, cap;
    unsigned shift; /* log2 of the width */
    int64_t base;   /* k of list[0] */
    struct tv_bucket *list;
};

void tv_buckets_add(struct tv_buckets *buckets, int64_t step, double value);

/* Buckets from the first to the last that holds a point: at most `max`, more than max / 2 once the
 * width is above 1. */
size_t tv_buckets_len(const struct tv_buckets *buckets);
/* Valid until the next point. */
const struct tv_bucket *tv_buckets_at(const struct tv_buckets *buckets, size_t index);
/* Steps a bucket, 1 at first. */
uint64_t tv_buckets_width(const struct tv_buckets *buckets);
/* The first step of a bucket. */
int64_t tv_buckets_step(const struct tv_buckets *buckets, size_t index);

/* Forgets the points; `max` stays. */
void tv_buckets_clear(struct tv_buckets *buckets);
void tv_buckets_free(struct tv_buckets *buckets);

#endif
