/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/wrap.h"
#include <stdbool.h>

size_t tv_columns(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n';
}

static const char *word_from(const char *text)
{
    while (is_blank(*text))
        text++;
    return text;
}

void tv_wrap(FILE *out, size_t width, size_t at, size_t indent, const char *text)
{
    bool first = true;
    for (text = word_from(text); *text; text = word_from(text)) {
        size_t len = 1;
        while (text[len] && !is_blank(text[len]))
            len++;
        size_t wide = tv_columns(text, len);
        if (!first && at + 1 + wide > width) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
            first = true;
        }
        if (!first)
            putc(' ', out);
        fwrite(text, 1, len, out);
        at += wide + !first;
        first = false;
        text += len;
    }
    putc('\n', out);
}
