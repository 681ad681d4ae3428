/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slack's incoming webhooks: https://api.slack.com/messaging/webhooks. The text stands in an
 * attachment without "mrkdwn_in", where only & < > have a meaning (they begin mentions and links)
 * and are written as entities: https://api.slack.com/reference/surfaces/formatting#escaping. */
#include "lib/message.h"
#include "lib/target.h"
#include <stdio.h>

enum { TEXT_MAX = 3000 }; /* bytes; Slack folds attachments behind 700 characters, cuts at 40,000 */

struct options {
    struct tv_target_options target;
};

static const struct tv_option option_table[] = {
    TV_TARGET_SECRET_ROWS(struct options),
    TV_TARGET_LIMIT_ROWS(struct options),
    TV_OPTION_END,
};

static enum tv_status deliver(const void *opaque_options, void *state, const struct tv_alert *alert,
                              struct tv_error *reterr)
{
    const struct options *options = opaque_options;
    char title[600], text[TEXT_MAX], color[16];
    struct tv_json json = {0};
    snprintf(color, sizeof color, "#%06x", tv_alert_color(alert));
    tv_message_title(title, sizeof title, alert, TV_ENTITIES);
    tv_json_open(&json, NULL, '{');
    tv_json_open(&json, "attachments", '[');
    tv_json_open(&json, NULL, '{');
    tv_json_text(&json, "fallback", title);
    tv_json_text(&json, "color", color);
    tv_json_text(&json, "title", title);
    tv_json_lines(&json, "text", tv_message_body(text, sizeof text, alert, TV_ENTITIES));
    tv_json_text(&json, "footer", alert->fingerprint);
    if (alert->wall_time >= 0 && alert->wall_time < 1e11)
        tv_json_int(&json, "ts", (int64_t)alert->wall_time);
    tv_json_close(&json, '}');
    tv_json_close(&json, ']');
    tv_json_close(&json, '}');
    return tv_target_post(&options->target, state, NULL, &json, NULL, reterr);
}

const struct tv_sink tv_sink_slack = {
    .name = "slack",
    .summary = "a message to a Slack channel through an incoming webhook",
    .options = option_table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct tv_target),
    .limit = TV_SINK_LIMIT,
    .open = tv_target_open_sink,
    .deliver = deliver,
    .reopen = tv_target_reopen_sink,
};
