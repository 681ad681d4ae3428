/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_WRAP_H
#define SINKS_LIB_WRAP_H
/* Text for people, in lines of a given width. */
#include <stddef.h>
#include <stdio.h>

/* Columns that UTF-8 text takes when none of its characters is wide. */
size_t tv_columns(const char *text, size_t len);
/* Prints the words of `text` from column `at` on; further lines begin at `indent`. Ends the line.
 * Words are parted by blanks and line ends; one that is wider than the line stays whole. */
void tv_wrap(FILE *out, size_t width, size_t at, size_t indent, const char *text);

#endif
