/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_ASSEMBLE_H
#define TAIL_ASSEMBLE_H
/* Putting the runs below one PATH together from the files of its tree. */
#include "tail/tree.h"

/* Which source tells a role when several do: lower is better. Event files are written live and hold
 * every point; the state beside them may be a checkpoint's, older than trainer_log.jsonl; a CSV log
 * says what event files say, with fewer digits. That of Ultralytics comes before its event files:
 * its sum of the losses is the loss, and some versions write each of them for every batch of an
 * epoch, one step later. */
enum tv_source_rank {
    TV_RANK_EPOCHS,
    TV_RANK_EVENTS,
    TV_RANK_STATE,
    TV_RANK_LOG,
    TV_RANK_CHECKPOINT,
    TV_RANK_SIDE,
    TV_RANK_TABLE
};

struct tv_assembly {
    struct tv_found *found;
    struct tv_tree_node *root;
    struct tv_tree_node *
        *dirs; /* of each run found below this root, parallel to found->runs from `first` on */
    size_t first, dirs_cap;
    const char *path;
    bool is_one_of_many; /* several PATHs were given */
    bool said_full;
};

/* A new run at `dir` (NULL: a file given by itself); NULL when there are too many, which is said
 * once. The pointer is good until the next run. */
struct tv_found_run *tv_assembly_run(struct tv_assembly *work, struct tv_tree_node *dir);
/* These mark the files as taken. */
void tv_append_file(struct tv_found *found, struct tv_found_file **list, struct tv_tree_file *file);
void tv_add_log(struct tv_assembly *work, struct tv_found_run *run, struct tv_tree_file *file,
                int rank);
/* `rank`: TV_RANK_TABLE, or TV_RANK_EPOCHS. Beside event files `file` tells the same once more.
 * Several tables of one run, one after the other, are one source: *last is the one that the file
 * before this went to, NULL at first. */
void tv_add_table(struct tv_assembly *work, struct tv_found_run *run, struct tv_tree_file *file,
                  int rank, struct tv_found_source **last);
void tv_add_configs(struct tv_assembly *work, struct tv_found_run *run, struct tv_tree_node *node);

/* Event files that are to become one source. Zero-initialise to create. */
struct tv_event_list {
    struct tv_tree_file **files;
    size_t len, cap;
};
void tv_collect_events(struct tv_event_list *list, struct tv_tree_node *node);
/* Adds them as a source in the order of their time stamps, and empties the list. */
void tv_add_events(struct tv_assembly *work, struct tv_found_run *run, const char *prefix, int rank,
                   struct tv_event_list *list);

/* Makes runs of the directory and those below it (group.c). */
void tv_group(struct tv_assembly *work, struct tv_tree_node *node);

#endif
