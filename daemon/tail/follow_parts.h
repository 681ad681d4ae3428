/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_FOLLOW_PARTS_H
#define TAIL_FOLLOW_PARTS_H
/* What the parts of following share, and nobody else sees: follow.c looks at runs and ends them,
 * follow_search.c finds them, follow_dirs.c knows their directories. */
#include "base/map.h"
#include "tail/agenda.h"
#include "tail/follow.h"
#include "tail/live.h"
#include "tail/probed.h"
#include "tail/told.h"

struct tv_directory {
    char *path;
    bool is_watched, is_found, has_run;
    struct tv_followed **runs; /* those with files in it; each once */
    size_t runs_len;
    struct tv_directory *next;
};

struct tv_followed {
    char *path;
    struct tv_live *live; /* what is known */
    struct tv_live
        *incoming; /* the same run being read from the start; takes over when it is complete */
    struct tv_told told;
    struct tv_directory **dirs;
    size_t dirs_len;
    double last_news, next_look, next_reread, torn_since, ended_at, found_at, missing_since;
    double next_tick; /* when time alone may change what is told */
    double next_duty; /* when anything but a look at its files is to be done */
    double news_wall; /* the time of day at last_news: silence is counted from there */
    double written;  /* when the logs grew last: seen here, or what the files said at first sight */
    double moved;    /* the same in seconds since boot */
    uint64_t number; /* grows from each run of the list to the next */
    size_t place;    /* on the agenda; 0: not there */
    bool ended, must_reread;
    bool caught_up;  /* what was there at first sight is read */
    bool is_blocked; /* a file could not be opened at the last look */
    bool is_settled; /* all of the last news is told */
    bool is_quiet;   /* and it takes as little memory as it can */
    bool is_young;   /* too little was there when it was found to say what it is called */
    bool is_hinted;
    struct tv_followed *next, *next_hinted;
};

struct tv_follow {
    const struct tv_follow_options *options;
    struct tv_watch *watch;
    struct tv_followed *runs, *newest;
    struct tv_agenda agenda;                  /* of all runs */
    struct tv_followed *hinted, **hinted_end; /* the watch has seen something; first come first */
    struct tv_map by_path, dirs_by_path;
    struct tv_directory *dirs;
    struct tv_probed probed;
    size_t runs_len;
    uint64_t overflows, numbers;
    struct tv_read_counts read;
    bool entries_changed, started, is_behind;
    bool said_full;
    bool must_poll;          /* some directory cannot be watched */
    double incomplete_since; /* NaN: everything could be opened at the last search */
    double searched_at, search_took, search_cost, next_discover, next_reconcile, last_news;
};

#define TV_TORN_PATIENCE 30.0 /* seconds that a half-written file is waited for */

/* ---- follow_search.c ---- */

/* Searches the paths when it is time: soon after names came or went, but never so often that
 * searching is all that is done. */
void tv_follow_search(struct tv_follow *follow, double now);
void tv_followed_free(struct tv_followed *run);

/* ---- follow.c ---- */

/* The watch has seen something: it is looked at before those whose time has come. */
void tv_follow_hint(struct tv_follow *follow, struct tv_followed *run);
/* The run is going to be freed. */
void tv_follow_let_go(struct tv_follow *follow, struct tv_followed *run);

/* ---- follow_dirs.c ---- */

/* Watches what was found, as far as watches go; the rest is polled. */
void tv_follow_watch(struct tv_follow *follow, const struct tv_found *found);
/* The run's directories are those of its files. `run` NULL: one that is done; it moves nowhere, but
 * its directories are known ones. */
void tv_follow_remember(struct tv_follow *follow, struct tv_followed *run,
                        const struct tv_found_run *found);
/* Forgets directories that were not found and that no run needs. */
void tv_follow_drop_dirs(struct tv_follow *follow);
/* The run's directories forget it. */
void tv_follow_leave_dirs(struct tv_followed *run);
/* Takes what the watch has seen since the last call: hints for runs, changed entries. */
void tv_follow_drain(struct tv_follow *follow);
void tv_follow_free_dirs(struct tv_follow *follow);
bool tv_followed_is_watched(const struct tv_followed *run);

#endif
