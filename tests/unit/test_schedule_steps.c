/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Trainer's arithmetic from samples to steps, by version. Figures without another source are
 * those of the documents that this project started from, or follow from the rule that the test is
 * named after. */
#include "schedule/steps.h"
#include "support/settings.h"
#include "support/suite.h"
#include <math.h>

static struct tv_facts facts;
static struct tv_steps steps;
static struct tv_error error;

static enum tv_status count(const char *version, const char *json)
{
    tv_facts_free(&facts);
    facts = (struct tv_facts){0};
    tv_settings_text(&facts, json, TV_FACT_USER_CONFIG);
    if (version)
        tv_settings_add(&facts, "transformers_version", version, TV_FACT_USER_CONFIG);
    return tv_steps_resolve(&facts, &steps, &error);
}

static void expect(const char *version, const char *json, double total, double warmup)
{
    enum tv_status status = count(version, json);
    ck_assert_msg(status == TV_OK, "%s: %s", version ? version : "no version", error.message);
    ck_assert_msg(steps.total == total && steps.warmup == warmup, "%s %s: %g steps, warm-up %g",
                  version ? version : "no version", json, steps.total, steps.warmup);
}

static void teardown(void)
{
    tv_facts_free(&facts);
}

#define TWO_GPUS                                                                                   \
    "'num_samples': 10000, 'per_device_train_batch_size': 8, 'gradient_accumulation_steps': 4, "   \
    "'world_size': 2, 'num_train_epochs': 3"

START_TEST(partial_group_counts_as_a_step_since_4_52)
{
    expect("4.51.3", "{" TWO_GPUS ", 'warmup_ratio': 0.1}", 468, 47);
    ck_assert_int_eq((int)steps.steps_per_epoch, 156);
    expect("4.52.0", "{" TWO_GPUS ", 'warmup_ratio': 0.1}", 471, 48);
    ck_assert_int_eq((int)steps.steps_per_epoch, 157);
    ck_assert(!steps.rounding_assumed);
}
END_TEST

START_TEST(unknown_version_rounds_up_and_says_so)
{
    expect(NULL, "{" TWO_GPUS "}", 471, 0);
    ck_assert(steps.rounding_assumed);
    expect(NULL, "{'num_samples': 1000, 'per_device_train_batch_size': 10, 'num_train_epochs': 1}",
           100, 0);
    ck_assert(!steps.rounding_assumed);
}
END_TEST

START_TEST(ratio_is_rounded_up_as_a_double_product)
{
    expect("4.44.2", "{'max_steps': 100, 'warmup_ratio': 0.07}", 100, 8); /* 100 * 0.07 > 7 */
    expect("4.44.2", "{'max_steps': 100, 'warmup_ratio': 0.29}", 100, 29);
    expect("4.44.2", "{'max_steps': 100, 'warmup_ratio': 0.0}", 100, 0);
    expect("5.15.0", "{'max_steps': 100, 'warmup_steps': 0.07}", 100, 8);
}
END_TEST

START_TEST(steps_beat_ratio_in_4_and_ratio_beats_steps_in_5)
{
    expect("4.57.6", "{'max_steps': 468, 'warmup_ratio': 0.1, 'warmup_steps': 5}", 468, 5);
    ck_assert_str_eq(steps.warmup_from, "warmup_steps");
    expect("5.0.0", "{'max_steps': 468, 'warmup_ratio': 0.1, 'warmup_steps': 5}", 468, 47);
    ck_assert_str_eq(steps.warmup_from, "warmup_ratio");
}
END_TEST

START_TEST(a_whole_of_one_is_all_steps_in_4_and_one_step_in_5)
{
    expect("4.57.6", "{'max_steps': 20, 'warmup_ratio': 1.0}", 20, 20);
    expect("5.0.0", "{'max_steps': 20, 'warmup_ratio': 1.0}", 20, 1);
    expect("5.15.0", "{'max_steps': 20, 'warmup_steps': 1.0}", 20, 1);
    expect("5.15.0", "{'max_steps': 50, 'warmup_steps': 12.7}", 50, 12);
}
END_TEST

START_TEST(max_steps_beats_epochs_and_zero_means_zero_since_4_49)
{
    expect("4.57.6", "{'num_samples': 1000, 'num_train_epochs': 10, 'max_steps': 200}", 200, 0);
    ck_assert_str_eq(steps.total_from, "max_steps");
    expect("4.48.3", "{'num_samples': 100, 'per_device_train_batch_size': 4, 'max_steps': 0}", 75,
           0);
    expect("4.49.0", "{'num_samples': 100, 'per_device_train_batch_size': 4, 'max_steps': 0}", 0,
           0);
}
END_TEST

START_TEST(epochs_may_have_a_fraction)
{
    expect(
        "4.57.6",
        "{'num_samples': 1000, 'per_device_train_batch_size': 4, 'gradient_accumulation_steps': 3, "
        "'num_train_epochs': 2.5}",
        210, 0);
    expect("4.57.6",
           "{'num_samples': 10, 'per_device_train_batch_size': 16, 'num_train_epochs': 2.5}", 3, 0);
}
END_TEST

START_TEST(dropped_batches_were_counted_by_sample_before_4_31)
{
    const char *json = "{'num_samples': 31, 'per_device_train_batch_size': 16, 'world_size': 2, "
                       "'dataloader_drop_last': true, 'num_train_epochs': 3}";
    expect("4.30.0", json, 3, 0);
    ck_assert_int_eq((int)steps.len_dataloader, 1);
    expect("4.44.2", json, 3, 0);
    ck_assert_int_eq((int)steps.len_dataloader, 0);
    ck_assert_int_eq(count("4.50.3", json), TV_ECONFIG);
}
END_TEST

START_TEST(what_the_trainer_counted_completes_the_configuration)
{
    expect("4.57.6", "{'num_train_epochs': 3, 'log.total_steps': 468, 'warmup_ratio': 0.1}", 468,
           47);
    expect("4.57.6", "{'num_train_epochs': 3, 'trainer_state.max_steps': 468}", 468, 0);
    expect("4.57.6", "{'num_train_epochs': 2.5, 'log.steps_per_epoch': 84}", 210, 0);
    ck_assert_str_eq(steps.total_from, "log.steps_per_epoch");
    expect("4.57.6", "{'max_steps': 100, 'log.total_steps': 468}", 100, 0);
}
END_TEST

START_TEST(missing_size_is_said_and_a_warmup_in_steps_still_known)
{
    ck_assert_int_eq(count("4.57.6", "{'num_train_epochs': 3, 'warmup_steps': 20}"), TV_AGAIN);
    ck_assert(isnan(steps.total) && steps.warmup == 20);
    ck_assert_ptr_nonnull(strstr(error.message, "max_steps"));
}
END_TEST

START_TEST(impossible_settings_are_rejected)
{
    ck_assert_int_eq(count("4.44.2", "{'max_steps': 10, 'warmup_ratio': 1.1}"), TV_ECONFIG);
    ck_assert_int_eq(count("4.44.2", "{'max_steps': 10, 'warmup_ratio': -0.1}"), TV_ECONFIG);
    ck_assert_int_eq(count("5.15.0", "{'max_steps': 10, 'warmup_steps': -1}"), TV_ECONFIG);
    ck_assert_int_eq(count("4.44.2", "{'max_steps': 10, 'gradient_accumulation_steps': 0}"),
                     TV_ECONFIG);
    ck_assert_int_eq(count("4.44.2", "{'max_steps': 10, 'per_device_train_batch_size': 0}"),
                     TV_ECONFIG);
}
END_TEST

/* The trainer's own dump of its arguments tells the version apart: evaluation_strategy was dropped
 * in 4.51. */
START_TEST(version_shows_in_what_the_trainer_wrote_down)
{
    static const struct {
        const char *json;
        enum tv_answer since_4_51, since_5;
    } cases[] = {
        {"{'prediction_loss_only': false, 'evaluation_strategy': 'no', 'eval_strategy': 'no'}",
         TV_NO, TV_NO},
        {"{'prediction_loss_only': false, 'eval_strategy': 'no', 'overwrite_output_dir': false}",
         TV_YES, TV_NO},
        {"{'prediction_loss_only': false, 'eval_strategy': 'no'}", TV_YES, TV_MAYBE},
        {"{'eval_strategy': 'no'}", TV_MAYBE, TV_MAYBE},
        {"{'transformers_version': '4.51.0.dev0'}", TV_YES, TV_NO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tv_facts written = {0};
        tv_settings_text(&written, cases[i].json, TV_FACT_RUN_ARGS);
        struct tv_versions versions = tv_transformers_versions(&written);
        ck_assert_msg(tv_since(versions, 4051000) == cases[i].since_4_51, "%s", cases[i].json);
        ck_assert_msg(tv_since(versions, 5000000) == cases[i].since_5, "%s", cases[i].json);
        tv_facts_free(&written);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("schedule steps");
    TCase *t = tcase_create("steps");
    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_test(t, partial_group_counts_as_a_step_since_4_52);
    tcase_add_test(t, unknown_version_rounds_up_and_says_so);
    tcase_add_test(t, ratio_is_rounded_up_as_a_double_product);
    tcase_add_test(t, steps_beat_ratio_in_4_and_ratio_beats_steps_in_5);
    tcase_add_test(t, a_whole_of_one_is_all_steps_in_4_and_one_step_in_5);
    tcase_add_test(t, max_steps_beats_epochs_and_zero_means_zero_since_4_49);
    tcase_add_test(t, epochs_may_have_a_fraction);
    tcase_add_test(t, dropped_batches_were_counted_by_sample_before_4_31);
    tcase_add_test(t, what_the_trainer_counted_completes_the_configuration);
    tcase_add_test(t, missing_size_is_said_and_a_warmup_in_steps_still_known);
    tcase_add_test(t, impossible_settings_are_rejected);
    tcase_add_test(t, version_shows_in_what_the_trainer_wrote_down);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
