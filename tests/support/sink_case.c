/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/sink_case.h"
#include "base/memory.h"
#include "trainvet/text.h"
#include <check.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *copy(const char *text)
{
    return text ? tv_xstrndup(text, strlen(text)) : NULL;
}

static char *lines(const char *const *list)
{
    char *all = copy(""), *next;
    for (size_t i = 0; list && list[i]; i++, all = next) {
        ck_assert_int_ge(asprintf(&next, "%s%s\n", all, list[i]), 0);
        free(all);
    }
    return all;
}

static struct tv_sent *more(struct tv_sink_case *c)
{
    ck_assert_uint_lt(c->sent_len, sizeof c->sent / sizeof *c->sent);
    return &c->sent[c->sent_len++];
}

static enum tv_status post(void *ctx, const struct tv_http_post *post, struct tv_error *reterr)
{
    (void)reterr;
    *more(ctx) = (struct tv_sent){.url = copy(post->url),
                                  .headers = lines(post->headers),
                                  .body = tv_xstrndup(post->body, post->body_len),
                                  .body_len = post->body_len,
                                  .timeout = post->timeout,
                                  .allow_link_local = post->allow_link_local,
                                  .judge = post->judge};
    return TV_OK;
}

static enum tv_status mail(void *ctx, const struct tv_mail *mail, struct tv_error *reterr)
{
    (void)reterr;
    *more(ctx) = (struct tv_sent){.url = copy(mail->url),
                                  .body = tv_xstrndup(mail->message, mail->message_len),
                                  .body_len = mail->message_len,
                                  .from = copy(mail->from),
                                  .to = lines(mail->to),
                                  .user = copy(mail->user),
                                  .password = copy(mail->password),
                                  .require_tls = mail->require_tls,
                                  .timeout = mail->timeout};
    return TV_OK;
}

static enum tv_status run(void *ctx, const struct tv_child *child, struct tv_error *reterr)
{
    (void)reterr;
    *more(ctx) = (struct tv_sent){.argv = lines(child->argv),
                                  .headers = lines(child->environment),
                                  .body = tv_xstrndup(child->input, child->input_len),
                                  .body_len = child->input_len,
                                  .timeout = child->timeout};
    return TV_OK;
}

static double now(void *ctx)
{
    return ((struct tv_sink_case *)ctx)->now;
}

enum tv_status tv_sink_case_open(struct tv_sink_case *c, const char *name, ...)
{
    va_list args;
    *c = (struct tv_sink_case){.now = TV_SINK_CASE_NOW};
    c->host = (struct tv_sink_host){c, post, mail, run, now};
    for (size_t i = 0; tv_sinks[i]; i++)
        if (strcmp(tv_sinks[i]->name, name) == 0)
            c->sink = tv_sinks[i];
    ck_assert_ptr_nonnull(c->sink);
    c->options = tv_xcalloc(1, c->sink->options_size);
    c->state = tv_xcalloc(1, c->sink->state_size);
    tv_option_defaults(c->sink->options, c->options);
    va_start(args, name);
    for (const char *setting; (setting = va_arg(args, const char *));) {
        char key[64];
        const char *equals = strchr(setting, '=');
        tv_span_copy((struct tv_span){setting, (size_t)(equals - setting)}, key, sizeof key);
        ck_assert_int_eq(tv_option_set(c->sink->options, c->options, key, equals + 1, &c->error),
                         TV_OK);
    }
    va_end(args);
    return c->sink->open(c->options, c->state, NULL, &c->host, &c->error);
}

enum tv_status tv_sink_case_deliver(struct tv_sink_case *c, const struct tv_alert *alert)
{
    return c->sink->deliver(c->options, c->state, alert, &c->error);
}

void tv_sink_case_close(struct tv_sink_case *c)
{
    if (c->sink->close)
        c->sink->close(c->options, c->state, &c->error);
    for (size_t i = 0; i < c->sent_len; i++) {
        struct tv_sent *sent = &c->sent[i];
        char *owned[] = {sent->url,  sent->headers, sent->body, sent->argv,
                         sent->from, sent->to,      sent->user, sent->password};
        for (size_t k = 0; k < sizeof owned / sizeof *owned; k++)
            free(owned[k]);
    }
    free(c->options);
    free(c->state);
}

struct json_object *tv_sink_case_json(const struct tv_sink_case *c, size_t i)
{
    ck_assert_uint_lt(i, c->sent_len);
    struct json_tokener *tokener = json_tokener_new();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *object =
        json_tokener_parse_ex(tokener, c->sent[i].body, (int)c->sent[i].body_len);
    ck_assert_msg(object && json_tokener_get_parse_end(tokener) == c->sent[i].body_len,
                  "not JSON: %s", c->sent[i].body);
    json_tokener_free(tokener);
    return object;
}

struct json_object *tv_json_at(struct json_object *object, const char *path)
{
    char *words = copy(path), *rest = words;
    for (char *word; (word = strsep(&rest, "/"));) {
        if (json_object_is_type(object, json_type_array))
            object = json_object_array_get_idx(object, strtoul(word, NULL, 10));
        else if (!json_object_object_get_ex(object, word, &object))
            ck_abort_msg("there is no %s", path);
    }
    free(words);
    return object;
}

const char *tv_json_text_at(struct json_object *object, const char *path)
{
    return json_object_get_string(tv_json_at(object, path));
}

struct tv_alert tv_sample_alert(void)
{
    return (struct tv_alert){
        .run = "broken/r8",
        .detector = "non_finite",
        .subject = "train/loss",
        .severity = TV_CRITICAL,
        .state = TV_FIRING,
        .onset_step = 312,
        .step = 320,
        .wall_time = 1767322985,
        .observed = (double)NAN,
        .expected = 0.41,
        .confidence = (double)NAN,
        .summary = "the training loss is NaN & stays so",
        .evidence = {{"last_finite_step", 311}},
        .evidence_len = 1,
        .causes = {"a *bad* batch"},
        .causes_len = 1,
        .advice = {"warmup_steps: 10 -> 47 (10 % of 468)", "max_grad_norm: 0 -> 1.0"},
        .advice_len = 2,
        .fingerprint = "0123456789abcdef",
    };
}

struct tv_alert tv_sample_resolved(void)
{
    struct tv_alert alert = tv_sample_alert();
    alert.state = TV_RESOLVED;
    alert.resolved_step = 400;
    return alert;
}

static const char *const hostile[] = {
    "\r\nBcc: victim@example.org\r\n\r\nbody",
    "\"}],\"x\":[{\"",
    "\\\" \\u0000 \\n \\",
    "<!channel> <@U012345> <http://example.org|click>",
    "@everyone @here <@123> <@&456> [click](http://example.org) **b** __u__ ~~s~~ ||x|| `c`",
    "# head\n> quote\n- item\n```\ncode\n```",
    "\x1b]0;title\x07\x1b[31m \xc2\x9b"
    "31m",
    "a,b=c,\"} 1\nfoo 2",
    "../../etc/passwd; $(reboot) `reboot` | reboot & reboot",
    "\xe2\x80\xae"
    "txt.exe \xe2\x81\xa6 \xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80 \xff\xfe",
    "=?utf-8?B?Zm9v?= \xe8\xae\xad\xe7\xbb\x83 \xf0\x9f\x94\xa5",
};

enum { FIXED = sizeof hostile / sizeof *hostile, LONG = 65536 };
const size_t tv_hostile_len = FIXED + 4;

const char *tv_hostile(size_t i)
{
    static char bytes[LONG + 1];
    static const char *const units[] = {"&", "\xe8\xae\xad", "a b "};
    if (i < FIXED)
        return hostile[i];
    size_t len = 0;
    if (i == FIXED) {
        for (int byte = 1; byte < 256; byte++)
            bytes[len++] = (char)byte;
    } else {
        const char *unit = units[i - FIXED - 1];
        for (; len + strlen(unit) <= LONG; len += strlen(unit))
            memcpy(bytes + len, unit, strlen(unit));
    }
    bytes[len] = '\0';
    return bytes;
}

struct tv_alert tv_hostile_alert(const char *text)
{
    struct tv_alert alert = tv_sample_alert();
    alert.run = alert.subject = alert.summary = text;
    for (size_t i = 0; i < TV_ALERT_TEXTS; i++)
        alert.causes[i] = alert.advice[i] = text;
    alert.causes_len = alert.advice_len = TV_ALERT_TEXTS;
    return alert;
}

const char *tv_secret_file(const char *content)
{
    static char paths[8][256];
    static size_t next;
    char *path = paths[next++ % 8];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof paths[0], "%s/trainvet-secret-XXXXXX", folder ? folder : "/tmp");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
    return path;
}
