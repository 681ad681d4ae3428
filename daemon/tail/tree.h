/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_TREE_H
#define TAIL_TREE_H
/* The directories below a path and those of their files that a parser reads. What they mean is
 * discover.c's. */
#include "tail/discover.h"

struct tv_tree_file {
    struct tv_tree_file *next;
    const char *name, *path;
    const struct tv_parser *parser;
    uint64_t size;
    double mtime;
    double stamp;       /* event files: the time in the name, else mtime */
    const char *writer; /* event files: "host.pid", NULL when the name does not tell */
    bool is_events;
    bool has_hf_args;    /* event files: the HF Trainer wrote its arguments at the beginning */
    int64_t global_step; /* trainer_state.json: -1 when it is not near the beginning */
    bool is_complete;    /* trainer_state.json: ends as a JSON object does */
    bool is_taken;       /* belongs to a run already */
};

struct tv_tree_node {
    struct tv_tree_node *parent, *child, *next; /* children by name, numbers in order */
    const char *name, *path;
    struct tv_tree_file *files; /* by name */
    bool is_taken;
    unsigned runs; /* found in this subtree */
};

/* Walks the directory `path`. Problems go to found->problems; NULL when it cannot be opened. */
struct tv_tree_node *tv_tree_walk(struct tv_found *found, const char *path);
/* tree_file.c: the file `path`, opened as `name` in the directory `dirfd`, with what its first
 * bytes tell. NULL when it cannot be read, and the problem is noted; NULL also when nobody can
 * parse it, which is a problem when it is `required`. `seen`: as of tv_input_open. */
struct tv_tree_file *tv_tree_file(struct tv_found *found, int dirfd, const char *name,
                                  const char *path, bool seen, bool required);

void tv_found_problem(struct tv_found *found, const char *path, bool is_note, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));

/* What the beginning of a log tells about its points. */
struct tv_peek {
    char tag[256];      /* of the first point, "" when there is none */
    int64_t first_step; /* the lowest of a tag with several points; TV_STEP_UNKNOWN when there is
                           none */
    int64_t interval;   /* the least distance of two points of one tag, 0 when unknown */
};
struct tv_peek tv_peek(const struct tv_tree_file *file);

#endif
