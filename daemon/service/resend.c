/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "service/dispatch_parts.h"
#include "sinks/lib/alert_json.h"
#include "store/alert_text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 64 };

/* Alerts that are told again in one request to each server. */
struct tv_resend_batch {
    struct tv_resend_batch *next;
    char *objects[BATCH_MAX];
    size_t len, requests;
    int64_t ticket; /* 0: not started */
    bool is_refused;
};

static void free_batch(struct tv_resend_batch *batch)
{
    for (size_t i = 0; i < batch->len; i++)
        free(batch->objects[i]);
    free(batch);
}

static enum tv_status send_again(struct tv_route_end *end, const struct tv_alert *const *alerts,
                                 size_t len, struct tv_error *reterr)
{
    if (end->sink->deliver_all)
        return end->sink->deliver_all(end->options, end->state, alerts, len, reterr);
    for (size_t i = 0; i < len; i++)
        end->sink->deliver(end->options, end->state, alerts[i], reterr);
    return TV_AGAIN;
}

/* Starts the first batch, unless one is under way. Nothing is owed for it, the next time makes up
 * for a failure. */
static void resend_next(struct tv_dispatch *dispatch, struct tv_route_end *end)
{
    while (end->batches && !end->batches->ticket) {
        struct tv_resend_batch *batch = end->batches;
        struct tv_alert alerts[BATCH_MAX];
        const struct tv_alert *list[BATCH_MAX];
        struct tv_arena texts = {0};
        struct tv_error error;
        size_t len = 0, before = tv_host_under_way(dispatch->host);
        for (size_t i = 0; i < batch->len; i++)
            if (tv_alert_from_json(batch->objects[i], &texts, &alerts[len])) {
                list[len] = &alerts[len];
                len++;
            }
        batch->ticket = ++dispatch->tickets;
        tv_host_set_ticket(dispatch->host, batch->ticket);
        send_again(end, list, len, &error);
        batch->requests = tv_host_under_way(dispatch->host) - before;
        tv_arena_free(&texts);
        if (batch->requests)
            return;
        end->batches = batch->next;
        free_batch(batch);
    }
}

/* One that was refused holds an alert that is never taken: each half goes by itself. */
static void take_apart(struct tv_route_end *end, struct tv_resend_batch *batch)
{
    for (size_t half = 2; half-- > 0;) {
        size_t from = half ? batch->len / 2 : 0, to = half ? batch->len : batch->len / 2;
        struct tv_resend_batch *part = tv_xcalloc(1, sizeof *part);
        part->len = to - from;
        memcpy(part->objects, batch->objects + from, part->len * sizeof *part->objects);
        part->next = end->batches;
        end->batches = part;
    }
    batch->len = 0;
}

void tv_resend_ended(struct tv_dispatch *dispatch, struct tv_route_end *end,
                     enum tv_outcome outcome, const char *reason)
{
    struct tv_resend_batch *batch = end->batches;
    batch->is_refused = batch->is_refused || outcome == TV_REFUSED;
    if (--batch->requests > 0)
        return;
    end->batches = batch->next;
    if (batch->is_refused && batch->len > 1)
        take_apart(end, batch);
    else if (batch->is_refused && !end->said_refused) {
        tv_log(TV_LOG_ERROR, "sink %s: an alert is refused when it is told again: %s", end->name,
               reason);
        end->said_refused = true;
    }
    free_batch(batch);
    resend_next(dispatch, end);
}

struct resending {
    struct tv_dispatch *dispatch;
    struct tv_route_end *end;
    struct tv_resend_batch *newest;
};

static bool resend_one(void *ctx, const struct tv_alert *alert)
{
    struct resending *resending = ctx;
    struct tv_dispatch *dispatch = resending->dispatch;
    if (tv_store_is_held(dispatch->options.store, resending->end->name, alert->fingerprint))
        return true;
    if (dispatch->options.wants &&
        !dispatch->options.wants(dispatch->options.ctx, resending->end->name, alert))
        return true;
    if (!resending->newest || resending->newest->len == BATCH_MAX) {
        struct tv_resend_batch *batch = tv_xcalloc(1, sizeof *batch);
        *(resending->newest ? &resending->newest->next : &resending->end->batches) = batch;
        resending->newest = batch;
    }
    struct tv_json json = {0};
    tv_alert_json(&json, alert);
    resending->newest->objects[resending->newest->len++] = json.data;
    return true;
}

void tv_resend(struct tv_dispatch *dispatch, struct tv_route_end *end)
{
    double every = end->sink->resend ? end->sink->resend(end->options) : 0,
           now = dispatch->options.now();
    if (!(every > 0)) {
        end->resend_at = INFINITY;
        return;
    }
    if (end->resend_at == 0 || end->resend_at > now + every) /* or the clock was set back */
        end->resend_at = now + every;
    if (now < end->resend_at)
        return;
    end->resend_at = now + every;
    if (end->batches)
        return;
    tv_store_each(dispatch->options.store, true, resend_one,
                  &(struct resending){dispatch, end, NULL});
    resend_next(dispatch, end);
}

bool tv_resend_is(const struct tv_route_end *end, int64_t ticket)
{
    return end->batches && end->batches->ticket == ticket;
}

void tv_resend_free(struct tv_route_end *end)
{
    while (end->batches) {
        struct tv_resend_batch *batch = end->batches;
        end->batches = batch->next;
        free_batch(batch);
    }
}
