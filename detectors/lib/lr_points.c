/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_points.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define FULL        17 /* digits: no rounding visible */
#define ROUNDED_MAX 7  /* more digits than float32 holds are not a matter of printing */
#define FIXED_VALUES                                                                               \
    6 /* different values before a fixed number of decimals is believed: 1e-3, 2e-3, 3e-3 is a     \
         warm-up */
#define PIN_BEFORE 3
#define PIN_AFTER  8

/* 10^k: exact, or the nearest double, as pow() gives it at fifty times the cost. */
static double ten_to(int k)
{
    enum { MOST = 22 };
    static const double powers[] = {1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14,
                                    1e-13, 1e-12, 1e-11, 1e-10, 1e-9,  1e-8,  1e-7,  1e-6,  1e-5,
                                    1e-4,  1e-3,  1e-2,  1e-1,  1e0,   1e1,   1e2,   1e3,   1e4,
                                    1e5,   1e6,   1e7,   1e8,   1e9,   1e10,  1e11,  1e12,  1e13,
                                    1e14,  1e15,  1e16,  1e17,  1e18,  1e19,  1e20,  1e21,  1e22};
    return k < -MOST || k > MOST ? pow(10, k) : powers[k + MOST];
}

/* floor(log10(|value|)), which is what is meant: the binary exponent leaves a choice of two, and
 * only next to a power of ten the rounding of the logarithm matters. `value` is finite and not 0.
 */
static int exponent_of(double value)
{
    double size = fabs(value);
    uint64_t bits;
    memcpy(&bits, &size, sizeof bits);
    int binary = (int)(bits >> 52) - 1023;
    if (binary < -66 || binary > 66)
        return (int)floor(log10(size));
    int exponent = (int)(binary * 0.30102999566398120 + 100) - 100; /* or one more */
    double next = ten_to(exponent + 1);
    if (fabs(size - next) <= 1e-12 * next)
        return (int)floor(log10(size));
    return exponent + (size > next);
}

static bool has_digits(double value, int exponent, int digits)
{
    double scaled = fabs(value) * ten_to(digits - 1 - exponent);
    if (!(scaled < 1e9)) /* next to 0: 10^k is infinite */
        return true;
    double whole = (double)(int64_t)(scaled + 0.5);
    return !(fabs(scaled - whole) > scaled * 1.2e-7);
}

/* Digits that `value` needs, at most ROUNDED_MAX, else FULL. A float32 that holds a rounded number
 * counts as rounded. */
static void count_digits(double value, int exponent, int *digits, int *decimals)
{
    *digits = FULL;
    *decimals = FULL;
    for (int d = 1; d <= ROUNDED_MAX; d++) {
        if (!has_digits(value, exponent, d))
            continue;
        *digits = d;
        *decimals = d - 1 - exponent > 0 ? d - 1 - exponent : 0;
        return;
    }
}

static void watch_digits(struct tv_lr_points *points, double value)
{
    if (points->seen > 0 && value == points->tail[(points->seen - 1) % TV_LR_TAIL].value)
        return;
    points->values += points->values < 8;
    if (points->digits == FULL || value == 0 || !isfinite(value))
        return;
    int digits, decimals, exponent = exponent_of(value);
    if (points->digits > 0 && points->digits - 1 - exponent <= points->decimals &&
        has_digits(value, exponent, points->digits))
        return; /* what is known suffices */
    count_digits(value, exponent, &digits, &decimals);
    if (digits > points->digits)
        points->digits = (uint8_t)digits;
    if (decimals > points->decimals)
        points->decimals = (uint8_t)(decimals > 250 ? 250 : decimals);
}

static bool is_worth_keeping(const struct tv_lr_points *points, uint32_t index)
{
    if (index < TV_LR_HEAD || (index & (points->stride - 1)) == 0)
        return true;
    return points->pin && index + PIN_BEFORE >= points->pin - 1 &&
           index <= points->pin - 1 + PIN_AFTER;
}

static void thin(struct tv_lr_points *points)
{
    points->stride *= 2;
    uint8_t len = 0;
    for (uint8_t i = 0; i < points->kept_len; i++) {
        if (!is_worth_keeping(points, points->kept_index[i]))
            continue;
        points->kept[len] = points->kept[i];
        points->kept_index[len++] = points->kept_index[i];
    }
    points->kept_len = len;
}

void tv_lr_points_add(struct tv_lr_points *points, int64_t step, double value)
{
    if (points->seen == UINT32_MAX)
        return;
    if (points->stride == 0)
        points->stride = 1;
    watch_digits(points, value);
    struct tv_lr_point *slot = &points->tail[points->seen % TV_LR_TAIL];
    uint32_t leaving = points->seen - TV_LR_TAIL;
    if (points->seen >= TV_LR_TAIL && is_worth_keeping(points, leaving)) {
        while (points->kept_len == TV_LR_KEPT)
            thin(points);
        if (is_worth_keeping(points, leaving)) {
            points->kept[points->kept_len] = *slot;
            points->kept_index[points->kept_len++] = leaving;
        }
    }
    *slot = (struct tv_lr_point){step, value};
    points->seen++;
}

void tv_lr_points_pin(struct tv_lr_points *points, int64_t step)
{
    for (uint8_t i = 0; i < points->kept_len; i++)
        if (points->kept[i].step == step)
            points->pin = points->kept_index[i] + 1;
    uint32_t first = points->seen > TV_LR_TAIL ? points->seen - TV_LR_TAIL : 0;
    for (uint32_t i = first; i < points->seen; i++)
        if (points->tail[i % TV_LR_TAIL].step == step)
            points->pin = i + 1;
}

size_t tv_lr_points_get(const struct tv_lr_points *points, struct tv_lr_point ret[TV_LR_POINTS])
{
    size_t len = points->kept_len;
    memcpy(ret, points->kept, len * sizeof *ret);
    uint32_t first = points->seen > TV_LR_TAIL ? points->seen - TV_LR_TAIL : 0;
    for (uint32_t i = first; i < points->seen; i++)
        ret[len++] = points->tail[i % TV_LR_TAIL];
    return len;
}

double tv_lr_points_rounding(const struct tv_lr_points *points, double value)
{
    if (points->values < 3 || points->digits == 0 || points->digits > ROUNDED_MAX || value == 0 ||
        !isfinite(value))
        return 0;
    int digits = points->digits < 3 ? 3 : points->digits;
    double significant = 0.5 * ten_to(exponent_of(value) + 1 - digits);
    bool is_fixed = points->values >= FIXED_VALUES && points->decimals > 0 && points->decimals < 9;
    double fixed = is_fixed ? 0.5 * ten_to(-points->decimals) : 0;
    return fmax(significant, fixed);
}
