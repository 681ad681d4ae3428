/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event_batch.h"
#include "lib/event_facts.h"
#include "lib/event_full.h"
#include "lib/tfrecord.h"
#include "trainvet/text.h"

void tv_event_flush(struct tv_event_batch *batch)
{
    if (batch->len)
        batch->out->samples(batch->out->ctx, batch->samples, batch->len);
    batch->len = 0;
}

struct tv_tag *tv_event_look_up(struct tv_event_batch *batch, struct tv_span name)
{
    struct tv_tag *tag = batch->out->tag(batch->out->ctx, name);
    if (!tag)
        return NULL;
    if (batch->last)
        batch->last->likely_next = tag;
    return batch->last = tag;
}

void tv_event_damage(struct tv_event_batch *batch, const struct tv_damage *damage)
{
    tv_event_flush(batch);
    batch->out->damage(batch->out->ctx, damage);
}

/* About a value of the record, which is used otherwise. */
static void report(struct tv_event_batch *batch, bool is_note, const char *what)
{
    struct tv_damage damage = {.offset = batch->offset, .is_note = is_note, .what = what};
    tv_event_damage(batch, &damage);
}

/* About the value of this tag. */
static void report_tag(struct tv_event_batch *batch, bool is_note, struct tv_span tag,
                       const char *what)
{
    char safe[64], text[320];
    struct tv_text to = tv_text_in(text, sizeof text);
    tv_text_add(&to, "%s: %s", tv_escape(tag, safe, sizeof safe), what);
    report(batch, is_note, text);
}

static void mark(struct tv_event_batch *batch, enum tv_mark_kind kind, const Tvpb__Event *event)
{
    struct tv_mark out = {
        .kind = kind, .step = event->step, .wall_time = tv_event_time(event->wall_time)};
    tv_event_flush(batch);
    batch->out->mark(batch->out->ctx, &out);
}

/* A simple value or a tensor of one number. */
static void deliver_number(struct tv_event_batch *batch, const struct tv_event_value *value,
                           int64_t step, double wall_time)
{
    struct tv_tag *tag = tv_event_tag(batch, value->tag);
    if (!tag)
        return;
    if (value->plugin != TV_PLUGIN_NONE && tag->kind == TV_PLUGIN_NONE)
        tag->kind = value->plugin;
    if (value->form == TV_VALUE_SIMPLE || tag->kind <= TV_PLUGIN_SCALARS)
        tv_event_put(batch, tag, step, wall_time, value->value);
}

/* Between a reader of configuration and our receiver: its lines are not lines of the file. */
static void pass_fact(void *ctx, const struct tv_fact *fact)
{
    const struct tv_event_batch *batch = ctx;
    struct tv_fact out = *fact;
    out.line = 0;
    batch->out->fact(batch->out->ctx, &out);
}

static void pass_damage(void *ctx, const struct tv_damage *damage)
{
    report(ctx, damage->is_note, damage->what);
}

static void deliver_facts(struct tv_event_batch *batch, const struct tv_event_value *value)
{
    struct tv_emit out = {.ctx = batch, .fact = pass_fact, .damage = pass_damage};
    struct tv_error error;
    tv_event_flush(batch);
    enum tv_status status =
        value->form == TV_VALUE_HPARAMS
            ? tv_event_hparams_facts(value->body, &out, &error)
            : tv_event_text_facts(value->tag, value->body, !batch->last, &out, &error);
    if (status != TV_OK)
        report_tag(batch, true, value->tag, error.message);
}

static void deliver(struct tv_event_batch *batch, const Tvpb__Event *event,
                    const struct tv_event_value *value)
{
    switch (value->form) {
    case TV_VALUE_SIMPLE:
    case TV_VALUE_TENSOR:
        deliver_number(batch, value, event->step, event->wall_time);
        break;
    case TV_VALUE_REFUSED:
        report_tag(batch, false, value->tag, value->refused);
        break;
    case TV_VALUE_TEXT:
    case TV_VALUE_HPARAMS:
        deliver_facts(batch, value);
        break;
    case TV_VALUE_OTHER:
        break;
    }
}

static void read_event(struct tv_event_batch *batch, const Tvpb__Event *event)
{
    switch (event->what_case) {
    case TVPB__EVENT__WHAT_FILE_VERSION:
        mark(batch, TV_MARK_START, event);
        break;
    case TVPB__EVENT__WHAT_SESSION_LOG:
        if (event->session_log->status == 1) /* START */
            mark(batch, TV_MARK_PURGE, event);
        break;
    case TVPB__EVENT__WHAT_SUMMARY:
        for (size_t i = 0; i < event->summary->n_value; i++) {
            struct tv_event_value value;
            tv_event_value_of(event->summary->value[i], &value);
            deliver(batch, event, &value);
        }
        break;
    default:
        break;
    }
}

static void read_by_protobuf(struct tv_event_batch *batch, struct tv_span data)
{
    struct tv_event_memory memory = {.left = TV_EVENT_MEMORY};
    ProtobufCAllocator allocator = tv_event_allocator(&memory);
    Tvpb__Event *event = tvpb__event__unpack(&allocator, data.len, (const uint8_t *)data.data);
    if (event) {
        batch->records++;
        read_event(batch, event);
        tvpb__event__free_unpacked(event, &allocator);
        return;
    }
    struct tv_damage damage = {
        .offset = batch->offset,
        .length = data.len + TV_RECORD_FRAME,
        .what = memory.refused
                    ? "the record needs more than 16 MiB to decode and was left out"
                    : "the record's checksums are right but it holds no valid Event message"};
    tv_event_damage(batch, &damage);
}

void tv_event_read_any(struct tv_event_batch *batch, struct tv_span data)
{
    struct tv_plain_event like;
    struct tv_event_scan event;
    if (tv_event_tensor(data, &batch->seen, &batch->tensor, &like)) {
        struct tv_event_value value = {.tag = like.tag,
                                       .form = TV_VALUE_TENSOR,
                                       .plugin = batch->tensor.plugin,
                                       .value = like.value};
        batch->records++;
        deliver_number(batch, &value, like.step, like.wall_time);
        return;
    }
    if (!tv_event_scan(data, &event)) {
        read_by_protobuf(batch, data);
        return;
    }
    tv_event_remember(data, &event, &batch->seen, &batch->tensor);
    batch->records++;
    for (size_t i = 0; i < event.count; i++)
        deliver_number(batch, &event.values[i], event.step, event.wall_time);
}
