/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/json_config.h"
#include "lib/key_set.h"
#include "trainvet/text.h"
#include <json-c/json.h>
#include <string.h>

enum { DEEPEST = TV_CONFIG_DEPTH_MAX + 1 };
enum { VALUES_MAX = 50000 }; /* what json-c builds of them stays below 50 MiB */

/* Walks the keys in the text, since json-c knows no lines and forgets a key's first value. */
struct key_cursor {
    const char *at, *end;
    uint32_t line;
    int depth;
    uint32_t opened;              /* objects and arrays so far */
    uint32_t inside[DEEPEST + 1]; /* the one at each depth */
};

static struct tv_span take_string(struct key_cursor *cursor)
{
    char quote = *cursor->at++;
    struct tv_span text = {cursor->at, 0};
    while (cursor->at < cursor->end && *cursor->at != quote) {
        if (*cursor->at == '\\' && cursor->at + 1 < cursor->end)
            cursor->at++;
        cursor->line += *cursor->at == '\n';
        cursor->at++;
    }
    text.len = (size_t)(cursor->at - text.data);
    cursor->at += cursor->at < cursor->end;
    return text;
}

/* The next key, no deeper than `depth` objects and arrays, and its line; false at the end. */
static bool next_key(struct key_cursor *cursor, int depth, struct tv_span *ret, uint32_t *ret_line)
{
    while (cursor->at < cursor->end) {
        char c = *cursor->at;
        if (c == '"' || c == '\'') {
            uint32_t line = cursor->line;
            struct tv_span text = take_string(cursor);
            const char *p = cursor->at;
            while (p < cursor->end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
                p++;
            if (cursor->depth <= depth && p < cursor->end && *p == ':') {
                *ret = text;
                *ret_line = line;
                return true;
            }
            continue;
        }
        cursor->line += c == '\n';
        cursor->depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if ((c == '{' || c == '[') && cursor->depth >= 0 && cursor->depth <= DEEPEST)
            cursor->inside[cursor->depth] = ++cursor->opened;
        cursor->at++;
    }
    return false;
}

void tv_json_keys(struct tv_span json, void (*tell)(void *ctx, struct tv_span key, uint32_t line),
                  void *ctx)
{
    struct key_cursor cursor = {.at = json.data, .end = json.data + json.len, .line = 1};
    struct tv_span key;
    for (uint32_t line; next_key(&cursor, 1, &key, &line);)
        tell(ctx, key, line);
}

/* Members come in the order of the text, so the cursor only ever moves on; a key that is written
 * with escapes has no line. */
static uint32_t line_of(struct key_cursor *cursor, const char *key)
{
    struct tv_span found;
    uint32_t line = 0;
    while (next_key(cursor, 1, &found, &line))
        if (tv_span_is(found, key))
            return line;
    return 0;
}

/* Python's json takes the last value, as json-c does. */
static void tell_twins(const struct tv_config *config, struct tv_span json)
{
    struct key_cursor cursor = {.at = json.data, .end = json.data + json.len, .line = 1};
    struct tv_key_set seen = {.len = 0};
    struct tv_span key;
    for (uint32_t line; next_key(&cursor, DEEPEST, &key, &line);) {
        struct tv_span id = {(const char *)&cursor.inside[cursor.depth > 0 ? cursor.depth : 0],
                             sizeof cursor.inside[0]};
        if (tv_key_set_has(&seen, tv_key_hash(tv_key_hash(TV_KEY_HASH, id), key), true))
            tv_config_note(config, line, "%.*s is written twice; the last value is used",
                           (int)key.len, key.data);
    }
}

static void flatten(struct tv_config *config, struct json_object *value, uint32_t line);

static void flatten_array(struct tv_config *config, struct json_object *array, uint32_t line)
{
    size_t len = json_object_array_length(array);
    for (size_t i = 0; i < len; i++) {
        size_t mark = tv_config_enter_index(config, i);
        flatten(config, json_object_array_get_idx(array, i), line);
        tv_config_leave(config, mark);
    }
}

static void flatten_object(struct tv_config *config, struct json_object *object, uint32_t line,
                           struct key_cursor *cursor)
{
    struct json_object_iterator it = json_object_iter_begin(object);
    struct json_object_iterator end = json_object_iter_end(object);
    for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
        const char *name = json_object_iter_peek_name(&it);
        size_t mark = tv_config_enter(config, tv_span_of(name));
        flatten(config, json_object_iter_peek_value(&it), cursor ? line_of(cursor, name) : line);
        tv_config_leave(config, mark);
    }
}

/* Recursion is bounded by the depth that the tokener accepts. */
static void flatten(struct tv_config *config, struct json_object *value, uint32_t line)
{
    switch (json_object_get_type(value)) {
    case json_type_object:
        flatten_object(config, value, line, NULL);
        break;
    case json_type_array:
        flatten_array(config, value, line);
        break;
    case json_type_null:
        tv_config_value(config, (struct tv_span){"", 0}, TV_CONFIG_NULL, line);
        break;
    case json_type_string: {
        size_t len = (size_t)json_object_get_string_len(value);
        tv_config_value(config, (struct tv_span){json_object_get_string(value), len},
                        TV_CONFIG_TEXT, line);
        break;
    }
    default: /* json-c keeps a number's own digits */
        tv_config_value(config, tv_span_of(json_object_get_string(value)), TV_CONFIG_NUMBER, line);
    }
}

static uint32_t line_at(struct tv_span text, size_t offset)
{
    uint32_t line = 1;
    for (size_t i = 0; i < offset && i < text.len; i++)
        line += text.data[i] == '\n';
    return line;
}

/* Every value but the first needs one of these characters, so json-c never builds more than this
 * many. */
static size_t values_at_most(struct tv_span json)
{
    size_t count = 1;
    for (size_t i = 0; i < json.len; i++)
        count += json.data[i] == '{' || json.data[i] == '[' || json.data[i] == ',';
    return count;
}

static enum tv_status fail_at(struct tv_span json, size_t offset, enum json_tokener_error why,
                              struct tv_error *reterr)
{
    enum tv_status status;
    if (why == json_tokener_continue)
        status = tv_fail(reterr, TV_ECORRUPT, "the text ends in the middle of the JSON object");
    else if (why == json_tokener_error_depth)
        status = tv_fail(reterr, TV_ELIMIT, "the JSON is nested deeper than %d levels",
                         TV_CONFIG_DEPTH_MAX);
    else
        status = tv_fail(reterr, TV_ECORRUPT, "not valid JSON: %s", json_tokener_error_desc(why));
    if (reterr) {
        reterr->offset = offset;
        reterr->line = line_at(json, offset);
    }
    return status;
}

struct refusal {
    enum json_tokener_error error;
    size_t offset;
};

static struct json_object *tokenize(struct tv_span json, int flags, struct refusal *ret)
{
    struct json_tokener *tokener = json_tokener_new_ex(TV_CONFIG_DEPTH_MAX + 1);
    *ret = (struct refusal){json_tokener_error_size, 0};
    if (!tokener)
        return NULL;
    json_tokener_set_flags(tokener, flags);
    struct json_object *object = json_tokener_parse_ex(tokener, json.data, (int)json.len);
    *ret = (struct refusal){json_tokener_get_error(tokener), json_tokener_get_parse_end(tokener)};
    json_tokener_free(tokener);
    return object;
}

/* What json-c takes and Python's json does not: a comma before a bracket, comments, single quotes,
 * True, anything behind the end. `line`: as in tv_json_flatten(). */
static void note_lenience(const struct tv_config *config, struct tv_span json, uint32_t line,
                          const struct refusal *why)
{
    tv_config_note(config, line ? line : line_at(json, why->offset),
                   "Python's json refuses this (%s); it is read all the same",
                   json_tokener_error_desc(why->error));
}

/* The first byte inside a string that must stand there as an escape; NULL when there is none. */
static const char *control_in_string(struct tv_span json)
{
    bool inside = false;
    for (const char *at = json.data, *end = at + json.len; at < end; at++) {
        if (inside && (unsigned char)*at < ' ')
            return at;
        if (inside && *at == '\\' && at + 1 < end && (unsigned char)at[1] >= ' ')
            at++;
        else
            inside ^= *at == '"';
    }
    return NULL;
}

/* What json-c takes even where it is strict. */
static void note_bytes(const struct tv_config *config, struct tv_span whole, struct tv_span json)
{
    const char *control = control_in_string(json);
    if (whole.len != json.len)
        tv_config_note(
            config, 1,
            "a byte order mark, where Python's json expects a value, and refuses it; the "
            "file is read all the same");
    if (control)
        tv_config_note(config, line_at(json, (size_t)(control - json.data)),
                       "byte 0x%02x inside a string, where Python's json expects an escape, and "
                       "refuses it; the file is read all the same",
                       (unsigned)(unsigned char)*control);
}

static enum tv_status parse(const struct tv_config *config, struct tv_span json, uint32_t line,
                            struct json_object **ret, struct tv_error *reterr)
{
    if (json.len > TV_CONFIG_BYTES_MAX)
        return tv_fail(reterr, TV_ELIMIT, "a JSON configuration over %u MiB is not read",
                       TV_CONFIG_BYTES_MAX >> 20);
    if (values_at_most(json) > VALUES_MAX)
        return tv_fail(reterr, TV_ELIMIT, "the JSON has too many values for a configuration");
    struct tv_span text = tv_span_trim(json);
    if (text.len == 0)
        return tv_fail(reterr, TV_ECORRUPT, "empty, where a JSON object was expected");
    if (text.data[0] != '{')
        return tv_fail(reterr, TV_EUNSUPPORTED, "not a JSON object");
    struct refusal strict, why = {json_tokener_success, 0};
    struct json_object *object = tokenize(json, JSON_TOKENER_STRICT, &strict);
    if (strict.error != json_tokener_success)
        object = tokenize(json, 0, &why);
    if (why.error != json_tokener_success)
        return fail_at(json, why.offset, why.error, reterr);
    if (strict.error != json_tokener_success)
        note_lenience(config, json, line, &strict);
    if (!json_object_is_type(object, json_type_object)) { /* json-c's view of comments and NULs */
        json_object_put(object);
        return tv_fail(reterr, TV_ECORRUPT, "not a JSON object");
    }
    *ret = object;
    return TV_OK;
}

enum tv_status tv_json_flatten(struct tv_config *config, struct tv_span json, uint32_t line,
                               struct tv_error *reterr)
{
    struct json_object *object = NULL;
    struct tv_span whole = json;
    json = tv_config_without_bom(json);
    enum tv_status status = parse(config, json, line, &object, reterr);
    if (status != TV_OK)
        return status;
    struct key_cursor cursor = {.at = json.data, .end = json.data + json.len, .line = 1};
    if (!line) {
        tv_config_check_text(config, json);
        note_bytes(config, whole, json);
        tell_twins(config, json);
    }
    flatten_object(config, object, line, line ? NULL : &cursor);
    json_object_put(object);
    return TV_OK;
}

static enum tv_status read_whole(struct tv_config *config, struct tv_span json,
                                 struct tv_error *reterr)
{
    enum tv_status status = tv_json_flatten(config, json, 0, reterr);
    if (status == TV_OK)
        tv_config_end(config);
    return status;
}

enum tv_status tv_json_config(struct tv_span json, const char *key_prefix,
                              enum tv_fact_source source, const struct tv_emit *out,
                              struct tv_error *reterr)
{
    struct tv_config config = tv_config_begin(out, source, key_prefix);
    return read_whole(&config, json, reterr);
}

struct tv_feed tv_json_feed(enum tv_fact_source source, struct tv_span in,
                            const struct tv_emit *out, struct tv_error *reterr)
{
    struct tv_config config = tv_config_begin(out, source, "");
    enum tv_status status = read_whole(&config, in, reterr);
    return tv_config_feed(&config, status, in);
}
