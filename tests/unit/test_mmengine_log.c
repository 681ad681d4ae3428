/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "support/jsonc.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const struct tv_parser tv_parser_mmengine_log;
#define PARSER (&tv_parser_mmengine_log)

static struct tv_capture capture;

static void read_bytes(struct tv_span bytes, struct tv_chunking how)
{
    struct tv_error error = {0};
    size_t left;
    tv_capture_free(&capture);
    ck_assert_int_ne(tv_feed_all(PARSER, bytes, how, &capture, &left, &error), TV_ECORRUPT);
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

#define TRAIN                                                                                      \
    "{\"lr\": 1.8e-05, \"data_time\": 0.01, \"grad_norm\": 1.25, \"loss\": 2.3412, \"time\": "     \
    "0.7, "                                                                                        \
    "\"epoch\": 1, \"iter\": 10, \"memory\": 23000, \"step\": 10}\n"

START_TEST(training_lines_have_the_global_step)
{
    read_text(TRAIN);
    ck_assert_str_eq(emitted(),
                     "S lr 10 NaN 1.8e-05\nS data_time 10 NaN 0.01\nS grad_norm 10 NaN 1.25\n"
                     "S loss 10 NaN 2.3412\nS time 10 NaN 0.7\nS epoch 10 NaN 1\n"
                     "S memory 10 NaN 23000\n");
}
END_TEST

START_TEST(the_step_of_an_evaluation_by_epochs_is_that_of_the_training)
{
    read_text(TRAIN "{\"coco/bbox_mAP\": 0.11, \"data_time\": 0.02, \"time\": 0.1, \"step\": 1}\n");
    has("S val/coco/bbox_mAP 10 NaN 0.11\n");
    ck_assert_uint_eq(capture.samples, 8);
}
END_TEST

START_TEST(the_step_of_an_evaluation_by_iterations_is_kept)
{
    read_text(TRAIN "{\"loss\": 2.5, \"step\": 12}\n");
    has("S val/loss 12 NaN 2.5\n");
}
END_TEST

#define OLD(mode, epoch, iter, key, value)                                                         \
    "{\"mode\": \"" mode "\", \"epoch\": " epoch ", \"iter\": " iter ", \"lr\": 0.01, \"" key      \
    "\": " value "}\n"

START_TEST(iterations_of_mmcv_are_counted_over_the_epochs)
{
    read_text("{\"env_info\": \"sys.platform: linux\\nPython: 3.8\", \"seed\": null}\n" OLD(
        "train", "1", "50", "loss", "2.5") OLD("train", "1", "100", "loss", "2.25")
                  OLD("val", "1", "7", "bbox_mAP", "0.1") OLD("train", "2", "50", "loss", "2.0")
                      OLD("train", "2", "100", "loss", "1.75")
                          OLD("train", "3", "50", "loss", "1.5"));
    has("S loss 50 NaN 2.5\n");
    has("S loss 100 NaN 2.25\n");
    has("S val/bbox_mAP 100 NaN 0.1\n");
    has("S loss 150 NaN 2\n");
    has("S loss 200 NaN 1.75\n");
    has("S loss 250 NaN 1.5\n");
    ck_assert_uint_eq(capture.damages, 0);
}
END_TEST

START_TEST(iterations_that_never_begin_anew_are_steps)
{
    read_text(OLD("train", "1", "50", "loss", "2.5") OLD("train", "2", "100", "loss", "2.25")
                  OLD("train", "3", "150", "loss", "2"));
    has("S loss 150 NaN 2\n");
}
END_TEST

START_TEST(a_resumed_mmcv_run_goes_back_to_its_epoch)
{
    read_text(OLD("train", "1", "100", "loss", "1") OLD("train", "2", "100", "loss", "2")
                  OLD("train", "3", "100", "loss", "3") OLD("train", "2", "50", "loss", "4"));
    has("S loss 300 NaN 3\n");
    has("S loss 150 NaN 4\n");
}
END_TEST

START_TEST(damage_is_reported_and_passed_over)
{
    read_text(TRAIN "{\"lr\": 1.8e\n" TRAIN);
    ck_assert_uint_eq(capture.damages, 1);
    ck_assert_uint_eq(capture.samples, 14);
}
END_TEST

START_TEST(absurd_numbers_do_no_harm)
{
    read_text(OLD("train", "-9e15", "-9e15", "loss", "1") OLD("train", "9e15", "-9e15", "loss", "1")
                  OLD("train", "9e15", "9e15", "loss", "1")
                      OLD("train", "1", "1e300", "loss", "1"));
    ck_assert_uint_eq(capture.damages, 1); /* no whole number: told */
}
END_TEST

static void golden(const char *path)
{
    struct tv_span bytes = tv_read_file(path);
    char *expected = NULL, *rest = (char *)bytes.data, *line;
    size_t expected_len;
    FILE *file = open_memstream(&expected, &expected_len);
    read_bytes(bytes, (struct tv_chunking){.size = -1, .seed = 7});
    while ((line = strsep(&rest, "\n")))
        if (*line) {
            struct json_object *object = json_tokener_parse(line), *step;
            json_object_object_get_ex(object, "step", &step);
            json_object_object_foreach(object, key, value)
            {
                double number;
                if (strcmp(key, "step") != 0 && strcmp(key, "iter") != 0 &&
                    tv_jsonc_number(value, &number))
                    tv_print_sample(file, key, json_object_get_int64(step), (double)NAN, number);
            }
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
    tv_each_log("*/20*_*.json", golden); /* training lines only; none is part of the fixtures */
}
END_TEST

START_TEST(chunks_change_nothing)
{
    const char *text = TRAIN "x\n" TRAIN "{\"coco/bbox_mAP\": 0.11, \"step\": 1}\n" TRAIN;
    read_text(text);
    char *whole = tv_xstrndup(emitted(), strlen(emitted()));
    for (int size = 1; size < 90; size++) {
        read_bytes(tv_span_of(text), (struct tv_chunking){.size = size});
        ck_assert_str_eq(emitted(), whole);
    }
    free(whole);
}
END_TEST

START_TEST(probe_goes_by_content)
{
    struct tv_span line = tv_span_of(TRAIN);
    ck_assert_int_ge(PARSER->probe(tv_span_of("scalars.json"), line), 80);
    ck_assert_int_ge(PARSER->probe(tv_span_of("20250101_000000.json"), line), 80);
    ck_assert_int_ge(PARSER->probe(tv_span_of("20210101_000000.log.json"),
                                   tv_span_of("{\"env_info\": \"sys.platform")),
                     80);
    ck_assert_int_eq(PARSER->probe(tv_span_of("scalars.json"), tv_span_of("")), 0);
    ck_assert_int_eq(PARSER->probe(tv_span_of("a.json"), tv_span_of("{\"step\": 1, \"loss\": 2}")),
                     0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("mmengine_log");
    TCase *c = tcase_create("mmengine_log");
    tcase_add_test(c, training_lines_have_the_global_step);
    tcase_add_test(c, the_step_of_an_evaluation_by_epochs_is_that_of_the_training);
    tcase_add_test(c, the_step_of_an_evaluation_by_iterations_is_kept);
    tcase_add_test(c, iterations_of_mmcv_are_counted_over_the_epochs);
    tcase_add_test(c, iterations_that_never_begin_anew_are_steps);
    tcase_add_test(c, a_resumed_mmcv_run_goes_back_to_its_epoch);
    tcase_add_test(c, damage_is_reported_and_passed_over);
    tcase_add_test(c, absurd_numbers_do_no_harm);
    tcase_add_test(c, values_are_those_that_json_c_reads);
    tcase_add_test(c, chunks_change_nothing);
    tcase_add_test(c, probe_goes_by_content);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
