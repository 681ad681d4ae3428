/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_AGENDA_H
#define TAIL_AGENDA_H
/* Which followed run is to be looked at next: a heap by their `next_look`, so that ten thousand
 * silent ones cost nothing until their time has come. */
#include <stddef.h>

struct tv_followed;

/* Zero-initialise to create. */
struct tv_agenda {
    struct tv_followed **runs; /* each knows its place */
    size_t len, cap;
};

/* Sets the run's next look, seconds since boot; one that is not on the agenda joins it. */
void tv_agenda_put(struct tv_agenda *agenda, struct tv_followed *run, double when);
/* Nothing happens when it is not on it. */
void tv_agenda_remove(struct tv_agenda *agenda, struct tv_followed *run);
/* The one whose look comes first; NULL: there is none. */
struct tv_followed *tv_agenda_first(const struct tv_agenda *agenda);
void tv_agenda_free(struct tv_agenda *agenda);

#endif
