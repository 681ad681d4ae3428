/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_READER_H
#define TAIL_READER_H
/* Brings one file to its parser: chunks, what the parser left over, what it wants to have skipped,
 * the end. Memory is bounded by the parser's window whatever the file holds; a snapshot is held
 * whole, up to TV_SNAPSHOT_MAX. */
#include "engine/engine.h"
#include "tail/input.h"

#define TV_PROBE_BYTES 4096

/* The parser that is surest of this file, NULL when none is sure at all. */
const struct tv_parser *tv_probe(struct tv_span basename, struct tv_span head);

struct tv_reader {
    struct tv_input input;
    const struct tv_parser *parser;
    void *state;
    struct tv_emit emit;
    char *buffer;
    size_t cap, start, end; /* the bytes shown and not consumed are [start, end) */
    size_t want;            /* the parser needs this many before it can go on */
    bool is_fresh;          /* what is held was read for the probe and not fed yet */
    bool at_end;            /* no byte will follow */
    struct tv_file_result result;
    struct tv_error error; /* result.dead points here */
};

/* Opens the file and, when `parser` is NULL, finds its parser by name and first bytes
 * (TV_EUNSUPPORTED when nobody reads it). Nothing is fed before tv_reader_feed(). After an error
 * there is nothing to close. */
enum tv_status tv_reader_open(struct tv_reader *reader, int dirfd, const char *path,
                              const struct tv_parser *parser, struct tv_error *reterr);
/* Reads and feeds a chunk. TV_AGAIN: there is more. TV_OK: the file is over, reader->result is
 * complete. */
enum tv_status tv_reader_feed(struct tv_reader *reader, const struct tv_emit *emit);
void tv_reader_close(struct tv_reader *reader);

#endif
