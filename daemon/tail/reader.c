/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/reader.h"
#include "base/memory.h"
#include "trainvet/text.h"
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 256 * 1024, CHUNK_MIN = 8 * 1024, HOLE_MIN = 16 << 20 };

const struct tv_parser *tv_probe(struct tv_span basename, struct tv_span head)
{
    const struct tv_parser *best = NULL;
    int best_score = 0;
    head.len = head.len < TV_PROBE_BYTES ? head.len : TV_PROBE_BYTES;
    for (size_t i = 0; tv_parsers[i] && best_score < 100; i++) {
        int score = tv_parsers[i]->probe(basename, head);
        if (score > best_score) {
            best = tv_parsers[i];
            best_score = score;
        }
    }
    return best;
}

/* A small file gets a small buffer. The size is a hint only: files grow, and those of /proc have
 * none. */
static size_t first_size(const struct tv_input *input)
{
    uint64_t size = input->stat.st_size > 0 ? (uint64_t)input->stat.st_size + 1 : 0;
    if (input->gz || size > CHUNK)
        return CHUNK;
    return size < CHUNK_MIN ? CHUNK_MIN : (size_t)size;
}

/* Room behind the bytes that are kept: they move to the front, and the buffer grows when they fill
 * it. */
static void make_room(struct tv_reader *reader, size_t least)
{
    size_t kept = reader->end - reader->start;
    if (reader->start) {
        if (kept)
            memmove(reader->buffer, reader->buffer + reader->start, kept);
        reader->start = 0;
        reader->end = kept;
    }
    if (reader->cap - kept >= least)
        return;
    reader->cap = kept + least > reader->cap * 2 ? kept + least : reader->cap * 2;
    reader->buffer = tv_xrealloc(reader->buffer, reader->cap, 1);
}

/* As long as it was when it was opened, and no more has come: that need not be asked again. */
static bool is_whole(const struct tv_input *input)
{
    return !input->gz && input->offset == (uint64_t)input->stat.st_size;
}

static enum tv_status fill(struct tv_reader *reader)
{
    size_t n = 0, room = reader->cap - reader->end;
    enum tv_status status =
        tv_input_read(&reader->input, reader->buffer + reader->end, room, &n, &reader->error);
    reader->end += n;
    reader->result.bytes += n;
    if (status == TV_OK && !reader->is_live && (n == 0 || (n < room && is_whole(&reader->input))))
        reader->at_end = true;
    return status;
}

enum tv_status tv_reader_open(struct tv_reader *reader, int dirfd, const char *path,
                              const struct tv_parser *parser, struct tv_error *reterr)
{
    *reader = (struct tv_reader){.parser = parser};
    enum tv_status status = tv_input_open(&reader->input, dirfd, path, parser != NULL, reterr);
    if (status != TV_OK)
        return status;
    reader->cap = first_size(&reader->input);
    reader->buffer = tv_xmalloc(reader->cap);
    if (!parser) {
        while (status == TV_OK && !reader->at_end && reader->end < TV_PROBE_BYTES)
            status = fill(reader);
        reader->parser =
            tv_probe(tv_input_name(path), (struct tv_span){reader->buffer, reader->end});
        if (status == TV_OK && !reader->parser)
            status = tv_fail(&reader->error, TV_EUNSUPPORTED,
                             "is no log or configuration that trainvet can read");
    }
    if (status != TV_OK) {
        if (reterr)
            *reterr = reader->error;
        tv_reader_close(reader);
        return status;
    }
    reader->is_fresh = reader->end > 0;
    return TV_OK;
}

void tv_reader_close(struct tv_reader *reader)
{
    tv_input_close(&reader->input);
    free(reader->buffer);
    tv_block_free(&reader->state);
    *reader = (struct tv_reader){.input.fd = -1};
}

/* The file ends here for us; `status` TV_OK is its real end. */
static enum tv_status finish(struct tv_reader *reader, enum tv_status status)
{
    reader->result.tail_bytes += reader->end - reader->start;
    if (status != TV_OK) {
        reader->error.status = status;
        reader->result.dead = &reader->error;
    } else if (reader->input.ends_early) {
        tv_fail(&reader->error, TV_ECORRUPT, "the compressed data ends early");
        reader->error.offset = reader->input.offset;
        reader->result.dead = &reader->error;
    }
    return TV_OK;
}

/* Fails where the next byte would have been read. */
static enum tv_status finish_here(struct tv_reader *reader, enum tv_status status)
{
    if (status == TV_EIO && reader->can_wait && tv_is_passing(reader->error.sys_errno))
        return TV_EIO;
    reader->error.offset = reader->input.offset;
    return finish(reader, status);
}

static enum tv_status skip(struct tv_reader *reader, uint64_t len)
{
    size_t held = reader->end - reader->start;
    size_t from_buffer = len < held ? (size_t)len : held;
    reader->start += from_buffer;
    len -= from_buffer;
    if (len == 0)
        return TV_OK;
    uint64_t skipped = 0;
    enum tv_status status = tv_input_skip(&reader->input, len, &skipped, &reader->error);
    reader->result.bytes += skipped;
    if (status == TV_OK && skipped < len) { /* what was to be skipped is not all there */
        reader->at_end = true;
        reader->result.tail_bytes += from_buffer + skipped;
    }
    return status;
}

/* One call of the parser with what is held. */
static enum tv_status feed(struct tv_reader *reader, const struct tv_emit *emit, bool last)
{
    struct tv_span in = {reader->buffer + reader->start, reader->end - reader->start};
    uint64_t base = reader->input.offset - in.len;
    void *state = tv_block_open(&reader->state, reader->parser->state_size);
    struct tv_feed fed = reader->parser->feed(state, in, last, emit, &reader->error);
    reader->start += fed.consumed;
    reader->result.records += fed.records;
    reader->want = fed.want;
    if (fed.status != TV_OK && fed.status != TV_AGAIN) {
        if (reader->error.offset == 0)
            reader->error.offset = base + fed.consumed;
        return fed.status;
    }
    bool stuck = fed.consumed == 0 && fed.skip == 0 && in.len >= TV_PARSER_WINDOW;
    if (stuck && !last) {
        reader->error.offset = base;
        return tv_fail(&reader->error, TV_ELIMIT, "a record is longer than %u bytes",
                       TV_PARSER_WINDOW);
    }
    return fed.skip ? skip(reader, fed.skip) : TV_OK;
}

static enum tv_status check_snapshot_size(struct tv_reader *reader)
{
    off_t size = reader->input.gz ? 0 : reader->input.stat.st_size;
    if (size <= (off_t)TV_SNAPSHOT_MAX && reader->end <= TV_SNAPSHOT_MAX)
        return TV_OK;
    return tv_fail(&reader->error, TV_ELIMIT,
                   "is larger than %u MiB, the most that is read of such a file",
                   TV_SNAPSHOT_MAX >> 20);
}

static enum tv_status feed_snapshot(struct tv_reader *reader, const struct tv_emit *emit)
{
    while (!reader->at_end) {
        enum tv_status status = check_snapshot_size(reader);
        if (status != TV_OK)
            return finish_here(reader, status);
        make_room(reader, CHUNK_MIN);
        status = fill(reader);
        if (status != TV_OK)
            return finish_here(reader, status);
    }
    return finish(reader, feed(reader, emit, true));
}

/* A terabyte that was never written costs nobody a terabyte of reading; what is shorter than any
 * record's limit is read as the zeros that it holds. False: a living file ends with a hole, and
 * nobody knows yet what comes there. */
static bool pass_hole(struct tv_reader *reader, const struct tv_emit *emit)
{
    static const char zeros[64];
    bool is_last;
    if (reader->end < sizeof zeros ||
        memcmp(reader->buffer + reader->end - sizeof zeros, zeros, sizeof zeros) != 0)
        return true;
    uint64_t from = reader->input.offset, len = tv_input_hole(&reader->input, &is_last);
    if (reader->is_live && is_last)
        return false;
    if (len < HOLE_MIN)
        return true;
    if (tv_input_skip(&reader->input, len, &len, NULL) != TV_OK)
        return true;
    reader->result.bytes += len;
    if (!reader->hole_len) {
        reader->hole = from;
        reader->hole_len = len;
    }
    emit->damage(emit->ctx, &(struct tv_damage){.offset = from,
                                                .length = len,
                                                .what = "a hole in the file, never written, was "
                                                        "passed over"});
    return true;
}

enum tv_status tv_reader_feed(struct tv_reader *reader, const struct tv_emit *emit)
{
    if (reader->parser->mode == TV_PARSER_SNAPSHOT)
        return feed_snapshot(reader, emit);
    if (!reader->is_fresh && !reader->at_end) {
        if (!pass_hole(reader, emit))
            return TV_AGAIN;
        make_room(reader, CHUNK_MIN);
        enum tv_status status = fill(reader);
        if (status != TV_OK)
            return finish_here(reader, status);
    }
    reader->is_fresh = false;
    if (!reader->at_end && reader->end - reader->start < reader->want)
        return TV_AGAIN;
    bool last = reader->at_end;
    enum tv_status status = feed(reader, emit, last);
    if (status != TV_OK)
        return finish(reader, status);
    return last ? finish(reader, TV_OK) : TV_AGAIN;
}

enum tv_status tv_reader_finish(struct tv_reader *reader, const struct tv_emit *emit)
{
    reader->at_end = true;
    reader->is_live = reader->is_fresh = false;
    return finish(reader, feed(reader, emit, true));
}
