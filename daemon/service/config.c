/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/config.h"
#include "http/listen.h"
#include "service/config_read.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_text(struct tv_config *config, const char ***list, size_t *len, size_t *cap,
                     const char *text)
{
    if (*len + 1 >= *cap) {
        *cap = *cap ? *cap * 2 : 8;
        *list = tv_xrealloc(*list, *cap, sizeof(const char *));
    }
    (*list)[(*len)++] = tv_config_keep(config, text);
    (*list)[*len] = NULL;
}

static bool is_within(const char *path, const char *root)
{
    size_t len = strlen(root);
    while (len > 1 && root[len - 1] == '/')
        len--;
    return strncmp(path, root, len) == 0 && (!path[len] || path[len] == '/' || len == 1);
}

/* A root that holds this one or lies in it: their runs would be told of under two names. */
static const char *overlapping(const struct tv_config *config, const char *path)
{
    for (size_t i = 0; i < config->roots_len; i++)
        if (is_within(path, config->roots[i]) || is_within(config->roots[i], path))
            return config->roots[i];
    return NULL;
}

static void take_roots(struct tv_config *config, const struct tv_yaml *yaml, int node, void *target)
{
    (void)target;
    size_t len = tv_config_list_len(config, yaml, node);
    for (size_t i = 0; i < len; i++) {
        int item = tv_yaml_item(yaml, node, i);
        const char *path = tv_yaml_text(yaml, item);
        const char *other = path[0] == '/' ? overlapping(config, path) : NULL;
        if (path[0] != '/')
            tv_config_complain(config, yaml, item, "a root is an absolute path, not \"%.120s\"",
                               path);
        else if (other)
            tv_config_complain(config, yaml, item,
                               "the roots %.120s and %.120s share runs: name the upper one only",
                               other, path);
        else
            add_text(config, &config->roots, &config->roots_len, &config->roots_cap, path);
    }
}

static void take_seconds(struct tv_config *config, const struct tv_yaml *yaml, int node,
                         void *target)
{
    double seconds;
    if (!tv_parse_double(tv_span_of(tv_yaml_text(yaml, node)), &seconds) || !(seconds > 0))
        tv_config_complain(config, yaml, node,
                           "expected a number of seconds above 0, not \"%.60s\"",
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

static void take_poll(struct tv_config *config, const struct tv_yaml *yaml, int node, void *target)
{
    (void)target;
    config->poll = tv_config_truth(config, yaml, node);
}

static void take_flapping_after(struct tv_config *config, const struct tv_yaml *yaml, int node,
                                void *target)
{
    (void)target;
    int64_t value;
    if (!tv_parse_int64(tv_span_of(tv_config_text(config, yaml, node)), &value) || value < 0 ||
        value > 1000)
        tv_config_complain(config, yaml, node,
                           "expected how often a finding is told that comes and goes, up to 1000; "
                           "0: each time");
    else
        config->choice.engine.flapping_after = value ? (unsigned)value : UINT_MAX;
}

static void take_state_dir(struct tv_config *config, const struct tv_yaml *yaml, int node,
                           void *target)
{
    (void)target;
    config->state_dir = tv_config_text(config, yaml, node);
}

static void take_listen(struct tv_config *config, const struct tv_yaml *yaml, int node,
                        void *target)
{
    (void)target;
    struct tv_error error;
    config->listen = tv_config_text(config, yaml, node);
    if (*config->listen && strcmp(config->listen, "off") != 0 &&
        tv_listen_check(config->listen, &error) != TV_OK)
        tv_config_complain(config, yaml, node, "%s", error.message);
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
    for (size_t i = 0;
         tv_config_is_mapping(config, yaml, node) && tv_yaml_pair(yaml, node, i, &key, &value);
         i++) {
        const char *name = tv_yaml_text(yaml, key);
        size_t len =
            strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        if (!*name || name[len] || (*name >= '0' && *name <= '9')) {
            tv_config_complain(config, yaml, key,
                               "a label is made of letters, digits and _, not \"%.60s\"", name);
            continue;
        }
        if (is_taken_label(config, name)) {
            tv_config_complain(config, yaml, key, "the label \"%.60s\" is there already", name);
            continue;
        }
        if (strchr(tv_yaml_text(yaml, value), ',') || !*tv_yaml_text(yaml, value)) {
            tv_config_complain(config, yaml, value,
                               "a label's value is a text without commas, not \"%.60s\"",
                               tv_yaml_text(yaml, value));
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
    if (!tv_config_is_mapping(config, yaml, node))
        return;
    for (size_t i = 0; tv_yaml_pair(yaml, node, i, &name, &value); i++) {
        char setting[512];
        if (strcmp(tv_yaml_text(yaml, name), "enabled") == 0) {
            if (tv_choice_enable(&config->choice, id, tv_config_truth(config, yaml, value),
                                 &error) != TV_OK)
                tv_config_complain(config, yaml, key, "%s", error.message);
            continue;
        }
        snprintf(setting, sizeof setting, "%.100s.%.100s=%.200s", id, tv_yaml_text(yaml, name),
                 tv_yaml_text(yaml, value));
        if (tv_choice_set(&config->choice, tv_config_keep(config, setting), &error) != TV_OK)
            tv_config_complain(config, yaml, name, "%s", error.message);
    }
}

static void take_preset(struct tv_config *config, const struct tv_yaml *yaml, int node,
                        void *target)
{
    (void)target;
    struct tv_error error;
    const char *name = tv_config_text(config, yaml, node);
    if (*name && tv_choice_preset(&config->choice, name, &error) != TV_OK)
        tv_config_complain(config, yaml, node, "%s", error.message);
}

static void take_detectors(struct tv_config *config, const struct tv_yaml *yaml, int node,
                           void *target)
{
    (void)target;
    int key, value;
    if (!tv_config_is_mapping(config, yaml, node))
        return;
    for (size_t i = 0; tv_yaml_pair(yaml, node, i, &key, &value); i++)
        take_detector(config, yaml, key, value);
}

static const struct tv_config_key top_keys[] = {
    {"roots", take_roots},
    {"poll", take_poll},
    {"active_poll", take_active_poll},
    {"idle_poll", take_idle_poll},
    {"end_after", take_end_after},
    {"flapping_after", take_flapping_after},
    {"state_dir", take_state_dir},
    {"listen", take_listen},
    {"labels", take_labels},
    {"detectors", take_detectors},
    {"preset", take_preset},
    {"sinks", tv_config_take_sinks},
    {"routes", tv_config_take_routes},
    {"silences", tv_config_take_silences},
    {NULL, NULL},
};

static void read_file(struct tv_config *config, const char *path)
{
    struct tv_yaml yaml;
    char *error = tv_yaml_read(&yaml, path, TV_CONFIG_BYTES_MAX);
    if (error)
        tv_config_add_error(config, error);
    else if (tv_yaml_root(&yaml))
        tv_config_mapping(config, &yaml, tv_yaml_root(&yaml), top_keys, NULL);
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

bool tv_config_read(struct tv_config *config, const char *path)
{
    *config = (struct tv_config){
        .active_poll = 2, .idle_poll = 60, .end_after = 86400, .listen = "127.0.0.1:9464"};
    tv_choice_init(&config->choice);
    read_file(config, path);
    read_directory(config, path);
    tv_config_finish_sinks(config);
    tv_config_finish_routes(config);
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
