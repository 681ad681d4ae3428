/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slack, discord, feishu, dingtalk, wecom: bodies, signatures, limits, what their answers mean. */
#include "support/sink_case.h"
#include "support/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct tv_sink_case c;
static char url_option[300], secret_option[300];
static const char *url_path;

static const char *const services[] = {"slack", "discord", "feishu", "dingtalk", "wecom"};
enum { SERVICES = sizeof services / sizeof *services };

static void prepare(void)
{
    url_path = tv_secret_file("https://127.0.0.1:9/hook?token=T\n");
    snprintf(url_option, sizeof url_option, "url_file=%s", url_path);
}

static void clean(void)
{
    unlink(url_path);
}

static struct json_object *body_of(const char *service, const struct tv_alert *alert)
{
    ck_assert_int_eq(tv_sink_case_open(&c, service, url_option, NULL), TV_OK);
    ck_assert_int_eq(tv_sink_case_deliver(&c, alert), TV_AGAIN);
    ck_assert_uint_eq(c.sent_len, 1);
    ck_assert_str_eq(c.sent[0].url, "https://127.0.0.1:9/hook?token=T");
    return tv_sink_case_json(&c, 0);
}

static void expect(struct json_object *body, const char *json)
{
    struct json_object *want = json_tokener_parse(json);
    ck_assert_ptr_nonnull(want);
    ck_assert_msg(json_object_equal(body, want), "%s", c.sent[0].body);
    json_object_put(want);
    json_object_put(body);
    tv_sink_case_close(&c);
}

START_TEST(slack_gets_an_attachment_with_entities)
{
    struct tv_alert alert = tv_sample_alert();
    expect(body_of("slack", &alert),
           "{\"attachments\":[{\"fallback\":\"trainvet: CRITICAL non_finite in run broken/r8\","
           "\"color\":\"#d92d20\",\"title\":\"trainvet: CRITICAL non_finite in run broken/r8\","
           "\"text\":\"the training loss is NaN &amp; stays so\\n"
           "since step 312, noticed at step 320 (train/loss)\\nobserved NaN, expected 0.41\\n"
           "likely: a *bad* batch\\nchange: warmup_steps: 10 -&gt; 47 (10 % of 468)\\n"
           "change: max_grad_norm: 0 -&gt; 1.0\","
           "\"footer\":\"0123456789abcdef\",\"ts\":1767322985}]}");
}
END_TEST

START_TEST(discord_gets_an_embed_that_calls_nobody)
{
    struct tv_alert alert = tv_sample_resolved();
    expect(body_of("discord", &alert),
           "{\"username\":\"trainvet\",\"allowed_mentions\":{\"parse\":[]},\"embeds\":[{"
           "\"title\":\"trainvet: resolved non\\\\_finite in run broken/r8\","
           "\"description\":\"the training loss is NaN & stays so\\n"
           "since step 312, noticed at step 320, over at step 400 (train/loss)\\n"
           "observed NaN, expected 0.41\","
           "\"color\":3055195,\"timestamp\":\"2026-01-02T03:03:05Z\","
           "\"footer\":{\"text\":\"0123456789abcdef\"}}]}");
}
END_TEST

START_TEST(feishu_gets_a_post)
{
    struct tv_alert alert = tv_sample_resolved();
    expect(body_of("feishu", &alert),
           "{\"msg_type\":\"post\",\"content\":{\"post\":{\"en_us\":{"
           "\"title\":\"trainvet: resolved non_finite in run broken/r8\",\"content\":["
           "[{\"tag\":\"text\",\"text\":\"the training loss is NaN & stays so\"}],"
           "[{\"tag\":\"text\",\"text\":"
           "\"since step 312, noticed at step 320, over at step 400 (train/loss)\"}],"
           "[{\"tag\":\"text\",\"text\":\"observed NaN, expected 0.41\"}]]}}}}");
}
END_TEST

START_TEST(dingtalk_and_wecom_get_text)
{
    struct tv_alert alert = tv_sample_resolved();
    static const char text[] =
        "{\"msgtype\":\"text\",\"text\":{\"content\":"
        "\"trainvet: resolved non_finite in run broken/r8\\nthe training loss is NaN & stays so\\n"
        "since step 312, noticed at step 320, over at step 400 (train/loss)\\n"
        "observed NaN, expected 0.41\"}%s}";
    char want[1024];
    snprintf(want, sizeof want, text, _i ? "" : ",\"at\":{\"isAtAll\":false}");
    expect(body_of(_i ? "wecom" : "dingtalk", &alert), want);
}
END_TEST

/* Signatures computed with Python's hmac module. */
START_TEST(feishu_signs_with_the_time_in_the_key)
{
    struct tv_alert alert = tv_sample_alert();
    const char *path = tv_secret_file("SECf00dcafe\n");
    snprintf(secret_option, sizeof secret_option, "secret_file=%s", path);
    ck_assert_int_eq(tv_sink_case_open(&c, "feishu", url_option, secret_option, NULL), TV_OK);
    ck_assert_int_eq(tv_sink_case_deliver(&c, &alert), TV_AGAIN);
    struct json_object *body = tv_sink_case_json(&c, 0);
    ck_assert_str_eq(tv_json_text_at(body, "timestamp"), "1767323045");
    ck_assert_str_eq(tv_json_text_at(body, "sign"), "CvIfQJ2qP8XJTE/lYkupy0O9DMwNSOl4q6WCt1Y0B0k=");
    json_object_put(body);
    tv_sink_case_close(&c);
    unlink(path);
}
END_TEST

START_TEST(dingtalk_signs_in_the_address)
{
    struct tv_alert alert = tv_sample_alert();
    const char *path = tv_secret_file(_i ? "SEC8" : "SECf00dcafe");
    snprintf(secret_option, sizeof secret_option, "secret_file=%s", path);
    ck_assert_int_eq(tv_sink_case_open(&c, "dingtalk", url_option, secret_option, NULL), TV_OK);
    ck_assert_int_eq(tv_sink_case_deliver(&c, &alert), TV_AGAIN);
    ck_assert_str_eq(c.sent[0].url, _i ? "https://127.0.0.1:9/"
                                         "hook?token=T&timestamp=1767323045250&sign="
                                         "zNGYZGeijwJXAPq%2BEkBua2o%2FnQ8z7SGFisPc5OAIGLI%3D"
                                       : "https://127.0.0.1:9/"
                                         "hook?token=T&timestamp=1767323045250&sign="
                                         "Kw0Qoqwxrzu8urkQ9lElpzDjdgLR2qwNhcIw32QzFq8%3D");
    ck_assert_ptr_null(strstr(c.sent[0].body, "SEC"));
    tv_sink_case_close(&c);
    unlink(path);
}
END_TEST

static const struct {
    const char *service, *answer;
    enum tv_outcome outcome;
} answers[] = {
    {"feishu", "{\"StatusCode\":0,\"StatusMessage\":\"success\",\"code\":0,\"msg\":\"success\"}",
     TV_DELIVERED},
    {"feishu", "{\"code\":19021,\"msg\":\"sign match fail or timestamp is not within one hour\"}",
     TV_FAILED},
    {"feishu", "{\"code\":9499,\"msg\":\"too many request\",\"data\":{}}", TV_FAILED},
    {"feishu", "{\"code\":9499,\"msg\":\"Bad Request\",\"data\":{}}", TV_REFUSED},
    {"feishu", "{\"code\":11232,\"msg\":\"frequency limited\"}", TV_FAILED},
    {"dingtalk", "{\"errcode\":0,\"errmsg\":\"ok\"}", TV_DELIVERED},
    {"dingtalk", "{\"errcode\":310000,\"errmsg\":\"sign not match\"}", TV_FAILED},
    {"dingtalk", "{\"errcode\":400105,\"errmsg\":\"unsupported msgtype\"}", TV_REFUSED},
    {"dingtalk", "{\"errcode\":130101,\"errmsg\":\"send too fast\"}", TV_FAILED},
    {"dingtalk", "{\"errcode\":-1,\"errmsg\":\"system busy\"}", TV_FAILED},
    {"wecom", "{\"errcode\":0,\"errmsg\":\"ok\"}", TV_DELIVERED},
    {"wecom", "{\"errcode\":93000,\"errmsg\":\"invalid webhook url\"}", TV_FAILED},
    {"wecom", "{\"errcode\":40008,\"errmsg\":\"invalid message type\"}", TV_REFUSED},
    {"wecom", "{\"errcode\":45009,\"errmsg\":\"api freq out of limit\"}", TV_FAILED},
    {"wecom", "<html>a proxy says hello</html>", TV_FAILED},
    {"wecom", "", TV_FAILED},
    {"wecom", "[[[[[[[[[[[[[[[[[[[[[", TV_FAILED},
    {"wecom", "{\"errcode\":\"0\"}", TV_FAILED},
    {"wecom", "{\"errcode\":0", TV_FAILED},
};

/* They say 200 to everything. */
START_TEST(answers_in_words_are_understood)
{
    struct tv_alert alert = tv_sample_alert();
    json_object_put(body_of(answers[_i].service, &alert));
    struct tv_span answer = {answers[_i].answer, strlen(answers[_i].answer)};
    ck_assert_msg(c.sent[0].judge(answer) == answers[_i].outcome, "%s", answers[_i].answer);
    tv_sink_case_close(&c);
}
END_TEST

static size_t characters(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

/* The services' own limits, in their own units; JSON of the same shape whatever the text is. */
START_TEST(hostile_texts_stay_texts_within_the_limits)
{
    struct tv_alert alert = tv_hostile_alert(tv_hostile((size_t)_i));
    struct json_object *body = body_of("slack", &alert);
    const char *text = tv_json_text_at(body, "attachments/0/text");
    ck_assert_uint_le(characters(text), 4000);
    ck_assert_ptr_null(strpbrk(text, "<>"));
    for (const char *p = text; (p = strchr(p, '&')); p++)
        ck_assert(strncmp(p, "&amp;", 5) == 0 || strncmp(p, "&lt;", 4) == 0 ||
                  strncmp(p, "&gt;", 4) == 0);
    ck_assert_int_eq(json_object_object_length(body), 1);
    json_object_put(body);
    tv_sink_case_close(&c);

    body = body_of("discord", &alert);
    size_t title = characters(tv_json_text_at(body, "embeds/0/title")),
           description = characters(tv_json_text_at(body, "embeds/0/description"));
    ck_assert_uint_le(title, 256);
    ck_assert_uint_le(description, 4096);
    ck_assert_uint_le(title + description, 5900);
    ck_assert_uint_eq(json_object_array_length(tv_json_at(body, "allowed_mentions/parse")), 0);
    for (const char *p = tv_json_text_at(body, "embeds/0/description"); *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else
            ck_assert_msg(!strchr("*_`|<[@", *p), "%s", p);
    }
    json_object_put(body);
    tv_sink_case_close(&c);

    body = body_of("feishu", &alert);
    ck_assert_uint_le(c.sent[0].body_len, 20000);
    json_object_put(body);
    tv_sink_case_close(&c);

    body = body_of("dingtalk", &alert);
    ck_assert_uint_le(c.sent[0].body_len, 20000);
    json_object_put(body);
    tv_sink_case_close(&c);

    body = body_of("wecom", &alert);
    ck_assert_uint_le(strlen(tv_json_text_at(body, "text/content")), 2048);
    ck_assert_ptr_null(strstr(tv_json_text_at(body, "text/content"), "<@"));
    json_object_put(body);
    tv_sink_case_close(&c);
}
END_TEST

/* Only the line ends of our own layout are left. */
START_TEST(hostile_texts_add_no_lines)
{
    struct tv_alert plain = tv_hostile_alert("x"), alert = tv_hostile_alert(tv_hostile((size_t)_i));
    struct json_object *body = body_of("dingtalk", &plain);
    size_t lines = 0, got = 0;
    for (const char *p = tv_json_text_at(body, "text/content"); *p; p++)
        lines += *p == '\n';
    json_object_put(body);
    tv_sink_case_close(&c);
    body = body_of("dingtalk", &alert);
    for (const char *p = tv_json_text_at(body, "text/content"); *p; p++) {
        got += *p == '\n';
        ck_assert((unsigned char)*p >= ' ' || *p == '\n');
        ck_assert_int_ne(*p, 0x7F);
    }
    ck_assert_uint_le(got, lines);
    json_object_put(body);
    tv_sink_case_close(&c);
}
END_TEST

START_TEST(addresses_are_never_in_the_configuration)
{
    for (size_t i = 0; i < SERVICES; i++) {
        ck_assert_int_eq(tv_sink_case_open(&c, services[i], NULL), TV_ECONFIG);
        ck_assert_ptr_nonnull(strstr(c.error.message, "url_file"));
        ck_assert_int_eq(tv_option_set(c.sink->options, c.options, "url", "http://x/", &c.error),
                         TV_ECONFIG);
        tv_sink_case_close(&c);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sinks_chat");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, prepare, clean);
    tcase_add_test(tcase, slack_gets_an_attachment_with_entities);
    tcase_add_test(tcase, discord_gets_an_embed_that_calls_nobody);
    tcase_add_test(tcase, feishu_gets_a_post);
    tcase_add_loop_test(tcase, dingtalk_and_wecom_get_text, 0, 2);
    tcase_add_test(tcase, feishu_signs_with_the_time_in_the_key);
    tcase_add_loop_test(tcase, dingtalk_signs_in_the_address, 0, 2);
    tcase_add_loop_test(tcase, answers_in_words_are_understood, 0,
                        sizeof answers / sizeof *answers);
    tcase_add_loop_test(tcase, hostile_texts_stay_texts_within_the_limits, 0, (int)tv_hostile_len);
    tcase_add_loop_test(tcase, hostile_texts_add_no_lines, 0, (int)tv_hostile_len);
    tcase_add_test(tcase, addresses_are_never_in_the_configuration);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
