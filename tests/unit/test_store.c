/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "sinks/lib/alert_json.h"
#include "store/alert_text.h"
#include "store/store.h"
#include "support/suite.h"
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/trainvet-store-XXXXXX";
static const char *const two_sinks[] = {"ops", "chat", NULL};

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

static void make_dir(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
    nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

static struct tv_store *opened(char note[512])
{
    struct tv_store *store = NULL;
    struct tv_error error;
    char own[512];
    ck_assert_msg(tv_store_open(dir, &store, note ? note : own, &error) == TV_OK, "%s",
                  error.message);
    return store;
}

static struct tv_alert alert_number(int n, enum tv_alert_state state)
{
    struct tv_alert alert = {.run = "run",
                             .detector = "divergence",
                             .subject = "train/loss",
                             .severity = TV_CRITICAL,
                             .state = state,
                             .onset_step = 10,
                             .step = 12,
                             .wall_time = 1.8e9,
                             .observed = NAN,
                             .expected = 2.5,
                             .confidence = NAN,
                             .summary = "the loss \"rose\"",
                             .evidence = {{"threshold", 0.1}, {"worst", INFINITY}},
                             .evidence_len = 2,
                             .causes = {"one", "two"},
                             .causes_len = 2,
                             .advice = {"learning_rate: 1 -> 0.5"},
                             .advice_len = 1};
    snprintf(alert.fingerprint, sizeof alert.fingerprint, "%016x", n);
    return alert;
}

static bool put(struct tv_store *store, int n, enum tv_alert_state state, double now)
{
    struct tv_alert alert = alert_number(n, state);
    bool is_new = false;
    ck_assert_int_eq(tv_store_alert(store, &alert, two_sinks, now, &is_new, NULL), TV_OK);
    return is_new;
}

START_TEST(an_alert_survives_as_json)
{
    struct tv_alert alert = alert_number(7, TV_RESOLVED), back;
    struct tv_json json = {0}, again = {0};
    struct tv_arena arena = {0};
    alert.resolved_step = 40;
    tv_alert_json(&json, &alert);
    ck_assert(tv_alert_from_json(json.data, &arena, &back));
    tv_alert_json(&again, &back);
    ck_assert_str_eq(json.data, again.data);
    ck_assert(!tv_alert_from_json("{\"type\":\"run\"}", &arena, &back));
    ck_assert(!tv_alert_from_json("{", &arena, &back));
    tv_json_free(&json);
    tv_json_free(&again);
    tv_arena_free(&arena);
}
END_TEST

START_TEST(each_state_is_owed_once_to_each_sink)
{
    struct tv_store *store = opened(NULL);
    struct tv_delivery delivery;
    ck_assert(put(store, 1, TV_FIRING, 100));
    ck_assert(!put(store, 1, TV_FIRING, 101));
    ck_assert(tv_store_next(store, "ops", 200, &delivery));
    ck_assert_str_eq(delivery.alert.summary, "the loss \"rose\"");
    tv_store_delivered(store, delivery.id);
    ck_assert(!tv_store_next(store, "ops", 200, &delivery));
    ck_assert(tv_store_next(store, "chat", 200, &delivery));
    ck_assert(put(store, 1, TV_RESOLVED, 300));
    ck_assert(!put(store, 1, TV_RESOLVED, 301));
    ck_assert_uint_eq(tv_store_count(store, "ops").delivered, 1);
    ck_assert_uint_eq(tv_store_count(store, "chat").owed, 2);
    tv_store_close(store);
}
END_TEST

START_TEST(what_is_over_is_never_told_before_it_began)
{
    struct tv_store *store = opened(NULL);
    struct tv_delivery delivery;
    put(store, 1, TV_FIRING, 100);
    put(store, 1, TV_RESOLVED, 101);
    ck_assert(tv_store_next(store, "ops", 200, &delivery));
    ck_assert_int_eq(delivery.alert.state, TV_FIRING);
    tv_store_failed(store, delivery.id, 500, "connection refused");
    ck_assert(!tv_store_next(store, "ops", 200, &delivery));
    ck_assert(tv_store_next(store, "ops", 500, &delivery));
    ck_assert_int_eq(delivery.attempts, 1);
    ck_assert_int_eq(delivery.alert.state, TV_FIRING);
    tv_store_delivered(store, delivery.id);
    ck_assert(tv_store_next(store, "ops", 500, &delivery));
    ck_assert_int_eq(delivery.alert.state, TV_RESOLVED);
    tv_store_close(store);
}
END_TEST

START_TEST(a_restart_loses_and_repeats_nothing)
{
    struct tv_delivery delivery;
    struct tv_store *store = opened(NULL);
    put(store, 1, TV_FIRING, 100);
    put(store, 2, TV_FIRING, 100);
    ck_assert(tv_store_next(store, "ops", 200, &delivery));
    tv_store_delivered(store, delivery.id);
    tv_store_run_done(store, "/runs/a", "digest", "{}");
    tv_store_close(store);
    store = opened(NULL);
    ck_assert(!put(store, 1, TV_FIRING, 300));
    ck_assert(!put(store, 2, TV_FIRING, 300));
    ck_assert(tv_store_next(store, "ops", 300, &delivery));
    ck_assert_str_eq(delivery.alert.fingerprint, "0000000000000002");
    ck_assert(tv_store_is_done(store, "/runs/a", "digest"));
    ck_assert(!tv_store_is_done(store, "/runs/a", "other"));
    tv_store_close(store);
}
END_TEST

/* systemd's StateDirectory= of a dynamic user is one. */
START_TEST(the_state_directory_may_be_a_link)
{
    struct tv_error error = {0};
    struct tv_store *store = NULL;
    char note[512], real[128], link[128];
    snprintf(real, sizeof real, "%s/private", dir);
    snprintf(link, sizeof link, "%s/link", dir);
    ck_assert_int_eq(mkdir(real, 0700), 0);
    ck_assert_int_eq(symlink("private", link), 0);
    ck_assert_msg(tv_store_open(link, &store, note, &error) == TV_OK, "%s", error.message);
    ck_assert(put(store, 1, TV_FIRING, 100));
    tv_store_close(store);
    ck_assert_msg(tv_store_open_to_read(link, &store, &error) == TV_OK, "%s", error.message);
    tv_store_close(store);
}
END_TEST

START_TEST(a_full_queue_drops_the_oldest_and_counts)
{
    struct tv_store *store = NULL;
    struct tv_error error;
    char note[512];
    ck_assert_int_eq(tv_store_open(NULL, &store, note, &error), TV_OK);
    for (int n = 0; n < TV_STORE_OUTBOX_MAX + 5; n++)
        put(store, n, TV_FIRING, 100);
    struct tv_store_counts counts = tv_store_count(store, "ops");
    ck_assert_uint_eq(counts.owed, TV_STORE_OUTBOX_MAX);
    ck_assert_uint_eq(counts.dropped, 5);
    tv_store_close(store);
}
END_TEST

static void write_db(const char *bytes, size_t len)
{
    char path[64];
    snprintf(path, sizeof path, "%s/trainvet.db", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

/* Truncated, all NUL, garbage, from the future: set aside, said, and work goes on. */
START_TEST(a_damaged_database_never_keeps_us_from_starting)
{
    static char junk[8192], note[512];
    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = (char)(i * 131);
    for (int kind = 0; kind < 4; kind++) {
        if (kind == 0)
            write_db(junk, sizeof junk);
        else if (kind == 1)
            write_db(memset(junk, 0, sizeof junk), sizeof junk);
        else if (kind == 2)
            write_db("SQLite format 3", 16);

        struct tv_store *store = opened(note);
        ck_assert_int_eq(note[0] != '\0', kind < 3);
        ck_assert(put(store, kind, TV_FIRING, 100));
        tv_store_close(store);
    }
}
END_TEST

START_TEST(a_directory_that_cannot_be_made_is_said)
{
    struct tv_store *store = NULL;
    struct tv_error error;
    char note[512];
    ck_assert_int_eq(tv_store_open("/proc/no/such", &store, note, &error), TV_EIO);
    ck_assert_ptr_nonnull(strstr(error.message, "/proc/no/such"));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("store");
    TCase *tcase = tcase_create("store");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, make_dir, remove_dir);
    tcase_add_test(tcase, an_alert_survives_as_json);
    tcase_add_test(tcase, each_state_is_owed_once_to_each_sink);
    tcase_add_test(tcase, what_is_over_is_never_told_before_it_began);
    tcase_add_test(tcase, a_restart_loses_and_repeats_nothing);
    tcase_add_test(tcase, the_state_directory_may_be_a_link);
    tcase_add_test(tcase, a_full_queue_drops_the_oldest_and_counts);
    tcase_add_test(tcase, a_damaged_database_never_keeps_us_from_starting);
    tcase_add_test(tcase, a_directory_that_cannot_be_made_is_said);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
