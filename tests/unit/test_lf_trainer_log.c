/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "support/jsonc.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const struct tv_parser tv_parser_lf_trainer_log;
#define PARSER (&tv_parser_lf_trainer_log)

static struct tv_capture capture;
static size_t left;

static enum tv_status read_bytes(struct tv_span bytes, struct tv_chunking how)
{
    struct tv_error error = {0};
    tv_capture_free(&capture);
    return tv_feed_all(PARSER, bytes, how, &capture, &left, &error);
}

static void read_text(const char *text)
{
    read_bytes(tv_span_of(text), (struct tv_chunking){0});
}

static const char *emitted(void)
{
    return capture.text ? capture.text : "";
}

static void has(const char *line)
{
    ck_assert_msg(strstr(emitted(), line), "no \"%s\" in\n%s", line, emitted());
}

static void has_not(const char *text)
{
    ck_assert_msg(!strstr(emitted(), text), "\"%s\" in\n%s", text, emitted());
}

/* ---- the four dialects ---- */

START_TEST(dialect_a_with_nulls_and_learning_rate)
{
    read_text(
        "{\"current_steps\": 10, \"total_steps\": 351, \"loss\": 6.2499, \"eval_loss\": null, "
        "\"predict_loss\": null, \"reward\": null, \"learning_rate\": 4.989992961303738e-05, "
        "\"epoch\": 0.09, \"percentage\": 2.85, \"elapsed_time\": \"0:00:07\", "
        "\"remaining_time\": \"0:00:33\"}\n");
    ck_assert_str_eq(
        emitted(),
        "F framework=llamafactory source 5 line 1\nF log.total_steps=351 source 5 line 1\n"
        "S loss 10 7 6.2499\n"
        "S learning_rate 10 7 4.989992961303738e-05\n"
        "S epoch 10 7 0.09\n");
}
END_TEST

START_TEST(dialect_b_with_string_throughput)
{
    read_text(
        "{\"current_steps\": 10, \"total_steps\": 100, \"loss\": 2.3, \"learning_rate\": 1e-05, "
        "\"epoch\": 0.1, \"percentage\": 10.0, \"elapsed_time\": \"0:01:07\", "
        "\"remaining_time\": \"0:01:03\", \"throughput\": \"5120.33\", \"total_tokens\": 35842}\n");
    has("S throughput 10 67 5120.33\n");
    has("S total_tokens 10 67 35842\n");
    has_not("percentage");
    has_not("remaining");
}
END_TEST

START_TEST(dialects_c_and_d_with_lr_and_number_throughput)
{
    read_text("{\"current_steps\": 10, \"total_steps\": 100, \"loss\": 2.3412, \"lr\": 1.8e-05, "
              "\"epoch\": "
              "0.1, \"percentage\": 10.0, \"elapsed_time\": \"1:00:07\", \"remaining_time\": "
              "\"0:01:03\", \"throughput\": 5120.33, \"total_tokens\": 35842}\n");
    has("S lr 10 3607 1.8e-05\n");
    has("S throughput 10 3607 5120.33\n");
}
END_TEST

START_TEST(v1_engine_lines_with_step)
{
    read_text(
        "{\"epoch\": 0, \"step\": 4, \"loss\": 2.5, \"grad_norm\": 1.25, \"learning_rate\": 1e-5, "
        "\"total_steps\": 40}\n");
    ck_assert_str_eq(emitted(), "F framework=llamafactory source 5 line 1\nF log.total_steps=40 "
                                "source 5 line 1\nS epoch 4 NaN 0\nS loss 4 NaN 2.5\n"
                                "S grad_norm 4 NaN 1.25\nS learning_rate 4 NaN 1e-05\n");
}
END_TEST

/* ---- times ---- */

START_TEST(durations_of_days_are_seconds)
{
    static const struct {
        const char *text, *seconds;
    } cases[] = {
        {"0:00:00", "0"},
        {"1 day, 2:03:04", "93784"},
        {"9 days, 22:13:15", "857595"},
        {"100:00:01", "360001"},
        {"12 days, 0:00:00", "1036800"},
        {"soon", "NaN"},
        {"1 day", "NaN"},
        {"", "NaN"},
        {"0:00", "NaN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[256], expected[64];
        snprintf(
            line, sizeof line,
            "{\"current_steps\": 1, \"total_steps\": 9, \"loss\": 2, \"elapsed_time\": \"%s\"}\n",
            cases[i].text);
        snprintf(expected, sizeof expected, "S loss 1 %s 2\n", cases[i].seconds);
        read_text(line);
        has(expected);
    }
}
END_TEST

START_TEST(time_goes_on_over_a_resume)
{
    read_text(
        "{\"current_steps\": 20, \"total_steps\": 90, \"loss\": 2, \"elapsed_time\": \"0:02:00\"}\n"
        "{\"current_steps\": 15, \"total_steps\": 90, \"loss\": 2, \"elapsed_time\": \"0:00:05\"}\n"
        "{\"current_steps\": 25, \"total_steps\": 90, \"loss\": 2, \"elapsed_time\": "
        "\"0:01:00\"}\n");
    ck_assert_str_eq(emitted(), "S loss 20 120 2\nS loss 15 125 2\nS loss 25 180 2\n");
}
END_TEST

/* ---- two writers ---- */

static void put_line(FILE *file, int step, int total, int seconds, double loss)
{
    fprintf(file,
            "{\"current_steps\": %d, \"total_steps\": %d, \"loss\": %g, \"epoch\": 1, "
            "\"elapsed_time\": \"0:%02d:%02d\"}\n",
            step, total, loss, seconds / 60, seconds % 60);
}

/* Two jobs that log every 10 steps a minute; the second begins 3 steps of logging later and takes
 * `speed` of its lines for one of the first. */
static char *interleaved(int speed, int second_total)
{
    char *text;
    size_t len;
    FILE *file = open_memstream(&text, &len);
    int second = 0;
    for (int i = 1; i <= 20; i++) {
        put_line(file, i * 10, 400, i * 60, 1);
        for (int k = 0; i > 3 && k < speed; k++) {
            second++;
            put_line(file, second * 3, second_total, second * 60 / speed, 2);
        }
    }
    fclose(file);
    return text;
}

START_TEST(of_two_writers_the_first_one_is_followed)
{
    for (int speed = 1; speed <= 3; speed++)
        for (int total = 400; total <= 800; total += 400) {
            char *text = interleaved(speed, total);
            read_text(text);
            ck_assert_uint_eq(capture.notes, 1);
            ck_assert_uint_eq(capture.damages, 0);
            size_t of_second = 0;
            for (const char *p = emitted(); (p = strstr(p, " 2\nS epoch")); p++)
                of_second++;
            ck_assert_uint_le(of_second, 2 * (size_t)speed); /* until it was certain */
            for (int step = 10; step <= 200; step += 10) {
                char line[64];
                snprintf(line, sizeof line, "S loss %d %d 1\n", step, step * 6);
                has(line);
            }
            ck_assert_ptr_null(strstr(strstr(emitted(), "two jobs"), "log.total_steps"));
            free(text);
        }
}
END_TEST

START_TEST(two_processes_of_one_job_share_its_clock)
{
    char *text;
    size_t len;
    FILE *file = open_memstream(&text, &len);
    for (int i = 1; i <= 40; i++) {
        put_line(file, i * 10, 400, i * 60, 1);
        put_line(file, i * 10, 400, i * 60 - (i == 20), 1);
    }
    fclose(file);
    read_text(text);
    has("S loss 210 1260 1\n");
    has("S loss 400 2400 1\n");
    free(text);
}
END_TEST

START_TEST(a_resumed_job_is_no_second_writer)
{
    char *text;
    size_t len;
    FILE *file = open_memstream(&text, &len);
    for (int attempt = 0; attempt < 4; attempt++)
        for (int i = 1; i <= 10; i++)
            put_line(file, attempt * 60 + i * (attempt == 2 ? 20 : 10), 400, i * 60, 1);
    fclose(file);
    read_text(text);
    ck_assert_uint_eq(capture.notes, 0);
    ck_assert_uint_eq(capture.samples, 80);
    free(text);
}
END_TEST

START_TEST(a_line_written_late_is_no_second_writer)
{
    char *text;
    size_t len;
    FILE *file = open_memstream(&text, &len);
    for (int i = 1; i <= 20; i++)
        put_line(file,
                 (i == 7   ? 8
                  : i == 8 ? 7
                           : i) *
                     10,
                 400,
                 (i == 7   ? 8
                  : i == 8 ? 7
                           : i) *
                     60,
                 1);
    fclose(file);
    read_text(text);
    ck_assert_uint_eq(capture.notes, 0);
    ck_assert_uint_eq(capture.samples, 40);
    has("S loss 200 1200 1\n");
    free(text);
}
END_TEST

/* ---- lines that are no training ---- */

START_TEST(predict_progress_is_ignored)
{
    read_text(
        "{\"current_steps\": 400, \"total_steps\": 400, \"loss\": 2.5, \"lr\": 1e-5, \"epoch\": "
        "1}\n"
        "{\"current_steps\": 5, \"total_steps\": 30, \"percentage\": 16.67, \"elapsed_time\": "
        "\"0:00:02\", \"remaining_time\": \"0:00:10\"}\n"
        "{\"current_steps\": 10, \"total_steps\": 30, \"loss\": null, \"eval_loss\": null, "
        "\"epoch\": "
        "null, \"percentage\": 33.3}\n");
    ck_assert_uint_eq(capture.samples, 3);
    ck_assert_uint_eq(capture.facts, 2); /* and the framework */
    has("F log.total_steps=400");
}
END_TEST

START_TEST(evaluation_job_behind_the_training_is_ignored)
{
    read_text("{\"current_steps\": 350, \"total_steps\": 351, \"loss\": 2.5, \"lr\": 1e-5, "
              "\"epoch\": 3}\n"
              "{\"current_steps\": 351, \"total_steps\": 351, \"loss\": null, \"epoch\": 3.0}\n"
              "{\"current_steps\": 2, \"total_steps\": 2, \"loss\": null, \"eval_loss\": 0.0004, "
              "\"epoch\": "
              "3.0}\n");
    has_not("eval_loss");
    has("M 2 351 ");
}
END_TEST

START_TEST(evaluation_during_training_is_read)
{
    read_text(
        "{\"current_steps\": 10, \"total_steps\": 100, \"loss\": 2.5, \"lr\": 1e-5, \"epoch\": 1}\n"
        "{\"current_steps\": 10, \"total_steps\": 100, \"eval_loss\": 2.1, \"epoch\": 1.0, "
        "\"elapsed_time\": \"0:00:18\"}\n");
    has("S eval_loss 10 18 2.1\n");
    has_not("M ");
}
END_TEST

START_TEST(total_is_reported_when_it_changes)
{
    read_text("{\"current_steps\": 10, \"total_steps\": 100, \"loss\": 2.5, \"epoch\": 1}\n"
              "{\"current_steps\": 20, \"total_steps\": 100, \"loss\": 2.4, \"epoch\": 2}\n"
              "{\"current_steps\": 10, \"total_steps\": 200, \"loss\": 2.4, \"epoch\": 1}\n");
    ck_assert_uint_eq(capture.facts, 3);
    has("F log.total_steps=200 source 5 line 3\n");
}
END_TEST

/* ---- numbers ---- */

START_TEST(nan_and_infinity_are_values)
{
    read_text("{\"current_steps\": 1, \"total_steps\": 9, \"loss\": NaN, \"grad_norm\": Infinity, "
              "\"lr\": "
              "-Infinity, \"reward\": \"nan\"}\n");
    has("S loss 1 NaN NaN\n");
    has("S grad_norm 1 NaN Infinity\n");
    has("S lr 1 NaN -Infinity\n");
    has("S reward 1 NaN NaN\n");
    ck_assert_uint_eq(capture.damages, 0);
}
END_TEST

START_TEST(string_numbers_are_values)
{
    read_text("{\"current_steps\": \"12\", \"total_steps\": \"90\", \"loss\": \"2.341\", "
              "\"epoch\": 1}\r\n");
    has("F log.total_steps=90 ");
    has("S loss 12 NaN 2.341\n");
}
END_TEST

START_TEST(escaped_tags_are_resolved)
{
    read_text(
        "{\"current_steps\": 1, \"total_steps\": 9, \"eval_\\u635f\\u5931\": 2, \"a\\/b\": 3}\n");
    has("S eval_\xE6\x8D\x9F\xE5\xA4\xB1 1 NaN 2\n");
    has("S a/b 1 NaN 3\n");
}
END_TEST

START_TEST(lines_without_a_step_are_no_points)
{
    read_text("{\"loss\": 2.5, \"epoch\": 1}\n{\"current_steps\": 1.5, \"loss\": 2}\n"
              "{\"current_steps\": 1e300, \"loss\": 2}\n{\"current_steps\": null, \"loss\": 2}\n"
              "{}\n{\"current_steps\": 7, \"loss\": 3}\n");
    ck_assert_uint_eq(capture.samples, 1);
    has("S loss 7 NaN 3\n");
    ck_assert_uint_eq(capture.damages, 1);
    has("a line is left out: a whole number as \"current_steps\" was expected");
    has("4 lines were left out, all for want of a step");
}
END_TEST

/* ---- damage ---- */

#define GOOD "{\"current_steps\": 10, \"total_steps\": 90, \"loss\": 2.5}\n"
#define NEXT "{\"current_steps\": 20, \"total_steps\": 90, \"loss\": 2.25}\n"

START_TEST(a_damaged_line_is_reported_once_and_the_rest_read)
{
    static const char *const bad[] = {
        "garbage",
        "{\"current_steps\": 15, \"loss\": 2.",
        "{\"current_steps\": 15 \"loss\": 2}",
        "{current_steps: 15}",
        "[1, 2]",
        "{\"current_steps\": 15, \"loss\": 2}}",
        "{\"current_steps\": 15, \"loss\": 1.2.3}",
        "{\"current_steps\": 15, \"loss\": }",
        "{\"current_steps\": 15, \"lo\x01ss\": 1}",
        "{\"a\": [}",
        "12",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[512], where[64];
        snprintf(text, sizeof text, GOOD "%s\n" NEXT, bad[i]);
        read_text(text);
        ck_assert_msg(capture.damages == 1, "%s: %zu damages", bad[i], capture.damages);
        has("S loss 10 NaN 2.5\n");
        has("S loss 20 NaN 2.25\n");
        snprintf(where, sizeof where, " 2 a line is no JSON object: ");
        has(where);
        ck_assert_uint_eq(left, 0);
    }
}
END_TEST

START_TEST(a_line_glued_behind_a_torn_one_is_read)
{
    read_text(GOOD "{\"current_steps\": 15, \"tota" NEXT);
    ck_assert_uint_eq(capture.damages, 1);
    has("S loss 20 NaN 2.25\n");
    has("D 54 27 2 ");
}
END_TEST

START_TEST(a_hole_of_nul_bytes_is_damage)
{
    char text[4096] = GOOD;
    size_t len = strlen(text);
    memset(text + len, 0, 1000);
    memcpy(text + len + 1000, NEXT, sizeof NEXT);
    read_bytes((struct tv_span){text, len + 1000 + strlen(NEXT)}, (struct tv_chunking){0});
    has("D 54 1000 2 ");
    has("S loss 20 NaN 2.25\n");
}
END_TEST

START_TEST(several_objects_on_a_line_are_read)
{
    read_text(
        "{\"current_steps\": 10, \"loss\": 2.5}{\"current_steps\": 20, \"loss\": 2.25}\n\n\n" NEXT);
    ck_assert_uint_eq(capture.samples, 3);
    ck_assert_uint_eq(capture.damages, 0);
}
END_TEST

START_TEST(the_last_line_needs_no_line_end)
{
    read_text(GOOD "{\"current_steps\": 20, \"loss\": 2.25}");
    has("S loss 20 NaN 2.25\n");
    ck_assert_uint_eq(left, 0);
}
END_TEST

START_TEST(an_unfinished_last_line_is_a_tail)
{
    read_text(GOOD "{\"current_steps\": 20, \"lo");
    ck_assert_uint_eq(capture.damages, 0);
    ck_assert_uint_eq(left, strlen("{\"current_steps\": 20, \"lo"));
}
END_TEST

static struct tv_span with_long_line(size_t length, const char *end)
{
    size_t before = strlen(GOOD), len = before + length + strlen(end);
    char *text = tv_xmalloc(len + 1);
    memcpy(text, GOOD, before + 1);
    memset(text + before, 'x', length);
    memcpy(text + before + length, end, strlen(end) + 1);
    return (struct tv_span){text, len};
}

START_TEST(a_line_longer_than_the_window_is_skipped)
{
    struct tv_span text = with_long_line(3u << 20, "\n" NEXT);
    static const int sizes[] = {0, 100000, 1 << 20};
    for (size_t i = 0; i < 3; i++) {
        read_bytes(text, (struct tv_chunking){.size = sizes[i]});
        ck_assert_str_eq(emitted(),
                         "S loss 10 NaN 2.5\n"
                         "D 54 3145728 2 a line is no JSON object: it is longer than 1 MiB\n"
                         "S loss 20 NaN 2.25\n");
    }
    free((char *)text.data);
}
END_TEST

START_TEST(a_long_line_is_judged_alike_however_it_is_cut)
{
    for (size_t length = (1u << 20) - 2; length <= (1u << 20) + 1; length++) {
        static const char *const ends[] = {"\n" NEXT, "\r\n" NEXT, "\n", ""};
        for (size_t i = 0; i < 4; i++) {
            struct tv_span text = with_long_line(length, ends[i]);
            read_bytes(text, (struct tv_chunking){0});
            char *whole = tv_xstrndup(emitted(), strlen(emitted()));
            size_t whole_left = left;
            read_bytes(text, (struct tv_chunking){.size = 65536});
            ck_assert_str_eq(emitted(), whole);
            ck_assert_uint_eq(left, whole_left);
            free(whole);
            free((char *)text.data);
        }
    }
}
END_TEST

START_TEST(depth_of_ten_thousand_is_one_damage)
{
    struct tv_span text = with_long_line(20000, "\n" NEXT);
    char *deep = (char *)text.data + strlen(GOOD);
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    deep[0] = '{';
    memset(deep + 1, '"', 3);
    deep[2] = 'a';
    deep[4] = ':';
    read_bytes(text, (struct tv_chunking){0});
    ck_assert_uint_eq(capture.damages, 1);
    has("S loss 20 NaN 2.25\n");
    free((char *)text.data);
}
END_TEST

START_TEST(empty_and_blank_files_give_nothing)
{
    read_text("");
    ck_assert_str_eq(emitted(), "");
    read_text("\n\r\n  \n");
    ck_assert_str_eq(emitted(), "");
    read_text("\xEF\xBB\xBF" GOOD);
    has("S loss 10 NaN 2.5\n");
    ck_assert_uint_eq(capture.damages, 0);
}
END_TEST

/* ---- goldens by json-c ---- */

static double jsonc_elapsed(struct json_object *object)
{
    struct json_object *value;
    const char *text = json_object_object_get_ex(object, "elapsed_time", &value)
                           ? json_object_get_string(value)
                           : "";
    char *end;
    double days = 0, parts[3] = {0}; /* hours, minutes, seconds */
    if (strstr(text, " day")) {
        days = strtod(text, NULL);
        text = strstr(text, ", ") + 2;
    }
    for (int i = 0; i < 3; i++, text = end + (*end == ':')) {
        parts[i] = strtod(text, &end);
        if (end == text)
            return (double)NAN;
    }
    return days * 86400 + parts[0] * 3600 + parts[1] * 60 + parts[2];
}

/* Steps and values of every line; the clock where the job did not start anew. */
static void jsonc_line(FILE *file, struct json_object *object, double *last, double *base)
{
    struct json_object *step;
    json_object_object_get_ex(object, "current_steps", &step);
    double elapsed = jsonc_elapsed(object);
    *base += elapsed < *last ? *last : 0;
    *last = elapsed;
    json_object_object_foreach(object, key, value)
    {
        double number;
        bool is_step = !strcmp(key, "current_steps") || !strcmp(key, "total_steps");
        if (!is_step && strcmp(key, "percentage") != 0 && tv_jsonc_number(value, &number))
            tv_print_sample(file, key, json_object_get_int64(step), *base + elapsed, number);
    }
}

static void golden(const char *path)
{
    struct tv_span bytes = tv_read_file(path);
    char *expected = NULL, *rest = (char *)bytes.data, *line;
    size_t expected_len;
    double last = 0, base = 0;
    FILE *file = open_memstream(&expected, &expected_len);
    ck_assert_int_ne(read_bytes(bytes, (struct tv_chunking){0}), TV_ECORRUPT);
    while ((line = strsep(&rest, "\n")))
        if (*line) {
            struct json_object *object = json_tokener_parse(line), *total;
            json_object_object_get_ex(object, "total_steps", &total);
            if (json_object_get_int(total) != 2) /* the evaluation job behind run r079 */
                jsonc_line(file, object, &last, &base);
            json_object_put(object);
        }
    fclose(file);
    tv_keep_lines(capture.text, "S ");
    ck_assert_msg(strcmp(capture.text, expected) == 0, "%s differs from json-c's reading", path);
    free(expected);
    free((char *)bytes.data);
}

START_TEST(values_are_those_that_json_c_reads)
{
    ck_assert_uint_gt(tv_each_log("*/trainer_log.jsonl", golden), 0);
}
END_TEST

static void cut_anywhere(const char *path)
{
    struct tv_span bytes = tv_read_file(path);
    bytes.len = bytes.len < 30000 ? bytes.len : 30000;
    read_bytes(bytes, (struct tv_chunking){0});
    char *whole = tv_xstrndup(emitted(), strlen(emitted()));
    for (unsigned i = 0; i < 4; i++) {
        read_bytes(bytes, (struct tv_chunking){.size = i ? -1 : 1, .seed = i});
        ck_assert_str_eq(emitted(), whole);
    }
    free(whole);
    free((char *)bytes.data);
}

START_TEST(chunks_change_nothing)
{
    static const char damaged[] =
        GOOD "garbage\n\n{\"x\n\0\0{\"current_steps\": 3, \"loss\": 1}\n" NEXT
             "{\"current_steps\": 4, \"loss\": 1}";
    struct tv_span bytes = {damaged, sizeof damaged - 1};
    read_bytes(bytes, (struct tv_chunking){0});
    char *whole = tv_xstrndup(emitted(), strlen(emitted()));
    for (int size = 1; size < 80; size++) {
        read_bytes(bytes, (struct tv_chunking){.size = size});
        ck_assert_str_eq(emitted(), whole);
    }
    free(whole);
    ck_assert_uint_gt(tv_each_log("lf-*/trainer_log.jsonl", cut_anywhere), 0);
}
END_TEST

START_TEST(probe_goes_by_content_not_by_extension)
{
    struct tv_span line = tv_span_of(GOOD);
    struct tv_span name = tv_span_of("trainer_log.jsonl"), other = tv_span_of("metrics.jsonl");
    ck_assert_int_ge(PARSER->probe(name, line), 90);
    ck_assert_int_gt(PARSER->probe(other, line), 50);
    ck_assert_int_eq(PARSER->probe(other, tv_span_of("{\"step\": 1}\n")), 0);
    ck_assert_int_eq(PARSER->probe(other, tv_span_of("")), 0);
    ck_assert_int_gt(PARSER->probe(name, tv_span_of("")), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("lf_trainer_log");
    TCase *c = tcase_create("lf_trainer_log");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, dialect_a_with_nulls_and_learning_rate);
    tcase_add_test(c, dialect_b_with_string_throughput);
    tcase_add_test(c, dialects_c_and_d_with_lr_and_number_throughput);
    tcase_add_test(c, v1_engine_lines_with_step);
    tcase_add_test(c, durations_of_days_are_seconds);
    tcase_add_test(c, time_goes_on_over_a_resume);
    tcase_add_test(c, of_two_writers_the_first_one_is_followed);
    tcase_add_test(c, two_processes_of_one_job_share_its_clock);
    tcase_add_test(c, a_resumed_job_is_no_second_writer);
    tcase_add_test(c, a_line_written_late_is_no_second_writer);
    tcase_add_test(c, predict_progress_is_ignored);
    tcase_add_test(c, evaluation_job_behind_the_training_is_ignored);
    tcase_add_test(c, evaluation_during_training_is_read);
    tcase_add_test(c, total_is_reported_when_it_changes);
    tcase_add_test(c, nan_and_infinity_are_values);
    tcase_add_test(c, string_numbers_are_values);
    tcase_add_test(c, escaped_tags_are_resolved);
    tcase_add_test(c, lines_without_a_step_are_no_points);
    tcase_add_test(c, a_damaged_line_is_reported_once_and_the_rest_read);
    tcase_add_test(c, a_line_glued_behind_a_torn_one_is_read);
    tcase_add_test(c, a_hole_of_nul_bytes_is_damage);
    tcase_add_test(c, several_objects_on_a_line_are_read);
    tcase_add_test(c, the_last_line_needs_no_line_end);
    tcase_add_test(c, an_unfinished_last_line_is_a_tail);
    tcase_add_test(c, a_line_longer_than_the_window_is_skipped);
    tcase_add_test(c, a_long_line_is_judged_alike_however_it_is_cut);
    tcase_add_test(c, depth_of_ten_thousand_is_one_damage);
    tcase_add_test(c, empty_and_blank_files_give_nothing);
    tcase_add_test(c, values_are_those_that_json_c_reads);
    tcase_add_test(c, chunks_change_nothing);
    tcase_add_test(c, probe_goes_by_content_not_by_extension);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
