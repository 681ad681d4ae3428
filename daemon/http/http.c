/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/http.h"
#include "base/clock.h"
#include "base/memory.h"
#include "http/listen.h"
#include "http/pages.h"
#include "http/response.h"
#include "http/scrape.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <errno.h>
#include <math.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 32,
    RESERVE = 8, /* of them: the oldest that has asked nothing goes before a newcomer waits */
    LIMIT = 1000 /* objects in an answer: more would hold up the loop */
};

#define REQUEST_S 10.0 /* for a whole request, however its bytes trickle in */
#define ANSWER_S  60.0 /* for a whole answer */

struct client {
    struct tv_scrape_seat seat; /* first */
    struct client *next, **here;
    int fd; /* libmicrohttpd's */
    bool has_asked, is_ended;
    double until; /* seconds since boot */
};

struct tv_http {
    struct MHD_Daemon *daemon;
    struct tv_service *service;
    struct tv_scrape *scrape;
    sd_event_source *ready, *timer;
    struct client *clients; /* newest first */
    bool has_closed;        /* one, in this turn */
    char *where;            /* it listens */
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, char *body,
                              size_t len, const char *type, const char *total)
{
    struct MHD_Response *response = tv_response_new(body, len, type);
    if (!response)
        return MHD_NO;
    if (total)
        MHD_add_response_header(response, "X-Total-Count", total);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *text)
{
    return answer(connection, status, tv_xstrndup(text, strlen(text)), strlen(text),
                  "text/plain; charset=utf-8", NULL);
}

/* False when it is set and no number up to a million. */
static bool read_number(struct MHD_Connection *connection, const char *name, size_t *ret)
{
    const char *text = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
    int64_t value = (int64_t)*ret;
    if (text && (!tv_parse_int64(tv_span_of(text), &value) || value < 0 || value > 1000000))
        return false;
    *ret = (size_t)value;
    return true;
}

static bool read_part(struct MHD_Connection *connection, struct tv_page_part *part)
{
    const char *state = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "state");
    *part = (struct tv_page_part){.limit = LIMIT, .state = -1};
    if (state && strcmp(state, "firing") == 0)
        part->state = TV_FIRING;
    else if (state && strcmp(state, "resolved") == 0)
        part->state = TV_RESOLVED;
    else if (state)
        return false;
    bool ok = read_number(connection, "limit", &part->limit) &&
              read_number(connection, "offset", &part->offset);
    part->limit = part->limit < LIMIT ? part->limit : LIMIT;
    return ok;
}

static enum MHD_Result answer_list(struct MHD_Connection *connection,
                                   const struct tv_service *service,
                                   char *(*page)(const struct tv_service *service,
                                                 struct tv_page_part *part, size_t *ret_len))
{
    struct tv_page_part part;
    char total[32];
    size_t len;
    if (!read_part(connection, &part))
        return say(connection, MHD_HTTP_BAD_REQUEST,
                   "limit=NUMBER, offset=NUMBER, state=firing or resolved\n");
    char *body = page(service, &part, &len);
    snprintf(total, sizeof total, "%zu", part.total);
    return answer(connection, MHD_HTTP_OK, body, len, "application/json", total);
}

/* ---- time for each client ---- */

static double seconds(void)
{
    return tv_clock_seconds(CLOCK_BOOTTIME);
}

/* libmicrohttpd sees the end of the connection and closes it. */
static void end_client(struct client *client)
{
    if (!client->is_ended)
        shutdown(client->fd, SHUT_RDWR);
    client->is_ended = true;
}

static void make_room(struct tv_http *http)
{
    struct client *oldest = NULL;
    size_t open = 0;
    for (struct client *client = http->clients; client; client = client->next) {
        open += !client->is_ended;
        if (!client->is_ended && !client->has_asked)
            oldest = client;
    }
    if (open > CONNECTIONS_MAX - RESERVE && oldest)
        end_client(oldest);
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **ret_client,
                          enum MHD_ConnectionNotificationCode what)
{
    struct tv_http *http = ctx;
    struct client *client = *ret_client;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        client = tv_xcalloc(1, sizeof *client);
        *client = (struct client){
            .next = http->clients,
            .here = &http->clients,
            .fd =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
            .until = seconds() + REQUEST_S,
        };
        if (client->next)
            client->next->here = &client->next;
        http->clients = client;
        *ret_client = client;
        make_room(http);
    } else if (client) {
        tv_scrape_leave(http->scrape, &client->seat);
        *client->here = client->next;
        if (client->next)
            client->next->here = client->here;
        free(client);
        http->has_closed = true;
    }
}

static struct client *client_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how)
{
    struct tv_http *http = ctx;
    (void)state;
    (void)how;
    struct client *client = client_of(connection);
    tv_scrape_leave(http->scrape, &client->seat);
    client->has_asked = false;
    client->until = seconds() + REQUEST_S;
}

/* Ends those whose time is over; returns when the next one's is. */
static double end_late(struct tv_http *http)
{
    double now = seconds(), next = INFINITY;
    for (struct client *client = http->clients; client; client = client->next) {
        if (client->until <= now)
            end_client(client);
        else if (!client->is_ended)
            next = fmin(next, client->until);
    }
    return next;
}

/* libmicrohttpd fixes the parameters. NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_len, void **state)
{
    (void)version;
    (void)data;
    (void)state;
    struct tv_http *http = ctx;
    struct client *client = client_of(connection);
    size_t len;
    bool well;
    client->has_asked = true;
    client->until = seconds() + ANSWER_S;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        *data_len = 0;
        return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n");
    }
    if (strcmp(url, "/api/v1/runs") == 0)
        return answer_list(connection, http->service, tv_page_runs);
    if (strcmp(url, "/api/v1/alerts") == 0)
        return answer_list(connection, http->service, tv_page_alerts);
    if (strcmp(url, "/metrics") == 0)
        return tv_scrape_answer(http->scrape, &client->seat, connection);
    if (strcmp(url, "/healthz") == 0) {
        char *body = tv_page_health(http->service, &len, &well);
        return answer(connection, well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, body, len,
                      "text/plain; charset=utf-8", NULL);
    }
    return say(connection, MHD_HTTP_NOT_FOUND, "/metrics /api/v1/runs /api/v1/alerts /healthz\n");
}

/* libmicrohttpd works when its descriptor is ready, and now when it says so. At its limit of
 * connections it listens again only in the turn after one has closed, which nothing announces. */
static void run(struct tv_http *http)
{
    MHD_UNSIGNED_LONG_LONG ms = 0;
    http->has_closed = false;
    MHD_run(http->daemon);
    double next = http->has_closed ? 0 : end_late(http) - seconds();
    if (MHD_get_timeout(http->daemon, &ms) == MHD_YES)
        next = fmin(next, (double)ms / 1e3);
    bool waits = isfinite(next);
    sd_event_source_set_time_relative(http->timer, waits && next > 0 ? (uint64_t)(next * 1e6) : 0);
    sd_event_source_set_enabled(http->timer, waits ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    (void)source;
    (void)fd;
    (void)events;
    run(ctx);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
    (void)source;
    (void)usec;
    run(ctx);
    return 0;
}

static void on_page(void *ctx)
{
    run(ctx);
}

static void end_slow(void *ctx, struct tv_scrape_seat *seat)
{
    (void)ctx;
    end_client((struct client *)seat);
}

struct tv_http *tv_http_start(sd_event *loop, const char *listen_at, struct tv_service *service,
                              struct tv_error *reterr)
{
    struct tv_http *http = tv_xcalloc(1, sizeof *http);
    http->service = service;
    int fd = tv_listen(listen_at, reterr);
    if (fd < 0) {
        free(http);
        return NULL;
    }
    http->where = tv_xstrndup(listen_at, strlen(listen_at));
    http->scrape =
        tv_scrape_new(&(struct tv_scrape_options){loop, service, http, on_page, end_slow});
    http->daemon = !http->scrape
                       ? NULL
                       : MHD_start_daemon(
                             MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
                             http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                             (unsigned)CONNECTIONS_MAX, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
                             http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        http->daemon ? MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info || sd_event_add_io(loop, &http->ready, info->epoll_fd, EPOLLIN, on_ready, http) < 0 ||
        sd_event_add_time_relative(loop, &http->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, http) <
            0) {
        if (!http->daemon)
            close(fd);
        tv_http_stop(http);
        tv_fail(reterr, TV_EIO, "the HTTP server cannot be started");
        return NULL;
    }
    return http;
}

void tv_http_stop(struct tv_http *http)
{
    if (!http)
        return;
    sd_event_source_disable_unref(http->ready);
    sd_event_source_disable_unref(http->timer);
    if (http->scrape)
        tv_scrape_stop(http->scrape);
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    tv_scrape_free(http->scrape);
    tv_listen_remove(http->where);
    free(http->where);
    free(http);
}
