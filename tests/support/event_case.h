/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_EVENT_CASE_H
#define SUPPORT_EVENT_CASE_H
/* Event files put through the tfevents parser. */
#include "support/capture.h"
#include "support/event_writer.h"

extern const struct tv_parser tv_parser_tfevents;

/* Reads the bytes whole; returns how many were left over, the truncated tail. */
size_t tv_read_events(struct tv_span bytes, struct tv_capture *ret);

/* Reads them whole and in pieces of 1, 13, random and 4096 bytes and requires the same of each. */
void tv_expect_same_in_pieces(struct tv_span bytes, const char *name);

/* Requires that the file reads as `text` (the lines of support/capture.h, without the mark of the
 * version record) with `left` bytes of truncated tail, in whatever pieces. Frees the file. */
void tv_expect_events(struct tv_bytes *file, const char *text, size_t left);

#endif
