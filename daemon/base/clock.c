/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
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

static bool parse_zone(const char *text, double *ret_seconds)
{
    int hours, minutes, end = 0;
    char sign;
    *ret_seconds = 0;
    if ((text[0] == 'Z' || text[0] == 'z') && !text[1])
        return true;
    if (sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &end) != 3 || text[end] ||
        (sign != '+' && sign != '-'))
        return false;
    *ret_seconds = (sign == '-' ? -1 : 1) * (hours * 3600.0 + minutes * 60.0);
    return true;
}

bool tv_parse_time(struct tv_span text, double *ret)
{
    if (tv_parse_double(text, ret))
        return isfinite(*ret);
    char copy[64];
    struct tm parts = {0};
    int end = 0;
    if (!tv_span_copy(text, copy, sizeof copy) ||
        sscanf(copy, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon,
               &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &end) != 6 ||
        !end)
        return false;
    double fraction = 0, zone;
    const char *rest = copy + end;
    if (*rest == '.')
        rest += tv_scan_double(tv_span_of(rest), &fraction);
    if (!parse_zone(rest, &zone))
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    *ret = (double)timegm(&parts) + fraction - zone;
    return true;
}
