/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_READER_H
#define TAIL_READER_H
/* Brings one file to its parser: chunks, what the parser left over, what it wants to have skipped,
 * the end. Memory is bounded by the parser's window whatever the file holds; a snapshot is held
 * whole, up to TV_SNAPSHOT_MAX. */
#include "base/block.h"
#include "engine/engine.h"
#include "tail/input.h"

#define TV_PROBE_BYTES 4096

/* The parser that is surest of this file, NULL when none is sure at all. */
const struct tv_parser *tv_probe(struct tv_span basename, struct tv_span head);

#define TV_PLACE_BYTES 4096

/* A place in a file, and how to see that the file is still the same one up to there: device, inode
 * and generation (inodes are used again at once on ext4; rsyslog imfile does the same), and the
 * bytes before the place (a file that was truncated and has grown again has others). */
struct tv_place {
    dev_t device;
    ino_t inode;
    long generation; /* 0 where the file system has none */
    uint64_t offset;
    uint64_t before; /* hash of up to TV_PLACE_BYTES bytes before the offset */
};

struct tv_reader {
    struct tv_input input;
    const struct tv_parser *parser;
    struct tv_block state;
    char *buffer;
    size_t cap, start, end;  /* the bytes shown and not consumed are [start, end) */
    size_t want;             /* the parser needs this many before it can go on */
    bool is_fresh;           /* what is held was read for the probe and not fed yet */
    bool at_end;             /* no byte will follow */
    bool is_live;            /* the file may grow: its end is not the end */
    bool can_wait;           /* what cannot be read now is read later */
    uint64_t hole, hole_len; /* the first that was passed over; it may be filled later */
    struct tv_place place;   /* where a paused reader is */
    struct tv_file_result result;
    struct tv_error error; /* result.dead points here */
};

/* Opens the file, which was found to be read by `parser`; when that is NULL, finds its parser by
 * name and first bytes (TV_EUNSUPPORTED when nobody reads it). Nothing is fed before
 * tv_reader_feed(). After an error there is nothing to close. */
enum tv_status tv_reader_open(struct tv_reader *reader, int dirfd, const char *path,
                              const struct tv_parser *parser, struct tv_error *reterr);
/* Reads and feeds a chunk. TV_AGAIN: there is more. TV_OK: the file is over, reader->result is
 * complete. TV_EIO, when `can_wait` is set: it cannot be read now, reader->error says why; nothing
 * is lost, it goes on where it stands. */
enum tv_status tv_reader_feed(struct tv_reader *reader, const struct tv_emit *emit);
void tv_reader_close(struct tv_reader *reader);

/* A live reader between two looks at its file: the descriptor is closed, the bytes that the parser
 * left over and its state stay. Compressed files cannot be paused. */
enum tv_status tv_reader_pause(struct tv_reader *reader, struct tv_error *reterr);
/* Opens the file again. TV_ECORRUPT: it is another file now, or what was read of it has changed;
 * the reader can only be closed then. TV_EIO: it cannot be opened, the reader stays paused. */
enum tv_status tv_reader_resume(struct tv_reader *reader, const char *path,
                                struct tv_error *reterr);
/* The file is over after all: what is left over is fed as its end. Works on paused readers. */
enum tv_status tv_reader_finish(struct tv_reader *reader, const struct tv_emit *emit);

#endif
