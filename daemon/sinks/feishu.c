/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Custom bots of Feishu (open.feishu.cn) and Lark (open.larksuite.com), the same but for the host:
 * https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot. A "post" of text tags: nothing
 * in it is markup or calls anybody. A body may take 20 KB. The signature is the HMAC-SHA256 of the
 * empty text under the key "TIMESTAMP\nSECRET", with the time in seconds. A keyword that the bot
 * may ask for: "trainvet". */
#include "lib/bot.h"
#include <inttypes.h>
#include <string.h>

enum { TITLE_MAX = 500, TEXT_MAX = 6000 };

static bool add_signature(struct tv_json *json, const struct tv_bot *bot)
{
    char time[32], key[sizeof bot->secret + 34], signature[TV_SIGNATURE_MAX];
    struct tv_text time_text = tv_text_in(time, sizeof time),
                   key_text = tv_text_in(key, sizeof key);
    tv_text_add(&time_text, "%" PRId64, (int64_t)tv_bot_now(bot));
    tv_text_add(&key_text, "%s\n%s", time, bot->secret);
    if (!tv_sign(tv_span_of(key), tv_span_of(""), signature))
        return false;
    tv_json_text(json, "timestamp", time);
    tv_json_text(json, "sign", signature);
    return true;
}

static void content(struct tv_json *json, const struct tv_alert *alert)
{
    char title[TITLE_MAX], text[TEXT_MAX];
    tv_json_open(json, "content", '{');
    tv_json_open(json, "post", '{');
    tv_json_open(json, "en_us", '{');
    tv_json_text(json, "title", tv_message_title(title, sizeof title, alert, TV_PLAIN));
    tv_json_open(json, "content", '[');
    tv_message_body(text, sizeof text, alert, TV_PLAIN);
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
        tv_json_open(json, NULL, '[');
        tv_json_open(json, NULL, '{');
        tv_json_text(json, "tag", "text");
        tv_json_text(json, "text", line);
        tv_json_close(json, '}');
        tv_json_close(json, ']');
    }
    tv_json_close(json, ']');
    tv_json_close(json, '}');
    tv_json_close(json, '}');
    tv_json_close(json, '}');
}

/* 11232: too many messages, sometimes with status 400; 9499 stands for many things, "too many
 * request" among them; 19001, 19021, 19022, 19024: the token, the signature, our address or the
 * keyword. */
static enum tv_outcome judge(struct tv_span answer)
{
    static const int64_t later[] = {11232, 19001, 19021, 19022, 19024, 0};
    bool too_many = memmem(answer.data, answer.len, "too many", 8) != NULL;
    return too_many ? TV_FAILED : tv_judge_code(answer, "code", later);
}

static enum tv_status deliver(const void *options, void *state, const struct tv_alert *alert,
                              struct tv_error *reterr)
{
    const struct tv_bot *bot = state;
    struct tv_json json = {0};
    tv_json_open(&json, NULL, '{');
    if (*bot->secret && !add_signature(&json, bot)) {
        tv_json_free(&json);
        return tv_fail(reterr, TV_EIO, "the message cannot be signed");
    }
    tv_json_text(&json, "msg_type", "post");
    content(&json, alert);
    tv_json_close(&json, '}');
    return tv_target_post(&((const struct tv_bot_options *)options)->target, &bot->target, NULL,
                          &json, judge, reterr);
}

const struct tv_sink tv_sink_feishu = {
    .name = "feishu",
    .summary =
        "a message to a Feishu or Lark group through a custom bot, signed when it asks for it",
    .options = tv_bot_option_table,
    .options_size = sizeof(struct tv_bot_options),
    .state_size = sizeof(struct tv_bot),
    .limit = TV_SINK_LIMIT,
    .open = tv_bot_open,
    .deliver = deliver,
    .reopen = tv_bot_reopen,
};
