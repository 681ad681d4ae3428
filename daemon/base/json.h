/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_JSON_H
#define BASE_JSON_H
/* Writes one JSON value into growing memory. Non-finite numbers become the strings "NaN",
 * "Infinity", "-Infinity"; text is escaped so that the result is valid JSON and free of control
 * characters whatever the bytes were. */
#include "trainvet/sample.h"

struct tv_json {
    char *data; /* NUL-terminated; owned, free with tv_json_free */
    size_t len, cap;
    bool comma; /* the next value needs one */
};

/* `key` is NULL inside an array and at the top. */
void tv_json_open(struct tv_json *json, const char *key, char bracket);      /* '{' or '[' */
void tv_json_close(struct tv_json *json, char bracket);                      /* '}' or ']' */
void tv_json_text(struct tv_json *json, const char *key, const char *value); /* NULL value: null */
/* The same with its line feeds kept, as \n. */
void tv_json_lines(struct tv_json *json, const char *key, const char *value);
void tv_json_span(struct tv_json *json, const char *key, struct tv_span value);
void tv_json_double(struct tv_json *json, const char *key, double value);
void tv_json_int(struct tv_json *json, const char *key, int64_t value);
void tv_json_bool(struct tv_json *json, const char *key, bool value);
void tv_json_free(struct tv_json *json);

#endif
