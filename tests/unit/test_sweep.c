/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/sweep.h"
#include "support/folder.h"
#include "support/suite.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GRACE 60.0

static const char log_line[] =
    "{\"current_steps\": 5, \"total_steps\": 100, \"loss\": 1.5, \"lr\": 1e-05, \"epoch\": 0.1, "
    "\"percentage\": 5.0, \"elapsed_time\": \"0:00:07\", \"remaining_time\": \"0:01:03\"}\n";

static struct tv_folder folder;
static struct tv_store *store;
static struct tv_sweep sweep;
static char told[256], root[300];
static const char *roots[] = {root};
static size_t roots_len;
static double now;

static void record(const struct tv_alert *alert)
{
    bool is_new;
    ck_assert_int_eq(tv_store_alert(store, alert, NULL, (double)time(NULL), &is_new, NULL), TV_OK);
}

static void on_tell(void *ctx, const struct tv_alert *alert)
{
    (void)ctx;
    ck_assert_int_eq(alert->state, TV_RESOLVED);
    strcat(told, alert->run);
    record(alert);
}

static void fires(const char *run)
{
    struct tv_alert alert = {.run = run,
                             .root = root,
                             .detector = "divergence",
                             .subject = "loss",
                             .summary = "it rose"};
    snprintf(alert.fingerprint, sizeof alert.fingerprint, "%016x", run[0] + run[1]);
    record(&alert);
}

static void setup(void)
{
    struct tv_error error;
    char note[512];
    folder = tv_folder_new();
    tv_folder_text(&folder, "root/a/trainer_log.jsonl", log_line);
    tv_folder_text(&folder, "root/b/trainer_log.jsonl", log_line);
    snprintf(root, sizeof root, "%s", tv_folder_path(&folder, "root"));
    ck_assert_int_eq(tv_store_open(NULL, &store, note, &error), TV_OK);
    fires("a");
    fires("b");
    roots_len = 1;
    now = 1000;
    told[0] = '\0';
}

static void teardown(void)
{
    tv_become_nobody(false);
    tv_sweep_free(&sweep);
    tv_store_close(store);
    tv_folder_remove(&folder);
}

static void search(void)
{
    struct tv_found found = {.by_root = true};
    struct tv_sweep_options options = {
        .store = store, .roots = roots, .roots_len = roots_len, .grace = GRACE, .tell = on_tell};
    tv_discover(&found, roots, 1);
    tv_sweep(&sweep, &options, &found, now);
    tv_found_free(&found);
}

/* Who was told as over, in two searches that are GRACE apart. */
static const char *swept(void)
{
    told[0] = '\0';
    search();
    ck_assert_str_eq(told, "");
    now += GRACE;
    search();
    return told;
}

static void move(const char *from, const char *to)
{
    ck_assert_int_eq(rename(tv_folder_path(&folder, from), tv_folder_path(&folder, to)), 0);
}

/* Long before the alerts were recorded. */
static void make_old_directory(const char *name)
{
    const char *path = tv_folder_path(&folder, name);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, (struct timespec[]){{1000000, 0}, {1000000, 0}}, 0),
                     0);
}

START_TEST(what_is_there_fires_on)
{
    ck_assert_str_eq(swept(), "");
}
END_TEST

START_TEST(a_renamed_run_is_over_once)
{
    move("root/a", "root/c");
    ck_assert_str_eq(swept(), "a");
    ck_assert_str_eq(swept(), "");
}
END_TEST

START_TEST(a_run_that_comes_back_in_time_fires_on)
{
    move("root/a", "away");
    search();
    move("away", "root/a");
    now += GRACE;
    search();
    move("root/a", "away");
    now += GRACE;
    search();
    ck_assert_str_eq(told, "");
}
END_TEST

START_TEST(a_directory_that_was_emptied_holds_no_run)
{
    ck_assert_int_eq(unlink(tv_folder_path(&folder, "root/a/trainer_log.jsonl")), 0);
    ck_assert_str_eq(swept(), "a");
    move("root/b", "away");
    ck_assert_int_eq(rmdir(tv_folder_path(&folder, "root/a")), 0);
    ck_assert_str_eq(swept(), "b"); /* the root is empty now, and was not when the alert came */
}
END_TEST

START_TEST(a_root_that_is_away_ends_nothing)
{
    move("root", "away");
    ck_assert_str_eq(swept(), "");
    make_old_directory("root"); /* the mount point is left */
    ck_assert_str_eq(swept(), "");
}
END_TEST

START_TEST(a_mount_point_below_the_root_ends_nothing)
{
    move("root/a", "away");
    make_old_directory("root/a");
    ck_assert_str_eq(swept(), "");
}
END_TEST

START_TEST(what_cannot_be_read_may_be_there)
{
    ck_assert_int_eq(chmod(tv_folder_path(&folder, "root/a"), 0), 0);
    ck_assert_int_eq(chmod(tv_folder_path(&folder, "root/b/trainer_log.jsonl"), 0), 0);
    tv_become_nobody(true);
    ck_assert_str_eq(swept(), "");
    tv_become_nobody(false);
    ck_assert_int_eq(chmod(tv_folder_path(&folder, "root/a"), 0700), 0);
}
END_TEST

START_TEST(runs_of_a_root_that_is_not_configured_any_more_are_over)
{
    roots_len = 0;
    ck_assert_uint_eq(strlen(swept()), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sweep");
    TCase *tcase = tcase_create("sweep");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_is_there_fires_on);
    tcase_add_test(tcase, a_renamed_run_is_over_once);
    tcase_add_test(tcase, a_run_that_comes_back_in_time_fires_on);
    tcase_add_test(tcase, a_directory_that_was_emptied_holds_no_run);
    tcase_add_test(tcase, a_root_that_is_away_ends_nothing);
    tcase_add_test(tcase, a_mount_point_below_the_root_ends_nothing);
    tcase_add_test(tcase, what_cannot_be_read_may_be_there);
    tcase_add_test(tcase, runs_of_a_root_that_is_not_configured_any_more_are_over);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
