/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/live_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

struct tv_reader *tv_live_reader(struct tv_live_source *source)
{
    return tv_block_open(&source->reader, sizeof(struct tv_reader));
}

bool tv_look_up(const char *path, struct tv_look *ret)
{
    struct stat now;
    bool is_there = stat(path, &now) == 0;
    *ret = (struct tv_look){.size = -1};
    if (is_there)
        *ret = (struct tv_look){now.st_dev, now.st_ino, now.st_size, now.st_mtim};
    return is_there;
}

static bool is_same(const struct tv_look *a, const struct tv_look *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

static void file_is_over(struct tv_live_source *source)
{
    source->current->is_over = true;
    source->is_done = source->current->next == NULL;
    if (source->is_done)
        tv_source_done(source->source);
    else
        source->current = source->current->next;
}

void tv_live_close_reader(struct tv_live_source *source)
{
    struct tv_reader *reader = tv_live_reader(source);
    tv_source_file_end(source->source, &reader->result);
    tv_reader_close(reader);
    tv_block_free(&source->reader);
    source->is_reading = false;
}

static void end_file(struct tv_live *live, struct tv_live_source *source)
{
    struct tv_reader *reader = tv_live_reader(source);
    if (source->current->parser->mode == TV_PARSER_SNAPSHOT && reader->result.dead)
        live->torn = true;
    tv_live_close_reader(source);
    file_is_over(source);
}

static bool is_stream(const struct tv_live_file *file, const struct tv_reader *reader)
{
    return file->parser->mode == TV_PARSER_STREAM && !reader->input.gz;
}

/* It cannot be read for the moment: said once, until it can. What is short in this process (file
 * descriptors, memory) is no matter of one file. */
static void say_blocked(struct tv_live *live, struct tv_live_file *file,
                        const struct tv_error *error)
{
    int why = error->sys_errno;
    if (file->said_blocked || !live->say || (why != EIO && why != ESTALE && why != ETIMEDOUT))
        return;
    char text[sizeof error->message + 64];
    snprintf(text, sizeof text, "%s; it is tried again until it works", error->message);
    live->say(live->say_ctx, file->path, &(struct tv_damage){.what = text});
    file->said_blocked = true;
}

static void say_works(struct tv_live *live, struct tv_live_file *file)
{
    if (file->said_blocked)
        live->say(live->say_ctx, file->path,
                  &(struct tv_damage){.is_note = true, .what = "can be read again"});
    file->said_blocked = false;
}

/* Opens the current file for the first time. TV_AGAIN: not now; TV_EIO: it counts as empty. */
static enum tv_status open_current(struct tv_live *live, struct tv_live_source *source)
{
    struct tv_live_file *file = source->current;
    struct tv_reader *reader = tv_live_reader(source);
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
static enum tv_live_news read_open(struct tv_live *live, struct tv_live_source *source,
                                   size_t *budget)
{
    struct tv_reader *reader = tv_live_reader(source);
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

static enum tv_live_news read_current(struct tv_live *live, struct tv_live_source *source,
                                      size_t *budget)
{
    struct tv_error error = {0};
    if (!source->is_reading) {
        enum tv_status status = open_current(live, source);
        if (status != TV_OK)
            return status == TV_AGAIN ? TV_LIVE_BLOCKED : TV_LIVE_READ;
    } else {
        enum tv_status status =
            tv_reader_resume(tv_live_reader(source), source->current->path, &error);
        if (status != TV_OK) {
            say_blocked(live, source->current, &error);
            return status == TV_EIO ? TV_LIVE_BLOCKED : TV_LIVE_REREAD;
        }
    }
    struct tv_live_file *file = source->current;
    enum tv_live_news news = read_open(live, source, budget);
    if (news != TV_LIVE_BLOCKED)
        say_works(live, file);
    if (!source->is_reading)
        return TV_LIVE_READ;
    if (news == TV_LIVE_READ && source->current->next) {
        tv_reader_finish(tv_live_reader(source), &source->emit);
        end_file(live, source);
        return TV_LIVE_READ;
    }
    tv_reader_pause(tv_live_reader(source), NULL);
    return news;
}

/* Looks at one file. Only the current one of a source may change, and only by growing. */
static enum tv_live_news look_at(struct tv_live *live, struct tv_live_source *source,
                                 struct tv_live_file *file, size_t *budget)
{
    struct tv_look now;
    bool is_there = tv_look_up(file->path, &now);
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
    for (struct tv_live_source *source = live->sources; source; source = source->next)
        for (struct tv_live_file *file = source->files; file; file = file->next) {
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
