/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICE_SWEEP_H
#define SERVICE_SWEEP_H
/* Alerts whose run is gone end. A run is gone when a search that could open everything did not find
 * it: it was deleted, renamed, taken into another run, or its root is not configured any more. What
 * may only be away for a while stays: a root that cannot be opened, anything that cannot be read on
 * the way to the run, and a run whose nearest existing directory is empty and was so before the
 * alert was recorded, as a mount point without its file system is. */
#include "store/store.h"
#include "tail/discover.h"

struct tv_missing;

/* Zero-initialise to create. */
struct tv_sweep {
    struct tv_missing *missing;
};

struct tv_sweep_options {
    struct tv_store *store;
    const char *const *roots;
    size_t roots_len;
    double grace; /* seconds for which a run must be missing: it may be about to be replaced */
    void *ctx;
    void (*tell)(void *ctx, const struct tv_alert *alert); /* resolved; records it */
};

/* After a search that could open everything; `now` is a clock that never steps. */
void tv_sweep(struct tv_sweep *sweep, const struct tv_sweep_options *options,
              const struct tv_found *found, double now);
void tv_sweep_free(struct tv_sweep *sweep);

#endif
