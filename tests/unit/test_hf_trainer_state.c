/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "support/jsonc.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const struct tv_parser tv_parser_hf_trainer_state;
#define PARSER (&tv_parser_hf_trainer_state)

static struct tv_capture capture;
static struct tv_error error;
static size_t left;

static enum tv_status read_bytes(struct tv_span bytes)
{
    tv_capture_free(&capture);
    error = (struct tv_error){0};
    return tv_feed_all(PARSER, bytes, (struct tv_chunking){0}, &capture, &left, &error);
}

static enum tv_status read_text(const char *text)
{
    return read_bytes(tv_span_of(text));
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

#define SUMMARY                                                                                    \
    "{\"epoch\": 1.0, \"step\": 20, \"total_flos\": 1e15, \"train_loss\": 2.1, "                   \
    "\"train_runtime\": 71.3, \"train_samples_per_second\": 5.6}"

/* ---- what is read ---- */

START_TEST(entries_become_samples_with_their_own_tags)
{
    ck_assert_int_eq(
        read_text("{\n  \"log_history\": [\n    {\n      \"epoch\": 0.1,\n      \"loss\": 2.3412,\n"
                  "      \"rewards/margins\": -1.5,\n      \"step\": 10\n    },\n"
                  "    {\"eval_a_loss\": 2.25, \"step\": 20}\n  ]\n}"),
        TV_OK);
    ck_assert_str_eq(emitted(), "S epoch 10 NaN 0.1\nS loss 10 NaN 2.3412\n"
                                "S rewards/margins 10 NaN -1.5\nS eval_a_loss 20 NaN 2.25\n");
    ck_assert_uint_eq(left, 0);
}
END_TEST

START_TEST(facts_come_before_the_samples)
{
    read_text("{\"best_metric\": null, \"log_history\": [{\"loss\": 1, \"step\": 10}],\n"
              "\"max_steps\": 700, \"num_train_epochs\": 1, \"trial_name\": \"x\"}");
    ck_assert_str_eq(emitted(), "F trainer_state.best_metric=null null source 5 line 1\n"
                                "F trainer_state.max_steps=700 source 5 line 2\n"
                                "F log.total_steps=700 source 5 line 2\n"
                                "F trainer_state.num_train_epochs=1 source 5 line 2\n"
                                "F trainer_state.trial_name=x string source 5 line 2\n"
                                "S loss 10 NaN 1\n");
}
END_TEST

START_TEST(a_planned_number_of_steps_of_zero_is_no_total)
{
    read_text("{\"log_history\": [], \"max_steps\": 0}");
    has("F trainer_state.max_steps=0 ");
    has_not("log.total_steps");
}
END_TEST

START_TEST(best_global_step_hints_at_the_version)
{
    read_text("{\"best_global_step\": null, \"log_history\": []}");
    has("F trainer_state.has_best_global_step=true source 5");
    read_text("{\"best_metric\": 1, \"log_history\": []}");
    has_not("has_best_global_step");
}
END_TEST

START_TEST(callbacks_become_nested_facts)
{
    read_text(
        "{\"log_history\": [], \"stateful_callbacks\": {\"EarlyStoppingCallback\": {\"args\": "
        "{\"early_stopping_patience\": 3}, \"list\": [1, [2]]}}}");
    has("F trainer_state.stateful_callbacks.EarlyStoppingCallback.args.early_stopping_patience=3 ");
    has("EarlyStoppingCallback.list.0=1 ");
    has("EarlyStoppingCallback.list.1.0=2 ");
}
END_TEST

START_TEST(bare_nan_and_infinity_are_values)
{
    ck_assert_int_eq(read_text("{\"log_history\": [{\"loss\": NaN, \"grad_norm\": Infinity, \"x\": "
                               "-Infinity, \"step\": 1}], \"best_metric\": NaN}"),
                     TV_OK);
    has("S loss 1 NaN NaN\nS grad_norm 1 NaN Infinity\nS x 1 NaN -Infinity\n");
    has("F trainer_state.best_metric=NaN ");
}
END_TEST

START_TEST(quoted_numbers_of_transformers_5_are_values)
{
    read_text(
        "{\"log_history\": [{\"loss\": \"2.341\", \"learning_rate\": \"1.8e-05\", \"step\": \"7\", "
        "\"remaining_time\": \"59h:30m:19s\"}]}");
    ck_assert_str_eq(emitted(), "S loss 7 NaN 2.341\nS learning_rate 7 NaN 1.8e-05\n");
}
END_TEST

START_TEST(nulls_booleans_and_nested_values_are_no_samples)
{
    ck_assert_int_eq(
        read_text("{\"log_history\": [{\"a\": null, \"b\": true, \"c\": {\"d\": [1, {}]}, "
                  "\"e\": [], \"loss\": 1, \"step\": 3}]}"),
        TV_OK);
    ck_assert_str_eq(emitted(), "S loss 3 NaN 1\n");
}
END_TEST

START_TEST(line_ends_of_windows_change_nothing)
{
    ck_assert_int_eq(read_text("\xEF\xBB\xBF{\r\n  \"log_history\": [\r\n {\r\n \"loss\": 1,\r\n"
                               " \"step\": 10\r\n }\r\n ],\r\n \"max_steps\": 5\r\n}\r\n"),
                     TV_OK);
    has("S loss 10 NaN 1\n");
    has("F trainer_state.max_steps=5 source 5 line 8\n");
    ck_assert_uint_eq(capture.damages, 0);
}
END_TEST

/* ---- the end of a run ---- */

START_TEST(the_summary_is_the_end_and_no_loss)
{
    read_text("{\"log_history\": [{\"loss\": 1, \"step\": 20}, " SUMMARY "]}");
    has("M 2 20 NaN\n");
    has("S train_loss 20 NaN 2.1\n");
    has_not("S loss 20 NaN 2.1");
}
END_TEST

/* Interrupted before it wrote the summary, or a checkpoint of the last step. */
START_TEST(a_run_whose_steps_are_done_has_ended_where_nothing_more_is_logged)
{
    read_text("{\"global_step\": 525, \"log_history\": [{\"loss\": 1, \"step\": 500}],"
              " \"max_steps\": 525}");
    has("M 2 525 NaN");
    read_text("{\"global_step\": 500, \"log_history\": [{\"loss\": 1, \"step\": 500}],"
              " \"max_steps\": 525}");
    has_not("M 2 ");
}
END_TEST

START_TEST(evaluation_behind_the_summary_leaves_the_end)
{
    read_text("{\"log_history\": [" SUMMARY ", {\"eval_loss\": 1, \"step\": 20}]}");
    has("M 2 20 NaN\n");
}
END_TEST

START_TEST(a_run_that_goes_on_behind_its_summary_has_not_ended)
{
    read_text("{\"log_history\": [" SUMMARY ", {\"loss\": 1, \"step\": 30}]}");
    has_not("M 2");
}
END_TEST

/* ---- entries without a step ---- */

START_TEST(a_step_is_worked_out_from_the_epoch)
{
    read_text(
        "{\"epoch\": 2.0, \"global_step\": 100, \"log_history\": [{\"epoch\": 0.5, \"loss\": 3},"
        "{\"epoch\": 1.0, \"loss\": 2}]}");
    has("S loss 25 NaN 3\n");
    has("S loss 50 NaN 2\n");
    ck_assert_uint_eq(capture.notes, 1);
    ck_assert_uint_eq(capture.damages, 0);
}
END_TEST

START_TEST(a_step_of_the_same_epoch_is_taken_from_the_entry_before)
{
    read_text("{\"log_history\": [{\"epoch\": 0.5, \"loss\": 3, \"step\": 7},"
              "{\"epoch\": 0.5, \"eval_loss\": 2}, {\"eval_loss\": 1}]}");
    has("S eval_loss 7 NaN 2\n");
    has("S eval_loss -9223372036854775808 NaN 1\n");
}
END_TEST

/* ---- something else of that name ---- */

START_TEST(something_else_of_that_name_is_refused_and_gives_nothing)
{
    static const struct {
        const char *text;
        enum tv_status status;
    } cases[] = {
        {"{\"a\": 1}", TV_EUNSUPPORTED},
        {"{}", TV_EUNSUPPORTED},
        {"{\"log_history\": {}}", TV_EUNSUPPORTED},
        {"{\"log_history\": null}", TV_EUNSUPPORTED},
        {"[1, 2]", TV_ECORRUPT},
        {"hello", TV_ECORRUPT},
        {"\x1f\x8b\x08", TV_ECORRUPT},
        {"<html>", TV_ECORRUPT},
        {"{\"a\" 1}", TV_ECORRUPT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg(read_text(cases[i].text) == cases[i].status, "%s: %s", cases[i].text,
                      error.message);
        ck_assert_msg(strstr(error.message, "no trainer state"), "%s", error.message);
        ck_assert_uint_eq(capture.samples, 0);
    }
}
END_TEST

START_TEST(probe_goes_by_name_and_content)
{
    struct tv_span head =
        tv_span_of("{\n  \"best_metric\": null,\n  \"best_model_checkpoint\": null,\n"
                   "  \"global_step\": 700,\n  \"is_world_process_zero\": true,\n");
    struct tv_span name = tv_span_of("trainer_state.json"), other = tv_span_of("state.json");
    ck_assert_int_ge(PARSER->probe(name, head), 90);
    ck_assert_int_gt(PARSER->probe(other, head), 50);
    ck_assert_int_eq(PARSER->probe(other, tv_span_of("{\"step\": 1}")), 0);
    ck_assert_int_gt(PARSER->probe(name, tv_span_of("")), 0);
    ck_assert_int_lt(PARSER->probe(name, tv_span_of("{\"a\": 1}")), 90);
}
END_TEST

/* ---- damage ---- */

START_TEST(an_empty_file_may_still_be_written)
{
    ck_assert_int_eq(read_text(""), TV_AGAIN);
    ck_assert_int_eq(read_text(" \n"), TV_AGAIN);
    ck_assert_str_eq(emitted(), "");
}
END_TEST

START_TEST(half_a_file_gives_what_is_whole_in_it)
{
    static const char text[] =
        "{\"global_step\": 9, \"log_history\": [{\"loss\": 1, \"step\": 10}, "
        "{\"loss\": 2, \"step\": 20}], \"max_steps\": 40}";
    for (size_t len = 1; len < sizeof text - 1; len++) {
        ck_assert_int_eq(read_bytes((struct tv_span){text, len}), TV_AGAIN);
        ck_assert_msg(strstr(error.message, "ends in the middle"), "%s", error.message);
        ck_assert_uint_eq(capture.damages, 0);
        size_t whole = len >= (size_t)(strstr(text, "20}") - text) + 3   ? 2
                       : len >= (size_t)(strstr(text, "10}") - text) + 3 ? 1
                                                                         : 0;
        ck_assert_uint_eq(capture.samples, whole);
    }
    ck_assert_int_eq(read_text(text), TV_OK);
    ck_assert_uint_eq(capture.samples, 2);
}
END_TEST

START_TEST(a_damaged_entry_is_passed_over)
{
    static const char *const bad[] = {"{\"loss\": 1.2.3, \"step\": 15}",
                                      "{\"loss\" 1}",
                                      "7",
                                      "\"x\"",
                                      "{\"loss\": 1, \"step\": 15, }",
                                      "[{\"loss\": 1}]",
                                      "{\"a\": \"x\ny\", \"step\": 15}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[512];
        snprintf(
            text, sizeof text,
            "{\"log_history\": [{\"loss\": 1, \"step\": 10},\n%s,\n{\"loss\": 2, \"step\": 20}], "
            "\"max_steps\": 40}",
            bad[i]);
        ck_assert_msg(read_text(text) == TV_OK, "%s: %s", bad[i], error.message);
        ck_assert_uint_eq(capture.damages, 1);
        has(" 2 an entry of log_history cannot be read: ");
        has("S loss 10 NaN 1\n");
        has("S loss 20 NaN 2\n");
        has("F log.total_steps=40 ");
    }
}
END_TEST

START_TEST(a_tail_of_nul_bytes_is_where_reading_ends)
{
    static const char text[] = "{\"log_history\": [{\"loss\": 1, \"step\": 10},\n\0\0\0\0\0\0";
    ck_assert_int_eq(read_bytes((struct tv_span){text, sizeof text - 1}), TV_ECORRUPT);
    has("S loss 10 NaN 1\n");
    ck_assert_uint_eq(error.line, 2);
}
END_TEST

START_TEST(bytes_behind_the_document_are_reported)
{
    ck_assert_int_eq(read_text("{\"log_history\": [{\"loss\": 1, \"step\": 10}]}\n}}"), TV_OK);
    ck_assert_uint_eq(capture.damages, 1);
    has("S loss 10 NaN 1\n");
}
END_TEST

static char *deep(const char *before, char open, char close, const char *behind)
{
    static const size_t DEPTH = 10000;
    char *text = tv_xmalloc(2 * DEPTH + strlen(before) + strlen(behind) + 1), *p = text;
    p = stpcpy(p, before);
    memset(p, open, DEPTH);
    memset(p + DEPTH, close, DEPTH);
    stpcpy(p + 2 * DEPTH, behind);
    return text;
}

START_TEST(depth_of_ten_thousand_is_refused_in_one_sentence)
{
    char *text =
        deep("{\"log_history\": [{\"loss\": 1, \"step\": 10}], \"max_steps\": 40, \"x\": ", '[',
             ']', "}");
    ck_assert_int_eq(read_text(text), TV_ELIMIT);
    ck_assert_msg(strstr(error.message, "deeper than 512"), "%s", error.message);
    has("S loss 10 NaN 1\n");
    has("F log.total_steps=40");
    free(text);
    text = deep("{\"log_history\": [{\"loss\": 1, \"step\": 10}, {\"x\": ", '[', ']', "}]}");
    ck_assert_int_eq(read_text(text), TV_ELIMIT);
    has("S loss 10 NaN 1\n");
    free(text);
    text = deep("", '[', ']', "");
    ck_assert_int_eq(read_text(text), TV_ECORRUPT);
    free(text);
}
END_TEST

START_TEST(many_damaged_entries_are_not_as_many_reports)
{
    static const size_t COUNT = 20000;
    char *text = tv_xmalloc(COUNT * 6 + 64), *p = stpcpy(text, "{\"log_history\": [");
    for (size_t i = 0; i < COUNT; i++)
        p = stpcpy(p, "{\"x},");
    ck_assert_int_ne(read_text(text), TV_OK);
    ck_assert_uint_le(capture.damages, 64);
    free(text);
}
END_TEST

START_TEST(more_values_than_an_entry_can_have_are_ignored)
{
    char *text = tv_xmalloc(6000), *p = stpcpy(text, "{\"log_history\": [{\"step\": 1");
    for (int i = 0; i < 280; i++)
        p += sprintf(p, ", \"k%d\": %d", i, i);
    stpcpy(p, "}]}");
    ck_assert_int_eq(read_text(text), TV_OK);
    ck_assert_uint_eq(capture.samples, 255);
    ck_assert_uint_eq(capture.notes, 1);
    free(text);
}
END_TEST

/* ---- goldens by json-c ---- */

static void golden(const char *path)
{
    struct tv_span bytes = tv_read_file(path);
    char *expected = NULL;
    size_t expected_len;
    FILE *file = open_memstream(&expected, &expected_len);
    struct json_object *root = json_tokener_parse(bytes.data), *history;
    ck_assert_int_eq(read_bytes(bytes), TV_OK);
    json_object_object_get_ex(root, "log_history", &history);
    for (size_t i = 0; i < json_object_array_length(history); i++) {
        struct json_object *entry = json_object_array_get_idx(history, i), *step;
        json_object_object_get_ex(entry, "step", &step);
        json_object_object_foreach(entry, key, value)
        {
            double number;
            if (strcmp(key, "step") != 0 && tv_jsonc_number(value, &number))
                tv_print_sample(file, key, json_object_get_int64(step), (double)NAN, number);
        }
    }
    json_object_put(root);
    fclose(file);
    tv_keep_lines(capture.text, "S ");
    ck_assert_msg(strcmp(capture.text, expected) == 0, "%s differs from json-c's reading", path);
    free(expected);
    free((char *)bytes.data);
}

START_TEST(values_are_those_that_json_c_reads)
{
    ck_assert_uint_gt(tv_each_log("*/trainer_state.json", golden), 0);
    tv_each_log("*/checkpoint-*/trainer_state.json", golden);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("hf_trainer_state");
    TCase *c = tcase_create("hf_trainer_state");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, entries_become_samples_with_their_own_tags);
    tcase_add_test(c, facts_come_before_the_samples);
    tcase_add_test(c, a_planned_number_of_steps_of_zero_is_no_total);
    tcase_add_test(c, best_global_step_hints_at_the_version);
    tcase_add_test(c, callbacks_become_nested_facts);
    tcase_add_test(c, bare_nan_and_infinity_are_values);
    tcase_add_test(c, quoted_numbers_of_transformers_5_are_values);
    tcase_add_test(c, nulls_booleans_and_nested_values_are_no_samples);
    tcase_add_test(c, line_ends_of_windows_change_nothing);
    tcase_add_test(c, the_summary_is_the_end_and_no_loss);
    tcase_add_test(c, a_run_whose_steps_are_done_has_ended_where_nothing_more_is_logged);
    tcase_add_test(c, evaluation_behind_the_summary_leaves_the_end);
    tcase_add_test(c, a_run_that_goes_on_behind_its_summary_has_not_ended);
    tcase_add_test(c, a_step_is_worked_out_from_the_epoch);
    tcase_add_test(c, a_step_of_the_same_epoch_is_taken_from_the_entry_before);
    tcase_add_test(c, something_else_of_that_name_is_refused_and_gives_nothing);
    tcase_add_test(c, probe_goes_by_name_and_content);
    tcase_add_test(c, an_empty_file_may_still_be_written);
    tcase_add_test(c, half_a_file_gives_what_is_whole_in_it);
    tcase_add_test(c, a_damaged_entry_is_passed_over);
    tcase_add_test(c, a_tail_of_nul_bytes_is_where_reading_ends);
    tcase_add_test(c, bytes_behind_the_document_are_reported);
    tcase_add_test(c, depth_of_ten_thousand_is_refused_in_one_sentence);
    tcase_add_test(c, many_damaged_entries_are_not_as_many_reports);
    tcase_add_test(c, more_values_than_an_entry_can_have_are_ignored);
    tcase_add_test(c, values_are_those_that_json_c_reads);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
