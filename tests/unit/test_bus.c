/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of what detectors say: engine/bus.c and engine/story.c. */
#include "support/log.h"
#include "support/suite.h"
#include <limits.h>
#include <math.h>
#include <string.h>

static void high_sees(struct tv_view *view, const void *options, void *state,
                      const struct tv_point *point)
{
    (void)options;
    (void)state;
    struct tv_finding finding = {.subject = "loss",
                                 .summary = "it is high",
                                 .onset_step = point->step,
                                 .observed = point->value,
                                 .expected = NAN,
                                 .confidence = NAN};
    if (point->value > 1)
        tv_raise(view, &finding);
    else
        tv_clear(view, "loss");
}

static void doubtful_sees(struct tv_view *view, const void *options, void *state,
                          const struct tv_point *point)
{
    if (point->value < 0)
        tv_withdraw(view, "loss");
    else
        high_sees(view, options, state, point);
}

static const struct tv_detector doubtful = {.name = "doubtful",
                                            .summary = "",
                                            .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS),
                                            .on_sample = doubtful_sees};

static const struct tv_detector high = {.name = "high",
                                        .summary = "",
                                        .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS),
                                        .on_sample = high_sees};

/* It comes every ten steps up to `last`, then it stays away. */
static size_t flap(struct tv_log *log, unsigned after, int last, int end,
                   const struct tv_alert *const **ret)
{
    static const struct tv_detector *const one[] = {&high, NULL};
    *log = (struct tv_log){.options = {.detectors = one, .flapping_after = after}};
    log->run = tv_run_new(&log->options, "test");
    log->source = tv_log_source(log, "", 0, &log->emit);
    for (int step = 0; step <= end; step++)
        tv_log_point(log, "train/loss", step, step <= last && step % 10 < 3 ? 2 : 1);
    return tv_run_alerts(log->run, ret);
}

START_TEST(what_comes_and_goes_is_told_five_times_and_then_once)
{
    struct tv_log log;
    const struct tv_alert *const *alerts;
    ck_assert_uint_eq(flap(&log, 0, 49, 49, &alerts), 5);
    ck_assert_int_eq(alerts[4]->state, TV_RESOLVED);
    tv_log_close(&log);
    ck_assert_uint_eq(flap(&log, 0, 999, 999, &alerts), 6);
    ck_assert_int_eq(alerts[5]->state, TV_FIRING);
    ck_assert_int_eq(alerts[5]->onset_step, 50);
    ck_assert_str_eq(alerts[5]->summary, "comes and goes, 100 times since step 0: it is high");
    ck_assert_double_eq(alerts[5]->evidence[0].value, 100);
    tv_log_close(&log);
    ck_assert_uint_eq(flap(&log, 0, 999, 1012, &alerts), 6);
    ck_assert_int_eq(alerts[5]->state, TV_FIRING);
    tv_log_close(&log);
    ck_assert_uint_eq(flap(&log, 0, 999, 1030, &alerts), 6);
    ck_assert_int_eq(alerts[5]->state, TV_RESOLVED);
    ck_assert_int_eq(alerts[5]->resolved_step, 1014);
    for (int step = 1031; step < 1100; step++)
        tv_log_point(&log, "train/loss", step, step % 10 < 3 ? 2 : 1);
    ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 12); /* and begins anew */
    ck_assert_str_eq(alerts[6]->summary, "it is high");
    tv_log_close(&log);
    ck_assert_uint_eq(flap(&log, UINT_MAX, 999, 999, &alerts), 100);
    tv_log_close(&log);
}
END_TEST

/* Two detectors by the names of a cause and its consequence. */
static void raise_above(struct tv_view *view, double limit, const struct tv_point *point)
{
    struct tv_finding finding = {
        .subject = "x", .severity = TV_WARNING, .onset_step = point->step, .summary = ""};
    if (point->value > limit)
        tv_raise(view, &finding);
}

static void cause_sees(struct tv_view *view, const void *options, void *state,
                       const struct tv_point *point)
{
    (void)options;
    (void)state;
    raise_above(view, 10, point);
}

static void effect_sees(struct tv_view *view, const void *options, void *state,
                        const struct tv_point *point)
{
    (void)options;
    (void)state;
    raise_above(view, 20, point);
}

START_TEST(a_consequence_names_its_cause)
{
    static const struct tv_detector cause = {.name = "divergence",
                                             .summary = "",
                                             .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS),
                                             .on_sample = cause_sees};
    static const struct tv_detector effect = {.name = "non_finite",
                                              .summary = "",
                                              .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS),
                                              .on_sample = effect_sees};
    static const struct tv_detector unrelated = {.name = "stall_of_another_kind",
                                                 .summary = "",
                                                 .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS),
                                                 .on_sample = effect_sees};
    static const struct tv_detector *const three[] = {&effect, &cause, &unrelated, NULL};
    struct tv_log log = {.options = {.detectors = three}};
    log.run = tv_run_new(&log.options, "test");
    log.source = tv_log_source(&log, "", 0, &log.emit);
    for (int step = 1; step <= 30; step++)
        tv_log_point(&log, "train/loss", step, step);
    tv_log_end(&log, NAN);
    const struct tv_alert *first = tv_log_alert(&log, "divergence");
    ck_assert_ptr_null(first->leader);
    ck_assert_ptr_eq(tv_log_alert(&log, "non_finite")->leader, first);
    ck_assert_ptr_null(tv_log_alert(&log, "stall_of_another_kind")->leader);
    tv_log_close(&log);
}
END_TEST

START_TEST(what_is_withdrawn_was_never_there_and_the_next_one_is_another)
{
    static const struct tv_detector *const one[] = {&doubtful, NULL};
    struct tv_log log = {.options = {.detectors = one}};
    const struct tv_alert *const *alerts;
    char first[sizeof alerts[0]->fingerprint];
    log.run = tv_run_new(&log.options, "test");
    log.source = tv_log_source(&log, "", 0, &log.emit);
    tv_log_point(&log, "train/loss", 1, 2);
    ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 1);
    memcpy(first, alerts[0]->fingerprint, sizeof first);
    for (int step = 2; step < 2000; step += 2) { /* more often than a run may have alerts */
        tv_log_point(&log, "train/loss", step, -1);
        ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 0);
        tv_log_point(&log, "train/loss", step + 1, 2);
        ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 1);
        ck_assert_str_ne(alerts[0]->fingerprint, first);
        ck_assert_int_eq(alerts[0]->onset_step, step + 1);
        ck_assert_uint_eq(alerts[0]->episode, (uint32_t)step / 2);
    }
    tv_log_point(&log, "train/loss", 2000, 1); /* over, and no longer to be withdrawn */
    tv_log_point(&log, "train/loss", 2001, -1);
    ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 1);
    ck_assert_int_eq(alerts[0]->state, TV_RESOLVED);
    tv_log_close(&log);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("bus");
    TCase *tcase = tcase_create("bus");
    tcase_add_test(tcase, what_comes_and_goes_is_told_five_times_and_then_once);
    tcase_add_test(tcase, a_consequence_names_its_cause);
    tcase_add_test(tcase, what_is_withdrawn_was_never_there_and_the_next_one_is_another);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
