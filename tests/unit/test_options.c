/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/choice.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "support/suite.h"
#include <stdlib.h>
#include <string.h>

enum { OPT_FLAG, OPT_VALUE, OPT_SHORT };

static const struct tv_cli_option options[] = {
    {"flag", 0, NULL, "a flag"},
    {"value", 0, "N", "takes a value"},
    {"short", 's', "FILE", "has a letter"},
    {NULL, 0, NULL, NULL},
};
static const struct tv_cli cli = {
    .command = "test", .operands = "X", .intro = "Tests.", .options = options};

static struct tv_args args;

static void given(int argc, const char **argv)
{
    args = tv_args(&cli, argc, (char **)argv);
}
#define GIVEN(...)                                                                                 \
    const char *argv_[] = {"test", __VA_ARGS__};                                                   \
    given((int)(sizeof argv_ / sizeof *argv_), argv_)

static void expect(int option, const char *value)
{
    ck_assert_int_eq(tv_args_next(&args), option);
    if (value)
        ck_assert_str_eq(args.value, value);
    else
        ck_assert_ptr_null(args.value);
}

START_TEST(all_spellings_of_an_option_mean_the_same)
{
    GIVEN("--value", "1", "--value=2", "-s", "a", "-sb", "--short=c", "--flag");
    expect(OPT_VALUE, "1");
    expect(OPT_VALUE, "2");
    expect(OPT_SHORT, "a");
    expect(OPT_SHORT, "b");
    expect(OPT_SHORT, "c");
    expect(OPT_FLAG, NULL);
    expect(TV_ARG_END, NULL);
}
END_TEST

START_TEST(options_may_follow_operands_and_two_dashes_end_them)
{
    GIVEN("a", "--flag", "-", "--", "--flag", "--");
    expect(TV_ARG_OPERAND, "a");
    expect(OPT_FLAG, NULL);
    expect(TV_ARG_OPERAND, "-");
    expect(TV_ARG_OPERAND, "--flag");
    expect(TV_ARG_OPERAND, "--");
    expect(TV_ARG_END, NULL);
}
END_TEST

START_TEST(values_are_taken_as_they_are)
{
    GIVEN("--value", "--flag", "--value=", "--value=a=b");
    expect(OPT_VALUE, "--flag");
    expect(OPT_VALUE, "");
    expect(OPT_VALUE, "a=b");
}
END_TEST

START_TEST(wrong_options_are_errors)
{
    static const char *wrong[][3] = {
        {"test", "--flags", NULL}, {"test", "-x", NULL},       {"test", "--value", NULL},
        {"test", "-s", NULL},      {"test", "--flag=1", NULL}, {"test", "--valu", NULL},
    };
    given(2, wrong[_i]);
    expect(TV_ARG_ERROR, NULL);
}
END_TEST

static const char *word(const void *ctx, size_t i)
{
    return ((const char *const *)ctx)[i];
}

START_TEST(nearest_word_is_found_or_none)
{
    static const char *const words[] = {"scan", "inspect", "list", "explain", NULL, "lr"};
    static const char *const pairs[][2] = {
        {"scna", "scan"},    {"scam", "scan"}, {"inspekt", "inspect"},
        {"insp", "inspect"}, {"lits", "list"}, {"explian", "explain"},
        {"rl", "lr"},        {"watch", NULL},  {"zzzzzz", NULL},
        {"", NULL},
    };
    const char *near = tv_nearest(pairs[_i][0], 6, word, words);
    if (pairs[_i][1])
        ck_assert_str_eq(near ? near : "none", pairs[_i][1]);
    else
        ck_assert_ptr_null(near);
}
END_TEST

START_TEST(nearest_word_survives_any_text)
{
    static const char *const words[] = {"scan"};
    char long_text[5000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    ck_assert_ptr_null(tv_nearest(long_text, 1, word, words));
}
END_TEST

START_TEST(chosen_detectors_run_alone)
{
    struct tv_choice choice = {0};
    struct tv_error error;
    tv_choice_init(&choice);
    ck_assert_uint_ge(choice.len, 2);
    for (size_t i = 0; i < choice.len; i++)
        ck_assert(choice.engine.enabled[i]);
    ck_assert_int_eq(tv_choice_detector(&choice, tv_detectors[1]->name, &error), TV_OK);
    for (size_t i = 0; i < choice.len; i++)
        ck_assert_int_eq(choice.engine.enabled[i], i == 1);
    ck_assert_int_eq(tv_choice_detector(&choice, "no_such_thing", &error), TV_ECONFIG);
    tv_choice_free(&choice);
}
END_TEST

/* The first option with a number of some detector. */
static const struct tv_option *any_option(const struct tv_detector **ret)
{
    for (size_t i = 0; tv_detectors[i]; i++)
        for (const struct tv_option *o = tv_detectors[i]->options; o && o->name; o++)
            if (o->type == TV_OPTION_DOUBLE || o->type == TV_OPTION_INT) {
                *ret = tv_detectors[i];
                return o;
            }
    return NULL;
}

START_TEST(settings_reach_the_detectors_options)
{
    struct tv_choice choice = {0};
    struct tv_error error = {0};
    const struct tv_detector *detector = NULL;
    const struct tv_option *option = any_option(&detector);
    char text[256];
    tv_choice_init(&choice);
    ck_assert_ptr_nonnull(option);
    snprintf(text, sizeof text, "%s.%s=%.17g", detector->name, option->name, option->max);
    ck_assert_int_eq(tv_choice_set(&choice, text, &error), TV_OK);
    for (size_t i = 0; i < choice.len; i++) {
        double value;
        int64_t whole;
        if (tv_detectors[i] != detector)
            continue;
        memcpy(&value, (const char *)choice.engine.options[i] + option->offset, sizeof value);
        memcpy(&whole, (const char *)choice.engine.options[i] + option->offset, sizeof whole);
        ck_assert_double_eq(option->type == TV_OPTION_INT ? (double)whole : value, option->max);
    }
    snprintf(text, sizeof text, "%s.%sx=1", detector->name, option->name);
    ck_assert_int_eq(tv_choice_set(&choice, text, &error), TV_ECONFIG);
    ck_assert_ptr_nonnull(strstr(error.message, "did you mean"));
    snprintf(text, sizeof text, "%s.%s=%.17g", detector->name, option->name, option->max * 2 + 1);
    ck_assert_int_eq(tv_choice_set(&choice, text, &error), TV_ECONFIG);
    ck_assert_int_eq(tv_choice_set(&choice, "no dot", &error), TV_ECONFIG);
    ck_assert_int_eq(tv_choice_set(&choice, "a=b.c", &error), TV_ECONFIG);
    tv_choice_free(&choice);
}
END_TEST

static const struct tv_option *option_of(const char *detector, const char *option, size_t *ret)
{
    for (*ret = 0; tv_detectors[*ret]; ++*ret)
        for (const struct tv_option *o = tv_detectors[*ret]->options;
             strcmp(tv_detectors[*ret]->name, detector) == 0 && o->name; o++)
            if (strcmp(o->name, option) == 0)
                return o;
    return NULL;
}

START_TEST(every_value_of_a_preset_is_an_option_in_its_range_and_no_default)
{
    size_t rows = 0, detector;
    for (const struct tv_preset *row = tv_presets; row->preset; row++, rows++) {
        const struct tv_option *option = option_of(row->detector, row->option, &detector);
        ck_assert_msg(option != NULL, "%s.%s", row->detector, row->option);
        ck_assert_msg(row->value >= option->min && row->value <= option->max &&
                          row->value != option->default_value,
                      "%s.%s", row->detector, row->option);
        ck_assert(option->type == TV_OPTION_DOUBLE || option->type == TV_OPTION_INT);
    }
    ck_assert_uint_gt(rows, 10);
}
END_TEST

static double factor_of(const struct tv_choice *choice)
{
    size_t index;
    const struct tv_option *option = option_of("gradient_explosion", "factor", &index);
    double value;
    ck_assert_ptr_nonnull(option);
    memcpy(&value, (const char *)choice->options[index] + option->offset, sizeof value);
    return value;
}

START_TEST(what_is_set_by_itself_wins_over_a_preset_before_or_after)
{
    struct tv_error error;
    for (int first = 0; first < 2; first++) {
        struct tv_choice choice = {0};
        tv_choice_init(&choice);
        if (first)
            ck_assert_int_eq(tv_choice_preset(&choice, "quiet", &error), TV_OK);
        ck_assert_int_eq(tv_choice_set(&choice, "gradient_explosion.factor=17", &error), TV_OK);
        if (!first)
            ck_assert_int_eq(tv_choice_preset(&choice, "quiet", &error), TV_OK);
        ck_assert_double_eq(factor_of(&choice), 17);
        tv_choice_free(&choice);
    }
}
END_TEST

START_TEST(a_preset_changes_options_and_an_unknown_one_is_named)
{
    struct tv_error error;
    struct tv_choice choice = {0};
    tv_choice_init(&choice);
    double usual = factor_of(&choice);
    ck_assert_int_eq(tv_choice_preset(&choice, "default", &error), TV_OK);
    ck_assert_double_eq(factor_of(&choice), usual);
    ck_assert_int_eq(tv_choice_preset(&choice, "strict", &error), TV_OK);
    ck_assert_double_lt(factor_of(&choice), usual);
    ck_assert_int_eq(tv_choice_preset(&choice, "quite", &error), TV_ECONFIG);
    ck_assert_ptr_nonnull(strstr(error.message, "did you mean quiet"));
    tv_choice_free(&choice);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, all_spellings_of_an_option_mean_the_same);
    tcase_add_test(tcase, options_may_follow_operands_and_two_dashes_end_them);
    tcase_add_test(tcase, values_are_taken_as_they_are);
    tcase_add_loop_test(tcase, wrong_options_are_errors, 0, 6);
    tcase_add_loop_test(tcase, nearest_word_is_found_or_none, 0, 10);
    tcase_add_test(tcase, nearest_word_survives_any_text);
    tcase_add_test(tcase, chosen_detectors_run_alone);
    tcase_add_test(tcase, settings_reach_the_detectors_options);
    tcase_add_test(tcase, every_value_of_a_preset_is_an_option_in_its_range_and_no_default);
    tcase_add_test(tcase, what_is_set_by_itself_wins_over_a_preset_before_or_after);
    tcase_add_test(tcase, a_preset_changes_options_and_an_unknown_one_is_named);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
