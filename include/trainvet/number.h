/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAINVET_NUMBER_H
#define TRAINVET_NUMBER_H
/* Numbers as text, never locale-dependent; and which of two is the larger. */
#include "trainvet/sample.h"

/* The whole span as a decimal number, correctly rounded: "1e-4", "-.5", "+3.", "NaN", "nan",
 * "Infinity", "-inf". No blanks, no hexadecimal, no digit separators. False (*ret untouched) for
 * anything else; an overflow is an infinity and an underflow is 0 or a denormal, as in C. */
bool tv_parse_double(struct tv_span text, double *ret);

/* The number at the start of the text, as above; returns its length in bytes, 0 when there is none.
 */
size_t tv_scan_double(struct tv_span text, double *ret);

/* The whole span as a decimal integer that fits int64_t. */
bool tv_parse_int64(struct tv_span text, int64_t *ret);

#define TV_NUMBER_MAX 32
/* Shortest of %.15g, %.16g and %.17g that reads back as `value`; "NaN", "Infinity", "-Infinity".
 * Returns the length. */
size_t tv_format_double(char buffer[TV_NUMBER_MAX], double value);

/* `value` with at most `digits` significant digits, for people: "5e-05", "0.3121", "nan". */
size_t tv_format_short(char buffer[TV_NUMBER_MAX], double value, int digits);

/* fmax() and fmin() of the C library, NaN means "the other one", without the call, which costs more
 * than the comparison. */
static inline double tv_most(double a, double b)
{
    return b != b ? a : a > b ? a : b;
}

static inline double tv_least(double a, double b)
{
    return b != b ? a : a < b ? a : b;
}

#endif
