/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/suite.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double parsed(const char *text)
{
    double value = -12345;
    ck_assert_msg(tv_parse_double(tv_span_of(text), &value), "%s", text);
    return value;
}

static uint64_t random_bits(void)
{
    static uint64_t state = 88172645463325252ull;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void write_like_a_program(char *text, size_t cap, int how, double value)
{
    if (how % 7 == 0)
        snprintf(text, cap, "%.4f", value);
    else if (how % 7 == 1)
        snprintf(text, cap, "%.20e", value);
    else
        snprintf(text, cap, "%.*g", (int[]){17, 16, 15, 6, 3}[how % 7 - 2], value);
}

/* The C library is the independent source. */
START_TEST(parsing_is_bit_identical_to_strtod)
{
    for (int i = 0; i < tv_rounds(300000); i++) {
        uint64_t bits = random_bits();
        double value;
        memcpy(&value, &bits, sizeof value);
        if (i % 2) /* the range that trainers write */
            value = ldexp((double)(bits >> 11), -53 - (int)(bits % 60));
        if (!isfinite(value))
            continue;
        char text[400];
        write_like_a_program(text, sizeof text, i, value);
        double ours = parsed(text), theirs = strtod(text, NULL);
        if (memcmp(&ours, &theirs, sizeof ours) != 0)
            ck_abort_msg("%s: %a, not %a", text, ours, theirs);
    }
}
END_TEST

/* Each entry of the parser's tables, multiplied and divided by, with 1 to 19 digits before it. */
START_TEST(every_power_of_ten_is_exact)
{
    for (int exponent = -40; exponent <= 40; exponent++)
        for (int digits = 1; digits <= 19; digits++)
            for (int i = 0; i < 20; i++) {
                uint64_t mantissa = i == 0 ? 1 : random_bits();
                char text[64];
                snprintf(text, sizeof text, "%llu", (unsigned long long)mantissa);
                text[(size_t)digits < strlen(text) ? (size_t)digits : strlen(text)] = '\0';
                snprintf(text + strlen(text), sizeof text - strlen(text), "e%d", exponent);
                double ours = parsed(text), theirs = strtod(text, NULL);
                if (memcmp(&ours, &theirs, sizeof ours) != 0)
                    ck_abort_msg("%s: %a, not %a", text, ours, theirs);
            }
}
END_TEST

START_TEST(halfway_cases_round_to_even)
{
    static const char *const hard[] = {"9007199254740993",
                                       "9007199254740992.5",
                                       "1.00000000000000011102230246251565404",
                                       "2.2250738585072011e-308",
                                       "4.9406564584124654e-324",
                                       "1.7976931348623157e308",
                                       "6.35e-300",
                                       "0.1000000000000000055511151231257827021181583404541015625",
                                       "179769313486231580793728971405301e276",
                                       "123456789012345678901234567890e-10"};
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
        double ours = parsed(hard[i]), theirs = strtod(hard[i], NULL);
        ck_assert_msg(memcmp(&ours, &theirs, sizeof ours) == 0, "%s", hard[i]);
    }
}
END_TEST

START_TEST(trainers_spellings_are_numbers)
{
    ck_assert_double_eq(parsed("1e-4"), 1e-4);
    ck_assert_double_eq(parsed("+3."), 3);
    ck_assert_double_eq(parsed("-.5"), -.5);
    ck_assert_double_eq(parsed("1.800000E-05"), 1.8e-5);
    ck_assert(isnan(parsed("NaN")) && isnan(parsed("nan")));
    ck_assert_double_eq(parsed("-Infinity"), -INFINITY);
    ck_assert_double_eq(parsed("inf"), INFINITY);
    ck_assert_double_eq(parsed("1e999"), INFINITY);
    ck_assert_double_eq(parsed("1e-999"), 0);
    ck_assert(signbit(parsed("-0.0")));
}
END_TEST

START_TEST(anything_else_is_not_a_number)
{
    static const char *const bad[] = {"",  " 1", "1 ",    "1,5",   "0x10", "1e",  "e5",
                                      ".", "-",  "1.2.3", "1_000", "nano", "--1", "infinit"};
    double value = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!tv_parse_double(tv_span_of(bad[i]), &value), "\"%s\"", bad[i]);
    ck_assert_double_eq(value, 7);
}
END_TEST

START_TEST(integers_are_bounded)
{
    int64_t value = 7;
    ck_assert(tv_parse_int64(tv_span_of("-9223372036854775808"), &value) && value == INT64_MIN);
    ck_assert(tv_parse_int64(tv_span_of("9223372036854775807"), &value) && value == INT64_MAX);
    ck_assert(!tv_parse_int64(tv_span_of("9223372036854775808"), &value));
    ck_assert(!tv_parse_int64(tv_span_of("12a"), &value));
    ck_assert(!tv_parse_int64(tv_span_of("-"), &value));
}
END_TEST

START_TEST(printing_reads_back_and_is_short)
{
    char text[TV_NUMBER_MAX];
    tv_format_double(text, 5e-5);
    ck_assert_str_eq(text, "5e-05");
    tv_format_double(text, 0.1);
    ck_assert_str_eq(text, "0.1");
    tv_format_double(text, -INFINITY);
    ck_assert_str_eq(text, "-Infinity");
    for (int i = 0; i < tv_rounds(100000); i++) {
        uint64_t bits = random_bits();
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        tv_format_double(text, value);
        tv_check(strtod(text, NULL) == value);
    }
}
END_TEST

/* The C library is the independent source. */
START_TEST(short_numbers_are_what_printf_makes_of_them)
{
    for (int i = 0; i < tv_rounds(300000); i++) {
        uint64_t bits = random_bits();
        double value;
        int digits = 1 + i % 17, few = i / 17 % 10;
        memcpy(&value, &bits, sizeof value);
        if (i % 5 != 0) /* of a size that is printed */
            value = ldexp(2.0 + (double)(int64_t)bits * 0x1p-63, (int)(bits % 120) - 60);
        if (i % 5 > 2) /* next to a tie, or to a power of ten */
            value = round(value * pow(10, few)) / pow(10, few) + (i % 5 == 3) * 0.5 * pow(10, -few);
        if (i % 25 == 4)
            value = nextafter(pow(10, few - 5), i % 2 ? INFINITY : 0);
        if (!isfinite(value))
            continue;
        char text[TV_NUMBER_MAX], expected[TV_NUMBER_MAX];
        size_t len = tv_format_short(text, value, digits);
        snprintf(expected, sizeof expected, "%.*g", digits, value);
        tv_check(strcmp(text, expected) == 0 && len == strlen(text));
    }
}
END_TEST

/* A library that we link may set a locale; ours must not care. Skipped where no such locale is
 * installed. */
START_TEST(the_locale_does_not_matter)
{
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        return;
    ck_assert_double_eq(parsed("1.5"), 1.5);
    ck_assert_double_eq(parsed("1.00000000000000011102230246251565404"), 1.0000000000000002);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("number");
    TCase *tcase = tcase_create("number");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, parsing_is_bit_identical_to_strtod);
    tcase_add_test(tcase, every_power_of_ten_is_exact);
    tcase_add_test(tcase, halfway_cases_round_to_even);
    tcase_add_test(tcase, trainers_spellings_are_numbers);
    tcase_add_test(tcase, anything_else_is_not_a_number);
    tcase_add_test(tcase, integers_are_bounded);
    tcase_add_test(tcase, printing_reads_back_and_is_short);
    tcase_add_test(tcase, short_numbers_are_what_printf_makes_of_them);
    tcase_add_test(tcase, the_locale_does_not_matter);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
