/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_EVENT_BATCH_H
#define PARSERS_LIB_EVENT_BATCH_H
/* From Event messages to the receiver: samples in batches; facts, marks and damage in their place
 * among them. */
#include "lib/event.h"
#include "trainvet/parser.h"
#include <math.h>

#define TV_EVENT_BATCH 256

struct tv_event_batch {
    const struct tv_emit *out;
    struct tv_tag *last; /* tag of the last sample, kept from call to call: its likely_next predicts
                            the next one */
    uint64_t offset;     /* of the record that is being read */
    uint64_t records;    /* understood so far */
    struct tv_seen_step seen;
    struct tv_seen_tensor tensor;
    size_t len;
    struct tv_sample samples[TV_EVENT_BATCH];
};

/* Hands over what is held. */
void tv_event_flush(struct tv_event_batch *batch);
/* The same, then the damage. */
void tv_event_damage(struct tv_event_batch *batch, const struct tv_damage *damage);
/* Reads an Event of any shape. Damage is reported at batch->offset. */
void tv_event_read_any(struct tv_event_batch *batch, struct tv_span data);

/* A wall time that no clock gave (NaN, infinite, before 1970, after the year 9999) is unknown; the
 * point counts all the same. */
static inline double tv_event_time(double wall_time)
{
    return wall_time > 0 && wall_time < 253402300800.0 ? wall_time : (double)NAN;
}

/* The tag of this name as the receiver knows it; NULL when it has too many. */
struct tv_tag *tv_event_look_up(struct tv_event_batch *batch, struct tv_span name);

/* Trainers log the same tags in the same order again and again: the tag that came after this one
 * last time is tried before the receiver has to look the name up. */
static inline __attribute__((always_inline)) struct tv_tag *tv_event_tag(
    struct tv_event_batch *batch, struct tv_span name)
{
    struct tv_tag *tag = batch->last ? batch->last->likely_next : NULL;
    if (!tag || tag->len != name.len || !tv_event_same(tag->name, name.data, name.len))
        return tv_event_look_up(batch, name);
    return batch->last = tag;
}

static inline __attribute__((always_inline)) void tv_event_put(struct tv_event_batch *batch,
                                                               struct tv_tag *tag, int64_t step,
                                                               double wall_time, double value)
{
    if (tag->is_unwanted) {
        tag->passed++;
        return;
    }
    batch->samples[batch->len++] = (struct tv_sample){tag, step, tv_event_time(wall_time), value};
    if (batch->len == TV_EVENT_BATCH)
        tv_event_flush(batch);
}

/* Reads an Event that is plain, which nearly all are; false for any other. */
static inline __attribute__((always_inline)) bool tv_event_read_plain(struct tv_event_batch *batch,
                                                                      struct tv_span data)
{
    struct tv_plain_event event;
    if (!tv_event_plain(data, &batch->seen, &event))
        return false;
    batch->records++;
    struct tv_tag *tag = tv_event_tag(batch, event.tag);
    if (tag)
        tv_event_put(batch, tag, event.step, event.wall_time, event.value);
    return true;
}

#endif
