/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "support/capture.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <stdlib.h>
#include <string.h>

extern const struct tv_parser tv_parser_json_lines;
#define PARSER (&tv_parser_json_lines)

static struct tv_capture capture;

static void read_cut(const char *text, struct tv_chunking how)
{
    struct tv_error error = {0};
    size_t left;
    tv_capture_free(&capture);
    tv_feed_all(PARSER, tv_span_of(text), how, &capture, &left, &error);
    ck_assert_uint_eq(left, 0);
}

static void read_text(const char *text)
{
    read_cut(text, (struct tv_chunking){0});
}

static const char *emitted(void)
{
    return capture.text ? capture.text : "";
}

static void has(const char *line)
{
    ck_assert_msg(strstr(emitted(), line), "no \"%s\" in\n%s", line, emitted());
}

#define SWIFT                                                                                      \
    "{\"loss\": 2.34121704, \"grad_norm\": 1.25, \"learning_rate\": 1.8e-05, \"epoch\": 0.1, "     \
    "\"global_step/max_steps\": \"10/100\", \"elapsed_time\": \"7s\", \"memory(GiB)\": 23.0}\n"

START_TEST(ms_swift_writes_step_and_total_in_one)
{
    read_text(SWIFT);
    ck_assert_str_eq(emitted(), "F log.total_steps=100 source 5 line 1\nS loss 10 NaN 2.34121704\n"
                                "S grad_norm 10 NaN 1.25\nS learning_rate 10 NaN 1.8e-05\n"
                                "S epoch 10 NaN 0.1\nS memory(GiB) 10 NaN 23\n");
}
END_TEST

START_TEST(the_summary_of_ms_swift_is_the_end_and_no_loss)
{
    read_text(SWIFT "{\"train_runtime\": 71.3, \"train_loss\": 1.9, \"epoch\": 1.0, "
                    "\"global_step/max_steps\": \"100/100\"}\n");
    has("M 2 100 NaN\n");
    ck_assert_ptr_null(strstr(emitted(), "train_loss"));
    ck_assert_uint_eq(capture.facts, 1);
}
END_TEST

START_TEST(train_loss_of_other_lines_is_a_series)
{
    read_text("{\"step\": 3, \"train_loss\": 1.5}\n");
    has("S train_loss 3 NaN 1.5\n");
}
END_TEST

START_TEST(detectron2_counts_iterations)
{
    read_text("{\"data_time\": 0.01, \"eta_seconds\": 63.0, \"iteration\": 19, \"loss_cls\": 0.5, "
              "\"lr\": "
              "1.8e-05, \"time\": 0.7, \"total_loss\": 2.3412}\n"
              "{\"bbox/AP\": NaN, \"iteration\": 19}\n");
    ck_assert_str_eq(emitted(),
                     "S data_time 19 NaN 0.01\nS loss_cls 19 NaN 0.5\nS lr 19 NaN 1.8e-05\n"
                     "S time 19 NaN 0.7\nS total_loss 19 NaN 2.3412\nS bbox/AP 19 NaN NaN\n");
}
END_TEST

START_TEST(megatron_swift_writes_iteration_of_total)
{
    read_text("{\"loss\": 2.5, \"iteration\": \"10/100\"}\n");
    has("F log.total_steps=100 ");
    has("S loss 10 NaN 2.5\n");
}
END_TEST

START_TEST(stable_baselines_counts_timesteps)
{
    read_text("{\"rollout/ep_rew_mean\": 21.5, \"time/iterations\": 1, \"time/total_timesteps\": "
              "2048}\n");
    has("S rollout/ep_rew_mean 2048 NaN 21.5\n");
    has("S time/iterations 2048 NaN 1\n");
}
END_TEST

START_TEST(wandb_lines_have_a_clock)
{
    read_text("{\"_step\": 4, \"_timestamp\": 1750000000.5, \"loss\": 2}\n"
              "{\"step\": 5, \"timestamp\": 1750000000500, \"loss\": 1}\n");
    has("S loss 4 1750000000.5 2\n");
    has("S loss 5 1750000000.5 1\n");
}
END_TEST

START_TEST(the_most_peculiar_step_counts)
{
    read_text("{\"step\": 3, \"iter\": 2, \"global_step\": 40, \"loss\": 2}\n");
    ck_assert_str_eq(emitted(), "S loss 40 NaN 2\n");
}
END_TEST

START_TEST(lines_without_a_step_give_nothing)
{
    read_text("{\"config\": {\"lr\": 1}, \"loss\": 2}\n{\"step\": \"a/b\", \"loss\": 2}\n"
              "{\"step\": null, \"loss\": 2}\n{}\n");
    ck_assert_uint_eq(capture.samples, 0);
    has("a line is left out: a whole number as its step was expected");
    has("2 lines were left out");
}
END_TEST

START_TEST(chunks_change_nothing)
{
    const char *text =
        SWIFT "{\"bad\n\n" SWIFT "{\"step\": 3, \"k\": 1}{\"step\": 4, \"k\": 1}\n" SWIFT;
    read_text(text);
    char *whole = tv_xstrndup(emitted(), strlen(emitted()));
    ck_assert_uint_eq(capture.damages, 1);
    for (int size = 1; size < 90; size++) {
        read_cut(text, (struct tv_chunking){.size = size});
        ck_assert_str_eq(emitted(), whole);
    }
    free(whole);
}
END_TEST

START_TEST(probe_wants_a_step_and_a_telling_key)
{
    static const struct {
        const char *name, *head;
        int least, most;
    } cases[] = {
        {"logging.jsonl", SWIFT, 80, 100},
        {"metrics.json", "{\"iteration\": 19, \"total_loss\": 2.5, \"lr\": 1}\n", 80, 100},
        {"progress.json", "{\"time/total_timesteps\": 1, \"x\": 1}\n", 80, 100},
        {"log.jsonl", "{\"step\": 1, \"loss\": 2.5}\n", 40, 60},
        {"log.jsonl", "{\"config\": {}}\n{\"step\": 1, \"loss\": 2.5}\n", 40, 60},
        {"log.json", "{\"step\": 1, \"loss\": 2.5}\n{\"step\": 2, \"loss\": 2.5}\n", 40, 60},
        {"data.jsonl", "{\"step\": 1, \"text\": \"loss\"}\n", 0, 0},
        {"data.jsonl", "{\"question\": \"loss\", \"loss\": 1}\n", 0, 0},
        {"wandb-summary.json", "{\"_step\": 9, \"train/loss\": 0.5}", 0, 0},
        {"metrics.json", "{\n  \"loss\": 1\n}\n", 0, 0},
        {"log.jsonl", "", 0, 0},
        {"log.jsonl", "[1]\n", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int sure = PARSER->probe(tv_span_of(cases[i].name), tv_span_of(cases[i].head));
        ck_assert_msg(sure >= cases[i].least && sure <= cases[i].most, "%s %s: %d", cases[i].name,
                      cases[i].head, sure);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("json_lines");
    TCase *c = tcase_create("json_lines");
    tcase_add_test(c, ms_swift_writes_step_and_total_in_one);
    tcase_add_test(c, the_summary_of_ms_swift_is_the_end_and_no_loss);
    tcase_add_test(c, train_loss_of_other_lines_is_a_series);
    tcase_add_test(c, detectron2_counts_iterations);
    tcase_add_test(c, megatron_swift_writes_iteration_of_total);
    tcase_add_test(c, stable_baselines_counts_timesteps);
    tcase_add_test(c, wandb_lines_have_a_clock);
    tcase_add_test(c, the_most_peculiar_step_counts);
    tcase_add_test(c, lines_without_a_step_give_nothing);
    tcase_add_test(c, chunks_change_nothing);
    tcase_add_test(c, probe_wants_a_step_and_a_telling_key);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
