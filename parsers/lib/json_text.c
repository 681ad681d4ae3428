/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a JSON value says: numbers in quotes, escapes. */
#include "lib/json_scan.h"
#include "trainvet/number.h"
#include <math.h>
#include <string.h>

bool tv_json_number(const struct tv_json_value *value, double *ret)
{
    if (value->type == TV_JSON_NUMBER) {
        *ret = value->number;
        return true;
    }
    return value->type == TV_JSON_STRING && tv_parse_double(value->text, ret);
}

bool tv_json_integer(const struct tv_json_value *value, int64_t *ret)
{
    double number;
    if (!tv_json_number(value, &number) || !(fabs(number) <= 0x1p53) || number != floor(number))
        return false;
    *ret = (int64_t)number;
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The four digits of \uXXXX at p; -1 when there are not four. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t code = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        code = code << 4 | digit;
    }
    return code;
}

static size_t put_utf8(char out[4], int32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* The escape whose letter is at *p; *p goes behind it. */
static size_t unescape_one(const char **p, const char *end, char out[4])
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    char letter = *(*p)++;
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (letter != 'u') {
        out[0] = found ? meanings[found - letters] : letter;
        return 1;
    }
    int32_t code = hex4(*p, end);
    if (code < 0)
        return put_utf8(out, 0xFFFD);
    *p += 4;
    if (code >= 0xD800 && code < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        int32_t low = hex4(*p + 2, end);
        if (low >= 0xDC00 && low < 0xE000) {
            *p += 6;
            return put_utf8(out, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
        }
    }
    return put_utf8(out, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
}

size_t tv_json_unescape(struct tv_span text, char *buffer, size_t cap)
{
    const char *p = text.data, *end = p + text.len;
    size_t len = 0;
    while (p < end) {
        char out[4] = {*p};
        size_t n = 1;
        if (*p++ == '\\' && p < end)
            n = unescape_one(&p, end, out);
        if (len + n > cap)
            break;
        memcpy(buffer + len, out, n);
        len += n;
    }
    return len;
}
