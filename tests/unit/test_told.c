/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/suite.h"
#include "tail/told.h"

static size_t told_len;
static struct tv_alert last;

static void tell(void *ctx, const struct tv_alert *alert)
{
    (void)ctx;
    last = *alert;
    told_len++;
}

static struct tv_alert alert_of(enum tv_severity severity, enum tv_alert_state state)
{
    return (struct tv_alert){.run = "run",
                             .detector = "divergence",
                             .subject = "loss",
                             .summary = "loss rises",
                             .fingerprint = "0123456789abcdef",
                             .severity = severity,
                             .state = state};
}

/* Looks at a run that has this alert and no other; how often something was told. */
static size_t look(struct tv_told *told, enum tv_severity severity, enum tv_alert_state state,
                   bool is_settled)
{
    struct tv_alert alert = alert_of(severity, state);
    const struct tv_alert *const alerts[] = {&alert};
    told_len = 0;
    tv_told_update(told, alerts, 1, is_settled, tell, NULL);
    return told_len;
}

START_TEST(one_that_gets_more_severe_is_told_again_and_no_other)
{
    struct tv_told told = {0};
    ck_assert_uint_eq(look(&told, TV_WARNING, TV_FIRING, true), 1);
    ck_assert_uint_eq(look(&told, TV_WARNING, TV_FIRING, true), 0);
    ck_assert_uint_eq(look(&told, TV_CRITICAL, TV_FIRING, false), 0); /* half read */
    ck_assert_uint_eq(look(&told, TV_CRITICAL, TV_FIRING, true), 1);
    ck_assert_int_eq(last.severity, TV_CRITICAL);
    ck_assert_uint_eq(look(&told, TV_CRITICAL, TV_FIRING, true), 0);
    ck_assert_uint_eq(look(&told, TV_WARNING, TV_FIRING, true), 0);
    ck_assert_uint_eq(look(&told, TV_CRITICAL, TV_RESOLVED, true), 1);
    ck_assert_uint_eq(look(&told, TV_CRITICAL, TV_RESOLVED, true), 0);
    tv_told_free(&told);
}
END_TEST

START_TEST(one_that_got_more_severe_while_nobody_looked_is_told_after_the_restart)
{
    struct tv_told told = {0};
    struct tv_alert known = alert_of(TV_WARNING, TV_FIRING);
    tv_told_recall(&told, &known);
    ck_assert_uint_eq(look(&told, TV_WARNING, TV_FIRING, true), 0);
    ck_assert_uint_eq(look(&told, TV_CRITICAL, TV_FIRING, true), 1);
    tv_told_free(&told);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("told");
    TCase *tcase = tcase_create("told");
    tcase_add_test(tcase, one_that_gets_more_severe_is_told_again_and_no_other);
    tcase_add_test(tcase, one_that_got_more_severe_while_nobody_looked_is_told_after_the_restart);
    suite_add_tcase(s, tcase);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
