/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/wrap.h"
#include <stdbool.h>

/* Not a further byte of a character in UTF-8. */
static bool is_column(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

size_t tv_columns(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += is_column(text[i]);
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

/* Words that stand one space apart are written in one piece. */
void tv_wrap(FILE *out, size_t width, size_t at, size_t indent, const char *text)
{
    const char *piece = word_from(text), *end = piece;
    for (const char *word = piece; *word; word = word_from(end)) {
        size_t len = 0, wide = 0, gap = end > piece;
        for (; word[len] && !is_blank(word[len]); len++)
            wide += is_column(word[len]);
        bool fits = !gap || at + 1 + wide <= width;
        if (!fits || (gap && (word != end + 1 || *end != ' '))) {
            fwrite(piece, 1, (size_t)(end - piece), out);
            if (fits)
                putc(' ', out);
            else
                fprintf(out, "\n%*s", (int)indent, "");
            piece = word;
        }
        at = fits ? at + gap + wide : indent + wide;
        end = word + len;
    }
    fwrite(piece, 1, (size_t)(end - piece), out);
    putc('\n', out);
}
