/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_COUNTER_H
#define SUPPORT_COUNTER_H
/* What a parser emits, counted and summed up: the least that a reader of its output can do. */
#include "base/map.h"
#include "trainvet/parser.h"

struct tv_counter {
    struct tv_map tags;
    uint64_t points, damages;
    double sum; /* of all values */
};

/* An emit that counts into `counter`, which starts zeroed; its tags are never freed. */
struct tv_emit tv_counter_emit(struct tv_counter *counter);
struct tv_tag *tv_counter_tag(void *ctx, struct tv_span name); /* of a tv_counter */

#endif
