/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/settings.h"
#include "trainvet/text.h"
#include <stdio.h>
#include <stdlib.h>

#define KEY_MAX 512

static void add(struct tv_facts *facts, const char *key, const char *value, bool is_string,
                enum tv_fact_source source)
{
    struct tv_fact fact = {.key = tv_span_of(key),
                           .value = tv_span_of(value ? value : "null"),
                           .is_null = !value,
                           .is_string = is_string,
                           .source = source};
    tv_facts_add(facts, &fact, "test");
}

void tv_settings_add(struct tv_facts *facts, const char *key, const char *value,
                     enum tv_fact_source source)
{
    add(facts, key, value, false, source);
}

void tv_settings_tree(struct tv_facts *facts, const char *key, struct json_object *value,
                      enum tv_fact_source source)
{
    char inner[KEY_MAX];
    const char *dot = *key ? "." : "";
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, member)
        {
            snprintf(inner, sizeof inner, "%s%s%s", key, dot, name);
            tv_settings_tree(facts, inner, member, source);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            snprintf(inner, sizeof inner, "%s%s%zu", key, dot, i);
            tv_settings_tree(facts, inner, json_object_array_get_idx(value, i), source);
        }
    } else {
        add(facts, key, value ? json_object_get_string(value) : NULL,
            json_object_is_type(value, json_type_string), source);
    }
}

void tv_settings_text(struct tv_facts *facts, const char *json, enum tv_fact_source source)
{
    struct json_object *tree = json_tokener_parse(json);
    if (!tree) {
        fprintf(stderr, "no JSON: %s\n", json);
        abort();
    }
    tv_settings_tree(facts, "", tree, source);
    json_object_put(tree);
}
