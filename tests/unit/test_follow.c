/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine.h"
#include "support/event_writer.h"
#include "support/suite.h"
#include "tail/follow.h"
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], event_file[192];
static const char *const root[] = {dir};
static const struct tv_engine_options engine;
static struct tv_moment now;
static size_t firing, resolved;
static const char *wanted; /* NULL: any detector */
static char told_of[96];   /* the run of the last alert */

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

static void make_dir(void)
{
    strcpy(dir, "/tmp/trainvet-follow-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(event_file, sizeof event_file, "%s/events.out.tfevents.1700000000.host", dir);
    now = (struct tv_moment){1000, 1.8e9};
    firing = resolved = 0;
}

static void remove_dir(void)
{
    nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

static void on_alert(void *ctx, const struct tv_alert *alert)
{
    (void)ctx;
    snprintf(told_of, sizeof told_of, "%s", alert->run);
    if (!wanted || strcmp(alert->detector, wanted) == 0)
        *(alert->state == TV_FIRING ? &firing : &resolved) += 1;
}

static void on_run(void *ctx, const struct tv_run_report *report)
{
    (void)ctx;
    (void)report;
}

static size_t said_full;

static void on_problem(void *ctx, const char *path, const struct tv_damage *damage)
{
    (void)ctx;
    (void)path;
    said_full += strstr(damage->what, "max_user_watches") != NULL;
}

static const struct tv_follow_options options = {.paths = root,
                                                 .paths_len = 1,
                                                 .engine = &engine,
                                                 .active_poll = 2,
                                                 .idle_poll = 60,
                                                 .hold = 5,
                                                 .end_after = 1e9,
                                                 .alert = on_alert,
                                                 .run = on_run,
                                                 .problem = on_problem};

static size_t calls; /* by settle() */

static void settle(struct tv_follow *follow, double seconds)
{
    double until = now.boot + seconds;
    while (now.boot < until) {
        double wait = tv_follow_work(follow, now);
        calls++;
        wait = wait < 0.01 ? 0.01 : wait > until - now.boot ? until - now.boot + 1e-9 : wait;
        now.boot += wait;
        now.wall += wait;
    }
}

static void append(const struct tv_bytes *bytes)
{
    int fd = open(event_file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes->data, bytes->len), (ssize_t)bytes->len);
    close(fd);
}

/* Steps [first, last), a second each, so that the last is now. */
static void append_steps(int64_t first, int64_t last, float loss)
{
    struct tv_bytes bytes = {0};
    if (first == 0)
        tv_write_text(&bytes, 0, "args/text_summary", "{\"max_steps\": 100000}");
    for (int64_t step = first; step < last; step++)
        tv_write_scalar_at(&bytes, now.wall - (double)(last - 1 - step), step, "train/loss", loss);
    append(&bytes);
    tv_bytes_free(&bytes);
}

/* No further descriptor can be had. */
static void limit_descriptors(bool on)
{
    static struct rlimit before;
    if (!on) {
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
        return;
    }
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, before.rlim_max}), 0);
    ck_assert_int_lt(open("/dev/null", O_RDONLY), 0);
}

START_TEST(a_run_that_appears_while_no_descriptor_is_left_is_read_later)
{
    wanted = "non_finite";
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    append_steps(0, 20, 2.5f);
    append_steps(20, 21, NAN);
    limit_descriptors(true);
    settle(follow, 20);
    ck_assert_uint_eq(firing, 0);
    limit_descriptors(false);
    settle(follow, 10);
    ck_assert_uint_eq(firing, 1);
    ck_assert_uint_eq(resolved, 0);
    tv_follow_free(follow);
}
END_TEST

START_TEST(what_is_appended_while_no_descriptor_is_left_is_read_later)
{
    wanted = "non_finite";
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    append_steps(0, 20, 2.5f);
    settle(follow, 20);
    append_steps(20, 21, NAN);
    limit_descriptors(true);
    settle(follow, 20);
    ck_assert_uint_eq(firing, 0);
    limit_descriptors(false);
    settle(follow, 10);
    ck_assert_uint_eq(firing, 1);
    tv_follow_free(follow);
}
END_TEST

START_TEST(what_was_told_stays_told_while_no_descriptor_is_left)
{
    wanted = "non_finite";
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    append_steps(0, 20, 2.5f);
    append_steps(20, 21, NAN);
    settle(follow, 20);
    limit_descriptors(true);
    settle(follow, 20);
    limit_descriptors(false);
    settle(follow, 20);
    ck_assert_uint_eq(firing, 1);
    ck_assert_uint_eq(resolved, 0);
    tv_follow_free(follow);
}
END_TEST

START_TEST(a_finished_run_that_cannot_be_opened_is_tried_now_and_then)
{
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    append_steps(0, 20, 2.5f);
    append_steps(99990, 100001, 2.5f);
    settle(follow, 2);
    append_steps(100001, 100002, 2.5f);
    limit_descriptors(true);
    settle(follow, 10);
    calls = 0;
    settle(follow, 60);
    ck_assert_uint_lt(calls, 200);
    limit_descriptors(false);
    tv_follow_free(follow);
}
END_TEST

/* More than one slice, with a NaN at its end. */
static void replace_by_large(void)
{
    char final[sizeof event_file];
    struct tv_bytes bytes = {0};
    for (int64_t step = 0; bytes.len < 5 << 20; step++)
        tv_write_scalar_at(&bytes, now.wall, step, "train/a/loss/with/a/long/name", 2.5f);
    tv_write_scalar_at(&bytes, now.wall, 200000, "train/loss", NAN);
    strcpy(final, event_file);
    strcat(event_file, ".tmp");
    append(&bytes);
    ck_assert_int_eq(rename(event_file, final), 0);
    strcpy(event_file, final);
    tv_bytes_free(&bytes);
}

START_TEST(a_log_that_is_replaced_while_it_is_read_for_the_first_time_is_read_again)
{
    wanted = "non_finite";
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    replace_by_large();
    tv_follow_work(follow, now);
    for (int i = 0; i < 2; i++) {
        replace_by_large();
        now.boot += 2;
        now.wall += 2;
        tv_follow_work(follow, now);
        tv_follow_work(follow, now);
    }
    ck_assert_uint_eq(firing, 0);
    settle(follow, 10);
    ck_assert_uint_eq(firing, 1);
    tv_follow_free(follow);
}
END_TEST

/* As stable-baselines3 writes a table over itself (not truncated) and Lightning anew. */
static void write_table(int flags, bool has_norm, int rows, const char *last)
{
    char path[192];
    snprintf(path, sizeof path, "%s/metrics.csv", dir);
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
    ck_assert_int_ge(fd, 0);
    dprintf(fd, has_norm ? "grad_norm,step,train_loss\n" : "step,train_loss\n");
    for (int i = 0; i < rows; i++)
        dprintf(fd, "%s%d,%s\n", has_norm ? "1.5," : "", 10 * i, i + 1 < rows ? "2.5" : last);
    close(fd);
}

START_TEST(a_table_that_is_written_anew_is_read_anew)
{
    int flags = _i ? O_TRUNC : 0;
    wanted = "non_finite";
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    write_table(flags, false, 20, "2.25");
    settle(follow, 10);
    ck_assert_uint_eq(tv_follow_runs(follow), 1);
    write_table(flags, true, 30, "nan");
    settle(follow, 30);
    ck_assert_uint_eq(firing, 1);
    ck_assert_uint_eq(resolved, 0);
    tv_follow_free(follow);
}
END_TEST

START_TEST(a_clock_that_is_set_by_a_day_makes_no_stall)
{
    wanted = "stall";
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    append_steps(0, 100, 2.5f);
    settle(follow, 30);
    now.wall += _i ? 86400 : -86400;
    settle(follow, 60);
    ck_assert_uint_eq(firing, 0);
    tv_follow_free(follow);
}
END_TEST

/* Lines as LLaMA Factory writes them, ten steps and ten seconds each: no time of day. */
static void append_elapsed(int first, int last)
{
    char path[192];
    snprintf(path, sizeof path, "%s/trainer_log.jsonl", dir);
    FILE *out = fopen(path, "ae");
    ck_assert_ptr_nonnull(out);
    for (int i = first; i < last; i++)
        fprintf(out,
                "{\"current_steps\": %d, \"total_steps\": 5000, \"loss\": 1.%d, \"lr\": 1e-4, "
                "\"epoch\": 0.1, \"percentage\": 1.0, \"elapsed_time\": \"0:%02d:%02d\", "
                "\"remaining_time\": \"1:00:00\"}\n",
                i * 10, i % 7, i / 6, i % 6 * 10);
    fclose(out);
    struct timespec times[2] = {{(time_t)now.wall, 0}, {(time_t)now.wall, 0}};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

START_TEST(a_silence_is_heard_in_a_log_of_elapsed_time)
{
    wanted = "stall";
    append_elapsed(1, 30);
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    settle(follow, 10);
    append_elapsed(30, 31);
    settle(follow, 200);
    ck_assert_uint_eq(firing, 0);
    settle(follow, 400);
    ck_assert_uint_eq(firing, 1);
    append_elapsed(31, 40);
    settle(follow, 20);
    ck_assert_uint_eq(resolved, 1);
    tv_follow_free(follow);
}
END_TEST

/* The log ends now, a second lay between its points. */
START_TEST(a_silence_is_told_at_the_moment_when_it_is_too_long)
{
    wanted = "stall";
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    append_steps(0, 100, 2.5f);
    settle(follow, 299);
    ck_assert_uint_eq(firing, 0);
    settle(follow, 4);
    ck_assert_uint_eq(firing, 1);
    tv_follow_free(follow);
}
END_TEST

START_TEST(what_a_run_logs_after_a_long_silence_is_seen_by_the_next_search)
{
    wanted = "non_finite";
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    append_steps(0, 20, 2.5f);
    settle(follow, 3600);
    append_steps(20, 21, NAN);
    settle(follow, 5);
    ck_assert_uint_eq(firing, 1);
    tv_follow_free(follow);
}
END_TEST

START_TEST(a_silence_that_began_before_the_first_look_is_heard)
{
    wanted = "stall";
    append_elapsed(1, 30);
    now.wall += 7200;
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    settle(follow, 60);
    ck_assert_uint_eq(firing, 1);
    tv_follow_free(follow);
}
END_TEST

START_TEST(a_clock_that_is_set_back_by_a_day_hides_no_stall)
{
    wanted = "stall";
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    append_steps(0, 100, 2.5f);
    settle(follow, 30);
    now.wall -= 86400;
    settle(follow, 900);
    ck_assert_uint_eq(firing, 1);
    tv_follow_free(follow);
}
END_TEST

static void count_run(void *ctx, struct tv_run *run, bool ended)
{
    size_t *counts = ctx;
    ck_assert_ptr_nonnull(run);
    counts[ended]++;
}

/* In a user namespace of its own: the machine's limit stays as it is. */
static bool limit_watches(const char *count)
{
    int fd = unshare(CLONE_NEWUSER) == 0
                 ? open("/proc/sys/user/max_inotify_watches", O_WRONLY | O_CLOEXEC)
                 : -1;
    bool done = fd >= 0 && write(fd, count, strlen(count)) > 0;
    if (fd >= 0)
        close(fd);
    return done;
}

START_TEST(directories_beyond_the_limit_of_watches_are_polled_and_that_is_said_once)
{
    wanted = "non_finite";
    said_full = 0;
    if (!limit_watches("1"))
        return;                   /* not allowed here */
    for (int i = 0; i < 3; i++) { /* the run comes last */
        char other[160];
        snprintf(other, sizeof other, "%s/a%d", dir, i);
        ck_assert_int_eq(mkdir(other, 0700), 0);
    }
    snprintf(event_file, sizeof event_file, "%s/b", dir);
    ck_assert_int_eq(mkdir(event_file, 0700), 0);
    snprintf(event_file, sizeof event_file, "%s/b/events.out.tfevents.1700000000.host", dir);
    struct tv_watch *watch = tv_watch_open();
    ck_assert_ptr_nonnull(watch);
    struct tv_follow *follow = tv_follow_new(&options, watch);
    append_steps(0, 20, 2.5f);
    settle(follow, 20);
    append_steps(20, 21, NAN);
    settle(follow, 20);
    ck_assert_uint_eq(firing, 1);
    settle(follow, 100);
    ck_assert_uint_eq(said_full, 1);
    tv_follow_free(follow);
    tv_watch_close(watch);
}
END_TEST

/* The HF Trainer's arguments, behind the first record, make the directory above the run. */
START_TEST(a_run_is_told_by_its_name_though_it_was_found_before_that_was_known)
{
    struct tv_bytes head = {0};
    struct tv_watch *watch = tv_watch_open();
    ck_assert_ptr_nonnull(watch);
    wanted = "non_finite";
    snprintf(event_file, sizeof event_file, "%s/runs", dir);
    ck_assert_int_eq(mkdir(event_file, 0700), 0);
    snprintf(event_file, sizeof event_file, "%s/runs/Nov21_01-02-03_host", dir);
    ck_assert_int_eq(mkdir(event_file, 0700), 0);
    snprintf(event_file, sizeof event_file,
             "%s/runs/Nov21_01-02-03_host/events.out.tfevents.1700000000.host", dir);
    tv_write_version(&head);
    append(&head);
    tv_bytes_free(&head);
    struct tv_follow *follow = tv_follow_new(&options, watch);
    settle(follow, 10);
    append_steps(0, 20, 2.5f);
    append_steps(20, 21, NAN);
    settle(follow, 20);
    ck_assert_uint_eq(firing, 1);
    ck_assert_uint_eq(resolved, 0);
    ck_assert_str_eq(told_of, ".");
    tv_follow_free(follow);
    tv_watch_close(watch);
}
END_TEST

START_TEST(four_hundred_runs_need_no_descriptor_each)
{
    wanted = "non_finite";
    for (int i = 0; i < 400; i++) {
        char run[96];
        snprintf(run, sizeof run, "%s/run-%03d", dir, i);
        ck_assert_int_eq(mkdir(run, 0700), 0);
        snprintf(event_file, sizeof event_file, "%s/events.out.tfevents.1700000000.host", run);
        append_steps(0, 5, 2.5f);
        append_steps(5, 6, NAN);
    }
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 32;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    struct tv_watch *watch = _i ? tv_watch_open() : NULL;
    struct tv_follow *follow = tv_follow_new(&options, watch);
    settle(follow, 20);
    ck_assert_uint_eq(tv_follow_runs(follow), 400);
    ck_assert_uint_eq(firing, 400);
    tv_follow_free(follow);
    tv_watch_close(watch);
}
END_TEST

START_TEST(a_run_that_was_deleted_is_forgotten_and_comes_back_as_a_new_one)
{
    wanted = "non_finite";
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    append_steps(0, 20, 2.5f);
    append_steps(20, 21, NAN);
    settle(follow, 20);
    ck_assert_uint_eq(tv_follow_runs(follow), 1);
    ck_assert_int_eq(remove(event_file), 0);
    settle(follow, 20);
    ck_assert_uint_eq(tv_follow_runs(follow), 1); /* it may come back at once */
    settle(follow, 200);
    ck_assert_uint_eq(tv_follow_runs(follow), 0);
    ck_assert_uint_eq(resolved, 0);
    append_steps(0, 20, 2.5f);
    append_steps(20, 21, NAN);
    settle(follow, 100);
    ck_assert_uint_eq(tv_follow_runs(follow), 1);
    ck_assert_uint_eq(firing, 2);
    tv_follow_free(follow);
}
END_TEST

START_TEST(a_run_that_is_away_for_a_moment_stays)
{
    wanted = "non_finite";
    char aside[160];
    snprintf(aside, sizeof aside, "%s.aside", dir);
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    append_steps(0, 20, 2.5f);
    append_steps(20, 21, NAN);
    settle(follow, 20);
    ck_assert_int_eq(rename(event_file, aside), 0);
    settle(follow, 10);
    ck_assert_int_eq(rename(aside, event_file), 0);
    settle(follow, 200);
    ck_assert_uint_eq(tv_follow_runs(follow), 1);
    ck_assert_uint_eq(firing, 1);
    ck_assert_uint_eq(resolved, 0);
    tv_follow_free(follow);
}
END_TEST

START_TEST(a_run_that_has_ended_keeps_its_files_only_and_is_read_again_when_it_goes_on)
{
    wanted = "non_finite";
    struct tv_follow_options brief = options;
    brief.end_after = 60;
    struct tv_follow *follow = tv_follow_new(&brief, NULL);
    append_steps(0, 20, 2.5f);
    settle(follow, 200);
    size_t counts[2] = {0};
    tv_follow_each(follow, count_run, counts);
    ck_assert_uint_eq(counts[true], 1);
    settle(follow, 700);
    counts[true] = 0;
    tv_follow_each(follow, count_run, counts);
    ck_assert_uint_eq(counts[true] + counts[false], 0);
    ck_assert_uint_eq(tv_follow_runs(follow), 1);
    ck_assert_uint_eq(firing, 0);
    append_steps(20, 21, NAN);
    settle(follow, 80);
    ck_assert_uint_eq(firing, 1);
    counts[true] = counts[false] = 0;
    tv_follow_each(follow, count_run, counts);
    ck_assert_uint_eq(counts[true] + counts[false], 1);
    tv_follow_free(follow);
}
END_TEST

static bool always(void *ctx)
{
    (void)ctx;
    return true;
}

static void write_runs(const char *base, int runs, int64_t from, int64_t to, float loss)
{
    struct tv_bytes bytes = {0};
    for (int64_t step = from; step < to; step++)
        tv_write_scalar(&bytes, step, "train/loss", loss);
    for (int i = 0; i < runs; i++) {
        snprintf(event_file, sizeof event_file, "%s/run-%d", base, i);
        mkdir(event_file, 0700);
        snprintf(event_file, sizeof event_file, "%s/run-%d/events.out.tfevents.1.host", base, i);
        append(&bytes);
    }
    tv_bytes_free(&bytes);
}

static void count_search(void *ctx, const struct tv_found *found, bool complete, double at)
{
    (void)at;
    *(size_t *)ctx += found && complete;
}

/* What came into it before it was watched has told nobody. */
START_TEST(a_directory_that_is_new_is_searched_once_more)
{
    size_t searches = 0;
    wanted = "non_finite";
    struct tv_follow_options counting = options;
    counting.ctx = &searches;
    counting.searched = count_search;
    struct tv_watch *watch = tv_watch_open();
    struct tv_follow *follow = tv_follow_new(&counting, watch);
    settle(follow, 20);
    ck_assert_uint_eq(searches, 2);
    snprintf(event_file, sizeof event_file, "%s/new", dir);
    ck_assert_int_eq(mkdir(event_file, 0700), 0);
    settle(follow, 20);
    ck_assert_uint_eq(searches, 4);
    tv_follow_free(follow);
    tv_watch_close(watch);
}
END_TEST

/* What a search seems to have taken says how soon there is another. */
START_TEST(a_machine_that_stood_still_during_a_search_finds_new_runs_as_soon_as_ever)
{
    wanted = "non_finite";
    struct tv_watch *watch = _i ? tv_watch_open() : NULL;
    struct tv_follow *follow = tv_follow_new(&options, watch);
    tv_follow_work(follow, now);
    now.boot += 3600;
    now.wall += 3600;
    settle(follow, 100);
    append_steps(0, 20, 2.5f);
    append_steps(20, 21, NAN);
    settle(follow, 10);
    ck_assert_uint_eq(firing, 1);
    tv_follow_free(follow);
    tv_watch_close(watch);
}
END_TEST

/* Due ones, and ones with a hint, which is there only once. */
START_TEST(what_a_call_that_is_late_leaves_is_looked_at_by_the_next_ones)
{
    enum { RUNS = 12 };
    wanted = "non_finite";
    char base[sizeof dir];
    strcpy(base, dir);
    write_runs(base, RUNS, 0, 30, 2.5f);
    struct tv_follow_options hasty = options;
    hasty.is_late = always;
    struct tv_watch *watch = tv_watch_open();
    struct tv_follow *follow = tv_follow_new(&hasty, watch);
    for (int i = 0; i < RUNS; i++)
        ck_assert(tv_follow_work(follow, now) <= 0 || i == RUNS - 1);
    write_runs(base, RUNS, 30, 40, NAN);
    for (unsigned i = 0; i < RUNS; i++) {
        ck_assert_uint_eq(firing, i);
        tv_follow_work(follow, now);
    }
    ck_assert_uint_eq(firing, RUNS);
    tv_follow_free(follow);
    tv_watch_close(watch);
}
END_TEST

/* DeepSpeed's CSV monitor: each metric has its file. */
static void append_table(const char *metric, int first, int last)
{
    char path[sizeof dir + 64];
    snprintf(path, sizeof path, "%s/Train_Samples_%s.csv", dir, metric);
    FILE *file = fopen(path, "ae");
    ck_assert_ptr_nonnull(file);
    if (first == 1)
        fprintf(file, "step,%s\n", metric);
    for (int i = first; i < last; i++)
        fprintf(file, "%d,%g\n", 32 * i, metric[0] == 'l' ? 1e-4 : 2 + exp(-i / 20.0));
    fclose(file);
}

START_TEST(one_of_several_tables_that_lags_behind_raises_nothing)
{
    wanted = NULL;
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    append_table("train_loss", 1, 30);
    append_table("lr", 1, 90);
    settle(follow, 60);
    append_table("train_loss", 30, 61);
    settle(follow, 60);
    append_table("train_loss", 61, 100);
    settle(follow, 60);
    append_table("lr", 90, 100);
    settle(follow, 60);
    ck_assert_uint_eq(firing, 0);
    tv_follow_free(follow);
}
END_TEST

static void write_results(double epoch)
{
    char path[sizeof dir + 32];
    snprintf(path, sizeof path, "%s/train_results.json", dir);
    FILE *file = fopen(path, "we");
    fprintf(file, "{\n    \"epoch\": %.2f,\n    \"train_runtime\": 71.3\n}\n", epoch);
    fclose(file);
}

/* Results of the training before, none, and its own. */
START_TEST(results_beside_the_log_end_a_run_before_it_is_taken_for_stalled)
{
    bool is_own = _i == 2;
    wanted = "stall";
    if (_i == 0)
        write_results(9);
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    append_steps(0, 40, 2.5f);
    struct tv_bytes bytes = {0};
    for (int64_t step = 0; step < 40; step++)
        tv_write_scalar_at(&bytes, now.wall, step, "train/epoch", (float)step / 10);
    append(&bytes);
    tv_bytes_free(&bytes);
    settle(follow, 20);
    if (is_own)
        write_results(3.9);
    settle(follow, 100);
    size_t counts[2] = {0};
    tv_follow_each(follow, count_run, counts);
    ck_assert_uint_eq(counts[true], is_own);
    settle(follow, 4000);
    ck_assert_uint_eq(firing, is_own ? 0 : 2); /* a warning, then critical */
    tv_follow_free(follow);
}
END_TEST

/* So that a hint does not wait until thousands have been looked at; and none of them is forgotten.
 */
START_TEST(runs_that_are_due_at_once_are_looked_at_in_turns)
{
    enum { RUNS = 150 };
    wanted = "non_finite";
    char base[sizeof dir];
    strcpy(base, dir);
    struct tv_bytes bytes = {0};
    for (int64_t step = 0; step < 40; step++)
        tv_write_scalar(&bytes, step, "train/loss", step < 30 ? 2.5f : NAN);
    for (int i = 0; i < RUNS; i++) {
        snprintf(event_file, sizeof event_file, "%s/run-%d", base, i);
        ck_assert_int_eq(mkdir(event_file, 0700), 0);
        snprintf(event_file, sizeof event_file, "%s/run-%d/events.out.tfevents.1.host", base, i);
        append(&bytes);
    }
    tv_bytes_free(&bytes);
    struct tv_follow *follow = tv_follow_new(&options, NULL);
    ck_assert(tv_follow_work(follow, now) <= 0);
    ck_assert(tv_follow_idle(follow, now) <= 0);
    ck_assert_uint_gt(firing, 0);
    ck_assert_uint_lt(firing, RUNS);
    for (int i = 0; i < 3; i++)
        tv_follow_work(follow, now);
    ck_assert_uint_eq(firing, RUNS);
    tv_follow_free(follow);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("follow");
    TCase *files = tcase_create("faults");
    tcase_add_checked_fixture(files, make_dir, remove_dir);
    tcase_add_loop_test(files, a_table_that_is_written_anew_is_read_anew, 0, 2);
    tcase_add_test(files, a_run_that_appears_while_no_descriptor_is_left_is_read_later);
    tcase_add_test(files, what_is_appended_while_no_descriptor_is_left_is_read_later);
    tcase_add_test(files, what_was_told_stays_told_while_no_descriptor_is_left);
    tcase_add_test(files, a_finished_run_that_cannot_be_opened_is_tried_now_and_then);
    tcase_add_test(files, a_log_that_is_replaced_while_it_is_read_for_the_first_time_is_read_again);
    tcase_add_test(files, a_silence_is_told_at_the_moment_when_it_is_too_long);
    tcase_add_test(files, what_a_run_logs_after_a_long_silence_is_seen_by_the_next_search);
    tcase_add_loop_test(files, a_clock_that_is_set_by_a_day_makes_no_stall, 0, 2);
    tcase_add_test(files, a_clock_that_is_set_back_by_a_day_hides_no_stall);
    tcase_add_test(files, a_silence_is_heard_in_a_log_of_elapsed_time);
    tcase_add_test(files, a_silence_that_began_before_the_first_look_is_heard);
    tcase_add_test(files, directories_beyond_the_limit_of_watches_are_polled_and_that_is_said_once);
    tcase_add_loop_test(files, four_hundred_runs_need_no_descriptor_each, 0, 2);
    tcase_add_test(files, a_run_that_was_deleted_is_forgotten_and_comes_back_as_a_new_one);
    tcase_add_test(files, a_run_that_is_away_for_a_moment_stays);
    tcase_add_test(files,
                   a_run_that_has_ended_keeps_its_files_only_and_is_read_again_when_it_goes_on);
    tcase_add_test(files, a_directory_that_is_new_is_searched_once_more);
    tcase_add_loop_test(
        files, a_machine_that_stood_still_during_a_search_finds_new_runs_as_soon_as_ever, 0, 2);
    tcase_add_test(files, what_a_call_that_is_late_leaves_is_looked_at_by_the_next_ones);
    tcase_add_test(files, one_of_several_tables_that_lags_behind_raises_nothing);
    tcase_add_test(files, a_run_is_told_by_its_name_though_it_was_found_before_that_was_known);
    tcase_add_loop_test(files, results_beside_the_log_end_a_run_before_it_is_taken_for_stalled, 0,
                        3);
    tcase_add_test(files, runs_that_are_due_at_once_are_looked_at_in_turns);
    suite_add_tcase(s, files);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
