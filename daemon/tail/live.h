/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_LIVE_H
#define TAIL_LIVE_H
/* One run whose files may still grow. What is appended is fed as it comes; anything else that
 * happens to a file (it was replaced, rewritten, truncated, joined by one that belongs before it)
 * means that the run must be read again from the start: state is a function of the files. Between
 * two looks no descriptor is held. */
#include "engine/engine.h"
#include "tail/discover.h"
#include "tail/follow.h"

struct tv_live;

enum tv_live_news {
    TV_LIVE_NOTHING, /* no file has changed */
    TV_LIVE_READ,    /* something was read, all there was */
    TV_LIVE_BLOCKED, /* a file could not be opened now; what else there was is read */
    TV_LIVE_MORE,    /* the budget is used up, there is more */
    TV_LIVE_REREAD   /* free it and begin again */
};

/* Copies what it needs of `found`. `options` must outlive it. `say` is told about damage and notes
 * (NULL: nobody). */
struct tv_live *tv_live_new(
    const struct tv_engine_options *options, const struct tv_found_run *found,
    void (*say)(void *ctx, const char *path, const struct tv_damage *damage), void *ctx);
/* The same files, to be read from the start. */
struct tv_live *tv_live_again(const struct tv_live *live);
void tv_live_free(struct tv_live *live);

enum tv_live_match {
    TV_LIVE_OTHER, /* not the same run as far as reading goes: other files, or in another order */
    TV_LIVE_MOVED, /* something is to be read, as it seems */
    TV_LIVE_STILL  /* all files are as they were at the last look */
};

/* Compares with `found`, seen later. New files behind the known ones are added. */
enum tv_live_match tv_live_extend(struct tv_live *live, const struct tv_found_run *found);

/* Looks at every file and reads at most about `budget` bytes of what is new. Samples that must wait
 * for another source wait; `flush` delivers them all the same. */
enum tv_live_news tv_live_look(struct tv_live *live, size_t budget, bool flush);
/* What was read since the last call. */
struct tv_read_counts tv_live_take_counts(struct tv_live *live);
/* Whether a file that is rewritten as a whole could not be read to its end: its writer is probably
 * at it. */
bool tv_live_is_torn(const struct tv_live *live);
/* When the newest of its logs was written, unix seconds; NaN before the first look. */
double tv_live_written(const struct tv_live *live);
/* The run is over: the ends of the files are ends. */
void tv_live_end(struct tv_live *live, double now);

/* Nothing is going to be read for a while: it takes less memory until something is. */
void tv_live_rest(struct tv_live *live, bool is_quiet); /* see tv_run_rest() */
/* A run that has ended keeps its files only: it is seen when one of them changes, and can be read
 * again. */
void tv_live_shed(struct tv_live *live);

/* NULL once it is shed. */
struct tv_run *tv_live_run(struct tv_live *live);

/* 16 hex digits that change when any file of the run does: as it is now, and as it was when it was
 * read. */
void tv_found_digest(const struct tv_found_run *found, char ret[17]);
void tv_live_digest(const struct tv_live *live, char ret[17]);

#endif
