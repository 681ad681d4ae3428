/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Discord: POST to a channel's webhook,
 * https://discord.com/developers/docs/resources/webhook#execute-webhook. Limits of an embed
 * (characters): title 256, description 4096, all together 6000. Mentions are switched off whatever
 * the text says; Markdown is escaped with backslashes. */
#include "lib/labels.h"
#include "lib/message.h"
#include "lib/target.h"

enum { TITLE_MAX = 256, TEXT_MAX = 4096 };

struct options {
    struct tv_target_options target;
    const char *username;
};

static const struct tv_option option_table[] = {
    TV_TARGET_SECRET_ROWS(struct options),
    TV_OPTION_TEXT_ROW(struct options, username, "trainvet", "the name that the message bears"),
    TV_TARGET_LIMIT_ROWS(struct options),
    TV_OPTION_END,
};

static void embed(struct tv_json *json, const struct tv_alert *alert)
{
    char title[TITLE_MAX], text[TEXT_MAX], time[TV_TIME_TEXT];
    tv_json_open(json, NULL, '{');
    tv_json_text(json, "title", tv_message_title(title, sizeof title, alert, TV_BACKSLASH));
    tv_json_lines(json, "description", tv_message_body(text, sizeof text, alert, TV_BACKSLASH));
    tv_json_int(json, "color", (int64_t)tv_alert_color(alert));
    if (*tv_format_time(time, alert->wall_time))
        tv_json_text(json, "timestamp", time);
    tv_json_open(json, "footer", '{');
    tv_json_text(json, "text", alert->fingerprint);
    tv_json_close(json, '}');
    tv_json_close(json, '}');
}

static enum tv_status deliver(const void *opaque_options, void *state, const struct tv_alert *alert,
                              struct tv_error *reterr)
{
    const struct options *options = opaque_options;
    struct tv_json json = {0};
    tv_json_open(&json, NULL, '{');
    tv_json_short(&json, "username", options->username, 80);
    tv_json_open(&json, "allowed_mentions", '{');
    tv_json_open(&json, "parse", '[');
    tv_json_close(&json, ']');
    tv_json_close(&json, '}');
    tv_json_open(&json, "embeds", '[');
    embed(&json, alert);
    tv_json_close(&json, ']');
    tv_json_close(&json, '}');
    return tv_target_post(&options->target, state, NULL, &json, NULL, reterr);
}

const struct tv_sink tv_sink_discord = {
    .name = "discord",
    .summary = "a message to a Discord channel through its webhook",
    .options = option_table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct tv_target),
    .limit = TV_SINK_LIMIT,
    .open = tv_target_open_sink,
    .deliver = deliver,
    .reopen = tv_target_reopen_sink,
};
