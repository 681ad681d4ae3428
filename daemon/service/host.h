/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICE_HOST_H
#define SERVICE_HOST_H
/* What sinks reach the world through: HTTP and mail with libcurl, child processes; all in one event
 * loop, nothing blocks. Only http, https, smtp and smtps; no redirects; answers are read up to a
 * few KiB and kept for the reason only. */
#include "trainvet/sink.h"
#include <systemd/sd-event.h>

#define TV_HOST_ANSWER_MAX 4096 /* bytes of an answer that are kept */

struct tv_host;

/* `done` is called from the loop, once for each request, with the ticket that was set when it was
 * started. `reason` is what the other side said, in one sentence; "" when it said nothing. */
struct tv_host *tv_host_new(sd_event *loop,
                            void (*done)(void *ctx, int64_t ticket, enum tv_outcome outcome,
                                         const char *reason),
                            void *ctx, struct tv_error *reterr);
/* Requests under way are given up without a word. */
void tv_host_free(struct tv_host *host);

/* The interface to hand to sinks; valid as long as the host. */
const struct tv_sink_host *tv_host_interface(struct tv_host *host);
/* The ticket of the requests that are started from now on. */
void tv_host_set_ticket(struct tv_host *host, int64_t ticket);
/* During `done`: seconds for which the other side asked to be left alone (Retry-After); 0: it did
 * not. */
double tv_host_pause(const struct tv_host *host);
size_t tv_host_under_way(const struct tv_host *host);

#endif
