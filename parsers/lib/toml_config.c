/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/toml_config.h"
#include "lib/key_set.h"
#include "lib/yaml_types.h"
#include "trainvet/text.h"
#include <string.h>

enum { VALUE_MAX = 4096, DEPTH_MAX = 16, REFUSALS_MAX = 8 };

struct reading {
    struct tv_config *config;
    const char *at, *end;
    uint32_t line;
    size_t nodes;
    int depth, refused;
    struct tv_key_set seen;
    size_t tables;                 /* elements of arrays of tables: their keys come again */
    char array[TV_CONFIG_KEY_MAX]; /* the array that the last one is of */
    size_t array_len;
    char value[VALUE_MAX]; /* a string with its escapes decoded */
};

static bool read_value(struct reading *r);

static char peek(const struct reading *r)
{
    return r->at < r->end ? *r->at : '\0';
}

static void step(struct reading *r)
{
    r->line += *r->at == '\n';
    r->at++;
}

static bool eat(struct reading *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    step(r);
    return true;
}

static void skip_blank(struct reading *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t'))
        r->at++;
}

static void skip_comment(struct reading *r)
{
    if (peek(r) == '#')
        while (r->at < r->end && *r->at != '\n')
            r->at++;
}

/* Blanks, line ends and comments, as they may stand inside an array. */
static void skip_lines(struct reading *r)
{
    for (const char *before = NULL; before != r->at;) {
        before = r->at;
        while (r->at < r->end &&
               (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' || *r->at == '\n'))
            step(r);
        skip_comment(r);
    }
}

static bool starts(const struct reading *r, const char *text)
{
    return tv_span_starts((struct tv_span){r->at, (size_t)(r->end - r->at)}, text);
}

/* The character behind a backslash; 0 when it is not decoded ("\u1234" is left as it stands). */
static char escaped(char c)
{
    static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
    const char *p = c ? strchr(from, c) : NULL;
    return p ? to[p - from] : '\0';
}

/* A string in any of the four quotings, into r->value; what does not fit is cut. */
static bool read_string(struct reading *r, struct tv_span *ret)
{
    char quote = peek(r);
    bool is_long = starts(r, quote == '"' ? "\"\"\"" : "'''");
    size_t len = 0, width = is_long ? 3 : 1;
    const char *close = is_long ? (quote == '"' ? "\"\"\"" : "'''") : (quote == '"' ? "\"" : "'");
    r->at += width;
    while (r->at < r->end && !starts(r, close)) {
        char c = *r->at;
        if (c == '\n' && !is_long)
            return false;
        step(r);
        if (c == '\\' && quote == '"' && r->at < r->end) {
            char plain = escaped(*r->at);
            if (plain) {
                c = plain;
                step(r);
            }
        }
        if (len < VALUE_MAX)
            r->value[len++] = c;
    }
    if (r->at == r->end)
        return false;
    r->at += width;
    *ret = (struct tv_span){r->value, len};
    return true;
}

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* One part of a dotted key. */
static bool read_key_part(struct reading *r, struct tv_span *ret)
{
    if (peek(r) == '"' || peek(r) == '\'')
        return read_string(r, ret);
    const char *from = r->at;
    while (is_bare(peek(r)))
        r->at++;
    *ret = (struct tv_span){from, (size_t)(r->at - from)};
    return ret->len > 0;
}

/* a.b."c" as entered keys; the caller leaves to where it was before. */
static bool enter_key(struct reading *r)
{
    do {
        struct tv_span part;
        skip_blank(r);
        if (!read_key_part(r, &part))
            return false;
        tv_config_enter(r->config, part);
        skip_blank(r);
    } while (eat(r, '.'));
    return true;
}

/* tomllib refuses what is defined twice. */
static void look_for_twin(struct reading *r)
{
    const struct tv_config *config = r->config;
    struct tv_span key = {config->key, config->key_len};
    if (config->key_len > sizeof config->key)
        return;
    bool is_element = r->array_len > 0 && key.len >= r->array_len &&
                      memcmp(key.data, r->array, r->array_len) == 0;
    size_t element = is_element ? r->tables : 0;
    struct tv_span count = {(const char *)&element, sizeof element};
    if (tv_key_set_has(&r->seen, tv_key_hash(tv_key_hash(TV_KEY_HASH, count), key), true))
        tv_config_note(config, r->line,
                       "%.*s is written twice, which readers of TOML refuse; the last value is "
                       "used",
                       (int)key.len, key.data);
}

static bool read_member(struct reading *r)
{
    size_t mark = r->config->key_len;
    bool ok = enter_key(r) && eat(r, '=');
    if (ok) {
        look_for_twin(r);
        skip_blank(r);
        ok = read_value(r);
    }
    tv_config_leave(r->config, mark);
    return ok;
}

static bool read_array(struct reading *r)
{
    for (size_t i = 0;; i++) {
        skip_lines(r);
        if (eat(r, ']'))
            return true;
        size_t mark = tv_config_enter_index(r->config, i);
        bool ok = read_value(r);
        tv_config_leave(r->config, mark);
        skip_lines(r);
        if (!ok || (!eat(r, ',') && peek(r) != ']'))
            return false;
    }
}

static bool read_inline_table(struct reading *r)
{
    for (;;) {
        skip_lines(r);
        if (eat(r, '}'))
            return true;
        if (!read_member(r))
            return false;
        skip_lines(r);
        if (!eat(r, ',') && peek(r) != '}')
            return false;
    }
}

/* Numbers, booleans and dates; dates are text. */
static bool read_bare(struct reading *r)
{
    const char *from = r->at;
    while (is_bare(peek(r)) || peek(r) == '.' || peek(r) == '+' || peek(r) == ':')
        r->at++;
    struct tv_span text = {from, (size_t)(r->at - from)};
    bool is_date = text.len >= 8 && (memchr(text.data, ':', text.len) || text.data[4] == '-');
    char digits[TV_YAML_NUMBER_MAX];
    if (!is_date) /* hexadecimal and binary as in YAML */
        text = tv_yaml_number(text, digits);
    if (text.len)
        tv_config_value(r->config, text, is_date ? TV_CONFIG_TEXT : TV_CONFIG_NUMBER, r->line);
    return text.len > 0;
}

static bool read_value(struct reading *r)
{
    uint32_t line = r->line;
    struct tv_span text;
    if (r->depth == DEPTH_MAX || ++r->nodes > TV_CONFIG_NODES_MAX)
        return false;
    if (peek(r) == '"' || peek(r) == '\'') {
        if (!read_string(r, &text))
            return false;
        tv_config_value(r->config, text, TV_CONFIG_TEXT, line);
        return true;
    }
    r->depth++;
    bool ok = eat(r, '[') ? read_array(r) : eat(r, '{') ? read_inline_table(r) : read_bare(r);
    r->depth--;
    return ok;
}

/* [table] or [[array of tables]]: the key stays entered. */
static bool read_table(struct reading *r)
{
    tv_config_leave(r->config, 0);
    eat(r, '[');
    bool is_array = eat(r, '[');
    bool ok = enter_key(r) && eat(r, ']') && (!is_array || eat(r, ']'));
    const struct tv_config *config = r->config;
    if (ok && is_array && config->key_len <= sizeof r->array) {
        r->tables++;
        r->array_len = config->key_len;
        memcpy(r->array, config->key, r->array_len);
    } else if (ok) {
        look_for_twin(r);
    }
    return ok;
}

static bool read_line(struct reading *r)
{
    skip_blank(r);
    char c = peek(r);
    bool ok = true;
    if (c == '[')
        ok = read_table(r);
    else if (c && c != '#' && c != '\r' && c != '\n')
        ok = read_member(r);
    skip_blank(r);
    skip_comment(r);
    eat(r, '\r');
    return ok && (r->at == r->end || peek(r) == '\n');
}

enum tv_status tv_toml_config(struct tv_config *config, struct tv_span toml,
                              struct tv_error *reterr)
{
    if (toml.len > TV_CONFIG_BYTES_MAX)
        return tv_fail(reterr, TV_ELIMIT, "a TOML configuration over %u MiB is not read",
                       TV_CONFIG_BYTES_MAX >> 20);
    struct tv_span text = tv_config_without_bom(toml);
    struct reading r = {.config = config, .at = text.data, .end = text.data + text.len, .line = 1};
    tv_config_check_text(config, text);
    while (r.at < r.end) {
        const char *from = r.at;
        uint32_t line = r.line;
        r.depth = 0;
        if (!read_line(&r)) {
            if (++r.refused <= REFUSALS_MAX)
                tv_config_refuse(config, line, "not valid TOML; the line is left out");
            r.at = from; /* a bracket that is never closed costs its own line only */
            r.line = line;
        }
        if (r.nodes > TV_CONFIG_NODES_MAX)
            return tv_fail(reterr, TV_ELIMIT, "the TOML has over 10000 values");
        while (r.at < r.end && *r.at != '\n')
            r.at++;
        eat(&r, '\n');
    }
    return TV_OK;
}
