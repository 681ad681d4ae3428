/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_FOLDER_H
#define SUPPORT_FOLDER_H
/* A directory of its own for a test, below $TMPDIR, with what the test puts into it. */
#include "support/event_writer.h"

struct tv_folder {
    char path[256];
};

struct tv_folder tv_folder_new(void);
/* The full path of `name` in the folder, in a static ring of eight. */
const char *tv_folder_path(const struct tv_folder *folder, const char *name);
/* Writes a file, with the directories that lead to it. */
void tv_folder_write(const struct tv_folder *folder, const char *name, struct tv_span data);
void tv_folder_text(const struct tv_folder *folder, const char *name, const char *text);
/* An event file with `count` points of "train/loss": steps first, first + interval, ... */
void tv_folder_events(const struct tv_folder *folder, const char *name, int64_t first,
                      int64_t interval, int count);
/* The bytes as one gzip member, malloc'd. */
struct tv_span tv_gzip(struct tv_span data);
void tv_folder_remove(struct tv_folder *folder);

/* Permissions do not hold root back: until `nobody` is false again, root is somebody who has none.
 */
void tv_become_nobody(bool nobody);

#endif
