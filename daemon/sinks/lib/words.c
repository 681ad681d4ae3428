/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/words.h"
#include <string.h>

static const char blanks[] = " \t\r\n";

/* One word from *from, which moves behind it; NULL when a quote is not closed. */
static char *take_word(const char **from, char *to)
{
    char quote = 0;
    const char *p = *from;
    for (; *p && (quote || !strchr(blanks, *p)); p++) {
        if (*p == quote)
            quote = 0;
        else if (!quote && (*p == '"' || *p == '\''))
            quote = *p;
        else if (*p == '\\' && quote != '\'' && p[1])
            *to++ = *++p;
        else
            *to++ = *p;
    }
    *to++ = '\0';
    *from = p;
    return quote ? NULL : to;
}

enum tv_status tv_words_split(const char *command, struct tv_words *ret, struct tv_error *reterr)
{
    char *to = ret->text;
    ret->len = 0;
    if (strlen(command) >= sizeof ret->text / 2) /* each word takes a NUL more */
        return tv_fail(reterr, TV_ECONFIG, "the command is too long");
    for (command += strspn(command, blanks); *command; command += strspn(command, blanks)) {
        if (ret->len == TV_WORDS_MAX - 1)
            return tv_fail(reterr, TV_ECONFIG, "the command has more than %d words",
                           TV_WORDS_MAX - 1);
        ret->list[ret->len++] = to;
        to = take_word(&command, to);
        if (!to)
            return tv_fail(reterr, TV_ECONFIG, "a quote in the command is not closed");
    }
    ret->list[ret->len] = NULL;
    return ret->len && *ret->list[0] ? TV_OK
                                     : tv_fail(reterr, TV_ECONFIG, "the command is missing");
}
