/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/load.h"
#include "tail/reader.h"
#include "trainvet/text.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* One sequential source being read. */
struct stream {
    struct tv_source *source;
    const struct tv_found_file *file; /* being read or next */
    struct tv_reader reader;
    struct tv_emit emit;
    bool is_open, is_over;
    uint64_t reported; /* bytes of this file that progress knows */
};

static void report_unreadable(struct tv_source *source, const struct tv_error *error)
{
    struct tv_file_result result = {.dead = error};
    tv_source_file_end(source, &result);
}

static void next_file(struct stream *stream)
{
    stream->file = stream->file->next;
    stream->is_over = stream->file == NULL;
    if (stream->is_over)
        tv_source_done(stream->source);
}

static bool open_file(struct stream *stream)
{
    const struct tv_found_file *file = stream->file;
    struct tv_error error = {0};
    stream->emit = tv_source_file(stream->source, file->path, file->parser);
    stream->is_open =
        tv_reader_open(&stream->reader, AT_FDCWD, file->path, file->parser, &error) == TV_OK;
    stream->reported = 0;
    if (!stream->is_open) {
        report_unreadable(stream->source, &error);
        next_file(stream);
    }
    return stream->is_open;
}

/* Reads the next chunk of the source. */
static void advance(struct stream *stream, atomic_uint_least64_t *bytes)
{
    if (!stream->is_open && !open_file(stream))
        return;
    enum tv_status status = tv_reader_feed(&stream->reader, &stream->emit);
    if (bytes)
        atomic_fetch_add(bytes, stream->reader.result.bytes - stream->reported);
    stream->reported = stream->reader.result.bytes;
    if (status == TV_AGAIN)
        return;
    tv_source_file_end(stream->source, &stream->reader.result);
    tv_reader_close(&stream->reader);
    stream->is_open = false;
    next_file(stream);
}

static void load_configs(struct tv_run *run, const struct tv_found_run *found,
                         atomic_uint_least64_t *bytes)
{
    if (!found->configs)
        return;
    struct tv_source_info info = {.prefix = ""};
    struct stream stream = {.source = tv_run_source(run, &info), .file = found->configs};
    while (!stream.is_over)
        advance(&stream, bytes);
}

/* The source that the merge waits for, or any that is not over; NULL at the end. */
static struct stream *next_stream(struct stream *streams, size_t count)
{
    struct stream *any = NULL;
    for (size_t i = 0; i < count; i++) {
        if (streams[i].is_over)
            continue;
        if (tv_source_is_hungry(streams[i].source))
            return &streams[i];
        any = &streams[i];
    }
    return any;
}

void tv_load_run(struct tv_run *run, const struct tv_found_run *found, atomic_uint_least64_t *bytes)
{
    load_configs(run, found, bytes);
    struct stream streams[TV_DISCOVER_SOURCES];
    size_t count = 0;
    for (const struct tv_found_source *source = found->sources; source; source = source->next) {
        struct tv_source_info info = {.prefix = source->prefix, .rank = source->rank};
        streams[count++] =
            (struct stream){.source = tv_run_source(run, &info), .file = source->files};
    }
    for (struct stream *stream; (stream = next_stream(streams, count));) {
        advance(stream, bytes);
        tv_run_pump(run, false);
    }
    tv_run_pump(run, true);
}

/* Facts pass on with another rank; a configuration file has nothing else to tell. */
struct raised {
    struct tv_emit inner;
};

static void raised_fact(void *ctx, const struct tv_fact *fact)
{
    struct raised *raised = ctx;
    struct tv_fact copy = *fact;
    /* whose file it is was guessed by its keys, not said */
    copy.source = tv_span_is(fact->key, "framework") ? TV_FACT_RUN_ARGS : TV_FACT_COMMAND_LINE;
    raised->inner.fact(raised->inner.ctx, &copy);
}

static struct tv_tag *raised_tag(void *ctx, struct tv_span name)
{
    struct raised *raised = ctx;
    return raised->inner.tag(raised->inner.ctx, name);
}

static void raised_samples(void *ctx, const struct tv_sample *batch, size_t count)
{
    struct raised *raised = ctx;
    raised->inner.samples(raised->inner.ctx, batch, count);
}

static void raised_mark(void *ctx, const struct tv_mark *mark)
{
    struct raised *raised = ctx;
    raised->inner.mark(raised->inner.ctx, mark);
}

static void raised_damage(void *ctx, const struct tv_damage *damage)
{
    struct raised *raised = ctx;
    raised->inner.damage(raised->inner.ctx, damage);
}

enum tv_status tv_load_config(struct tv_run *run, const char *path, bool from_user,
                              struct tv_error *reterr)
{
    struct tv_reader reader;
    enum tv_status status = tv_reader_open(&reader, AT_FDCWD, path, NULL, reterr);
    if (status != TV_OK)
        return status;
    if (!reader.parser->is_config) {
        status = tv_fail(reterr, TV_EUNSUPPORTED, "is a log (%s), not a configuration",
                         reader.parser->name);
        tv_reader_close(&reader);
        return status;
    }
    struct tv_source *source = tv_run_source(run, &(struct tv_source_info){.prefix = ""});
    struct tv_emit emit = tv_source_file(source, path, reader.parser);
    struct raised raised = {emit};
    struct tv_emit with_rank = {&raised,     raised_tag,    raised_samples, raised_fact,
                                raised_mark, raised_damage, false};
    while (tv_reader_feed(&reader, from_user ? &with_rank : &emit) == TV_AGAIN)
        continue;
    if (reader.result.dead) {
        status = reader.error.status;
        if (reterr)
            *reterr = reader.error;
    }
    tv_source_file_end(source, &reader.result);
    tv_source_done(source);
    tv_reader_close(&reader);
    return status;
}
