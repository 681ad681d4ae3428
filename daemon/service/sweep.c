/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/sweep.h"
#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "sinks/lib/alert_json.h"
#include "store/alert_text.h"
#include "trainvet/text.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_BYTES = 512, PATH_BYTES = 2 * NAME_BYTES + 2 };

/* A firing alert whose run was not found. */
struct tv_missing {
    struct tv_missing *next;
    char fingerprint[17];
    double since;
    char *object; /* of this sweep, NULL: the run is back */
};

struct sweeping {
    struct tv_sweep *sweep;
    const struct tv_sweep_options *options;
    const struct tv_found *found;
    struct tv_map there;
    double now;
};

static const char *escaped(const char *text, char *buffer, size_t cap)
{
    return tv_escape(tv_span_of(text), buffer, cap);
}

/* Of the run, as far as it can be told from escaped names. */
static void path_of(char path[PATH_BYTES], const char *root, const char *run)
{
    if (strcmp(run, ".") == 0)
        snprintf(path, PATH_BYTES, "%s", root);
    else
        snprintf(path, PATH_BYTES, "%s/%s", root, run);
}

static void note_found(struct sweeping *s, struct tv_arena *arena)
{
    char root[NAME_BYTES], name[NAME_BYTES], path[PATH_BYTES];
    for (size_t i = 0; i < s->found->runs_len; i++) {
        const struct tv_found_run *run = &s->found->runs[i];
        path_of(path, escaped(run->root ? run->root : "", root, sizeof root),
                escaped(run->name, name, sizeof name));
        tv_map_set(&s->there, tv_span_of(tv_arena_text(arena, tv_span_of(path))), (void *)run);
    }
}

static bool is_configured(const struct sweeping *s, const char *root)
{
    char own[NAME_BYTES];
    for (size_t i = 0; i < s->options->roots_len; i++) {
        struct tv_span path = tv_span_of(s->options->roots[i]);
        while (path.len > 1 && path.data[path.len - 1] == '/')
            path.len--;
        if (strcmp(tv_escape(path, own, sizeof own), root) == 0)
            return true;
    }
    return false;
}

/* Whether `path` is `above` or lies below it. */
static bool is_below(const char *path, const char *above)
{
    size_t len = strlen(above);
    return strncmp(path, above, len) == 0 && (!path[len] || path[len] == '/');
}

/* Something above the run or in it could not be read. */
static bool is_unreadable(const struct sweeping *s, const char *run_path)
{
    char path[PATH_BYTES];
    if (s->found->problems_dropped)
        return true;
    for (size_t i = 0; i < s->found->problems_len; i++) {
        const struct tv_found_problem *problem = &s->found->problems[i];
        escaped(problem->path, path, sizeof path);
        if (!problem->is_note && !problem->is_empty &&
            (is_below(path, run_path) || is_below(run_path, path)))
            return true;
    }
    return false;
}

/* -1: it cannot be read. */
static int entries_of(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    if (!dir)
        return -1;
    for (struct dirent *entry; count == 0 && (entry = readdir(dir));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return count;
}

/* Something of its place is there, and it was emptied rather than never filled. */
static bool was_removed(struct sweeping *s, const char *root, char *path,
                        const struct tv_alert *alert)
{
    struct stat info;
    while (lstat(path, &info) != 0) {
        char *slash = strrchr(path, '/');
        if ((errno != ENOENT && errno != ENOTDIR) || !slash || strlen(path) <= strlen(root))
            return false;
        *slash = '\0';
    }
    if (!S_ISDIR(info.st_mode))
        return true;
    int entries = entries_of(path);
    return entries > 0 ||
           (entries == 0 &&
            (double)info.st_mtime >= tv_store_changed(s->options->store, alert->fingerprint) - 1);
}

static bool is_gone(struct sweeping *s, const struct tv_alert *alert)
{
    char path[PATH_BYTES];
    if (!alert->root || !is_configured(s, alert->root))
        return true;
    path_of(path, alert->root, alert->run);
    return !tv_map_get(&s->there, tv_span_of(path)) && !is_unreadable(s, path) &&
           was_removed(s, alert->root, path, alert);
}

static bool look_at(void *ctx, const struct tv_alert *alert)
{
    struct sweeping *s = ctx;
    if (!is_gone(s, alert))
        return true;
    struct tv_missing *known = s->sweep->missing;
    while (known && strcmp(known->fingerprint, alert->fingerprint) != 0)
        known = known->next;
    if (!known) {
        known = tv_xcalloc(1, sizeof *known);
        memcpy(known->fingerprint, alert->fingerprint, sizeof known->fingerprint);
        known->since = s->now;
        known->next = s->sweep->missing;
        s->sweep->missing = known;
    }
    struct tv_json json = {0};
    tv_alert_json(&json, alert);
    known->object = json.data;
    return true;
}

static void tell(const struct tv_sweep_options *options, const char *object)
{
    struct tv_arena texts = {0};
    struct tv_alert alert;
    if (tv_alert_from_json(object, &texts, &alert)) {
        alert.state = TV_RESOLVED;
        alert.resolved_step = alert.step;
        options->tell(options->ctx, &alert);
    }
    tv_arena_free(&texts);
}

void tv_sweep(struct tv_sweep *sweep, const struct tv_sweep_options *options,
              const struct tv_found *found, double now)
{
    struct sweeping s = {.sweep = sweep, .options = options, .found = found, .now = now};
    struct tv_arena arena = {0};
    note_found(&s, &arena);
    tv_store_each(options->store, true, look_at, &s);
    for (struct tv_missing **at = &sweep->missing; *at;) {
        struct tv_missing *one = *at;
        bool over = one->object && now - one->since >= options->grace;
        if (over)
            tell(options, one->object);
        bool back = !one->object;
        free(one->object);
        one->object = NULL;
        if (over || back) {
            *at = one->next;
            free(one);
        } else {
            at = &one->next;
        }
    }
    tv_map_free(&s.there);
    tv_arena_free(&arena);
}

void tv_sweep_free(struct tv_sweep *sweep)
{
    while (sweep->missing) {
        struct tv_missing *next = sweep->missing->next;
        free(sweep->missing);
        sweep->missing = next;
    }
}
