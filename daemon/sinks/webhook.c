/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Posts each alert in the shape that Alertmanager gives to webhooks, version 4
 * (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config), so that what already
 * understands Alertmanager understands this. */
#include "lib/labels.h"
#include "lib/target.h"

struct options {
    struct tv_target_options target;
    const char *instance, *labels, *receiver;
};

static const struct tv_option option_table[] = {
    TV_TARGET_TEXT_(struct options, url, "where to post: http:// or https://"),
    TV_TARGET_SECRET_ROWS(struct options),
    TV_TARGET_AUTHORIZATION_ROWS(struct options),
    TV_OPTION_TEXT_ROW(struct options, labels, "", "labels to add: name=value,name=value"),
    TV_OPTION_TEXT_ROW(struct options, instance, "",
                       "the label instance; default: the name of this machine"),
    TV_OPTION_TEXT_ROW(struct options, receiver, "trainvet", "the body's field receiver"),
    TV_TARGET_LIMIT_ROWS(struct options),
    TV_OPTION_END,
};

static enum tv_status open_target(const struct options *options, struct tv_target *target,
                                  const struct tv_sink_host *host, struct tv_error *reterr)
{
    enum tv_status status = tv_labels_check(options->labels, reterr);
    if (status == TV_OK)
        status = tv_target_open(&options->target, target, host, reterr);
    return status;
}

static enum tv_status open_sink(const void *options, void *state, void *out,
                                const struct tv_sink_host *host, struct tv_error *reterr)
{
    (void)out;
    return open_target(options, state, host, reterr);
}

static enum tv_status reopen(const void *options, void *state, struct tv_error *reterr)
{
    return open_target(options, state, ((struct tv_target *)state)->host, reterr);
}

static void alerts(struct tv_json *json, const struct options *options,
                   const struct tv_alert *alert, double now)
{
    char start[TV_TIME_TEXT], end[TV_TIME_TEXT];
    bool over = alert->state == TV_RESOLVED;
    tv_json_open(json, "alerts", '[');
    tv_json_open(json, NULL, '{');
    tv_json_text(json, "status", over ? "resolved" : "firing");
    tv_labels_json(json, "labels", alert, options->instance, options->labels);
    tv_annotations_json(json, "annotations", alert);
    tv_json_text(json, "startsAt", tv_starts_at(start, alert, now));
    tv_json_text(json, "endsAt", over ? tv_format_time(end, now) : "0001-01-01T00:00:00Z");
    tv_json_text(json, "generatorURL", "");
    tv_json_text(json, "fingerprint", alert->fingerprint);
    tv_json_close(json, '}');
    tv_json_close(json, ']');
}

static enum tv_status deliver(const void *opaque_options, void *opaque,
                              const struct tv_alert *alert, struct tv_error *reterr)
{
    const struct options *options = opaque_options;
    const struct tv_target *target = opaque;
    struct tv_json json = {0};
    tv_json_open(&json, NULL, '{');
    tv_json_text(&json, "version", "4");
    tv_json_text(&json, "groupKey", alert->fingerprint);
    tv_json_int(&json, "truncatedAlerts", 0);
    tv_json_text(&json, "status", alert->state == TV_FIRING ? "firing" : "resolved");
    tv_json_text(&json, "receiver", options->receiver);
    tv_labels_json(&json, "groupLabels", alert, options->instance, options->labels);
    tv_labels_json(&json, "commonLabels", alert, options->instance, options->labels);
    tv_annotations_json(&json, "commonAnnotations", alert);
    tv_json_text(&json, "externalURL", "");
    alerts(&json, options, alert, target->host->now(target->host->ctx));
    tv_json_close(&json, '}');
    return tv_target_post(&options->target, target, NULL, &json, NULL, reterr);
}

const struct tv_sink tv_sink_webhook = {
    .name = "webhook",
    .summary = "posts JSON in the shape of Alertmanager's webhooks, version 4",
    .options = option_table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct tv_target),
    .open = open_sink,
    .deliver = deliver,
    .reopen = reopen,
};
