/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAINVET_TEXT_H
#define TRAINVET_TEXT_H
/* Text in a caller's buffer, cut where it is full (never inside a UTF-8 sequence), always
 * NUL-terminated. */
#include "trainvet/sample.h"
#include <stdarg.h>

struct tv_text {
    char *data;
    size_t cap; /* bytes in the buffer, at least 1 */
    size_t len; /* without the NUL */
    bool cut;   /* something did not fit */
};

struct tv_text tv_text_in(char *buffer, size_t cap);
void tv_text_add(struct tv_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void tv_text_add_span(struct tv_text *text, struct tv_span span);
/* vsnprintf(), `cap` at least 1; texts that are only joined ("%s of %s") are spared its cost. */
int tv_format(char *buffer, size_t cap, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* `from` made safe for a terminal, a log and JSON text alike: C0, DEL, C1 and bidirectional
 * controls and invalid UTF-8 become U+FFFD, at most `cap` - 1 bytes, "..." where it was cut.
 * Returns `buffer`. */
const char *tv_escape(struct tv_span from, char *buffer, size_t cap);

struct tv_span tv_span_of(const char *text);
bool tv_span_is(struct tv_span span, const char *text);
bool tv_span_starts(struct tv_span span, const char *prefix);
bool tv_span_ends(struct tv_span span, const char *suffix);
bool tv_span_holds(struct tv_span span, const char *part); /* anywhere */
/* Without blanks, tabs and line ends at both sides. */
struct tv_span tv_span_trim(struct tv_span span);
/* Copies into a NUL-terminated buffer; false (buffer empty) when it does not fit or holds a NUL. */
bool tv_span_copy(struct tv_span span, char *buffer, size_t cap);

#endif
