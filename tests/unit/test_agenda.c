/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/noise.h"
#include "support/suite.h"
#include "tail/follow_parts.h"
#include <math.h>

enum { RUNS = 100, CHANGES = 4000 };

static double soonest(const struct tv_followed *runs)
{
    double next = INFINITY;
    for (size_t i = 0; i < RUNS; i++)
        if (runs[i].place)
            next = fmin(next, runs[i].next_look);
    return next;
}

START_TEST(the_first_is_always_the_one_that_is_due_first)
{
    struct tv_noise noise = {11};
    struct tv_followed runs[RUNS] = {0};
    struct tv_agenda agenda = {0};
    for (int change = 0; change < CHANGES; change++) {
        struct tv_followed *run = &runs[(size_t)(tv_noise_uniform(&noise) * RUNS) % RUNS];
        if (tv_noise_uniform(&noise) < 0.3)
            tv_agenda_remove(&agenda, run);
        else
            tv_agenda_put(&agenda, run, floor(tv_noise_uniform(&noise) * 50));
        const struct tv_followed *first = tv_agenda_first(&agenda);
        ck_assert(first ? first->next_look == soonest(runs) : isinf(soonest(runs)));
    }
    for (double before = 0; tv_agenda_first(&agenda);) {
        struct tv_followed *first = tv_agenda_first(&agenda);
        ck_assert_double_ge(first->next_look, before);
        before = first->next_look;
        tv_agenda_remove(&agenda, first);
    }
    ck_assert(isinf(soonest(runs)));
    tv_agenda_free(&agenda);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("agenda");
    TCase *order = tcase_create("order");
    tcase_add_test(order, the_first_is_always_the_one_that_is_due_first);
    suite_add_tcase(s, order);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
