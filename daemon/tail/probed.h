/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_PROBED_H
#define TAIL_PROBED_H
/* What the first bytes of files told at the last search, so that the next one opens only those that
 * are new or changed: a file is known by its path, device, inode, size and times of change. */
#include "trainvet/parser.h"
#include <sys/stat.h>

struct tv_probed_file {
    uint64_t key;                   /* never 0 */
    const struct tv_parser *parser; /* NULL: nobody reads it */
    int64_t global_step;            /* trainer_state.json: -1 when it is not near the beginning */
    bool is_empty;
    bool has_hf_args; /* event files: the HF Trainer wrote its arguments at the beginning */
    bool is_complete; /* trainer_state.json: ends as a JSON object does */
};

struct tv_probed_table {
    struct tv_probed_file *slots;
    size_t cap, len;
};

/* Zero-initialise to create. */
struct tv_probed {
    struct tv_probed_table last, now; /* the last search, the one that goes on */
};

uint64_t tv_probed_key(const char *path, const struct stat *stat);
/* NULL when it is not known as it is now; valid until the next call. It will be known to the next
 * search too. */
const struct tv_probed_file *tv_probed_get(struct tv_probed *probed, uint64_t key);
void tv_probed_add(struct tv_probed *probed, const struct tv_probed_file *file);
/* A search is over: what it has not seen is forgotten. */
void tv_probed_next(struct tv_probed *probed);
void tv_probed_free(struct tv_probed *probed);

#endif
