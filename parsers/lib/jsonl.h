/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_JSONL_H
#define PARSERS_LIB_JSONL_H
/* A log of JSON objects, one a line: framing and damage, for stream parsers.
 *
 * A line that is no object is reported and skipped; when a whole object stands at its end (a writer
 * was killed in the middle of a line, the next one went on behind it; a hole of NUL bytes) that one
 * is read. Several objects on a line are read. A line of TV_LINE_MAX bytes or more is skipped
 * without being kept. An unfinished last line is left unconsumed. */
#include "lib/json_scan.h"
#include "trainvet/parser.h"

#define TV_JSONL_FIELDS 256 /* members of one object; more are dropped */

struct tv_jsonl {      /* zeroed at first; part of the parser's state */
    uint64_t offset;   /* of the next byte to be fed */
    uint64_t long_at;  /* first byte of a line that is too long */
    uint32_t line;     /* lines read */
    uint32_t left_out; /* lines, tv_jsonl_leave_out() */
    bool in_long;
    struct tv_json_keys keys;
};

struct tv_jsonl_reader {
    void *ctx;
    /* One object; the fields are valid during the call. */
    void (*object)(void *ctx, const struct tv_json_field *fields, size_t len, uint32_t line);
};

/* For the reader of an object that has values and cannot be used. The first one is reported with
 * what was `expected`; at the end of the file it is said how many there were. */
void tv_jsonl_leave_out(struct tv_jsonl *jsonl, const struct tv_emit *out, const char *expected);

struct tv_feed tv_jsonl_feed(struct tv_jsonl *jsonl, struct tv_span in, bool last,
                             const struct tv_emit *out, const struct tv_jsonl_reader *reader);

#endif
