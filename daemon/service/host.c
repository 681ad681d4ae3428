/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/host.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "service/child.h"
#include "trainvet/text.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define LOGIN_PAUSE 300.0 /* seconds: a mail server locks those out who knock often */

struct request {
    struct request *next;
    struct tv_host *host;
    int64_t ticket;
    CURL *easy;
    struct curl_slist *headers, *recipients;
    char *body;
    size_t body_len, sent;
    char answer[TV_HOST_ANSWER_MAX];
    size_t answer_len;
    bool is_mail, allow_link_local;
    enum tv_outcome (*judge)(struct tv_span answer);
};

struct tv_host {
    struct tv_sink_host interface;
    sd_event *loop;
    sd_event_source *timer;
    CURLM *multi;
    struct tv_children *children;
    struct request *requests;
    int64_t ticket;
    double pause; /* of the request whose end is told */
    void (*done)(void *ctx, int64_t ticket, enum tv_outcome outcome, const char *reason);
    void *ctx;
};

static size_t keep_answer(char *bytes, size_t size, size_t count, void *ctx)
{
    struct request *request = ctx;
    size_t len = size * count, room = sizeof request->answer - 1 - request->answer_len;
    len = len < room ? len : room;
    memcpy(request->answer + request->answer_len, bytes, len);
    request->answer_len += len;
    return size * count;
}

static size_t give_body(char *buffer, size_t size, size_t count, void *ctx)
{
    struct request *request = ctx;
    size_t left = request->body_len - request->sent,
           len = size * count < left ? size * count : left;
    memcpy(buffer, request->body + request->sent, len);
    request->sent += len;
    return len;
}

static void free_request(struct request *request)
{
    struct request **at = &request->host->requests;
    while (*at && *at != request)
        at = &(*at)->next;
    if (*at)
        *at = request->next;
    curl_multi_remove_handle(request->host->multi, request->easy);
    curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    curl_slist_free_all(request->recipients);
    free(request->body);
    free(request);
}

/* RFC 4954, section 6: it is the service that was not let in, which says nothing about the mail. */
static bool is_login_refused(const struct request *request, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    return request->is_mail && code != CURLE_OK &&
           (code == CURLE_LOGIN_DENIED || status == 530 || status == 534 || status == 535 ||
            status == 538);
}

/* RFC 9110, section 15.5: these speak of what was sent. The others (who may, where, how often) say
 * nothing about the alert, and can be put right on either side. */
static bool is_about_content(long status)
{
    return status == 400 || status == 413 || status == 415 || status == 422;
}

static enum tv_outcome judge(struct request *request, CURLcode code, char *reason, size_t cap)
{
    long status = 0;
    char answer[160];
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    reason[0] = '\0';
    if (request->is_mail && code != CURLE_OK && status >= 500 && status < 600 &&
        code != CURLE_USE_SSL_FAILED && code != CURLE_OPERATION_TIMEDOUT) {
        snprintf(reason, cap, "the mail server answered %ld: %s", status, curl_easy_strerror(code));
        return is_login_refused(request, code) ? TV_FAILED : TV_REFUSED;
    }
    if (code != CURLE_OK) {
        snprintf(reason, cap, "%s", curl_easy_strerror(code));
        return TV_FAILED;
    }
    if (request->is_mail)
        return TV_DELIVERED;
    struct tv_span told = tv_span_trim((struct tv_span){request->answer, request->answer_len});
    tv_escape(told, answer, sizeof answer);
    snprintf(reason, cap, "the answer was %ld%s%s", status, *answer ? ": " : "", answer);
    bool taken = status >= 200 && status < 300;
    if (request->judge && (taken || is_about_content(status)))
        return request->judge(told);
    if (taken)
        return TV_DELIVERED;
    return is_about_content(status) ? TV_REFUSED : TV_FAILED;
}

static void finish_requests(struct tv_host *host)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(host->multi, &left));) {
        struct request *request = NULL;
        char reason[320];
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
        enum tv_outcome outcome = judge(request, message->data.result, reason, sizeof reason);
        int64_t ticket = request->ticket;
        curl_off_t pause = 0;
        curl_easy_getinfo(request->easy, CURLINFO_RETRY_AFTER, &pause);
        host->pause = is_login_refused(request, message->data.result) ? LOGIN_PAUSE : (double)pause;
        free_request(request);
        host->done(host->ctx, ticket, outcome, reason);
        host->pause = 0;
    }
}

static int on_socket_ready(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    (void)source;
    struct tv_host *host = ctx;
    int running, flags = 0;
    flags |= events & EPOLLIN ? CURL_CSELECT_IN : 0;
    flags |= events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
    flags |= events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
    curl_multi_socket_action(host->multi, fd, flags, &running);
    finish_requests(host);
    return 0;
}

/* libcurl says which sockets it waits for. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket)
{
    (void)easy;
    struct tv_host *host = ctx;
    sd_event_source *source = socket;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (what == CURL_POLL_REMOVE) {
        sd_event_source_disable_unref(source);
        curl_multi_assign(host->multi, fd, NULL);
    } else if (source) {
        sd_event_source_set_io_events(source, events);
    } else if (sd_event_add_io(host->loop, &source, fd, events, on_socket_ready, host) >= 0) {
        curl_multi_assign(host->multi, fd, source);
    }
    return 0;
}

static int on_timer_due(sd_event_source *source, uint64_t usec, void *ctx)
{
    (void)source;
    (void)usec;
    struct tv_host *host = ctx;
    int running;
    curl_multi_socket_action(host->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_requests(host);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
    (void)multi;
    struct tv_host *host = ctx;
    if (ms < 0)
        return sd_event_source_set_enabled(host->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
    sd_event_source_set_time_relative(host->timer, (uint64_t)ms * 1000);
    return sd_event_source_set_enabled(host->timer, SD_EVENT_ONESHOT) < 0 ? -1 : 0;
}

/* The address is looked at when it is known, so that no name leads where no number may. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    const struct request *request = ctx;
    (void)purpose;
    if (!request->allow_link_local && tv_is_link_local(&address->addr))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static struct request *new_request(struct tv_host *host, const char *url, const char *body,
                                   size_t body_len, double timeout)
{
    struct request *request = tv_xcalloc(1, sizeof *request);
    *request = (struct request){.next = host->requests,
                                .host = host,
                                .ticket = host->ticket,
                                .easy = curl_easy_init(),
                                .body_len = body_len};
    host->requests = request;
    request->body = tv_xstrndup(body, body_len);
    curl_easy_setopt(request->easy, CURLOPT_PRIVATE, request);
    curl_easy_setopt(request->easy, CURLOPT_URL, url);
    curl_easy_setopt(request->easy, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps");
    curl_easy_setopt(request->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(request->easy, CURLOPT_NOSIGNAL, 1L);
    /* or taking back a request whose name is still looked up waits for the name server */
    curl_easy_setopt(request->easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(request->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(request->easy, CURLOPT_OPENSOCKETDATA, request);
    curl_easy_setopt(request->easy, CURLOPT_TIMEOUT_MS, (long)(timeout * 1000));
    curl_easy_setopt(request->easy, CURLOPT_USERAGENT, "trainvet/" TRAINVET_VERSION);
    curl_easy_setopt(request->easy, CURLOPT_WRITEFUNCTION, keep_answer);
    curl_easy_setopt(request->easy, CURLOPT_WRITEDATA, request);
    return request;
}

static void set_ca(struct request *request, const char *file)
{
    if (file)
        curl_easy_setopt(request->easy, CURLOPT_CAINFO, file);
}

static enum tv_status begin(struct request *request, struct tv_error *reterr)
{
    CURLMcode code = curl_multi_add_handle(request->host->multi, request->easy);
    if (code == CURLM_OK)
        return TV_OK;
    free_request(request);
    return tv_fail(reterr, TV_EIO, "the request cannot be started: %s", curl_multi_strerror(code));
}

static enum tv_status post(void *ctx, const struct tv_http_post *post, struct tv_error *reterr)
{
    struct request *request =
        new_request(ctx, post->url, post->body, post->body_len, post->timeout);
    request->allow_link_local = post->allow_link_local;
    request->judge = post->judge;
    set_ca(request, post->ca_file);
    for (size_t i = 0; post->headers && post->headers[i]; i++) {
        if (strpbrk(post->headers[i], "\r\n")) {
            free_request(request);
            return tv_fail(reterr, TV_ECONFIG, "a header holds a line end");
        }
        request->headers = curl_slist_append(request->headers, post->headers[i]);
    }
    curl_easy_setopt(request->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers);
    curl_easy_setopt(request->easy, CURLOPT_POSTFIELDS, request->body);
    curl_easy_setopt(request->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
    return begin(request, reterr);
}

static enum tv_status run_child(void *ctx, const struct tv_child *child, struct tv_error *reterr)
{
    struct tv_host *host = ctx;
    return tv_children_start(host->children, child, host->ticket, reterr);
}

static enum tv_status sendmail(struct tv_host *host, const struct tv_mail *mail,
                               struct tv_error *reterr)
{
    const char *argv[] = {"/usr/sbin/sendmail", "-t", "-i", NULL};
    struct tv_child child = {.argv = argv,
                             .input = mail->message,
                             .input_len = mail->message_len,
                             .timeout = mail->timeout};
    return run_child(host, &child, reterr);
}

static enum tv_status send_mail(void *ctx, const struct tv_mail *mail, struct tv_error *reterr)
{
    if (!mail->url)
        return sendmail(ctx, mail, reterr);
    struct request *request =
        new_request(ctx, mail->url, mail->message, mail->message_len, mail->timeout);
    request->is_mail = true;
    set_ca(request, mail->ca_file);
    for (size_t i = 0; mail->to[i]; i++)
        request->recipients = curl_slist_append(request->recipients, mail->to[i]);
    curl_easy_setopt(request->easy, CURLOPT_MAIL_FROM, mail->from);
    curl_easy_setopt(request->easy, CURLOPT_MAIL_RCPT, request->recipients);
    curl_easy_setopt(request->easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(request->easy, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(request->easy, CURLOPT_READDATA, request);
    curl_easy_setopt(request->easy, CURLOPT_USE_SSL,
                     (long)(mail->require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (mail->user)
        curl_easy_setopt(request->easy, CURLOPT_USERNAME, mail->user);
    if (mail->password)
        curl_easy_setopt(request->easy, CURLOPT_PASSWORD, mail->password);
    return begin(request, reterr);
}

static void on_child(void *ctx, int64_t ticket, bool ok, const char *reason)
{
    struct tv_host *host = ctx;
    host->done(host->ctx, ticket, ok ? TV_DELIVERED : TV_FAILED, reason);
}

static double now(void *ctx)
{
    (void)ctx;
    return tv_clock_seconds(CLOCK_REALTIME);
}

struct tv_host *tv_host_new(sd_event *loop,
                            void (*done)(void *ctx, int64_t ticket, enum tv_outcome outcome,
                                         const char *reason),
                            void *ctx, struct tv_error *reterr)
{
    struct tv_host *host = tv_xcalloc(1, sizeof *host);
    *host = (struct tv_host){.interface = {host, post, send_mail, run_child, now},
                             .loop = loop,
                             .done = done,
                             .ctx = ctx};
    host->children = tv_children_new(loop, on_child, host);
    host->multi = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;
    if (!host->multi || sd_event_add_time_relative(loop, &host->timer, CLOCK_MONOTONIC, 0, 1000,
                                                   on_timer_due, host) < 0) {
        tv_host_free(host);
        tv_fail(reterr, TV_EIO, "libcurl or the event loop cannot be started");
        return NULL;
    }
    sd_event_source_set_enabled(host->timer, SD_EVENT_OFF);
    curl_multi_setopt(host->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(host->multi, CURLMOPT_SOCKETDATA, host);
    curl_multi_setopt(host->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(host->multi, CURLMOPT_TIMERDATA, host);
    return host;
}

void tv_host_free(struct tv_host *host)
{
    if (!host)
        return;
    for (struct request *request = host->requests, *next; request; request = next) {
        next = request->next;
        free_request(request);
    }
    curl_multi_cleanup(host->multi);
    sd_event_source_unref(host->timer);
    tv_children_free(host->children);
    curl_global_cleanup();
    free(host);
}

const struct tv_sink_host *tv_host_interface(struct tv_host *host)
{
    return &host->interface;
}

void tv_host_set_ticket(struct tv_host *host, int64_t ticket)
{
    host->ticket = ticket;
}

double tv_host_pause(const struct tv_host *host)
{
    return host->pause;
}

size_t tv_host_under_way(const struct tv_host *host)
{
    size_t n = tv_children_running(host->children);
    for (const struct request *request = host->requests; request; request = request->next)
        n++;
    return n;
}
