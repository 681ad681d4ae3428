/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/py_config.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 4096, NAME_MAX_LEN = 64, NAMES_MAX = 64, DEPTH_MAX = TV_CONFIG_DEPTH_MAX };

enum kind { NOTHING, NUMBER, TEXT, NONE, BOOL, INSIDE /* told already, member by member */ };

struct value {
    enum kind kind;
    double number; /* of NUMBER, and 0 or 1 of BOOL */
};

struct reading {
    struct tv_config *config;
    const char *at, *end;
    uint32_t line;
    int depth;
    size_t nodes;
    struct tv_error *reterr;
    enum tv_status status;
    struct {
        char name[NAME_MAX_LEN];
        double number;
    } known[NAMES_MAX];
    size_t known_len;
    char text[TEXT_MAX]; /* of TEXT */
    size_t text_len;
};

static struct value expression(struct reading *r);

static bool fail(struct reading *r, enum tv_status status, const char *message)
{
    if (r->status == TV_OK) {
        r->status = tv_fail(r->reterr, status, "%s", message);
        if (r->reterr)
            r->reterr->line = r->line;
    }
    r->at = r->end;
    return false;
}

static char peek(const struct reading *r)
{
    return r->at < r->end ? *r->at : '\0';
}

static bool starts(const struct reading *r, const char *prefix)
{
    return tv_span_starts((struct tv_span){r->at, (size_t)(r->end - r->at)}, prefix);
}

static void step(struct reading *r)
{
    r->line += *r->at == '\n';
    r->at++;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Blanks, comments and, inside brackets, line ends. */
static void skip_blank(struct reading *r)
{
    while (r->at < r->end) {
        char c = *r->at;
        if (c == '#') {
            while (r->at < r->end && *r->at != '\n')
                r->at++;
        } else if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && r->depth > 0)) {
            step(r);
        } else if (c == '\\' && r->at + 1 < r->end && (r->at[1] == '\n' || r->at[1] == '\r')) {
            r->at += r->at[1] == '\r' ? 2 : 1;
            if (peek(r) == '\n')
                step(r);
        } else {
            return;
        }
    }
}

static bool eat(struct reading *r, char c)
{
    skip_blank(r);
    if (peek(r) != c || r->at == r->end)
        return false;
    step(r);
    return true;
}

static struct tv_span name_here(struct reading *r)
{
    struct tv_span name = {r->at, 0};
    while (r->at + name.len < r->end && is_name_char(r->at[name.len]))
        name.len++;
    return name;
}

static void add_char(struct reading *r, char c)
{
    if (r->text_len < TEXT_MAX)
        r->text[r->text_len++] = c;
}

/* One string; its escapes other than of quotes and backslashes stay as written. */
static bool string_piece(struct reading *r)
{
    char quote = *r->at;
    char triple[4] = {quote, quote, quote, '\0'};
    bool is_long = starts(r, triple);
    r->at += is_long ? 3 : 1;
    while (r->at < r->end) {
        if (is_long ? starts(r, triple) : *r->at == quote) {
            r->at += is_long ? 3 : 1;
            return true;
        }
        if (*r->at == '\n' && !is_long)
            break;
        if (*r->at == '\\' && r->at + 1 < r->end)
            r->at++;
        add_char(r, *r->at);
        step(r);
    }
    return fail(r, TV_ECORRUPT, "a text is never closed");
}

static bool at_string(const struct reading *r)
{
    const char *p = r->at;
    for (int i = 0; i < 2 && p < r->end && strchr("rRbBuUfF", *p) && *p; i++)
        p++;
    return p < r->end && (*p == '\'' || *p == '"');
}

static struct value string(struct reading *r)
{
    r->text_len = 0;
    while (r->at < r->end && at_string(r)) {
        while (*r->at != '\'' && *r->at != '"')
            r->at++;
        if (!string_piece(r))
            return (struct value){NOTHING, 0};
        skip_blank(r);
    }
    return (struct value){TEXT, 0};
}

static struct value number(struct reading *r)
{
    char digits[64];
    size_t len = 0;
    while (r->at < r->end && len < sizeof digits) {
        char c = *r->at;
        bool sign = (c == '+' || c == '-') && len && (digits[len - 1] | 32) == 'e';
        if (!is_name_char(c) && c != '.' && !sign)
            break;
        if (c != '_')
            digits[len++] = c;
        r->at++;
    }
    double value;
    if (!tv_parse_double((struct tv_span){digits, len}, &value))
        return (struct value){NOTHING, 0};
    return (struct value){NUMBER, value};
}

static bool opens(char c)
{
    return c == '(' || c == '[' || c == '{';
}

static bool closes(char c)
{
    return c == ')' || c == ']' || c == '}';
}

/* Behind what is not understood: to the next ',' or bracket of this level, or the line's end. */
static void skip_rest(struct reading *r)
{
    int open = 0;
    while (r->at < r->end) {
        skip_blank(r);
        char c = peek(r);
        if (at_string(r)) {
            size_t len = r->text_len;
            string(r);
            r->text_len = len;
            continue;
        }
        if (r->at == r->end || (open == 0 && (c == ',' || closes(c) || c == '\n' || c == ':')))
            return;
        open += opens(c) - closes(c);
        r->depth += opens(c) - closes(c);
        step(r);
    }
}

static void tell(struct reading *r, struct value value)
{
    char digits[TV_NUMBER_MAX];
    struct tv_span text = {digits, 0};
    if (value.kind == NUMBER) {
        text.len = tv_format_double(digits, value.number);
        tv_config_value(r->config, text, TV_CONFIG_NUMBER, r->line);
    } else if (value.kind == BOOL) {
        tv_config_value(r->config, tv_span_of(value.number != 0 ? "true" : "false"),
                        TV_CONFIG_NUMBER, r->line);
    } else if (value.kind == NONE) {
        tv_config_value(r->config, tv_span_of(""), TV_CONFIG_NULL, r->line);
    } else if (value.kind == TEXT) {
        tv_config_value(r->config, (struct tv_span){r->text, r->text_len}, TV_CONFIG_TEXT, r->line);
    }
}

static bool go_deeper(struct reading *r)
{
    if (r->depth >= DEPTH_MAX)
        return fail(r, TV_ELIMIT, "brackets are nested deeper than we read");
    if (++r->nodes > TV_CONFIG_NODES_MAX)
        return fail(r, TV_ELIMIT, "there are more values than we read");
    r->depth++;
    return true;
}

static bool close_bracket(struct reading *r, char close)
{
    bool closed = eat(r, close);
    r->depth--;
    return closed || fail(r, TV_ECORRUPT, "a bracket is never closed");
}

static struct value sequence(struct reading *r, char close)
{
    struct value value = {NOTHING, 0};
    size_t index = 0;
    bool has_comma = false;
    r->at++;
    if (!go_deeper(r))
        return value;
    for (skip_blank(r); r->at < r->end && !closes(peek(r)); skip_blank(r)) {
        size_t mark = tv_config_enter_index(r->config, index++);
        value = expression(r);
        skip_blank(r);
        bool comma = peek(r) == ',';
        if (close == ']' || comma || has_comma)
            tell(r, value);
        tv_config_leave(r->config, mark);
        has_comma = has_comma || comma;
        if (comma)
            r->at++;
        else if (!closes(peek(r)))
            skip_rest(r);
        if (++r->nodes > TV_CONFIG_NODES_MAX)
            fail(r, TV_ELIMIT, "there are more values than we read");
    }
    if (!close_bracket(r, close))
        return (struct value){NOTHING, 0};
    return close == ')' && !has_comma && index == 1 ? value : (struct value){INSIDE, 0};
}

/* One member of dict(a=1) or {'a': 1}. */
static void member(struct reading *r, bool is_call)
{
    char digits[TV_NUMBER_MAX];
    struct tv_span key = {r->text, 0};
    skip_blank(r);
    if (is_call) {
        key = name_here(r);
        r->at += key.len;
    } else if (at_string(r)) {
        string(r);
        key.len = r->text_len;
    } else {
        struct value value = number(r);
        key = (struct tv_span){digits,
                               value.kind == NUMBER ? tv_format_double(digits, value.number) : 0};
    }
    char name[TV_CONFIG_KEY_MAX];
    bool is_member = key.len && tv_span_copy(key, name, sizeof name);
    if (!eat(r, is_call ? '=' : ':') || !is_member) {
        skip_rest(r);
        if (peek(r) == ':') {
            r->at++;
            skip_rest(r);
        }
        return;
    }
    size_t mark = tv_config_enter(r->config, tv_span_of(name));
    tell(r, expression(r));
    tv_config_leave(r->config, mark);
}

static struct value mapping(struct reading *r, bool is_call)
{
    r->at++;
    if (!go_deeper(r))
        return (struct value){NOTHING, 0};
    for (skip_blank(r); r->at < r->end && !closes(peek(r)); skip_blank(r)) {
        member(r, is_call);
        skip_blank(r);
        if (peek(r) != ',' && !closes(peek(r)))
            skip_rest(r);
        if (peek(r) == ',' || peek(r) == ':')
            r->at++;
        if (++r->nodes > TV_CONFIG_NODES_MAX)
            fail(r, TV_ELIMIT, "there are more values than we read");
    }
    close_bracket(r, is_call ? ')' : '}');
    return (struct value){INSIDE, 0};
}

static struct value named(struct reading *r)
{
    struct tv_span name = name_here(r);
    r->at += name.len;
    skip_blank(r);
    if (tv_span_is(name, "dict") && peek(r) == '(')
        return mapping(r, true);
    if (tv_span_is(name, "None"))
        return (struct value){NONE, 0};
    if (tv_span_is(name, "True") || tv_span_is(name, "False"))
        return (struct value){BOOL, tv_span_is(name, "True")};
    for (size_t i = r->known_len; i-- > 0;)
        if (tv_span_is(name, r->known[i].name) && peek(r) != '(' && peek(r) != '.')
            return (struct value){NUMBER, r->known[i].number};
    skip_rest(r);
    return (struct value){NOTHING, 0};
}

static struct value atom(struct reading *r)
{
    skip_blank(r);
    char c = peek(r);
    if (c == '-' || c == '+') {
        r->at++;
        skip_blank(r);
        struct value value = is_digit(peek(r)) || peek(r) == '.' ? number(r) : named(r);
        value.number = c == '-' ? -value.number : value.number;
        return value;
    }
    if (at_string(r))
        return string(r);
    if (is_digit(c) || c == '.')
        return number(r);
    if (c == '[')
        return sequence(r, ']');
    if (c == '(')
        return sequence(r, ')');
    if (c == '{')
        return mapping(r, false);
    if (is_name_char(c))
        return named(r);
    skip_rest(r);
    return (struct value){NOTHING, 0};
}

/* Products, quotients and powers, from left to right. */
static struct value product(struct reading *r)
{
    struct value value = atom(r);
    for (;;) {
        skip_blank(r);
        bool power = starts(r, "**"), whole = starts(r, "//");
        char c = peek(r);
        if (value.kind != NUMBER || (c != '*' && c != '/'))
            return value;
        r->at += power || whole ? 2 : 1;
        struct value other = atom(r);
        if (other.kind != NUMBER)
            return (struct value){NOTHING, 0};
        if (power)
            value.number = pow(value.number, other.number);
        else if (c == '*')
            value.number *= other.number;
        else
            value.number = whole ? floor(value.number / other.number) : value.number / other.number;
    }
}

static struct value expression(struct reading *r)
{
    struct value value = product(r);
    for (;;) {
        skip_blank(r);
        char c = peek(r);
        bool goes_on = r->at < r->end && c != ',' && c != '\n' && c != ':' && !closes(c);
        if (!goes_on)
            return value;
        if (value.kind != NUMBER || (c != '+' && c != '-')) {
            skip_rest(r);
            return (struct value){NOTHING, 0};
        }
        r->at++;
        struct value other = product(r);
        if (other.kind != NUMBER)
            return (struct value){NOTHING, 0};
        value.number += c == '-' ? -other.number : other.number;
    }
}

static void remember(struct reading *r, const char *name, struct value value)
{
    size_t i = 0;
    while (i < r->known_len && strcmp(r->known[i].name, name) != 0)
        i++;
    if (value.kind != NUMBER || i == NAMES_MAX)
        return;
    snprintf(r->known[i].name, sizeof r->known[i].name, "%s", name);
    r->known[i].number = value.number;
    r->known_len += i == r->known_len;
}

/* NAME = value, or NAME: type = value. */
static void statement(struct reading *r)
{
    char name[NAME_MAX_LEN];
    struct tv_span key = name_here(r);
    r->at += key.len;
    if (!key.len || is_digit(*key.data) || !tv_span_copy(key, name, sizeof name))
        return;
    skip_blank(r);
    if (peek(r) == ':') {
        while (r->at < r->end && *r->at != '=' && *r->at != '\n')
            r->at++;
    }
    if (peek(r) != '=' || starts(r, "=="))
        return;
    r->at++;
    size_t mark = tv_config_enter(r->config, tv_span_of(name));
    struct value value = expression(r);
    tell(r, value);
    tv_config_leave(r->config, mark);
    remember(r, name, value);
}

static void next_line(struct reading *r)
{
    while (r->at < r->end && *r->at != '\n') {
        if (at_string(r) && (starts(r, "\"\"\"") || starts(r, "'''")))
            string_piece(r);
        else
            r->at++;
    }
    if (r->at < r->end)
        step(r);
}

enum tv_status tv_py_config(struct tv_config *config, struct tv_span text, struct tv_error *reterr)
{
    if (text.len > TV_CONFIG_BYTES_MAX)
        return tv_fail(reterr, TV_ELIMIT, "a configuration over %u MiB is not read",
                       TV_CONFIG_BYTES_MAX >> 20);
    text = tv_config_without_bom(text);
    struct reading r = {.config = config,
                        .at = text.data,
                        .end = text.data + text.len,
                        .line = 1,
                        .reterr = reterr,
                        .status = TV_OK};
    while (r.at < r.end) {
        r.depth = 0;
        statement(&r);
        next_line(&r);
    }
    return r.status;
}

int tv_py_count_names(struct tv_span head, const char *const *names)
{
    int count = 0;
    for (; *names; names++) {
        size_t len = strlen(*names);
        for (size_t i = 0; i + len < head.len; i++) {
            bool begins = i == 0 || head.data[i - 1] == '\n';
            if (!begins || memcmp(head.data + i, *names, len) != 0)
                continue;
            size_t after = i + len;
            while (after < head.len && head.data[after] == ' ')
                after++;
            if (after + 1 < head.len && head.data[after] == '=' && head.data[after + 1] != '=') {
                count++;
                break;
            }
        }
    }
    return count;
}
