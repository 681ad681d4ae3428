/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/live.h"
#include "base/map.h"
#include "base/memory.h"
#include "tail/reader.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What tells that a file is as it was. */
struct look {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

struct live_file {
    struct live_file *next;
    char *path;
    const struct tv_parser *parser;
    struct look seen; /* when it was last looked at */
    bool was_seen, is_over;
    bool said_blocked;
};

struct live_source {
    struct live_source *next;
    char *prefix;
    int rank;
    struct live_file *files, *current; /* files before `current` are over */
    struct tv_source *source;
    struct tv_block reader; /* struct tv_reader */
    struct tv_emit emit;
    bool is_reading; /* the reader holds a paused file */
    bool is_done;    /* its last file is one that ends */
};

struct tv_live {
    struct tv_run *run;          /* NULL once it is shed */
    struct live_source *sources; /* the first one holds the configuration files */
    struct tv_arena arena;
    const struct tv_engine_options *options;
    char *name, *root; /* root NULL: no part of the identity */
    void (*say)(void *ctx, const char *path, const struct tv_damage *damage);
    void *say_ctx;
    bool ended, torn;
    struct tv_read_counts read;
};

static double unix_time(const struct timespec *time)
{
    return (double)time->tv_sec + 1e-9 * (double)time->tv_nsec;
}

static struct tv_reader *reader_of(struct live_source *source)
{
    return tv_block_open(&source->reader, sizeof(struct tv_reader));
}

static void add_file(struct tv_live *live, struct live_source *source, const char *path,
                     const struct tv_parser *parser)
{
    struct live_file **end = &source->files, *file = tv_arena_alloc(&live->arena, sizeof *file);
    while (*end)
        end = &(*end)->next;
    file->path = tv_arena_text(&live->arena, (struct tv_span){path, strlen(path)});
    file->parser = parser;
    *end = file;
    if (!source->current)
        source->current = file;
}

static void add_files(struct tv_live *live, struct live_source *source,
                      const struct tv_found_file *found)
{
    for (; found; found = found->next)
        add_file(live, source, found->path, found->parser);
}

static struct live_source *add_source(struct tv_live *live, const char *prefix, int rank)
{
    struct live_source **end = &live->sources,
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
    struct live_source *configs = add_source(live, "", 0);
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
    for (const struct live_source *source = live->sources; source; source = source->next) {
        struct live_source *copy = add_source(again, source->prefix, source->rank);
        for (const struct live_file *file = source->files; file; file = file->next)
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
    for (struct live_source *source = live->sources; source; source = source->next) {
        if (source->is_reading)
            tv_reader_close(reader_of(source));
        tv_block_free(&source->reader);
    }
    tv_run_free(live->run);
    tv_arena_free(&live->arena);
    free(live);
}

static bool is_as_found(const struct live_file *file, const struct tv_found_file *found)
{
    return file->was_seen && (uint64_t)file->seen.size == found->size &&
           unix_time(&file->seen.modified) == found->mtime;
}

/* Whether `found` begins with the known files; *ret_new is what it adds. */
static bool begins_with(const struct live_file *known, const struct tv_found_file *found,
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
    struct live_source *source = live->sources;
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

static bool look_up(const char *path, struct look *ret)
{
    struct stat now;
    bool is_there = stat(path, &now) == 0;
    *ret = (struct look){.size = -1};
    if (is_there)
        *ret = (struct look){now.st_dev, now.st_ino, now.st_size, now.st_mtim};
    return is_there;
}

static bool is_same(const struct look *a, const struct look *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

static void file_is_over(struct live_source *source)
{
    source->current->is_over = true;
    source->is_done = source->current->next == NULL;
    if (source->is_done)
        tv_source_done(source->source);
    else
        source->current = source->current->next;
}

static void close_reader(struct live_source *source)
{
    struct tv_reader *reader = reader_of(source);
    tv_source_file_end(source->source, &reader->result);
    tv_reader_close(reader);
    tv_block_free(&source->reader);
    source->is_reading = false;
}

static void end_file(struct tv_live *live, struct live_source *source)
{
    struct tv_reader *reader = reader_of(source);
    if (source->current->parser->mode == TV_PARSER_SNAPSHOT && reader->result.dead)
        live->torn = true;
    close_reader(source);
    file_is_over(source);
}

static bool is_stream(const struct live_file *file, const struct tv_reader *reader)
{
    return file->parser->mode == TV_PARSER_STREAM && !reader->input.gz;
}

/* It cannot be read for the moment: said once, until it can. What is short in this process (file
 * descriptors, memory) is no matter of one file. */
static void say_blocked(struct tv_live *live, struct live_file *file, const struct tv_error *error)
{
    int why = error->sys_errno;
    if (file->said_blocked || !live->say || (why != EIO && why != ESTALE && why != ETIMEDOUT))
        return;
    char text[sizeof error->message + 64];
    snprintf(text, sizeof text, "%s; it is tried again until it works", error->message);
    live->say(live->say_ctx, file->path, &(struct tv_damage){.what = text});
    file->said_blocked = true;
}

static void say_works(struct tv_live *live, struct live_file *file)
{
    if (file->said_blocked)
        live->say(live->say_ctx, file->path,
                  &(struct tv_damage){.is_note = true, .what = "can be read again"});
    file->said_blocked = false;
}

/* Opens the current file for the first time. TV_AGAIN: not now; TV_EIO: it counts as empty. */
static enum tv_status open_current(struct tv_live *live, struct live_source *source)
{
    struct live_file *file = source->current;
    struct tv_reader *reader = reader_of(source);
    struct tv_error error = {0};
    if (tv_reader_open(reader, AT_FDCWD, file->path, file->parser, &error) != TV_OK) {
        tv_block_free(&source->reader);
        say_blocked(live, file, &error);
        if (tv_is_passing(error.sys_errno)) /* tried again at the next look */
            return TV_AGAIN;
        source->emit = tv_source_file(source->source, file->path, file->parser);
        tv_source_file_end(source->source, &(struct tv_file_result){.dead = &error});
        file_is_over(source);
        return TV_EIO;
    }
    source->emit = tv_source_file(source->source, file->path, file->parser);
    reader->is_live = is_stream(file, reader);
    reader->can_wait = !reader->input.gz;
    source->is_reading = true;
    return TV_OK;
}

/* Reads what the open reader has, up to the budget. */
static enum tv_live_news read_open(struct tv_live *live, struct live_source *source, size_t *budget)
{
    struct tv_reader *reader = reader_of(source);
    for (;;) {
        uint64_t before = reader->result.bytes;
        bool fresh = reader->is_fresh;
        uint64_t records = reader->result.records;
        enum tv_status status = tv_reader_feed(reader, &source->emit);
        live->read.bytes += reader->result.bytes - before;
        live->read.records += reader->result.records - records;
        if (status == TV_OK) {
            end_file(live, source);
            return TV_LIVE_READ;
        }
        if (status == TV_EIO) {
            say_blocked(live, source->current, &reader->error);
            return TV_LIVE_BLOCKED;
        }
        uint64_t got = reader->result.bytes - before;
        *budget -= got < *budget ? (size_t)got : *budget;
        tv_run_pump(live->run, false);
        if (got == 0 && !fresh)
            return TV_LIVE_READ;
        if (*budget == 0)
            return TV_LIVE_MORE;
    }
}

static enum tv_live_news read_current(struct tv_live *live, struct live_source *source,
                                      size_t *budget)
{
    struct tv_error error = {0};
    if (!source->is_reading) {
        enum tv_status status = open_current(live, source);
        if (status != TV_OK)
            return status == TV_AGAIN ? TV_LIVE_BLOCKED : TV_LIVE_READ;
    } else {
        enum tv_status status = tv_reader_resume(reader_of(source), source->current->path, &error);
        if (status != TV_OK) {
            say_blocked(live, source->current, &error);
            return status == TV_EIO ? TV_LIVE_BLOCKED : TV_LIVE_REREAD;
        }
    }
    struct live_file *file = source->current;
    enum tv_live_news news = read_open(live, source, budget);
    if (news != TV_LIVE_BLOCKED)
        say_works(live, file);
    if (!source->is_reading)
        return TV_LIVE_READ;
    if (news == TV_LIVE_READ && source->current->next) {
        tv_reader_finish(reader_of(source), &source->emit);
        end_file(live, source);
        return TV_LIVE_READ;
    }
    tv_reader_pause(reader_of(source), NULL);
    return news;
}

/* Looks at one file. Only the current one of a source may change, and only by growing. */
static enum tv_live_news look_at(struct tv_live *live, struct live_source *source,
                                 struct live_file *file, size_t *budget)
{
    struct look now;
    bool is_there = look_up(file->path, &now);
    bool same = file->was_seen && is_there && is_same(&now, &file->seen);
    if (!is_there && (file->was_seen || file->is_over))
        return TV_LIVE_NOTHING; /* gone: what it told stays told */
    if (same && (file->is_over || !file->next))
        return TV_LIVE_NOTHING;
    if (file->is_over || live->ended)
        return TV_LIVE_REREAD;
    if (file != source->current)
        return TV_LIVE_NOTHING; /* its turn comes */
    enum tv_live_news news = read_current(live, source, budget);
    if (news != TV_LIVE_MORE && news != TV_LIVE_BLOCKED && news != TV_LIVE_REREAD) {
        file->was_seen = is_there;
        file->seen = now;
    }
    return news;
}

enum tv_live_news tv_live_look(struct tv_live *live, size_t budget, bool flush)
{
    enum tv_live_news news = TV_LIVE_NOTHING;
    for (struct live_source *source = live->sources; source; source = source->next)
        for (struct live_file *file = source->files; file; file = file->next) {
            enum tv_live_news one = look_at(live, source, file, &budget);
            if (one == TV_LIVE_REREAD)
                return one;
            news = one > news ? one : news;
            if (budget == 0)
                return TV_LIVE_MORE;
        }
    if (live->ended)
        return news;
    if (news != TV_LIVE_NOTHING || flush)
        tv_run_pump(live->run, flush);
    return tv_run_is_disordered(live->run) ? TV_LIVE_REREAD : news;
}

bool tv_live_is_waiting(const struct tv_live *live)
{
    return !live->ended && tv_run_is_waiting(live->run);
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
    for (const struct live_source *source = live->sources->next; source; source = source->next)
        for (const struct live_file *file = source->files; file; file = file->next)
            if (file->was_seen)
                newest = fmax(newest, unix_time(&file->seen.modified));
    return newest;
}

void tv_live_end(struct tv_live *live, double now)
{
    for (struct live_source *source = live->sources; source; source = source->next) {
        if (source->is_reading) {
            tv_reader_finish(reader_of(source), &source->emit);
            close_reader(source);
        }
        tv_source_done(source->source);
    }
    tv_run_end(live->run, now);
    live->ended = true;
}

void tv_live_rest(struct tv_live *live, bool is_quiet)
{
    for (struct live_source *source = live->sources; source; source = source->next)
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

static uint64_t hash_file(const char *path, const struct look *seen, uint64_t hash)
{
    int64_t facts[] = {(int64_t)seen->device, (int64_t)seen->inode, seen->size,
                       seen->modified.tv_sec, seen->modified.tv_nsec};
    hash = tv_hash((struct tv_span){path, strlen(path)}, hash);
    return tv_hash((struct tv_span){(const char *)facts, sizeof facts}, hash);
}

static uint64_t hash_found(const struct tv_found_file *file, uint64_t hash)
{
    for (; file; file = file->next) {
        struct look now;
        look_up(file->path, &now);
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
    for (const struct live_source *source = live->sources; source; source = source->next)
        for (const struct live_file *file = source->files; file; file = file->next)
            hash = hash_file(file->path, &file->seen, hash);
    snprintf(ret, 17, "%016" PRIx64, hash);
}
