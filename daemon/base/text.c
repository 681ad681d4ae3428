/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trainvet/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct tv_text tv_text_in(char *buffer, size_t cap)
{
    buffer[0] = '\0';
    return (struct tv_text){.data = buffer, .cap = cap};
}

/* Drops a UTF-8 sequence that lost its end. */
static void trim_partial(struct tv_text *text)
{
    size_t back = 0;
    while (back < 3 && back < text->len &&
           ((unsigned char)text->data[text->len - 1 - back] & 0xC0) == 0x80)
        back++;
    if (back == text->len)
        return;
    unsigned char lead = (unsigned char)text->data[text->len - 1 - back];
    size_t need = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (need > back)
        text->len -= back + 1;
    text->data[text->len] = '\0';
}

static bool only_joins(const char *format)
{
    for (const char *p = format; (p = strchr(p, '%')); p += 2)
        if (p[1] != 's')
            return false;
    return true;
}

int tv_format(char *buffer, size_t cap, const char *format, va_list args)
{
    if (!only_joins(format))
        return vsnprintf(buffer, cap, format, args);
    size_t len = 0;
    for (const char *p = format; *p;) {
        bool is_given = *p == '%';
        const char *text = is_given ? va_arg(args, const char *) : p;
        text = text ? text : "(null)"; /* as glibc does: no reason to die */
        size_t n = is_given ? strlen(text) : strcspn(p, "%");
        size_t room = len < cap ? cap - len : 0;
        if (room)
            memcpy(buffer + len, text, n < room ? n : room);
        p += is_given ? 2 : n;
        len += n;
    }
    buffer[len < cap ? len : cap - 1] = '\0';
    return (int)len;
}

void tv_text_add(struct tv_text *text, const char *format, ...)
{
    if (text->cut)
        return;
    va_list args;
    va_start(args, format);
    int n = tv_format(text->data + text->len, text->cap - text->len, format, args);
    va_end(args);
    if (n < 0)
        return;
    if ((size_t)n < text->cap - text->len) {
        text->len += (size_t)n;
        return;
    }
    text->len = text->cap - 1;
    text->cut = true;
    trim_partial(text);
}

void tv_text_add_span(struct tv_text *text, struct tv_span span)
{
    if (text->cut)
        return;
    size_t room = text->cap - 1 - text->len;
    size_t n = span.len < room ? span.len : room;
    if (n)
        memcpy(text->data + text->len, span.data, n);
    text->len += n;
    text->data[text->len] = '\0';
    if (n < span.len) {
        text->cut = true;
        trim_partial(text);
    }
}

/* Length of the valid UTF-8 sequence at p (RFC 3629), 0 when there is none; its code point in *ret.
 */
static size_t utf8_length(const unsigned char *p, size_t len, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : p[0] >= 0xC0 ? 2 : 0;
    if (n == 0 || n > len || p[0] > 0xF4)
        return 0;
    uint32_t code = n == 1 ? p[0] : p[0] & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3Fu);
    }
    if (code < least[n] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *ret = code;
    return n;
}

static bool is_harmful(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0x200E || code == 0x200F ||
           code == 0x2028 || code == 0x2029;
}

/* Bytes at the start that are shown as they are: printable ASCII, eight at a time. */
static size_t plain_length(const unsigned char *p, size_t len)
{
    static const uint64_t ones = 0x0101010101010101, highs = ones << 7;
    size_t i = 0;
    for (uint64_t eight; i + 8 <= len; i += 8) {
        memcpy(&eight, p + i, 8);
        if ((eight | (eight + ones) | ~((eight | highs) - (ones << 5))) & highs)
            break;
    }
    while (i < len && p[i] >= 0x20 && p[i] < 0x7F)
        i++;
    return i;
}

const char *tv_escape(struct tv_span from, char *buffer, size_t cap)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    const unsigned char *p = (const unsigned char *)from.data;
    size_t room = cap > 4 ? cap - 4 : 0;
    size_t len = plain_length(p, from.len < room ? from.len : room), i = len;
    size_t dots_at = len; /* last place where "..." still fits */
    if (len)
        memcpy(buffer, p, len);
    while (i < from.len) {
        uint32_t code = 0;
        size_t n = utf8_length(p + i, from.len - i, &code);
        bool bad = n == 0 || is_harmful(code);
        size_t out = bad ? 3 : n;
        if (len + out + 1 > cap) {
            if (cap > 3) {
                memcpy(buffer + dots_at, "...", 3);
                len = dots_at + 3;
            }
            break;
        }
        memcpy(buffer + len, bad ? (const void *)replacement : (const void *)(p + i), out);
        len += out;
        i += n ? n : 1;
        if (len + 4 <= cap)
            dots_at = len;
    }
    buffer[len] = '\0';
    return buffer;
}

struct tv_span tv_span_of(const char *text)
{
    return (struct tv_span){text, strlen(text)};
}

bool tv_span_is(struct tv_span span, const char *text)
{
    size_t len = strlen(text);
    return span.len == len && memcmp(span.data, text, len) == 0;
}

bool tv_span_starts(struct tv_span span, const char *prefix)
{
    size_t len = strlen(prefix);
    return span.len >= len && memcmp(span.data, prefix, len) == 0;
}

bool tv_span_holds(struct tv_span span, const char *part)
{
    return span.len && memmem(span.data, span.len, part, strlen(part));
}

bool tv_span_ends(struct tv_span span, const char *suffix)
{
    size_t len = strlen(suffix);
    return span.len >= len && memcmp(span.data + span.len - len, suffix, len) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct tv_span tv_span_trim(struct tv_span span)
{
    while (span.len && is_blank(span.data[0])) {
        span.data++;
        span.len--;
    }
    while (span.len && is_blank(span.data[span.len - 1]))
        span.len--;
    return span;
}

bool tv_span_copy(struct tv_span span, char *buffer, size_t cap)
{
    buffer[0] = '\0';
    if (span.len >= cap || (span.len && memchr(span.data, 0, span.len)))
        return false;
    if (span.len)
        memcpy(buffer, span.data, span.len);
    buffer[span.len] = '\0';
    return true;
}
