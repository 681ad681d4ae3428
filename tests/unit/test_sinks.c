/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the sinks that print say about one run and one alert. */
#include "base/memory.h"
#include "support/suite.h"
#include "trainvet/sink.h"
#include "trainvet/text.h"
#include <json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *printed;
static size_t printed_len;
static const struct tv_sink *sink;
static void *options, *state;
static FILE *out;

static void start(const char *name)
{
    struct tv_error error;
    for (size_t i = 0; tv_sinks[i]; i++)
        if (strcmp(tv_sinks[i]->name, name) == 0)
            sink = tv_sinks[i];
    ck_assert_ptr_nonnull(sink);
    options = tv_xcalloc(1, sink->options_size);
    state = tv_xcalloc(1, sink->state_size);
    tv_option_defaults(sink->options, options);
    out = open_memstream(&printed, &printed_len);
    ck_assert_int_eq(sink->open(options, state, out, NULL, &error), TV_OK);
}

static void finish(void)
{
    struct tv_error error;
    ck_assert_int_eq(sink->close(options, state, &error), TV_OK);
    fclose(out);
    free(options);
    free(state);
}

static const struct tv_run_report healthy = {
    .run = "healthy",
    .status = "ok",
    .first_step = 1,
    .steps = 400,
    .total_steps = 400,
    .warmup_steps = -1,
    .points = 800,
    .final_loss = 0.31234567,
    .final_eval_loss = NAN,
    .attempts = 1,
};

static struct tv_run_report broken(void)
{
    struct tv_run_report report = healthy;
    report.run = "broken";
    report.status = "findings";
    report.final_loss = NAN;
    report.alerts = 1;
    report.worst = TV_CRITICAL;
    return report;
}

static const struct tv_alert alert = {
    .run = "broken",
    .detector = "non_finite",
    .subject = "train/loss",
    .severity = TV_CRITICAL,
    .state = TV_FIRING,
    .onset_step = 312,
    .step = 320,
    .wall_time = 1767323045,
    .observed = NAN,
    .expected = 0.41,
    .confidence = NAN,
    .summary =
        "the training loss is NaN and every later value is NaN as well, which means that the "
        "weights are lost",
    .evidence = {{"last_finite_step", 311}, {"grad_norm", 1234.5678}},
    .evidence_len = 2,
    .causes =
        {"the learning rate was still rising when the gradients overflowed, after a warm-up of "
         "only ten steps",
         "a bad batch"},
    .causes_len = 2,
    .advice = {"warmup_steps: 10 -> 47 (10 % of 468)", "max_grad_norm: 0 -> 1.0"},
    .advice_len = 2,
    .fingerprint = "0123456789abcdef",
};

static void report_both(void)
{
    struct tv_error error;
    struct tv_run_report report = broken();
    ck_assert_int_eq(sink->run(options, state, &healthy, &error), TV_OK);
    ck_assert_int_eq(sink->run(options, state, &report, &error), TV_OK);
    ck_assert_int_eq(sink->deliver(options, state, &alert, &error), TV_OK);
}

START_TEST(text_fits_the_columns)
{
    start("text");
    report_both();
    finish();
    for (char *line = strtok(printed, "\n"); line; line = strtok(NULL, "\n"))
        ck_assert_msg(strlen(line) <= 80, "%s", line);
    free(printed);
}
END_TEST

/* The words of `text` in order, wherever the lines were broken. */
static bool says(const char *text)
{
    char *flat = tv_xstrndup(printed, printed_len), *to = flat;
    for (const char *p = printed; *p; p++)
        if ((*p != ' ' && *p != '\n') || (to > flat && to[-1] != ' '))
            *to++ = *p == '\n' ? ' ' : *p;
    *to = '\0';
    bool found = strstr(flat, text) != NULL;
    free(flat);
    return found;
}

START_TEST(text_says_what_since_when_the_numbers_and_what_to_change)
{
    start("text");
    report_both();
    finish();
    ck_assert(says("ok healthy step 400/400, loss 0.3123"));
    ck_assert(says("CRITICAL broken 1 finding, step 400/400"));
    ck_assert(says(alert.summary));
    ck_assert(says("since step 312, noticed at step 320 (train/loss)"));
    ck_assert(says("expected 0.41"));
    ck_assert(says("last finite step 311"));
    for (size_t i = 0; i < 2; i++) {
        ck_assert(says(alert.causes[i]));
        ck_assert(says(alert.advice[i]));
    }
    ck_assert(says("2 runs: 1 critical, 1 ok"));
    ck_assert_ptr_null(strchr(printed, '\033'));
    free(printed);
}
END_TEST

START_TEST(healthy_runs_take_one_line_each)
{
    struct tv_error error;
    start("text");
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(sink->run(options, state, &healthy, &error), TV_OK);
    fflush(out);
    size_t lines = 0;
    for (size_t i = 0; i < printed_len; i++)
        lines += printed[i] == '\n';
    ck_assert_uint_eq(lines, 5);
    finish();
    free(printed);
}
END_TEST

START_TEST(colour_comes_only_when_asked_for)
{
    struct tv_error error;
    start("text");
    ck_assert_int_eq(tv_option_set(sink->options, options, "color", "true", &error), TV_OK);
    report_both();
    finish();
    ck_assert_ptr_nonnull(strstr(printed, "\033[1;31m"));
    free(printed);
}
END_TEST

START_TEST(json_lines_are_objects_of_the_schema)
{
    start("json");
    report_both();
    finish();
    const char *types[] = {"run", "run", "alert"};
    char *line = strtok(printed, "\n");
    for (int i = 0; i < 3; i++, line = strtok(NULL, "\n")) {
        struct json_object *value = json_tokener_parse(line), *field;
        ck_assert_ptr_nonnull(value);
        ck_assert(json_object_object_get_ex(value, "type", &field));
        ck_assert_str_eq(json_object_get_string(field), types[i]);
        ck_assert(json_object_object_get_ex(value, "schema_version", &field));
        ck_assert_int_eq(json_object_get_int(field), 1);
        if (i == 2) {
            ck_assert(json_object_object_get_ex(value, "observed", &field));
            ck_assert_str_eq(json_object_get_string(field), "NaN");
            ck_assert(json_object_object_get_ex(value, "wall_time", &field));
            ck_assert_str_eq(json_object_get_string(field), "2026-01-02T03:04:05Z");
        }
        json_object_put(value);
    }
    ck_assert_ptr_null(line);
    free(printed);
}
END_TEST

START_TEST(full_disk_is_an_error)
{
    struct tv_error error;
    start(_i ? "json" : "text");
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        return;
    setvbuf(full, NULL, _IONBF, 0);
    ck_assert_int_eq(sink->open(options, state, full, NULL, &error), TV_OK);
    ck_assert_int_eq(sink->run(options, state, &healthy, &error), TV_EIO);
    fclose(full);
    fclose(out);
    free(printed);
    free(options);
    free(state);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sinks");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, text_fits_the_columns);
    tcase_add_test(tcase, text_says_what_since_when_the_numbers_and_what_to_change);
    tcase_add_test(tcase, healthy_runs_take_one_line_each);
    tcase_add_test(tcase, colour_comes_only_when_asked_for);
    tcase_add_test(tcase, json_lines_are_objects_of_the_schema);
    tcase_add_loop_test(tcase, full_disk_is_an_error, 0, 2);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
