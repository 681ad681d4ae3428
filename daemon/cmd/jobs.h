/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CMD_JOBS_H
#define CMD_JOBS_H
/* Independent pieces of work on several threads, with results handed back in order whatever the
 * threads do. */
#include <stddef.h>
#include <stdint.h>

struct tv_jobs {
    size_t count;
    unsigned threads;
    void *ctx;
    /* Compared with that of the others; NULL: all are alike. Of the next pieces (results may wait
     * for some dozens) one as large as a thread's part of all that has not begun yet goes first;
     * the others begin in order. */
    uint64_t (*size)(void *ctx, size_t i);
    void (*work)(void *ctx, size_t i); /* on some thread */
    void (*done)(void *ctx, size_t i); /* on the calling thread, in order */
    void (*idle)(
        void *ctx); /* on the calling thread, ten times a second while it waits; NULL allowed */
};

/* Returns when done() was called for every piece. At most 64 + 4 * threads results wait for their
 * turn. */
void tv_jobs_run(const struct tv_jobs *jobs);
/* The processors that this process may use. */
unsigned tv_jobs_default(void);

#endif
