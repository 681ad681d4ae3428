/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Advice speaks the user's own language: the keys of the framework, and only what is not so yet. */
#include "support/course.h"
#include "support/log.h"
#include "support/suite.h"
#include <stdio.h>
#include <string.h>

/* A gradient norm that explodes, in a run of this framework; the advice in one text. */
static const char *advice_on_explosion(const char *const facts[][2], char text[2048])
{
    struct tv_log log;
    tv_log_open(&log, "gradient_explosion");
    for (size_t i = 0; facts[i][0]; i++)
        tv_log_fact(&log, facts[i][0], facts[i][1]);
    for (int step = 1; step <= 200; step++) {
        tv_log_point(&log, "train/loss", step, 2 - 0.001 * step);
        tv_log_point(&log, "train/learning_rate", step, 0.1);
        tv_log_point(&log, "train/grad_norm", step, step < 150 ? 1 + 0.1 * (step % 3) : 1000);
    }
    tv_log_end(&log, 1.8e9);
    const struct tv_alert *alert = tv_log_alert(&log, "gradient_explosion");
    ck_assert_ptr_nonnull(alert);
    text[0] = '\0';
    for (size_t i = 0; i < alert->advice_len; i++)
        snprintf(text + strlen(text), 2048 - strlen(text), "%s\n", alert->advice[i]);
    tv_log_close(&log);
    return text;
}

START_TEST(keys_are_those_of_the_framework)
{
    char text[2048];
    const char *const lightning[][2] = {{"framework", "lightning"}, {"lr", "0.1"}, {NULL, NULL}};
    advice_on_explosion(lightning, text);
    ck_assert_msg(strstr(text, "gradient_clip_val: 1.0") && strstr(text, "lr: 0.1 -> "), "%s",
                  text);
    ck_assert_msg(!strstr(text, "max_grad_norm") && !strstr(text, "learning_rate"), "%s", text);
    const char *const unknown[][2] = {{NULL, NULL}};
    advice_on_explosion(unknown, text);
    ck_assert_msg(strstr(text, "clip the gradient norm at 1.0") && !strstr(text, "max_grad_norm"),
                  "%s", text);
}
END_TEST

START_TEST(nothing_is_advised_that_holds_already)
{
    char text[2048];
    const char *const on_by_default[][2] = {
        {"framework", "transformers"}, {"learning_rate", "0.1"}, {NULL, NULL}};
    ck_assert_ptr_null(strstr(advice_on_explosion(on_by_default, text), "clip"));
    ck_assert_ptr_null(strstr(text, "max_grad_norm"));
    const char *const off[][2] = {
        {"framework", "transformers"}, {"max_grad_norm", "0.0"}, {NULL, NULL}};
    ck_assert_ptr_nonnull(strstr(advice_on_explosion(off, text), "max_grad_norm: 0.0 -> 1.0"));
}
END_TEST

static const char *const lengths[][2] = {{"10", "num_train_epochs: 10 -> 3"},
                                         {"500", "num_train_epochs: 500 -> 150"},
                                         {"1", "num_train_epochs: 1 -> 0.3"}};

/* 1,000 steps, the best evaluation at 300 of them. */
static const struct tv_alert *overfit(struct tv_log *log)
{
    for (int step = 10; step <= 1000; step += 10) {
        double done = step / 1000.0;
        tv_log_point(log, "train/loss", step, 2 - 1.5 * done);
        if (step % 50 == 0)
            tv_log_point(log, "eval/loss", step, 1.5 + 2 * (done - 0.3) * (done - 0.3));
    }
    tv_log_end(log, 1.8e9);
    const struct tv_alert *alert = tv_log_alert(log, "overfitting");
    ck_assert_ptr_nonnull(alert);
    return alert;
}

/* max_steps -1 is transformers' way of saying that the epochs count. */
START_TEST(a_shorter_run_is_told_in_what_the_user_counts)
{
    struct tv_log log;
    tv_log_open(&log, "overfitting");
    const char *const facts[][2] = {{"framework", "transformers"},
                                    {"max_steps", "-1"},
                                    {"num_train_epochs", lengths[_i][0]},
                                    {"log.total_steps", "1000"}};
    for (size_t i = 0; i < 4; i++)
        tv_log_fact(&log, facts[i][0], facts[i][1]);
    const struct tv_alert *alert = overfit(&log);
    const char *wanted = lengths[_i][1];
    ck_assert_msg(!strncmp(alert->advice[1], wanted, strlen(wanted)), "%s", alert->advice[1]);
    tv_log_close(&log);
}
END_TEST

/* The best evaluation is another job's, behind the end of this one's plan. */
START_TEST(a_longer_run_is_not_advised_against_overfitting)
{
    struct tv_log log;
    tv_log_open(&log, "overfitting");
    tv_log_fact(&log, "framework", "transformers");
    tv_log_fact(&log, _i ? "max_steps" : "num_train_epochs", _i ? "200" : "10");
    tv_log_fact(&log, "log.total_steps", _i ? "1000" : "200");
    const struct tv_alert *alert = overfit(&log);
    for (size_t i = 0; i < alert->advice_len; i++)
        ck_assert_msg(!strstr(alert->advice[i], _i ? "max_steps" : "num_train_epochs"), "%s",
                      alert->advice[i]);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_slow_warm_up_is_one_finding_whatever_is_known_first)
{
    struct tv_log log;
    const struct tv_alert *const *alerts;
    tv_log_open(&log, "slow_warmup");
    const char *const facts[][2] = {{"framework", "transformers"},
                                    {"learning_rate", "0.1"},
                                    {"lr_scheduler_type", "linear"},
                                    {"max_steps", "100"},
                                    {"warmup_steps", "60"}};
    for (size_t i = 0; i < 5; i++)
        tv_log_fact(&log, facts[i][0], facts[i][1]);
    tv_log_point(&log, "train/loss", 1, 2);
    tv_log_point(&log, "train/loss", 2, 2);
    tv_log_point(&log, "train/learning_rate", 2, 0.2 / 60);
    tv_log_fact(&log, "lr_scheduler_type", "cosine");
    tv_log_point(&log, "train/loss", 3, 2);
    tv_log_end(&log, 1.8e9);
    ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 1);
    tv_log_close(&log);
}
END_TEST

START_TEST(what_is_damaged_does_not_overfit)
{
    struct tv_log log;
    tv_log_open(&log, "early_stop_advised");
    for (int step = 10; step <= 1000; step += 10) {
        double loss = step < 500 ? 2 - 0.002 * step : 4;
        tv_log_point(&log, "train/loss", step, loss);
        if (step % 50 == 0)
            tv_log_point(&log, "eval/loss", step, loss + 0.1);
    }
    tv_log_end(&log, 1.8e9);
    const struct tv_alert *alert = tv_log_alert(&log, "early_stop_advised");
    ck_assert_ptr_nonnull(alert);
    ck_assert_ptr_nonnull(strstr(alert->causes[0], "that is no overfitting"));
    tv_log_close(&log);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("advice");
    TCase *tcase = tcase_create("advice");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, keys_are_those_of_the_framework);
    tcase_add_test(tcase, nothing_is_advised_that_holds_already);
    tcase_add_loop_test(tcase, a_shorter_run_is_told_in_what_the_user_counts, 0, 3);
    tcase_add_loop_test(tcase, a_longer_run_is_not_advised_against_overfitting, 0, 2);
    tcase_add_test(tcase, a_slow_warm_up_is_one_finding_whatever_is_known_first);
    tcase_add_test(tcase, what_is_damaged_does_not_overfit);
    return tv_test_main(suite);
}
