/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/facts.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct tv_facts *facts, const char *key, const char *value,
                enum tv_fact_source source, const char *path)
{
    struct tv_fact fact = {.key = tv_span_of(key), .source = source, .line = 7};
    fact.is_null = !value;
    fact.value = tv_span_of(value ? value : "null");
    tv_facts_add(facts, &fact, path);
}

START_TEST(stronger_source_wins_whatever_the_order)
{
    static const enum tv_fact_source sources[] = {TV_FACT_LOG,         TV_FACT_COMMAND_LINE,
                                                  TV_FACT_USER_CONFIG, TV_FACT_RUN_ARGS,
                                                  TV_FACT_MODEL_CARD,  TV_FACT_HPARAMS};
    struct tv_facts facts = {0};
    enum tv_fact_source best = TV_FACT_LOG;
    for (size_t i = 0; i < 6; i++) {
        char value[8], path[8];
        snprintf(value, sizeof value, "%d", (int)sources[i]);
        snprintf(path, sizeof path, "f%d", (int)i);
        add(&facts, "lr", value, sources[i], path);
        best = sources[i] < best ? sources[i] : best;
        ck_assert_int_eq(tv_facts_get(&facts, "lr")->source, best);
    }
    int expected = 0;
    for (const struct tv_fact_entry *e = tv_facts_get(&facts, "lr"); e; e = e->weaker)
        ck_assert_int_eq((int)e->source, expected++);
    ck_assert_int_eq(expected, 6);
    tv_facts_free(&facts);
}
END_TEST

START_TEST(reference_is_followed_to_what_it_names)
{
    static const char *const pairs[][2] = {
        {"trainer.max_steps", "100"}, {"optim.sched.max_steps", "${trainer.max_steps}"},
        {"optim.lr", "0.5"},          {"optim.sched.lr", "${..lr}"},
        {"optim.other", "${.lr}"},    {"top", "${optim.sched.lr}"},
        {"loop", "${loop}"},          {"lost", "${nowhere}"},
        {"now", "${now:%Y}"},         {"path", "${a}/${b}"},
        {"up", "${....x}"},           {"empty", "${}"},
    };
    static const char *const expected[][2] = {{"optim.sched.max_steps", "100"},
                                              {"optim.sched.lr", "0.5"},
                                              {"optim.other", "0.5"},
                                              {"top", "0.5"},
                                              {"loop", "${loop}"},
                                              {"lost", "${nowhere}"},
                                              {"now", "${now:%Y}"},
                                              {"path", "${a}/${b}"},
                                              {"up", "${....x}"},
                                              {"empty", "${}"}};
    struct tv_facts facts = {0};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        add(&facts, pairs[i][0], pairs[i][1], TV_FACT_USER_CONFIG, "a.yaml");
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        ck_assert_str_eq(tv_facts_text(&facts, expected[i][0]), expected[i][1]);
    tv_facts_free(&facts);
}
END_TEST

START_TEST(later_file_of_the_same_source_wins_and_the_earlier_is_kept)
{
    struct tv_facts facts = {0};
    add(&facts, "max_steps", "100", TV_FACT_RUN_ARGS, "a");
    add(&facts, "max_steps", "200", TV_FACT_RUN_ARGS, "b");
    add(&facts, "max_steps", "50", TV_FACT_LOG, "c");
    const struct tv_fact_entry *entry = tv_facts_get(&facts, "max_steps");
    ck_assert_str_eq(entry->value, "200");
    ck_assert_str_eq(entry->weaker->value, "100");
    ck_assert_str_eq(entry->weaker->weaker->value, "50");
    ck_assert_ptr_null(entry->weaker->weaker->weaker);
    add(&facts, "max_steps", "300", TV_FACT_RUN_ARGS, "a"); /* file a speaks again */
    entry = tv_facts_get(&facts, "max_steps");
    ck_assert_str_eq(entry->value, "300");
    ck_assert_str_eq(entry->weaker->value, "200");
    ck_assert_str_eq(entry->weaker->weaker->value, "50");
    tv_facts_free(&facts);
}
END_TEST

START_TEST(later_value_of_the_same_file_replaces_the_earlier)
{
    struct tv_facts facts = {0};
    char value[64] = "";
    for (int i = 0; i < 10000; i++) {
        snprintf(value, sizeof value, "%d", i);
        add(&facts, "log.total_steps", value, TV_FACT_LOG, "log");
    }
    ck_assert_uint_eq(facts.len, 1);
    ck_assert_str_eq(tv_facts_text(&facts, "log.total_steps"), "9999");
    ck_assert_uint_lt(facts.arena.used, 1000);
    tv_facts_free(&facts);
}
END_TEST

START_TEST(saying_the_same_again_changes_nothing)
{
    struct tv_facts facts = {0};
    add(&facts, "lr", "1e-4", TV_FACT_RUN_ARGS, "a");
    uint32_t version = facts.version;
    add(&facts, "lr", "1e-4", TV_FACT_RUN_ARGS, "a");
    ck_assert_uint_eq(facts.version, version);
    add(&facts, "lr", "2e-4", TV_FACT_RUN_ARGS, "a");
    ck_assert_uint_ne(facts.version, version);
    tv_facts_free(&facts);
}
END_TEST

START_TEST(null_is_remembered_but_never_returned)
{
    struct tv_facts facts = {0};
    add(&facts, "warmup_steps", NULL, TV_FACT_RUN_ARGS, "a");
    ck_assert_ptr_null(tv_facts_get(&facts, "warmup_steps"));
    add(&facts, "warmup_steps", "10", TV_FACT_MODEL_CARD, "b");
    ck_assert_str_eq(tv_facts_text(&facts, "warmup_steps"), "10");
    ck_assert_ptr_null(tv_facts_get(&facts, "absent"));
    tv_facts_free(&facts);
}
END_TEST

static double number(const char *text)
{
    struct tv_facts facts = {0};
    double result = NAN;
    add(&facts, "x", text, TV_FACT_USER_CONFIG, "a");
    if (!tv_facts_number(&facts, "x", &result))
        result = -12345;
    tv_facts_free(&facts);
    return result;
}

START_TEST(numbers_are_read_from_strings_too)
{
    ck_assert_double_eq(number("1e-4"), 1e-4);
    ck_assert_double_eq(number(" 5.0e-05 "), 5e-5);
    ck_assert_double_eq(number("10_000"), 10000);
    ck_assert_double_eq(number("-1"), -1);
    ck_assert(isnan(number("NaN")));
    ck_assert_double_eq(number("auto"), -12345);
    ck_assert_double_eq(number(""), -12345);
    ck_assert_double_eq(number("_1"), -12345);
    ck_assert_double_eq(number("1__0"), -12345);
    ck_assert_double_eq(number("1_"), -12345);
    ck_assert_double_eq(number("0x10"), -12345);
}
END_TEST

START_TEST(truth_has_yamls_spellings)
{
    struct tv_facts facts = {0};
    static const char *const yes[] = {"true", "True", "yes", "on", "1"};
    static const char *const no[] = {"false", "0", "no", "", "null", "truee"};
    for (size_t i = 0; i < 5; i++) {
        add(&facts, "x", yes[i], TV_FACT_USER_CONFIG, "a");
        ck_assert_msg(tv_facts_true(&facts, "x"), "%s", yes[i]);
    }
    for (size_t i = 0; i < 6; i++) {
        add(&facts, "x", no[i], TV_FACT_USER_CONFIG, "a");
        ck_assert_msg(!tv_facts_true(&facts, "x"), "%s", no[i]);
    }
    ck_assert(!tv_facts_true(&facts, "absent"));
    tv_facts_free(&facts);
}
END_TEST

START_TEST(place_is_file_and_line)
{
    struct tv_facts facts = {0};
    char where[64];
    add(&facts, "x", "1", TV_FACT_USER_CONFIG, "train.yaml");
    ck_assert_str_eq(tv_facts_where(tv_facts_get(&facts, "x"), where, sizeof where),
                     "train.yaml:7");
    struct tv_fact fact = {.key = tv_span_of("y"), .value = tv_span_of("1")};
    tv_facts_add(&facts, &fact, "events");
    ck_assert_str_eq(tv_facts_where(tv_facts_get(&facts, "y"), where, sizeof where), "events");
    tv_facts_free(&facts);
}
END_TEST

START_TEST(too_many_keys_are_dropped_and_counted)
{
    struct tv_facts facts = {0};
    char key[32];
    for (int i = 0; i < TV_FACTS_MAX + 100; i++) {
        snprintf(key, sizeof key, "key%d", i);
        add(&facts, key, "1", TV_FACT_USER_CONFIG, "a");
    }
    ck_assert_uint_eq(facts.len, TV_FACTS_MAX);
    ck_assert_uint_eq(facts.dropped, 100);
    add(&facts, "key5", "2", TV_FACT_USER_CONFIG,
        "b"); /* a known key still gets its newest value */
    ck_assert_str_eq(tv_facts_text(&facts, "key5"), "2");
    ck_assert_uint_eq(facts.len, TV_FACTS_MAX);
    tv_facts_free(&facts);
}
END_TEST

START_TEST(memory_of_huge_values_is_bounded)
{
    struct tv_facts facts = {0};
    size_t len = 1 << 20;
    char *huge = malloc(len + 1);
    memset(huge, 'x', len);
    huge[len] = '\0';
    char key[32];
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "key%d", i);
        add(&facts, key, huge, TV_FACT_USER_CONFIG, "a");
    }
    ck_assert_uint_eq(strlen(tv_facts_text(&facts, "key0")), TV_FACT_VALUE_MAX);
    ck_assert_uint_le(facts.arena.used, TV_FACTS_BYTES_MAX);
    ck_assert_uint_gt(facts.dropped, 0);
    add(&facts, huge, "1", TV_FACT_USER_CONFIG, "a");
    free(huge);
    tv_facts_free(&facts);
}
END_TEST

static bool is_same(const struct tv_fact_entry *a, const struct tv_fact_entry *b)
{
    return strcmp(a->key, b->key) == 0 && strcmp(a->value, b->value) == 0 &&
           strcmp(a->path, b->path) == 0 && a->line == b->line && a->source == b->source &&
           a->is_null == b->is_null && a->is_string == b->is_string;
}

static bool is_same_chain(const struct tv_facts *a, const struct tv_facts *b, const char *key)
{
    const struct tv_fact_entry *one = tv_map_get(&a->by_key, tv_span_of(key));
    const struct tv_fact_entry *other = tv_map_get(&b->by_key, tv_span_of(key));
    for (; one && other; one = one->weaker, other = other->weaker)
        if (!is_same(one, other))
            return false;
    return !one && !other;
}

static void check_equal(const struct tv_facts *a, const struct tv_facts *b)
{
    bool all = a->len == b->len && a->version == b->version && a->dropped == b->dropped;
    for (size_t i = 0; all && i < a->len; i++)
        all = is_same(a->entries[i], b->entries[i]) && is_same_chain(a, b, a->entries[i]->key);
    ck_assert(all);
}

START_TEST(folding_changes_nothing)
{
    struct tv_facts plain = {0}, folded = {0};
    uint32_t random = 1;
    for (int i = 0; i < 3000; i++) {
        char key[16], value[64], path[8];
        random = random * 1664525 + 1013904223;
        snprintf(key, sizeof key, "key_%u", random >> 8 & 127);
        snprintf(path, sizeof path, "%u", random >> 16 & 3);
        snprintf(value, sizeof value, "%0*u", (int)(random >> 24 & 31), random);
        struct tv_fact fact = {.key = tv_span_of(key),
                               .value = tv_span_of(value),
                               .source = random >> 20 & 3,
                               .line = random >> 12,
                               .is_null = random >> 30 == 0,
                               .is_string = random >> 29 & 1};
        tv_facts_add(&plain, &fact, path);
        tv_facts_unfold(&folded);
        tv_facts_add(&folded, &fact, path);
        if (i % 50 == 0) {
            tv_facts_fold(&folded);
            ck_assert_ptr_null(folded.arena.head);
            tv_facts_fold(&folded);
            tv_facts_unfold(&folded);
            check_equal(&plain, &folded);
        }
    }
    ck_assert_uint_gt(plain.len, 1000);
    tv_facts_fold(&folded);
    ck_assert_uint_lt(folded.folded_len, plain.arena.used / 4);
    tv_facts_free(&folded);
    tv_facts_free(&plain);
}
END_TEST

static void add_settings(struct tv_facts *facts, int run)
{
    for (int i = 0; i < 100; i++) {
        char key[32], value[32];
        snprintf(key, sizeof key, "setting_%d_%x", i, (unsigned)i * 2654435761u);
        snprintf(value, sizeof value, "%d", i % 20 == 7 ? run : i * 7919);
        add(facts, key, value, TV_FACT_RUN_ARGS, "training_args.json");
    }
}

START_TEST(settings_that_an_earlier_run_had_fold_to_next_to_nothing)
{
    enum { RUNS = 5 };
    struct tv_facts folded[RUNS] = {0};
    for (int run = 0; run < RUNS; run++) {
        add_settings(&folded[run], 1000 + run);
        tv_facts_fold(&folded[run]);
        ck_assert_uint_lt(folded[run].folded_len, 200);
    }
    for (int run = 0; run < RUNS; run++) {
        struct tv_facts plain = {0};
        add_settings(&plain, 1000 + run);
        tv_facts_unfold(&folded[run]);
        check_equal(&plain, &folded[run]);
        tv_facts_free(&folded[run]);
        tv_facts_free(&plain);
    }
}
END_TEST

START_TEST(nothing_folds_to_nothing)
{
    struct tv_facts facts = {0};
    tv_facts_fold(&facts);
    tv_facts_unfold(&facts);
    ck_assert_ptr_null(tv_facts_get(&facts, "lr"));
    tv_facts_free(&facts);
}
END_TEST

START_TEST(bytes_that_are_not_text_are_kept_up_to_a_nul)
{
    struct tv_facts facts = {0};
    struct tv_fact fact = {.key = {"k\0evil", 6}, .value = {"\xff\xfe\0tail", 7}};
    tv_facts_add(&facts, &fact, NULL);
    ck_assert_str_eq(tv_facts_text(&facts, "k"), "\xff\xfe");
    fact.key = (struct tv_span){"", 0};
    tv_facts_add(&facts, &fact, NULL);
    ck_assert_uint_eq(facts.dropped, 1);
    tv_facts_free(&facts);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("facts");
    TCase *t = tcase_create("facts");
    tcase_add_test(t, stronger_source_wins_whatever_the_order);
    tcase_add_test(t, reference_is_followed_to_what_it_names);
    tcase_add_test(t, later_file_of_the_same_source_wins_and_the_earlier_is_kept);
    tcase_add_test(t, later_value_of_the_same_file_replaces_the_earlier);
    tcase_add_test(t, saying_the_same_again_changes_nothing);
    tcase_add_test(t, null_is_remembered_but_never_returned);
    tcase_add_test(t, numbers_are_read_from_strings_too);
    tcase_add_test(t, truth_has_yamls_spellings);
    tcase_add_test(t, place_is_file_and_line);
    tcase_add_test(t, too_many_keys_are_dropped_and_counted);
    tcase_add_test(t, memory_of_huge_values_is_bounded);
    tcase_add_test(t, folding_changes_nothing);
    tcase_add_test(t, settings_that_an_earlier_run_had_fold_to_next_to_nothing);
    tcase_add_test(t, nothing_folds_to_nothing);
    tcase_add_test(t, bytes_that_are_not_text_are_kept_up_to_a_nul);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
