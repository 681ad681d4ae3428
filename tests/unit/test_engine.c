/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine promises to detectors, seen by one that writes everything down. */
#include "base/memory.h"
#include "model/tags.h"
#include "support/log.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN_MAX = 4096 };

struct recorder {
    struct tv_point points[SEEN_MAX];
    uint32_t attempts[SEEN_MAX];
    int len;
};
static struct recorder seen; /* of the whole process: a fork each test */
static int zeroed_states;

static void record(struct tv_view *view, const void *options, void *state,
                   const struct tv_point *point)
{
    (void)options;
    int *calls = state;
    zeroed_states += (*calls)++ == 0;
    ck_assert_int_lt(seen.len, SEEN_MAX);
    seen.attempts[seen.len] = tv_view_attempt(view);
    seen.points[seen.len++] = *point;
    if (point->role == TV_ROLE_TRAIN_LOSS && point->value > 100) {
        struct tv_finding finding = {.subject = "train_loss",
                                     .severity = TV_WARNING,
                                     .onset_step = point->step,
                                     .summary = "above 100"};
        tv_raise(view, &finding);
    } else if (point->role == TV_ROLE_TRAIN_LOSS) {
        tv_clear(view, "train_loss");
    }
}

static const struct tv_detector recorder = {.name = "recorder",
                                            .summary = "",
                                            .roles = ~0u,
                                            .state_size = sizeof(int),
                                            .on_sample = record};
static const struct tv_detector *const only_recorder[] = {&recorder, NULL};

static void open_recorded(struct tv_log *log)
{
    memset(log, 0, sizeof *log);
    log->options = (struct tv_engine_options){.detectors = only_recorder};
    log->run = tv_run_new(&log->options, "test");
    log->source = tv_log_source(log, "", 0, &log->emit);
}

static void losses(struct tv_log *log, const int *steps, int len)
{
    for (int i = 0; i < len; i++)
        tv_log_point(log, "train/loss", steps[i], i);
}
#define COUNT(...)       ((int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)))
#define LOSSES(log, ...) losses(log, (int[]){__VA_ARGS__}, COUNT(__VA_ARGS__))

static void expect_steps(const int *steps, int len)
{
    ck_assert_int_eq(seen.len, len);
    for (int i = 0; i < len; i++)
        ck_assert_int_eq(seen.points[i].step, steps[i]);
}
#define EXPECT_STEPS(...) expect_steps((int[]){__VA_ARGS__}, COUNT(__VA_ARGS__))

START_TEST(plots_keep_what_the_detectors_saw)
{
    struct tv_log log;
    open_recorded(&log);
    ck_assert_ptr_null(tv_run_plot(log.run, TV_ROLE_TRAIN_LOSS));
    tv_run_free(log.run);
    log.options.plot_buckets = 4;
    log.run = tv_run_new(&log.options, "test");
    log.source = tv_log_source(&log, "", 0, &log.emit);
    ck_assert_ptr_null(tv_run_plot(log.run, TV_ROLE_TRAIN_LOSS));
    LOSSES(&log, 1, 2, 4, 3, 5, 6); /* 3 is a late record: its value, 3, is not seen */
    const struct tv_buckets *plot = tv_run_plot(log.run, TV_ROLE_TRAIN_LOSS);
    size_t points = 0;
    for (size_t i = 0; i < tv_buckets_len(plot); i++)
        points += tv_buckets_at(plot, i)->points;
    ck_assert_uint_eq(points, 5);
    ck_assert_uint_eq(tv_buckets_width(plot), 2);
    ck_assert_double_eq(tv_buckets_at(plot, 2)->min, 2);
    ck_assert_double_eq(tv_buckets_at(plot, 2)->last, 4);
    ck_assert_ptr_null(tv_run_plot(log.run, TV_ROLE_GRAD_NORM));
    tv_log_next_file(&log);
    LOSSES(&log, 1, 2); /* from its first steps on it is another run */
    ck_assert_uint_eq(tv_buckets_len(tv_run_plot(log.run, TV_ROLE_TRAIN_LOSS)), 2);
    tv_log_close(&log);
}
END_TEST

START_TEST(one_late_record_is_no_restart)
{
    struct tv_log log;
    open_recorded(&log);
    LOSSES(&log, 1, 2, 4, 3, 5, 6);
    tv_log_end(&log, NAN);
    EXPECT_STEPS(1, 2, 4, 5, 6);
    ck_assert_uint_eq(seen.attempts[4], 0);
    tv_log_close(&log);
}
END_TEST

START_TEST(steps_that_go_on_from_an_earlier_one_are_a_new_attempt)
{
    struct tv_log log;
    open_recorded(&log);
    LOSSES(&log, 10, 20, 30, 40, 20, 30, 40, 50);
    tv_log_end(&log, NAN);
    EXPECT_STEPS(10, 20, 30, 40, 20, 30, 40, 50);
    ck_assert_uint_eq(seen.attempts[3], 0);
    ck_assert_uint_eq(seen.attempts[4], 1);
    ck_assert_int_eq(zeroed_states, 1); /* a resume keeps what was learnt */
    tv_log_close(&log);
}
END_TEST

START_TEST(a_new_file_that_goes_back_is_a_new_attempt_at_once)
{
    struct tv_log log;
    open_recorded(&log);
    LOSSES(&log, 10, 20, 30);
    tv_log_next_file(&log);
    LOSSES(&log, 20);
    ck_assert_int_eq(seen.len, 4);
    ck_assert_uint_eq(seen.attempts[3], 1);
    tv_log_close(&log);
}
END_TEST

/* No farther from the start than one interval: it logs less often than the one before. */
START_TEST(a_coarser_log_from_the_start_is_no_resume)
{
    struct tv_log log;
    open_recorded(&log);
    LOSSES(&log, 10, 20, 30);
    tv_log_next_file(&log);
    LOSSES(&log, 25, 50, 75);
    ck_assert_int_eq(zeroed_states, 2);
    tv_log_next_file(&log);
    LOSSES(&log, 60, 85);
    ck_assert_int_eq(zeroed_states, 2);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_run_begun_anew_forgets_and_resolves)
{
    struct tv_log log;
    open_recorded(&log);
    tv_log_point(&log, "train/loss", 1, 1);
    tv_log_point(&log, "train/loss", 2, 200);
    tv_log_next_file(&log);
    tv_log_point(&log, "train/loss", 1, 1);
    tv_log_point(&log, "train/loss", 2, 1);
    const struct tv_alert *alert = tv_log_alert(&log, "recorder");
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->state, TV_RESOLVED);
    ck_assert_int_eq(zeroed_states, 2);
    tv_log_close(&log);
}
END_TEST

START_TEST(an_alert_keeps_its_identity_while_it_fires_and_changes_it_afterwards)
{
    struct tv_log log;
    open_recorded(&log);
    const struct tv_alert *const *alerts;
    for (int step = 1; step <= 6; step++)
        tv_log_point(&log, "train/loss", step, step == 4 ? 1 : 200 + step);
    ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 2);
    ck_assert_int_eq(alerts[0]->step, 1);
    ck_assert_int_eq(alerts[0]->state, TV_RESOLVED);
    ck_assert_int_eq(alerts[0]->resolved_step, 4);
    ck_assert_int_eq(alerts[1]->step, 5);
    ck_assert_int_eq(alerts[1]->onset_step, 5);
    ck_assert_str_ne(alerts[0]->fingerprint, alerts[1]->fingerprint);
    tv_log_close(&log);
}
END_TEST

/* Two files, read in any interleaving: the detectors see one order. */
START_TEST(the_order_of_reading_does_not_change_what_is_seen)
{
    static struct recorder first;
    for (unsigned seed = 0; seed < 20; seed++) {
        struct tv_log log;
        struct tv_emit emits[2];
        memset(&seen, 0, sizeof seen);
        open_recorded(&log);
        emits[0] = log.emit;
        struct tv_source *sources[2] = {log.source,
                                        tv_log_source(&log, "validation/", 1, &emits[1])};
        int next[2] = {0, 0};
        unsigned random = seed;
        while (next[0] < 50 || next[1] < 10) {
            int which = next[0] == 50 ? 1 : next[1] == 10 ? 0 : (int)(rand_r(&random) % 2);
            int step = ++next[which] * (which ? 5 : 1);
            tv_emit_point(&emits[which], which ? "epoch_loss" : "train/loss", step, 0, step);
            if (next[which] == (which ? 10 : 50))
                tv_source_done(sources[which]);
            tv_run_pump(log.run, false);
        }
        tv_run_end(log.run, NAN);
        ck_assert_int_eq(seen.len, 60);
        if (seed == 0)
            first = seen;
        ck_assert_mem_eq(&first, &seen, sizeof seen);
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(two_files_with_the_same_loss_count_once)
{
    struct tv_log log;
    struct tv_emit second;
    open_recorded(&log);
    struct tv_source *other = tv_log_source(&log, "", 1, &second);
    for (int step = 1; step <= 20; step++) {
        tv_emit_point(&log.emit, "train/loss", step, 0, 1);
        tv_emit_point(&second, "loss", step, 0, 2);
        tv_emit_point(&second, "grad_norm", step, 0, 3);
    }
    tv_source_done(other);
    tv_source_done(log.source);
    tv_run_end(log.run, NAN);
    int by_role[TV_ROLE_COUNT] = {0};
    for (int i = 0; i < seen.len; i++)
        by_role[seen.points[i].role]++;
    ck_assert_int_eq(by_role[TV_ROLE_TRAIN_LOSS], 20);
    ck_assert_int_eq(by_role[TV_ROLE_GRAD_NORM], 20);
    tv_log_close(&log);
}
END_TEST

START_TEST(sources_that_go_back_together_stay_together)
{
    struct tv_log log;
    struct tv_emit second;
    open_recorded(&log);
    struct tv_source *other = tv_log_source(&log, "", 1, &second);
    static const int steps[] = {1, 2, 3, 4, 5, 3, 4, 5, 6};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        tv_emit_point(&second, "lr", steps[i], NAN, 1);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        tv_emit_point(&log.emit, "train/loss", steps[i], NAN, 1);
    tv_source_done(other);
    tv_source_done(log.source);
    tv_run_pump(log.run, true);
    tv_run_end(log.run, NAN);
    /* one record that goes back may be a late one: the second of the loss tells a restart */
    EXPECT_STEPS(1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 3, 4, 4, 5, 5, 6, 6);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_log_that_counts_epochs_is_not_held_against_steps)
{
    static const char *const units[] = {"", "epoch", "sample"};
    for (int i = 0; i < 3; i++) {
        struct tv_log log;
        tv_log_open(&log, "lr_mismatch");
        tv_log_fact(&log, "lr", "0.001");
        tv_log_fact(&log, "max_steps", "2000");
        tv_log_fact(&log, "lr_scheduler", "cosine");
        tv_log_fact(&log, "warmup_steps", "0");
        if (i)
            tv_log_fact(&log, "log.step_unit", units[i]);
        for (int epoch = 0; epoch < 20; epoch++)
            tv_log_point(&log, "lr", epoch, 0.001 * (1 - epoch / 20.0));
        tv_log_end(&log, NAN);
        ck_assert_int_eq(tv_log_alert(&log, "lr_mismatch") != NULL, i == 0);
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(a_small_data_set_warms_up_for_a_hundred_batches)
{
    for (int i = 0; i < 18; i++) {
        int batches = 1 + i / 2 * 4, first = i % 2; /* YOLOv5 counts epochs from 0 */
        struct tv_log log;
        tv_log_open(&log, "lr_mismatch");
        tv_log_fact(&log, "lr0", "0.01");
        tv_log_fact(&log, "lrf", "0.01");
        tv_log_fact(&log, "epochs", "150");
        tv_log_fact(&log, "optimizer", "SGD");
        for (int epoch = 0; epoch < 150; epoch++) { /* ultralytics 8.0: parameter group 0 */
            double lr = 0.01 * ((1 - epoch / 150.0) * 0.99 + 0.01);
            int batch = batches * (epoch + 1) - 1;
            tv_log_point(&log, "lr/pg0", epoch + first,
                         batch < 100 ? 0.1 + (lr - 0.1) * batch / 100 : lr);
        }
        tv_log_end(&log, NAN);
        ck_assert_msg(!tv_log_alert(&log, "lr_mismatch"), "%d batches", batches);
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(one_of_several_evaluation_sets_is_not_the_evaluation_unless_it_is_named_so)
{
    struct tv_log log;
    open_recorded(&log);
    for (int step = 1; step <= 3; step++) {
        tv_log_point(&log, "eval_dogs_loss", step, 1);
        tv_log_point(&log, "eval_cats_loss", step, 2);
    }
    tv_log_point(&log, "eval_loss", 4, 3);
    tv_log_point(&log, "eval_dogs_loss", 5, 1);
    tv_log_end(&log, NAN);
    EXPECT_STEPS(1, 4); /* until the second set was seen, and the plain one */
    tv_log_close(&log);
    open_recorded(&log);
    seen.len = 0;
    for (int step = 1; step <= 3; step++)
        tv_log_point(&log, "eval_dogs_loss", step, 1);
    tv_log_end(&log, NAN);
    EXPECT_STEPS(1, 2, 3);
    tv_log_close(&log);
    open_recorded(&log);
    seen.len = 0;
    tv_log_point(&log, "eval_train_sample_loss", 1, 1);
    tv_log_point(&log, "eval_dev_loss", 2, 1);
    tv_log_point(&log, "eval_other_loss", 3, 1);
    tv_log_point(&log, "eval_train_sample_loss", 4, 1);
    tv_log_end(&log, NAN);
    EXPECT_STEPS(1, 2);
    tv_log_close(&log);
    open_recorded(&log);
    seen.len = 0;
    tv_log_fact(&log, "metric_for_best_model", "eval_cats_loss");
    for (int step = 1; step <= 3; step++)
        tv_log_point(&log, step == 2 ? "eval_cats_loss" : "eval_dev_loss", step, 1);
    tv_log_end(&log, NAN);
    EXPECT_STEPS(1, 2);
    tv_log_close(&log);
}
END_TEST

START_TEST(names_of_metrics_tell_which_way_is_better)
{
    static const struct {
        const char *tag;
        int direction;
    } cases[] = {
        {"eval/accuracy", 1},    {"eval_top1_acc", 1}, {"metrics/mAP50-95(B)", 1},
        {"eval_rougeL", 1},      {"eval_wer", -1},     {"eval_power", 0},
        {"eval_accumulated", 0}, {"val/rmse", -1},     {"eval_f1-macro", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(tv_tag_direction("", tv_span_of(cases[i].tag)) == cases[i].direction, "%s",
                      cases[i].tag);
    ck_assert(tv_tag_is_metric("", tv_span_of("eval/accuracy"), "accuracy"));
    ck_assert(tv_tag_is_metric("", tv_span_of("eval_dev_loss"), "eval_dev_loss"));
    ck_assert(!tv_tag_is_metric("", tv_span_of("eval_accuracy"), "f1"));
}
END_TEST

START_TEST(a_finished_run_that_is_trained_on_is_not_finished)
{
    struct tv_log log;
    open_recorded(&log);
    LOSSES(&log, 1, 2, 3);
    tv_log_mark(&log, TV_MARK_END, 3);
    ck_assert(tv_run_is_finished(log.run));
    LOSSES(&log, 4, 5);
    ck_assert(!tv_run_is_finished(log.run));
    tv_log_close(&log);
}
END_TEST

/* Results beside the log may be those of the training before. */
START_TEST(results_end_the_training_that_they_are_of)
{
    struct tv_log log;
    open_recorded(&log);
    struct tv_mark mark = {.kind = TV_MARK_END, .step = TV_STEP_UNKNOWN, .epoch = 3.0};
    log.emit.mark(log.emit.ctx, &mark);
    ck_assert(!tv_run_is_finished(log.run));
    for (int step = 1; step <= 30; step++) {
        tv_log_point(&log, "train/loss", step, 1);
        tv_log_point(&log, "train/epoch", step, step / 10.0);
        ck_assert_msg(tv_run_is_finished(log.run) == (step == 30), "step %d", step);
    }
    LOSSES(&log, 31);
    tv_log_point(&log, "train/epoch", 31, 3.1);
    ck_assert(!tv_run_is_finished(log.run));
    tv_log_close(&log);
}
END_TEST

START_TEST(the_runtime_that_transformers_logs_is_an_end)
{
    struct tv_log log;
    open_recorded(&log);
    LOSSES(&log, 1, 2, 3);
    ck_assert(!tv_run_is_finished(log.run));
    tv_log_point(&log, "train/train_runtime", 3, 71.3);
    ck_assert(tv_run_is_finished(log.run));
    LOSSES(&log, 4);
    ck_assert(!tv_run_is_finished(log.run));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_flood_of_tags_is_bounded)
{
    struct tv_log log;
    open_recorded(&log);
    char tag[32];
    int refused = 0;
    for (int i = 0; i < 10000; i++) {
        snprintf(tag, sizeof tag, "tag%d", i);
        refused += log.emit.tag(log.emit.ctx, tv_span_of(tag)) == NULL;
    }
    ck_assert_int_eq(refused, 10000 - 4096);
    char *huge = tv_xmalloc(1 << 20);
    memset(huge, 'x', 1 << 20);
    ck_assert_ptr_null(log.emit.tag(log.emit.ctx, (struct tv_span){huge, 1 << 20}));
    free(huge);
    tv_log_close(&log);
}
END_TEST

START_TEST(tags_mean_what_their_writers_mean)
{
    static const struct {
        const char *prefix, *parser, *tag;
        enum tv_role role;
    } cases[] = {
        {"", "tfevents", "train/loss", TV_ROLE_TRAIN_LOSS},
        {"", "tfevents", "train/train_loss", TV_ROLE_OTHER},
        {"", "hf_trainer_state", "train_loss", TV_ROLE_OTHER},
        {"", "tfevents", "train_loss", TV_ROLE_TRAIN_LOSS},
        {"", "tfevents", "lm loss", TV_ROLE_TRAIN_LOSS},
        {"", "tfevents", "lm loss vs samples", TV_ROLE_OTHER},
        {"", "tfevents", "lm loss validation", TV_ROLE_EVAL_LOSS},
        {"", "tfevents", "loss-scale", TV_ROLE_LOSS_SCALE},
        {"", "tfevents", "learning-rate vs samples", TV_ROLE_OTHER},
        {"train/", "tfevents", "epoch_loss", TV_ROLE_TRAIN_LOSS},
        {"validation/", "tfevents", "epoch_loss", TV_ROLE_EVAL_LOSS},
        {"", "tfevents", "lr-AdamW", TV_ROLE_LEARNING_RATE},
        {"", "tfevents", "lr-AdamW/pg1", TV_ROLE_LEARNING_RATE},
        {"", "tfevents", "lr-AdamW/pg2", TV_ROLE_LEARNING_RATE},
        {"", "tfevents", "lr-SGD-momentum", TV_ROLE_OTHER},
        {"", "tfevents", "eval/runtime", TV_ROLE_OTHER},
        {"", "tfevents", "eval/accuracy", TV_ROLE_EVAL_METRIC},
        {"", "hf_trainer_state", "eval_wikitext_loss", TV_ROLE_EVAL_LOSS},
        {"", "tfevents", "Loss/Train", TV_ROLE_TRAIN_LOSS},
        {"", "tfevents", "Loss/Validation", TV_ROLE_EVAL_LOSS},
        {"", "tfevents", "rollout/ep_rew_mean", TV_ROLE_REWARD},
        {"", "tfevents", "loss/policy_avg", TV_ROLE_OTHER},
        {"", "tfevents", "train_loss_sum_step", TV_ROLE_TRAIN_LOSS},
        {"", "tfevents", "Training Loss/epoch", TV_ROLE_TRAIN_LOSS},
        {"", "tfevents", "val/total_loss", TV_ROLE_EVAL_LOSS},
        {"", "tfevents", "val_loss_step", TV_ROLE_OTHER},
        {"", "tfevents", "train/cls_loss", TV_ROLE_OTHER},
        {"", "tfevents", "Loss_val", TV_ROLE_EVAL_LOSS},
        {"", "csv_log", "mean_loss", TV_ROLE_TRAIN_LOSS},
        {"", "tfevents", "val_elbo_loss", TV_ROLE_EVAL_LOSS},
        {"", "tfevents", "train/value_loss", TV_ROLE_OTHER},
        {"", "csv_log", "EpRewMean", TV_ROLE_REWARD},
        {"", "csv_log", "mean 100 episode reward", TV_ROLE_REWARD},
        {"", "tfevents", "val_acc", TV_ROLE_EVAL_METRIC},
        {"", "tfevents", "val_acc_step", TV_ROLE_OTHER}, /* a batch of the evaluation */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(
            tv_tag_role(cases[i].prefix, cases[i].parser, tv_span_of(cases[i].tag)).role ==
                cases[i].role,
            "%s%s", cases[i].prefix, cases[i].tag);
}
END_TEST

/* How many points of the evaluation's loss are delivered of three, with the last one's value. */
static int deliver_evaluations(const char *const *tags, size_t len)
{
    static const double values[] = {0.1, 2, 2.5};
    struct tv_log log;
    open_recorded(&log);
    seen.len = 0;
    for (int64_t step = 100; step <= 300; step += 100)
        for (size_t i = 0; i < len; i++)
            tv_log_point(&log, tags[i], step, values[i]);
    tv_run_end(log.run, NAN);
    tv_log_close(&log);
    return seen.len;
}

START_TEST(a_named_loss_is_that_of_the_evaluation_where_it_is_the_only_one)
{
    static const char *const tags[] = {"val_kl_loss", "val_mse_loss", "val_loss"};
    ck_assert_int_eq(deliver_evaluations(tags, 1), 2); /* from the second one on */
    ck_assert_double_eq(seen.points[0].value, 0.1);
    ck_assert_int_le(deliver_evaluations(tags, 2), 1);
    ck_assert_int_eq(deliver_evaluations(tags, 3), 3);
    ck_assert_double_eq(seen.points[0].value, 2.5);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("engine");
    TCase *tcase = tcase_create("engine");
    tcase_add_test(tcase, a_named_loss_is_that_of_the_evaluation_where_it_is_the_only_one);
    tcase_add_test(tcase, one_late_record_is_no_restart);
    tcase_add_test(tcase, plots_keep_what_the_detectors_saw);
    tcase_add_test(tcase, steps_that_go_on_from_an_earlier_one_are_a_new_attempt);
    tcase_add_test(tcase, a_new_file_that_goes_back_is_a_new_attempt_at_once);
    tcase_add_test(tcase, a_coarser_log_from_the_start_is_no_resume);
    tcase_add_test(tcase, a_run_begun_anew_forgets_and_resolves);
    tcase_add_test(tcase, an_alert_keeps_its_identity_while_it_fires_and_changes_it_afterwards);
    tcase_add_test(tcase, the_order_of_reading_does_not_change_what_is_seen);
    tcase_add_test(tcase, two_files_with_the_same_loss_count_once);
    tcase_add_test(tcase, sources_that_go_back_together_stay_together);
    tcase_add_test(tcase, a_log_that_counts_epochs_is_not_held_against_steps);
    tcase_add_test(tcase, a_small_data_set_warms_up_for_a_hundred_batches);
    tcase_add_test(tcase,
                   one_of_several_evaluation_sets_is_not_the_evaluation_unless_it_is_named_so);
    tcase_add_test(tcase, names_of_metrics_tell_which_way_is_better);
    tcase_add_test(tcase, a_finished_run_that_is_trained_on_is_not_finished);
    tcase_add_test(tcase, results_end_the_training_that_they_are_of);
    tcase_add_test(tcase, the_runtime_that_transformers_logs_is_an_end);
    tcase_add_test(tcase, a_flood_of_tags_is_bounded);
    tcase_add_test(tcase, tags_mean_what_their_writers_mean);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
