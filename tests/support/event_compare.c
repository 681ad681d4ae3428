/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/event_compare.h"
#include "lib/event_full.h"

/* NaN and -0 are told apart. */
static bool same_bits(const void *a, const void *b, size_t len)
{
    return memcmp(a, b, len) == 0;
}

static bool same_span(struct tv_span a, struct tv_span b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static const char *compare_plain(const struct tv_plain_event *plain, const Tvpb__Event *event)
{
    if (event->what_case != TVPB__EVENT__WHAT_SUMMARY || event->summary->n_value != 1)
        return "plain: not one value";
    const Tvpb__Summary__Value *value = event->summary->value[0];
    if (value->metadata || value->value_case != TVPB__SUMMARY__VALUE__VALUE_SIMPLE_VALUE)
        return "plain: not a simple value alone";
    if (!same_bits(&plain->value, &value->simple_value, 4))
        return "plain: another value";
    if (!same_bits(&plain->wall_time, &event->wall_time, 8) || plain->step != event->step)
        return "plain: another time or step";
    return same_span(plain->tag, tv_event_span(value->tag)) ? NULL : "plain: another tag";
}

static bool same_value(const struct tv_event_value *a, const struct tv_event_value *b)
{
    return a->form == b->form && a->plugin == b->plugin && same_bits(&a->value, &b->value, 8) &&
           same_span(a->tag, b->tag);
}

static const char *compare_scan(const struct tv_event_scan *scan, const Tvpb__Event *event)
{
    bool has_summary = event->what_case == TVPB__EVENT__WHAT_SUMMARY;
    if (!has_summary && event->what_case != TVPB__EVENT__WHAT__NOT_SET)
        return "scan: not a summary";
    if (!same_bits(&scan->wall_time, &event->wall_time, 8) || scan->step != event->step)
        return "scan: another time or step";
    size_t count = 0;
    for (size_t i = 0; has_summary && i < event->summary->n_value; i++) {
        struct tv_event_value full;
        tv_event_value_of(event->summary->value[i], &full);
        if (full.form == TV_VALUE_OTHER)
            continue;
        if (count == scan->count)
            return "scan: a value is missing";
        if (!same_value(&scan->values[count++], &full))
            return "scan: another value";
    }
    return count == scan->count ? NULL : "scan: a value too many";
}

/* What is remembered of the events before must not matter. */
static bool reads_plain(struct tv_span data, struct tv_plain_event *ret, bool *ret_agrees)
{
    static struct tv_seen_step before = TV_SEEN_NO_STEP;
    struct tv_seen_step nothing = TV_SEEN_NO_STEP;
    struct tv_plain_event fresh = {.tag = {"", 0}};
    bool is_fresh = tv_event_plain(data, &nothing, &fresh);
    bool is_plain = tv_event_plain(data, &before, ret);
    struct tv_plain_event again = {.tag = {"", 0}};
    bool is_again = tv_event_plain(data, &before, &again);
    *ret_agrees = is_plain == is_fresh && is_plain == is_again;
    if (is_plain && *ret_agrees)
        *ret_agrees = fresh.step == ret->step && again.step == ret->step &&
                      same_span(fresh.tag, ret->tag) && same_span(again.tag, ret->tag);
    return is_plain;
}

/* An event read by what was remembered of the tensor before it, and, once it is remembered itself,
 * by that: both times as tv_event_scan() reads it. */
static const char *compare_tensor(struct tv_span data, const struct tv_event_scan *scan,
                                  bool is_scanned, bool *ret_taken)
{
    static struct tv_seen_step step = TV_SEEN_NO_STEP;
    static struct tv_seen_tensor before;
    *ret_taken = false;
    for (int i = 0; i < 2; i++) {
        struct tv_plain_event event = {.tag = {"", 0}};
        bool is_taken = tv_event_tensor(data, &step, &before, &event);
        *ret_taken = *ret_taken || (i == 0 && is_taken);
        if (is_taken && (!is_scanned || scan->count != 1))
            return "tensor: scan takes no such event";
        struct tv_event_value value = {.tag = event.tag,
                                       .form = TV_VALUE_TENSOR,
                                       .plugin = before.plugin,
                                       .value = event.value};
        if (is_taken && (!same_value(&value, &scan->values[0]) || event.step != scan->step ||
                         !same_bits(&event.wall_time, &scan->wall_time, 8)))
            return "tensor: another value, time or step";
        if (is_scanned)
            tv_event_remember(data, scan, &step, &before);
    }
    return NULL;
}

const char *tv_compare_decoders(struct tv_span data, struct tv_decoded *ret)
{
    struct tv_event_memory memory = {.left = TV_EVENT_MEMORY};
    ProtobufCAllocator allocator = tv_event_allocator(&memory);
    struct tv_plain_event plain = {.tag = {"", 0}};
    struct tv_event_scan scan;
    Tvpb__Event *event = tvpb__event__unpack(&allocator, data.len, (const uint8_t *)data.data);
    bool agrees;
    *ret = (struct tv_decoded){.by_plain = reads_plain(data, &plain, &agrees),
                               .by_scan = tv_event_scan(data, &scan),
                               .by_protobuf = event != NULL};
    const char *difference = agrees ? NULL : "plain: the event before matters";
    if (!difference)
        difference = compare_tensor(data, &scan, ret->by_scan, &ret->by_tensor);
    if (!difference && ret->by_plain && !ret->by_scan)
        difference = "plain events are among those that scan takes";
    else if (!event && ret->by_scan && !memory.refused)
        difference = "accepted what protobuf-c refuses";
    if (!difference && event && ret->by_plain)
        difference = compare_plain(&plain, event);
    if (!difference && event && ret->by_scan)
        difference = compare_scan(&scan, event);
    if (event)
        tvpb__event__free_unpacked(event, &allocator);
    return difference;
}
