/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICE_SERVICE_PARTS_H
#define SERVICE_SERVICE_PARTS_H
/* What the parts of the service share, and nobody else sees: service.c begins, reloads and ends it,
 * following.c has the runs followed, a turn at a time. */
#include "http/http.h"
#include "service/dispatch.h"
#include "service/record.h"
#include "service/service.h"
#include "service/sweep.h"

struct tv_service {
    const char *config_path;
    struct tv_config config;
    struct tv_recorder recorder; /* it has the store */
    struct tv_dispatch *dispatch;
    struct tv_follow_options follow_options;
    struct tv_follow *follow;
    uint64_t generation; /* +1 for each follow */
    struct tv_watch *watch;
    struct tv_http *http;
    sd_event *loop;
    sd_event_source *timer, *hints;
    struct tv_sweep sweep;
    uint64_t watchdog_usec;
    double told_manager; /* seconds since boot */
    double turn_ends;    /* seconds of CLOCK_MONOTONIC: then others have theirs */
    struct tv_service_health health;
};

/* ---- following.c ---- */

void tv_service_begin_following(struct tv_service *service);
void tv_service_stop_following(struct tv_service *service);
/* One turn: the store is mended, what waits is recorded, the runs are looked at, what is owed is
 * delivered. Sets the timer for the next one. */
void tv_service_work(struct tv_service *service);
/* The handler of that timer; `ctx` is the service. */
int tv_service_on_timer(sd_event_source *source, uint64_t usec, void *ctx);

#endif
