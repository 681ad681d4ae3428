/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "support/suite.h"
#include "trainvet/option.h"
#include "trainvet/text.h"
#include <json-c/json.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *escaped(const char *bytes, size_t len)
{
    static char out[256];
    return tv_escape((struct tv_span){bytes, len}, out, sizeof out);
}

START_TEST(no_byte_reaches_a_terminal_as_a_control)
{
    for (int byte = 0; byte < 256; byte++) {
        char raw[3] = {'a', (char)byte, 'b'};
        for (const char *p = escaped(raw, sizeof raw); *p; p++)
            ck_assert_msg((unsigned char)*p >= 0x20 && *p != 0x7f, "byte %d", byte);
    }
    ck_assert_str_eq(escaped("\x1b]0;x\x07", 6), "\xEF\xBF\xBD]0;x\xEF\xBF\xBD");
    ck_assert_str_eq(escaped("\xC2\x9B", 2), "\xEF\xBF\xBD");     /* C1 CSI */
    ck_assert_str_eq(escaped("\xE2\x80\xAE", 3), "\xEF\xBF\xBD"); /* right-to-left override */
    ck_assert_str_eq(escaped("\xC0\xAF", 2), "\xEF\xBF\xBD\xEF\xBF\xBD"); /* overlong */
    ck_assert_str_eq(escaped("\xED\xA0\x80", 3),
                     "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"); /* surrogate */
    ck_assert_str_eq(escaped("L\xC3\xB6ss \xF0\x9F\x94\xA5", 10), "L\xC3\xB6ss \xF0\x9F\x94\xA5");
}
END_TEST

START_TEST(any_byte_at_any_place_of_a_long_text_is_told_apart)
{
    for (size_t at = 0; at < 40; at++)
        for (int byte = 0; byte < 256; byte++) {
            char text[41], expected[64], out[64];
            bool plain = byte >= 0x20 && byte < 0x7F;
            memset(text, 'a', sizeof text);
            text[at] = (char)byte;
            struct tv_text told = tv_text_in(expected, sizeof expected);
            tv_text_add_span(&told, (struct tv_span){text, at + plain});
            tv_text_add(&told, "%s", plain ? "" : "\xEF\xBF\xBD");
            tv_text_add_span(&told, (struct tv_span){text + at + 1, sizeof text - at - 1});
            ck_assert_str_eq(tv_escape((struct tv_span){text, sizeof text}, out, sizeof out),
                             expected);
        }
}
END_TEST

START_TEST(plain_text_is_cut_at_its_room)
{
    static const char text[] = "0123456789012345678901234567890123456789";
    for (size_t len = 0; len <= 40; len++)
        for (size_t cap = 4; cap < 48; cap++) {
            char out[48], expected[48];
            snprintf(expected, sizeof expected, "%.*s%s", (int)(len < cap ? len : cap - 4), text,
                     len < cap ? "" : "...");
            ck_assert_str_eq(tv_escape((struct tv_span){text, len}, out, cap), expected);
        }
}
END_TEST

START_TEST(cutting_never_splits_a_character)
{
    for (size_t cap = 1; cap < 12; cap++) {
        char out[16], text[16];
        tv_escape(tv_span_of("\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"), out, cap);
        ck_assert_uint_lt(strlen(out), cap);
        ck_assert_str_eq(escaped(out, strlen(out)), out);
        struct tv_text built = tv_text_in(text, cap);
        tv_text_add(&built, "%s", "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC");
        ck_assert(built.cut);
        ck_assert_str_eq(escaped(text, strlen(text)), text);
    }
}
END_TEST

static int format_by(int (*by)(char *, size_t, const char *, va_list), char *out, size_t cap,
                     const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = by(out, cap, format, args);
    va_end(args);
    return len;
}

START_TEST(texts_are_joined_as_printf_would)
{
    static const char *const formats[] = {"",         "plain",    "%s",        "%s%s", "a%s",
                                          "%s, b %s", "c%s%s: d", "50 %% %s.", "%.2s", "%5s|%-5s"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        for (size_t cap = 1; cap < 24; cap++) {
            char ours[24], theirs[24];
            for (int last = 0; last < 2; last++) {
                const char *text = last ? NULL : "";
                int len = format_by(tv_format, ours, cap, formats[i], "%s", text);
                ck_assert_int_eq(len, format_by(vsnprintf, theirs, cap, formats[i], "%s", text));
                ck_assert_str_eq(ours, theirs);
            }
        }
}
END_TEST

START_TEST(json_is_valid_whatever_the_bytes)
{
    char raw[256];
    for (int i = 0; i < 256; i++)
        raw[i] = (char)i;
    struct tv_json json = {0};
    tv_json_open(&json, NULL, '{');
    tv_json_span(&json, "bytes", (struct tv_span){raw, sizeof raw});
    tv_json_double(&json, "nan", NAN);
    tv_json_double(&json, "tenth", 0.1);
    tv_json_open(&json, "list", '[');
    tv_json_int(&json, NULL, -3);
    tv_json_bool(&json, NULL, true);
    tv_json_text(&json, NULL, NULL);
    tv_json_close(&json, ']');
    tv_json_close(&json, '}');
    struct json_object *read = json_tokener_parse(json.data);
    ck_assert_ptr_nonnull(read);
    struct json_object *value;
    ck_assert(json_object_object_get_ex(read, "nan", &value));
    ck_assert_str_eq(json_object_get_string(value), "NaN");
    ck_assert(json_object_object_get_ex(read, "tenth", &value));
    ck_assert_double_eq(json_object_get_double(value), 0.1);
    ck_assert(json_object_object_get_ex(read, "list", &value));
    ck_assert_uint_eq(json_object_array_length(value), 3);
    json_object_put(read);
    tv_json_free(&json);
}
END_TEST

START_TEST(a_map_finds_what_was_put_in)
{
    struct tv_map map = {0};
    struct tv_arena arena = {0};
    for (int i = 0; i < 5000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i % 4000);
        char *kept = tv_arena_text(&arena, tv_span_of(key));
        tv_map_set(&map, tv_span_of(kept), kept);
    }
    ck_assert_uint_eq(map.len, 4000);
    for (int i = 0; i < 5000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        const char *found = tv_map_get(&map, tv_span_of(key));
        ck_assert_int_eq(found != NULL, i < 4000);
        ck_assert(!found || strcmp(found, key) == 0);
    }
    tv_map_free(&map);
    tv_arena_free(&arena);
}
END_TEST

START_TEST(times_read_and_print_as_utc)
{
    double when;
    char text[TV_TIME_TEXT];
    ck_assert(tv_parse_time(tv_span_of("2026-01-02T03:04:05Z"), &when));
    ck_assert_double_eq(when, 1767323045);
    ck_assert_str_eq(tv_format_time(text, when), "2026-01-02T03:04:05Z");
    ck_assert(tv_parse_time(tv_span_of("2026-01-02T04:04:05.5+01:00"), &when));
    ck_assert_double_eq(when, 1767323045.5);
    ck_assert(tv_parse_time(tv_span_of("1767323045.25"), &when));
    ck_assert_double_eq(when, 1767323045.25);
    ck_assert(!tv_parse_time(tv_span_of("yesterday"), &when));
    ck_assert(!tv_parse_time(tv_span_of("2026-01-02T03:04:05"), &when));
    ck_assert_str_eq(tv_format_time(text, NAN), "");
    ck_assert_str_eq(tv_format_time(text, 1e300), "");
    ck_assert_str_eq(tv_format_time(text, -1), "1969-12-31T23:59:59Z");
}
END_TEST

struct some_options {
    double ratio;
    int64_t window;
    bool strict;
};
static const struct tv_option some_table[] = {
    TV_OPTION_ROW(struct some_options, ratio, DOUBLE, 0.5, 0, 1, "a ratio"),
    TV_OPTION_ROW(struct some_options, window, INT, 30, 1, 1000, "points"),
    TV_OPTION_ROW(struct some_options, strict, BOOL, 0, 0, 1, "or not"),
    TV_OPTION_END,
};

START_TEST(options_are_checked_against_their_table)
{
    struct some_options options;
    struct tv_error error;
    tv_option_defaults(some_table, &options);
    ck_assert_double_eq(options.ratio, 0.5);
    ck_assert_int_eq(options.window, 30);
    ck_assert_int_eq(tv_option_set(some_table, &options, "window", "64", &error), TV_OK);
    ck_assert_int_eq(options.window, 64);
    ck_assert_int_eq(tv_option_set(some_table, &options, "strict", "true", &error), TV_OK);
    ck_assert(options.strict);
    ck_assert_int_eq(tv_option_set(some_table, &options, "window", "6.5", &error), TV_ECONFIG);
    ck_assert_int_eq(tv_option_set(some_table, &options, "ratio", "1.5", &error), TV_ECONFIG);
    ck_assert_int_eq(tv_option_set(some_table, &options, "ratio", "NaN", &error), TV_ECONFIG);
    ck_assert_int_eq(tv_option_set(some_table, &options, "ration", "1", &error), TV_ECONFIG);
    ck_assert_ptr_nonnull(strstr(error.message, "ration"));
    ck_assert_int_eq(options.window, 64);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("base");
    TCase *tcase = tcase_create("base");
    tcase_add_test(tcase, no_byte_reaches_a_terminal_as_a_control);
    tcase_add_test(tcase, any_byte_at_any_place_of_a_long_text_is_told_apart);
    tcase_add_test(tcase, plain_text_is_cut_at_its_room);
    tcase_add_test(tcase, cutting_never_splits_a_character);
    tcase_add_test(tcase, texts_are_joined_as_printf_would);
    tcase_add_test(tcase, json_is_valid_whatever_the_bytes);
    tcase_add_test(tcase, a_map_finds_what_was_put_in);
    tcase_add_test(tcase, times_read_and_print_as_utc);
    tcase_add_test(tcase, options_are_checked_against_their_table);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
