/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HTTP_SCRAPE_H
#define HTTP_SCRAPE_H
/* Who asks for the metrics waits, suspended, while the page is made in turns of the loop. All who
 * wait get the same page, and no more than a few pages wait for slow readers: the readers of the
 * oldest are ended then. */
#include <microhttpd.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

struct tv_scrape;
struct tv_scrape_page;
struct tv_service;

/* A client's place. Zero-initialise to create. */
struct tv_scrape_seat {
    struct tv_scrape_seat *next; /* who waits, or has the same page */
    struct MHD_Connection *connection;
    struct tv_scrape_page *page; /* it is sent, or is about to be; NULL: none */
    bool is_waiting;
};

struct tv_scrape_options {
    sd_event *loop;
    const struct tv_service *service;
    void *ctx;
    void (*ready)(void *ctx);                            /* libmicrohttpd has something to do */
    void (*end)(void *ctx, struct tv_scrape_seat *seat); /* it reads too slowly */
};

/* NULL when the loop has no room. The options are copied. */
struct tv_scrape *tv_scrape_new(const struct tv_scrape_options *options);
/* A request for the metrics, and again once the connection is resumed. */
enum MHD_Result tv_scrape_answer(struct tv_scrape *scrape, struct tv_scrape_seat *seat,
                                 struct MHD_Connection *connection);
/* The answer is sent, or the client is gone. */
void tv_scrape_leave(struct tv_scrape *scrape, struct tv_scrape_seat *seat);
/* Before libmicrohttpd is stopped: nobody waits any more. */
void tv_scrape_stop(struct tv_scrape *scrape);
void tv_scrape_free(struct tv_scrape *scrape); /* NULL allowed */

#endif
