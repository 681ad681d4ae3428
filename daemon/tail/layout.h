/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_LAYOUT_H
#define TAIL_LAYOUT_H
/* How trainers lay out their directories: what a name or a directory is. Pure, but for
 * tv_is_add_scalars_folder and tv_begins_in_the_middle, which look into a log's beginning. */
#include "tail/tree.h"

bool tv_is_log_folder(const char *name); /* runs, logs, tensorboard, ... */
/* train, validation, ...: a part of the run above it, unless it holds a CSV log of its own
 * (Ultralytics names its first run "train"). */
bool tv_is_split_folder(const struct tv_tree_node *node);
bool tv_is_time_folder(
    const char *name); /* of torch's add_hparams: the unix time, "1700000000.123" */
bool tv_is_lightning_version(const char *name); /* version_N */
bool tv_is_checkpoint(const char *name);        /* checkpoint-N */
/* A level that tools put between the user's directory and the log: no part of a run's name when it
 * holds one run. */
bool tv_is_technical(const char *name);

/* Of a directory, counting only files that no run has yet. */
bool tv_has_events(const struct tv_tree_node *node);
/* A version of Lightning's: event files or metrics.csv. */
bool tv_has_version_log(const struct tv_tree_node *node);
bool tv_has_log(const struct tv_tree_node *node); /* a log that makes the directory a run */
struct tv_tree_file *tv_named_file(const struct tv_tree_node *node,
                                   const char *name); /* a log, or its .gz */
bool tv_is_table(const struct tv_tree_file *file);    /* a CSV log */
/* A CSV log whose steps are those of the same trainer's event files. */
bool tv_is_table_of_events(const struct tv_tree_file *file);
/* No other file of the directory has the same parser: several logs of one kind are several runs.
 * Of CSV logs the one that has a trainer's name is alone; DeepSpeed's are one log together. */
bool tv_is_alone_of_its_kind(const struct tv_tree_node *node, const struct tv_tree_file *file);

bool tv_is_hf_output(const struct tv_tree_node *node);
bool tv_has_own_run(
    const struct tv_tree_node *node); /* it or a directory below is an HF output directory */
/* train/ with event files, beside validation/, or alone as Keras writes it before the first
 * evaluation. */
bool tv_is_split_parent(const struct tv_tree_node *node);
/* torch's add_scalars("a/b", {"key": ..}) of `writer` writes its points, all of tag "a/b", into
 * "a_b_key". */
bool tv_is_add_scalars_folder(const struct tv_tree_node *child, const char *writer);
/* Its first event file, else its metrics.csv, begins later than one logging interval after step 0:
 * it continues an earlier log. */
bool tv_begins_in_the_middle(const struct tv_tree_node *node);

#endif
