/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/contradictions.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <string.h>

static struct tv_facts facts;
static struct tv_contradiction found[8];

static void start(void)
{
    memset(&facts, 0, sizeof facts);
}

static void stop(void)
{
    tv_facts_free(&facts);
}

static void add(const char *key, const char *value, enum tv_fact_source source)
{
    static const char *const paths[] = {"cli", "args", "train.yaml", "hparams", "README.md", "log"};
    struct tv_fact fact = {.key = tv_span_of(key),
                           .value = tv_span_of(value ? value : "null"),
                           .is_null = !value,
                           .source = source,
                           .line = 3};
    tv_facts_add(&facts, &fact, paths[source]);
}

static size_t count(void)
{
    return tv_facts_contradictions(&facts, found, 8);
}

START_TEST(different_values_are_told_with_both_places)
{
    add("learning_rate", "5e-05", TV_FACT_RUN_ARGS);
    add("learning_rate", "1e-4", TV_FACT_USER_CONFIG);
    ck_assert_uint_eq(count(), 1);
    char text[300];
    ck_assert_str_eq(tv_contradiction_text(&found[0], text, sizeof text),
                     "learning_rate is 5e-05 in args:3, which counts, but 1e-4 in train.yaml:3");
}
END_TEST

START_TEST(numbers_are_compared_as_numbers)
{
    add("learning_rate", "5e-05", TV_FACT_RUN_ARGS);
    add("learning_rate", "0.00005", TV_FACT_USER_CONFIG);
    add("learning_rate", "5.0E-5", TV_FACT_MODEL_CARD);
    add("num_train_epochs", "3.0", TV_FACT_RUN_ARGS);
    add("num_train_epochs", "3", TV_FACT_USER_CONFIG);
    add("warmup_steps", "1_0", TV_FACT_USER_CONFIG);
    add("warmup_steps", "10", TV_FACT_RUN_ARGS);
    ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(what_is_not_stated_contradicts_nothing)
{
    add("max_steps", "-1", TV_FACT_RUN_ARGS);
    add("max_steps", "400", TV_FACT_USER_CONFIG);
    add("warmup_ratio", NULL, TV_FACT_RUN_ARGS);
    add("warmup_ratio", "0.1", TV_FACT_USER_CONFIG);
    add("learning_rate", "auto", TV_FACT_HPARAMS);
    add("learning_rate", "0.1", TV_FACT_USER_CONFIG);
    add("gradient_accumulation_steps", "8", TV_FACT_USER_CONFIG); /* absent elsewhere */
    ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(what_the_trainer_counted_is_no_setting)
{
    add("max_steps", "400", TV_FACT_USER_CONFIG);
    add("max_steps", "900", TV_FACT_LOG);
    ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(restart_with_other_arguments_is_no_contradiction)
{
    struct tv_fact fact = {
        .key = tv_span_of("learning_rate"), .value = tv_span_of("0.1"), .source = TV_FACT_RUN_ARGS};
    tv_facts_add(&facts, &fact, "events.1");
    fact.value = tv_span_of("0.2");
    tv_facts_add(&facts, &fact, "events.2");
    ck_assert_uint_eq(count(), 0);
    add("learning_rate", "0.2", TV_FACT_USER_CONFIG); /* agrees with the newest */
    ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(spellings_of_one_setting_are_compared)
{
    add("lr", "0.1", TV_FACT_HPARAMS);
    add("learning_rate", "0.2", TV_FACT_USER_CONFIG);
    add("lr_scheduler_type", "SchedulerType.COSINE", TV_FACT_HPARAMS);
    add("lr_scheduler_type", "cosine", TV_FACT_USER_CONFIG);
    ck_assert_uint_eq(count(), 1);
    ck_assert_str_eq(found[0].setting, "learning_rate");
}
END_TEST

START_TEST(scheduler_and_its_arguments_are_compared)
{
    add("lr_scheduler_type", "linear", TV_FACT_RUN_ARGS);
    add("lr_scheduler_type", "cosine", TV_FACT_USER_CONFIG);
    add("lr_scheduler_kwargs.num_cycles", "2", TV_FACT_RUN_ARGS);
    add("lr_scheduler_kwargs.num_cycles", "3", TV_FACT_USER_CONFIG);
    ck_assert_uint_eq(count(), 2);
}
END_TEST

START_TEST(epochs_do_not_matter_when_steps_are_given)
{
    add("max_steps", "400", TV_FACT_RUN_ARGS);
    add("num_train_epochs", "1.0", TV_FACT_RUN_ARGS);
    add("num_train_epochs", "3.0", TV_FACT_USER_CONFIG);
    ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(ratio_that_replaced_a_zero_is_no_contradiction)
{
    add("warmup_steps", "0.1", TV_FACT_RUN_ARGS); /* transformers 5 resolved the ratio */
    add("warmup_steps", "0", TV_FACT_USER_CONFIG);
    ck_assert_uint_eq(count(), 0);
    add("warmup_steps", "50", TV_FACT_MODEL_CARD);
    ck_assert_uint_eq(count(), 1);
}
END_TEST

START_TEST(batch_of_several_gpus_is_no_contradiction)
{
    add("per_device_train_batch_size", "4", TV_FACT_RUN_ARGS);
    add("per_device_train_batch_size", "8", TV_FACT_MODEL_CARD); /* two GPUs, one process */
    ck_assert_uint_eq(count(), 0);
    add("per_device_train_batch_size", "8", TV_FACT_USER_CONFIG);
    ck_assert_uint_eq(count(), 1);
}
END_TEST

START_TEST(no_more_than_there_is_room_for)
{
    add("learning_rate", "1", TV_FACT_RUN_ARGS);
    add("learning_rate", "2", TV_FACT_USER_CONFIG);
    add("weight_decay", "1", TV_FACT_RUN_ARGS);
    add("weight_decay", "2", TV_FACT_USER_CONFIG);
    ck_assert_uint_eq(tv_facts_contradictions(&facts, found, 1), 1);
    ck_assert_uint_eq(tv_facts_contradictions(&facts, found, 0), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("contradictions");
    TCase *t = tcase_create("contradictions");
    tcase_add_checked_fixture(t, start, stop);
    tcase_add_test(t, different_values_are_told_with_both_places);
    tcase_add_test(t, numbers_are_compared_as_numbers);
    tcase_add_test(t, what_is_not_stated_contradicts_nothing);
    tcase_add_test(t, what_the_trainer_counted_is_no_setting);
    tcase_add_test(t, restart_with_other_arguments_is_no_contradiction);
    tcase_add_test(t, spellings_of_one_setting_are_compared);
    tcase_add_test(t, scheduler_and_its_arguments_are_compared);
    tcase_add_test(t, epochs_do_not_matter_when_steps_are_given);
    tcase_add_test(t, ratio_that_replaced_a_zero_is_no_contradiction);
    tcase_add_test(t, batch_of_several_gpus_is_no_contradiction);
    tcase_add_test(t, no_more_than_there_is_room_for);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
