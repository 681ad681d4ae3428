/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUZZ_FEED_H
#define FUZZ_FEED_H
/* What every parser's fuzz target does: the whole input at once and, for a stream, cut as its first
 * byte says; both must emit the same, and the contract of feed must hold. */
#include "base/memory.h"
#include "trainvet/parser.h"
#include <stdlib.h>
#include <string.h>

#define FUZZ_TAGS 64

struct fuzz_sink {
    uint64_t hash; /* of everything emitted */
    struct tv_tag tags[FUZZ_TAGS];
    size_t tags_len;
};

static inline void fuzz_mix(struct fuzz_sink *sink, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sink->hash = (sink->hash ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
}

static inline struct tv_tag *fuzz_tag(void *ctx, struct tv_span name)
{
    struct fuzz_sink *sink = ctx;
    for (size_t i = 0; i < sink->tags_len; i++)
        if (sink->tags[i].len == name.len && memcmp(sink->tags[i].name, name.data, name.len) == 0)
            return &sink->tags[i];
    if (sink->tags_len == FUZZ_TAGS)
        return NULL;
    struct tv_tag *tag = &sink->tags[sink->tags_len++];
    *tag = (struct tv_tag){.name = tv_xstrndup(name.data, name.len), .len = (uint32_t)name.len};
    return tag;
}

static inline void fuzz_samples(void *ctx, const struct tv_sample *batch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fuzz_mix(ctx, batch[i].tag->name, batch[i].tag->len);
        fuzz_mix(ctx, &batch[i].step, sizeof batch[i].step);
        fuzz_mix(ctx, &batch[i].wall_time, sizeof batch[i].wall_time);
        fuzz_mix(ctx, &batch[i].value, sizeof batch[i].value);
    }
}

static inline void fuzz_fact(void *ctx, const struct tv_fact *fact)
{
    fuzz_mix(ctx, fact->key.data, fact->key.len);
    fuzz_mix(ctx, fact->value.data, fact->value.len);
    fuzz_mix(ctx, &fact->line, sizeof fact->line);
}

static inline void fuzz_mark(void *ctx, const struct tv_mark *mark)
{
    fuzz_mix(ctx, &mark->kind, sizeof mark->kind);
    fuzz_mix(ctx, &mark->step, sizeof mark->step);
}

static inline void fuzz_damage(void *ctx, const struct tv_damage *damage)
{
    fuzz_mix(ctx, &damage->offset, sizeof damage->offset);
    fuzz_mix(ctx, &damage->length, sizeof damage->length);
    fuzz_mix(ctx, damage->what, strlen(damage->what));
}

/* Returns the hash of what was emitted. Every piece is an exact copy on the heap. */
static inline uint64_t fuzz_run(const struct tv_parser *parser, struct tv_span in, size_t step)
{
    struct fuzz_sink sink = {0};
    struct tv_emit emit = {&sink, fuzz_tag, fuzz_samples, fuzz_fact, fuzz_mark, fuzz_damage, false};
    struct tv_error error = {0};
    void *state = tv_xcalloc(1, parser->state_size);
    size_t start = 0, end = 0;
    for (bool last = false; !last;) {
        end = in.len - end < step ? in.len : end + step;
        last = end == in.len;
        char *copy = tv_xmalloc(end - start);
        memcpy(copy, in.data + start, end - start);
        struct tv_feed fed =
            parser->feed(state, (struct tv_span){copy, end - start}, last, &emit, &error);
        free(copy);
        if (fed.consumed > end - start || fed.want > TV_PARSER_WINDOW)
            abort();
        start += fed.consumed;
        if (fed.status != TV_OK && fed.status != TV_AGAIN)
            break;
        if (fed.skip) {
            if (fed.skip >= in.len - start)
                break;
            start += (size_t)fed.skip;
            end = end < start ? start : end;
            last = false;
        }
    }
    for (size_t i = 0; i < sink.tags_len; i++)
        free((char *)sink.tags[i].name);
    free(state);
    return sink.hash;
}

static inline int fuzz_parser(const struct tv_parser *parser, const uint8_t *data, size_t len)
{
    struct tv_span in = {(const char *)data + (len > 0), len - (len > 0)};
    uint64_t whole = fuzz_run(parser, in, in.len ? in.len : 1);
    if (parser->mode == TV_PARSER_STREAM &&
        fuzz_run(parser, in, len ? data[0] % 61 + 1u : 1) != whole)
        abort();
    parser->probe((struct tv_span){"x", 1}, in);
    return 0;
}

/* The target itself. */
#define FUZZ_PARSER(name_)                                                                         \
    extern const struct tv_parser tv_parser_##name_;                                               \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);                                   \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)                                    \
    {                                                                                              \
        return fuzz_parser(&tv_parser_##name_, data, len);                                         \
    }

#endif
