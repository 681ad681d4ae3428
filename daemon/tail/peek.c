/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "tail/reader.h"
#include "tail/tree.h"
#include "trainvet/text.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct peeking {
    struct tv_peek peek;
    struct tv_tag tags[64];
    char names[64][256];
    int64_t first[64], last[64];
    size_t tags_len, any;
};

static struct tv_tag *peek_tag(void *ctx, struct tv_span name)
{
    struct peeking *p = ctx;
    for (size_t i = 0; i < p->tags_len; i++)
        if (tv_span_is(name, p->names[i]))
            return &p->tags[i];
    if (p->tags_len == 64 || !tv_span_copy(name, p->names[p->tags_len], sizeof p->names[0]))
        return NULL;
    struct tv_tag *tag = &p->tags[p->tags_len];
    p->last[p->tags_len] = TV_STEP_UNKNOWN;
    tag->name = p->names[p->tags_len++];
    tag->len = (uint32_t)name.len;
    return tag;
}

static void peek_samples(void *ctx, const struct tv_sample *batch, size_t count)
{
    struct peeking *p = ctx;
    for (size_t i = 0; i < count; i++) {
        size_t tag = (size_t)(batch[i].tag - p->tags);
        int64_t step = batch[i].step;
        if (step < 0)
            continue;
        if (!p->any++)
            memcpy(p->peek.tag, batch[i].tag->name, batch[i].tag->len + 1);
        if (p->last[tag] == TV_STEP_UNKNOWN) {
            p->first[tag] = step;
        } else if (step > p->last[tag]) {
            if (p->peek.first_step == TV_STEP_UNKNOWN || p->first[tag] < p->peek.first_step)
                p->peek.first_step = p->first[tag];
            if (p->peek.interval == 0 || step - p->last[tag] < p->peek.interval)
                p->peek.interval = step - p->last[tag];
        }
        p->last[tag] = step;
    }
}

static void peek_fact(void *ctx, const struct tv_fact *fact)
{
    (void)ctx;
    (void)fact;
}

static void peek_mark(void *ctx, const struct tv_mark *mark)
{
    (void)ctx;
    (void)mark;
}

static void peek_damage(void *ctx, const struct tv_damage *damage)
{
    (void)ctx;
    (void)damage;
}

struct tv_peek tv_peek(const struct tv_tree_file *file)
{
    struct peeking *p = tv_xcalloc(1, sizeof *p);
    p->peek.first_step = TV_STEP_UNKNOWN;
    struct tv_emit emit = {p, peek_tag, peek_samples, peek_fact, peek_mark, peek_damage, false};
    struct tv_reader reader;
    if (tv_reader_open(&reader, AT_FDCWD, file->path, file->parser, NULL) == TV_OK) {
        tv_reader_feed(&reader, &emit);
        tv_reader_close(&reader);
    }
    struct tv_peek peek = p->peek;
    free(p);
    return peek;
}
