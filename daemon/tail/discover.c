/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/discover.h"
#include "base/map.h"
#include "tail/assemble.h"
#include "tail/layout.h"
#include "trainvet/text.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_BYTES = 512 }; /* as the engine keeps it */

static const char *relative(struct tv_assembly *work, const char *path)
{
    size_t len = strlen(work->path);
    const char *rest = path + len;
    while (*rest == '/')
        rest++;
    if (!*rest)
        return work->is_one_of_many ? work->path : ".";
    if (!work->is_one_of_many)
        return rest;
    return path;
}

/* Two names that differ would be one run to those who are told, were they cut or were what cannot
 * be shown replaced: those bear a hash. */
static const char *distinct(struct tv_assembly *work, const char *name)
{
    char shown[NAME_BYTES], marked[NAME_BYTES];
    if (strcmp(tv_escape(tv_span_of(name), shown, sizeof shown), name) == 0)
        return name;
    tv_escape(tv_span_of(name), shown, sizeof shown - sizeof "~0123456789abcdef");
    struct tv_text text = tv_text_in(marked, sizeof marked);
    tv_text_add(&text, "%s~%016" PRIx64, shown, tv_hash(tv_span_of(name), 0));
    return tv_arena_text(&work->found->arena, tv_span_of(marked));
}

static void name_run(struct tv_assembly *work, struct tv_found_run *run)
{
    run->name = distinct(work, relative(work, run->path));
    run->root = work->found->by_root ? work->path : NULL;
}

/* Configuration above the levels that tools put between it and the log, when it can only be this
 * run's. */
static void add_configs_above(struct tv_assembly *work, struct tv_found_run *run,
                              struct tv_tree_node *dir)
{
    if (strcmp(run->path, dir->path) != 0)
        return;
    while (dir->parent && dir->parent->runs == 1 && tv_is_technical(dir->name)) {
        dir = dir->parent;
        tv_add_configs(work, run, dir);
    }
}

static void discover_directory(struct tv_assembly *work)
{
    work->root = tv_tree_walk(work->found, work->path);
    if (!work->root)
        return;
    size_t problems = work->found->problems_len;
    tv_group(work, work->root);
    for (size_t i = work->first; i < work->found->runs_len; i++) {
        name_run(work, &work->found->runs[i]);
        add_configs_above(work, &work->found->runs[i], work->dirs[i - work->first]);
    }
    if (work->found->runs_len > work->first || work->found->problems_len > problems)
        return;
    tv_found_problem(work->found, work->path, false,
                     "holds no training log that trainvet can read (trainvet list names the "
                     "formats)");
    if (work->found->problems_len > problems)
        work->found->problems[problems].is_empty = true;
}

static char *without_slashes(struct tv_arena *arena, const char *path)
{
    char *copy = tv_arena_text(arena, tv_span_of(path));
    for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
        copy[len - 1] = '\0';
    return copy;
}

static bool same_directory(const char *a, const char *b)
{
    const char *slash_a = strrchr(a, '/'), *slash_b = strrchr(b, '/');
    size_t len_a = slash_a ? (size_t)(slash_a - a) : 0, len_b = slash_b ? (size_t)(slash_b - b) : 0;
    return len_a == len_b && memcmp(a, b, len_a) == 0;
}

/* Event files of one directory are one run, as for TensorBoard. */
static bool joins_events(struct tv_assembly *work, struct tv_tree_file *file)
{
    for (size_t i = 0; file->is_events && i < work->found->runs_len; i++) {
        struct tv_found_run *run = &work->found->runs[i];
        if (run->is_file && run->sources->files->parser == file->parser &&
            same_directory(run->path, file->path)) {
            tv_append_file(work->found, &run->sources->files, file);
            return true;
        }
    }
    return false;
}

/* A configuration that is given as a PATH belongs to the logs given from the same directory. */
static void discover_config(struct tv_found *found, struct tv_tree_file *file)
{
    bool used = false;
    for (size_t i = 0; i < found->runs_len; i++) {
        struct tv_found_run *run = &found->runs[i];
        if (run->is_file && same_directory(run->path, file->path)) {
            tv_append_file(found, &run->configs, file);
            used = true;
        }
    }
    if (!used)
        tv_found_problem(
            found, file->path, found->runs_len > 0,
            "is configuration, not a log: give it as --config FILE, or see trainvet lr");
}

static void file_run(struct tv_assembly *work, struct tv_tree_file *file)
{
    struct tv_found_run *run = tv_assembly_run(work, NULL);
    if (!run)
        return;
    run->is_file = true;
    name_run(work, run);
    tv_add_log(work, run, file, TV_RANK_LOG);
}

static bool is_directory(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

static const char *parent_of(struct tv_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    return tv_arena_text(arena, (struct tv_span){path, slash == path ? 1 : (size_t)(slash - path)});
}

static void discover(struct tv_found *found, const char *const *paths, size_t count, bool join)
{
    struct tv_tree_file *configs = NULL, **end = &configs;
    for (size_t i = 0; i < count; i++) {
        struct tv_assembly work = {.found = found,
                                   .path = without_slashes(&found->arena, paths[i]),
                                   .first = found->runs_len,
                                   .is_one_of_many = count > 1 && !found->by_root};
        if (is_directory(work.path)) {
            discover_directory(&work);
            free(work.dirs);
            continue;
        }
        struct tv_tree_file *file =
            tv_tree_file(found, AT_FDCWD, work.path, work.path, false, true);
        if (!file)
            continue;
        tv_found_dir(found, parent_of(&found->arena, work.path));
        if (join && file->parser->is_config) {
            *end = file;
            end = &file->next;
        } else if (!join || !joins_events(&work, file)) {
            file_run(&work, file);
        }
        free(work.dirs);
    }
    while (configs) {
        struct tv_tree_file *file = configs;
        configs = configs->next;
        discover_config(found, file);
    }
}

void tv_discover(struct tv_found *found, const char *const *paths, size_t count)
{
    discover(found, paths, count, true);
}

void tv_discover_files(struct tv_found *found, const char *const *paths, size_t count)
{
    discover(found, paths, count, false);
}

void tv_found_dir(struct tv_found *found, const char *path)
{
    if (found->dirs_len == found->dirs_cap) {
        found->dirs_cap = found->dirs_cap ? found->dirs_cap * 2 : 16;
        found->dirs = tv_xrealloc(found->dirs, found->dirs_cap, sizeof *found->dirs);
    }
    found->dirs[found->dirs_len++] = path;
}

void tv_found_free(struct tv_found *found)
{
    free(found->dirs);
    free(found->runs);
    free(found->problems);
    tv_arena_free(&found->arena);
    *found = (struct tv_found){0};
}
