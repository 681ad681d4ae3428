/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trainvet/number.h"
#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER_TEXT_MAX 400 /* bytes; a longer literal is no number that a trainer writes */

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* strtod in the C locale, for what the fast path leaves. */
static double slow_double(const char *text, size_t len)
{
    char copy[NUMBER_TEXT_MAX + 1];
    memcpy(copy, text, len);
    copy[len] = '\0';
    pthread_once(&c_locale_once, make_c_locale);
    return strtod_l(copy, NULL, c_locale);
}

/* mantissa * 10^exponent in double arithmetic, when both are exact there: one operation, correctly
 * rounded. */
static inline bool short_double(uint64_t mantissa, int exponent, double *ret)
{
    static const double power_of_ten[] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    };
    if (mantissa > 1ull << 53 || exponent < -22 || exponent > 22)
        return false;
    *ret = exponent < 0 ? (double)mantissa / power_of_ten[-exponent]
                        : (double)mantissa * power_of_ten[exponent];
    return true;
}

#if LDBL_MANT_DIG == 64
static const long double power_of_ten[] = {
    1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
    1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
    1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L,
};

/* The same for what is longer. An 80-bit long double holds both operands exactly (10^27 < 2^64 *
 * 5^27 has 63 bits), so one operation is correctly rounded to 64 bits; rounding again to 53 is
 * right unless the 11 low bits lie within one unit of a tie. */
static bool long_double(uint64_t mantissa, int exponent, double *ret)
{
    if (exponent < -27 || exponent > 27)
        return false;
    long double value = exponent < 0 ? (long double)mantissa / power_of_ten[-exponent]
                                     : (long double)mantissa * power_of_ten[exponent];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t low = (uint32_t)(bits & 0x7ff);
    if (low >= 0x3ff && low <= 0x401)
        return false;
    *ret = (double)value;
    return true;
}

static long double scaled(double value, int by)
{
    return by < 0 ? (long double)value / power_of_ten[-by] : (long double)value * power_of_ten[by];
}

/* The other way: `value` (positive) rounded to so many digits. One operation is off by less than
 * 1e-10 of the last of 9 digits, so that only what lies next to a tie is left in doubt. */
static bool to_digits(double value, int digits, uint64_t *ret, int *ret_exponent)
{
    int exponent = (int)floor(0.30103 * ilogb(value)); /* or one more */
    if (digits > 9 || abs(exponent) > 17)
        return false;
    long double number = scaled(value, digits - 1 - exponent);
    if (number >= power_of_ten[digits])
        number = scaled(value, digits - 1 - ++exponent);
    uint64_t whole = (uint64_t)number;
    double rest = (double)(number - (long double)whole);
    if (fabs(rest - 0.5) < 1e-6)
        return false;
    whole += rest > 0.5;
    bool carries = whole == (uint64_t)power_of_ten[digits];
    *ret = carries ? whole / 10 : whole;
    *ret_exponent = exponent + carries;
    return true;
}
#else
static bool to_digits(double value, int digits, uint64_t *ret, int *ret_exponent)
{
    (void)value;
    (void)digits;
    (void)ret;
    (void)ret_exponent;
    return false;
}

static bool long_double(uint64_t mantissa, int exponent, double *ret)
{
    (void)mantissa;
    (void)exponent;
    (void)ret;
    return false;
}
#endif

static size_t scan_word(const char *p, size_t len, double *ret)
{
    static const struct {
        const char *word;
        bool is_nan;
    } words[] = {{"infinity", false}, {"inf", false}, {"nan", true}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i].word);
        if (len >= n && strncasecmp(p, words[i].word, n) == 0) {
            *ret = words[i].is_nan ? (double)NAN : (double)INFINITY;
            return n;
        }
    }
    return 0;
}

struct digits {
    uint64_t mantissa;
    int exponent; /* of ten, for the digits that did not fit or stand behind the point */
    bool any, inexact;
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Eight digits in three multiplications (D. Lemire, Number Parsing at a Gigabyte per Second, 2021):
 * neighbours are joined to numbers of two, then four, then eight digits. */
static inline bool take_eight(const char *p, uint64_t *ret)
{
    uint64_t text;
    memcpy(&text, p, 8);
    uint64_t value = text ^ 0x3030303030303030u; /* 0..9 in each byte if it was a digit */
    if (((value + 0x7676767676767676u) | value) & 0x8080808080808080u)
        return false;
    value = value * 10 + (value >> 8);
    *ret = ((value & 0x000000ff000000ffu) * 0x000f424000000064u +
            (value >> 16 & 0x000000ff000000ffu) * 0x0000271000000001u) >>
           32;
    return true;
}
#else
static inline bool take_eight(const char *p, uint64_t *ret)
{
    (void)p;
    (void)ret;
    return false;
}
#endif

static inline size_t scan_digits(const char *p, size_t len, bool fraction, struct digits *d)
{
    size_t i = 0;
    uint64_t mantissa = d->mantissa, eight;
    while (len - i >= 8 && mantissa <= (UINT64_MAX - 99999999) / 100000000 &&
           take_eight(p + i, &eight)) {
        mantissa = mantissa * 100000000 + eight;
        i += 8;
    }
    for (; i < len && (unsigned char)(p[i] - '0') <= 9 && mantissa <= (UINT64_MAX - 9) / 10; i++)
        mantissa = mantissa * 10 + (uint64_t)(p[i] - '0');
    d->any |= i > 0;
    d->mantissa = mantissa;
    d->exponent -= fraction ? (int)i : 0;
    for (; i < len && (unsigned char)(p[i] - '0') <= 9; i++) {
        d->inexact = true;
        d->exponent += !fraction;
    }
    return i;
}

static size_t scan_exponent(const char *p, size_t len, int *ret)
{
    if (len < 2 || (p[0] != 'e' && p[0] != 'E'))
        return 0;
    size_t i = 1;
    bool negative = p[i] == '-';
    i += p[i] == '-' || p[i] == '+';
    size_t first = i;
    int value = 0;
    for (; i < len && p[i] >= '0' && p[i] <= '9'; i++)
        value = value < 100000 ? value * 10 + (p[i] - '0') : value;
    if (i == first)
        return 0;
    *ret = negative ? -value : value;
    return i;
}

size_t tv_scan_double(struct tv_span text, double *ret)
{
    const char *p = text.data;
    size_t len = text.len < NUMBER_TEXT_MAX ? text.len : NUMBER_TEXT_MAX;
    size_t i = len > 0 && (p[0] == '-' || p[0] == '+');
    bool negative = i && p[0] == '-';
    double value = 0.0;

    if (i < len && (unsigned char)p[i] >= 'A') {
        size_t word = scan_word(p + i, len - i, &value);
        if (word)
            *ret = negative ? -value : value;
        return word ? i + word : 0;
    }
    struct digits d = {0};
    size_t start = i;
    i += scan_digits(p + i, len - i, false, &d);
    if (i < len && p[i] == '.' && (d.any || (i + 1 < len && p[i + 1] >= '0' && p[i + 1] <= '9')))
        i += 1 + scan_digits(p + i + 1, len - i - 1, true, &d);
    if (!d.any)
        return 0;
    int exponent = 0;
    i += scan_exponent(p + i, len - i, &exponent);
    exponent += d.exponent;
    if (d.inexact ||
        (!short_double(d.mantissa, exponent, &value) && !long_double(d.mantissa, exponent, &value)))
        value = slow_double(p + start, i - start);
    *ret = negative ? -value : value;
    return i;
}

bool tv_parse_double(struct tv_span text, double *ret)
{
    double value;
    if (text.len == 0 || tv_scan_double(text, &value) != text.len)
        return false;
    *ret = value;
    return true;
}

bool tv_parse_int64(struct tv_span text, int64_t *ret)
{
    size_t i = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');
    bool negative = i && text.data[0] == '-';
    if (i == text.len)
        return false;
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX, value = 0;
    for (; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static size_t format_non_finite(char *buffer, double value)
{
    const char *word = isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity";
    size_t len = strlen(word);
    memcpy(buffer, word, len + 1);
    return len;
}

size_t tv_format_double(char buffer[TV_NUMBER_MAX], double value)
{
    if (!isfinite(value))
        return format_non_finite(buffer, value);
    int len = 0;
    for (int digits = 15; digits <= 17; digits++) {
        len = snprintf(buffer, TV_NUMBER_MAX, "%.*g", digits, value);
        if (slow_double(buffer, (size_t)len) == value)
            break;
    }
    return (size_t)len;
}

/* As %g does: zeros at the end are dropped, a far exponent is written. */
static size_t put_digits(char *buffer, uint64_t number, int digits, int exponent)
{
    char text[TV_NUMBER_MAX], *end = text + sizeof text, *first = end, *to = buffer;
    for (; number; number /= 10)
        if (first < end || number % 10 != 0)
            *--first = (char)('0' + number % 10);
    int len = (int)(end - first), point = exponent;
    bool is_far = exponent < -4 || exponent >= digits;
    if (is_far)
        point = 0;
    for (int i = point < 0 ? point : 0; i < len || i <= point; i++) {
        *to++ = i >= 0 && i < len ? first[i] : '0';
        if (i == point && i + 1 < len)
            *to++ = '.';
    }
    if (is_far) {
        *to++ = 'e';
        *to++ = exponent < 0 ? '-' : '+';
        *to++ = (char)('0' + abs(exponent) / 10);
        *to++ = (char)('0' + abs(exponent) % 10);
    }
    *to = '\0';
    return (size_t)(to - buffer);
}

size_t tv_format_short(char buffer[TV_NUMBER_MAX], double value, int digits)
{
    uint64_t number;
    int exponent;
    if (!isfinite(value))
        return format_non_finite(buffer, value);
    digits = digits < 1 ? 1 : digits > 17 ? 17 : digits;
    if (value != 0 && to_digits(fabs(value), digits, &number, &exponent)) {
        buffer[0] = '-';
        return (value < 0) + put_digits(buffer + (value < 0), number, digits, exponent);
    }
    return (size_t)snprintf(buffer, TV_NUMBER_MAX, "%.*g", digits, value);
}
