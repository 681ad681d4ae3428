/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/counter.h"
#include "base/memory.h"

struct tv_tag *tv_counter_tag(void *ctx, struct tv_span name)
{
    struct tv_counter *counter = ctx;
    struct tv_tag *tag = tv_map_get(&counter->tags, name);
    if (tag)
        return tag;
    tag = tv_xcalloc(1, sizeof *tag);
    tag->name = tv_xstrndup(name.data, name.len);
    tag->len = (uint32_t)name.len;
    tv_map_set(&counter->tags, (struct tv_span){tag->name, tag->len}, tag);
    return tag;
}

static void on_samples(void *ctx, const struct tv_sample *batch, size_t count)
{
    struct tv_counter *counter = ctx;
    counter->points += count;
    for (size_t i = 0; i < count; i++)
        counter->sum += batch[i].value;
}

static void on_fact(void *ctx, const struct tv_fact *fact)
{
    (void)ctx;
    (void)fact;
}

static void on_mark(void *ctx, const struct tv_mark *mark)
{
    (void)ctx;
    (void)mark;
}

static void on_damage(void *ctx, const struct tv_damage *damage)
{
    struct tv_counter *counter = ctx;
    counter->damages += !damage->is_note;
}

struct tv_emit tv_counter_emit(struct tv_counter *counter)
{
    return (struct tv_emit){counter, tv_counter_tag, on_samples, on_fact,
                            on_mark, on_damage,      false};
}
