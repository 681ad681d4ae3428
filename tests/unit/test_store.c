/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "sinks/lib/alert_json.h"
#include "store/alert_text.h"
#include "store/store.h"
#include "support/suite.h"
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[32];
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
    /* in memory where that is possible: each alert waits for the disk several times */
    bool has_memory = access("/dev/shm", W_OK | X_OK) == 0;
    snprintf(dir, sizeof dir, "%s/trainvet-store-XXXXXX", has_memory ? "/dev/shm" : "/tmp");
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

static bool count_one(void *ctx, const struct tv_alert *alert)
{
    *(size_t *)ctx += alert != NULL;
    return true;
}

static void count_firing(void *ctx, const struct tv_alert *alert)
{
    *(size_t *)ctx += alert->state == TV_FIRING;
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

START_TEST(one_that_got_more_severe_is_owed_again)
{
    struct tv_store *store = NULL;
    char note[512];
    ck_assert_int_eq(tv_store_open(NULL, &store, note, NULL), TV_OK);
    static const enum tv_severity severities[] = {TV_WARNING, TV_WARNING, TV_CRITICAL, TV_WARNING};
    for (size_t i = 0; i < 4; i++) {
        struct tv_alert alert = alert_number(1, TV_FIRING);
        bool is_new;
        alert.severity = severities[i];
        ck_assert_int_eq(tv_store_alert(store, &alert, two_sinks, 1, &is_new, NULL), TV_OK);
        ck_assert_int_eq(is_new, i == 0 || i == 2);
    }
    ck_assert_uint_eq(tv_store_count(store, two_sinks[0]).owed, 2);
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

static off_t size_of(const char *name)
{
    char path[128];
    struct stat info = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    stat(path, &info);
    return info.st_size;
}

/* What a limit on the size of files does to writing is what a full disk does. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Records 500 alerts from `from` on, and delivers them; returns the first that cannot be. */
static int record_and_deliver(struct tv_store *store, int from)
{
    for (int n = from; n < 500; n++) {
        struct tv_alert alert = alert_number(n, TV_FIRING);
        struct tv_delivery delivery;
        bool is_new;
        if (tv_store_alert(store, &alert, two_sinks, 1, &is_new, NULL) != TV_OK)
            return n;
        for (size_t i = 0; two_sinks[i]; i++)
            while (tv_store_next(store, two_sinks[i], 1, &delivery))
                if (!tv_store_delivered(store, delivery.id))
                    return n;
    }
    return 500;
}

START_TEST(the_log_of_changes_does_not_fill_a_small_disk)
{
    struct tv_store *store = opened(NULL);
    ck_assert_int_eq(record_and_deliver(store, 0), 500);
    ck_assert_int_lt(size_of("trainvet.db-wal"), 512 << 10);
    ck_assert_uint_eq(tv_store_count(store, "ops").delivered, 500);
    tv_store_close(store);
}
END_TEST

START_TEST(a_full_disk_with_room_again_loses_nothing)
{
    struct tv_store *store = opened(NULL);
    /* Its own log takes all that there is. */
    limit_files((rlim_t)size_of("trainvet.db-wal") + 100000);
    int failures = 0, got = 0;
    for (int tries = 0; got < 500 && tries < 200; tries++, failures++)
        got = record_and_deliver(store, got);
    ck_assert_msg(got > 60, "stopped at alert %d", got);
    ck_assert_int_gt(failures, 1);
    limit_files(RLIM_INFINITY);
    ck_assert_int_eq(record_and_deliver(store, got), 500);
    for (size_t i = 0; two_sinks[i]; i++) {
        struct tv_store_counts counts = tv_store_count(store, two_sinks[i]);
        ck_assert_uint_eq(counts.delivered, 500);
        ck_assert_uint_eq(counts.owed, 0);
    }
    tv_store_close(store);
}
END_TEST

static void overwrite(const char *name, off_t from, off_t to)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY);
    for (off_t at = from; at < to; at++)
        tv_check(pwrite(fd, "\xa5", 1, at) == 1);
    close(fd);
}

static size_t how_many(struct tv_store *store)
{
    size_t n = 0;
    tv_store_each(store, false, count_one, &n);
    return n;
}

START_TEST(what_is_gathered_is_recorded_as_one)
{
    struct tv_store *store = opened(NULL), *other = opened(NULL);
    tv_store_begin(store);
    for (int n = 0; n < 5; n++)
        ck_assert(put(store, n, TV_FIRING, 1));
    tv_store_run_done(store, "/runs/a", "digest", "{}");
    ck_assert(!put(store, 4, TV_FIRING, 1)); /* seen by itself already */
    ck_assert_uint_eq(how_many(other), 0);
    ck_assert(!tv_store_is_done(other, "/runs/a", "digest"));
    ck_assert_int_eq(tv_store_commit(store, NULL), TV_OK);
    ck_assert_uint_eq(how_many(other), 5);
    ck_assert_uint_eq(tv_store_count(other, "ops").owed, 5);
    ck_assert(tv_store_is_done(other, "/runs/a", "digest"));
    ck_assert_int_eq(tv_store_commit(store, NULL), TV_OK); /* nothing since */
    ck_assert(put(store, 5, TV_FIRING, 1));
    ck_assert_uint_eq(how_many(other), 6);
    tv_store_close(other);
    tv_store_close(store);
}
END_TEST

START_TEST(of_what_is_gathered_all_is_written_or_nothing)
{
    struct tv_store *store = opened(NULL);
    bool is_new = false;
    int n = 0;
    ck_assert(put(store, n++, TV_FIRING, 1));
    limit_files((rlim_t)size_of("trainvet.db-wal") + 50000);
    tv_store_begin(store);
    enum tv_status status = TV_OK;
    for (; n < 500 && status == TV_OK; n++) {
        struct tv_alert alert = alert_number(n, TV_FIRING);
        status = tv_store_alert(store, &alert, two_sinks, 1, &is_new, NULL);
    }
    ck_assert_int_ne(tv_store_commit(store, NULL), TV_OK);
    ck_assert_uint_eq(how_many(store), 1);
    limit_files(RLIM_INFINITY);
    tv_store_begin(store);
    for (n = 0; n < 500; n++)
        ck_assert_int_eq(put(store, n, TV_FIRING, 1), n > 0);
    ck_assert_int_eq(tv_store_commit(store, NULL), TV_OK);
    ck_assert_uint_eq(how_many(store), 500);
    ck_assert_uint_eq(tv_store_count(store, "ops").owed, 500);
    tv_store_close(store);
}
END_TEST

START_TEST(a_killed_process_leaves_done_what_was_done)
{
    struct tv_delivery delivery;
    pid_t child = fork();
    if (child == 0) {
        struct tv_store *store = opened(NULL);
        tv_store_begin(store);
        put(store, 1, TV_FIRING, 1);
        put(store, 2, TV_FIRING, 1);
        tv_store_commit(store, NULL);
        tv_store_next(store, "ops", 1, &delivery);
        tv_store_delivered(store, delivery.id);
        tv_store_begin(store);
        put(store, 3, TV_FIRING, 1);
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    struct tv_store *store = opened(NULL);
    ck_assert_uint_eq(how_many(store), 2);
    ck_assert_uint_eq(tv_store_count(store, "ops").owed, 1);
    ck_assert(tv_store_next(store, "ops", 1, &delivery));
    ck_assert_str_eq(delivery.alert.fingerprint, "0000000000000002");
    ck_assert(put(store, 3, TV_FIRING, 1)); /* the logs bring it back */
    tv_store_close(store);
}
END_TEST

START_TEST(damage_while_it_is_open_begins_a_new_database)
{
    struct tv_store *store = opened(NULL);
    char note[512];
    ck_assert(!tv_store_mend(store, note));
    ck_assert_str_eq(note, "");
    ck_assert_int_eq(record_and_deliver(store, 0), 500);
    struct tv_store *other = opened(NULL); /* its change makes the first one read again */
    ck_assert(put(other, 501, TV_FIRING, 1));
    overwrite("trainvet.db", 100, size_of("trainvet.db"));
    overwrite("trainvet.db-wal", 0, size_of("trainvet.db-wal"));
    bool is_mended = false;
    for (int n = 600; n < 700 && !is_mended; n++) {
        struct tv_alert alert = alert_number(n, TV_FIRING);
        bool is_new;
        tv_store_alert(store, &alert, two_sinks, 1, &is_new, NULL);
        is_mended = tv_store_mend(store, note);
    }
    ck_assert(is_mended);
    ck_assert_ptr_nonnull(strstr(note, "set aside"));
    ck_assert_int_eq(record_and_deliver(store, 0), 500);
    tv_store_close(store);
    tv_store_close(other);
}
END_TEST

START_TEST(a_database_that_is_taken_away_is_begun_anew)
{
    struct tv_store *store = opened(NULL);
    char note[512];
    ck_assert_int_eq(record_and_deliver(store, 400), 500);
    remove_dir();
    ck_assert(tv_store_mend(store, note));
    ck_assert_ptr_nonnull(strstr(note, "taken away"));
    ck_assert(!tv_store_mend(store, note));
    ck_assert(put(store, 499, TV_FIRING, 1));
    ck_assert_int_gt(size_of("trainvet.db"), 0);
    tv_store_close(store);
}
END_TEST

START_TEST(a_database_that_cannot_be_begun_anew_yet_is_tried_again)
{
    struct tv_store *store = opened(NULL);
    struct tv_alert alert = alert_number(1, TV_FIRING);
    struct tv_delivery delivery;
    char note[512];
    bool is_new;
    remove_dir();
    int fd = open(dir, O_WRONLY | O_CREAT, 0600); /* a file where the directory should be */
    ck_assert(!tv_store_mend(store, note));
    ck_assert_str_ne(note, "");
    ck_assert_int_ne(tv_store_alert(store, &alert, two_sinks, 1, &is_new, NULL), TV_OK);
    ck_assert(!tv_store_next(store, "ops", 1, &delivery));
    ck_assert_uint_eq(tv_store_count(store, "ops").owed, 0);
    close(fd);
    remove(dir);
    ck_assert(tv_store_mend(store, note));
    ck_assert(put(store, 1, TV_FIRING, 1));
    tv_store_close(store);
}
END_TEST

START_TEST(a_directory_in_the_databases_place_is_set_aside)
{
    char path[128], note[512];
    snprintf(path, sizeof path, "%s/trainvet.db", dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    struct tv_store *store = opened(note);
    ck_assert_ptr_nonnull(strstr(note, "set aside"));
    ck_assert(put(store, 1, TV_FIRING, 1));
    tv_store_close(store);
}
END_TEST

struct visited {
    char fingerprints[16][17];
    size_t len;
};

static bool note_visited(void *ctx, const struct tv_alert *alert)
{
    struct visited *visited = ctx;
    memcpy(visited->fingerprints[visited->len++], alert->fingerprint, 17);
    return true;
}

START_TEST(parts_are_in_order_and_counted)
{
    struct tv_store *store = opened(NULL);
    struct visited some = {.len = 0}, all = {.len = 0}, over = {.len = 0};
    for (int n = 0; n < 9; n++)
        put(store, n, TV_FIRING, n);
    put(store, 4, TV_RESOLVED, 20);
    ck_assert_uint_eq(tv_store_part(store, TV_FIRING, 2, 3, note_visited, &some), 8);
    ck_assert_uint_eq(some.len, 3);
    ck_assert_str_eq(some.fingerprints[0], "0000000000000006");
    ck_assert_str_eq(some.fingerprints[2], "0000000000000003");
    ck_assert_uint_eq(tv_store_part(store, -1, 0, SIZE_MAX, note_visited, &all), 9);
    ck_assert_uint_eq(all.len, 9);
    ck_assert_str_eq(all.fingerprints[0], "0000000000000004");
    ck_assert_uint_eq(tv_store_part(store, TV_RESOLVED, 1, 5, note_visited, &over), 1);
    ck_assert_uint_eq(over.len, 0);
    tv_store_close(store);
}
END_TEST

/* Takes what is owed at `now`; *ret_last is the last of it. */
static size_t take_owed(struct tv_store *store, const char *sink, double now, char ret_last[256])
{
    struct tv_delivery delivery;
    size_t taken = 0;
    tv_store_tell_held(store, now);
    for (; tv_store_next(store, sink, now, &delivery); taken++) {
        snprintf(ret_last, 256, "%s: %s", delivery.alert.detector, delivery.alert.summary);
        tv_store_delivered(store, delivery.id);
    }
    return taken;
}

START_TEST(what_goes_beyond_a_sinks_limit_is_told_as_a_number)
{
    const double T = 1.8e9;
    char last[256] = "";
    struct tv_store *store = opened(NULL);
    tv_store_limit(store, "chat", 3, 600);
    for (int n = 1; n <= 10; n++)
        put(store, n, TV_FIRING, T + n);
    ck_assert_uint_eq(take_owed(store, "ops", T + 120, last), 10);
    ck_assert_uint_eq(take_owed(store, "chat", T + 120, last), 3);
    /* the end of what was told is told, of what was not is not; a restart changes nothing */
    tv_store_close(store);
    store = opened(NULL);
    tv_store_limit(store, "chat", 3, 600);
    for (int n = 1; n <= 10; n++) {
        ck_assert(!put(store, n, TV_FIRING, T + 130));
        ck_assert(put(store, n, TV_RESOLVED, T + 130));
    }
    put(store, 11, TV_FIRING, T + 140);
    ck_assert_uint_eq(take_owed(store, "chat", T + 600, last), 3);
    ck_assert_uint_eq(take_owed(store, "chat", T + 601, last), 1);
    ck_assert_str_eq(
        last, "held_back: 8 more alerts were held back, see /api/v1/alerts or trainvet alerts");
    ck_assert_uint_eq(take_owed(store, "chat", T + 702, last), 0);
    ck_assert_uint_eq(tv_store_count(store, "chat").held, 8);
    ck_assert(!tv_store_is_held(store, "chat", "0000000000000005"));
    ck_assert(tv_store_is_held(store, "chat", "000000000000000b"));
    ck_assert_uint_eq(tv_store_part(store, -1, 0, 100, count_one, &(size_t){0}), 11);
    for (int n = 21; n <= 23; n++)
        put(store, n, TV_FIRING, T + 800);
    ck_assert_uint_eq(take_owed(store, "chat", T + 801, last), 3);
    /* a limit that is gone, or a clock that was set back, holds nothing any longer */
    put(store, 24, TV_FIRING, T + 802);
    tv_store_limit(store, NULL, 0, 0);
    put(store, 25, TV_FIRING, T + 803);
    ck_assert_uint_eq(take_owed(store, "chat", T + 804, last), 2);
    ck_assert_str_eq(
        last, "held_back: 1 more alert was held back, see /api/v1/alerts or trainvet alerts");
    tv_store_limit(store, "chat", 3, 600);
    put(store, 26, TV_FIRING, T - 86400);
    ck_assert_uint_eq(take_owed(store, "chat", T - 86400, last), 1);
    tv_store_close(store);
}
END_TEST

START_TEST(an_alert_that_cannot_be_read_does_not_hold_up_the_others)
{
    char last[256], path[64];
    sqlite3 *db;
    struct tv_store *store = opened(NULL);
    for (unsigned i = 1; i <= 4; i++)
        put(store, i, TV_FIRING, 100);
    tv_store_close(store);
    snprintf(path, sizeof path, "%s/trainvet.db", dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db,
                                  "UPDATE owed SET object = '{\"type\":\"al' WHERE id IN"
                                  " (SELECT id FROM owed WHERE sink = 'chat' ORDER BY id LIMIT 2)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    store = opened(NULL);
    ck_assert_uint_eq(take_owed(store, "chat", 102, last), 2);
    struct tv_store_counts counts = tv_store_count(store, "chat");
    ck_assert_uint_eq(counts.refused, 2);
    ck_assert_uint_eq(counts.owed, 0);
    tv_store_close(store);
}
END_TEST

START_TEST(a_database_of_the_version_before_is_taken_over)
{
    char note[512], last[256], path[64];
    sqlite3 *db;
    struct tv_store *store = opened(NULL);
    put(store, 1, TV_FIRING, 100);
    tv_store_close(store);
    snprintf(path, sizeof path, "%s/trainvet.db", dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db,
                                  "DROP TABLE held; DROP INDEX alert_state;"
                                  "PRAGMA user_version = 1",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    store = opened(note);
    ck_assert_str_eq(note, "");
    tv_store_limit(store, "chat", 1, 600);
    ck_assert(!put(store, 1, TV_FIRING, 101));
    ck_assert(put(store, 2, TV_FIRING, 101));
    ck_assert(put(store, 3, TV_FIRING, 101));
    ck_assert_uint_eq(take_owed(store, "chat", 102, last), 2);
    tv_store_close(store);
}
END_TEST

START_TEST(those_that_fire_come_in_parts)
{
    struct tv_store *store = opened(NULL);
    char place[17] = "";
    size_t seen = 0, parts = 0, found;
    for (int n = 1; n <= 50; n++)
        put(store, n, TV_FIRING, 100);
    for (int n = 1; n <= 50; n += 5)
        put(store, n, TV_RESOLVED, 101);
    do {
        found = tv_store_firing(store, place, 7, count_firing, &seen);
        put(store, 49, TV_RESOLVED, 102); /* between two parts */
    } while (++parts < 100 && found == 7);
    ck_assert_uint_eq(seen, 39);
    ck_assert_uint_eq(parts, 6);
    tv_store_close(store);
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
    tcase_add_test(tcase, one_that_got_more_severe_is_owed_again);
    tcase_add_test(tcase, what_is_over_is_never_told_before_it_began);
    tcase_add_test(tcase, a_restart_loses_and_repeats_nothing);
    tcase_add_test(tcase, the_state_directory_may_be_a_link);
    tcase_add_test(tcase, a_full_queue_drops_the_oldest_and_counts);
    tcase_add_test(tcase, a_damaged_database_never_keeps_us_from_starting);
    tcase_add_test(tcase, the_log_of_changes_does_not_fill_a_small_disk);
    tcase_add_test(tcase, a_full_disk_with_room_again_loses_nothing);
    tcase_add_test(tcase, what_is_gathered_is_recorded_as_one);
    tcase_add_test(tcase, of_what_is_gathered_all_is_written_or_nothing);
    tcase_add_test(tcase, a_killed_process_leaves_done_what_was_done);
    tcase_add_test(tcase, damage_while_it_is_open_begins_a_new_database);
    tcase_add_test(tcase, a_database_that_is_taken_away_is_begun_anew);
    tcase_add_test(tcase, a_database_that_cannot_be_begun_anew_yet_is_tried_again);
    tcase_add_test(tcase, a_directory_in_the_databases_place_is_set_aside);
    tcase_add_test(tcase, parts_are_in_order_and_counted);
    tcase_add_test(tcase, what_goes_beyond_a_sinks_limit_is_told_as_a_number);
    tcase_add_test(tcase, an_alert_that_cannot_be_read_does_not_hold_up_the_others);
    tcase_add_test(tcase, a_database_of_the_version_before_is_taken_over);
    tcase_add_test(tcase, those_that_fire_come_in_parts);
    tcase_add_test(tcase, a_directory_that_cannot_be_made_is_said);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
