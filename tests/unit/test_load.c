/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/folder.h"
#include "support/suite.h"
#include "tail/load.h"
#include "trainvet/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tv_folder folder;
static struct tv_found found;
static struct tv_run *run;
static char seen[200000];
static struct tv_text text;

/* Writes down what the engine delivers: "role step" in order. */
static void on_sample(struct tv_view *view, const void *options, void *state,
                      const struct tv_point *point)
{
    (void)view;
    (void)options;
    (void)state;
    tv_text_add(&text, "%s%lld ",
                point->role == TV_ROLE_TRAIN_LOSS  ? "t"
                : point->role == TV_ROLE_EVAL_LOSS ? "e"
                                                   : "l",
                (long long)point->step);
}

static const struct tv_detector recorder = {
    .name = "recorder",
    .summary = "writes down what it gets",
    .explain = "",
    .roles = TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS) | TV_ROLE_BIT(TV_ROLE_EVAL_LOSS) |
             TV_ROLE_BIT(TV_ROLE_LEARNING_RATE),
    .on_sample = on_sample,
};
static const struct tv_detector *const detectors[] = {&recorder, NULL};
static const struct tv_engine_options options = {.detectors = detectors};

static void setup(void)
{
    folder = tv_folder_new();
    text = tv_text_in(seen, sizeof seen);
    run = tv_run_new(&options, ".");
}

static void teardown(void)
{
    tv_run_free(run);
    tv_found_free(&found);
    tv_folder_remove(&folder);
}

static void load(const char *name)
{
    const char *path = *name ? tv_folder_path(&folder, name) : folder.path;
    tv_discover(&found, &path, 1);
    ck_assert_uint_eq(found.runs_len, 1);
    tv_load_run(run, &found.runs[0], NULL);
    tv_run_end(run, 2e9);
}

static void write_keras(const char *name, const char *tag, int first, int interval, int count)
{
    struct tv_bytes bytes = {0};
    tv_write_version(&bytes);
    for (int i = 0; i < count; i++)
        tv_write_tf2_scalar(&bytes, first + i * interval, tag, 1.0f);
    tv_folder_write(&folder, name, tv_bytes_span(&bytes));
    tv_bytes_free(&bytes);
}

START_TEST(sources_of_one_run_are_delivered_by_step)
{
    write_keras("train/events.out.tfevents.1.n.7.0.v2", "epoch_loss", 0, 1, 9000);
    write_keras("validation/events.out.tfevents.1.n.7.1.v2", "epoch_loss", 500, 1000, 9);
    load("");
    long long last = -1;
    int evals = 0;
    for (char *p = strtok(seen, " "); p; p = strtok(NULL, " ")) {
        ck_assert_int_ge(atoll(p + 1), last);
        last = atoll(p + 1);
        evals += *p == 'e';
    }
    struct tv_run_report report;
    tv_run_report(run, &report);
    ck_assert_uint_eq(report.points, 9009);
    ck_assert_int_eq(report.steps, 8999);
    ck_assert_uint_eq(report.inputs_len, 2);
    ck_assert_int_eq(evals, 9);
}
END_TEST

START_TEST(event_files_follow_one_another)
{
    tv_folder_events(&folder, "events.out.tfevents.1700000002.n.8.0", 3, 1, 3);
    tv_folder_events(&folder, "events.out.tfevents.1700000001.n.7.0", 0, 1, 3);
    load("");
    ck_assert_str_eq(seen, "t0 t1 t2 t3 t4 t5 ");
}
END_TEST

/* Most series of a log are asked for by nobody: they are counted, and a file of them alone is no
 * empty one. */
START_TEST(points_that_nobody_asked_for_are_counted)
{
    for (int with_loss = 0; with_loss < 2; with_loss++) {
        struct tv_bytes bytes = {0};
        tv_write_version(&bytes);
        for (int step = 0; step < 600; step++) {
            if (with_loss)
                tv_write_scalar_at(&bytes, 1.7e9 + step, step, "train/loss", 1.0f);
            tv_write_scalar_at(&bytes, 1.7e9 + step, step, "memory/reserved_gib", 1.0f);
            tv_write_tf2_scalar(&bytes, step, "data/padding_ratio", 1.0f);
        }
        tv_folder_write(&folder, "events.out.tfevents.1.a", tv_bytes_span(&bytes));
        tv_bytes_free(&bytes);
        tv_run_free(run);
        run = tv_run_new(&options, ".");
        load("");
        struct tv_run_report report;
        tv_run_report(run, &report);
        ck_assert_uint_eq(report.points, with_loss ? 1800 : 1200);
        ck_assert_str_ne(report.status, "no_data");
        tv_found_free(&found);
    }
}
END_TEST

START_TEST(file_that_went_away_is_reported_and_the_rest_is_read)
{
    tv_folder_events(&folder, "events.out.tfevents.1700000001.n.7.0", 0, 1, 3);
    tv_folder_events(&folder, "events.out.tfevents.1700000002.n.8.0", 3, 1, 3);
    const char *path = folder.path;
    tv_discover(&found, &path, 1);
    remove(tv_folder_path(&folder, "events.out.tfevents.1700000001.n.7.0"));
    atomic_uint_least64_t bytes = 0;
    tv_load_run(run, &found.runs[0], &bytes);
    tv_run_end(run, 2e9);
    struct tv_run_report report;
    tv_run_report(run, &report);
    ck_assert_str_eq(seen, "t3 t4 t5 ");
    ck_assert_uint_eq(report.inputs[0].damaged, 1);
    ck_assert_uint_eq(report.inputs[1].damaged, 0);
    ck_assert_uint_gt(atomic_load(&bytes), 100);
}
END_TEST

static const char yaml[] = "stage: sft\nmodel_name_or_path: m\noutput_dir: out\n"
                           "learning_rate: 1.0e-4\nlr_scheduler_type: cosine\nmax_steps: 100\n";

START_TEST(configuration_from_the_command_line_wins)
{
    struct tv_error error;
    tv_folder_text(&folder, "r/train.yaml", yaml);
    tv_folder_events(&folder, "r/events.out.tfevents.1.n.7.0", 0, 1, 3);
    tv_folder_text(&folder, "mine.yaml",
                   "stage: sft\nmodel_name_or_path: m\noutput_dir: out\n"
                   "learning_rate: 3.0e-4\nlr_scheduler_type: linear\n");
    ck_assert_int_eq(tv_load_config(run, tv_folder_path(&folder, "mine.yaml"), true, &error),
                     TV_OK);
    load("r");
    double rate;
    ck_assert(tv_facts_number(tv_run_facts(run), "learning_rate", &rate));
    ck_assert_double_eq(rate, 3e-4);
    ck_assert_str_eq(tv_facts_text(tv_run_facts(run), "lr_scheduler_type"), "linear");
    ck_assert(tv_facts_number(tv_run_facts(run), "max_steps", &rate));
    ck_assert_double_eq(rate, 100);
}
END_TEST

START_TEST(whose_configuration_it_is_counts_less_than_what_is_said)
{
    struct tv_fact said = {.key = tv_span_of("framework"),
                           .value = tv_span_of("olmocore"),
                           .source = TV_FACT_COMMAND_LINE};
    struct tv_error error;
    tv_folder_text(&folder, "mine.yaml", yaml);
    tv_facts_add(tv_run_facts(run), &said, "command line");
    ck_assert_int_eq(tv_load_config(run, tv_folder_path(&folder, "mine.yaml"), true, &error),
                     TV_OK);
    ck_assert_str_eq(tv_facts_text(tv_run_facts(run), "framework"), "olmocore");
}
END_TEST

START_TEST(olmo_core_is_not_taken_for_olmo)
{
    struct tv_error error;
    tv_folder_text(&folder, "mine.json",
                   "{\"optim\": {\"lr\": 0.0003}, \"max_duration\": {\"value\": 200, \"unit\": "
                   "\"steps\"}, \"scheduler\": {\"_CLASS_\": "
                   "\"olmo_core.optim.scheduler.LinearWithWarmup\", \"warmup\": 20, "
                   "\"alpha_f\": 0.1}}\n");
    ck_assert_int_eq(tv_load_config(run, tv_folder_path(&folder, "mine.json"), true, &error),
                     TV_OK);
    const struct tv_schedule *promise = tv_run_schedule(run, NULL, NULL);
    ck_assert_ptr_nonnull(promise);
    ck_assert_str_eq(promise->framework, "olmocore");
    ck_assert_double_eq(promise->total_steps, 200);
}
END_TEST

START_TEST(log_is_no_configuration)
{
    struct tv_error error;
    tv_folder_events(&folder, "events.out.tfevents.1.n.7.0", 0, 1, 3);
    ck_assert_int_eq(
        tv_load_config(run, tv_folder_path(&folder, "events.out.tfevents.1.n.7.0"), true, &error),
        TV_EUNSUPPORTED);
    ck_assert_int_eq(tv_load_config(run, tv_folder_path(&folder, "gone.yaml"), true, &error),
                     TV_EIO);
}
END_TEST

START_TEST(broken_configuration_is_an_error_with_its_line)
{
    struct tv_error error = {0};
    tv_folder_text(&folder, "train.yaml",
                   "stage: sft\nlearning_rate: 1e-4\nmodel_name_or_path: [a\nx: y\n");
    ck_assert_int_ne(tv_load_config(run, tv_folder_path(&folder, "train.yaml"), true, &error),
                     TV_OK);
    ck_assert_str_ne(error.message, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("load");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, sources_of_one_run_are_delivered_by_step);
    tcase_add_test(tcase, event_files_follow_one_another);
    tcase_add_test(tcase, points_that_nobody_asked_for_are_counted);
    tcase_add_test(tcase, file_that_went_away_is_reported_and_the_rest_is_read);
    tcase_add_test(tcase, configuration_from_the_command_line_wins);
    tcase_add_test(tcase, whose_configuration_it_is_counts_less_than_what_is_said);
    tcase_add_test(tcase, olmo_core_is_not_taken_for_olmo);
    tcase_add_test(tcase, log_is_no_configuration);
    tcase_add_test(tcase, broken_configuration_is_an_error_with_its_line);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
