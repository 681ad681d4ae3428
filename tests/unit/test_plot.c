/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/plot.h"
#include "support/suite.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double ramp(const void *ctx, double x)
{
    return x * *(const double *)ctx;
}

static double spike(const void *ctx, double x)
{
    (void)ctx;
    return x < 50 ? NAN : x < 60 ? INFINITY : 1;
}

static double nothing(const void *ctx, double x)
{
    (void)ctx, (void)x;
    return NAN;
}

static char *drawn(double (*y)(const void *, double), const void *ctx, bool ascii, double last)
{
    static const struct tv_plot_mark marks[] = {{25, 'W'}, {1e9, 'X'}};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    ck_assert_ptr_nonnull(out);
    tv_plot_print(out, &(struct tv_plot){.y = y,
                                         .ctx = ctx,
                                         .last = last,
                                         .columns = 80,
                                         .rows = 18,
                                         .ascii = ascii,
                                         .marks = marks,
                                         .marks_len = 2});
    fclose(out);
    return text;
}

static size_t width(const char *line, size_t len)
{
    size_t cells = 0;
    for (size_t i = 0; i < len; i++)
        cells += ((unsigned char)line[i] & 0xC0) != 0x80;
    return cells;
}

START_TEST(no_line_is_wider_than_the_terminal)
{
    for (int ascii = 0; ascii < 2; ascii++)
        for (double slope = 1e-12; slope < 1e12; slope *= 1000) {
            char *text = drawn(ramp, &slope, ascii, 100);
            size_t lines = 0;
            for (const char *at = text; *at; at += strcspn(at, "\n") + 1, lines++)
                ck_assert_uint_le(width(at, strcspn(at, "\n")), 80);
            ck_assert_uint_eq(lines, 19); /* rows, axis, marks, numbers */
            free(text);
        }
}
END_TEST

START_TEST(ascii_is_ascii)
{
    double slope = 1;
    char *text = drawn(ramp, &slope, true, 100);
    for (const char *at = text; *at; at++)
        ck_assert((*at >= ' ' && *at < 127) || *at == '\n');
    free(text);
}
END_TEST

START_TEST(a_rising_line_rises)
{
    double slope = 1;
    char *text = drawn(ramp, &slope, true, 100);
    size_t before = 200;
    const char *line = text;
    for (int row = 0; row < 16; row++, line += strcspn(line, "\n") + 1) {
        size_t end = strcspn(line, "\n");
        ck_assert_uint_lt(end, before); /* the highest row reaches farthest to the right */
        before = end;
    }
    free(text);
}
END_TEST

START_TEST(marks_stand_at_their_step)
{
    double slope = 1;
    char *text = drawn(ramp, &slope, true, 100);
    size_t mark = strcspn(text, "W"), line = mark;
    while (line > 0 && text[line - 1] != '\n')
        line--;
    ck_assert_uint_eq(mark - line, 10 + (size_t)lround(0.25 * 69));
    ck_assert_ptr_null(strchr(text, 'X'));
    free(text);
}
END_TEST

START_TEST(what_is_not_finite_stays_empty)
{
    char *text = drawn(spike, NULL, true, 100);
    ck_assert_uint_gt(strlen(text), 0);
    free(text);
    text = drawn(nothing, NULL, true, 100);
    ck_assert_str_eq(text, "");
    free(text);
    double slope = 1;
    text = drawn(ramp, &slope, true, 0);
    ck_assert_str_eq(text, "");
    free(text);
}
END_TEST

START_TEST(the_environment_decides_about_utf8)
{
    unsetenv("LC_CTYPE");
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "", 1);
    setenv("LANG", "de_DE.UTF-8", 1);
    ck_assert(tv_plot_has_utf8());
    setenv("LC_ALL", "C", 1);
    ck_assert(!tv_plot_has_utf8());
    setenv("LC_ALL", "C.utf8", 1);
    ck_assert(tv_plot_has_utf8());
    setenv("TERM", "dumb", 1);
    ck_assert(!tv_plot_has_utf8());
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("plot");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, no_line_is_wider_than_the_terminal);
    tcase_add_test(tc, ascii_is_ascii);
    tcase_add_test(tc, a_rising_line_rises);
    tcase_add_test(tc, marks_stand_at_their_step);
    tcase_add_test(tc, what_is_not_finite_stays_empty);
    tcase_add_test(tc, the_environment_decides_about_utf8);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
