/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_CAPTURE_H
#define SUPPORT_CAPTURE_H
/* A receiver that writes down everything a parser emits as text, one line an item, so that two ways
 * of feeding the same bytes can be compared with strcmp. Samples: "S tag step wall value", facts:
 * "F key=value source line", marks: "M kind step wall", damage: "D offset length line what". */
#include "trainvet/parser.h"

struct tv_capture {
    char *text; /* NUL-terminated */
    size_t len, cap;
    size_t samples, facts, marks, damages, notes;
    size_t tags_len;
    struct tv_tag **tag_list; /* stable pointers, owned */
};

struct tv_emit tv_capture_emit(struct tv_capture *capture);
void tv_capture_free(struct tv_capture *capture);

/* How to cut the input: 0 = whole, n > 0 = pieces of n bytes, -1 = random pieces from `seed`. */
struct tv_chunking {
    int size;
    unsigned seed;
};
/* Feeds `bytes` as a careful caller does (carry-over, want, skip) and returns the last status;
 * *ret_left = bytes that were never consumed. */
enum tv_status tv_feed_all(const struct tv_parser *parser, struct tv_span bytes,
                           struct tv_chunking how, struct tv_capture *capture, size_t *ret_left,
                           struct tv_error *reterr);
/* The whole file in malloc'd memory (caller frees); aborts the test when it cannot be read. */
struct tv_span tv_read_file(const char *path);

#endif
