/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sinks: {NAME: {type: TYPE, OPTION: VALUE ...} ...} */
#include "cmd/options.h"
#include "service/config_read.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *sink_name(const void *ctx, size_t i)
{
    (void)ctx;
    return tv_sinks[i]->name;
}

static const struct tv_sink *sink_type(struct tv_config *config, const struct tv_yaml *yaml,
                                       int node)
{
    int type = tv_yaml_get(yaml, node, "type");
    const char *name = type ? tv_yaml_text(yaml, type) : "";
    size_t count = 0;
    for (; tv_sinks[count]; count++)
        if (strcmp(tv_sinks[count]->name, name) == 0)
            return tv_sinks[count];
    const char *near = tv_nearest(name, count, sink_name, NULL);
    tv_config_complain(config, yaml, type ? type : node,
                       "a sink needs a type that exists%s%s%s (trainvet list)",
                       near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return NULL;
}

const struct tv_config_sink *tv_config_sink(const struct tv_config *config, const char *name)
{
    const struct tv_config_sink *sink = config->sinks;
    while (sink && strcmp(sink->name, name) != 0)
        sink = sink->next;
    return sink;
}

static const char *option_name(const void *options, size_t i)
{
    return ((const struct tv_option *)options)[i].name;
}

/* {name: value, ...} as "name=value,...". */
static bool join_pairs(struct tv_config *config, const struct tv_yaml *yaml, int node,
                       struct tv_text *joined)
{
    int name, value;
    for (size_t i = 0; tv_yaml_pair(yaml, node, i, &name, &value); i++) {
        const char *text = tv_yaml_text(yaml, value);
        if (!*text || strchr(text, ',')) {
            tv_config_complain(config, yaml, value,
                               "a label's value is a text without commas, not \"%.60s\"", text);
            return false;
        }
        tv_text_add(joined, "%s%s=%s", i ? "," : "", tv_yaml_text(yaml, name), text);
    }
    return true;
}

/* The value as the option's text. False, and said, when it is none. */
static bool join_value(struct tv_config *config, const struct tv_yaml *yaml, const char *name,
                       int node, struct tv_text *joined)
{
    if (tv_yaml_is_mapping(yaml, node) && strcmp(name, "labels") == 0)
        return join_pairs(config, yaml, node, joined);
    if (tv_yaml_is_mapping(yaml, node)) {
        tv_config_complain(config, yaml, node, "%.60s: expected a value, not settings", name);
        return false;
    }
    if (strcmp(name, "command") == 0)
        tv_yaml_command(yaml, node, joined->data, joined->cap);
    else
        tv_yaml_joined(yaml, node, joined->data, joined->cap);
    return true;
}

static void take_sink_option(struct tv_config *config, const struct tv_yaml *yaml,
                             const struct tv_config_sink *sink, int key, int node)
{
    const char *name = tv_yaml_text(yaml, key);
    size_t count = 0;
    bool known = false;
    for (; sink->sink->options && sink->sink->options[count].name; count++)
        known = known || strcmp(sink->sink->options[count].name, name) == 0;
    const char *near = known ? NULL : tv_nearest(name, count, option_name, sink->sink->options);
    char joined[4096];
    struct tv_text text = tv_text_in(joined, sizeof joined);
    struct tv_error error;
    if (near)
        tv_config_complain(config, yaml, key,
                           "sink %.60s: there is no option \"%.60s\"; did you mean \"%s\"?",
                           sink->name, name, near);
    else if (join_value(config, yaml, name, node, &text) &&
             tv_option_set(sink->sink->options, sink->options, name, tv_config_keep(config, joined),
                           &error) != TV_OK)
        tv_config_complain(config, yaml, key, "sink %.60s: %s", sink->name, error.message);
}

/* What the service does for every sink. True when the key is one of these. */
static bool take_limit(struct tv_config *config, const struct tv_yaml *yaml,
                       struct tv_config_sink *sink, int key, int node)
{
    bool is_limit = strcmp(tv_yaml_text(yaml, key), "limit") == 0;
    double *target = is_limit ? &sink->limit : &sink->period, value;
    if (!is_limit && strcmp(tv_yaml_text(yaml, key), "period") != 0)
        return false;
    if (!tv_parse_double(tv_span_of(tv_yaml_text(yaml, node)), &value) ||
        !(value >= (is_limit ? 0 : 1) && value <= 1e6))
        tv_config_complain(config, yaml, node,
                           is_limit ? "limit: expected a number of alerts, 0 for any number"
                                    : "period: expected seconds, from 1 on");
    else
        *target = is_limit ? floor(value) : value;
    return true;
}

/* "FILE:LINE: sink NAME" */
static const char *where(struct tv_config *config, const struct tv_yaml *yaml, int key)
{
    char name[80];
    snprintf(name, sizeof name, "sink %.60s", tv_yaml_text(yaml, key));
    char *message = tv_yaml_message(yaml, key, name);
    const char *kept = tv_config_keep(config, message);
    free(message);
    return kept;
}

static void take_sink(struct tv_config *config, const struct tv_yaml *yaml, int key, int node)
{
    const struct tv_sink *type =
        tv_config_is_mapping(config, yaml, node) ? sink_type(config, yaml, node) : NULL;
    if (!type)
        return;
    if (tv_config_sink(config, tv_yaml_text(yaml, key))) {
        tv_config_complain(config, yaml, key, "there are two sinks \"%.60s\"",
                           tv_yaml_text(yaml, key));
        return;
    }
    struct tv_config_sink *sink = tv_arena_alloc(&config->arena, sizeof *sink),
                          **end = &config->sinks;
    *sink =
        (struct tv_config_sink){.name = tv_config_keep(config, tv_yaml_text(yaml, key)),
                                .sink = type,
                                .where = where(config, yaml, key),
                                .limit = type->limit,
                                .period = TV_SINK_PERIOD,
                                .options = tv_arena_alloc(&config->arena, type->options_size + 1)};
    tv_option_defaults(type->options, sink->options);
    int name, value;
    for (size_t i = 0; tv_yaml_pair(yaml, node, i, &name, &value); i++)
        if (strcmp(tv_yaml_text(yaml, name), "type") != 0 &&
            !take_limit(config, yaml, sink, name, value))
            take_sink_option(config, yaml, sink, name, value);
    while (*end)
        end = &(*end)->next;
    *end = sink;
}

void tv_config_take_sinks(struct tv_config *config, const struct tv_yaml *yaml, int node,
                          void *target)
{
    (void)target;
    int key, value;
    if (!tv_config_is_mapping(config, yaml, node))
        return;
    for (size_t i = 0; tv_yaml_pair(yaml, node, i, &key, &value); i++)
        take_sink(config, yaml, key, value);
}

/* Sinks that know labels and were given none get those of the whole configuration. */
void tv_config_finish_sinks(struct tv_config *config)
{
    char joined[4096];
    struct tv_text text = tv_text_in(joined, sizeof joined);
    for (size_t i = 0; i + 1 < config->labels_len; i += 2)
        tv_text_add(&text, "%s%s=%s", i ? "," : "", config->labels[i], config->labels[i + 1]);
    for (struct tv_config_sink *sink = config->sinks; *joined && sink; sink = sink->next) {
        const char *own;
        const struct tv_option *option = sink->sink->options;
        while (option && option->name && strcmp(option->name, "labels") != 0)
            option++;
        if (!option || !option->name)
            continue;
        memcpy(&own, (char *)sink->options + option->offset, sizeof own);
        if (!*own)
            tv_option_set(option, sink->options, "labels", tv_config_keep(config, joined), NULL);
    }
}
