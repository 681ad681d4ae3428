/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routes: and silences: which alert goes where. */
#include "base/clock.h"
#include "cmd/options.h"
#include "service/config_read.h"
#include "trainvet/detector.h"
#include "trainvet/text.h"
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *detector_name(const void *ctx, size_t i)
{
    (void)ctx;
    return tv_detectors[i]->name;
}

/* A pattern that matches a detector. */
static const char *detector_pattern(struct tv_config *config, const struct tv_yaml *yaml, int node)
{
    const char *pattern = tv_config_text(config, yaml, node);
    size_t count = 0;
    bool matches = false;
    for (; tv_detectors[count]; count++)
        matches = matches || fnmatch(pattern, tv_detectors[count]->name, 0) == 0;
    const char *near = matches ? NULL : tv_nearest(pattern, count, detector_name, NULL);
    if (!matches && *pattern)
        tv_config_complain(config, yaml, node, "no detector matches \"%.60s\"%s%s%s", pattern,
                           near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return pattern;
}

static void take_severity(struct tv_config *config, const struct tv_yaml *yaml, int node,
                          void *target)
{
    int level = tv_parse_level(tv_yaml_text(yaml, node));
    if (level < TV_INFO || level > TV_CRITICAL)
        tv_config_complain(config, yaml, node, "expected info, warning or critical, not \"%.60s\"",
                           tv_yaml_text(yaml, node));
    else
        ((struct tv_config_route *)target)->severity = (enum tv_severity)level;
}

static void take_route_run(struct tv_config *config, const struct tv_yaml *yaml, int node,
                           void *target)
{
    ((struct tv_config_route *)target)->run = tv_config_text(config, yaml, node);
}

static void take_route_detector(struct tv_config *config, const struct tv_yaml *yaml, int node,
                                void *target)
{
    ((struct tv_config_route *)target)->detector = detector_pattern(config, yaml, node);
}

/* Sinks may stand behind the routes, and in other files: names are looked up in the end. */
static void want_sink(struct tv_config *config, const struct tv_yaml *yaml, int node,
                      const char *name)
{
    struct tv_config_wanted *wanted = tv_arena_alloc(&config->arena, sizeof *wanted),
                            **end = &config->wanted;
    char *where = tv_yaml_message(yaml, node, "there is no sink");
    *wanted = (struct tv_config_wanted){.name = name, .where = tv_config_keep(config, where)};
    free(where);
    while (*end)
        end = &(*end)->next;
    *end = wanted;
}

static const char *configured_name(const void *ctx, size_t i)
{
    const struct tv_config_sink *sink = ctx;
    while (i-- > 0)
        sink = sink->next;
    return sink->name;
}

void tv_config_finish_routes(struct tv_config *config)
{
    size_t count = 0;
    for (const struct tv_config_sink *sink = config->sinks; sink; sink = sink->next)
        count++;
    for (const struct tv_config_wanted *one = config->wanted; one; one = one->next) {
        char *message;
        if (tv_config_sink(config, one->name))
            continue;
        const char *near = tv_nearest(one->name, count, configured_name, config->sinks);
        if (asprintf(&message, "%s \"%.60s\"%s%s%s", one->where, one->name,
                     near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "") >= 0)
            tv_config_add_error(config, message);
    }
}

static void take_route_sinks(struct tv_config *config, const struct tv_yaml *yaml, int node,
                             void *target)
{
    struct tv_config_route *route = target;
    size_t count = tv_config_list_len(config, yaml, node);
    route->sinks = tv_arena_alloc(&config->arena, (count + 1) * sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        int item = tv_yaml_item(yaml, node, i);
        route->sinks[i] = tv_config_keep(config, tv_yaml_text(yaml, item));
        want_sink(config, yaml, item, route->sinks[i]);
    }
}

static void take_go_on(struct tv_config *config, const struct tv_yaml *yaml, int node, void *target)
{
    ((struct tv_config_route *)target)->go_on = tv_config_truth(config, yaml, node);
}

void tv_config_take_routes(struct tv_config *config, const struct tv_yaml *yaml, int node,
                           void *target)
{
    static const struct tv_config_key keys[] = {
        {"severity", take_severity}, {"run", take_route_run},  {"detector", take_route_detector},
        {"sinks", take_route_sinks}, {"continue", take_go_on}, {NULL, NULL},
    };
    (void)target;
    size_t len = tv_config_list_len(config, yaml, node);
    for (size_t i = 0; i < len; i++) {
        struct tv_config_route *route = tv_arena_alloc(&config->arena, sizeof *route),
                               **end = &config->routes;
        tv_config_mapping(config, yaml, tv_yaml_item(yaml, node, i), keys, route);
        while (*end)
            end = &(*end)->next;
        *end = route;
    }
}

static void take_silence_run(struct tv_config *config, const struct tv_yaml *yaml, int node,
                             void *target)
{
    ((struct tv_config_silence *)target)->run = tv_config_text(config, yaml, node);
}

static void take_silence_detector(struct tv_config *config, const struct tv_yaml *yaml, int node,
                                  void *target)
{
    ((struct tv_config_silence *)target)->detector = detector_pattern(config, yaml, node);
}

static void take_until(struct tv_config *config, const struct tv_yaml *yaml, int node, void *target)
{
    if (!tv_parse_time(tv_span_of(tv_yaml_text(yaml, node)),
                       &((struct tv_config_silence *)target)->until))
        tv_config_complain(config, yaml, node,
                           "expected a time as 2026-01-02T03:04:05Z, not \"%.60s\"",
                           tv_yaml_text(yaml, node));
}

void tv_config_take_silences(struct tv_config *config, const struct tv_yaml *yaml, int node,
                             void *target)
{
    static const struct tv_config_key keys[] = {{"run", take_silence_run},
                                                {"detector", take_silence_detector},
                                                {"until", take_until},
                                                {NULL, NULL}};
    (void)target;
    size_t len = tv_config_list_len(config, yaml, node);
    for (size_t i = 0; i < len; i++) {
        struct tv_config_silence *silence = tv_arena_alloc(&config->arena, sizeof *silence);
        silence->until = INFINITY;
        tv_config_mapping(config, yaml, tv_yaml_item(yaml, node, i), keys, silence);
        silence->next = config->silences;
        config->silences = silence;
    }
}

static bool matches(const char *pattern, const char *text)
{
    return !pattern || fnmatch(pattern, text, 0) == 0;
}

/* A run is meant by its name below its root, or by its whole path. */
static bool matches_run(const char *pattern, const struct tv_alert *alert)
{
    char path[1100];
    snprintf(path, sizeof path, "%s/%s", alert->root ? alert->root : "", alert->run);
    return matches(pattern, alert->run) || matches(pattern, path);
}

static bool is_silenced(const struct tv_config *config, const struct tv_alert *alert, double now)
{
    for (const struct tv_config_silence *silence = config->silences; silence;
         silence = silence->next)
        if (now < silence->until && matches_run(silence->run, alert) &&
            matches(silence->detector, alert->detector))
            return true;
    return false;
}

/* One sink gets an alert once, however many routes lead there. */
static size_t add_sink(const char **list, size_t len, size_t max, const char *name)
{
    for (size_t i = 0; i < len; i++)
        if (strcmp(list[i], name) == 0)
            return len;
    if (len < max)
        list[len++] = name;
    return len;
}

size_t tv_config_route(const struct tv_config *config, const struct tv_alert *alert, double now,
                       const char **ret, size_t max)
{
    size_t len = 0;
    bool silenced = is_silenced(config, alert, now);
    for (const struct tv_config_sink *sink = config->routes || silenced ? NULL : config->sinks;
         sink; sink = sink->next)
        len = add_sink(ret, len, max, sink->name);
    for (const struct tv_config_route *route = config->routes; !silenced && route;
         route = route->next) {
        if (alert->severity < route->severity || !matches_run(route->run, alert) ||
            !matches(route->detector, alert->detector))
            continue;
        for (size_t i = 0; route->sinks && route->sinks[i]; i++)
            len = add_sink(ret, len, max, route->sinks[i]);
        if (!route->go_on)
            break;
    }
    ret[len] = NULL;
    return len;
}
