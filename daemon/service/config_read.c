/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/config_read.h"
#include "cmd/options.h"
#include "trainvet/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tv_config_add_error(struct tv_config *config, char *message)
{
    if (config->errors_len < TV_CONFIG_ERRORS) {
        config->errors[config->errors_len++] = message;
        return;
    }
    config->errors_more++;
    free(message);
}

void tv_config_complain(struct tv_config *config, const struct tv_yaml *yaml, int node,
                        const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    tv_config_add_error(config, tv_yaml_message(yaml, node, message));
}

static const char *key_name(const void *keys, size_t i)
{
    return ((const struct tv_config_key *)keys)[i].name;
}

/* False, and said, when it is none. */
bool tv_config_is_mapping(struct tv_config *config, const struct tv_yaml *yaml, int node)
{
    if (!tv_yaml_is_mapping(yaml, node))
        tv_config_complain(config, yaml, node, "expected settings (KEY: VALUE)");
    return tv_yaml_is_mapping(yaml, node);
}

/* How many items; what is no list, or one too long to be meant, is said and has none. */
size_t tv_config_list_len(struct tv_config *config, const struct tv_yaml *yaml, int node)
{
    size_t len = tv_yaml_items(yaml, node);
    if (tv_yaml_is_mapping(yaml, node))
        tv_config_complain(config, yaml, node, "expected a list (- VALUE)");
    else if (len > TV_CONFIG_LIST_MAX)
        tv_config_complain(config, yaml, node, "more than %d items", TV_CONFIG_LIST_MAX);
    return len > TV_CONFIG_LIST_MAX ? 0 : len;
}

/* A text of at least one character. */
const char *tv_config_text(struct tv_config *config, const struct tv_yaml *yaml, int node)
{
    const char *text = tv_yaml_text(yaml, node);
    if (!*text)
        tv_config_complain(config, yaml, node, "expected a text");
    return tv_arena_text(&config->arena, tv_span_of(text));
}

/* A mapping whose keys are all known. */
void tv_config_mapping(struct tv_config *config, const struct tv_yaml *yaml, int node,
                       const struct tv_config_key *keys, void *target)
{
    size_t count = 0;
    while (keys[count].name)
        count++;
    if (!tv_config_is_mapping(config, yaml, node))
        return;
    int key, value;
    for (size_t i = 0; tv_yaml_pair(yaml, node, i, &key, &value); i++) {
        const char *name = tv_yaml_text(yaml, key);
        size_t at = 0;
        while (at < count && strcmp(keys[at].name, name) != 0)
            at++;
        if (at < count) {
            keys[at].take(config, yaml, value, target);
            continue;
        }
        const char *near = tv_nearest(name, count, key_name, keys);
        tv_config_complain(config, yaml, key, "there is no setting \"%.60s\"%s%s%s", name,
                           near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
}

const char *tv_config_keep(struct tv_config *config, const char *text)
{
    return tv_arena_text(&config->arena, tv_span_of(text));
}

bool tv_config_truth(struct tv_config *config, const struct tv_yaml *yaml, int node)
{
    const char *text = tv_yaml_text(yaml, node);
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        tv_config_complain(config, yaml, node, "expected true or false, not \"%.60s\"", text);
    return strcmp(text, "true") == 0;
}
