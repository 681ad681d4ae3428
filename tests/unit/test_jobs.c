/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/jobs.h"
#include "support/suite.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

enum { PIECES = 1000 };

struct record {
    atomic_int worked[PIECES];
    size_t done;
    pthread_t caller;
    atomic_size_t ahead, begun;
    atomic_int idle;
};

static void work(void *ctx, size_t i)
{
    struct record *record = ctx;
    if (i % 97 == 0)
        usleep(2000); /* late pieces must not be overtaken in the output */
    size_t begun = atomic_fetch_add(&record->begun, 1) + 1;
    (void)begun;
    atomic_fetch_add(&record->worked[i], 1);
}

static void done(void *ctx, size_t i)
{
    struct record *record = ctx;
    ck_assert(pthread_equal(pthread_self(), record->caller));
    ck_assert_uint_eq(i, record->done);
    ck_assert_int_eq(atomic_load(&record->worked[i]), 1);
    record->done++;
    size_t ahead = atomic_load(&record->begun) - record->done;
    if (ahead > atomic_load(&record->ahead))
        atomic_store(&record->ahead, ahead);
}

static void work_until_idle(void *ctx, size_t i)
{
    work(ctx, i);
    while (atomic_load(&((struct record *)ctx)->idle) == 0)
        usleep(1000);
}

static void idle(void *ctx)
{
    atomic_fetch_add(&((struct record *)ctx)->idle, 1);
}

START_TEST(every_piece_is_done_once_and_in_order)
{
    static const unsigned threads[] = {1, 2, 7};
    struct record record = {.caller = pthread_self()};
    tv_jobs_run(&(struct tv_jobs){
        .count = PIECES, .threads = threads[_i], .ctx = &record, .work = work, .done = done});
    ck_assert_uint_eq(record.done, PIECES);
    ck_assert_uint_le(record.ahead, 64 + 5 * threads[_i] + 1);
}
END_TEST

static uint64_t size_of(void *ctx, size_t i)
{
    (void)ctx;
    return i == 9 ? 1000 : 100;
}

/* The small ones wait for the large one, which nobody would begin if they came first. */
static void work_beside_large(void *ctx, size_t i)
{
    struct record *record = ctx;
    if (i == 9)
        atomic_store(&record->begun, 1);
    for (int ms = 0; ms < 20000 && !atomic_load(&record->begun); ms++)
        usleep(1000);
    atomic_store(&record->worked[i], 1);
    ck_assert_uint_eq(atomic_load(&record->begun), 1);
}

START_TEST(a_piece_that_would_end_alone_begins_before_its_turn)
{
    struct record record = {.caller = pthread_self()};
    tv_jobs_run(&(struct tv_jobs){.count = 10,
                                  .threads = 2,
                                  .ctx = &record,
                                  .size = size_of,
                                  .work = work_beside_large,
                                  .done = done});
    ck_assert_uint_eq(record.done, 10);
}
END_TEST

START_TEST(no_work_is_fine)
{
    struct record record = {.caller = pthread_self()};
    tv_jobs_run(&(struct tv_jobs){.threads = 4, .ctx = &record, .work = work, .done = done});
    ck_assert_uint_eq(record.done, 0);
}
END_TEST

START_TEST(waiting_is_told)
{
    struct record record = {.caller = pthread_self()};
    tv_jobs_run(&(struct tv_jobs){.count = 1,
                                  .threads = 1,
                                  .ctx = &record,
                                  .work = work_until_idle,
                                  .done = done,
                                  .idle = idle});
    ck_assert_int_ge(atomic_load(&record.idle), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("jobs");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, every_piece_is_done_once_and_in_order, 0, 3);
    tcase_add_test(tcase, a_piece_that_would_end_alone_begins_before_its_turn);
    tcase_add_test(tcase, no_work_is_fine);
    tcase_add_test(tcase, waiting_is_told);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
