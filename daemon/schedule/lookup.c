/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "schedule/lookup.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <json-c/json.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct tv_fact_entry *find(const struct tv_facts *facts, const char *prefix,
                                        const char *keys)
{
    char key[TV_KEY_MAX];
    size_t before = strlen(prefix);
    memcpy(key, prefix, before < sizeof key ? before : 0);
    while (*keys) {
        size_t len = strcspn(keys, "|");
        if (before + len < sizeof key) {
            memcpy(key + before, keys, len);
            key[before + len] = '\0';
            const struct tv_fact_entry *entry = tv_facts_get(facts, key);
            if (entry && strcmp(entry->value, "None") != 0 && strcmp(entry->value, "null") != 0)
                return entry;
        }
        keys += len;
        keys += *keys == '|';
    }
    return NULL;
}

static double number_of(const struct tv_fact_entry *entry, double otherwise)
{
    double value;
    return tv_fact_number(entry, &value) ? value : otherwise;
}

static bool is_true(const char *text)
{
    return !strcmp(text, "true") || !strcmp(text, "True") || !strcmp(text, "TRUE") ||
           !strcmp(text, "1") || !strcmp(text, "yes");
}

double tv_get_number_or(const struct tv_facts *facts, const char *keys, double otherwise)
{
    return number_of(find(facts, "", keys), otherwise);
}

double tv_get_number(const struct tv_facts *facts, const char *keys)
{
    return tv_get_number_or(facts, keys, NAN);
}

const char *tv_get_text(const struct tv_facts *facts, const char *keys)
{
    const struct tv_fact_entry *entry = find(facts, "", keys);
    return entry ? entry->value : NULL;
}

bool tv_get_true(const struct tv_facts *facts, const char *keys, bool otherwise)
{
    const char *text = tv_get_text(facts, keys);
    return text ? is_true(text) : otherwise;
}

bool tv_has(const struct tv_facts *facts, const char *keys)
{
    return find(facts, "", keys) != NULL;
}

bool tv_has_prefix(const struct tv_facts *facts, const char *prefix)
{
    for (size_t i = 0; i < facts->len; i++) {
        if (!strncmp(facts->entries[i]->key, prefix, strlen(prefix)))
            return true;
    }
    return false;
}

struct tv_scope tv_scope_top(const struct tv_facts *facts)
{
    return (struct tv_scope){.facts = facts};
}

/* A prefix that does not fit names nothing. */
struct tv_scope tv_scope_in(const struct tv_scope *scope, const char *key)
{
    struct tv_scope inner = {.facts = scope->facts};
    int wrote = snprintf(inner.prefix, sizeof inner.prefix, "%s%s.", scope->prefix, key);
    if (wrote < 0 || (size_t)wrote >= sizeof inner.prefix)
        memcpy(inner.prefix, "?.", 3);
    return inner;
}

struct tv_scope tv_scope_at(const struct tv_scope *scope, const char *list, int index)
{
    char key[TV_KEY_MAX];
    snprintf(key, sizeof key, "%s.%d", list, index);
    return tv_scope_in(scope, key);
}

double tv_in_number(const struct tv_scope *scope, const char *keys, double otherwise)
{
    return number_of(find(scope->facts, scope->prefix, keys), otherwise);
}

const char *tv_in_text(const struct tv_scope *scope, const char *keys)
{
    const struct tv_fact_entry *entry = find(scope->facts, scope->prefix, keys);
    return entry ? entry->value : NULL;
}

bool tv_in_true(const struct tv_scope *scope, const char *keys, bool otherwise)
{
    const char *text = tv_in_text(scope, keys);
    return text ? is_true(text) : otherwise;
}

bool tv_in_has(const struct tv_scope *scope, const char *keys)
{
    return find(scope->facts, scope->prefix, keys) != NULL;
}

bool tv_in_any(const struct tv_scope *scope)
{
    return tv_has_prefix(scope->facts, scope->prefix);
}

bool tv_in_null(const struct tv_scope *scope, const char *key)
{
    char full[TV_KEY_MAX];
    snprintf(full, sizeof full, "%s%s", scope->prefix, key);
    const struct tv_fact_entry *entry = tv_map_get(&scope->facts->by_key, tv_span_of(full));
    return entry && entry->is_null;
}

int tv_in_list(const struct tv_scope *scope, const char *key, double *ret, int cap)
{
    int len = 0;
    double single = tv_in_number(scope, key, NAN);
    if (!isnan(single)) {
        ret[0] = single;
        return 1;
    }
    struct tv_scope list = tv_scope_in(scope, key);
    for (;; len++) {
        char index[16];
        snprintf(index, sizeof index, "%d", len);
        double value = tv_in_number(&list, index, NAN);
        if (isnan(value))
            return len;
        if (len == cap)
            return -1;
        ret[len] = value;
    }
}

int tv_in_map(const struct tv_scope *scope, const char *key, double *keys, double *values, int cap)
{
    struct tv_scope map = *key ? tv_scope_in(scope, key) : *scope;
    size_t prefix = strlen(map.prefix);
    int len = 0;
    for (size_t i = 0; i < map.facts->len; i++) {
        const char *name = map.facts->entries[i]->key;
        double at;
        if (strncmp(name, map.prefix, prefix) != 0 ||
            !tv_parse_double(tv_span_of(name + prefix), &at))
            continue;
        if (len == cap)
            return -1;
        int place = len++;
        for (; place > 0 && keys[place - 1] > at; place--) {
            keys[place] = keys[place - 1];
            values[place] = values[place - 1];
        }
        keys[place] = at;
        values[place] = number_of(map.facts->entries[i], NAN);
    }
    return len;
}

const char *tv_last_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

struct tv_kwargs tv_kwargs_open(const struct tv_facts *facts, const char *key)
{
    struct tv_scope top = tv_scope_top(facts);
    struct tv_kwargs kwargs = {.in = tv_scope_in(&top, key)};
    const char *text = tv_get_text(facts, key);
    if (!text || *text != '{')
        return kwargs;
    /* json-c takes the single quotes of a Python dictionary as well. */
    struct json_object *object = json_tokener_parse(text);
    if (json_object_is_type(object, json_type_object)) {
        kwargs.own = tv_xcalloc(1, sizeof *kwargs.own);
        json_object_object_foreach(object, name, member)
        {
            struct tv_fact fact = {.key = tv_span_of(name),
                                   .value =
                                       tv_span_of(member ? json_object_get_string(member) : "null"),
                                   .is_null = !member,
                                   .source = TV_FACT_USER_CONFIG};
            tv_facts_add(kwargs.own, &fact, "");
        }
        kwargs.in = tv_scope_top(kwargs.own);
    }
    json_object_put(object);
    return kwargs;
}

void tv_kwargs_close(struct tv_kwargs *kwargs)
{
    if (kwargs->own)
        tv_facts_free(kwargs->own);
    free(kwargs->own);
    kwargs->own = NULL;
}

bool tv_in_unknown(const struct tv_scope *scope, const char *const *known, char *buffer, size_t cap)
{
    size_t prefix = strlen(scope->prefix);
    for (size_t i = 0; i < scope->facts->len; i++) {
        const char *key = scope->facts->entries[i]->key;
        const char *const *name = known;
        if (strncmp(key, scope->prefix, prefix) != 0)
            continue;
        while (*name && strcmp(*name, key + prefix) != 0)
            name++;
        if (!*name) {
            tv_escape(tv_span_of(key + prefix), buffer, cap);
            return true;
        }
    }
    return false;
}

void tv_schedule_note(struct tv_schedule *schedule, const char *format, ...)
{
    if (schedule->notes_len == TV_SCHEDULE_NOTES)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(schedule->notes[schedule->notes_len++], sizeof schedule->notes[0], format, args);
    va_end(args);
}
