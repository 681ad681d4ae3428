/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Group bots of WeCom: https://developer.work.weixin.qq.com/document/path/91770. Plain text of at
 * most 2048 bytes; the key stands in the address, messages are not signed. */
#include "lib/message.h"
#include "lib/target.h"

enum { TEXT_MAX = 2048 };

struct options {
    struct tv_target_options target;
};

static const struct tv_option option_table[] = {
    TV_TARGET_SECRET_ROWS(struct options),
    TV_TARGET_LIMIT_ROWS(struct options),
    TV_OPTION_END,
};

/* -1: the system is busy; 45009: more than 20 messages a minute; 93000: the key in the URL. */
static enum tv_outcome judge(struct tv_span answer)
{
    static const int64_t later[] = {-1, 45009, 93000, 0};
    return tv_judge_code(answer, "errcode", later);
}

static enum tv_status deliver(const void *opaque_options, void *state, const struct tv_alert *alert,
                              struct tv_error *reterr)
{
    const struct options *options = opaque_options;
    char text[TEXT_MAX];
    struct tv_json json = {0};
    tv_json_open(&json, NULL, '{');
    tv_json_text(&json, "msgtype", "text");
    tv_json_open(&json, "text", '{');
    tv_json_lines(&json, "content", tv_message(text, sizeof text, alert, TV_NO_MENTION));
    tv_json_close(&json, '}');
    tv_json_close(&json, '}');
    return tv_target_post(&options->target, state, NULL, &json, judge, reterr);
}

const struct tv_sink tv_sink_wecom = {
    .name = "wecom",
    .summary = "a message to a WeCom group through its bot",
    .options = option_table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct tv_target),
    .limit = TV_SINK_LIMIT,
    .open = tv_target_open_sink,
    .deliver = deliver,
    .reopen = tv_target_reopen_sink,
};
