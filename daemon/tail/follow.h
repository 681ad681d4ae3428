/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_FOLLOW_H
#define TAIL_FOLLOW_H
/* Follows every run below some paths while it is written: finds new ones, reads what is appended,
 * tells alerts once. It waits for nothing and reads no clock: a loop calls tv_follow_work() when it
 * is time, or when the watch has something to tell. Directories that cannot be watched are polled;
 * the others are looked at now and then as well. */
#include "base/clock.h"
#include "tail/discover.h"
#include "trainvet/detector.h"
#include "trainvet/sink.h"
#include "watch/watch.h"

struct tv_engine_options;
struct tv_run;

struct tv_follow_options {
    const char *const *paths;
    size_t paths_len;
    bool by_root; /* as in struct tv_found */
    const struct tv_engine_options *engine;
    double active_poll; /* seconds between looks at a run that moves, where nothing is watched */
    double idle_poll;   /* and at one that does not, watched or not */
    double hold;        /* seconds that a sample waits for the run's other files */
    double end_after;   /* seconds of silence after which an unfinished run is given up */
    void *ctx;
    /* Whether the process is about to end: asked between two files and two runs, so that it need
     * not wait for a search of a large tree or for what all runs have to tell. NULL: never. */
    bool (*is_ending)(void *ctx);
    /* Whether others should have their turn: asked behind each run; tv_follow_work() then returns
     * soon, and goes on at its next call. NULL: never. */
    bool (*is_late)(void *ctx);
    void (*alert)(void *ctx,
                  const struct tv_alert *alert); /* raised, or resolved; each state once */
    /* Calls `visit` for each alert of the run that was told before this start, in its last state.
     * NULL: none was. Names are escaped, as in alerts. */
    void (*recall)(void *ctx, const char *root, const char *run,
                   void (*visit)(void *visit_ctx, const struct tv_alert *alert), void *visit_ctx);
    void (*run)(void *ctx, const struct tv_run_report *report); /* a run has ended */
    void (*problem)(void *ctx, const char *path, const struct tv_damage *damage);
    /* Runs that ended: `digest` describes their files. One that is done with the same digest is not
     * read. NULL: all are. */
    bool (*is_done)(void *ctx, const char *path, const char *digest);
    /* The paths were searched; `complete`: nothing could not be opened for the moment. NULL: nobody
     * asks. Called between two looks at runs: alerts may be recorded. */
    void (*searched)(void *ctx, const struct tv_found *found, bool complete, double now);
    void (*done)(void *ctx, const char *path, const char *digest,
                 const struct tv_run_report *report);
};

struct tv_follow;

/* What was read; again where a run was read again. */
struct tv_read_counts {
    uint64_t bytes, records;
};

/* `options` must outlive it; `watch` NULL: poll only. Nothing is read yet. */
struct tv_follow *tv_follow_new(const struct tv_follow_options *options, struct tv_watch *watch);
void tv_follow_free(struct tv_follow *follow);

/* Does what is due, in slices of a few MiB. Returns the seconds after which it wants to be called
 * again; 0: at once. */
double tv_follow_work(struct tv_follow *follow, struct tv_moment now);
/* Seconds since any run had news; 0 while something is still to be read. */
double tv_follow_idle(const struct tv_follow *follow, struct tv_moment now);
/* Ends every run that has not ended. */
void tv_follow_end(struct tv_follow *follow, struct tv_moment now);

size_t tv_follow_runs(const struct tv_follow *follow);
struct tv_read_counts tv_follow_read(const struct tv_follow *follow);
/* How often the kernel said that it dropped events. */
uint64_t tv_follow_overflows(const struct tv_follow *follow);
/* Every run that is followed, for metrics; what was got from a run is valid during its visit. One
 * that has ended is told about for ten minutes: then only its files are remembered, by which it is
 * seen when it goes on. */
void tv_follow_each(const struct tv_follow *follow,
                    void (*visit)(void *ctx, struct tv_run *run, bool ended), void *ctx);
/* The same in parts, between which runs may come and go: `visit` returns false to stop behind that
 * run; the next call goes on there. False when none is left of those that were there at the first
 * call. */
struct tv_follow_place { /* zero-initialise to begin */
    uint64_t at, end;
};
bool tv_follow_some(const struct tv_follow *follow, struct tv_follow_place *place,
                    bool (*visit)(void *ctx, struct tv_run *run, bool ended), void *ctx);

#endif
