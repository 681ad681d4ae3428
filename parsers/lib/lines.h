/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_LINES_H
#define PARSERS_LIB_LINES_H
/* Lines of a text log. */
#include "trainvet/sample.h"

#define TV_LINE_MAX (1u << 20) /* bytes; no trainer writes a longer one */

/* Takes the next line off *rest: without its LF or CR LF. At the end of the input (`last`) a line
 * without a line end counts. Returns the bytes taken, 0 when there is no complete line; *rest then
 * stays as it was. */
size_t tv_next_line(struct tv_span *rest, bool last, struct tv_span *ret_line);

#endif
