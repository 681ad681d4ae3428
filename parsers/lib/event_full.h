/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_EVENT_FULL_H
#define PARSERS_LIB_EVENT_FULL_H
/* Any Event, by protobuf-c: what event_scan.c leaves, and the reference that it is tested against.
 */
#include "lib/event.h"
#include "lib/event.pb-c.h"

/* Memory that one message may take when decoded; protobuf-c needs up to 150 times a message's size.
 */
#define TV_EVENT_MEMORY (16u << 20)

/* What protobuf-c may still allocate; initialise with TV_EVENT_MEMORY. */
struct tv_event_memory {
    size_t left;
    bool refused; /* it asked for more */
};
ProtobufCAllocator tv_event_allocator(struct tv_event_memory *memory);

/* The value as trainvet understands it. Borrows from `from`. */
void tv_event_value_of(const Tvpb__Summary__Value *from, struct tv_event_value *ret);

/* Never NULL; valid as long as the message. */
static inline struct tv_span tv_event_span(ProtobufCBinaryData bytes)
{
    return (struct tv_span){bytes.len ? (const char *)bytes.data : "", bytes.len};
}

#endif
