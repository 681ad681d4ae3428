/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_LIVE_PARTS_H
#define TAIL_LIVE_PARTS_H
/* What the parts of a live run share, and nobody else sees: live.c knows its files, live_read.c
 * reads what is new in them. */
#include "tail/live.h"
#include "tail/reader.h"
#include <sys/stat.h>

/* What tells that a file is as it was. */
struct tv_look {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

struct tv_live_file {
    struct tv_live_file *next;
    char *path;
    const struct tv_parser *parser;
    struct tv_look seen; /* when it was last looked at */
    bool was_seen, is_over;
    bool said_blocked;
};

struct tv_live_source {
    struct tv_live_source *next;
    char *prefix;
    int rank;
    struct tv_live_file *files, *current; /* files before `current` are over */
    struct tv_source *source;
    struct tv_block reader; /* struct tv_reader */
    struct tv_emit emit;
    bool is_reading; /* the reader holds a paused file */
    bool is_done;    /* its last file is one that ends */
};

struct tv_live {
    struct tv_run *run;             /* NULL once it is shed */
    struct tv_live_source *sources; /* the first one holds the configuration files */
    struct tv_arena arena;
    const struct tv_engine_options *options;
    char *name, *root; /* root NULL: no part of the identity */
    void (*say)(void *ctx, const char *path, const struct tv_damage *damage);
    void *say_ctx;
    bool ended, torn;
    struct tv_read_counts read;
};

/* ---- live_read.c ---- */

/* False, and a size of -1, when there is no such file. */
bool tv_look_up(const char *path, struct tv_look *ret);
struct tv_reader *tv_live_reader(struct tv_live_source *source);
void tv_live_close_reader(struct tv_live_source *source);

#endif
