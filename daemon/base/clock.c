/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <string.h>
#include <time.h>

const char *tv_format_time(char buffer[TV_TIME_TEXT], double unix_seconds)
{
    buffer[0] = '\0';
    if (!(unix_seconds >= -62167219200.0 && unix_seconds < 253402300800.0)) /* years 0 to 9999 */
        return buffer;
    time_t whole = (time_t)floor(unix_seconds);
    struct tm parts;
    if (gmtime_r(&whole, &parts))
        strftime(buffer, TV_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return buffer;
}

/* Exactly two digits (four for a year) and the character behind them, which is skipped; -1 when it
 * is not so. */
static int take_number(const char **text, int digits, const char *behind)
{
    int value = 0;
    for (int i = 0; i < digits; i++, ++*text) {
        if (**text < '0' || **text > '9')
            return -1;
        value = value * 10 + (**text - '0');
    }
    if (*behind && (!**text || !strchr(behind, **text)))
        return -1;
    *text += *behind != '\0';
    return value;
}

static bool parse_zone(const char *text, double *ret_seconds)
{
    *ret_seconds = 0;
    if ((text[0] == 'Z' || text[0] == 'z') && !text[1])
        return true;
    if (text[0] != '+' && text[0] != '-')
        return false;
    const char *rest = text + 1;
    int hours = take_number(&rest, 2, ":"), minutes = take_number(&rest, 2, "");
    *ret_seconds = (text[0] == '-' ? -1 : 1) * (hours * 3600.0 + minutes * 60.0);
    return hours >= 0 && minutes >= 0 && !*rest;
}

bool tv_parse_time(struct tv_span text, double *ret)
{
    char copy[64];
    struct tm parts = {0};
    double fraction = 0, zone;
    if (tv_parse_double(text, ret))
        return isfinite(*ret);
    if (!tv_span_copy(text, copy, sizeof copy))
        return false;
    const char *rest = copy;
    parts.tm_year = take_number(&rest, 4, "-") - 1900;
    parts.tm_mon = take_number(&rest, 2, "-") - 1;
    parts.tm_mday = take_number(&rest, 2, "Tt ");
    parts.tm_hour = take_number(&rest, 2, ":");
    parts.tm_min = take_number(&rest, 2, ":");
    parts.tm_sec = take_number(&rest, 2, "");
    if (parts.tm_year < -1900 || parts.tm_mon < 0 || parts.tm_mday < 0 || parts.tm_hour < 0 ||
        parts.tm_min < 0 || parts.tm_sec < 0)
        return false;
    if (*rest == '.')
        rest += tv_scan_double(tv_span_of(rest), &fraction);
    if (!parse_zone(rest, &zone))
        return false;
    *ret = (double)timegm(&parts) + fraction - zone;
    return true;
}

double tv_clock_seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct tv_moment tv_clock_moment(void)
{
    return (struct tv_moment){tv_clock_seconds(CLOCK_BOOTTIME), tv_clock_seconds(CLOCK_REALTIME)};
}
