/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a resolved schedule promises: which value is logged, what is rejected, and that it is a
 * plain value. */
#include "schedule/follow.h"
#include "schedule/resolve.h"
#include "support/settings.h"
#include "support/suite.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct tv_schedule s;
static struct tv_error error;

static enum tv_status resolve(const char *json)
{
    struct tv_facts facts = {0};
    tv_settings_text(&facts, json, TV_FACT_USER_CONFIG);
    enum tv_status status = tv_schedule_resolve(&facts, &s, &error);
    tv_facts_free(&facts);
    return status;
}

static void resolved(const char *json)
{
    enum tv_status status = resolve(json);
    ck_assert_msg(status == TV_OK, "%s: %s", json, error.message);
}

static void rejected(const char *json, const char *reason)
{
    enum tv_status status = resolve(json);
    ck_assert_msg(status == TV_ECONFIG, "%s: status %d", json, status);
    ck_assert_msg(strstr(error.message, reason) != NULL, "%s: %s", json, error.message);
}

static bool noted(const char *words)
{
    for (int i = 0; i < s.notes_len; i++) {
        if (strstr(s.notes[i], words))
            return true;
    }
    return false;
}

static const char *const seven[] = {"linear",      "cosine",   "cosine_with_restarts",
                                    "polynomial",  "constant", "constant_with_warmup",
                                    "inverse_sqrt"};
#define SEVEN (sizeof seven / sizeof *seven)

static void make(const char *kind)
{
    s = (struct tv_schedule){
        .framework = "transformers", .peak = 5e-5, .total_steps = 1000, .warmup_steps = 100};
    ck_assert(tv_schedule_set_kind(&s, kind));
}

START_TEST(logged_value_is_one_step_behind_since_4_51)
{
    static const struct {
        const char *version;
        int offset;
        bool known;
    } cases[] = {
        {"'4.50.3'", 0, true}, {"'4.51.0'", 1, true}, {"'5.15.0'", 1, true}, {"null", 1, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[200];
        snprintf(json, sizeof json,
                 "{'learning_rate': 1e-4, 'max_steps': 100, 'warmup_steps': 10, "
                 "'lr_scheduler_type': 'linear', "
                 "'transformers_version': %s}",
                 cases[i].version);
        resolved(json);
        ck_assert_int_eq(s.log_offset, cases[i].offset);
        ck_assert_int_eq(s.offset_known, cases[i].known);
        ck_assert_int_eq(noted("version of transformers is not known"), !cases[i].known);
    }
    ck_assert_double_eq(tv_schedule_lr(&s, 0), 0);
    ck_assert_double_eq(tv_schedule_lr(&s, 1), 1e-5);
}
END_TEST

START_TEST(deepspeed_has_stepped_already_in_all_versions)
{
    resolved("{'learning_rate': 1e-4, 'max_steps': 100, 'lr_scheduler_type': 'linear', "
             "'transformers_version': '4.57.6', 'deepspeed': 'ds_z3.json'}");
    ck_assert_int_eq(s.log_offset, 0);
    ck_assert(s.offset_known);
}
END_TEST

START_TEST(constant_ignores_warmup_and_says_so)
{
    resolved("{'learning_rate': 1e-4, 'lr_scheduler_type': 'constant', 'warmup_steps': 100}");
    ck_assert_double_eq(tv_schedule_lr(&s, 0), 1e-4);
    ck_assert(noted("ignores the warm-up"));
}
END_TEST

START_TEST(warmup_as_long_as_the_run_never_ends)
{
    for (size_t i = 0; i < SEVEN; i++) {
        make(seven[i]);
        s.warmup_steps = 1500;
        if (strcmp(seven[i], "constant") != 0)
            ck_assert_double_eq_tol(tv_schedule_lr(&s, 1000), 5e-5 * 1000 / 1500, 1e-17);
    }
}
END_TEST

START_TEST(rates_lie_between_zero_and_the_peak)
{
    for (size_t i = 0; i < SEVEN; i++) {
        make(seven[i]);
        for (int n = 0; n <= 1200; n++) {
            double lr = tv_schedule_lr(&s, n);
            ck_assert_msg(lr >= 0 && lr <= 5e-5 * (1 + 1e-15), "%s at %d: %g", seven[i], n, lr);
        }
        if (strcmp(seven[i], "constant") != 0)
            ck_assert_double_eq(tv_schedule_lr(&s, 0), 0);
        ck_assert_double_eq(tv_schedule_lr(&s, 100), 5e-5);
    }
}
END_TEST

START_TEST(polynomial_of_power_one_is_linear_but_for_its_end)
{
    make("polynomial");
    struct tv_schedule linear = s;
    ck_assert(tv_schedule_set_kind(&linear, "linear"));
    for (int n = 0; n <= 1000; n += 50)
        ck_assert_double_eq_tol(tv_schedule_lr(&s, n), tv_schedule_lr(&linear, n), 1.0001e-7);
    ck_assert_double_eq(tv_schedule_lr(&s, 1000), 1e-7);
}
END_TEST

START_TEST(what_transformers_rejects_is_rejected)
{
    rejected("{'learning_rate': 1e-8, 'max_steps': 9, 'lr_scheduler_type': 'polynomial'}",
             "lr_end (1e-07)");
    rejected("{'learning_rate': 1e-4, 'max_steps': 50, 'warmup_steps': 50, 'lr_scheduler_type': "
             "'polynomial'}",
             "dies at step 50");
    rejected("{'learning_rate': 1e-4, 'max_steps': 9, 'lr_scheduler_type': 'cosine_with_min_lr'}",
             "one of min_lr");
    rejected("{'learning_rate': 1e-4, 'max_steps': 9, 'lr_scheduler_type': 'cosine_with_min_lr', "
             "'lr_scheduler_kwargs': {'min_lr': 0, 'min_lr_rate': 0.1}}",
             "only one of");
    rejected("{'learning_rate': 1e-4, 'max_steps': 9, 'lr_scheduler_type': 'warmup_stable_decay'}",
             "num_decay_steps");
    rejected("{'learning_rate': 1e-4, 'max_steps': 9, 'lr_scheduler_type': 'linear', "
             "'lr_scheduler_kwargs': {'num_cycles': 2}}",
             "num_cycles");
    rejected("{'learning_rate': 1e-4, 'max_steps': 9, 'lr_scheduler_type': 'inverse_sqrt', "
             "'transformers_version': '4.38.2'}",
             "divides by zero");
    rejected("{'learning_rate': 1e-4, 'lr_scheduler_type': 'reduce_lr_on_plateau', "
             "'lr_scheduler_kwargs': {'factor': 1.5}}",
             "factor");
}
END_TEST

START_TEST(scheduler_that_transformers_does_not_list_is_refused)
{
    ck_assert_int_eq(
        resolve("{'learning_rate': 1e-4, 'max_steps': 9, 'lr_scheduler_type': 'mine\x1b[1m'}"),
        TV_ECONFIG);
    ck_assert_ptr_nonnull(strstr(error.message, "mine"));
    ck_assert_ptr_null(strchr(error.message, '\x1b'));
    ck_assert(isnan(tv_schedule_lr(&s, 0)));
    ck_assert_str_eq(tv_schedule_name(&s), "unknown");
}
END_TEST

START_TEST(nothing_to_go_by_is_not_an_error)
{
    ck_assert_int_eq(resolve("{}"), TV_AGAIN);
    ck_assert_int_eq(resolve("{'seed': 42, 'log.total_steps': 100}"), TV_AGAIN);
    ck_assert_int_eq(resolve("{'framework': 'llamafactory', 'log.total_steps': 100}"), TV_AGAIN);
    ck_assert_int_eq(resolve("{'learning_rate': 1e-3, 'num_epochs': 3, 'log.total_steps': 100}"),
                     TV_AGAIN);
    ck_assert_ptr_null(s.kind);
    ck_assert_int_eq(
        resolve("{'learning_rate': 1e-4, 'lr_scheduler_type': 'cosine', 'num_train_epochs': 3}"),
        TV_AGAIN);
    ck_assert_double_eq(s.peak, 1e-4);
    ck_assert_str_eq(tv_schedule_name(&s), "cosine");
    ck_assert(isnan(s.total_steps));
}
END_TEST

START_TEST(timescale_has_an_effect_since_5_4_only)
{
#define TIMESCALE                                                                                  \
    "{'learning_rate': 1e-3, 'max_steps': 300, 'lr_scheduler_type': 'inverse_sqrt', "              \
    "'lr_scheduler_kwargs': {'timescale': 100}, 'transformers_version': "
    resolved(TIMESCALE "'5.3.0'}");
    ck_assert_double_eq_tol(tv_schedule_lr(&s, 10000), 1e-3 / sqrt(2), 1e-15);
    ck_assert(noted("timescale has no effect"));
    resolved(TIMESCALE "'5.4.0'}");
    ck_assert_double_eq_tol(tv_schedule_lr(&s, 100), 1e-3 / sqrt(2), 1e-15);
}
END_TEST

START_TEST(kwargs_are_read_in_all_forms)
{
    static const char *const forms[] = {"{'num_cycles': 3}", "\"{\\\"num_cycles\\\": 3}\"",
                                        "\"{\\\"num_cycles\\\": \\\"3\\\"}\"",
                                        "\"{'num_cycles': 3}\""};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char json[300];
        snprintf(json, sizeof json,
                 "{'learning_rate': 1e-4, 'max_steps': 300, 'lr_scheduler_type': "
                 "'cosine_with_restarts', "
                 "'lr_scheduler_kwargs': %s}",
                 forms[i]);
        resolved(json);
        ck_assert_msg(fabs(tv_schedule_lr(&s, 100) - 1e-4) < 1e-16, "%s", forms[i]);
        ck_assert_msg(fabs(tv_schedule_lr(&s, 50) - 5e-5) < 1e-16, "%s", forms[i]);
    }
}
END_TEST

START_TEST(a_schedule_is_a_value)
{
    make("cosine");
    struct tv_schedule other = s;
    other.total_steps = 500;
    other.peak = 1;
    ck_assert_double_eq_tol(tv_schedule_lr(&s, 1000), 0, 1e-20);
    ck_assert_double_eq_tol(tv_schedule_lr(&s, 550), 2.5e-5, 1e-18);
    ck_assert_double_eq_tol(tv_schedule_lr(&other, 300), 0.5, 1e-15);
    ck_assert(!tv_schedule_set_kind(&other, "no such kind"));
    ck_assert_str_eq(tv_schedule_name(&other), "cosine");
    ck_assert(tv_schedule_set_kind(&other, "linear"));
    ck_assert_double_eq(tv_schedule_lr(&other, 300), 0.5);
}
END_TEST

START_TEST(stride_runs_through_the_schedule_faster)
{
    make("linear");
    struct tv_schedule fast = s;
    fast.param[TV_P_STRIDE] = 4;
    for (int n = 0; n <= 300; n++)
        ck_assert_double_eq(tv_schedule_lr(&fast, n), tv_schedule_lr(&s, 4.0 * n));
}
END_TEST

START_TEST(series_equals_single_values)
{
    double series[1300];
    for (size_t i = 0; i < SEVEN; i++) {
        make(seven[i]);
        double at[] = {-2, 0, 0.5, 1, 49, 50, 51, 300.25, 999, 1000, 1001, 5000}, points[12];
        tv_schedule_points(&s, at, 12, points);
        for (int n = 0; n < 12; n++)
            ck_assert_double_eq(points[n], tv_schedule_lr(&s, at[n]));
        tv_schedule_series(&s, -3, 1300, series);
        for (int n = 0; n < 1300; n++)
            ck_assert_msg(fabs(series[n] - tv_schedule_lr(&s, n - 3)) <= 1e-14 * s.peak, "%s at %d",
                          seven[i], n - 3);
    }
    make("cosine");
    s.param[TV_P_CYCLES] = 3.7;
    s.param[TV_P_FLOOR_RATIO] = 0.1;
    tv_schedule_series(&s, 50.5, 1300, series);
    for (int n = 0; n < 1300; n++)
        ck_assert_double_eq_tol(series[n], tv_schedule_lr(&s, n + 50.5), 1e-14 * s.peak);
    s.kind = NULL;
    tv_schedule_series(&s, 0, 10, series);
    ck_assert(isnan(series[0]) && isnan(series[9]));
}
END_TEST

START_TEST(a_growing_batch_in_a_row_is_what_it_is_alone)
{
    static double series[500];
    for (int stride = 1; stride <= 2; stride++) {
        make("cosine");
        s.total_steps = 400;
        s.param[TV_P_RAMP] = 100;
        s.param[TV_P_RAMP_FROM] = s.param[TV_P_RAMP_STEP] = 0.25;
        s.param[TV_P_STRIDE] = stride;
        tv_schedule_series(&s, 0, 500, series);
        for (int n = 0; n < 500; n++)
            ck_assert_msg(fabs(series[n] - tv_schedule_lr(&s, n)) <= 1e-14 * s.peak,
                          "stride %d at %d: %.17g", stride, n, series[n]);
    }
}
END_TEST

START_TEST(restarts_in_a_row_are_where_they_are_alone)
{
    static const double cycles[] = {1, 2, 3.7, 7, 12.5};
    static double series[3100];
    for (size_t i = 0; i < sizeof cycles / sizeof *cycles; i++) {
        make("cosine_with_restarts");
        s.total_steps = 3000;
        s.param[TV_P_CYCLES] = cycles[i];
        tv_schedule_series(&s, 0, 3100, series);
        for (int n = 0; n < 3100; n++)
            ck_assert_msg(fabs(series[n] - tv_schedule_lr(&s, n)) <= 1e-14 * s.peak,
                          "%g cycles at %d: %.17g", cycles[i], n, series[n]);
    }
}
END_TEST

START_TEST(power_law_in_a_row_is_what_it_is_alone)
{
    static double series[3000];
    for (double mode = 0; mode <= 3; mode++) {
        make("inverse_sqrt");
        s.total_steps = 2500;
        s.param[TV_P_MODE] = mode;
        s.param[TV_P_FLOOR] = 0.3 * s.peak;
        tv_schedule_series(&s, -2, 3000, series);
        for (int n = 0; n < 3000; n++)
            ck_assert_double_eq_tol(series[n], tv_schedule_lr(&s, n - 2), 1e-14 * s.peak);
    }
}
END_TEST

START_TEST(cosine_is_that_of_the_library)
{
    make("cosine");
    s.total_steps = 1e6;
    s.warmup_steps = 0;
    s.peak = 1;
    s.param[TV_P_CYCLES] = 3.7;
    for (int n = 0; n <= 2000000; n += 97) {
        double expected = 0.5 * (1 + cos(M_PI * 2 * 3.7 * (n / 1e6)));
        ck_assert_double_eq_tol(tv_schedule_lr(&s, n), expected, 5e-15);
    }
}
END_TEST

START_TEST(a_million_steps_take_milliseconds)
{
    double *series = malloc(1000000 * sizeof *series);
    clock_t best = CLOCKS_PER_SEC;
    make("cosine");
    s.total_steps = 1e6;
    for (int i = 0; i < 5; i++) {
        clock_t begin = clock();
        tv_schedule_series(&s, 0, 1000000, series);
        clock_t took = clock() - begin;
        best = took < best ? took : best;
    }
    free(series);
    /* 1 ms where this was written; sanitizers and busy machines get time to spare */
    ck_assert_msg((double)best / CLOCKS_PER_SEC < 0.05, "%g s", (double)best / CLOCKS_PER_SEC);
}
END_TEST

START_TEST(plateau_cuts_after_patience_and_not_during_cooldown)
{
    static struct tv_follow follow;
    resolved("{'learning_rate': 1.0, 'lr_scheduler_type': 'reduce_lr_on_plateau', "
             "'lr_scheduler_kwargs': {'factor': 0.5, 'patience': 2, 'cooldown': 2}}");
    ck_assert(tv_schedule_follows_metric(&s) && isnan(tv_schedule_lr(&s, 0)));
    ck_assert(tv_follow_start(&follow, &s));
    const double expected[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        ck_assert_msg(tv_follow_step(&follow, 1.0) == expected[i], "evaluation %zu: %g", i,
                      follow.lr);
    make("linear");
    ck_assert(!tv_follow_start(&follow, &s));
}
END_TEST

START_TEST(greedy_raises_while_it_improves)
{
    static struct tv_follow follow;
    resolved("{'learning_rate': 0.01, 'lr_scheduler_type': 'greedy', "
             "'lr_scheduler_kwargs': {'factor': 0.5, 'patience': 1, 'max_lr': 0.015}}");
    ck_assert(tv_follow_start(&follow, &s));
    ck_assert_double_eq(tv_follow_step(&follow, 3), 0.01);
    ck_assert_double_eq(tv_follow_step(&follow, 2), 0.015);
    ck_assert_double_eq(tv_follow_step(&follow, 1), 0.015);
    for (int i = 0; i < 4; i++)
        tv_follow_step(&follow, 9);
    ck_assert_double_eq(follow.lr, 0.015 * 0.5 * 0.5);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("schedule");
    TCase *t = tcase_create("resolve");
    tcase_add_test(t, logged_value_is_one_step_behind_since_4_51);
    tcase_add_test(t, deepspeed_has_stepped_already_in_all_versions);
    tcase_add_test(t, constant_ignores_warmup_and_says_so);
    tcase_add_test(t, what_transformers_rejects_is_rejected);
    tcase_add_test(t, scheduler_that_transformers_does_not_list_is_refused);
    tcase_add_test(t, nothing_to_go_by_is_not_an_error);
    tcase_add_test(t, timescale_has_an_effect_since_5_4_only);
    tcase_add_test(t, kwargs_are_read_in_all_forms);
    suite_add_tcase(suite, t);
    t = tcase_create("values");
    tcase_add_test(t, warmup_as_long_as_the_run_never_ends);
    tcase_add_test(t, rates_lie_between_zero_and_the_peak);
    tcase_add_test(t, polynomial_of_power_one_is_linear_but_for_its_end);
    tcase_add_test(t, a_schedule_is_a_value);
    tcase_add_test(t, stride_runs_through_the_schedule_faster);
    tcase_add_test(t, series_equals_single_values);
    tcase_add_test(t, a_growing_batch_in_a_row_is_what_it_is_alone);
    tcase_add_test(t, cosine_is_that_of_the_library);
    tcase_add_test(t, restarts_in_a_row_are_where_they_are_alone);
    tcase_add_test(t, power_law_in_a_row_is_what_it_is_alone);
    tcase_add_test(t, a_million_steps_take_milliseconds);
    suite_add_tcase(suite, t);
    t = tcase_create("metric");
    tcase_add_test(t, plateau_cuts_after_patience_and_not_during_cooldown);
    tcase_add_test(t, greedy_raises_while_it_improves);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
