/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICE_DISPATCH_H
#define SERVICE_DISPATCH_H
/* From the store's owed deliveries to the sinks: in order, one at a time for each sink, tried again
 * with growing pauses until the other side takes it or refuses it. A sink that is down delays
 * nobody else. */
#include "service/host.h"
#include "store/store.h"

struct tv_dispatch;

struct tv_dispatch_options {
    sd_event *loop;
    struct tv_store *store;
    double (*now)(void); /* unix seconds */
    /* Whether alerts like this one go to that sink: for those that are told again. */
    bool (*wants)(void *ctx, const char *sink, const struct tv_alert *alert);
    void *ctx;
};

/* The options are copied. */
struct tv_dispatch *tv_dispatch_new(const struct tv_dispatch_options *options,
                                    struct tv_error *reterr);
void tv_dispatch_free(struct tv_dispatch *dispatch);

/* Opens a sink under its configured name. `options` must outlive the dispatch; `out` is its stream
 * or NULL. */
enum tv_status tv_dispatch_add(struct tv_dispatch *dispatch, const char *name,
                               const struct tv_sink *sink, const void *options, void *out,
                               struct tv_error *reterr);

/* Every sink opens its file and reads its secrets again (SIGHUP); failures are said. */
void tv_dispatch_reopen(struct tv_dispatch *dispatch);
/* Delivers what is due. Called when something was owed anew; afterwards it wakes itself. */
void tv_dispatch_pump(struct tv_dispatch *dispatch);
/* The store has begun anew: what is under way counts for nothing in it. */
void tv_dispatch_forget(struct tv_dispatch *dispatch);
/* Deliveries that are under way now. */
size_t tv_dispatch_under_way(const struct tv_dispatch *dispatch);

#endif
