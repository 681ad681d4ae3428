/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICE_DISPATCH_PARTS_H
#define SERVICE_DISPATCH_PARTS_H
/* What the parts of dispatch share, and nobody else sees: dispatch.c delivers what is owed,
 * resend.c tells what still fires again to those who forget (Alertmanager). */
#include "service/dispatch.h"

struct tv_route_end {
    struct tv_route_end *next;
    char *name;
    const struct tv_sink *sink;
    const void *options;
    void *state;
    int64_t under_way; /* delivery id, 0: none */
    int64_t ticket;    /* of this attempt */
    bool is_settled;   /* it has ended as `worst` says, but that could not be written yet */
    size_t requests;   /* of it that have not ended */
    enum tv_outcome worst;
    char reason[320];    /* of the worst */
    int attempts;        /* of what is under way */
    int failures;        /* one after the other, of anything */
    double paused_until; /* nobody knocks every second for each of a thousand alerts */
    bool said_failing;   /* once, until it works again */
    double asked_pause;  /* seconds, by the other side */
    double resend_at;
    struct tv_resend_batch *batches; /* to be told again; the first is under way */
    bool said_refused;
};

struct tv_dispatch {
    struct tv_dispatch_options options;
    struct tv_host *host;
    struct tv_route_end *ends;
    sd_event_source *timer;
    int64_t tickets;
};

/* ---- resend.c ---- */

/* Tells what still fires once more, when it is time. Nothing is owed for it: the next time makes up
 * for a failure. */
void tv_resend(struct tv_dispatch *dispatch, struct tv_route_end *end);
/* Whether the ticket is that of what is being told again. */
bool tv_resend_is(const struct tv_route_end *end, int64_t ticket);
/* One of its requests has ended. */
void tv_resend_ended(struct tv_dispatch *dispatch, struct tv_route_end *end,
                     enum tv_outcome outcome, const char *reason);
void tv_resend_free(struct tv_route_end *end);

#endif
