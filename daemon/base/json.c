/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"
#include "base/memory.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct tv_json *json, const char *bytes, size_t len)
{
    if (json->len + len + 1 > json->cap) {
        json->cap = (json->len + len + 1) * 2;
        json->data = tv_xrealloc(json->data, json->cap, 1);
    }
    memcpy(json->data + json->len, bytes, len);
    json->len += len;
    json->data[json->len] = '\0';
}

static void put_escaped(struct tv_json *json, struct tv_span value)
{
    char *safe = tv_xmalloc(value.len * 3 + 1); /* U+FFFD takes 3 bytes for one */
    tv_escape(value, safe, value.len * 3 + 1);
    for (const char *p = safe; *p; p++) {
        if (*p == '"' || *p == '\\')
            put(json, "\\", 1);
        put(json, p, 1);
    }
    free(safe);
}

static void put_quoted(struct tv_json *json, struct tv_span value)
{
    put(json, "\"", 1);
    put_escaped(json, value);
    put(json, "\"", 1);
}

static void start(struct tv_json *json, const char *key)
{
    if (json->comma)
        put(json, ",", 1);
    json->comma = true;
    if (!key)
        return;
    put_quoted(json, tv_span_of(key));
    put(json, ":", 1);
}

void tv_json_open(struct tv_json *json, const char *key, char bracket)
{
    start(json, key);
    put(json, &bracket, 1);
    json->comma = false;
}

void tv_json_close(struct tv_json *json, char bracket)
{
    put(json, &bracket, 1);
    json->comma = true;
}

void tv_json_span(struct tv_json *json, const char *key, struct tv_span value)
{
    start(json, key);
    put_quoted(json, value);
}

void tv_json_lines(struct tv_json *json, const char *key, const char *value)
{
    start(json, key);
    put(json, "\"", 1);
    for (;;) {
        size_t len = strcspn(value, "\n");
        put_escaped(json, (struct tv_span){value, len});
        if (!value[len])
            break;
        put(json, "\\n", 2);
        value += len + 1;
    }
    put(json, "\"", 1);
}

void tv_json_text(struct tv_json *json, const char *key, const char *value)
{
    if (value) {
        tv_json_span(json, key, tv_span_of(value));
        return;
    }
    start(json, key);
    put(json, "null", 4);
}

void tv_json_double(struct tv_json *json, const char *key, double value)
{
    char number[TV_NUMBER_MAX];
    size_t len = tv_format_double(number, value);
    if (!isfinite(value)) {
        tv_json_span(json, key, (struct tv_span){number, len});
        return;
    }
    start(json, key);
    put(json, number, len);
}

void tv_json_int(struct tv_json *json, const char *key, int64_t value)
{
    char number[TV_NUMBER_MAX];
    int len = snprintf(number, sizeof number, "%lld", (long long)value);
    start(json, key);
    put(json, number, (size_t)len);
}

void tv_json_bool(struct tv_json *json, const char *key, bool value)
{
    start(json, key);
    put(json, value ? "true" : "false", value ? 4 : 5);
}

void tv_json_free(struct tv_json *json)
{
    free(json->data);
    *json = (struct tv_json){0};
}
