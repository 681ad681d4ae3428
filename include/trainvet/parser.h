/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAINVET_PARSER_H
#define TRAINVET_PARSER_H
/* A parser turns the bytes of one file into samples, facts and marks. It opens nothing and waits
 * for nothing.
 *
 * Sequence of calls for a STREAM parser (an append-only file, read in any chunks):
 *   state = zeroed block of state_size
 *   feed(state, bytes, last=false) -> consumed c: the caller drops c bytes and comes back with the
 * rest plus more
 *   ...
 *   feed(state, rest, last=true)   -> once, when no byte will follow (may be called with len 0)
 * What is left unconsumed by the last call is a truncated tail, which the caller reports.
 * A SNAPSHOT parser (a file rewritten as a whole) gets the entire file in one call with last=true.
 *
 * Result of feed:
 *   TV_OK      progress, or nothing left to do with these bytes
 *   TV_AGAIN   needs at least `want` bytes from `consumed` on before it can go on (want is never
 * more than TV_PARSER_WINDOW); `skip` > 0: the caller drops that many further bytes without showing
 * them other      this file is dead from offset `consumed` on; *reterr says why. Everything emitted
 * stays. Chunking never changes what is emitted. Damage that can be skipped goes to emit->damage,
 * not to the status. */
#include "trainvet/error.h"
#include "trainvet/sample.h"

#define TV_PARSER_WINDOW (1u << 20)   /* bytes; a caller must be able to show this much at once */
#define TV_SNAPSHOT_MAX  (512u << 20) /* bytes; a larger snapshot is refused by the caller */

enum tv_parser_mode { TV_PARSER_STREAM, TV_PARSER_SNAPSHOT };

struct tv_feed {
    enum tv_status status;
    size_t consumed;
    size_t want;
    uint64_t skip;
    uint64_t records; /* records or lines understood in this call, for reports */
};

struct tv_parser {
    const char *name;    /* same as the file's name */
    const char *summary; /* one line for `trainvet list` */
    enum tv_parser_mode mode;
    bool is_config; /* tells facts about a run and no samples: read before the logs, never a run
                       alone */
    size_t state_size;
    /* How sure we are that this is our format, 0..100, from the file's name and its first bytes
     * (up to 4096; may be empty). Pure. The highest wins, 0 means no. */
    int (*probe)(struct tv_span basename, struct tv_span head);
    struct tv_feed (*feed)(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr);
};

extern const struct tv_parser
    *const tv_parsers[]; /* NULL-terminated, in the order of parsers.def */

#endif
