/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H
/* The service's HTTP: /metrics (Prometheus text format 0.0.4), /api/v1/runs, /api/v1/alerts,
 * /healthz. libmicrohttpd in the service's own loop; loopback or a Unix socket. */
#include "trainvet/error.h"
#include <systemd/sd-event.h>

struct tv_http;
struct tv_service;

/* `listen`: see http/listen.h. NULL when it cannot be bound; *reterr says why. */
struct tv_http *tv_http_start(sd_event *loop, const char *listen, struct tv_service *service,
                              struct tv_error *reterr);
void tv_http_stop(struct tv_http *http); /* NULL allowed */

#endif
