/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_CSV_H
#define PARSERS_LIB_CSV_H
/* Rows of separated values (RFC 4180, its line ends taken loosely): framing and damage, for stream
 * parsers.
 *
 * A row ends at a LF that is not inside quotes; a CR before it is dropped. A quoted cell may hold
 * line ends as long as it ends within TV_CSV_QUOTED_MAX bytes of its row's beginning: one that does
 * not ends quoting over lines for the rest of the file. A row of TV_LINE_MAX bytes or more is
 * skipped without being kept. A last row without a line end is left unconsumed: nobody can tell a
 * number from its first digits. */
#include "lib/lines.h"
#include "trainvet/parser.h"

#define TV_CSV_QUOTED_MAX (64u << 10)

struct tv_csv {       /* zeroed at first; part of the parser's state */
    uint64_t offset;  /* of the next byte to be fed */
    uint64_t long_at; /* first byte of a row that is too long */
    uint32_t line;    /* of the next row, counted from 0 */
    bool in_long;
    bool is_by_line; /* quotes do not reach over lines any more */
};

struct tv_csv_reader {
    void *ctx;
    const struct tv_emit *out; /* told about rows that are too long */
    /* One row without its line end; `line` is 1-based, `offset` that of its first byte. */
    void (*row)(void *ctx, struct tv_span row, uint32_t line, uint64_t offset);
};

struct tv_feed tv_csv_feed(struct tv_csv *csv, struct tv_span in, bool last,
                           const struct tv_csv_reader *reader);

/* Cuts a row into cells: without blanks at both sides and without the quotes around them ("" inside
 * stays as it is). Returns how many there are, of which the first `cap` are in ret. *ret_open: a
 * quote is not closed in the last one. */
size_t tv_csv_cells(struct tv_span row, char separator, struct tv_span *ret, size_t cap,
                    bool *ret_open);

/* Which of ',', ';' and tab separates the cells of a header: the one that is there most often. */
char tv_csv_separator(struct tv_span header);

#endif
