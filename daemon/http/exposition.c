/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/exposition.h"
#include "base/memory.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void tv_put_bytes(struct tv_exposition *text, const char *bytes, size_t len)
{
    if (text->len + len + 1 > text->cap) {
        text->cap = (text->len + len + 1) * 2;
        text->data = tv_xrealloc(text->data, text->cap, 1);
    }
    memcpy(text->data + text->len, bytes, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void tv_put(struct tv_exposition *text, const char *bytes)
{
    tv_put_bytes(text, bytes, strlen(bytes));
}

/* A label value: backslash, quote and line end escaped; everything else that is odd was replaced by
 * tv_escape. */
void tv_put_label(struct tv_exposition *text, const char *name, const char *value)
{
    char safe[512];
    tv_escape(tv_span_of(value ? value : ""), safe, sizeof safe);
    tv_put(text, name);
    tv_put(text, "=\"");
    for (const char *p = safe; *p;) {
        size_t plain = strcspn(p, "\\\"");
        tv_put_bytes(text, p, plain);
        p += plain;
        if (!*p)
            break;
        tv_put(text, "\\");
        tv_put_bytes(text, p++, 1);
    }
    tv_put(text, "\"");
}

void tv_put_value(struct tv_exposition *text, double value)
{
    char number[TV_NUMBER_MAX];
    tv_put(text, " ");
    if (isinf(value)) {
        tv_put(text, value < 0 ? "-Inf" : "+Inf");
    } else if (isnan(value)) {
        tv_put(text, "NaN");
    } else {
        tv_format_double(number, value);
        tv_put(text, number);
    }
    tv_put(text, "\n");
}

void tv_put_family(struct tv_exposition *text, const char *name, const char *type, const char *help)
{
    const char *const parts[] = {"# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        tv_put(text, parts[i]);
}

void tv_put_single(struct tv_exposition *text, const char *name, const char *type, const char *help,
                   double value)
{
    tv_put_family(text, name, type, help);
    tv_put(text, name);
    tv_put_value(text, value);
}

void tv_exposition_free(struct tv_exposition *text)
{
    free(text->data);
    *text = (struct tv_exposition){0};
}
