/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_JSON_SCAN_H
#define PARSERS_LIB_JSON_SCAN_H
/* JSON (RFC 8259) read in place, without a tree and without recursion, made for logs: the same flat
 * object again and again. Also taken, since Python's json module and print() write them: NaN,
 * Infinity, -Infinity, nan, inf. Nothing is allocated; spans point into the text.
 *
 * Every reader returns TV_OK, TV_AGAIN when the text ends too early, TV_ECORRUPT when it is not
 * JSON or TV_ELIMIT when it is nested deeper than TV_JSON_DEPTH_MAX; json->at then stands where the
 * trouble is and json->why says what it is. */
#include "trainvet/error.h"
#include "trainvet/sample.h"

#define TV_JSON_DEPTH_MAX 512

struct tv_json {
    const char *at, *end;
    const char *why; /* static; set by a failure */
};

enum tv_json_type {
    TV_JSON_NULL,
    TV_JSON_FALSE,
    TV_JSON_TRUE,
    TV_JSON_NUMBER,
    TV_JSON_STRING,
    TV_JSON_OBJECT,
    TV_JSON_ARRAY
};

struct tv_json_value {
    struct tv_span text; /* as written; a string without its quotes, escapes not resolved */
    double number;       /* of a TV_JSON_NUMBER, as strtod reads it */
    enum tv_json_type type;
};

void tv_json_skip_blank(struct tv_json *json);
/* Any value; objects and arrays are passed over, brackets and strings checked, numbers not. */
enum tv_status tv_json_read(struct tv_json *json, struct tv_json_value *ret);
/* Goes into an object or array: takes `bracket` ('{' or '['). */
enum tv_status tv_json_enter(struct tv_json *json, char bracket);
/* The next member of the object or array that was entered: *ret_more false at its end, which is
 * taken. `first` is true on the first call. For an object the key is read (as a string's text) and
 * the value comes next; `ret_key` is NULL for an array. */
enum tv_status tv_json_next(struct tv_json *json, bool first, struct tv_span *ret_key,
                            bool *ret_more);

/* A number or a string that holds one ("2.341", transformers 5 and LLaMA Factory's throughput). */
bool tv_json_number(const struct tv_json_value *value, double *ret);
/* The same as an integer that a double holds exactly. */
bool tv_json_integer(const struct tv_json_value *value, int64_t *ret);
/* A string's text with escapes resolved (a lone surrogate becomes U+FFFD); cut at `cap` bytes.
 * Returns the length; nothing is NUL-terminated. */
size_t tv_json_unescape(struct tv_span text, char *buffer, size_t cap);

/* Keys seen before. The key that followed last time is tried first, so that a line like the one
 * before it costs one comparison a key. `role` and `tag` belong to the parser (zero at first). */
#define TV_JSON_KEYS    64 /* more keys are read, but not remembered */
#define TV_JSON_KEY_MAX 54 /* bytes with both quotes; longer keys are not remembered */

struct tv_json_key {
    struct tv_tag *tag;
    uint8_t role;
    uint8_t len; /* of text */
    uint8_t next;
    char text[TV_JSON_KEY_MAX]; /* with both quotes */
};

struct tv_json_keys {
    uint8_t len;
    uint8_t first; /* slot that began the last object */
    struct tv_json_key slot[TV_JSON_KEYS];
};

struct tv_json_field {
    struct tv_span key;       /* escapes not resolved */
    struct tv_json_key *slot; /* NULL when the key is not remembered */
    struct tv_json_value value;
};

/* The receiver's tag of that name, remembered in the slot; NULL when the receiver has too many. */
struct tv_tag *tv_json_tag(const struct tv_json_field *field, const struct tv_emit *out);

/* A whole object into `fields`; members beyond `cap` are read and dropped (*ret_len > cap tells).
 */
enum tv_status tv_json_object(struct tv_json *json, struct tv_json_keys *keys,
                              struct tv_json_field *fields, size_t cap, size_t *ret_len);

#endif
