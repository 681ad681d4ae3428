/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/json_skip.h"
#include "trainvet/number.h"
#include <math.h>
#include <string.h>

#define SPACES         UINT64_C(0x2020202020202020)
#define NAME_MAX_BYTES 2048 /* of a key with escapes resolved; no receiver takes so long a tag */

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Spaces are passed eight at a time: json.dumps(indent=2) puts six before each value. */
static inline const char *after_blank(const char *p, const char *end)
{
    while (p < end && is_blank(*p)) {
        p++;
        uint64_t word = SPACES;
        while (end - p >= 8 && (memcpy(&word, p, 8), word == SPACES))
            p += 8;
        if (word != SPACES && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
            p += __builtin_ctzll(word ^ SPACES) / 8;
    }
    return p;
}

void tv_json_skip_blank(struct tv_json *json)
{
    json->at = after_blank(json->at, json->end);
}

static inline bool ends_value(const char *p, const char *end)
{
    return p == end || *p == ',' || *p == '}' || *p == ']' || is_blank(*p);
}

static enum tv_status read_word(struct tv_json *json, struct tv_json_value *ret)
{
    static const struct {
        char text[9];
        uint8_t len;
        enum tv_json_type type;
        double number;
    } words[] = {
        {"null", 4, TV_JSON_NULL, 0},
        {"true", 4, TV_JSON_TRUE, 0},
        {"false", 5, TV_JSON_FALSE, 0},
        {"NaN", 3, TV_JSON_NUMBER, NAN},
        {"Infinity", 8, TV_JSON_NUMBER, INFINITY},
        {"nan", 3, TV_JSON_NUMBER, NAN},
        {"inf", 3, TV_JSON_NUMBER, INFINITY},
    };
    size_t left = (size_t)(json->end - json->at);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = words[i].len < left ? words[i].len : left;
        if (memcmp(json->at, words[i].text, n) != 0)
            continue;
        if (n < words[i].len)
            return tv_json_ends_early(json);
        if (!ends_value(json->at + n, json->end))
            continue;
        *ret = (struct tv_json_value){{json->at, n}, words[i].number, words[i].type};
        json->at += n;
        return TV_OK;
    }
    return tv_json_fail(json, json->at, TV_ECORRUPT, "a value was expected");
}

static enum tv_status read_number(struct tv_json *json, struct tv_json_value *ret)
{
    const char *p = json->at;
    size_t n = tv_scan_double((struct tv_span){p, (size_t)(json->end - p)}, &ret->number);
    if (p + n == json->end)
        return tv_json_ends_early(json); /* more digits may follow */
    if (n == 0 || !ends_value(p + n, json->end))
        return tv_json_fail(json, p + n, TV_ECORRUPT,
                            "a number has a form that JSON does not know");
    ret->type = TV_JSON_NUMBER;
    ret->text = (struct tv_span){p, n};
    json->at = p + n;
    return TV_OK;
}

/* At a value, blanks before it taken. */
static inline enum tv_status read_value(struct tv_json *json, struct tv_json_value *ret)
{
    const char *p = json->at, *behind = p;
    enum tv_status status;
    if (p == json->end)
        return tv_json_ends_early(json);
    if ((*p >= '0' && *p <= '9') || *p == '-')
        return read_number(json, ret);
    if (*p == '"') {
        status = tv_json_string_end(json, p + 1, &behind);
        ret->type = TV_JSON_STRING;
        ret->text = (struct tv_span){p + 1, (size_t)(behind - p) - 2};
    } else if (*p == '{' || *p == '[') {
        status = tv_json_skip_nested(json, p, &behind);
        ret->type = *p == '{' ? TV_JSON_OBJECT : TV_JSON_ARRAY;
        ret->text = (struct tv_span){p, (size_t)(behind - p)};
    } else {
        return read_word(json, ret);
    }
    if (status == TV_OK)
        json->at = behind;
    return status;
}

enum tv_status tv_json_read(struct tv_json *json, struct tv_json_value *ret)
{
    tv_json_skip_blank(json);
    return read_value(json, ret);
}

enum tv_status tv_json_enter(struct tv_json *json, char bracket)
{
    tv_json_skip_blank(json);
    if (json->at == json->end)
        return tv_json_ends_early(json);
    if (*json->at != bracket)
        return tv_json_fail(json, json->at, TV_ECORRUPT,
                            bracket == '{' ? "a JSON object was expected"
                                           : "a JSON array was expected");
    json->at++;
    return TV_OK;
}

static enum tv_status read_key(struct tv_json *json, struct tv_span *ret)
{
    const char *p = json->at, *behind = p;
    if (*p != '"')
        return tv_json_fail(json, p, TV_ECORRUPT, "a key in quotes was expected");
    enum tv_status status = tv_json_string_end(json, p + 1, &behind);
    if (status != TV_OK)
        return status;
    *ret = (struct tv_span){p + 1, (size_t)(behind - p) - 2};
    json->at = behind;
    return TV_OK;
}

static enum tv_status read_colon(struct tv_json *json)
{
    tv_json_skip_blank(json);
    if (json->at == json->end)
        return tv_json_ends_early(json);
    if (*json->at != ':')
        return tv_json_fail(json, json->at, TV_ECORRUPT, "a colon was expected behind a key");
    json->at = after_blank(json->at + 1, json->end);
    return TV_OK;
}

enum tv_status tv_json_next(struct tv_json *json, bool first, struct tv_span *ret_key,
                            bool *ret_more)
{
    char closing = ret_key ? '}' : ']';
    *ret_more = false;
    tv_json_skip_blank(json);
    if (json->at == json->end)
        return tv_json_ends_early(json);
    if (*json->at == closing) {
        json->at++;
        return TV_OK;
    }
    if (!first) {
        if (*json->at != ',')
            return tv_json_fail(json, json->at, TV_ECORRUPT,
                                "a comma or the closing bracket was expected");
        json->at = after_blank(json->at + 1, json->end);
        if (json->at == json->end)
            return tv_json_ends_early(json);
    }
    *ret_more = true;
    if (!ret_key)
        return TV_OK;
    enum tv_status status = read_key(json, ret_key);
    return status == TV_OK ? read_colon(json) : status;
}

struct tv_tag *tv_json_tag(const struct tv_json_field *field, const struct tv_emit *out)
{
    char name[NAME_MAX_BYTES];
    struct tv_span key = field->key;
    if (field->slot && field->slot->tag)
        return field->slot->tag;
    if (memchr(key.data, '\\', key.len))
        key = (struct tv_span){name, tv_json_unescape(key, name, sizeof name)};
    struct tv_tag *tag = out->tag(out->ctx, key);
    if (field->slot)
        field->slot->tag = tag;
    return tag;
}

static inline bool is_key(const struct tv_json_key *slot, const char *p, size_t left)
{
    return slot->len < left && memcmp(slot->text, p, slot->len) == 0;
}

/* The slot of a key that was not predicted; `text` has its quotes. */
static struct tv_json_key *find_slot(struct tv_json_keys *keys, struct tv_span text)
{
    for (size_t i = 0; i < keys->len; i++)
        if (keys->slot[i].len == text.len && memcmp(keys->slot[i].text, text.data, text.len) == 0)
            return &keys->slot[i];
    if (text.len > TV_JSON_KEY_MAX || keys->len == TV_JSON_KEYS)
        return NULL;
    struct tv_json_key *slot = &keys->slot[keys->len++];
    memset(slot, 0, sizeof *slot);
    slot->len = (uint8_t)text.len;
    memcpy(slot->text, text.data, text.len);
    return slot;
}

/* Key and colon; *link names the slot expected here and learns the one that came. */
static inline enum tv_status object_key(struct tv_json *json, struct tv_json_keys *keys,
                                        uint8_t **link, struct tv_json_field *field)
{
    const char *p = json->at;
    struct tv_json_key *slot = &keys->slot[**link];
    if (is_key(slot, p, (size_t)(json->end - p)) && **link < keys->len) {
        field->key = (struct tv_span){p + 1, slot->len - 2u};
        json->at = p + slot->len;
    } else {
        enum tv_status status = read_key(json, &field->key);
        if (status != TV_OK)
            return status;
        slot = find_slot(keys, (struct tv_span){p, field->key.len + 2});
        if (slot)
            **link = (uint8_t)(slot - keys->slot);
    }
    field->slot = slot;
    if (slot)
        *link = &slot->next;
    if (json->end - json->at > 2 && json->at[0] == ':' && json->at[1] == ' ' &&
        !is_blank(json->at[2])) {
        json->at += 2;
        return TV_OK;
    }
    return read_colon(json);
}

enum tv_status tv_json_object(struct tv_json *json, struct tv_json_keys *keys,
                              struct tv_json_field *fields, size_t cap, size_t *ret_len)
{
    struct tv_json_field spare = {.slot = NULL};
    uint8_t *link = &keys->first;
    size_t len = 0;
    enum tv_status status = tv_json_enter(json, '{');
    if (status == TV_OK) {
        tv_json_skip_blank(json);
        if (json->at < json->end && *json->at == '}') {
            json->at++;
            *ret_len = 0;
            return TV_OK;
        }
    }
    while (status == TV_OK) {
        struct tv_json_field *field = len < cap ? &fields[len] : &spare;
        tv_json_skip_blank(json);
        if (json->at == json->end)
            return tv_json_ends_early(json);
        status = object_key(json, keys, &link, field);
        if (status != TV_OK)
            break;
        status = read_value(json, &field->value);
        if (status != TV_OK)
            break;
        len++;
        tv_json_skip_blank(json);
        if (json->at == json->end)
            return tv_json_ends_early(json);
        char c = *json->at;
        if (c == '}') {
            json->at++;
            *ret_len = len;
            return TV_OK;
        }
        if (c != ',')
            return tv_json_fail(json, json->at, TV_ECORRUPT,
                                "a comma or the closing bracket was expected");
        json->at++;
    }
    return status;
}
