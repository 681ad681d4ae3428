/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "support/capture.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <stdlib.h>
#include <string.h>

extern const struct tv_parser tv_parser_csv_log;
#define PARSER (&tv_parser_csv_log)

static struct tv_capture capture;
static size_t left;

static void read_span(struct tv_span bytes, struct tv_chunking how)
{
    struct tv_error error = {0};
    tv_capture_free(&capture);
    enum tv_status status = tv_feed_all(PARSER, bytes, how, &capture, &left, &error);
    ck_assert_int_eq(status, left ? TV_AGAIN : TV_OK);
}

static const char *emitted(void)
{
    return capture.text ? capture.text : "";
}

static const char *read_text(const char *text)
{
    read_span(tv_span_of(text), (struct tv_chunking){0});
    return emitted();
}

static void has(const char *line)
{
    ck_assert_msg(strstr(emitted(), line), "no \"%s\" in\n%s", line, emitted());
}

static void lacks(const char *line)
{
    ck_assert_msg(!strstr(emitted(), line), "\"%s\" in\n%s", line, emitted());
}

#define YOLO                                                                                       \
    "epoch,time,train/box_loss,train/cls_loss,metrics/mAP50(B),val/box_loss,val/cls_loss,lr/pg0\n"

START_TEST(ultralytics_trains_on_the_sum_of_its_parts)
{
    ck_assert_str_eq(read_text(YOLO "1,12.3456,1.5,2.25,0.11,1.25,3,0.000666667\n"),
                     "F log.step_unit=epoch string source 5 line 1\n"
                     "S train/loss 1 NaN 3.75\nS val/loss 1 NaN 4.25\n"
                     "S train/box_loss 1 NaN 1.5\nS train/cls_loss 1 NaN 2.25\n"
                     "S metrics/mAP50(B) 1 NaN 0.11\nS val/box_loss 1 NaN 1.25\n"
                     "S val/cls_loss 1 NaN 3\nS lr/pg0 1 NaN 0.000666667\n");
    read_text(YOLO "2,1,nan,2.25,0.11,,3,0.1\n");
    has("S train/loss 2 NaN NaN\n");
    lacks("val/loss 2"); /* a part is not there */
    read_text("epoch,train/loss,metrics/accuracy_top1,lr/pg0\n1,2,0.5,0.1\n");
    has("S train/loss 1 NaN 2\n");
}
END_TEST

START_TEST(blanks_around_cells_mean_nothing)
{
    read_text("               epoch,      train/box_loss,               x/lr0\n"
              "                   0,             0.11218,                 0.1\n");
    has("S train/loss 0 NaN 0.11218\n");
    has("S x/lr0 0 NaN 0.1\n");
    ck_assert_uint_eq(capture.damages, 0);
}
END_TEST

START_TEST(lightning_rows_say_what_they_have)
{
    ck_assert_str_eq(read_text("epoch,lr-AdamW,step,train_loss_step,val_loss\r\n"
                               ",2e-05,9,,\r\n0,,9,2.3412,\r\n0,,9,,2.1\r\n"),
                     "S lr-AdamW 9 NaN 2e-05\nS epoch 9 NaN 0\nS train_loss_step 9 NaN 2.3412\n"
                     "S epoch 9 NaN 0\nS val_loss 9 NaN 2.1\n");
}
END_TEST

START_TEST(keras_separates_as_told_and_writes_na)
{
    ck_assert_str_eq(read_text("epoch;accuracy;loss;matrix;val_loss\n"
                               "0;0.5;2.3412;\"\"\"[0.1; 0.2]\"\"\";NA\n1;0.75;2;x;1.5\n"),
                     "F log.step_unit=epoch string source 5 line 1\nS accuracy 0 NaN 0.5\n"
                     "S loss 0 NaN 2.3412\nS accuracy 1 NaN 0.75\nS loss 1 NaN 2\n"
                     "S val_loss 1 NaN 1.5\n");
}
END_TEST

START_TEST(stable_baselines_counts_timesteps)
{
    read_text("time/iterations,rollout/ep_rew_mean,time/total_timesteps,train/learning_rate\n"
              "1,21.5,2048,\n2,22.5,4096,0.0003\n");
    has("S rollout/ep_rew_mean 2048 NaN 21.5\n");
    has("S train/learning_rate 4096 NaN 0.0003\n");
    lacks("total_timesteps");
    lacks("log.step_unit");
}
END_TEST

/* OpenAI Baselines, Spinning Up, RLlib. */
START_TEST(loops_of_reinforcement_learning_count_timesteps)
{
    static const char *const texts[] = {
        "ep_reward_mean,explained_variance,total_timesteps,value_loss\n-21.5,0.1,2048,7\n",
        "eprewmean,loss/policy_loss,misc/time_elapsed,misc/total_timesteps\n-21.5,1,3,2048\n",
        "EpRewMean,EpisodesSoFar,TimestepsSoFar,entloss\n-21.5,7,2048,0\n",
        "rollout/return,total/epochs,total/steps,train/loss_critic\n-21.5,1,2048,3\n",
        "Epoch\tAverageEpRet\tTotalEnvInteracts\tLossPi\n1\t-21.5\t2048\t0.5\n",
        "episode_reward_mean,timesteps_total,done,training_iteration\n-21.5,2048,False,1\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        read_text(texts[i]);
        has(" 2048 NaN -21.5\n");
        lacks("log.step_unit");
        ck_assert_int_ge(
            tv_parser_csv_log.probe(tv_span_of(i == 4 ? "progress.txt" : "progress.csv"),
                                    tv_span_of(texts[i])),
            85);
    }
}
END_TEST

START_TEST(deepspeed_counts_samples_and_writes_its_header_again)
{
    ck_assert_str_eq(read_text("step,train_loss\n32,4\n64,3\nstep,train_loss\n64,2.9\n96,2.5\n"),
                     "F log.step_unit=sample string source 5 line 1\n"
                     "S train_loss 32 NaN 4\nS train_loss 64 NaN 3\nM 1 64 NaN\n"
                     "S train_loss 64 NaN 2.9\nS train_loss 96 NaN 2.5\n");
}
END_TEST

START_TEST(a_header_may_change_its_columns)
{
    read_text("epoch,train_loss,lr\n0,2,0.1\nepoch,train_loss,eval_loss,lr\n1,1.5,1.75,0.2\n");
    has("S eval_loss 1 NaN 1.75\n");
    has("S lr 1 NaN 0.2\n");
    lacks("M "); /* the steps go on */
}
END_TEST

START_TEST(a_clock_is_no_series)
{
    read_text("step,timestamp,loss\n4,1750000000500,2\n");
    ck_assert_str_eq(emitted(), "S loss 4 1750000000.5 2\n");
}
END_TEST

START_TEST(what_is_no_number_is_no_value)
{
    read_text("step,loss\n1,inf\n2,-Infinity\n3,tensor(2)\n4,None\n5,0x10\n");
    ck_assert_uint_eq(capture.samples, 2);
    ck_assert_uint_eq(capture.damages, 0);
}
END_TEST

START_TEST(damage_is_told_once_and_the_rest_is_read)
{
    read_text("step,loss\n,\n,2\nlater,3\n1,2,3\n2,3,4\n\"3,4\n5,6\n");
    ck_assert_uint_eq(capture.damages, 3);
    has("a row does not say its step");
    has("a row has more cells than the header has names");
    has("a quote is never closed");
    has("S loss 5 NaN 6\n");
    ck_assert_uint_eq(capture.samples, 1);
}
END_TEST

START_TEST(a_row_without_a_line_end_is_not_read)
{
    read_text("step,loss\n1,2\n2,0.00");
    ck_assert_uint_eq(capture.samples, 1);
    ck_assert_uint_eq(left, 6);
}
END_TEST

START_TEST(quotes_may_hold_separators_and_line_ends)
{
    ck_assert_str_eq(read_text("step,\"note, long\",loss\n1,\"a\nb, \"\"c\"\"\",2\n2,x,1\n"),
                     "S loss 1 NaN 2\nS loss 2 NaN 1\n");
}
END_TEST

START_TEST(a_header_alone_gives_nothing)
{
    ck_assert_str_eq(read_text("step,loss,lr\n"), "");
    ck_assert_str_eq(read_text(""), "");
    ck_assert_str_eq(read_text("\n\n# made by hand\n"), "");
    read_text("1,2\n3,4\n");
    ck_assert_uint_eq(capture.damages, 1);
}
END_TEST

static char *filled(const char *before, char with, size_t count, const char *after)
{
    size_t head = strlen(before), tail = strlen(after);
    char *text = tv_xmalloc(head + count + tail + 1);
    memcpy(text, before, head);
    memset(text + head, with, count);
    memcpy(text + head + count, after, tail + 1);
    return text;
}

START_TEST(a_row_of_a_mebibyte_is_passed_over)
{
    char *text = filled("step,loss\n1,", '7', 1 << 20, "\n2,5\n");
    read_text(text);
    has("a row is longer than 1 MiB");
    has("S loss 2 NaN 5\n");
    ck_assert_uint_eq(capture.samples, 1);
    ck_assert_uint_eq(left, 0);
    free(text);
}
END_TEST

START_TEST(numbers_may_have_any_length)
{
    char *text = filled("step,loss\n1,", '7', 400, "\n2,5\n");
    read_text(text);
    has("S loss 1 NaN Infinity\n");
    free(text);
    text = filled("step,loss\n", '7', 400, ",1\n2,5\n");
    read_text(text);
    has("a row does not say its step");
    has("S loss 2 NaN 5\n");
    free(text);
}
END_TEST

START_TEST(columns_behind_the_thousandth_are_ignored)
{
    char *text = filled("step,loss", ',', 10000, "last\n1,2\n"), *row;
    for (row = text; (row = strstr(row, ",,")); row++)
        row[1] = 'x';
    read_text(text);
    ck_assert_uint_eq(capture.notes, 1);
    has("S loss 1 NaN 2\n");
    free(text);
    text = filled("step,loss\n1,2", ',', 10000, "\n2,3\n");
    read_text(text);
    has("more cells");
    has("S loss 2 NaN 3\n");
    free(text);
}
END_TEST

START_TEST(a_quote_that_is_never_closed_costs_its_row)
{
    char *text = filled("step,loss\n1,\"2\n", '\n', 70000, "2,3\n3,\"4\n4,5\n");
    read_text(text);
    has("a quote is never closed");
    has("S loss 2 NaN 3\n");
    has("S loss 4 NaN 5\n");
    free(text);
}
END_TEST

START_TEST(zeros_of_a_lost_write_are_passed_over)
{
    static const char text[] = "step,loss\n1,2\n\0\0\0\0"
                               "2,3\n\0\0\n4,\0\n5,1\n";
    read_span((struct tv_span){text, sizeof text - 1}, (struct tv_chunking){0});
    ck_assert_str_eq(emitted(), "S loss 1 NaN 2\nS loss 2 NaN 3\nS loss 5 NaN 1\n");
}
END_TEST

START_TEST(chunks_change_nothing)
{
    static const char text[] =
        "\xEF\xBB\xBFstep , loss,note\r\n1,2,\"a\r\nb\"\r\n\r\n2,\"\"\"3\",4\n"
        "step,loss\n1,5\nx,1\n\0\0" /* two zeros of a lost write */
        "2,4,4,4\n3,\"never\n4,nan\n5,6\n";
    struct tv_span bytes = {text, sizeof text - 1};
    read_span(bytes, (struct tv_chunking){0});
    char *whole = tv_xstrndup(emitted(), strlen(emitted()));
    has("M 1 1 NaN");
    has("a quote is never closed");
    has("S loss 5 NaN 6");
    for (int size = 1; size < 120; size++) {
        read_span(bytes, (struct tv_chunking){.size = size});
        ck_assert_str_eq(emitted(), whole);
    }
    for (unsigned seed = 1; seed < 50; seed++) {
        read_span(bytes, (struct tv_chunking){.size = -1, .seed = seed});
        ck_assert_str_eq(emitted(), whole);
    }
    free(whole);
}
END_TEST

START_TEST(only_logs_of_trainings_are_taken_for_them)
{
    static const struct {
        const char *name, *head;
        bool is_known, is_log;
    } cases[] = {
        {"results.csv", YOLO, true, true},
        {"results.csv", "   epoch,   train/box_loss,  x/lr0\n  0,  0.1,  0.1\n", true, true},
        {"metrics.csv", "epoch,step,val_acc\r\n0,9,0.5\r\n", true, true},
        {"progress.csv", "rollout/ep_rew_mean,time/total_timesteps\n1,2048\n", true, true},
        {"summary.csv", "epoch,train_loss,eval_top1,lr\n0,6.9,0.1,1e-05\n", true, true},
        {"training.log", "epoch,loss,val_loss\n0,2.5,NA\n", true, true},
        {"Train_Samples_lr.csv", "step,lr\n32,1e-05\n", true, true},
        {"anything.csv", "Epoch,Train Loss\n1,2.5\n", false, true},
        {"anything.tsv", "epoch\tlearning_rate\n1\t2.5\n", false, true},
        {"anything.csv", "step,loss\n", false, true}, /* nothing but a header yet */
        {"results.csv", "model,latency,throughput\nllama,3,4\n", true, false},
        {"results.csv", "step,latency\n1,3\n", true, false},
        {"metrics.csv", "accuracy,f1\n0.5,0.5\n", true, false},
        {"train.csv", "id,text,label\n1,\"a loss, an epoch\",0\n", false, false},
        {"train.csv", "step,loss\nwalk,great\n", false, false},
        {"train.csv", "epoch,loss_kind\n1,hinge\n", false, false},
        {"train.csv", "epoch,color,lrf\n1,2,3\n", false, false},
        {"weights.csv", "0.1,0.2\n0.3,0.4\n", false, false},
        {"results.csv", "epoch,train/box_lo", true, false}, /* half a header */
        {"results.csv", "", true, false},
        {"loss.json", "step,loss\n1,2\n", false, false},
        {"notes.txt", "the loss of an epoch, in one step\n", false, false},
        {"Train_Samples_elapsed_time_ms_forward.csv", "step,elapsed_time_ms_forward\n32,1.5\n",
         true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int sure = PARSER->probe(tv_span_of(cases[i].name), tv_span_of(cases[i].head));
        int expected = !cases[i].is_log ? 0 : cases[i].is_known ? 85 : 45;
        ck_assert_msg(sure == expected, "%s %s: %d", cases[i].name, cases[i].head, sure);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("csv_log");
    TCase *c = tcase_create("csv_log");
    tcase_set_timeout(c, 30);
    tcase_add_test(c, ultralytics_trains_on_the_sum_of_its_parts);
    tcase_add_test(c, blanks_around_cells_mean_nothing);
    tcase_add_test(c, lightning_rows_say_what_they_have);
    tcase_add_test(c, keras_separates_as_told_and_writes_na);
    tcase_add_test(c, stable_baselines_counts_timesteps);
    tcase_add_test(c, loops_of_reinforcement_learning_count_timesteps);
    tcase_add_test(c, deepspeed_counts_samples_and_writes_its_header_again);
    tcase_add_test(c, a_header_may_change_its_columns);
    tcase_add_test(c, a_clock_is_no_series);
    tcase_add_test(c, what_is_no_number_is_no_value);
    tcase_add_test(c, damage_is_told_once_and_the_rest_is_read);
    tcase_add_test(c, a_row_without_a_line_end_is_not_read);
    tcase_add_test(c, quotes_may_hold_separators_and_line_ends);
    tcase_add_test(c, a_header_alone_gives_nothing);
    tcase_add_test(c, a_row_of_a_mebibyte_is_passed_over);
    tcase_add_test(c, numbers_may_have_any_length);
    tcase_add_test(c, columns_behind_the_thousandth_are_ignored);
    tcase_add_test(c, a_quote_that_is_never_closed_costs_its_row);
    tcase_add_test(c, zeros_of_a_lost_write_are_passed_over);
    tcase_add_test(c, chunks_change_nothing);
    tcase_add_test(c, only_logs_of_trainings_are_taken_for_them);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
