/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/yaml_types.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const other_numbers[] = {
    "yes",   "Yes",   "YES",   "no",    "No",    "NO",   "true", "True", "TRUE", "false", "False",
    "FALSE", "on",    "On",    "ON",    "off",   "Off",  "OFF",  ".inf", ".Inf", ".INF",  "-.inf",
    "-.Inf", "-.INF", "+.inf", "+.Inf", "+.INF", ".nan", ".NaN", ".NAN", NULL};

static bool is_one_of(struct tv_span text, const char *const *list)
{
    while (*list && !tv_span_is(text, *list))
        list++;
    return *list;
}

static size_t take(struct tv_span text, size_t at, const char *allowed)
{
    size_t from = at;
    while (at < text.len && strchr(allowed, text.data[at]) && text.data[at])
        at++;
    return at - from;
}

/* (:[0-5]?[0-9])+ behind whole minutes or hours: YAML 1.1 counts in sixties. */
static size_t take_sixties(struct tv_span text, size_t at)
{
    size_t from = at;
    while (at + 1 < text.len && text.data[at] == ':') {
        size_t digits = take(text, at + 1, "0123456789");
        if (digits < 1 || digits > 2 || (digits == 2 && text.data[at + 1] > '5'))
            break;
        at += 1 + digits;
    }
    return at - from;
}

/* [-+]? (0 | [1-9][0-9_]* | 0[0-7_]+ | 0x[0-9a-fA-F_]+ | 0b[01_]+) */
static bool is_int(struct tv_span text)
{
    size_t at = text.len && (text.data[0] == '-' || text.data[0] == '+');
    if (at == text.len)
        return false;
    if (text.data[at] != '0') {
        if (text.data[at] == '_' || text.data[at] == ':')
            return false;
        at += take(text, at, "0123456789_");
        return at + take_sixties(text, at) == text.len;
    }
    if (at + 1 == text.len)
        return true;
    if (text.data[at + 1] == 'x')
        return at + 2 < text.len &&
               at + 2 + take(text, at + 2, "0123456789abcdefABCDEF_") == text.len;
    if (text.data[at + 1] == 'b')
        return at + 2 < text.len && at + 2 + take(text, at + 2, "01_") == text.len;
    return at + 1 + take(text, at + 1, "01234567_") == text.len;
}

/* [-+]? [0-9][0-9_]* "." [0-9_]* or "." [0-9][0-9_]* (without a sign), then ([eE][-+][0-9]+)? */
static bool is_float(struct tv_span text)
{
    size_t at = text.len && (text.data[0] == '-' || text.data[0] == '+'), sign = at;
    size_t whole = take(text, at, "0123456789_");
    if (whole && text.data[at] == '_')
        return false;
    at += whole;
    size_t sixties = whole ? take_sixties(text, at) : 0;
    at += sixties;
    if (at == text.len || text.data[at] != '.')
        return false;
    size_t fraction = take(text, ++at, "0123456789_");
    if (!whole && (sign || !fraction || text.data[at] == '_'))
        return false;
    at += fraction;
    if (at == text.len || sixties)
        return at == text.len;
    if ((text.data[at] != 'e' && text.data[at] != 'E') || at + 2 >= text.len ||
        (text.data[at + 1] != '-' && text.data[at + 1] != '+'))
        return false;
    return at + 2 + take(text, at + 2, "0123456789") == text.len;
}

enum tv_config_type tv_yaml_type(struct tv_span text, bool is_plain, const char *tag)
{
    static const char core[] = "tag:yaml.org,2002:";
    if (tag && strncmp(tag, core, sizeof core - 1) == 0) {
        const char *name = tag + sizeof core - 1;
        if (strcmp(name, "null") == 0)
            return TV_CONFIG_NULL;
        if (strcmp(name, "int") == 0 || strcmp(name, "float") == 0 || strcmp(name, "bool") == 0)
            return TV_CONFIG_NUMBER;
        return TV_CONFIG_TEXT;
    }
    if (!is_plain || (tag && tag[0]))
        return TV_CONFIG_TEXT;
    if (is_one_of(text, nulls))
        return TV_CONFIG_NULL;
    return is_int(text) || is_float(text) || is_one_of(text, other_numbers) ? TV_CONFIG_NUMBER
                                                                            : TV_CONFIG_TEXT;
}

static double digits_of(const char *at, const char *digits, double base)
{
    double value = 0;
    for (; *at; at++) {
        const char *digit = strchr(digits, *at | (*at > '9' ? 0x20 : 0));
        value = value * base + (double)(digit - digits);
    }
    return value;
}

static double sixties_of(const char *at)
{
    double value = 0;
    for (; at; at = strchr(at, ':'), at = at ? at + 1 : NULL) {
        struct tv_span part = {at, strcspn(at, ":")};
        double number = 0;
        tv_parse_double(part, &number);
        value = value * 60 + number;
    }
    return value;
}

struct tv_span tv_yaml_number(struct tv_span text, char buffer[TV_YAML_NUMBER_MAX])
{
    char plain[TV_YAML_NUMBER_MAX];
    size_t len = 0;
    if (text.len >= sizeof plain)
        return text;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '_')
            plain[len++] = text.data[i];
    plain[len] = '\0';
    bool minus = plain[0] == '-';
    const char *at = plain + (minus || plain[0] == '+');
    double value;
    if (at[0] == '0' && at[1] == 'x')
        value = digits_of(at + 2, "0123456789abcdef", 16);
    else if (at[0] == '0' && at[1] == 'b')
        value = digits_of(at + 2, "01", 2);
    else if (at[0] == '0' && at[1] && strspn(at, "01234567") == strlen(at))
        value = digits_of(at, "01234567", 8);
    else if (strchr(at, ':'))
        value = sixties_of(at);
    else if (at[0] == '.' && (at[1] | 0x20) == 'i')
        value = INFINITY;
    else if (at[0] == '.' && (at[1] | 0x20) == 'n')
        value = NAN;
    else if (len < text.len)
        return (struct tv_span){memcpy(buffer, plain, len), len};
    else
        return text;
    int wrote = snprintf(buffer, TV_YAML_NUMBER_MAX, "%.17g", minus ? -value : value);
    return (struct tv_span){buffer, wrote > 0 ? (size_t)wrote : 0};
}

/* YAML 1.1 section 5.1: tab, line ends, printable characters. */
static bool is_allowed(uint32_t code)
{
    return code == 0x09 || code == 0x0A || code == 0x0D || (code >= 0x20 && code <= 0x7E) ||
           code == 0x85 || (code >= 0xA0 && code <= 0xD7FF) ||
           (code >= 0xE000 && code <= 0xFFFD && code != 0xFEFF) ||
           (code >= 0x10000 && code <= 0x10FFFF);
}

size_t tv_yaml_char_length(struct tv_span text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)text.data;
    size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : p[0] >= 0xC0 ? 2 : 0;
    if (n == 0 || n > text.len)
        return 0;
    uint32_t code = n == 1 ? p[0] : p[0] & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3Fu);
    }
    return code >= least[n] && is_allowed(code) ? n : 0;
}
