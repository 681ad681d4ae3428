/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/config.h"
#include "base/clock.h"
#include "cmd/options.h"
#include "service/yaml.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a value goes. `target` is what the enclosing mapping describes. */
struct key {
    const char *name;
    void (*take)(struct tv_config *config, const struct tv_yaml *yaml, int node, void *target);
};

static void complain(struct tv_config *config, const struct tv_yaml *yaml, int node,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

static void complain(struct tv_config *config, const struct tv_yaml *yaml, int node,
                     const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (config->errors_len < TV_CONFIG_ERRORS)
        config->errors[config->errors_len++] = tv_yaml_message(yaml, node, message);
    else
        config->errors_more++;
}

static const char *key_name(const void *keys, size_t i)
{
    return ((const struct key *)keys)[i].name;
}

/* False, and said, when it is none. */
static bool is_mapping(struct tv_config *config, const struct tv_yaml *yaml, int node)
{
    if (!tv_yaml_is_mapping(yaml, node))
        complain(config, yaml, node, "expected settings (KEY: VALUE)");
    return tv_yaml_is_mapping(yaml, node);
}

/* How many items; what is no list, or one too long to be meant, is said and has none. */
static size_t list_len(struct tv_config *config, const struct tv_yaml *yaml, int node)
{
    size_t len = tv_yaml_items(yaml, node);
    if (tv_yaml_is_mapping(yaml, node))
        complain(config, yaml, node, "expected a list (- VALUE)");
    else if (len > TV_CONFIG_LIST_MAX)
        complain(config, yaml, node, "more than %d items", TV_CONFIG_LIST_MAX);
    return len > TV_CONFIG_LIST_MAX ? 0 : len;
}

/* A text of at least one character. */
static const char *take_text(struct tv_config *config, const struct tv_yaml *yaml, int node)
{
    const char *text = tv_yaml_text(yaml, node);
    if (!*text)
        complain(config, yaml, node, "expected a text");
    return tv_arena_text(&config->arena, tv_span_of(text));
}

/* A mapping whose keys are all known. */
static void take_mapping(struct tv_config *config, const struct tv_yaml *yaml, int node,
                         const struct key *keys, void *target)
{
    size_t count = 0;
    while (keys[count].name)
        count++;
    if (!is_mapping(config, yaml, node))
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
        complain(config, yaml, key, "there is no setting \"%.60s\"%s%s%s", name,
                 near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
}

static const char *keep(struct tv_config *config, const char *text)
{
    return tv_arena_text(&config->arena, tv_span_of(text));
}

static void add_text(struct tv_config *config, const char ***list, size_t *len, size_t *cap,
                     const char *text)
{
    if (*len + 1 >= *cap) {
        *cap = *cap ? *cap * 2 : 8;
        *list = tv_xrealloc(*list, *cap, sizeof(const char *));
    }
    (*list)[(*len)++] = keep(config, text);
    (*list)[*len] = NULL;
}

static void take_roots(struct tv_config *config, const struct tv_yaml *yaml, int node, void *target)
{
    (void)target;
    size_t len = list_len(config, yaml, node);
    for (size_t i = 0; i < len; i++) {
        int item = tv_yaml_item(yaml, node, i);
        const char *path = tv_yaml_text(yaml, item);
        if (path[0] != '/')
            complain(config, yaml, item, "a root is an absolute path, not \"%.120s\"", path);
        else
            add_text(config, &config->roots, &config->roots_len, &config->roots_cap, path);
    }
}

static void take_seconds(struct tv_config *config, const struct tv_yaml *yaml, int node,
                         void *target)
{
    double seconds;
    if (!tv_parse_double(tv_span_of(tv_yaml_text(yaml, node)), &seconds) || !(seconds > 0))
        complain(config, yaml, node, "expected a number of seconds above 0, not \"%.60s\"",
                 tv_yaml_text(yaml, node));
    else
        *(double *)target = seconds;
}

static void take_active_poll(struct tv_config *config, const struct tv_yaml *yaml, int node,
                             void *target)
{
    (void)target;
    take_seconds(config, yaml, node, &config->active_poll);
}

static void take_idle_poll(struct tv_config *config, const struct tv_yaml *yaml, int node,
                           void *target)
{
    (void)target;
    take_seconds(config, yaml, node, &config->idle_poll);
}

static void take_end_after(struct tv_config *config, const struct tv_yaml *yaml, int node,
                           void *target)
{
    (void)target;
    take_seconds(config, yaml, node, &config->end_after);
}

static bool truth(struct tv_config *config, const struct tv_yaml *yaml, int node)
{
    const char *text = tv_yaml_text(yaml, node);
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        complain(config, yaml, node, "expected true or false, not \"%.60s\"", text);
    return strcmp(text, "true") == 0;
}

static void take_poll(struct tv_config *config, const struct tv_yaml *yaml, int node, void *target)
{
    (void)target;
    config->poll = truth(config, yaml, node);
}

static void take_state_dir(struct tv_config *config, const struct tv_yaml *yaml, int node,
                           void *target)
{
    (void)target;
    config->state_dir = take_text(config, yaml, node);
}

static void take_listen(struct tv_config *config, const struct tv_yaml *yaml, int node,
                        void *target)
{
    (void)target;
    config->listen = take_text(config, yaml, node);
}

/* Labels of trainvet_run_info, and those that Prometheus keeps for itself. */
static bool is_taken_label(const struct tv_config *config, const char *name)
{
    static const char *const ours[] = {"run_id", "run", "root", "framework", "scheduler", "state"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(ours[i], name) == 0)
            return true;
    for (size_t i = 0; i < config->labels_len; i += 2)
        if (strcmp(config->labels[i], name) == 0)
            return true;
    return strncmp(name, "__", 2) == 0;
}

static void take_labels(struct tv_config *config, const struct tv_yaml *yaml, int node,
                        void *target)
{
    (void)target;
    int key, value;
    for (size_t i = 0; is_mapping(config, yaml, node) && tv_yaml_pair(yaml, node, i, &key, &value);
         i++) {
        const char *name = tv_yaml_text(yaml, key);
        size_t len =
            strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        if (!*name || name[len] || (*name >= '0' && *name <= '9')) {
            complain(config, yaml, key, "a label is made of letters, digits and _, not \"%.60s\"",
                     name);
            continue;
        }
        if (is_taken_label(config, name)) {
            complain(config, yaml, key, "the label \"%.60s\" is there already", name);
            continue;
        }
        add_text(config, &config->labels, &config->labels_len, &config->labels_cap, name);
        add_text(config, &config->labels, &config->labels_len, &config->labels_cap,
                 tv_yaml_text(yaml, value));
    }
}

static void take_detector(struct tv_config *config, const struct tv_yaml *yaml, int key, int node)
{
    const char *id = tv_yaml_text(yaml, key);
    int name, value;
    struct tv_error error;
    if (!is_mapping(config, yaml, node))
        return;
    for (size_t i = 0; tv_yaml_pair(yaml, node, i, &name, &value); i++) {
        char setting[512];
        if (strcmp(tv_yaml_text(yaml, name), "enabled") == 0) {
            if (tv_choice_enable(&config->choice, id, truth(config, yaml, value), &error) != TV_OK)
                complain(config, yaml, key, "%s", error.message);
            continue;
        }
        snprintf(setting, sizeof setting, "%.100s.%.100s=%.200s", id, tv_yaml_text(yaml, name),
                 tv_yaml_text(yaml, value));
        if (tv_choice_set(&config->choice, keep(config, setting), &error) != TV_OK)
            complain(config, yaml, name, "%s", error.message);
    }
}

static void take_detectors(struct tv_config *config, const struct tv_yaml *yaml, int node,
                           void *target)
{
    (void)target;
    int key, value;
    if (!is_mapping(config, yaml, node))
        return;
    for (size_t i = 0; tv_yaml_pair(yaml, node, i, &key, &value); i++)
        take_detector(config, yaml, key, value);
}

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
    complain(config, yaml, type ? type : node,
             "a sink needs a type that exists%s%s%s (trainvet list)",
             near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return NULL;
}

static const struct tv_config_sink *find_sink(const struct tv_config *config, const char *name)
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
    struct tv_error error;
    if (strcmp(name, "command") == 0)
        tv_yaml_command(yaml, node, joined, sizeof joined);
    else
        tv_yaml_joined(yaml, node, joined, sizeof joined);
    if (near)
        complain(config, yaml, key,
                 "sink %.60s: there is no option \"%.60s\"; did you mean \"%s\"?", sink->name, name,
                 near);
    else if (tv_option_set(sink->sink->options, sink->options, name, keep(config, joined),
                           &error) != TV_OK)
        complain(config, yaml, key, "sink %.60s: %s", sink->name, error.message);
}

static void take_sink(struct tv_config *config, const struct tv_yaml *yaml, int key, int node)
{
    const struct tv_sink *type =
        is_mapping(config, yaml, node) ? sink_type(config, yaml, node) : NULL;
    if (!type)
        return;
    if (find_sink(config, tv_yaml_text(yaml, key))) {
        complain(config, yaml, key, "there are two sinks \"%.60s\"", tv_yaml_text(yaml, key));
        return;
    }
    struct tv_config_sink *sink = tv_arena_alloc(&config->arena, sizeof *sink),
                          **end = &config->sinks;
    *sink =
        (struct tv_config_sink){.name = keep(config, tv_yaml_text(yaml, key)),
                                .sink = type,
                                .options = tv_arena_alloc(&config->arena, type->options_size + 1)};
    tv_option_defaults(type->options, sink->options);
    int name, value;
    for (size_t i = 0; tv_yaml_pair(yaml, node, i, &name, &value); i++)
        if (strcmp(tv_yaml_text(yaml, name), "type") != 0)
            take_sink_option(config, yaml, sink, name, value);
    while (*end)
        end = &(*end)->next;
    *end = sink;
}

static void take_sinks(struct tv_config *config, const struct tv_yaml *yaml, int node, void *target)
{
    (void)target;
    int key, value;
    if (!is_mapping(config, yaml, node))
        return;
    for (size_t i = 0; tv_yaml_pair(yaml, node, i, &key, &value); i++)
        take_sink(config, yaml, key, value);
}

static void take_severity(struct tv_config *config, const struct tv_yaml *yaml, int node,
                          void *target)
{
    int level = tv_parse_level(tv_yaml_text(yaml, node));
    if (level < TV_INFO || level > TV_CRITICAL)
        complain(config, yaml, node, "expected info, warning or critical, not \"%.60s\"",
                 tv_yaml_text(yaml, node));
    else
        ((struct tv_config_route *)target)->severity = (enum tv_severity)level;
}

static void take_route_run(struct tv_config *config, const struct tv_yaml *yaml, int node,
                           void *target)
{
    ((struct tv_config_route *)target)->run = take_text(config, yaml, node);
}

static void take_route_detector(struct tv_config *config, const struct tv_yaml *yaml, int node,
                                void *target)
{
    ((struct tv_config_route *)target)->detector = take_text(config, yaml, node);
}

static void take_route_sinks(struct tv_config *config, const struct tv_yaml *yaml, int node,
                             void *target)
{
    struct tv_config_route *route = target;
    size_t count = list_len(config, yaml, node);
    route->sinks = tv_arena_alloc(&config->arena, (count + 1) * sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        int item = tv_yaml_item(yaml, node, i);
        if (!find_sink(config, tv_yaml_text(yaml, item)))
            complain(config, yaml, item, "there is no sink \"%.60s\"; sinks stand before routes",
                     tv_yaml_text(yaml, item));
        route->sinks[i] = keep(config, tv_yaml_text(yaml, item));
    }
}

static void take_go_on(struct tv_config *config, const struct tv_yaml *yaml, int node, void *target)
{
    ((struct tv_config_route *)target)->go_on = truth(config, yaml, node);
}

static void take_routes(struct tv_config *config, const struct tv_yaml *yaml, int node,
                        void *target)
{
    static const struct key keys[] = {
        {"severity", take_severity}, {"run", take_route_run},  {"detector", take_route_detector},
        {"sinks", take_route_sinks}, {"continue", take_go_on}, {NULL, NULL},
    };
    (void)target;
    size_t len = list_len(config, yaml, node);
    for (size_t i = 0; i < len; i++) {
        struct tv_config_route *route = tv_arena_alloc(&config->arena, sizeof *route),
                               **end = &config->routes;
        take_mapping(config, yaml, tv_yaml_item(yaml, node, i), keys, route);
        while (*end)
            end = &(*end)->next;
        *end = route;
    }
}

static void take_silence_run(struct tv_config *config, const struct tv_yaml *yaml, int node,
                             void *target)
{
    ((struct tv_config_silence *)target)->run = take_text(config, yaml, node);
}

static void take_silence_detector(struct tv_config *config, const struct tv_yaml *yaml, int node,
                                  void *target)
{
    ((struct tv_config_silence *)target)->detector = take_text(config, yaml, node);
}

static void take_until(struct tv_config *config, const struct tv_yaml *yaml, int node, void *target)
{
    if (!tv_parse_time(tv_span_of(tv_yaml_text(yaml, node)),
                       &((struct tv_config_silence *)target)->until))
        complain(config, yaml, node, "expected a time as 2026-01-02T03:04:05Z, not \"%.60s\"",
                 tv_yaml_text(yaml, node));
}

static void take_silences(struct tv_config *config, const struct tv_yaml *yaml, int node,
                          void *target)
{
    static const struct key keys[] = {{"run", take_silence_run},
                                      {"detector", take_silence_detector},
                                      {"until", take_until},
                                      {NULL, NULL}};
    (void)target;
    size_t len = list_len(config, yaml, node);
    for (size_t i = 0; i < len; i++) {
        struct tv_config_silence *silence = tv_arena_alloc(&config->arena, sizeof *silence);
        silence->until = INFINITY;
        take_mapping(config, yaml, tv_yaml_item(yaml, node, i), keys, silence);
        silence->next = config->silences;
        config->silences = silence;
    }
}

static const struct key top_keys[] = {
    {"roots", take_roots},
    {"poll", take_poll},
    {"active_poll", take_active_poll},
    {"idle_poll", take_idle_poll},
    {"end_after", take_end_after},
    {"state_dir", take_state_dir},
    {"listen", take_listen},
    {"labels", take_labels},
    {"detectors", take_detectors},
    {"sinks", take_sinks},
    {"routes", take_routes},
    {"silences", take_silences},
    {NULL, NULL},
};

static void read_file(struct tv_config *config, const char *path)
{
    struct tv_yaml yaml;
    char *error = tv_yaml_read(&yaml, path, TV_CONFIG_BYTES_MAX);
    if (error && config->errors_len < TV_CONFIG_ERRORS)
        config->errors[config->errors_len++] = error;
    else if (error) {
        config->errors_more++;
        free(error);
    }
    if (!error && tv_yaml_root(&yaml))
        take_mapping(config, &yaml, tv_yaml_root(&yaml), top_keys, NULL);
    tv_yaml_free(&yaml);
}

static int is_yaml(const struct dirent *entry)
{
    struct tv_span name = tv_span_of(entry->d_name);
    return entry->d_name[0] != '.' && (tv_span_ends(name, ".yaml") || tv_span_ends(name, ".yml"));
}

static void read_directory(struct tv_config *config, const char *path)
{
    char dir[PATH_MAX];
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    size_t stem = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
    struct dirent **names;
    if ((size_t)snprintf(dir, sizeof dir, "%.*s.d", (int)stem, path) >= sizeof dir)
        return;
    int count = scandir(dir, &names, is_yaml, alphasort);
    for (int i = 0; i < count; i++) {
        char file[PATH_MAX + 300];
        snprintf(file, sizeof file, "%s/%s", dir, names[i]->d_name);
        read_file(config, file);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

/* Sinks that know labels and were given none get those of the whole configuration. */
static void spread_labels(struct tv_config *config)
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
            tv_option_set(option, sink->options, "labels", keep(config, joined), NULL);
    }
}

bool tv_config_read(struct tv_config *config, const char *path)
{
    *config = (struct tv_config){
        .active_poll = 2, .idle_poll = 60, .end_after = 86400, .listen = "127.0.0.1:9464"};
    tv_choice_init(&config->choice);
    read_file(config, path);
    read_directory(config, path);
    spread_labels(config);
    if (config->roots_len == 0 && config->errors_len == 0) {
        char message[512];
        snprintf(message, sizeof message, "%.400s: no roots: nothing would be watched", path);
        config->errors[config->errors_len++] = tv_xstrndup(message, strlen(message));
    }
    return config->errors_len == 0;
}

void tv_config_free(struct tv_config *config)
{
    for (size_t i = 0; i < config->errors_len; i++)
        free(config->errors[i]);
    free(config->roots);
    free(config->labels);
    tv_choice_free(&config->choice);
    tv_arena_free(&config->arena);
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
