/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_DISCOVER_H
#define TAIL_DISCOVER_H
/* From paths to runs and their files, without configuration. What makes a run:
 *   - an output directory of the HF Trainer: trainer_state.json, trainer_log.jsonl, checkpoint-N/
 * (only the fullest history counts), event files below runs/ or another log folder
 *   - Lightning's version_N; a version that begins in the middle continues the one before
 *   - train/ beside validation/ (Keras) or the like: one run, the folder's name stands before each
 * tag
 *   - otherwise a directory that holds logs; folders that its own writer made (add_hparams,
 * add_scalars) belong to it
 *   - a file that is given by itself
 * Event files of a run are one stream, in the order of the time stamps in their names. */
#include "base/memory.h"
#include "trainvet/parser.h"

#define TV_DISCOVER_DEPTH   24
#define TV_DISCOVER_ENTRIES 2000000 /* directory entries looked at below one PATH */
#define TV_DISCOVER_RUNS    50000
#define TV_DISCOVER_SOURCES 64 /* a run; each holds a file open while it is read */

struct tv_found_file {
    const char *path; /* as it can be opened */
    const struct tv_parser *parser;
    uint64_t size; /* bytes, when it was found */
    double mtime;  /* unix seconds */
    struct tv_found_file *next;
};

/* Files that are one stream of samples, in order. */
struct tv_found_source {
    const char *prefix; /* for tv_source_info */
    int rank;
    struct tv_found_file *files;
    struct tv_found_source *next;
};

struct tv_found_run {
    const char *name; /* its own directory relative to the PATH given, "." for PATH itself; behind
                         PATH when several were given, unless `by_root` is set; under 512 bytes
                         that can be shown as they are, and no other run's */
    const char *root; /* with `by_root`: the PATH, else NULL */
    const char *path; /* the directory or file, for people */
    struct tv_found_file *configs; /* facts only: to be read first */
    struct tv_found_source *sources;
    bool is_file; /* given by itself */
};

/* Something that could not be read, or was left out: one sentence for stderr. */
struct tv_found_problem {
    const char *path;
    const char *what; /* "is a named pipe, ..." */
    bool is_note;     /* harmless: does not change the exit status */
    bool is_empty;    /* it only holds no log */
};

/* Zero-initialise to create. Everything is owned by the arena. */
struct tv_found {
    bool by_root; /* set before: names never change when other PATHs join or leave */
    struct tv_arena arena;
    struct tv_found_run *runs; /* in the order of PATHs, then by name */
    size_t runs_len, runs_cap;
    const char **dirs; /* every directory that was entered, or that holds a file given by itself */
    size_t dirs_len, dirs_cap;
    struct tv_found_problem *problems;
    size_t problems_len, problems_cap, problems_dropped;
    struct tv_probed *probed; /* NULL: every file is opened; else those that are new to it */
    bool is_incomplete;       /* something could not be opened that may be there the next time */
    bool (*is_ending)(
        void *ctx); /* asked before each entry: then the search ends at once. NULL: never */
    void *ctx;
    bool is_cut; /* it did: what was found is a part */
};

/* Adds what is found at each of the paths. Directory symlinks below a PATH are not followed, file
 * symlinks are. */
void tv_discover(struct tv_found *found, const char *const *paths, size_t count);
/* The same for inspect: a file that is given by itself stands alone, a configuration too. */
void tv_discover_files(struct tv_found *found, const char *const *paths, size_t count);
/* Notes a directory for dirs; `path` lives in the arena. */
void tv_found_dir(struct tv_found *found, const char *path);
void tv_found_free(struct tv_found *found);

#endif
