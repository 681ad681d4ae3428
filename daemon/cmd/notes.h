/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CMD_NOTES_H
#define CMD_NOTES_H
/* What went wrong while a run was read, kept until it is the run's turn to be printed on stderr. */
#include "engine/engine.h"

#define TV_NOTES_PER_FILE 4
#define TV_NOTES_MAX      64

/* Zero-initialise to create. */
struct tv_notes {
    char *lines[TV_NOTES_MAX];
    size_t len, dropped;
    char *file; /* the one that the last notes were about */
    size_t of_file;
    bool any_damage;
};

/* Receiver for tv_run_on_problem(); ctx is the notes. */
void tv_notes_add(void *ctx, const char *path, const struct tv_damage *damage);
/* Prints one sentence a line and empties the notes. */
void tv_notes_print(struct tv_notes *notes);

#endif
