/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "lib/json_scan.h"
#include "support/jsonc.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Reads a value from an exact copy on the heap, so that a sanitizer sees a read past the end. */
static enum tv_status read_value(struct tv_span text, struct tv_json_value *ret, size_t *ret_taken)
{
    char *copy = tv_xmalloc(text.len);
    memcpy(copy, text.data, text.len);
    struct tv_json json = {.at = copy, .end = copy + text.len};
    enum tv_status status = tv_json_read(&json, ret);
    ck_assert(json.at >= copy && json.at <= json.end);
    if (status != TV_OK)
        ck_assert_ptr_nonnull(json.why);
    *ret_taken = (size_t)(json.at - copy);
    free(copy);
    return status;
}

static uint64_t random_state = 88172645463325252u;

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Any finite double, or (three times in four) one of the sizes that logs hold. */
static double random_double(void)
{
    uint64_t bits = random_bits();
    double value;
    if (bits % 4 == 0) {
        memcpy(&value, &(uint64_t){random_bits()}, sizeof value);
        return isfinite(value) ? value : 1.5;
    }
    value = (double)(bits >> 11) * 0x1p-53;
    return bits % 4 == 1   ? value * 10
           : bits % 4 == 2 ? value * 1e-4
                           : ldexp(value, (int)(bits % 97) - 48);
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* As Python's repr writes it: the shortest digits that read back; and a bracket. */
static void shortest(char *text, size_t cap, double value)
{
    for (int digits = 1; digits <= 17; digits += digits == 1 ? 14 : 1) {
        snprintf(text, cap, "%.*g]", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
}

START_TEST(numbers_are_those_of_strtod_to_the_bit)
{
    for (int i = 0; i < tv_rounds(500000); i++) { /* in four forms each */
        double value = random_double();
        char text[4][64];
        snprintf(text[0], sizeof text[0], "%.17g,", value);
        snprintf(text[1], sizeof text[1], "%.16g ", value);
        snprintf(text[2], sizeof text[2], "%.6g}", value);
        shortest(text[3], sizeof text[3], value);
        for (int form = 0; form < 4; form++) {
            struct tv_json json = {.at = text[form], .end = text[form] + strlen(text[form])};
            struct tv_json_value read;
            double expected = strtod(text[form], NULL);
            if (tv_json_read(&json, &read) != TV_OK || json.at != json.end - 1 ||
                bits_of(read.number) != bits_of(expected))
                ck_abort_msg("%s read as %.17g, strtod says %.17g", text[form], read.number,
                             expected);
        }
    }
}
END_TEST

START_TEST(values_have_their_types)
{
    static const struct {
        const char *text;
        enum tv_json_type type;
        const char *shown;
    } cases[] = {
        {" null,", TV_JSON_NULL, "null"},
        {"true}", TV_JSON_TRUE, "true"},
        {"false ", TV_JSON_FALSE, "false"},
        {"\"a b\"", TV_JSON_STRING, "a b"},
        {"\"\"", TV_JSON_STRING, ""},
        {"\"a\\\"b\\\\\" ", TV_JSON_STRING, "a\\\"b\\\\"},
        {"{\"a\": [1, {\"]\": \"}\"}]} ", TV_JSON_OBJECT, "{\"a\": [1, {\"]\": \"}\"}]}"},
        {"[]", TV_JSON_ARRAY, "[]"},
        {"-12.5e3,", TV_JSON_NUMBER, "-12.5e3"},
        {"NaN,", TV_JSON_NUMBER, "NaN"},
        {"-Infinity ", TV_JSON_NUMBER, "-Infinity"},
        {"inf]", TV_JSON_NUMBER, "inf"},
        {"nan,", TV_JSON_NUMBER, "nan"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = cases[i].text;
        struct tv_json json = {.at = text, .end = text + strlen(text)};
        struct tv_json_value value;
        ck_assert_msg(tv_json_read(&json, &value) == TV_OK, "%s: %s", text, json.why);
        ck_assert_int_eq(value.type, cases[i].type);
        ck_assert_msg(tv_span_is(value.text, cases[i].shown), "%s", text);
    }
}
END_TEST

START_TEST(what_is_no_json_is_refused)
{
    static const char *const bad[] = {"}",   ",",        "nul,",     "nulll ", "Nan,", "1.2.3,",
                                      "1x,", "--1,",     "\"a\nb\"", "[}",     "{]",   "'a'",
                                      "{[}", "\"\x1f\"", "-,",       "0x10,",  "+,",   "NaN1,"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tv_json_value value;
        size_t taken;
        ck_assert_msg(read_value(tv_span_of(bad[i]), &value, &taken) == TV_ECORRUPT, "%s", bad[i]);
    }
}
END_TEST

START_TEST(text_that_ends_early_may_go_on)
{
    static const char text[] =
        "{\"a\\\"\": [1.5e3, \"x\\u00e9\", null, -Infinity, {}], \"b\": true}";
    struct tv_json_value value;
    size_t taken;
    for (size_t len = 0; len < sizeof text - 1; len++)
        ck_assert_int_eq(read_value((struct tv_span){text, len}, &value, &taken), TV_AGAIN);
    ck_assert_int_eq(read_value((struct tv_span){text, sizeof text - 1}, &value, &taken), TV_OK);
    ck_assert_uint_eq(taken, sizeof text - 1);
    /* a number may have more digits, a word more letters */
    ck_assert_int_eq(read_value(tv_span_of("12"), &value, &taken), TV_AGAIN);
    ck_assert_int_eq(read_value(tv_span_of("Infi"), &value, &taken), TV_AGAIN);
}
END_TEST

START_TEST(nesting_has_a_limit)
{
    char text[2 * (TV_JSON_DEPTH_MAX + 1)];
    struct tv_json_value value;
    size_t taken;
    memset(text, '[', TV_JSON_DEPTH_MAX);
    memset(text + TV_JSON_DEPTH_MAX, ']', TV_JSON_DEPTH_MAX);
    ck_assert_int_eq(read_value((struct tv_span){text, sizeof text - 2}, &value, &taken), TV_OK);
    memset(text, '[', TV_JSON_DEPTH_MAX + 1);
    memset(text + TV_JSON_DEPTH_MAX + 1, ']', TV_JSON_DEPTH_MAX + 1);
    ck_assert_int_eq(read_value((struct tv_span){text, sizeof text}, &value, &taken), TV_ELIMIT);
}
END_TEST

/* What passing over a nested value must come to, byte by byte. */
static enum tv_status pass_slowly(struct tv_span text, size_t *ret_taken)
{
    char open[1024] = {0};
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        *ret_taken = i;
        if (in_string && (unsigned char)c < 0x20)
            return TV_ECORRUPT;
        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            i += c == '\\';
        else if (c == '\0' || (depth && (c == '}' || c == ']') && open[depth - 1] != c))
            return TV_ECORRUPT;
        else if (c == '{' || c == '[')
            open[depth++] = c == '{' ? '}' : ']';
        else if (c == '}' || c == ']')
            depth--;
        *ret_taken = i + 1;
        if (depth == 0)
            return TV_OK;
    }
    *ret_taken = text.len;
    return TV_AGAIN;
}

/* Words of all kinds in any order, most of them harmless, so that many values are longer than the
 * blocks in which they are passed over. */
static size_t write_nested(char *text, size_t cap)
{
    static const char *const words[] = {
        "{",  "}",  "[",    "]",        "\"", "\"key\"", "\"\\\\\"", "\"a \\\" [ b\"",
        "\\", "\n", "\x01", "\xff\xc3",
    };
    enum { WORDS = sizeof words / sizeof *words };
    size_t len = 0, end = 1 + random_bits() % (cap - 32), rarely = 1 + random_bits() % 60;
    text[len++] = random_bits() % 2 ? '{' : '[';
    while (len < end) {
        uint64_t bits = random_bits();
        const char *word = bits % 4 == 0            ? "\"key\": 1.5"
                           : bits % 4 == 1          ? "\n      "
                           : bits / 4 % rarely != 0 ? "\"\", "
                           : bits / 256 % 200 == 0  ? NULL /* NUL */
                                                    : words[bits / 65536 % WORDS];
        size_t size = word ? strlen(word) : 1;
        memcpy(text + len, word ? word : "", size);
        len += size;
    }
    return len;
}

START_TEST(nested_values_are_passed_over_as_byte_by_byte)
{
    size_t seen[3] = {0}, far = 0;
    for (int i = 0; i < 60000; i++) {
        char text[600];
        struct tv_json_value value;
        struct tv_span span = {text, write_nested(text, sizeof text)};
        size_t taken, expected;
        enum tv_status status = read_value(span, &value, &taken);
        enum tv_status slow = pass_slowly(span, &expected);
        tv_check(status == slow && taken == expected);
        tv_check(status != TV_OK || value.text.len == taken);
        seen[status == TV_OK ? 0 : status == TV_AGAIN ? 1 : 2]++;
        far += status != TV_AGAIN && taken > 130;
    }
    for (int i = 0; i < 3; i++)
        ck_assert_uint_gt(seen[i], 2000);
    ck_assert_uint_gt(far, 2000);
}
END_TEST

START_TEST(escapes_are_resolved_as_json_c_does)
{
    static const char *const texts[] = {
        "plain",          "a\\nb\\tc\\r\\b\\f", "\\\"\\\\\\/",    "\\u0041\\u00e9\\u635f",
        "\\ud83d\\ude00", "x\\u0020y",          "\\u00E9\\u00Ff",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char quoted[128], buffer[128];
        snprintf(quoted, sizeof quoted, "\"%s\"", texts[i]);
        struct json_object *object = json_tokener_parse(quoted);
        size_t len = tv_json_unescape(tv_span_of(texts[i]), buffer, sizeof buffer);
        ck_assert_uint_eq(len, (size_t)json_object_get_string_len(object));
        ck_assert(memcmp(buffer, json_object_get_string(object), len) == 0);
        json_object_put(object);
    }
}
END_TEST

START_TEST(broken_escapes_become_the_replacement_character)
{
    static const char *const texts[] = {"\\ud83d", "\\ud83dx", "\\ude00",
                                        "\\u12",   "\\u",      "\\uzzzz"};
    char buffer[16];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t len = tv_json_unescape(tv_span_of(texts[i]), buffer, sizeof buffer);
        ck_assert_uint_ge(len, 3);
        ck_assert(memcmp(buffer, "\xEF\xBF\xBD", 3) == 0);
    }
    ck_assert_uint_eq(tv_json_unescape(tv_span_of("\\u635f"), buffer, 2),
                      0); /* never half a character */
    ck_assert_uint_eq(tv_json_unescape(tv_span_of("ab\\"), buffer, sizeof buffer), 3);
}
END_TEST

START_TEST(integers_are_those_that_a_double_holds)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {{"12 ", true, 12},
                 {"-3 ", true, -3},
                 {"10.0 ", true, 10},
                 {"\"7\" ", true, 7},
                 {"1e3 ", true, 1000},
                 {"1.5 ", false, 0},
                 {"NaN ", false, 0},
                 {"1e300 ", false, 0},
                 {"Infinity ", false, 0},
                 {"\"1/2\" ", false, 0},
                 {"null ", false, 0},
                 {"true ", false, 0},
                 {"9007199254740992 ", true, 9007199254740992}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tv_json json = {.at = cases[i].text, .end = cases[i].text + strlen(cases[i].text)};
        struct tv_json_value value;
        int64_t number = 0;
        ck_assert_int_eq(tv_json_read(&json, &value), TV_OK);
        ck_assert_msg(tv_json_integer(&value, &number) == cases[i].ok, "%s", cases[i].text);
        ck_assert_int_eq(number, cases[i].value);
    }
}
END_TEST

/* The same object read with and without knowledge of its keys. */
static void check_fields(struct tv_json_keys *keys, const char *text)
{
    struct tv_json_keys *fresh = tv_xcalloc(1, sizeof *fresh);
    struct tv_json_field known[8], unknown[8];
    size_t known_len = 0, unknown_len = 0;
    struct tv_json a = {.at = text, .end = text + strlen(text)}, b = a;
    ck_assert_int_eq(tv_json_object(&a, keys, known, 8, &known_len), TV_OK);
    ck_assert_int_eq(tv_json_object(&b, fresh, unknown, 8, &unknown_len), TV_OK);
    ck_assert_uint_eq(known_len, unknown_len);
    ck_assert_ptr_eq(a.at, b.at);
    for (size_t i = 0; i < known_len && i < 8; i++) {
        struct tv_span key = unknown[i].key;
        ck_assert_ptr_eq(known[i].key.data, key.data);
        ck_assert_uint_eq(known[i].key.len, key.len);
        if (known[i].slot) {
            ck_assert_uint_eq(known[i].slot->len, key.len + 2);
            ck_assert(memcmp(known[i].slot->text + 1, key.data, key.len) == 0);
        }
    }
    free(fresh);
}

START_TEST(keys_are_found_whatever_came_before)
{
    static const char *const objects[] = {
        "{\"a\": 1, \"b\": 2, \"c\": 3}",
        "{\"a\":1,\"b\":2}",
        "{\"b\": 2, \"a\": 1}",
        "{ }",
        "{}",
        "{\"aa\": 1, \"a\": 2, \"a\": 3}",
        "{\"\": 1}",
        "{\"a\" : 1 , \"b\" : 2 }",
        "{\"b\\\"\": 1}",
        "{\"0123456789012345678901234567890123456789012345678901234567890\": 1, \"c\": 2}",
        "{\"a\": {\"b\": 1}, \"c\": [1]}"};
    enum { COUNT = sizeof objects / sizeof *objects };
    struct tv_json_keys *keys = tv_xcalloc(1, sizeof *keys);
    for (int i = 0; i < 2000; i++)
        check_fields(keys, objects[random_bits() % COUNT]);
    for (int i = 0; i < 200; i++) { /* more keys than are remembered */
        char text[64];
        snprintf(text, sizeof text, "{\"key%d\": 1, \"a\": 2}", i);
        check_fields(keys, text);
    }
    ck_assert_uint_eq(keys->len, TV_JSON_KEYS);
    for (int i = 0; i < 2000; i++)
        check_fields(keys, objects[random_bits() % COUNT]);
    free(keys);
}
END_TEST

START_TEST(more_members_than_asked_for_are_counted)
{
    struct tv_json_keys *keys = tv_xcalloc(1, sizeof *keys);
    const char *text = "{\"a\": 1, \"b\": 2, \"c\": 3}";
    struct tv_json json = {.at = text, .end = text + strlen(text)};
    struct tv_json_field fields[2];
    size_t len = 0;
    ck_assert_int_eq(tv_json_object(&json, keys, fields, 2, &len), TV_OK);
    ck_assert_uint_eq(len, 3);
    free(keys);
}
END_TEST

/* A text of JSON's own characters in random order; json-c says whether it is JSON. */
static size_t random_text(char *text, size_t cap)
{
    static const char *const pieces[] = {
        "{",      "}",    "[",    "]", ",",  ":",          "\"a\"",  "\"b\\n\"", "1",
        "-2.5e3", "null", "true", " ", "\n", "{\"a\": 1}", "[1, 2]", "\"",       "NaN"};
    size_t len = 0;
    for (uint64_t n = random_bits() % 12 + 1; n--;) {
        const char *piece = pieces[random_bits() % (sizeof pieces / sizeof *pieces)];
        if (len + strlen(piece) < cap)
            len += (size_t)sprintf(text + len, "%s", piece);
    }
    return len;
}

START_TEST(flat_objects_are_accepted_as_json_c_accepts_them)
{
    struct tv_json_keys *keys = tv_xcalloc(1, sizeof *keys);
    struct json_tokener *tokener = json_tokener_new();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    size_t accepted = 0;
    for (int i = 0; i < 200000; i++) {
        char text[256] = "{";
        size_t len = random_text(text + 1, sizeof text - 2) + 1, fields_len = 0;
        struct tv_json_field fields[16];
        struct tv_json json = {.at = text, .end = text + len};
        bool ours = tv_json_object(&json, keys, fields, 16, &fields_len) == TV_OK;
        json_tokener_reset(tokener);
        struct json_object *object = json_tokener_parse_ex(tokener, text, (int)len);
        /* nested values are only passed over: what is odd inside them is not seen */
        bool nested = strpbrk(text + 1, "{[") != NULL;
        if (object && !ours)
            ck_abort_msg("json-c reads %s, but: %s", text, json.why);
        if (ours && !object && !nested && json.at == json.end)
            ck_abort_msg("json-c does not read %s", text);
        accepted += ours;
        json_object_put(object);
    }
    ck_assert_uint_gt(accepted, 100);
    json_tokener_free(tokener);
    free(keys);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("json_scan");
    TCase *c = tcase_create("json_scan");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, numbers_are_those_of_strtod_to_the_bit);
    tcase_add_test(c, values_have_their_types);
    tcase_add_test(c, what_is_no_json_is_refused);
    tcase_add_test(c, text_that_ends_early_may_go_on);
    tcase_add_test(c, nested_values_are_passed_over_as_byte_by_byte);
    tcase_add_test(c, nesting_has_a_limit);
    tcase_add_test(c, escapes_are_resolved_as_json_c_does);
    tcase_add_test(c, broken_escapes_become_the_replacement_character);
    tcase_add_test(c, integers_are_those_that_a_double_holds);
    tcase_add_test(c, keys_are_found_whatever_came_before);
    tcase_add_test(c, more_members_than_asked_for_are_counted);
    tcase_add_test(c, flat_objects_are_accepted_as_json_c_accepts_them);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
