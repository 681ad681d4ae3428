/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The detector through the engine. Which cause is named is the matter of
 * tests/replay/lr_injection.c. */
#include "support/log.h"
#include "support/suite.h"
#include "trainvet/number.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LR "train/learning_rate"

static void open_log(struct tv_log *log, const char *kind, const char *total, const char *warmup)
{
    tv_log_open(log, "lr_mismatch");
    tv_log_fact(log, "learning_rate", "1e-3");
    tv_log_fact(log, "lr_scheduler_type", kind);
    if (total)
        tv_log_fact(log, "max_steps", total);
    if (warmup)
        tv_log_fact(log, "warmup_steps", warmup);
}

static double linear(double n, double total, double warmup)
{
    return 1e-3 * (n < warmup ? n / warmup : fmax(0, (total - n) / (total - warmup)));
}

static const struct tv_alert *end(struct tv_log *log)
{
    tv_log_end(log, NAN);
    return tv_log_alert(log, "lr_mismatch");
}

START_TEST(state_stays_small)
{
    for (size_t i = 0; tv_detectors[i]; i++)
        if (!strcmp(tv_detectors[i]->name, "lr_mismatch"))
            ck_assert_uint_le(tv_detectors[i]->state_size, 2048);
}
END_TEST

START_TEST(without_a_promise_nothing_is_said)
{
    struct tv_log log;
    tv_log_open(&log, "lr_mismatch");
    for (int g = 10; g <= 500; g += 10)
        tv_log_point(&log, LR, g, 1e-3 * (g % 70));
    ck_assert_ptr_null(end(&log));
    struct tv_run_report report;
    tv_run_report(log.run, &report);
    ck_assert_uint_eq(report.silences_len, 1);
    ck_assert_ptr_nonnull(strstr(report.silences[0].reason, "no configuration was found"));
    tv_log_close(&log);
}
END_TEST

START_TEST(defaults_that_nobody_wrote_are_no_promise)
{
    struct tv_log log;
    tv_log_open(&log, "lr_mismatch");
    tv_log_fact(&log, "per_device_train_batch_size", "8");
    tv_log_fact(&log, "max_steps", "500");
    for (int g = 10; g <= 500; g += 10)
        tv_log_point(&log, LR, g, 3e-4);
    ck_assert_ptr_null(end(&log));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_ramped_batch_size_is_left_alone)
{
    struct tv_log log;
    open_log(&log, "linear", "500", "50");
    tv_log_fact(&log, "rampup_batch_size", "['32', '32', '1953125']");
    for (int g = 10; g <= 500; g += 10)
        tv_log_point(&log, LR, g, 3e-4);
    ck_assert_ptr_null(end(&log));
    tv_log_close(&log);
}
END_TEST

/* Behind exact points the tolerance is 0.25 % of the promised value, and twice that counts double.
 */
START_TEST(two_points_that_are_a_little_off_are_not_enough)
{
    struct tv_log log;
    open_log(&log, "linear", "500", "50");
    for (int g = 10; g <= 500; g += 10)
        tv_log_point(&log, LR, g, (g == 200 || g == 210 ? 1.004 : 1) * linear(g, 500, 50));
    ck_assert_ptr_null(end(&log));
    tv_log_close(&log);
}
END_TEST

START_TEST(three_of_them_are)
{
    struct tv_log log;
    open_log(&log, "linear", "500", "50");
    for (int g = 10; g <= 220; g += 10)
        tv_log_point(&log, LR, g, (g >= 200 ? 1.004 : 1) * linear(g, 500, 50));
    const struct tv_alert *alert = end(&log);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 200);
    ck_assert_int_eq(alert->step, 220);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_point_that_is_far_off_is_said_at_once)
{
    struct tv_log log;
    open_log(&log, "linear", "500", "50");
    for (int g = 10; g <= 220; g += 10)
        tv_log_point(&log, LR, g, g >= 200 ? 7e-4 + 1e-7 * g : linear(g, 500, 50));
    tv_run_pump(log.run, true);
    const struct tv_alert *alert = tv_log_alert(&log, "lr_mismatch");
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 200);
    ck_assert_int_eq(alert->step, 200);
    ck_assert_str_eq(alert->subject, LR);
    tv_log_close(&log);
}
END_TEST

START_TEST(an_excursion_resolves_when_the_promise_is_kept_again)
{
    struct tv_log log;
    open_log(&log, "linear", "500", "50");
    for (int g = 10; g <= 500; g += 10)
        tv_log_point(&log, LR, g, g == 200 || g == 210 ? 7e-4 : linear(g, 500, 50));
    const struct tv_alert *alert = end(&log);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 200);
    ck_assert_int_eq(alert->state, TV_RESOLVED);
    tv_log_close(&log);
}
END_TEST

/* fp16: the schedule lags, by first steps and later ones. */
START_TEST(skipped_steps_are_counted_and_left_alone)
{
    static const struct {
        const char *kind;
        int first, later, every; /* skipped at the start, one every so many steps later */
    } cases[] = {{"linear", 3, 0, 1}, {"linear", 0, 4, 10},  {"cosine", 10, 3, 10},
                 {"cosine", 1, 0, 5}, {"linear", 16, 2, 25}, {"polynomial", 2, 5, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tv_log log;
        open_log(&log, cases[i].kind, "2000", "100");
        tv_log_fact(&log, "transformers_version", "4.40.0"); /* else one may be the offset */
        struct tv_schedule promise = *tv_run_schedule(log.run, NULL, NULL);
        int lag = 0, most = cases[i].first + cases[i].later;
        for (int g = 1; g < 2000; g++) {
            lag += g <= cases[i].first || (lag < most && g % 350 == 0);
            double lr = tv_schedule_lr(&promise, g - lag);
            if (g % cases[i].every == 0)
                tv_log_point(&log, LR, g, (double)(float)lr);
        }
        const struct tv_alert *alert = end(&log);
        ck_assert_msg(!alert, "%zu: %s", i, alert ? alert->summary : "");
        struct tv_run_report report;
        tv_run_report(log.run, &report);
        ck_assert_int_eq(report.skipped_steps, lag);
        char number[40];
        snprintf(number, sizeof number, "%d optimizer step", lag);
        ck_assert_ptr_nonnull(strstr(report.schedule_note, number));
        tv_log_close(&log);
    }
}
END_TEST

/* A schedule of stairs that is late by a whole factor shows as a fault, not as skipped steps. */
START_TEST(stairs_that_are_late_by_a_factor_are_a_mismatch)
{
    for (int factor = 2; factor <= 8; factor *= 2) {
        struct tv_log log;
        tv_log_open(&log, "lr_mismatch");
        tv_log_fact(&log, "framework", "torch");
        tv_log_fact(&log, "optimizer.lr", "1e-3");
        tv_log_fact(&log, "lr_scheduler.class_path", "torch.optim.lr_scheduler.StepLR");
        tv_log_fact(&log, "lr_scheduler.init_args.step_size", "100");
        for (int g = 0; g <= 1600; g += 5)
            tv_log_point(&log, LR, g, 1e-3 * pow(0.1, floor(g / (100.0 * factor))));
        const struct tv_alert *alert = end(&log);
        ck_assert_msg(alert != NULL, "factor %d", factor);
        tv_log_close(&log);
    }
}
END_TEST

/* Twice as fast: at the peak, where the promise is too, nothing is over. */
START_TEST(a_stretch_at_the_peak_does_not_resolve)
{
    struct tv_log log;
    open_log(&log, "warmup_stable_decay", "800", "80");
    tv_log_fact(&log, "lr_scheduler_kwargs.num_decay_steps", "300");
    tv_log_fact(&log, "lr_scheduler_kwargs.decay_type", "linear");
    for (int g = 5; g <= 400; g += 5) {
        double n = 2 * g, lr = n < 80 ? n / 80 : n < 500 ? 1 : (800 - n) / 300;
        tv_log_point(&log, LR, g, 1e-3 * lr);
    }
    const struct tv_alert *alert = end(&log);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->state, TV_FIRING);
    ck_assert_int_eq(alert->onset_step, 5);
    ck_assert_ptr_nonnull(strstr(alert->summary, "makes 2 steps"));
    tv_log_close(&log);
}
END_TEST

START_TEST(zero_and_repeated_values_need_three)
{
    struct tv_log log;
    open_log(&log, "linear", "500", "50");
    for (int g = 10; g <= 500; g += 10)
        tv_log_point(&log, LR, g, g == 10 || g == 20 ? 0 : linear(g, 500, 50));
    ck_assert_ptr_null(end(&log));
    tv_log_close(&log);
}
END_TEST

START_TEST(more_points_refine_the_cause_and_not_the_identity)
{
    struct tv_log log;
    open_log(&log, "linear", "800", "80");
    char fingerprint[17] = "";
    tv_log_fact(&log, "gradient_accumulation_steps", "4");
    for (int g = 10; g <= 800; g += 10) {
        tv_log_point(&log, LR, g, linear(g, 800, 320));
        const struct tv_alert *alert = tv_log_alert(&log, "lr_mismatch");
        if (alert && !*fingerprint)
            memcpy(fingerprint, alert->fingerprint, sizeof fingerprint);
    }
    const struct tv_alert *alert = end(&log);
    ck_assert_ptr_nonnull(alert);
    ck_assert_str_eq(alert->fingerprint, fingerprint);
    ck_assert_str_eq(alert->summary, "the warm-up takes 320 steps, the configuration says 80");
    ck_assert_ptr_nonnull(strstr(alert->causes[0], "gradient_accumulation_steps"));
    ck_assert_ptr_nonnull(strstr(alert->advice[0], "warmup_steps: 80 -> 320"));
    ck_assert_int_le(alert->onset_step, 40);
    tv_log_close(&log);
}
END_TEST

START_TEST(late_facts_take_an_alert_back)
{
    struct tv_log log;
    open_log(&log, "linear", "800", "80");
    for (int g = 10; g <= 400; g += 10)
        tv_log_point(&log, LR, g, linear(g, 500, 80));
    ck_assert_ptr_nonnull(tv_log_alert(&log, "lr_mismatch"));
    tv_log_fact(&log, "max_steps", "500");
    for (int g = 410; g <= 500; g += 10)
        tv_log_point(&log, LR, g, linear(g, 500, 80));
    ck_assert_int_eq(end(&log)->state, TV_RESOLVED);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_run_resumed_with_other_settings_keeps_both_promises)
{
    struct tv_log log;
    open_log(&log, "linear", "500", "50");
    for (int g = 10; g <= 400; g += 10)
        tv_log_point(&log, LR, g, linear(g, 500, 50));
    tv_log_next_file(&log);
    tv_log_fact(&log, "max_steps", "900");
    for (int g = 310; g <= 900; g += 10)
        tv_log_point(&log, LR, g, linear(g, 900, 50));
    ck_assert_ptr_null(end(&log));
    tv_log_close(&log);
}
END_TEST

START_TEST(facts_behind_the_points_are_judged_at_the_end)
{
    struct tv_log log;
    open_log(&log, "linear", NULL, "80");
    for (int g = 10; g <= 400; g += 10)
        tv_log_point(&log, LR, g, 2 * linear(g, 500, 80));
    tv_log_fact(&log, "max_steps", "500");
    ck_assert_ptr_nonnull(end(&log));
    tv_log_close(&log);
}
END_TEST

START_TEST(nothing_fits_is_said_too)
{
    struct tv_log log;
    open_log(&log, "linear", "800", "80");
    for (int g = 10; g <= 800; g += 10)
        tv_log_point(&log, LR, g, 1e-3 * fabs(sin(g * g * 0.37)));
    const struct tv_alert *alert = end(&log);
    ck_assert_ptr_nonnull(strstr(alert->summary, "no known cause explains it"));
    tv_log_close(&log);
}
END_TEST

START_TEST(not_a_number_is_not_a_mismatch)
{
    struct tv_log log;
    open_log(&log, "linear", "800", "80");
    for (int g = 10; g <= 800; g += 10)
        tv_log_point(&log, LR, g, g % 50 ? linear(g, 800, 80) : g % 100 ? NAN : INFINITY);
    ck_assert_ptr_null(end(&log));
    tv_log_close(&log);
}
END_TEST

/* ---- parameter groups ---- */

/* Each of the tags logs its factor of the promise, NULL ends them. */
static const struct tv_alert *groups(struct tv_log *log, const char *key, const char *value,
                                     const char *const *tags, const double *factors)
{
    open_log(log, "linear", "800", "80");
    if (key)
        tv_log_fact(log, key, value);
    for (int g = 10; g <= 800; g += 10)
        for (int i = 0; tags[i]; i++)
            tv_log_point(log, tags[i], g, factors[i] * linear(g, 800, 80));
    return end(log);
}

START_TEST(one_group_that_keeps_the_promise_is_enough)
{
    static const struct {
        const char *tags[4];
        double factors[3];
    } logs[] = {{{"lr-AdamW/pg1", "lr-AdamW/pg2"}, {1, 0.1}},
                {{"lr-AdamW/pg1", "lr-AdamW/pg2"}, {0.1, 1}},
                {{"lr-AdamW/pg1", "lr-AdamW/pg2", "lr-AdamW/pg3"}, {16, 4, 1}},
                {{"lr/pg0", "lr/pg1", "lr/pg2"}, {0.5, 1, 1}},
                {{"lr-SGD/pg1", "lr-SGD/pg2"}, {0, 1}},
                {{"optim/learning_rate_group0", "optim/learning_rate_group1"}, {3, 1}}};
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        struct tv_log log;
        const struct tv_alert *alert = groups(&log, NULL, NULL, logs[i].tags, logs[i].factors);
        ck_assert_msg(!alert, "%zu: %s", i, alert ? alert->summary : "");
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(groups_of_which_none_keeps_the_promise_are_a_mismatch)
{
    static const char *const tags[] = {"lr-AdamW/pg1", "lr-AdamW/pg2", NULL};
    static const double factors[] = {0.1, 0.2};
    struct tv_log log;
    const struct tv_alert *alert = groups(&log, NULL, NULL, tags, factors);
    ck_assert_ptr_nonnull(alert);
    ck_assert_ptr_nonnull(strstr(alert->summary, "0.1 times"));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_group_that_a_setting_is_for_is_named)
{
    static const struct {
        const char *key, *value, *tag;
        double factor;
    } cases[] = {{"loraplus_lr_ratio", "16", LR, 16},
                 {"embedding_lr", "1e-4", LR, 0.1},
                 {"model.decoder_lr", "5e-3", "lr-AdamW/pg3", 5},
                 {"layer_decay", "0.75", LR, 0.237304688},
                 {"optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult", "0.1", LR, 0.1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tv_log log;
        const char *const tags[] = {cases[i].tag, NULL};
        const struct tv_alert *alert =
            groups(&log, cases[i].key, cases[i].value, tags, &cases[i].factor);
        ck_assert_msg(alert != NULL, "%s", cases[i].key);
        ck_assert_msg(alert->severity == TV_INFO, "%s: %s", cases[i].key, alert->summary);
        ck_assert_ptr_nonnull(strstr(alert->summary, "another parameter group"));
        ck_assert_ptr_nonnull(strstr(alert->causes[0], cases[i].key));
        bool has_number = strstr(alert->summary, "group 2 (lr-AdamW/pg3)") != NULL;
        ck_assert_int_eq(has_number, strcmp(cases[i].tag, LR) != 0);
        tv_log_close(&log);
    }
}
END_TEST

/* ---- a minimum that no setting gives ---- */

static const struct tv_alert *open_minimum(struct tv_log *log, double lowest)
{
    tv_log_open(log, "lr_mismatch");
    tv_log_fact(log, "lr", "1e-3");
    tv_log_fact(log, "lr_scheduler", "cosine_with_min_lr");
    tv_log_fact(log, "max_steps", "500");
    tv_log_fact(log, "warmup_steps", "20");
    for (int g = 4; g < 500; g += 5) {
        double wave = 0.5 * (1 + cos(M_PI * (g - 20) / 480.0));
        double part = g < 20 ? g / 20.0 : wave * (1 - lowest) + lowest;
        tv_log_point(log, "lr-AdamW", g, 1e-3 * part);
    }
    return end(log);
}

START_TEST(any_minimum_keeps_an_open_promise_and_none_breaks_it)
{
    struct tv_log log;
    static const double lowest[] = {0.5, 0.2, 0.1, 0.01};
    for (size_t i = 0; i < sizeof lowest / sizeof *lowest; i++) {
        ck_assert_ptr_null(open_minimum(&log, lowest[i]));
        tv_log_close(&log);
    }
    ck_assert_ptr_nonnull(open_minimum(&log, 0));
    tv_log_close(&log);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("lr_mismatch");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, state_stays_small);
    tcase_add_test(tc, without_a_promise_nothing_is_said);
    tcase_add_test(tc, defaults_that_nobody_wrote_are_no_promise);
    tcase_add_test(tc, a_ramped_batch_size_is_left_alone);
    tcase_add_test(tc, two_points_that_are_a_little_off_are_not_enough);
    tcase_add_test(tc, three_of_them_are);
    tcase_add_test(tc, a_point_that_is_far_off_is_said_at_once);
    tcase_add_test(tc, an_excursion_resolves_when_the_promise_is_kept_again);
    tcase_add_test(tc, skipped_steps_are_counted_and_left_alone);
    tcase_add_test(tc, stairs_that_are_late_by_a_factor_are_a_mismatch);
    tcase_add_test(tc, a_stretch_at_the_peak_does_not_resolve);
    tcase_add_test(tc, zero_and_repeated_values_need_three);
    tcase_add_test(tc, more_points_refine_the_cause_and_not_the_identity);
    tcase_add_test(tc, late_facts_take_an_alert_back);
    tcase_add_test(tc, a_run_resumed_with_other_settings_keeps_both_promises);
    tcase_add_test(tc, facts_behind_the_points_are_judged_at_the_end);
    tcase_add_test(tc, nothing_fits_is_said_too);
    tcase_add_test(tc, one_group_that_keeps_the_promise_is_enough);
    tcase_add_test(tc, groups_of_which_none_keeps_the_promise_are_a_mismatch);
    tcase_add_test(tc, a_group_that_a_setting_is_for_is_named);
    tcase_add_test(tc, not_a_number_is_not_a_mismatch);
    tcase_add_test(tc, any_minimum_keeps_an_open_promise_and_none_breaks_it);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
