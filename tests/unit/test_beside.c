/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several jobs in one output directory: what one of them says is not held against another. */
#include "support/log.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct tv_parser state_parser = {.name = "hf_trainer_state", .summary = "by hand"};
static int notes;
static char last_note[512];

static void on_problem(void *ctx, const char *path, const struct tv_damage *damage)
{
    (void)ctx;
    (void)path;
    notes++;
    snprintf(last_note, sizeof last_note, "%s", damage->what);
}

static void open_log(struct tv_log *log)
{
    tv_log_open(log, "lr_mismatch");
    tv_run_on_problem(log->run, on_problem, NULL);
    notes = 0;
}

static void say(const struct tv_emit *emit, const char *key, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.17g", value);
    emit->fact(emit->ctx, &(struct tv_fact){.key = tv_span_of(key),
                                            .value = tv_span_of(text),
                                            .source = TV_FACT_RUN_ARGS,
                                            .line = 1});
}

static void say_args(const struct tv_log *log, double peak, double epochs)
{
    log->emit.fact(log->emit.ctx, &(struct tv_fact){.key = tv_span_of("lr_scheduler_type"),
                                                    .value = tv_span_of("linear"),
                                                    .source = TV_FACT_RUN_ARGS});
    say(&log->emit, "learning_rate", peak);
    say(&log->emit, "num_train_epochs", epochs);
}

struct job {
    double peak;
    int64_t total, per_epoch, every, last;
};

static double rate_at(const struct job *job, int64_t step)
{
    return job->peak * (1 - (double)(step - 1) / (double)job->total);
}

static void tell(const struct tv_log *log, const struct job *job, double factor)
{
    for (int64_t step = job->every; step <= job->last; step += job->every) {
        double time = 1e9 + (double)step;
        tv_emit_point(&log->emit, "train/loss", step, time, 2);
        tv_emit_point(&log->emit, "train/learning_rate", step, time, factor * rate_at(job, step));
        tv_emit_point(&log->emit, "train/epoch", step, time, (double)step / (double)job->per_epoch);
    }
}

static void say_epochs(const struct tv_emit *emit, const struct job *job)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)(job->total / job->per_epoch));
    emit->fact(emit->ctx, &(struct tv_fact){.key = tv_span_of("trainer_state.num_train_epochs"),
                                            .value = tv_span_of(text),
                                            .source = TV_FACT_LOG});
}

/* The history of `job`, planned for so many steps. */
static void add_state(struct tv_log *log, const struct job *job, double factor)
{
    char total[32];
    struct tv_source *source = tv_run_source(log->run, &(struct tv_source_info){"", 2});
    struct tv_emit emit = tv_source_file(source, "trainer_state.json", &state_parser);
    snprintf(total, sizeof total, "%lld", (long long)job->total);
    emit.fact(emit.ctx, &(struct tv_fact){.key = tv_span_of("log.total_steps"),
                                          .value = tv_span_of(total),
                                          .source = TV_FACT_LOG});
    say_epochs(&emit, job);
    for (int64_t step = job->every; step <= job->last; step += job->every)
        tv_emit_point(&emit, "learning_rate", step, NAN, factor * rate_at(job, step));
    tv_source_done(source);
}

static const struct job one = {1e-5, 3130, 313, 100, 3100};

/* The log of `one` with a state of that job beside it, both with so many times its rates. */
static void judge_beside(struct tv_log *log, const struct job *beside, double factor)
{
    open_log(log);
    say_args(log, 1e-5, 10);
    add_state(log, beside, factor);
    tell(log, &one, factor);
    tv_log_end(log, NAN);
}

START_TEST(a_state_of_another_job_promises_nothing)
{
    const struct job other = {1e-5, 43800, 5475, 100, 43800};
    struct tv_log log;
    judge_beside(&log, &other, 1);
    ck_assert_ptr_null(tv_log_alert(&log, "lr_mismatch"));
    ck_assert_int_eq(notes, 1);
    ck_assert_ptr_nonnull(strstr(last_note, "belongs to another job"));
    tv_log_close(&log);
}
END_TEST

/* It logs more often, and what it says stands before the first point of the log. */
START_TEST(a_state_of_another_job_says_nothing_first)
{
    const struct job other = {5e-5, 43800, 5475, 10, 43800};
    const struct tv_alert *const *alerts;
    struct tv_log log;
    judge_beside(&log, &other, 1);
    ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), 0);
    ck_assert_int_eq(notes, 1);
    tv_log_close(&log);
}
END_TEST

/* The job of the log had ended before the first rate that the state holds. */
START_TEST(a_state_that_the_log_never_meets_promises_nothing)
{
    const struct job brief = {1e-5, 40, 4, 1, 40}, other = {1e-5, 2760, 69, 50, 2000};
    const struct tv_alert *const *alerts;
    struct tv_log log;
    open_log(&log);
    say_args(&log, 1e-5, 10);
    add_state(&log, &other, 1);
    tell(&log, &brief, 1);
    tv_log_end(&log, NAN);
    size_t len = tv_run_alerts(log.run, &alerts);
    ck_assert_msg(len == 0, "%s", len ? alerts[0]->summary : "");
    tv_log_close(&log);
}
END_TEST

/* The event file holds the arguments of a job that ended before it logged a learning rate. */
START_TEST(arguments_of_another_job_promise_nothing)
{
    const struct job job = {1e-5, 267, 89, 10, 100};
    for (int epochs = 3; epochs <= 10; epochs += 7) {
        const struct tv_alert *const *alerts;
        struct tv_log log;
        open_log(&log);
        say_args(&log, 1e-5, epochs);
        say(&log.emit, "warmup_steps", 50);
        add_state(&log, &job, 1);
        tv_log_end(&log, NAN);
        ck_assert_uint_eq(tv_run_alerts(log.run, &alerts), epochs == 3);
        ck_assert_int_eq(notes, epochs != 3);
        tv_log_close(&log);
    }
}
END_TEST

/* A log that has no learning rate and begins again: nothing speaks against what the state says. */
START_TEST(a_state_that_has_the_only_rates_is_believed_behind_a_new_start)
{
    const struct job job = {1e-5, 267, 89, 10, 100};
    struct tv_log log;
    open_log(&log);
    say_args(&log, 1e-5, 3);
    add_state(&log, &job, 1);
    for (int attempt = 0; attempt < 2; attempt++) {
        if (attempt)
            tv_log_next_file(&log);
        for (int64_t step = 1; step <= 100; step++)
            tv_log_point(&log, "train/loss", step, 2);
    }
    tv_log_end(&log, NAN);
    ck_assert_int_eq(tv_run_now(log.run)->total_steps, job.total);
    tv_log_close(&log);
}
END_TEST

START_TEST(the_state_of_this_job_is_believed)
{
    struct tv_log log;
    judge_beside(&log, &one, 0.5);
    ck_assert_ptr_nonnull(tv_log_alert(&log, "lr_mismatch"));
    ck_assert_int_eq(notes, 0);
    tv_log_close(&log);
}
END_TEST

/* A finer log before it: its first step lies behind the very first one, and it was not resumed. */
START_TEST(each_job_of_a_directory_is_held_against_its_own_words)
{
    static const struct job jobs[] = {
        {2e-5, 940, 235, 10, 940},     {5e-4, 175, 35, 25, 175},    {5e-5, 4716, 2358, 100, 2900},
        {5e-5, 2276, 1138, 100, 1400}, {1e-5, 3130, 313, 500, 500}, {3e-5, 939, 313, 500, 500},
        {1e-4, 3000, 300, 500, 3000},
    };
    struct tv_log log;
    const struct tv_alert *const *alerts;
    open_log(&log);
    add_state(&log, &jobs[0], 1);
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        if (i)
            tv_log_next_file(&log);
        say_args(&log, jobs[i].peak, (double)jobs[i].total / (double)jobs[i].per_epoch);
        tell(&log, &jobs[i], 1);
        tv_run_pump(log.run, true);
    }
    tv_log_end(&log, NAN);
    size_t len = tv_run_alerts(log.run, &alerts);
    ck_assert_msg(len == 0, "%s", len ? alerts[0]->summary : "");
    tv_log_close(&log);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("beside");
    TCase *tcase = tcase_create("beside");
    tcase_add_test(tcase, a_state_of_another_job_promises_nothing);
    tcase_add_test(tcase, a_state_of_another_job_says_nothing_first);
    tcase_add_test(tcase, a_state_that_the_log_never_meets_promises_nothing);
    tcase_add_test(tcase, arguments_of_another_job_promise_nothing);
    tcase_add_test(tcase, a_state_that_has_the_only_rates_is_believed_behind_a_new_start);
    tcase_add_test(tcase, the_state_of_this_job_is_believed);
    tcase_add_test(tcase, each_job_of_a_directory_is_held_against_its_own_words);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
