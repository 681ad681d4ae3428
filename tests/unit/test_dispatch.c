/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/dispatch.h"
#include "support/suite.h"
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A sink that answers as the test says and notes what it was given. */
static struct {
    enum tv_status status;
    const char *command; /* not NULL: started, and TV_AGAIN */
    double timeout, resend;
    size_t calls;
    char fingerprints[4096];
    const struct tv_sink_host *host;
    const char *never; /* a run whose alerts are never taken */
    long last;         /* the run that was taken last, as a number */
    size_t backwards;  /* how often a later one had been taken before */
} fake;

static double clock_now;
static sd_event *loop;
static struct tv_store *store;
static struct tv_dispatch *dispatch;

static double simulated_now(void)
{
    return clock_now;
}

static enum tv_status fake_open(const void *options, void *state, void *out,
                                const struct tv_sink_host *host, struct tv_error *reterr)
{
    (void)options;
    (void)state;
    (void)out;
    (void)reterr;
    fake.host = host;
    return TV_OK;
}

static enum tv_status fake_deliver(const void *options, void *state, const struct tv_alert *alert,
                                   struct tv_error *reterr)
{
    (void)options;
    (void)state;
    size_t used = strlen(fake.fingerprints);
    fake.calls++;
    snprintf(fake.fingerprints + used, sizeof fake.fingerprints - used, "%s%s ", alert->run,
             alert->state == TV_RESOLVED ? "-" : "+");
    if (fake.status == TV_OK) {
        long number = strtol(alert->run, NULL, 10);
        fake.backwards += number < fake.last;
        fake.last = number;
    }
    if (fake.never && strcmp(fake.never, alert->run) == 0)
        return tv_fail(reterr, TV_EIO, "not this one");
    if (!fake.command)
        return fake.status == TV_OK ? TV_OK : tv_fail(reterr, fake.status, "out of order");
    const char *argv[] = {"sh", "-c", fake.command, NULL};
    struct tv_child child = {.argv = argv, .input = "in", .input_len = 2, .timeout = fake.timeout};
    enum tv_status status = fake.host->run(fake.host->ctx, &child, reterr);
    return status == TV_OK ? TV_AGAIN : status;
}

static double fake_resend(const void *options)
{
    (void)options;
    return fake.resend;
}

static const struct tv_sink fake_sink = {.name = "fake",
                                         .summary = "for tests",
                                         .state_size = 1,
                                         .open = fake_open,
                                         .deliver = fake_deliver,
                                         .resend = fake_resend};

static void setup_dispatch(void)
{
    struct tv_error error;
    dispatch = tv_dispatch_new(
        &(struct tv_dispatch_options){.loop = loop, .store = store, .now = simulated_now}, &error);
    ck_assert_ptr_nonnull(dispatch);
    ck_assert_int_eq(tv_dispatch_add(dispatch, "one", &fake_sink, NULL, NULL, &error), TV_OK);
}

static void teardown_dispatch(void)
{
    tv_dispatch_free(dispatch);
}

static void setup(void)
{
    char note[512];
    struct tv_error error;
    sigset_t child;
    signal(SIGPIPE, SIG_IGN); /* as the service: a command may end before it has read all */
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    fake.timeout = 1000;
    clock_now = 1000;
    ck_assert_int_ge(sd_event_new(&loop), 0);
    ck_assert_int_eq(tv_store_open(NULL, &store, note, &error), TV_OK);
    setup_dispatch();
}

static void teardown(void)
{
    teardown_dispatch();
    tv_store_close(store);
    sd_event_unref(loop);
}

static void owe(const char *run, enum tv_alert_state state)
{
    static const char *const sinks[] = {"one", NULL};
    struct tv_error error;
    bool is_new;
    struct tv_alert alert = {.run = run,
                             .detector = "divergence",
                             .subject = "loss",
                             .summary = "it rises",
                             .state = state,
                             .wall_time = NAN,
                             .observed = NAN,
                             .expected = NAN,
                             .confidence = NAN};
    snprintf(alert.fingerprint, sizeof alert.fingerprint, "%-16.16s", run);
    ck_assert_int_eq(tv_store_alert(store, &alert, sinks, clock_now, &is_new, &error), TV_OK);
    ck_assert(is_new);
}

static void run_until_quiet(void)
{
    while (tv_dispatch_under_way(dispatch))
        ck_assert_int_ge(sd_event_run(loop, UINT64_MAX), 0);
}

START_TEST(firing_comes_before_resolved_and_each_once)
{
    owe("a", TV_FIRING);
    owe("b", TV_FIRING);
    owe("a", TV_RESOLVED);
    tv_dispatch_pump(dispatch);
    tv_dispatch_pump(dispatch);
    ck_assert_str_eq(fake.fingerprints, "a+ b+ a- ");
    ck_assert_uint_eq(tv_store_count(store, "one").delivered, 3);
    ck_assert_uint_eq(tv_store_count(store, "one").owed, 0);
}
END_TEST

START_TEST(resolved_waits_for_firing_that_failed)
{
    fake.never = "a";
    owe("a", TV_FIRING);
    owe("a", TV_RESOLVED);
    for (; clock_now < 1100; clock_now += 1)
        tv_dispatch_pump(dispatch);
    ck_assert_ptr_null(strstr(fake.fingerprints, "a-"));
    fake.never = NULL;
    for (; clock_now < 1400; clock_now += 1)
        tv_dispatch_pump(dispatch);
    ck_assert_ptr_nonnull(strstr(fake.fingerprints, "a+ a- "));
}
END_TEST

START_TEST(a_sink_that_is_down_for_an_hour_is_asked_seldom_and_then_gets_everything)
{
    char run[16];
    fake.status = TV_EIO;
    for (int i = 0; i < 100; i++) {
        snprintf(run, sizeof run, "run%d", i);
        owe(run, TV_FIRING);
    }
    for (; clock_now < 1000 + 3600; clock_now += 1)
        tv_dispatch_pump(dispatch);
    ck_assert_uint_ge(fake.calls, 10);
    ck_assert_uint_le(fake.calls, 20);
    ck_assert_uint_eq(tv_store_count(store, "one").failures, fake.calls);
    ck_assert_uint_eq(tv_store_count(store, "one").owed, 100);
    fake.status = TV_OK;
    for (; clock_now < 1000 + 3600 + 2 * TV_STORE_PAUSE_MAX; clock_now += 1)
        tv_dispatch_pump(dispatch);
    ck_assert_uint_eq(tv_store_count(store, "one").owed, 0);
    ck_assert_uint_eq(tv_store_count(store, "one").delivered, 100);
}
END_TEST

START_TEST(a_clock_that_is_set_back_by_a_day_keeps_nothing_waiting)
{
    fake.status = TV_EIO;
    owe("failed", TV_FIRING);
    for (; clock_now < 1010; clock_now += 1)
        tv_dispatch_pump(dispatch);
    owe("owed", TV_FIRING);
    clock_now -= 86400;
    fake.status = TV_OK;
    for (int i = 0; i < 60; i++, clock_now += 1)
        tv_dispatch_pump(dispatch);
    ck_assert_uint_eq(tv_store_count(store, "one").delivered, 2);
}
END_TEST

START_TEST(what_failed_is_tried_at_once_after_a_reload)
{
    fake.status = TV_EIO;
    owe("a", TV_FIRING);
    for (; clock_now < 1000 + 3600; clock_now += 1)
        tv_dispatch_pump(dispatch);
    fake.status = TV_OK;
    teardown_dispatch();
    setup_dispatch();
    tv_store_hurry(store);
    tv_dispatch_pump(dispatch);
    ck_assert_uint_eq(tv_store_count(store, "one").delivered, 1);
}
END_TEST

START_TEST(what_was_owed_to_a_sink_that_was_down_comes_in_order)
{
    enum { OWED = 300 };
    char run[16];
    fake.status = TV_EIO;
    for (int i = 0; i < OWED; i++, clock_now += 12) { /* an hour */
        snprintf(run, sizeof run, "%d", i);
        owe(run, TV_FIRING);
        tv_dispatch_pump(dispatch);
    }
    ck_assert_uint_le(fake.calls, 20);
    fake.status = TV_OK;
    fake.last = -1;
    for (int i = 0; i < 10000 && tv_store_count(store, "one").owed; i++, clock_now += 10)
        tv_dispatch_pump(dispatch);
    struct tv_store_counts counts = tv_store_count(store, "one");
    ck_assert_uint_eq(counts.delivered, OWED);
    ck_assert_uint_le(fake.backwards, counts.failures); /* those that failed stand back */
}
END_TEST

START_TEST(an_alert_that_is_never_taken_does_not_hold_up_the_others)
{
    fake.never = "a";
    owe("a", TV_FIRING);
    owe("b", TV_FIRING);
    owe("c", TV_FIRING);
    for (; clock_now < 1005; clock_now += 1)
        tv_dispatch_pump(dispatch);
    ck_assert_uint_eq(tv_store_count(store, "one").delivered, 2);
}
END_TEST

START_TEST(what_is_refused_is_dropped_and_counted)
{
    fake.status = TV_ECONFIG;
    owe("a", TV_FIRING);
    tv_dispatch_pump(dispatch);
    ck_assert_uint_eq(tv_store_count(store, "one").refused, 1);
    ck_assert_uint_eq(tv_store_count(store, "one").owed, 0);
}
END_TEST

START_TEST(one_delivery_is_under_way_at_a_time)
{
    fake.command = "sleep 0.2; cat >/dev/null";
    owe("a", TV_FIRING);
    owe("b", TV_FIRING);
    tv_dispatch_pump(dispatch);
    tv_dispatch_pump(dispatch);
    ck_assert_uint_eq(fake.calls, 1);
    run_until_quiet();
    ck_assert_uint_eq(fake.calls, 2);
    ck_assert_uint_eq(tv_store_count(store, "one").delivered, 2);
}
END_TEST

START_TEST(a_command_that_fails_is_tried_again)
{
    fake.command = "exit 3";
    owe("a", TV_FIRING);
    tv_dispatch_pump(dispatch);
    run_until_quiet();
    ck_assert_uint_eq(tv_store_count(store, "one").failures, 1);
    fake.command = "exit 0";
    clock_now += 10;
    tv_dispatch_pump(dispatch);
    run_until_quiet();
    ck_assert_uint_eq(tv_store_count(store, "one").delivered, 1);
}
END_TEST

static int read_number(int fd)
{
    char text[32] = "";
    int number = 0;
    return pread(fd, text, sizeof text - 1, 0) > 0 && strchr(text, '\n') &&
                   sscanf(text, "%d", &number) == 1
               ? number
               : 0;
}

/* Gone, or dead and not yet reaped by whoever reaps here. */
static bool has_ended(int pid)
{
    char path[64], state = 'X';
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'X';
    if (file)
        fclose(file);
    return state == 'Z' || state == 'X';
}

/* Its own child inherits the time limit: the whole process group goes. */
START_TEST(the_time_limit_of_a_command_kills_its_process_group)
{
    char path[] = "/tmp/trainvet-child-XXXXXX", command[256];
    int fd = mkstemp(path), pid = 0;
    snprintf(command, sizeof command, "sleep 1000 & echo $! >%s; wait", path);
    fake.command = command;
    fake.timeout = 0.3;
    owe("a", TV_FIRING);
    tv_dispatch_pump(dispatch);
    while (!(pid = read_number(fd))) /* nobody looks at the time before the loop runs */
        usleep(1000);
    ck_assert(!has_ended(pid));
    run_until_quiet();
    ck_assert_uint_eq(tv_store_count(store, "one").failures, 1);
    while (!has_ended(pid))
        usleep(1000);
    close(fd);
    unlink(path);
}
END_TEST

START_TEST(what_still_fires_is_told_again)
{
    tv_dispatch_free(dispatch);
    struct tv_error error;
    fake.resend = 60;
    dispatch = tv_dispatch_new(
        &(struct tv_dispatch_options){.loop = loop, .store = store, .now = simulated_now}, &error);
    ck_assert_int_eq(tv_dispatch_add(dispatch, "one", &fake_sink, NULL, NULL, &error), TV_OK);
    owe("a", TV_FIRING);
    owe("b", TV_FIRING);
    owe("b", TV_RESOLVED);
    for (; clock_now < 1000 + 130; clock_now += 1)
        tv_dispatch_pump(dispatch);
    ck_assert_str_eq(fake.fingerprints, "a+ b+ b- a+ a+ ");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("dispatch");
    TCase *c = tcase_create("deliveries");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, firing_comes_before_resolved_and_each_once);
    tcase_add_test(c, resolved_waits_for_firing_that_failed);
    tcase_add_test(c, a_sink_that_is_down_for_an_hour_is_asked_seldom_and_then_gets_everything);
    tcase_add_test(c, a_clock_that_is_set_back_by_a_day_keeps_nothing_waiting);
    tcase_add_test(c, what_failed_is_tried_at_once_after_a_reload);
    tcase_add_test(c, what_was_owed_to_a_sink_that_was_down_comes_in_order);
    tcase_add_test(c, an_alert_that_is_never_taken_does_not_hold_up_the_others);
    tcase_add_test(c, what_is_refused_is_dropped_and_counted);
    tcase_add_test(c, one_delivery_is_under_way_at_a_time);
    tcase_add_test(c, a_command_that_fails_is_tried_again);
    tcase_add_test(c, the_time_limit_of_a_command_kills_its_process_group);
    tcase_add_test(c, what_still_fires_is_told_again);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
