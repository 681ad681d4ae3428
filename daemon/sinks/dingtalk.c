/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Custom bots of DingTalk: https://open.dingtalk.com/document/robots/custom-robot-access. Plain
 * text: nothing in it is markup, people are called by the field "at" alone. A body may take 20,000
 * bytes. The signature stands in the address: timestamp in milliseconds, sign = urlencode(base64(
 * HMAC-SHA256(SECRET, "TIMESTAMP\nSECRET"))). A keyword that the bot may ask for: "trainvet". */
#include "lib/bot.h"
#include <inttypes.h>
#include <string.h>

enum { TEXT_MAX = 6000 };

/* Of Base64, only + / = have another meaning in an address. */
static void add_encoded(struct tv_text *text, const char *base64)
{
    for (const char *p = base64; *p; p++)
        if (strchr("+/=", *p))
            tv_text_add(text, "%%%02X", (unsigned char)*p);
        else
            tv_text_add_span(text, (struct tv_span){p, 1});
}

static bool sign_url(const struct tv_bot *bot, char *url, size_t cap)
{
    char time[32], message[sizeof bot->secret + 34], signature[TV_SIGNATURE_MAX];
    struct tv_text time_text = tv_text_in(time, sizeof time),
                   message_text = tv_text_in(message, sizeof message),
                   url_text = tv_text_in(url, cap);
    tv_text_add(&time_text, "%" PRId64, (int64_t)(tv_bot_now(bot) * 1000));
    tv_text_add(&message_text, "%s\n%s", time, bot->secret);
    if (!tv_sign(tv_span_of(bot->secret), tv_span_of(message), signature))
        return false;
    tv_text_add(&url_text, "%s%ctimestamp=%s&sign=", bot->target.url,
                strchr(bot->target.url, '?') ? '&' : '?', time);
    add_encoded(&url_text, signature);
    return !url_text.cut;
}

/* -1: the system is busy; 130101, 410100: more than 20 messages a minute; 90030: over the limit of
 * calls; 300001, 310000, 400101, 400102, 400106: the token, the signature or the keyword is wrong,
 * the robot is stopped or gone. */
static enum tv_outcome judge(struct tv_span answer)
{
    static const int64_t later[] = {-1,     130101, 410100, 90030,  300001,
                                    310000, 400101, 400102, 400106, 0};
    return tv_judge_code(answer, "errcode", later);
}

static enum tv_status deliver(const void *options, void *state, const struct tv_alert *alert,
                              struct tv_error *reterr)
{
    const struct tv_bot *bot = state;
    char url[TV_URL_MAX + 160], text[TEXT_MAX];
    struct tv_json json = {0};
    if (*bot->secret && !sign_url(bot, url, sizeof url))
        return tv_fail(reterr, TV_EIO, "the message cannot be signed");
    tv_json_open(&json, NULL, '{');
    tv_json_text(&json, "msgtype", "text");
    tv_json_open(&json, "text", '{');
    tv_json_lines(&json, "content", tv_message(text, sizeof text, alert, TV_PLAIN));
    tv_json_close(&json, '}');
    tv_json_open(&json, "at", '{');
    tv_json_bool(&json, "isAtAll", false);
    tv_json_close(&json, '}');
    tv_json_close(&json, '}');
    return tv_target_post(&((const struct tv_bot_options *)options)->target, &bot->target,
                          *bot->secret ? url : NULL, &json, judge, reterr);
}

const struct tv_sink tv_sink_dingtalk = {
    .name = "dingtalk",
    .summary = "a message to a DingTalk group through a custom bot, signed when it asks for it",
    .options = tv_bot_option_table,
    .options_size = sizeof(struct tv_bot_options),
    .state_size = sizeof(struct tv_bot),
    .limit = TV_SINK_LIMIT,
    .open = tv_bot_open,
    .deliver = deliver,
    .reopen = tv_bot_reopen,
};
