/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/buckets.h"
#include "base/memory.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CAP_MIN = 8 };

static const struct tv_bucket empty = {.first = NAN, .last = NAN, .min = NAN, .max = NAN};

static uint32_t sum(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* Adds what `from` holds; where steps are equal, `from` came later. */
static void join(struct tv_bucket *to, const struct tv_bucket *from)
{
    bool had = to->points > to->non_finite, has = from->points > from->non_finite;
    if (from->non_finite && (!to->non_finite || from->non_finite_step < to->non_finite_step))
        to->non_finite_step = from->non_finite_step;
    to->points = sum(to->points, from->points);
    to->non_finite = sum(to->non_finite, from->non_finite);
    if (!has)
        return;
    if (!had || from->first_step < to->first_step) {
        to->first_step = from->first_step;
        to->first = from->first;
    }
    if (!had || from->last_step >= to->last_step) {
        to->last_step = from->last_step;
        to->last = from->last;
    }
    if (!(from->min >= to->min))
        to->min = from->min;
    if (!(from->max <= to->max))
        to->max = from->max;
}

/* Steps are shifted arithmetically: towards minus infinity, the same below 0 as above. */
static int64_t bucket_of(int64_t step, unsigned shift)
{
    return step >> shift;
}

/* How many buckets the range needs, less one; it may have 2^64 steps. */
static uint64_t distance(int64_t low, int64_t high)
{
    return (uint64_t)high - (uint64_t)low;
}

static void widen(struct tv_buckets *buckets, unsigned by)
{
    int64_t base = bucket_of(buckets->base, by);
    uint32_t len = 0;
    for (uint32_t i = 0; i < buckets->len; i++) {
        uint32_t to = (uint32_t)(bucket_of(buckets->base + i, by) - base);
        if (to < len) {
            join(&buckets->list[to], &buckets->list[i]);
        } else {
            buckets->list[to] = buckets->list[i];
            len = to + 1;
        }
    }
    buckets->base = base;
    buckets->len = len;
    buckets->shift += by;
}

static void reserve(struct tv_buckets *buckets, uint32_t len)
{
    if (len <= buckets->cap)
        return;
    uint32_t cap = buckets->cap ? buckets->cap : CAP_MIN;
    while (cap < len)
        cap *= 2;
    buckets->cap = cap < buckets->max ? cap : buckets->max;
    buckets->list = tv_xrealloc(buckets->list, buckets->cap, sizeof *buckets->list);
}

/* Makes the range [low, high] of buckets exist. */
static void extend(struct tv_buckets *buckets, int64_t low, int64_t high)
{
    uint32_t len = (uint32_t)(high - low) + 1, before = (uint32_t)(buckets->base - low);
    reserve(buckets, len);
    if (before)
        memmove(buckets->list + before, buckets->list, buckets->len * sizeof *buckets->list);
    for (uint32_t i = 0; i < len; i++)
        if (i < before || i >= before + buckets->len)
            buckets->list[i] = empty;
    buckets->base = low;
    buckets->len = len;
}

static struct tv_bucket *bucket_at(struct tv_buckets *buckets, int64_t step)
{
    int64_t at = bucket_of(step, buckets->shift), low = at, high = at;
    if (buckets->len) {
        int64_t end = buckets->base + (int64_t)buckets->len - 1;
        low = buckets->base < at ? buckets->base : at;
        high = end > at ? end : at;
    } else {
        buckets->base = at;
    }
    unsigned by = 0;
    while (distance(bucket_of(low, by), bucket_of(high, by)) >= buckets->max)
        by++;
    if (by)
        widen(buckets, by);
    extend(buckets, bucket_of(low, by), bucket_of(high, by));
    return &buckets->list[bucket_of(at, by) - buckets->base];
}

void tv_buckets_add(struct tv_buckets *buckets, int64_t step, double value)
{
    struct tv_bucket point = empty;
    point.points = 1;
    if (isfinite(value)) {
        point.first_step = point.last_step = step;
        point.first = point.last = point.min = point.max = value;
    } else {
        point.non_finite = 1;
        point.non_finite_step = step;
    }
    uint64_t at = distance(buckets->base, bucket_of(step, buckets->shift));
    join(at < buckets->len ? &buckets->list[at] : bucket_at(buckets, step), &point);
}

size_t tv_buckets_len(const struct tv_buckets *buckets)
{
    return buckets->len;
}

const struct tv_bucket *tv_buckets_at(const struct tv_buckets *buckets, size_t index)
{
    return &buckets->list[index];
}

uint64_t tv_buckets_width(const struct tv_buckets *buckets)
{
    return (uint64_t)1 << buckets->shift;
}

int64_t tv_buckets_step(const struct tv_buckets *buckets, size_t index)
{
    return (int64_t)((uint64_t)(buckets->base + (int64_t)index) << buckets->shift);
}

void tv_buckets_clear(struct tv_buckets *buckets)
{
    buckets->len = 0;
    buckets->shift = 0;
}

void tv_buckets_free(struct tv_buckets *buckets)
{
    free(buckets->list);
    *buckets = (struct tv_buckets){.max = buckets->max};
}
