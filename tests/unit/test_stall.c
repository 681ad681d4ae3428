/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/log.h"
#include "support/noise.h"
#include "support/suite.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ID "stall"
#define T0 1.7e9

/* A job that logs every 10 steps, a step a second, evaluates every 100 steps for 40 s, and is
 * planned to take 2000 steps. `slow_from`: steps take `factor` times as long from there on. */
struct job {
    int64_t steps, planned, gap_at, slow_from, eval_every;
    double gap, factor, step_seconds;
    bool whole_seconds, is_elapsed;
    double last_loss;
};

static const struct job steady = {
    .steps = 2000,
    .planned = 2000,
    .gap_at = -1,
    .slow_from = -1,
    .eval_every = 100,
    .factor = 1,
    .step_seconds = 1,
    .last_loss = 1,
};

static double tell(struct tv_log *log, const struct job *job)
{
    struct tv_noise noise = {7};
    double now = job->is_elapsed ? 0 : T0;
    char text[32];
    tv_log_open(log, ID);
    tv_log_fact(log, "framework", "llamafactory");
    tv_log_fact(log, "learning_rate", "1e-4");
    snprintf(text, sizeof text, "%lld", (long long)job->planned);
    if (job->planned)
        tv_log_fact(log, "max_steps", text);
    for (int64_t step = 10; step <= job->steps; step += 10) {
        double pace = step > job->slow_from && job->slow_from >= 0 ? job->factor : 1;
        now += 10 * pace * job->step_seconds * (1 + 0.2 * tv_noise_uniform(&noise));
        if (step - 10 == job->gap_at)
            now += job->gap;
        double loss = step == job->steps ? job->last_loss : 1;
        tv_log_timed(log, "loss", step, job->whole_seconds ? floor(now) : now, loss);
        if (step % job->eval_every == 0) {
            now += 40;
            tv_log_timed(log, "eval_loss", step, job->whole_seconds ? floor(now) : now, 1);
        }
    }
    return now;
}

static const struct tv_alert *judge(struct tv_log *log, const struct job *job, double silence)
{
    double last = tell(log, job);
    tv_log_end(log, last + silence);
    return tv_log_alert(log, ID);
}

static bool alarms(const struct job *job, double silence)
{
    struct tv_log log;
    bool found = judge(&log, job, silence) != NULL;
    tv_log_close(&log);
    return found;
}

START_TEST(a_slow_down_is_found_where_every_interval_holds_an_evaluation)
{
    struct tv_log log;
    struct job job = steady;
    job.eval_every = 10;
    job.planned = 2000;
    ck_assert(!alarms(&job, 0));
    job.slow_from = 1000;
    job.factor = 30; /* of the 10 s that are training, beside 40 s of evaluation */
    const struct tv_alert *alert = judge(&log, &job, 0);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 1000);
    ck_assert_int_le(alert->step, 1000 + 4 * 10);
    tv_log_close(&log);
}
END_TEST

/* Rewards have no training loss that would tell the steps between two points. */
START_TEST(the_last_interval_of_a_plan_is_not_waited_for)
{
    struct tv_log log;
    tv_log_open(&log, ID);
    tv_log_fact(&log, "max_steps", "102400");
    for (int64_t step = 1024; step <= 101376; step += 1024)
        tv_log_timed(&log, "rollout/ep_rew_mean", step, T0 + 0.003 * (double)step, 1);
    tv_log_end(&log, T0 + 3600);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_silence_in_the_middle_is_found_at_the_next_point)
{
    struct tv_log log;
    struct job job = steady;
    job.gap_at = 650;
    job.gap = 1000;
    const struct tv_alert *alert = judge(&log, &job, 0);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 650);
    ck_assert_int_eq(alert->step, 660);
    ck_assert_int_eq(alert->state, TV_RESOLVED);
    ck_assert_double_eq_tol(alert->observed, 1010, 5);
    tv_log_close(&log);
}
END_TEST

/* Each point as the HF Trainer writes it: loss and gradient norm a moment apart. */
static void tell_pairs(struct tv_log *log, double *now, int64_t from, int64_t to, double seconds)
{
    for (int64_t step = from; step <= to; step += 10) {
        *now += seconds;
        tv_log_timed(log, "train/loss", step, *now, 1);
        tv_log_timed(log, "train/grad_norm", step, *now + 6e-5, 1);
    }
}

START_TEST(the_values_of_one_step_are_no_intervals)
{
    for (int eval_last = 0; eval_last < 2; eval_last++) {
        struct tv_log log;
        double now = T0;
        tv_log_open(&log, ID);
        tv_log_fact(&log, "max_steps", "2000");
        tell_pairs(&log, &now, 10, 1000, 130);
        /* the first evaluation takes what it takes; beside 130 s, 3344 s of silence are a stall */
        now += 3344;
        tv_log_timed(&log, eval_last ? "eval/loss" : "train/loss", 1010, now, 1);
        tv_log_end(&log, now + 60);
        const struct tv_alert *alert = tv_log_alert(&log, ID);
        ck_assert((alert == NULL) == (eval_last == 1));
        if (alert)
            ck_assert_ptr_nonnull(strstr(alert->summary, "usual interval is 130 s"));
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(a_silence_that_lasts_is_found_by_the_observers_clock)
{
    struct tv_log log;
    struct job job = steady;
    job.steps = 1000;
    const struct tv_alert *alert = judge(&log, &job, 7200);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 1000);
    ck_assert_int_eq(alert->severity, TV_CRITICAL);
    ck_assert_int_eq(alert->state, TV_FIRING);
    tv_log_close(&log);
    ck_assert(!alarms(&job, 120));
}
END_TEST

START_TEST(a_log_of_elapsed_time_is_placed_in_the_day_by_when_it_was_written)
{
    struct tv_log log;
    struct job job = steady;
    const double written = 1.8e9;
    job.steps = 1000;
    job.is_elapsed = true;
    tell(&log, &job);
    tv_run_pump(log.run, false);
    tv_run_tick(log.run, written + 100);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_run_written(log.run, written);
    tv_run_tick(log.run, written + 100);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_run_tick(log.run, written + 400);
    const struct tv_alert *alert = tv_log_alert(&log, ID);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 1000);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_tick_finds_what_the_end_finds)
{
    struct tv_log log;
    struct job job = steady;
    job.steps = 1000;
    double last = tell(&log, &job);
    tv_run_pump(log.run, false);
    tv_run_tick(log.run, last + 100);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_run_tick(log.run, last + 400);
    const struct tv_alert *alert = tv_log_alert(&log, ID);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 1000);
    tv_log_close(&log);
}
END_TEST

START_TEST(a_tick_tells_when_the_next_one_has_something_else_to_say)
{
    struct tv_log log;
    struct job job = steady;
    job.steps = 1000;
    double last = tell(&log, &job);
    tv_run_pump(log.run, false);
    double wait = tv_run_tick(log.run, last + 100);
    tv_run_tick(log.run, last + 100 + wait - 1);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    double more = tv_run_tick(log.run, last + 100 + wait + 1);
    const struct tv_alert *alert = tv_log_alert(&log, ID);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->severity, TV_WARNING);
    double end = tv_run_tick(log.run, last + 100 + wait + 1 + more + 1);
    ck_assert_int_eq(tv_log_alert(&log, ID)->severity, TV_CRITICAL);
    ck_assert_double_infinite(end);
    tv_log_close(&log);
}
END_TEST

START_TEST(the_silence_of_a_finished_or_broken_or_unplanned_run_is_no_stall)
{
    struct job job = steady;
    ck_assert(!alarms(&job, 7200));
    job.steps = 1000;
    job.last_loss = NAN;
    ck_assert(!alarms(&job, 7200));
    job.last_loss = 1;
    job.planned = 0;
    ck_assert(!alarms(&job, 7200));
    job.planned = 2000;
    ck_assert(!alarms(&job, 1e8)); /* abandoned years ago */
}
END_TEST

START_TEST(a_slow_down_is_found_with_its_first_step)
{
    for (int whole = 0; whole < 2; whole++) {
        struct tv_log log;
        struct job job = steady;
        job.slow_from = 800;
        job.factor = 3;
        job.whole_seconds = whole;
        const struct tv_alert *alert = judge(&log, &job, 0);
        ck_assert_ptr_nonnull(alert);
        ck_assert_str_eq(alert->subject, "seconds_per_step");
        ck_assert_int_ge(alert->onset_step, 790);
        ck_assert_int_le(alert->onset_step, 820);
        ck_assert_int_le(alert->step, 900);
        ck_assert_double_eq_tol(alert->observed / alert->expected, 3, 0.4);
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(a_small_slow_down_and_a_coarse_clock_are_left_alone)
{
    struct job job = steady;
    job.slow_from = 800;
    job.factor = 1.4;
    ck_assert(!alarms(&job, 0));
    job.factor = 1;
    job.whole_seconds = true;
    job.step_seconds = 0.06; /* intervals of 0 and 1 s */
    ck_assert(!alarms(&job, 0));
}
END_TEST

START_TEST(the_time_between_two_attempts_is_no_stall)
{
    struct tv_log log;
    double last = T0;
    tv_log_open(&log, ID);
    tv_log_fact(&log, "max_steps", "500");
    for (int64_t step = 10; step <= 250; step += 10)
        tv_log_timed(&log, "loss", step, last += 10, 1);
    tv_log_next_file(&log);
    tv_log_mark(&log, TV_MARK_START, 210);
    last += 36000;
    for (int64_t step = 210; step <= 500; step += 10)
        tv_log_timed(&log, "loss", step, last += 10, 1);
    tv_log_end(&log, last);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
}
END_TEST

/* The steps go on where the killed job stopped, or an evaluation comes first: no attempt tells. */
START_TEST(the_time_before_a_new_event_file_is_no_stall)
{
    struct tv_log log;
    double last = T0;
    tv_log_open(&log, ID);
    for (int64_t step = 10; step <= 1000; step += 10) {
        if (step == 510) {
            tv_log_next_file(&log);
            last += 36000;
        }
        if (step % 100 == 10)
            tv_log_timed(&log, "eval_loss", step, last += 10, 1);
        tv_log_timed(&log, "loss", step, last += 10, 1);
    }
    tv_log_end(&log, last);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
}
END_TEST

/* A writer that puts its ten series down one after the other is no quicker than its steps. */
START_TEST(the_usual_interval_is_that_of_the_steps)
{
    struct tv_log log;
    tv_log_open(&log, ID);
    for (int64_t step = 10; step <= 600; step += 10) {
        double now = T0 + 12.0 * (double)step + (step > 300 ? 2000 : 0);
        tv_log_timed(&log, "loss", step, now, 1);
        tv_log_timed(&log, "grad_norm", step, now + 1e-4, 1);
        tv_log_timed(&log, "learning_rate", step, now + 2e-4, 1);
        tv_log_timed(&log, "eval_loss", step, now + 3e-4, 1);
    }
    tv_log_end(&log, T0 + 9300);
    const struct tv_alert *alert = tv_log_alert(&log, ID);
    ck_assert_ptr_nonnull(alert);
    ck_assert_ptr_nonnull(strstr(alert->summary, "the usual interval is 120 s"));
    tv_log_close(&log);
}
END_TEST

/* A point every 10 s; before the points of `at` it waits so long. */
static void tell_pauses(struct tv_log *log, const int64_t *at, const double *seconds, size_t len)
{
    double now = T0;
    tv_log_open(log, ID);
    for (int64_t step = 10; step <= 20000; step += 10) {
        for (size_t i = 0; i < len; i++)
            now += step == at[i] ? seconds[i] : 0;
        tv_log_timed(log, "loss", step, now += 10, 1);
    }
    tv_log_end(log, now);
}

/* Before the second point nothing says how often the job logs. */
START_TEST(the_first_interval_is_what_is_usual)
{
    struct tv_log log;
    double now = T0;
    tv_log_open(&log, ID);
    tv_log_fact(&log, "max_steps", "5000");
    for (int64_t step = 100; step <= 1000; step += 100)
        tv_log_timed(&log, "loss", step, now += 2500, 1);
    tv_log_end(&log, now);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);

    tv_log_open(&log, ID);
    tv_log_fact(&log, "max_steps", "5000");
    tv_log_timed(&log, "loss", 100, T0, 1);
    tv_log_end(&log, T0 + 40000);
    const struct tv_alert *alert = tv_log_alert(&log, ID);
    ck_assert_ptr_nonnull(alert);
    ck_assert_msg(!strstr(alert->summary, "nan"), "%s", alert->summary);
    tv_log_close(&log);
}
END_TEST

/* One point, and nothing for so long that it is told. */
static void open_silent(struct tv_log *log)
{
    tv_log_open(log, ID);
    tv_log_fact(log, "max_steps", "5000");
    tv_log_timed(log, "loss", 100, T0, 1);
    tv_run_pump(log->run, false);
    tv_run_tick(log->run, T0 + 9000);
    ck_assert_ptr_nonnull(tv_log_alert(log, ID));
}

/* What a tick said of the silence behind the first point is taken back when the next one comes. */
START_TEST(a_silence_behind_the_first_point_is_taken_back)
{
    const struct tv_alert *const *alerts;
    struct tv_log log;
    open_silent(&log);
    tv_log_timed(&log, "loss", 200, T0 + 10000, 1);
    tv_run_pump(log.run, false);
    ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 0);
    tv_log_close(&log);
}
END_TEST

/* Another process went on: the first one did hang. */
START_TEST(a_silence_behind_the_first_point_that_a_restart_ended_stays_told)
{
    const struct tv_alert *const *alerts;
    struct tv_log log;
    open_silent(&log);
    tv_log_next_file(&log);
    for (int64_t step = 101; step < 120; step++)
        tv_log_timed(&log, "loss", step, T0 + 10000 + (double)step, 1);
    tv_run_pump(log.run, false);
    ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 1);
    ck_assert_int_eq(alerts[0]->state, TV_RESOLVED);
    tv_log_close(&log);
}
END_TEST

START_TEST(what_the_job_does_regularly_is_no_stall)
{
    const int64_t at[] = {3010, 5910, 9010, 12010, 13010, 14910, 16510};
    const double seconds[] = {900, 950, 700, 1100, 800, 1000, 9000};
    struct tv_log log;
    tell_pauses(&log, at, seconds, 6);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
    tell_pauses(&log, at, seconds, 7);
    const struct tv_alert *alert = tv_log_alert(&log, ID);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, 16500);
    ck_assert_int_eq(alert->episode, 2); /* a tick may have told the two that were taken back */
    tv_log_close(&log);
}
END_TEST

START_TEST(silences_that_recur_at_any_time_are_one_more_finding)
{
    const int64_t at[] = {3010, 9010, 10510, 11510};
    const double seconds[] = {900, 950, 4700, 1100};
    const struct tv_alert *const *alerts;
    struct tv_log log;
    tell_pauses(&log, at, seconds, 4);
    ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 2);
    ck_assert_int_eq(alerts[0]->onset_step, 3000);
    ck_assert_int_eq(alerts[1]->onset_step, 9000);
    ck_assert_int_eq(alerts[1]->state, TV_RESOLVED);
    ck_assert_ptr_nonnull(strstr(alerts[1]->summary, "4 times since step 3000"));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_slow_down_that_cost_little_is_taken_back)
{
    for (int long_one = 0; long_one < 2; long_one++) {
        struct tv_log log;
        double now = T0;
        tv_log_open(&log, ID);
        for (int64_t step = 10; step <= 3000; step += 10) {
            bool slow = step > 1000 && step <= (long_one ? 2000 : 1500);
            tv_log_timed(&log, "loss", step, now += slow ? 7.5 : 2.5, 1);
        }
        tv_log_end(&log, now);
        const struct tv_alert *alert = tv_log_alert(&log, ID);
        ck_assert((alert != NULL) == (long_one == 1));
        if (alert)
            ck_assert_int_eq(alert->state, TV_RESOLVED);
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(without_times_nothing_is_said)
{
    struct tv_log log;
    tv_log_open(&log, ID);
    tv_log_fact(&log, "max_steps", "500");
    for (int64_t step = 10; step <= 250; step += 10)
        tv_log_timed(&log, "loss", step, NAN, 1);
    tv_log_end(&log, T0);
    ck_assert_ptr_null(tv_log_alert(&log, ID));
    tv_log_close(&log);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("stall");
    TCase *tcase = tcase_create("stall");
    tcase_add_test(tcase, a_slow_down_is_found_where_every_interval_holds_an_evaluation);
    tcase_add_test(tcase, the_last_interval_of_a_plan_is_not_waited_for);
    tcase_add_test(tcase, a_silence_in_the_middle_is_found_at_the_next_point);
    tcase_add_test(tcase, the_values_of_one_step_are_no_intervals);
    tcase_add_test(tcase, a_silence_that_lasts_is_found_by_the_observers_clock);
    tcase_add_test(tcase, a_tick_finds_what_the_end_finds);
    tcase_add_test(tcase, a_tick_tells_when_the_next_one_has_something_else_to_say);
    tcase_add_test(tcase, a_log_of_elapsed_time_is_placed_in_the_day_by_when_it_was_written);
    tcase_add_test(tcase, the_silence_of_a_finished_or_broken_or_unplanned_run_is_no_stall);
    tcase_add_test(tcase, a_slow_down_is_found_with_its_first_step);
    tcase_add_test(tcase, a_small_slow_down_and_a_coarse_clock_are_left_alone);
    tcase_add_test(tcase, the_time_between_two_attempts_is_no_stall);
    tcase_add_test(tcase, the_time_before_a_new_event_file_is_no_stall);
    tcase_add_test(tcase, the_usual_interval_is_that_of_the_steps);
    tcase_add_test(tcase, the_first_interval_is_what_is_usual);
    tcase_add_test(tcase, a_silence_behind_the_first_point_is_taken_back);
    tcase_add_test(tcase, a_silence_behind_the_first_point_that_a_restart_ended_stays_told);
    tcase_add_test(tcase, what_the_job_does_regularly_is_no_stall);
    tcase_add_test(tcase, silences_that_recur_at_any_time_are_one_more_finding);
    tcase_add_test(tcase, a_slow_down_that_cost_little_is_taken_back);
    tcase_add_test(tcase, without_times_nothing_is_said);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
