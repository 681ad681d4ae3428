/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "lib/json_config.h"
#include "support/capture.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <stdlib.h>
#include <string.h>

static struct tv_capture capture;
static struct tv_error error;

static enum tv_status read_span(struct tv_span json, const char *prefix)
{
    tv_capture_free(&capture);
    error = (struct tv_error){0};
    struct tv_emit emit = tv_capture_emit(&capture);
    char *exact = tv_xmalloc(json.len); /* so that a sanitizer sees a read past the end */
    memcpy(exact, json.data, json.len);
    enum tv_status status =
        tv_json_config((struct tv_span){exact, json.len}, prefix, TV_FACT_RUN_ARGS, &emit, &error);
    free(exact);
    return status;
}

static enum tv_status read_json(const char *json)
{
    return read_span(tv_span_of(json), "");
}

static void has(const char *line)
{
    ck_assert_msg(capture.text && strstr(capture.text, line), "no \"%s\" in\n%s", line,
                  capture.text ? capture.text : "(nothing)");
}

START_TEST(nested_keys_and_lists_are_joined_with_dots)
{
    ck_assert_int_eq(read_json("{\"a\": {\"b\": {\"c\": 1}}, \"l\": [2, [3], {\"k\": 4}]}"), TV_OK);
    ck_assert_str_eq(capture.text, "F a.b.c=1 source 1 line 1\nF l.0=2 source 1 line 1\n"
                                   "F l.1.0=3 source 1 line 1\nF l.2.k=4 source 1 line 1\n");
}
END_TEST

START_TEST(values_keep_their_own_digits_and_types)
{
    ck_assert_int_eq(read_json("{\"lr\": 1e-05, \"x\": 5.0E-5, \"s\": \"1e-4\", \"b\": true,\n"
                               "\"n\": null, \"big\": 9007199254740993}"),
                     TV_OK);
    has("F lr=1e-05 source 1 line 1\n");
    has("F x=5.0E-5 source");
    has("F s=1e-4 string source");
    has("F b=true source");
    has("F n=null null source 1 line 2\n");
    has("F big=9007199254740993 source");
}
END_TEST

START_TEST(key_that_is_written_twice_is_said_with_its_line)
{
    ck_assert_int_eq(read_json("{\"a\": 1, \"l\": [{\"k\": 1}, {\"k\": 2}],\n\"o\": {\"x\": 1,\n"
                               "\"x\": 2}, \"a\": 3}"),
                     TV_OK);
    has("F a=3 source");
    has("F o.x=2 source");
    ck_assert_uint_eq(capture.notes, 2);
    has(" 3 x is written twice; the last value is used");
    has(" 3 a is written twice; the last value is used");
}
END_TEST

START_TEST(what_python_refuses_is_read_and_said)
{
    static const char *const odd[] = {"{\"a\": 1,}", "{\"a\": 1 /* c */}", "{\"a\": 1} x",
                                      "{\"a\": 1, \"b\": True}"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        ck_assert_int_eq(read_json(odd[i]), TV_OK);
        has("F a=1 source");
        has(" 1 Python's json refuses this (");
    }
    ck_assert_int_eq(read_json("{\"a\": NaN, \"b\": 1e-4, \"c\": \"\\u00e9\"}\n"), TV_OK);
    ck_assert_uint_eq(capture.notes, 0);
    ck_assert_int_eq(read_json("{\"a\": 1,\n\"b\": \"\\\"x\ty\"}"), TV_OK);
    has(" 2 byte 0x09 inside a string, where Python's json expects an escape");
    ck_assert_uint_eq(capture.notes, 1);
}
END_TEST

START_TEST(pythons_bare_nan_and_infinity_are_numbers)
{
    ck_assert_int_eq(read_json("{\"a\": NaN, \"b\": Infinity, \"c\": -Infinity}"), TV_OK);
    has("F a=NaN source");
    has("F b=Infinity source");
    has("F c=-Infinity source");
}
END_TEST

START_TEST(scheduler_kwargs_are_the_same_as_object_and_as_string)
{
    ck_assert_int_eq(read_json("{\"lr_scheduler_kwargs\": {\"num_cycles\": 3}}"), TV_OK);
    has("F lr_scheduler_kwargs.num_cycles=3 source 1 line 1\n");
    ck_assert_int_eq(read_json("{\"lr_scheduler_kwargs\": \"{\\\"num_cycles\\\": 3}\"}"), TV_OK);
    has("F lr_scheduler_kwargs.num_cycles=3 source 1 line 1\n");
    ck_assert_int_eq(read_json("{\"lr_scheduler_kwargs\": \"{\\\"power\\\": \\\"2.0\\\"}\"}"),
                     TV_OK);
    has("F lr_scheduler_kwargs.power=2.0 string source 1 line 1\n");
    ck_assert_int_eq(read_json("{\"lr_scheduler_kwargs\": {}}"), TV_OK);
    ck_assert_uint_eq(capture.facts, 0);
}
END_TEST

START_TEST(broken_scheduler_kwargs_stay_a_string_with_a_note)
{
    ck_assert_int_eq(read_json("{\"lr_scheduler_kwargs\": \"{num_cycles: 3\"}"), TV_OK);
    has("F lr_scheduler_kwargs={num_cycles: 3 string");
    ck_assert_uint_eq(capture.notes, 1);
    ck_assert_uint_eq(capture.damages, 0);
}
END_TEST

START_TEST(lines_are_those_of_the_outermost_key)
{
    ck_assert_int_eq(read_json("{\n  \"a\": \"x: \\\"y\\\"\",\n  \"b\": {\n    \"a\": 1\n  },\n"
                               "  \"c\": [\n    2\n  ]\n}\n"),
                     TV_OK);
    ck_assert_str_eq(capture.text, "F a=x: \"y\" string source 1 line 2\nF b.a=1 source 1 line 3\n"
                                   "F c.0=2 source 1 line 6\n");
}
END_TEST

START_TEST(last_of_duplicate_keys_wins)
{
    ck_assert_int_eq(read_json("{\"lr\": 1, \"x\": 2,\n\"lr\": 3, \"y\": 4}"), TV_OK);
    has("F lr=3 source");
    has("F y=4 source 1 line 2\n");
    ck_assert_uint_eq(capture.facts, 3);
}
END_TEST

START_TEST(prefix_goes_before_every_key)
{
    ck_assert_int_eq(read_span(tv_span_of("{\"a\": 1}"), "model_config"), TV_OK);
    ck_assert_str_eq(capture.text, "F model_config.a=1 source 1 line 1\n");
}
END_TEST

START_TEST(secrets_are_masked)
{
    ck_assert_int_eq(read_json("{\"hub_token\": \"hf_abc\", \"pad_token\": \"</s>\", "
                               "\"push_to_hub_token\": \"hf_def\", \"hf_hub_token\": null}"),
                     TV_OK);
    ck_assert_ptr_null(strstr(capture.text, "hf_abc"));
    ck_assert_ptr_null(strstr(capture.text, "hf_def"));
    has("F hub_token=<masked> string");
    has("F pad_token=</s> string");
    has("F hf_hub_token=null null");
}
END_TEST

START_TEST(framework_comes_from_its_own_keys)
{
    read_json("{\"per_device_train_batch_size\": 8, \"finetuning_type\": \"lora\"}");
    has("F framework=llamafactory string source 1 ");
    read_json("{\"per_device_train_batch_size\": 8}");
    has("F framework=transformers string source 5 "); /* an heir's config may say more */
    read_json("{\"train_micro_batch_size_per_gpu\": \"auto\"}");
    has("F framework=deepspeed string source 5 ");
    read_json("{\"lr\": 8}");
    ck_assert_uint_eq(capture.facts, 1);
}
END_TEST

START_TEST(model_configuration_gives_the_version)
{
    read_span(tv_span_of("{\"transformers_version\": \"4.44.2\"}"), "model_config");
    has("F model_config.transformers_version=4.44.2 string");
    has("F framework_version=4.44.2 string");
}
END_TEST

START_TEST(what_is_not_a_json_object_is_refused_in_one_sentence)
{
    ck_assert_int_eq(read_json(""), TV_ECORRUPT);
    ck_assert_int_eq(read_json(" \n "), TV_ECORRUPT);
    ck_assert_int_eq(read_json("[1, 2]"), TV_EUNSUPPORTED);
    ck_assert_int_eq(read_json("null"), TV_EUNSUPPORTED);
    ck_assert_int_eq(read_json("3"), TV_EUNSUPPORTED);
    ck_assert_int_eq(read_json("{\"a\": \n\n oops}"), TV_ECORRUPT);
    ck_assert_uint_eq(error.line, 3);
    ck_assert_int_eq(read_json("{\"a\": 1, \"b\": [2"), TV_ECORRUPT);
    ck_assert_str_eq(error.message, "the text ends in the middle of the JSON object");
    ck_assert_uint_eq(capture.len, 0);
}
END_TEST

START_TEST(byte_order_mark_is_said_and_crlf_skipped)
{
    ck_assert_int_eq(read_json("\xEF\xBB\xBF{\r\n\"a\": 1,\r\n\"b\": 2\r\n}\r\n"), TV_OK);
    has("F a=1 source 1 line 2\n");
    has("F b=2 source 1 line 3\n");
    has(" 1 a byte order mark, where Python's json expects a value");
    ck_assert_uint_eq(capture.notes, 1);
}
END_TEST

static char *nested(int depth, const char *open, const char *inner, char close)
{
    size_t width = strlen(open), len = (size_t)depth * (width + 1) + strlen(inner);
    char *text = tv_xmalloc(len + 1), *p = text;
    for (int i = 0; i < depth; i++, p += width)
        memcpy(p, open, width + 1);
    p += strlen(strcpy(p, inner));
    memset(p, close, (size_t)depth);
    p[depth] = '\0';
    return text;
}

START_TEST(depth_bomb_is_refused)
{
    char *text = nested(10000, "{\"a\":", "1", '}');
    ck_assert_int_eq(read_json(text), TV_ELIMIT);
    ck_assert_ptr_nonnull(strstr(error.message, "deeper than 64"));
    free(text);
    text = nested(64, "{\"a\":", "1", '}');
    ck_assert_int_eq(read_json(text), TV_OK);
    free(text);
    text = nested(65, "{\"a\":", "1", '}');
    ck_assert_int_eq(read_json(text), TV_ELIMIT);
    free(text);
}
END_TEST

START_TEST(json_strings_inside_json_strings_are_not_followed)
{
    read_json("{\"lr_scheduler_kwargs\": \"{\\\"x\\\": \\\"{\\\\\\\"y\\\\\\\": 1}\\\"}\"}");
    has("F lr_scheduler_kwargs.x={\"y\": 1} string");
}
END_TEST

START_TEST(size_and_number_of_values_are_bounded)
{
    size_t len = TV_CONFIG_BYTES_MAX + 1;
    char *text = tv_xmalloc(len);
    memset(text, ' ', len);
    text[0] = '{';
    ck_assert_int_eq(read_span((struct tv_span){text, len}, ""), TV_ELIMIT);
    memcpy(text, "{\"a\":[", 6);
    for (size_t i = 6; i + 3 < len; i += 3)
        memcpy(text + i, "[],", 3);
    ck_assert_int_eq(read_span((struct tv_span){text, len - 1}, ""), TV_ELIMIT);
    free(text);
}
END_TEST

START_TEST(huge_value_passes_through)
{
    size_t len = TV_CONFIG_BYTES_MAX - 16;
    char *text = tv_xmalloc(len + 16);
    memset(text, 'x', len + 16);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + len, "\",\"b\":1}", 8);
    ck_assert_int_eq(read_span((struct tv_span){text, len + 8}, ""), TV_OK);
    ck_assert_uint_eq(capture.facts, 2);
    free(text);
}
END_TEST

START_TEST(huge_key_is_left_out_and_the_rest_read)
{
    char text[1000];
    memset(text, 'k', sizeof text);
    memcpy(text, "{\"", 2);
    strcpy(text + 900, "\": 1, \"b\": 2}");
    ck_assert_int_eq(read_json(text), TV_OK);
    has("F b=2 source");
    ck_assert_uint_eq(capture.facts, 1);
    ck_assert_uint_eq(capture.damages, 1);
}
END_TEST

START_TEST(nul_bytes_and_invalid_utf8_do_no_harm)
{
    static const char nul[] = "{\"a\": \"x\0y\", \"b\": 1}";
    enum tv_status status = read_span((struct tv_span){nul, sizeof nul - 1}, "");
    ck_assert(status == TV_OK || status == TV_ECORRUPT);
    ck_assert_int_eq(read_json("{\"a\": \"\xff\xfe\", \"\xc3\": 2, \"b\": 1}"), TV_OK);
    has("F b=1 source");
    ck_assert_int_eq(read_json("{\"a\": \"x\\u0000y\", \"b\": 1}"), TV_OK);
    has("F b=1 source");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("json_config");
    TCase *t = tcase_create("json_config");
    tcase_add_test(t, nested_keys_and_lists_are_joined_with_dots);
    tcase_add_test(t, values_keep_their_own_digits_and_types);
    tcase_add_test(t, pythons_bare_nan_and_infinity_are_numbers);
    tcase_add_test(t, scheduler_kwargs_are_the_same_as_object_and_as_string);
    tcase_add_test(t, broken_scheduler_kwargs_stay_a_string_with_a_note);
    tcase_add_test(t, lines_are_those_of_the_outermost_key);
    tcase_add_test(t, last_of_duplicate_keys_wins);
    tcase_add_test(t, prefix_goes_before_every_key);
    tcase_add_test(t, secrets_are_masked);
    tcase_add_test(t, framework_comes_from_its_own_keys);
    tcase_add_test(t, model_configuration_gives_the_version);
    tcase_add_test(t, what_is_not_a_json_object_is_refused_in_one_sentence);
    tcase_add_test(t, byte_order_mark_is_said_and_crlf_skipped);
    tcase_add_test(t, depth_bomb_is_refused);
    tcase_add_test(t, json_strings_inside_json_strings_are_not_followed);
    tcase_add_test(t, size_and_number_of_values_are_bounded);
    tcase_add_test(t, huge_value_passes_through);
    tcase_add_test(t, huge_key_is_left_out_and_the_rest_read);
    tcase_add_test(t, what_python_refuses_is_read_and_said);
    tcase_add_test(t, key_that_is_written_twice_is_said_with_its_line);
    tcase_add_test(t, nul_bytes_and_invalid_utf8_do_no_harm);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
