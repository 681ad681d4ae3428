/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How surely a total is known, and what promises nothing: detectors/lib/lr_promise. */
#include "engine/run.h"
#include "lib/lr_promise.h"
#include "schedule/kinds.h"
#include "support/log.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

static struct tv_log log_;
static struct tv_view view;
static struct tv_schedule promise;

/* Settings: key, value, ... NULL. */
static void open_run(const char *framework, int64_t steps_per_epoch, const char *const *settings)
{
    tv_log_open(&log_, "lr_mismatch");
    for (; *settings; settings += 2)
        tv_log_fact(&log_, settings[0], settings[1]);
    view = (struct tv_view){.run = log_.run};
    promise = (struct tv_schedule){
        .framework = framework, .peak = 1e-3, .steps_per_epoch = steps_per_epoch};
}

static struct tv_lr_tolerance tolerance(void)
{
    struct tv_lr_tolerance tolerance = {.of_peak = 7};
    double rough;
    tv_lr_promise_tolerate(&view, &promise, &tolerance, &rough);
    ck_assert_double_eq(tolerance.of_peak, 7);
    return tolerance;
}

#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(a_total_that_is_given_is_certain)
{
    open_run("transformers", 40, SETTINGS("max_steps", "1000", "warmup_ratio", "0.1"));
    ck_assert_double_eq(tolerance().total_uncertainty, 0);
    tv_log_close(&log_);
    open_run("transformers", 40, SETTINGS("num_train_epochs", "3", "warmup_ratio", "0.1"));
    ck_assert_double_gt(tolerance().total_uncertainty, 0.01);
    ck_assert(tolerance().warmup_is_ratio);
    tv_log_close(&log_);
    open_run("timm", 0, SETTINGS("epochs", "3"));
    ck_assert_double_eq(tolerance().total_uncertainty, 0);
    tv_log_close(&log_);
}
END_TEST

START_TEST(a_total_from_epochs_becomes_surer_with_them_down_to_what_accumulation_leaves)
{
    open_run("transformers", 40,
             SETTINGS("num_train_epochs", "3", "gradient_accumulation_steps", "4", "warmup_steps",
                      "9", "warmup_ratio", "0.1"));
    double before = 1;
    for (int epoch = 1; epoch <= 3; epoch++) {
        tv_log_point(&log_, "train/epoch", 40 * epoch, epoch);
        double now = tolerance().total_uncertainty;
        ck_assert_double_lt(now, before);
        ck_assert_double_gt(now, 0.01 + 1 / 40.0);
        before = now;
    }
    ck_assert(!tolerance().warmup_is_ratio);
    tv_log_close(&log_);
}
END_TEST

START_TEST(a_minimum_is_open_only_where_nothing_says_which)
{
    open_run("olmo", 0, SETTINGS("learning_rate", "1e-3"));
    promise.kind = tv_kind_find("transformers", "cosine_with_min_lr");
    promise.param[TV_P_FLOOR] = promise.param[TV_P_FLOOR_RATIO] = NAN;
    ck_assert(tv_lr_promise_minimum_is_open(&view, &promise));
    promise.param[TV_P_FLOOR_RATIO] = 0.1;
    ck_assert(!tv_lr_promise_minimum_is_open(&view, &promise));
    tv_log_close(&log_);
}
END_TEST

START_TEST(a_rate_that_nobody_wrote_or_that_is_none_promises_nothing)
{
    open_run("transformers", 0, SETTINGS("max_steps", "1000"));
    ck_assert_ptr_nonnull(strstr(tv_lr_promise_why_none(&view, &promise), "does not give"));
    promise.framework = "timm";
    ck_assert_ptr_null(tv_lr_promise_why_none(&view, &promise));
    promise.peak = 0;
    ck_assert_ptr_nonnull(strstr(tv_lr_promise_why_none(&view, &promise), "not positive"));
    ck_assert_ptr_nonnull(strstr(tv_lr_promise_why_none(&view, NULL), "no configuration"));
    tv_log_close(&log_);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("lr_promise");
    TCase *tcase = tcase_create("lr_promise");
    tcase_add_test(tcase, a_total_that_is_given_is_certain);
    tcase_add_test(tcase,
                   a_total_from_epochs_becomes_surer_with_them_down_to_what_accumulation_leaves);
    tcase_add_test(tcase, a_minimum_is_open_only_where_nothing_says_which);
    tcase_add_test(tcase, a_rate_that_nobody_wrote_or_that_is_none_promises_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
