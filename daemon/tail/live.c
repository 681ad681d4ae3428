/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/map.h"
#include "base/memory.h"
#include "tail/live_parts.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double unix_time(const struct timespec *time)
{
    return (double)time->tv_sec + 1e-9 * (double)time->tv_nsec;
}

static void add_file(struct tv_live *live, struct tv_live_source *source, const char *path,
                     const struct tv_parser *parser)
{
    struct tv_live_file **end = &source->files, *file = tv_arena_alloc(&live->arena, sizeof *file);
    while (*end)
        end = &(*end)->next;
    file->path = tv_arena_text(&live->arena, (struct tv_span){path, strlen(path)});
    file->parser = parser;
    *end = file;
    if (!source->current)
        source->current = file;
}

static void add_files(struct tv_live *live, struct tv_live_source *source,
                      const struct tv_found_file *found)
{
    for (; found; found = found->next)
        add_file(live, source, found->path, found->parser);
}

static struct tv_live_source *add_source(struct tv_live *live, const char *prefix, int rank)
{
    struct tv_live_source **end = &live->sources,
                          *source = tv_arena_alloc(&live->arena, sizeof *source);
    while (*end)
        end = &(*end)->next;
    *end = source;
    source->prefix = tv_arena_text(&live->arena, (struct tv_span){prefix, strlen(prefix)});
    source->rank = rank;
    source->source = tv_run_source(live->run, &(struct tv_source_info){source->prefix, rank});
    return source;
}

static struct tv_live *new_live(
    const struct tv_engine_options *options, const char *name, const char *root,
    void (*say)(void *ctx, const char *path, const struct tv_damage *damage), void *ctx)
{
    struct tv_live *live = tv_xcalloc(1, sizeof *live);
    live->run = tv_run_new(options, name);
    live->name = tv_arena_text(&live->arena, (struct tv_span){name, strlen(name)});
    if (root) {
        live->root = tv_arena_text(&live->arena, (struct tv_span){root, strlen(root)});
        tv_run_set_root(live->run, root);
    }
    live->options = options;
    live->say = say;
    live->say_ctx = ctx;
    tv_run_on_problem(live->run, say, ctx);
    return live;
}

struct tv_live *tv_live_new(
    const struct tv_engine_options *options, const struct tv_found_run *found,
    void (*say)(void *ctx, const char *path, const struct tv_damage *damage), void *ctx)
{
    struct tv_live *live = new_live(options, found->name, found->root, say, ctx);
    struct tv_live_source *configs = add_source(live, "", 0);
    add_files(live, configs, found->configs);
    if (!configs->files)
        tv_source_done(configs->source);
    for (const struct tv_found_source *source = found->sources; source; source = source->next)
        add_files(live, add_source(live, source->prefix, source->rank), source->files);
    return live;
}

struct tv_live *tv_live_again(const struct tv_live *live)
{
    struct tv_live *again =
        new_live(live->options, live->name, live->root, live->say, live->say_ctx);
    for (const struct tv_live_source *source = live->sources; source; source = source->next) {
        struct tv_live_source *copy = add_source(again, source->prefix, source->rank);
        for (const struct tv_live_file *file = source->files; file; file = file->next)
            add_file(again, copy, file->path, file->parser);
        if (source == live->sources && !copy->files)
            tv_source_done(copy->source);
    }
    return again;
}

void tv_live_free(struct tv_live *live)
{
    if (!live)
        return;
    for (struct tv_live_source *source = live->sources; source; source = source->next) {
        if (source->is_reading)
            tv_reader_close(tv_live_reader(source));
        tv_block_free(&source->reader);
    }
    tv_run_free(live->run);
    tv_arena_free(&live->arena);
    free(live);
}

static bool is_as_found(const struct tv_live_file *file, const struct tv_found_file *found)
{
    return file->was_seen && (uint64_t)file->seen.size == found->size &&
           unix_time(&file->seen.modified) == found->mtime;
}

/* Whether `found` begins with the known files; *ret_new is what it adds. */
static bool begins_with(const struct tv_live_file *known, const struct tv_found_file *found,
                        const struct tv_found_file **ret_new, bool *is_moved)
{
    for (; known; known = known->next, found = found->next) {
        if (!found || strcmp(known->path, found->path) != 0 || known->parser != found->parser)
            return false;
        *is_moved = *is_moved || !is_as_found(known, found);
    }
    *ret_new = found;
    *is_moved = *is_moved || found;
    return true;
}

enum tv_live_match tv_live_extend(struct tv_live *live, const struct tv_found_run *found)
{
    bool is_moved = false;
    const struct tv_found_file *added[TV_DISCOVER_SOURCES + 1] = {NULL};
    size_t count = 0;
    struct tv_live_source *source = live->sources;
    if (!begins_with(source->files, found->configs, &added[0], &is_moved) || added[0])
        return TV_LIVE_OTHER;
    const struct tv_found_source *other = found->sources;
    for (source = source->next; source && other; source = source->next, other = other->next)
        if (strcmp(source->prefix, other->prefix) != 0 || source->rank != other->rank ||
            !begins_with(source->files, other->files, &added[count++], &is_moved))
            return TV_LIVE_OTHER;
    if (source || other)
        return TV_LIVE_OTHER;
    count = 0;
    for (source = live->sources->next; source; source = source->next) {
        if (added[count] && (live->ended || source->is_done))
            return TV_LIVE_OTHER;
        add_files(live, source, added[count++]);
    }
    return is_moved ? TV_LIVE_MOVED : TV_LIVE_STILL;
}

struct tv_read_counts tv_live_take_counts(struct tv_live *live)
{
    struct tv_read_counts counts = live->read;
    live->read = (struct tv_read_counts){0};
    return counts;
}

bool tv_live_is_torn(const struct tv_live *live)
{
    return live->torn;
}

double tv_live_written(const struct tv_live *live)
{
    double newest = NAN;
    for (const struct tv_live_source *source = live->sources->next; source; source = source->next)
        for (const struct tv_live_file *file = source->files; file; file = file->next)
            if (file->was_seen)
                newest = fmax(newest, unix_time(&file->seen.modified));
    return newest;
}

void tv_live_end(struct tv_live *live, double now)
{
    for (struct tv_live_source *source = live->sources; source; source = source->next) {
        if (source->is_reading) {
            tv_reader_finish(tv_live_reader(source), &source->emit);
            tv_live_close_reader(source);
        }
        tv_source_done(source->source);
    }
    tv_run_end(live->run, now);
    live->ended = true;
}

void tv_live_rest(struct tv_live *live, bool is_quiet)
{
    for (struct tv_live_source *source = live->sources; source; source = source->next)
        tv_block_fold(&source->reader, sizeof(struct tv_reader));
    if (live->run)
        tv_run_rest(live->run, is_quiet);
}

void tv_live_shed(struct tv_live *live)
{
    tv_run_free(live->run);
    live->run = NULL;
}

struct tv_run *tv_live_run(struct tv_live *live)
{
    return live->run;
}

static uint64_t hash_file(const char *path, const struct tv_look *seen, uint64_t hash)
{
    int64_t facts[] = {(int64_t)seen->device, (int64_t)seen->inode, seen->size,
                       seen->modified.tv_sec, seen->modified.tv_nsec};
    hash = tv_hash((struct tv_span){path, strlen(path)}, hash);
    return tv_hash((struct tv_span){(const char *)facts, sizeof facts}, hash);
}

static uint64_t hash_found(const struct tv_found_file *file, uint64_t hash)
{
    for (; file; file = file->next) {
        struct tv_look now;
        tv_look_up(file->path, &now);
        hash = hash_file(file->path, &now, hash);
    }
    return hash;
}

void tv_found_digest(const struct tv_found_run *found, char ret[17])
{
    uint64_t hash = hash_found(found->configs, 1);
    for (const struct tv_found_source *source = found->sources; source; source = source->next)
        hash = hash_found(source->files, hash);
    snprintf(ret, 17, "%016" PRIx64, hash);
}

void tv_live_digest(const struct tv_live *live, char ret[17])
{
    uint64_t hash = 1;
    for (const struct tv_live_source *source = live->sources; source; source = source->next)
        for (const struct tv_live_file *file = source->files; file; file = file->next)
            hash = hash_file(file->path, &file->seen, hash);
    snprintf(ret, 17, "%016" PRIx64, hash);
}
