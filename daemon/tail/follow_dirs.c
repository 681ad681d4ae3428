/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "tail/follow_parts.h"
#include "trainvet/text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct tv_directory *directory_at(struct tv_follow *follow, const char *path, size_t len)
{
    struct tv_directory *dir = tv_map_get(&follow->dirs_by_path, (struct tv_span){path, len});
    if (dir)
        return dir;
    dir = tv_xcalloc(1, sizeof *dir);
    dir->path = tv_xstrndup(path, len);
    dir->next = follow->dirs;
    follow->dirs = dir;
    tv_map_set(&follow->dirs_by_path, (struct tv_span){dir->path, len}, dir);
    return dir;
}

static void free_directory(struct tv_directory *dir)
{
    free(dir->path);
    free(dir->runs);
    free(dir);
}

static void tell_full(struct tv_follow *follow, const char *path)
{
    struct tv_damage damage = {
        .what = "inotify has no watch left (fs.inotify.max_user_watches): this directory and those "
                "after it are looked at from time to time instead"};
    if (!follow->said_full)
        follow->options->problem(follow->options->ctx, path, &damage);
    follow->said_full = true;
}

void tv_follow_watch(struct tv_follow *follow, const struct tv_found *found)
{
    follow->must_poll = false;
    for (struct tv_directory *dir = follow->dirs; dir; dir = dir->next)
        dir->is_found = false;
    bool is_full = false;
    for (size_t i = 0; i < found->dirs_len; i++) {
        struct tv_directory *dir = directory_at(follow, found->dirs[i], strlen(found->dirs[i]));
        dir->is_found = true;
        dir->is_watched = dir->is_watched && tv_watch_has(follow->watch, dir->path);
        if (follow->watch && !is_full && !dir->is_watched && tv_watch_works_on(dir->path)) {
            dir->is_watched = tv_watch_add(follow->watch, dir->path, dir);
            /* what came into it between the search and the watch is found by another search */
            follow->entries_changed = follow->entries_changed || dir->is_watched;
            is_full = !dir->is_watched && errno == ENOSPC;
            if (is_full)
                tell_full(follow, dir->path);
        }
        follow->must_poll = follow->must_poll || !dir->is_watched;
    }
    for (struct tv_directory *dir = follow->dirs; dir; dir = dir->next)
        if (!dir->is_found && dir->is_watched && !found->is_incomplete) {
            tv_watch_remove(follow->watch, dir->path);
            dir->is_watched = false;
        }
}

static void remember_directory(struct tv_follow *follow, struct tv_followed *run, const char *file)
{
    const char *slash = strrchr(file, '/');
    struct tv_directory *dir =
        slash ? directory_at(follow, file, slash == file ? 1 : (size_t)(slash - file))
              : directory_at(follow, ".", 1);
    dir->has_run = true;
    if (!run)
        return;
    for (size_t i = 0; i < run->dirs_len; i++)
        if (run->dirs[i] == dir)
            return;
    if (run->dirs_len == TV_DISCOVER_SOURCES)
        return;
    run->dirs = tv_xrealloc(run->dirs, run->dirs_len + 1, sizeof(struct tv_directory *));
    run->dirs[run->dirs_len++] = dir;
    dir->runs = tv_xrealloc(dir->runs, dir->runs_len + 1, sizeof(struct tv_followed *));
    dir->runs[dir->runs_len++] = run;
}

void tv_follow_leave_dirs(struct tv_followed *run)
{
    for (size_t i = 0; i < run->dirs_len; i++) {
        struct tv_directory *dir = run->dirs[i];
        size_t place = 0;
        while (dir->runs[place] != run)
            place++;
        dir->runs[place] = dir->runs[--dir->runs_len];
    }
    run->dirs_len = 0;
}

void tv_follow_remember(struct tv_follow *follow, struct tv_followed *run,
                        const struct tv_found_run *found)
{
    if (run)
        tv_follow_leave_dirs(run);
    for (const struct tv_found_file *file = found->configs; file; file = file->next)
        remember_directory(follow, run, file->path);
    for (const struct tv_found_source *source = found->sources; source; source = source->next)
        for (const struct tv_found_file *file = source->files; file; file = file->next)
            remember_directory(follow, run, file->path);
}

void tv_follow_drop_dirs(struct tv_follow *follow)
{
    struct tv_directory **at = &follow->dirs, *dir;
    bool dropped = false;
    while ((dir = *at)) {
        if (dir->is_found || dir->is_watched || dir->runs_len) {
            at = &dir->next;
            continue;
        }
        *at = dir->next;
        free_directory(dir);
        dropped = true;
    }
    if (!dropped)
        return;
    tv_map_free(&follow->dirs_by_path);
    for (dir = follow->dirs; dir; dir = dir->next)
        tv_map_set(&follow->dirs_by_path, tv_span_of(dir->path), dir);
}

static void on_dirty(void *ctx, void *cookie, bool entries)
{
    struct tv_follow *follow = ctx;
    struct tv_directory *one = cookie;
    /* what grows where no run is known may have become one: an empty file is no log yet */
    follow->entries_changed = follow->entries_changed || entries || (one && !one->has_run);
    for (size_t i = 0; one && i < one->runs_len; i++)
        tv_follow_hint(follow, one->runs[i]);
    follow->overflows += !one;
    for (struct tv_followed *run = follow->runs; !one && run; run = run->next)
        tv_follow_hint(follow, run);
}

void tv_follow_drain(struct tv_follow *follow)
{
    if (follow->watch)
        tv_watch_drain(follow->watch, on_dirty, follow);
}

bool tv_followed_is_watched(const struct tv_followed *run)
{
    for (size_t i = 0; i < run->dirs_len; i++)
        if (!run->dirs[i]->is_watched)
            return false;
    return true;
}

void tv_follow_free_dirs(struct tv_follow *follow)
{
    while (follow->dirs) {
        struct tv_directory *next = follow->dirs->next;
        if (follow->dirs->is_watched)
            tv_watch_remove(follow->watch, follow->dirs->path);
        free_directory(follow->dirs);
        follow->dirs = next;
    }
    tv_map_free(&follow->dirs_by_path);
}
