/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alertmanager, API v2: POST /api/v2/alerts (prometheus/alertmanager, api/v2/openapi.yaml). An
 * alert that fires ends by itself three resend intervals from now, so that it does not stand for
 * ever when trainvet is gone; it is told again each interval. Members of a cluster do not pass
 * alerts on: every server gets them. What is new goes alone, so that a refusal (400) concerns that
 * alert; what is told again goes in batches, of which the service takes apart those that are
 * refused. */
#include "lib/labels.h"
#include "lib/target.h"
#include <stdio.h>
#include <string.h>

enum { SERVERS_MAX = 16 };

struct options {
    struct tv_target_options target;
    const char *instance, *labels, *generator_url;
    double resend;
};

struct state {
    struct tv_target target; /* url: all servers, each ended by a NUL */
    size_t servers;
};

static const struct tv_option option_table[] = {
    TV_TARGET_TEXT_(struct options, url,
                    "the servers, separated by commas: http://am1:9093,http://am2:9093/prefix"),
    TV_TARGET_SECRET_ROWS(struct options),
    TV_TARGET_AUTHORIZATION_ROWS(struct options),
    TV_OPTION_TEXT_ROW(struct options, labels, "", "labels to add: name=value,name=value"),
    TV_OPTION_TEXT_ROW(struct options, instance, "",
                       "the label instance; default: the name of this machine"),
    TV_OPTION_TEXT_ROW(struct options, generator_url, "",
                       "where the alert links to: the address of this trainvet's pages"),
    TV_OPTION_ROW(struct options, resend, DOUBLE, 60, 1, 86400,
                  "seconds after which alerts that still fire are sent again"),
    TV_TARGET_LIMIT_ROWS(struct options),
    TV_OPTION_END,
};

/* "a, b/" in place to "a" NUL "b" NUL. */
static enum tv_status split_servers(const struct options *options, struct state *state,
                                    struct tv_error *reterr)
{
    char *from = state->target.url, *to = from;
    state->servers = 0;
    for (from += strspn(from, ", "); *from; from += strspn(from, ", ")) {
        size_t len = strcspn(from, ", ");
        bool last = !from[len];
        char *next = from + len + !last;
        memmove(to, from, len);
        while (len && to[len - 1] == '/')
            len--;
        to[len] = '\0';
        enum tv_status status = tv_url_check("url", to, options->target.allow_link_local, reterr);
        if (status != TV_OK)
            return status;
        if (++state->servers > SERVERS_MAX)
            return tv_fail(reterr, TV_ECONFIG, "url names more than %d servers", SERVERS_MAX);
        to += len + 1;
        from = next;
    }
    return state->servers ? TV_OK : tv_fail(reterr, TV_ECONFIG, "url names no server");
}

static enum tv_status open_servers(const struct options *options, struct state *state,
                                   const struct tv_sink_host *host, struct tv_error *reterr)
{
    struct state new = {.servers = 0};
    enum tv_status status = tv_labels_check(options->labels, reterr);
    if (status == TV_OK && *options->generator_url)
        status = tv_url_check("generator_url", options->generator_url, true, reterr);
    if (status == TV_OK)
        status = tv_target_read(&options->target, &new.target, host, reterr);
    if (status == TV_OK)
        status = split_servers(options, &new, reterr);
    if (status == TV_OK)
        *state = new;
    return status;
}

static enum tv_status open_sink(const void *options, void *state, void *out,
                                const struct tv_sink_host *host, struct tv_error *reterr)
{
    (void)out;
    return open_servers(options, state, host, reterr);
}

static enum tv_status reopen(const void *options, void *opaque, struct tv_error *reterr)
{
    struct state *state = opaque;
    return open_servers(options, state, state->target.host, reterr);
}

static void add_alert(struct tv_json *json, const struct options *options,
                      const struct tv_alert *alert, double now)
{
    char start[TV_TIME_TEXT], end[TV_TIME_TEXT];
    double until = alert->state == TV_RESOLVED ? now : now + 3 * options->resend;
    tv_json_open(json, NULL, '{');
    tv_labels_json(json, "labels", alert, options->instance, options->labels);
    tv_annotations_json(json, "annotations", alert);
    tv_json_text(json, "startsAt", tv_starts_at(start, alert, now));
    tv_json_text(json, "endsAt", tv_format_time(end, until));
    if (*options->generator_url)
        tv_json_text(json, "generatorURL", options->generator_url);
    tv_json_close(json, '}');
}

static enum tv_status deliver_all(const void *opaque_options, void *opaque,
                                  const struct tv_alert *const *alerts, size_t len,
                                  struct tv_error *reterr)
{
    const struct options *options = opaque_options;
    const struct state *state = opaque;
    const struct tv_target *target = &state->target;
    const char *server = target->url;
    double now = target->host->now(target->host->ctx);
    enum tv_status status = TV_AGAIN;
    for (size_t i = 0; i < state->servers; i++, server += strlen(server) + 1) {
        char url[TV_URL_MAX + sizeof "/api/v2/alerts"];
        struct tv_json json = {0};
        snprintf(url, sizeof url, "%s/api/v2/alerts", server);
        tv_json_open(&json, NULL, '[');
        for (size_t k = 0; k < len; k++)
            add_alert(&json, options, alerts[k], now);
        tv_json_close(&json, ']');
        enum tv_status started = tv_target_post(&options->target, target, url, &json, NULL, reterr);
        status = started == TV_AGAIN ? status : started;
    }
    return status;
}

static enum tv_status deliver(const void *options, void *state, const struct tv_alert *alert,
                              struct tv_error *reterr)
{
    return deliver_all(options, state, &alert, 1, reterr);
}

static double resend(const void *options)
{
    return ((const struct options *)options)->resend;
}

const struct tv_sink tv_sink_alertmanager = {
    .name = "alertmanager",
    .summary = "sends alerts to Alertmanager (API v2), each to every server, again while they fire",
    .options = option_table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .open = open_sink,
    .deliver = deliver,
    .deliver_all = deliver_all,
    .resend = resend,
    .reopen = reopen,
};
