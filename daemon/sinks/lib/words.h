/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_WORDS_H
#define SINKS_LIB_WORDS_H
/* A command line as a list of words. */
#include "trainvet/error.h"
#include <stddef.h>

#define TV_WORDS_MAX  64   /* words, with the NULL at the end */
#define TV_WORDS_TEXT 4096 /* bytes of all of them */

struct tv_words {
    const char *list[TV_WORDS_MAX]; /* NULL-terminated; point into `text` */
    char text[TV_WORDS_TEXT];
    size_t len;
};

/* Words stand between blanks; '...' and "..." hold blanks, \ takes the next character as it is (not
 * in '...'). Nothing else has a meaning: no variables, no globs, no pipes. TV_ECONFIG: a quote is
 * not closed, too long, or no word at all. The structure must not be moved afterwards. */
enum tv_status tv_words_split(const char *command, struct tv_words *ret, struct tv_error *reterr);

#endif
