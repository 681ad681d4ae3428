/* SPDX-License-Identifier: GPL-2.0-or-later */
/* webhook and alertmanager: bodies, addresses, secrets. */
#include "support/sink_case.h"
#include "support/suite.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct tv_sink_case c;

START_TEST(webhook_has_the_shape_of_alertmanagers_version_4)
{
    struct tv_alert alert = _i ? tv_sample_resolved() : tv_sample_alert();
    ck_assert_int_eq(tv_sink_case_open(&c, "webhook", "url=http://127.0.0.1:9/hook",
                                       "instance=gpu-7", "labels=team=ml, rack=a", NULL),
                     TV_OK);
    ck_assert_int_eq(tv_sink_case_deliver(&c, &alert), TV_AGAIN);
    ck_assert_uint_eq(c.sent_len, 1);
    ck_assert_str_eq(c.sent[0].url, "http://127.0.0.1:9/hook");
    ck_assert_str_eq(c.sent[0].headers, "Content-Type: application/json\n");
    struct json_object *body = tv_sink_case_json(&c, 0);
    ck_assert_str_eq(tv_json_text_at(body, "version"), "4");
    ck_assert_str_eq(tv_json_text_at(body, "status"), _i ? "resolved" : "firing");
    ck_assert_str_eq(tv_json_text_at(body, "receiver"), "trainvet");
    ck_assert_int_eq(json_object_get_int(tv_json_at(body, "truncatedAlerts")), 0);
    ck_assert_str_eq(tv_json_text_at(body, "alerts/0/status"), _i ? "resolved" : "firing");
    ck_assert_str_eq(tv_json_text_at(body, "alerts/0/fingerprint"), "0123456789abcdef");
    ck_assert_str_eq(tv_json_text_at(body, "alerts/0/startsAt"), "2026-01-02T03:03:05Z");
    ck_assert_str_eq(tv_json_text_at(body, "alerts/0/endsAt"),
                     _i ? "2026-01-02T03:04:05Z" : "0001-01-01T00:00:00Z");
    ck_assert_str_eq(
        json_object_to_json_string_ext(tv_json_at(body, "alerts/0/labels"),
                                       JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
        "{\"alertname\":\"trainvet_non_finite\",\"run\":\"broken/r8\",\"detector\":\"non_finite\","
        "\"subject\":\"train/loss\",\"severity\":\"critical\",\"instance\":\"gpu-7\","
        "\"team\":\"ml\",\"rack\":\"a\"}");
    ck_assert(
        json_object_equal(tv_json_at(body, "commonLabels"), tv_json_at(body, "alerts/0/labels")));
    ck_assert(
        json_object_equal(tv_json_at(body, "groupLabels"), tv_json_at(body, "alerts/0/labels")));
    ck_assert_str_eq(tv_json_text_at(body, "commonAnnotations/summary"),
                     "the training loss is NaN & stays so");
    ck_assert_str_eq(tv_json_text_at(body, "commonAnnotations/advice"),
                     "warmup_steps: 10 -> 47 (10 % of 468); max_grad_norm: 0 -> 1.0");
    json_object_put(body);
    tv_sink_case_close(&c);
}
END_TEST

START_TEST(alertmanager_tells_every_server_start_and_end)
{
    struct tv_alert alert = _i ? tv_sample_resolved() : tv_sample_alert();
    ck_assert_int_eq(tv_sink_case_open(&c, "alertmanager",
                                       "url=http://127.0.0.1:1, http://127.0.0.1:2/am/,"
                                       "https://[::1]:3//",
                                       "resend=100", "generator_url=https://example.org/t", NULL),
                     TV_OK);
    ck_assert_int_eq(tv_sink_case_deliver(&c, &alert), TV_AGAIN);
    ck_assert_uint_eq(c.sent_len, 3);
    ck_assert_str_eq(c.sent[0].url, "http://127.0.0.1:1/api/v2/alerts");
    ck_assert_str_eq(c.sent[1].url, "http://127.0.0.1:2/am/api/v2/alerts");
    ck_assert_str_eq(c.sent[2].url, "https://[::1]:3/api/v2/alerts");
    ck_assert_str_eq(c.sent[0].body, c.sent[1].body);
    ck_assert_str_eq(c.sent[0].body, c.sent[2].body);
    struct json_object *body = tv_sink_case_json(&c, 0);
    ck_assert_uint_eq(json_object_array_length(body), 1);
    ck_assert_str_eq(tv_json_text_at(body, "0/labels/alertname"), "trainvet_non_finite");
    ck_assert_str_eq(tv_json_text_at(body, "0/startsAt"), "2026-01-02T03:03:05Z");
    ck_assert_str_eq(tv_json_text_at(body, "0/endsAt"),
                     _i ? "2026-01-02T03:04:05Z" : "2026-01-02T03:09:05Z");
    ck_assert_str_eq(tv_json_text_at(body, "0/generatorURL"), "https://example.org/t");
    json_object_put(body);
    ck_assert_double_eq(c.sink->resend(c.options), 100);
    tv_sink_case_close(&c);
}
END_TEST

/* What changes while an alert fires must not be in its labels, or it would be another alert. */
START_TEST(labels_stay_the_same_from_firing_to_resolved)
{
    struct tv_alert firing = tv_sample_alert(), later = tv_sample_resolved();
    later.step = 999;
    later.observed = 3;
    later.summary = "something else";
    ck_assert_int_eq(tv_sink_case_open(&c, "alertmanager", "url=http://127.0.0.1:1", NULL), TV_OK);
    tv_sink_case_deliver(&c, &firing);
    c.now += 3600;
    tv_sink_case_deliver(&c, &later);
    struct json_object *a = tv_sink_case_json(&c, 0), *b = tv_sink_case_json(&c, 1);
    ck_assert(json_object_equal(tv_json_at(a, "0/labels"), tv_json_at(b, "0/labels")));
    ck_assert_str_eq(tv_json_text_at(a, "0/startsAt"), tv_json_text_at(b, "0/startsAt"));
    json_object_put(a);
    json_object_put(b);
    tv_sink_case_close(&c);
}
END_TEST

/* Alertmanager refuses an alert that ends before it starts. */
START_TEST(logs_from_the_future_start_now)
{
    static const double times[] = {2e9, 1e300, (double)INFINITY, (double)NAN};
    struct tv_alert alert = tv_sample_alert();
    alert.wall_time = times[_i];
    ck_assert_int_eq(tv_sink_case_open(&c, "alertmanager", "url=http://127.0.0.1:1", NULL), TV_OK);
    tv_sink_case_deliver(&c, &alert);
    struct json_object *body = tv_sink_case_json(&c, 0);
    ck_assert_str_eq(tv_json_text_at(body, "0/startsAt"), "2026-01-02T03:04:05Z");
    json_object_put(body);
    tv_sink_case_close(&c);
}
END_TEST

static const struct {
    const char *url, *says;
} bad[] = {
    {"ftp://example.org/", "http://"},
    {"file:///etc/passwd", "http://"},
    {"gopher://127.0.0.1:6379/_x", "http://"},
    {"example.org/hook", "http"},
    {"http://", "not a http"},
    {"http://a b/", "blank"},
    {"http://example.org/\r\nX: y", "blank"},
    {"http://user:secret@example.org/", "authorization_file"},
    {"http://169.254.169.254/latest/meta-data/", "link-local"},
    {"http://0xa9fea9fe/", "link-local"},
    {"http://2852039166/", "link-local"},
    {"http://[fe80::1]/", "link-local"},
    {"http://[fe80::1%25eth0]/", "link-local"},
    {"http://[::ffff:169.254.169.254]/", "link-local"},
    {"http://[febf::1]/", "link-local"},
};

START_TEST(addresses_that_lead_astray_are_refused)
{
    char setting[256];
    for (size_t k = 0; k < 2; k++) {
        snprintf(setting, sizeof setting, "url=%s", bad[_i].url);
        ck_assert_int_eq(tv_sink_case_open(&c, k ? "alertmanager" : "webhook", setting, NULL),
                         TV_ECONFIG);
        if (!k)
            ck_assert_msg(strstr(c.error.message, bad[_i].says), "%s: %s", bad[_i].url,
                          c.error.message);
        tv_sink_case_close(&c);
    }
}
END_TEST

START_TEST(link_local_is_reached_when_asked_for)
{
    struct tv_alert alert = tv_sample_alert();
    ck_assert_int_eq(
        tv_sink_case_open(&c, "webhook", "url=http://169.254.1.1/", "allow_link_local=true", NULL),
        TV_OK);
    tv_sink_case_deliver(&c, &alert);
    ck_assert(c.sent[0].allow_link_local);
    tv_sink_case_close(&c);
}
END_TEST

START_TEST(secrets_come_from_files)
{
    char url[300], authorization[300];
    struct tv_alert alert = tv_sample_alert();
    const char *url_path = tv_secret_file("https://127.0.0.1:9/T/B/x \n"),
               *authorization_path = tv_secret_file("Bearer s3cret\n");
    snprintf(url, sizeof url, "url_file=%s", url_path);
    snprintf(authorization, sizeof authorization, "authorization_file=%s", authorization_path);
    ck_assert_int_eq(tv_sink_case_open(&c, "webhook", url, authorization, NULL), TV_OK);
    tv_sink_case_deliver(&c, &alert);
    ck_assert_str_eq(c.sent[0].url, "https://127.0.0.1:9/T/B/x");
    ck_assert_str_eq(c.sent[0].headers,
                     "Content-Type: application/json\nAuthorization: Bearer s3cret\n");
    FILE *file = fopen(authorization_path, "w");
    fputs("Bearer other", file);
    fclose(file);
    ck_assert_int_eq(c.sink->reopen(c.options, c.state, &c.error), TV_OK);
    tv_sink_case_deliver(&c, &alert);
    ck_assert_ptr_nonnull(strstr(c.sent[1].headers, "Authorization: Bearer other\n"));
    file = fopen(authorization_path, "w");
    fputs("two\r\nX-Evil: lines", file);
    fclose(file);
    ck_assert_int_eq(c.sink->reopen(c.options, c.state, &c.error), TV_ECONFIG);
    tv_sink_case_deliver(&c, &alert);
    ck_assert_str_eq(c.sent[2].headers, c.sent[1].headers); /* as before */
    unlink(url_path);
    unlink(authorization_path);
    tv_sink_case_close(&c);
}
END_TEST

START_TEST(secrets_come_from_credentials)
{
    const char *path = tv_secret_file("http://127.0.0.1:9/x");
    char name[300], *folder = strdup(path), *slash = strrchr(folder, '/');
    snprintf(name, sizeof name, "url_credential=%s", slash + 1);
    *slash = '\0';
    unsetenv("CREDENTIALS_DIRECTORY");
    ck_assert_int_eq(tv_sink_case_open(&c, "webhook", name, NULL), TV_AGAIN);
    tv_sink_case_close(&c);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    ck_assert_int_eq(tv_sink_case_open(&c, "webhook", name, NULL), TV_OK);
    tv_sink_case_close(&c);
    ck_assert_int_eq(tv_sink_case_open(&c, "webhook", "url_credential=../passwd", NULL),
                     TV_ECONFIG);
    tv_sink_case_close(&c);
    ck_assert_int_eq(tv_sink_case_open(&c, "webhook", name, "url=http://127.0.0.1/", NULL),
                     TV_ECONFIG);
    tv_sink_case_close(&c);
    unlink(path);
    free(folder);
}
END_TEST

START_TEST(labels_of_the_configuration_are_checked)
{
    static const char *const wrong[] = {"labels=team",       "labels=9a=b",       "labels=a-b=c",
                                        "labels=run=x",      "labels=a=1,a=2",    "labels==x",
                                        "labels=__name__=x", "labels=a=1,b=2,a=3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(tv_sink_case_open(&c, "webhook", "url=http://127.0.0.1/", wrong[i], NULL) ==
                          TV_ECONFIG,
                      "%s", wrong[i]);
        tv_sink_case_close(&c);
    }
}
END_TEST

/* Valid JSON with the same keys, of bounded size, without control characters. */
START_TEST(hostile_texts_stay_texts)
{
    struct tv_alert alert = tv_hostile_alert(tv_hostile((size_t)_i));
    for (int k = 0; k < 2; k++) {
        ck_assert_int_eq(
            tv_sink_case_open(&c, k ? "alertmanager" : "webhook", "url=http://127.0.0.1:1", NULL),
            TV_OK);
        ck_assert_int_eq(tv_sink_case_deliver(&c, &alert), TV_AGAIN);
        struct json_object *body = tv_sink_case_json(&c, 0);
        struct json_object *one = k ? tv_json_at(body, "0") : body;
        ck_assert_int_eq(json_object_object_length(one), k ? 4 : 10);
        ck_assert_int_eq(
            json_object_object_length(tv_json_at(body, k ? "0/labels" : "commonLabels")), 6);
        ck_assert_uint_le(c.sent[0].body_len, 16384);
        for (size_t i = 0; i < c.sent[0].body_len; i++)
            ck_assert_uint_ge((unsigned char)c.sent[0].body[i], 0x20);
        json_object_put(body);
        tv_sink_case_close(&c);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sinks_http");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, webhook_has_the_shape_of_alertmanagers_version_4, 0, 2);
    tcase_add_loop_test(tcase, alertmanager_tells_every_server_start_and_end, 0, 2);
    tcase_add_test(tcase, labels_stay_the_same_from_firing_to_resolved);
    tcase_add_loop_test(tcase, logs_from_the_future_start_now, 0, 4);
    tcase_add_loop_test(tcase, addresses_that_lead_astray_are_refused, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tcase, link_local_is_reached_when_asked_for);
    tcase_add_test(tcase, secrets_come_from_files);
    tcase_add_test(tcase, secrets_come_from_credentials);
    tcase_add_test(tcase, labels_of_the_configuration_are_checked);
    tcase_add_loop_test(tcase, hostile_texts_stay_texts, 0, (int)tv_hostile_len);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
