/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/wrap.h"
#include <stdbool.h>
#include <string.h>

size_t tv_columns(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

void tv_wrap(FILE *out, size_t width, size_t at, size_t indent, const char *text)
{
    static const char blanks[] = " \n";
    bool first = true;
    for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
        size_t len = strcspn(text, blanks);
        size_t wide = tv_columns(text, len);
        if (!first && at + 1 + wide > width) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
            first = true;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", (int)len, text);
        at += wide + !first;
        first = false;
        text += len;
    }
    putc('\n', out);
}
