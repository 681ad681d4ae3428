/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H
/* The daemon: configuration, followed runs, store, sinks and HTTP in one event loop and one thread.
 */
#include "service/config.h"
#include "store/store.h"
#include "tail/follow.h"
#include <systemd/sd-event.h>

struct tv_service;

/* Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again (a wrong one is said and
 * ignored). Returns the exit status of the program. */
int tv_service_run(const char *config_path);

/* What HTTP shows; valid during a callback of the loop. */
const struct tv_config *tv_service_config(const struct tv_service *service);
struct tv_store *tv_service_store(const struct tv_service *service);
const struct tv_follow *tv_service_follow(const struct tv_service *service);
/* Changes when the runs are followed anew. */
uint64_t tv_service_generation(const struct tv_service *service);

struct tv_service_health {
    double started, last_work; /* unix seconds */
    double last_work_boot;     /* the same moment on a clock that never steps */
    uint64_t alerts, store_failures, backlog, damaged, overflows, bytes, records;
};
struct tv_service_health tv_service_health(const struct tv_service *service);

#endif
