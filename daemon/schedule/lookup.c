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

#define KEY_MAX 200 /* bytes; longer than any setting's name */

static const struct tv_fact_entry *find(const struct tv_facts *facts, const char *keys)
{
    while (*keys) {
        size_t len = strcspn(keys, "|");
        char key[KEY_MAX];
        if (tv_span_copy((struct tv_span){keys, len}, key, sizeof key)) {
            const struct tv_fact_entry *entry = tv_facts_get(facts, key);
            if (entry && strcmp(entry->value, "None") != 0 && strcmp(entry->value, "null") != 0)
                return entry;
        }
        keys += len;
        keys += *keys == '|';
    }
    return NULL;
}

double tv_get_number_or(const struct tv_facts *facts, const char *keys, double otherwise)
{
    const struct tv_fact_entry *entry = find(facts, keys);
    double value;
    return entry && tv_parse_double(tv_span_trim(tv_span_of(entry->value)), &value) ? value
                                                                                    : otherwise;
}

double tv_get_number(const struct tv_facts *facts, const char *keys)
{
    return tv_get_number_or(facts, keys, NAN);
}

const char *tv_get_text(const struct tv_facts *facts, const char *keys)
{
    const struct tv_fact_entry *entry = find(facts, keys);
    return entry ? entry->value : NULL;
}

static bool is_true(const char *text)
{
    return !strcmp(text, "true") || !strcmp(text, "True") || !strcmp(text, "TRUE") ||
           !strcmp(text, "1") || !strcmp(text, "yes");
}

bool tv_get_true(const struct tv_facts *facts, const char *keys, bool otherwise)
{
    const char *text = tv_get_text(facts, keys);
    return text ? is_true(text) : otherwise;
}

bool tv_has(const struct tv_facts *facts, const char *keys)
{
    return find(facts, keys) != NULL;
}

bool tv_has_prefix(const struct tv_facts *facts, const char *prefix)
{
    for (size_t i = 0; i < facts->len; i++) {
        if (!strncmp(facts->entries[i]->key, prefix, strlen(prefix)))
            return true;
    }
    return false;
}

struct tv_kwargs {
    const struct tv_facts *facts;
    const char *key;
    struct json_object *object; /* NULL: flattened, or nothing */
};

struct tv_kwargs *tv_kwargs_open(const struct tv_facts *facts, const char *key)
{
    struct tv_kwargs *kwargs = tv_xcalloc(1, sizeof *kwargs);
    *kwargs = (struct tv_kwargs){.facts = facts, .key = key};
    const char *text = tv_get_text(facts, key);
    if (text && *text == '{') {
        /* json-c takes the single quotes of a Python dictionary as well. */
        struct json_object *object = json_tokener_parse(text);
        if (json_object_is_type(object, json_type_object))
            kwargs->object = object;
        else
            json_object_put(object);
    }
    return kwargs;
}

void tv_kwargs_close(struct tv_kwargs *kwargs)
{
    if (kwargs)
        json_object_put(kwargs->object);
    free(kwargs);
}

bool tv_kwargs_text(const struct tv_kwargs *kwargs, const char *name, char *buffer, size_t cap)
{
    char key[KEY_MAX];
    snprintf(key, sizeof key, "%s.%s", kwargs->key, name);
    const char *text = tv_get_text(kwargs->facts, key);
    struct json_object *member = NULL;
    if (!text && kwargs->object && json_object_object_get_ex(kwargs->object, name, &member) &&
        member)
        text = json_object_get_string(member);
    return text && tv_span_copy(tv_span_of(text), buffer, cap);
}

double tv_kwargs_number(const struct tv_kwargs *kwargs, const char *name, double otherwise)
{
    char text[TV_NUMBER_MAX * 2];
    double value;
    return tv_kwargs_text(kwargs, name, text, sizeof text) &&
                   tv_parse_double(tv_span_trim(tv_span_of(text)), &value)
               ? value
               : otherwise;
}

static bool is_listed(const char *name, const char *const *known)
{
    while (*known && strcmp(*known, name) != 0)
        known++;
    return *known != NULL;
}

bool tv_kwargs_unknown(const struct tv_kwargs *kwargs, const char *const *known, char *buffer,
                       size_t cap)
{
    size_t prefix = strlen(kwargs->key);
    for (size_t i = 0; i < kwargs->facts->len; i++) {
        const char *key = kwargs->facts->entries[i]->key;
        if (strncmp(key, kwargs->key, prefix) || key[prefix] != '.' ||
            is_listed(key + prefix + 1, known))
            continue;
        tv_escape(tv_span_of(key + prefix + 1), buffer, cap);
        return true;
    }
    if (!kwargs->object)
        return false;
    json_object_object_foreach(kwargs->object, name, member)
    {
        (void)member;
        if (!is_listed(name, known)) {
            tv_escape(tv_span_of(name), buffer, cap);
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
