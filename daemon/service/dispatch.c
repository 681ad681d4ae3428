/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "service/dispatch_parts.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLICE 0.02 /* seconds of one sink's deliveries, then others have their turn */

/* 1, 2, 4 ... seconds. */
static double pause_after(int attempts)
{
    double pause = exp2(attempts < 20 ? attempts : 20);
    return pause < TV_STORE_PAUSE_MAX ? pause : TV_STORE_PAUSE_MAX;
}

static void say_outcome(struct tv_route_end *end)
{
    if (end->worst == TV_DELIVERED && end->said_failing)
        tv_log(TV_LOG_WARNING, "sink %s: works again", end->name);
    else if (end->worst == TV_REFUSED)
        tv_log(TV_LOG_ERROR, "sink %s: refused an alert, which is dropped: %s", end->name,
               end->reason);
    else if (end->worst == TV_FAILED && !end->said_failing)
        tv_log(TV_LOG_WARNING, "sink %s: %s; trying again", end->name, end->reason);
    if (end->worst != TV_REFUSED)
        end->said_failing = end->worst == TV_FAILED;
}

/* An alert that failed stands back a little longer than its sink, so that one that is never taken
 * does not hold up the others. */
static bool write_failed(struct tv_dispatch *dispatch, struct tv_route_end *end)
{
    double now = dispatch->options.now(), asked = fmin(end->asked_pause, TV_STORE_PAUSE_MAX);
    if (!tv_store_failed(dispatch->options.store, end->under_way,
                         now + fmax(asked, pause_after(end->attempts + 1)), end->reason))
        return false;
    end->paused_until = now + fmax(asked, pause_after(end->failures));
    end->failures++;
    return true;
}

/* What has ended is written down before the sink gets anything else: with a full disk it would get
 * the same thing again and again. False: it cannot be written now. */
static bool write_down(struct tv_dispatch *dispatch, struct tv_route_end *end)
{
    struct tv_store *store = dispatch->options.store;
    if (!end->is_settled)
        return true;
    bool ok = end->worst == TV_DELIVERED ? tv_store_delivered(store, end->under_way)
              : end->worst == TV_REFUSED ? tv_store_refused(store, end->under_way)
                                         : write_failed(dispatch, end);
    if (!ok)
        return false;
    if (end->worst != TV_FAILED)
        end->failures = 0;
    end->is_settled = false;
    end->under_way = 0;
    return true;
}

static void settle(struct tv_dispatch *dispatch, struct tv_route_end *end, enum tv_outcome outcome,
                   const char *reason)
{
    end->worst = outcome;
    end->ticket = 0;
    end->is_settled = true;
    if (reason != end->reason)
        snprintf(end->reason, sizeof end->reason, "%s", reason);
    say_outcome(end);
    write_down(dispatch, end);
}

/* A clock that was set back since makes no pause longer. */
static bool is_paused(const struct tv_dispatch *dispatch, const struct tv_route_end *end)
{
    double left = end->paused_until - dispatch->options.now();
    return left > 0 && left <= TV_STORE_PAUSE_MAX;
}

/* One delivery. False when the sink has nothing due or is busy. */
static bool deliver_next(struct tv_dispatch *dispatch, struct tv_route_end *end)
{
    struct tv_delivery delivery;
    struct tv_error error = {0};
    if (!write_down(dispatch, end) || end->under_way || is_paused(dispatch, end) ||
        !tv_store_next(dispatch->options.store, end->name, dispatch->options.now(), &delivery))
        return false;
    end->under_way = delivery.id;
    end->attempts = delivery.attempts;
    end->ticket = ++dispatch->tickets;
    tv_host_set_ticket(dispatch->host, end->ticket);
    size_t before = tv_host_under_way(dispatch->host);
    end->worst = TV_DELIVERED;
    end->reason[0] = '\0';
    end->asked_pause = 0;
    enum tv_status status = end->sink->deliver(end->options, end->state, &delivery.alert, &error);
    end->requests = tv_host_under_way(dispatch->host) - before;
    if (status == TV_OK)
        settle(dispatch, end, TV_DELIVERED, "");
    else if (status == TV_ECONFIG)
        settle(dispatch, end, TV_REFUSED, error.message);
    else if (status != TV_AGAIN)
        settle(dispatch, end, TV_FAILED, error.message);
    else if (end->requests == 0)
        settle(dispatch, end, TV_FAILED, "nothing was sent");
    return true;
}

static void set_timer(struct tv_dispatch *dispatch, bool has_more)
{
    double next = tv_store_next_time(dispatch->options.store), now = dispatch->options.now();
    for (struct tv_route_end *end = dispatch->ends; end; end = end->next)
        next = end->resend_at < next ? end->resend_at : next;
    double wait = has_more ? 0 : next - now < 1 ? 1 : next - now > 60 ? 60 : next - now;
    sd_event_source_set_time_relative(dispatch->timer, (uint64_t)(wait * 1e6));
    sd_event_source_set_enabled(dispatch->timer, SD_EVENT_ONESHOT);
}

/* A file on a slow disk takes a thousand alerts in seconds: the loop goes on meanwhile. True when
 * there may be more. */
static bool deliver_some(struct tv_dispatch *dispatch, struct tv_route_end *end)
{
    double until = tv_clock_seconds(CLOCK_MONOTONIC) + SLICE;
    while (deliver_next(dispatch, end))
        if (tv_clock_seconds(CLOCK_MONOTONIC) > until)
            return true;
    return false;
}

void tv_dispatch_pump(struct tv_dispatch *dispatch)
{
    bool has_more = false;
    tv_store_tell_held(dispatch->options.store, dispatch->options.now());
    for (struct tv_route_end *end = dispatch->ends; end; end = end->next) {
        has_more = deliver_some(dispatch, end) || has_more;
        tv_resend(dispatch, end);
    }
    set_timer(dispatch, has_more);
}

/* A delivery of several requests ends as its worst one did. */
static void request_ended(struct tv_dispatch *dispatch, struct tv_route_end *end,
                          enum tv_outcome outcome, const char *reason)
{
    if (outcome > end->worst) {
        end->worst = outcome;
        snprintf(end->reason, sizeof end->reason, "%s", reason);
    }
    end->asked_pause = fmax(end->asked_pause, tv_host_pause(dispatch->host));
    if (--end->requests == 0)
        settle(dispatch, end, end->worst, end->reason);
}

static void on_done(void *ctx, int64_t ticket, enum tv_outcome outcome, const char *reason)
{
    struct tv_dispatch *dispatch = ctx;
    for (struct tv_route_end *end = dispatch->ends; ticket && end; end = end->next)
        if (end->ticket == ticket)
            request_ended(dispatch, end, outcome, reason);
        else if (tv_resend_is(end, ticket))
            tv_resend_ended(dispatch, end, outcome, reason);
    tv_dispatch_pump(dispatch);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
    (void)source;
    (void)usec;
    tv_dispatch_pump(ctx);
    return 0;
}

struct tv_dispatch *tv_dispatch_new(const struct tv_dispatch_options *options,
                                    struct tv_error *reterr)
{
    struct tv_dispatch *dispatch = tv_xcalloc(1, sizeof *dispatch);
    dispatch->options = *options;
    dispatch->host = tv_host_new(options->loop, on_done, dispatch, reterr);
    if (!dispatch->host ||
        sd_event_add_time_relative(options->loop, &dispatch->timer, CLOCK_BOOTTIME, 0, 1000,
                                   on_timer, dispatch) < 0) {
        tv_dispatch_free(dispatch);
        return NULL;
    }
    return dispatch;
}

enum tv_status tv_dispatch_add(struct tv_dispatch *dispatch, const char *name,
                               const struct tv_sink *sink, const void *options, void *out,
                               struct tv_error *reterr)
{
    void *state = tv_xcalloc(1, sink->state_size);
    enum tv_status status =
        sink->open(options, state, out, tv_host_interface(dispatch->host), reterr);
    if (status != TV_OK) {
        free(state);
        return status;
    }
    struct tv_route_end *end = tv_xcalloc(1, sizeof *end), **last = &dispatch->ends;
    *end = (struct tv_route_end){
        .name = tv_xstrndup(name, strlen(name)), .sink = sink, .options = options, .state = state};
    while (*last)
        last = &(*last)->next;
    *last = end;
    return TV_OK;
}

void tv_dispatch_reopen(struct tv_dispatch *dispatch)
{
    struct tv_error error;
    for (struct tv_route_end *end = dispatch->ends; end; end = end->next)
        if (end->sink->reopen && end->sink->reopen(end->options, end->state, &error) != TV_OK)
            tv_log(TV_LOG_ERROR, "sink %s: %s", end->name, error.message);
}

void tv_dispatch_forget(struct tv_dispatch *dispatch)
{
    for (struct tv_route_end *end = dispatch->ends; end; end = end->next) {
        end->under_way = 0;
        end->ticket = 0;
        end->is_settled = false;
    }
}

size_t tv_dispatch_under_way(const struct tv_dispatch *dispatch)
{
    return tv_host_under_way(dispatch->host);
}

void tv_dispatch_free(struct tv_dispatch *dispatch)
{
    if (!dispatch)
        return;
    while (dispatch->ends) {
        struct tv_route_end *end = dispatch->ends;
        struct tv_error error;
        dispatch->ends = end->next;
        if (end->sink->close)
            end->sink->close(end->options, end->state, &error);
        free(end->state);
        free(end->name);
        tv_resend_free(end);
        free(end);
    }
    tv_host_free(dispatch->host);
    sd_event_source_disable_unref(dispatch->timer);
    free(dispatch);
}
