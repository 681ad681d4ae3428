/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/scrape.h"
#include "base/memory.h"
#include "http/metrics.h"
#include "http/response.h"
#include <stdlib.h>

enum { PAGES_MAX = 3 }; /* at 10,000 runs one takes about 7 MB */
#define SLICE 0.005     /* seconds of a turn of the loop */

struct tv_scrape_page {
    struct tv_scrape_page *next; /* an older one */
    struct MHD_Response *response;
    struct tv_scrape_seat *seats;
};

struct tv_scrape {
    struct tv_scrape_options options;
    sd_event_source *work;
    struct tv_metrics *making; /* NULL: nobody waits */
    struct tv_scrape_seat *waiting;
    struct tv_scrape_page *pages; /* newest first; each has a seat */
};

static void unlink_seat(struct tv_scrape_seat **list, struct tv_scrape_seat *seat)
{
    while (*list && *list != seat)
        list = &(*list)->next;
    if (*list)
        *list = seat->next;
}

static void free_page(struct tv_scrape *scrape, struct tv_scrape_page *page)
{
    struct tv_scrape_page **at = &scrape->pages;
    while (*at != page)
        at = &(*at)->next;
    *at = page->next;
    MHD_destroy_response(page->response);
    free(page);
}

/* Their connections are closed later, which is when their page goes. */
static void end_slowest(const struct tv_scrape *scrape)
{
    size_t pages = 0;
    for (const struct tv_scrape_page *page = scrape->pages; page; page = page->next)
        if (++pages > PAGES_MAX)
            for (struct tv_scrape_seat *seat = page->seats; seat; seat = seat->next)
                scrape->options.end(scrape->options.ctx, seat);
}

static struct MHD_Response *take_response(struct tv_scrape *scrape)
{
    size_t len;
    char *text = tv_metrics_end(scrape->making, &len);
    scrape->making = NULL;
    return tv_response_new(text, len, "text/plain; version=0.0.4; charset=utf-8");
}

static void resume_all(struct tv_scrape *scrape, struct tv_scrape_page *page)
{
    while (scrape->waiting) {
        struct tv_scrape_seat *seat = scrape->waiting;
        scrape->waiting = seat->next;
        seat->is_waiting = false;
        seat->page = page;
        seat->next = page ? page->seats : NULL;
        if (page)
            page->seats = seat;
        MHD_resume_connection(seat->connection);
    }
}

/* A timer, since a deferred call that stays enabled goes before all else. */
static void work_soon(struct tv_scrape *scrape)
{
    sd_event_source_set_time_relative(scrape->work, 0);
    sd_event_source_set_enabled(scrape->work, SD_EVENT_ONESHOT);
}

static int on_work(sd_event_source *source, uint64_t usec, void *ctx)
{
    (void)source;
    (void)usec;
    struct tv_scrape *scrape = ctx;
    if (!tv_metrics_work(scrape->making, SLICE)) {
        work_soon(scrape);
        return 0;
    }
    struct MHD_Response *response = take_response(scrape);
    struct tv_scrape_page *page = NULL;
    if (response) {
        page = tv_xcalloc(1, sizeof *page);
        *page = (struct tv_scrape_page){.next = scrape->pages, .response = response};
        scrape->pages = page;
    }
    resume_all(scrape, page);
    end_slowest(scrape);
    scrape->options.ready(scrape->options.ctx);
    return 0;
}

struct tv_scrape *tv_scrape_new(const struct tv_scrape_options *options)
{
    struct tv_scrape *scrape = tv_xcalloc(1, sizeof *scrape);
    scrape->options = *options;
    if (sd_event_add_time(options->loop, &scrape->work, CLOCK_MONOTONIC, 0, 1, on_work, scrape) <
        0) {
        free(scrape);
        return NULL;
    }
    sd_event_source_set_enabled(scrape->work, SD_EVENT_OFF);
    return scrape;
}

enum MHD_Result tv_scrape_answer(struct tv_scrape *scrape, struct tv_scrape_seat *seat,
                                 struct MHD_Connection *connection)
{
    if (seat->page)
        return MHD_queue_response(connection, MHD_HTTP_OK, seat->page->response);
    if (!scrape->making) {
        scrape->making = tv_metrics_begin(scrape->options.service);
        work_soon(scrape);
    }
    seat->connection = connection;
    seat->is_waiting = true;
    seat->next = scrape->waiting;
    scrape->waiting = seat;
    MHD_suspend_connection(connection);
    return MHD_YES;
}

void tv_scrape_leave(struct tv_scrape *scrape, struct tv_scrape_seat *seat)
{
    struct tv_scrape_page *page = seat->page;
    if (seat->is_waiting)
        unlink_seat(&scrape->waiting, seat);
    if (page)
        unlink_seat(&page->seats, seat);
    if (page && !page->seats)
        free_page(scrape, page);
    *seat = (struct tv_scrape_seat){0};
}

void tv_scrape_stop(struct tv_scrape *scrape)
{
    scrape->work = sd_event_source_disable_unref(scrape->work);
    tv_metrics_free(scrape->making);
    scrape->making = NULL;
    resume_all(scrape, NULL);
}

void tv_scrape_free(struct tv_scrape *scrape)
{
    free(scrape);
}
