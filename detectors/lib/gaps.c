/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/gaps.h"
#include "lib/robust.h"
#include <math.h>
#include <string.h>

static size_t known(const struct tv_gaps *gaps)
{
    return gaps->count < TV_GAPS ? (size_t)gaps->count : TV_GAPS;
}

void tv_gaps_add(struct tv_gaps *gaps, double seconds)
{
    gaps->seconds[gaps->at] = seconds;
    gaps->at = (gaps->at + 1) % TV_GAPS;
    gaps->count++;
}

double tv_gaps_usual(const struct tv_gaps *gaps)
{
    return gaps->count ? tv_median_of(gaps->seconds, known(gaps)) : NAN;
}

double tv_gaps_patience(const struct tv_gaps *gaps, const struct tv_gap_limits *limits)
{
    double longest = gaps->regular;
    if (gaps->count == 0)
        return limits->early * limits->early * limits->floor;
    for (size_t i = 0; i < known(gaps); i++)
        longest = fmax(longest, gaps->seconds[i]);
    double limit = fmax(limits->longest * longest, limits->floor);
    limit = fmax(limit, limits->median * tv_gaps_usual(gaps));
    return gaps->count < 5 ? limits->early * limit : limit;
}

void tv_gaps_pause(struct tv_gaps *gaps, struct tv_pause pause)
{
    memmove(gaps->pauses, gaps->pauses + 1, sizeof gaps->pauses - sizeof *gaps->pauses);
    gaps->pauses[TV_PAUSES - 1] = pause;
    if (gaps->pause_count++ == 0)
        gaps->first_pause = pause.step;
}

static bool is_alike(double a, double b)
{
    return fmin(a, b) > 0.8 * fmax(a, b);
}

bool tv_gaps_pauses_are_regular(const struct tv_gaps *gaps)
{
    const struct tv_pause *p = gaps->pauses;
    if (gaps->pause_count < TV_PAUSES)
        return false;
    double least = fmin(p[0].seconds, fmin(p[1].seconds, p[2].seconds));
    double most = fmax(p[0].seconds, fmax(p[1].seconds, p[2].seconds));
    return most < 2 * least &&
           (is_alike((double)(p[1].step - p[0].step), (double)(p[2].step - p[1].step)) ||
            is_alike(p[1].began - p[0].began - p[0].seconds,
                     p[2].began - p[1].began - p[1].seconds));
}

void tv_gaps_accept_pauses(struct tv_gaps *gaps)
{
    for (size_t i = 0; i < TV_PAUSES; i++)
        gaps->regular = fmax(gaps->regular, gaps->pauses[i].seconds);
    gaps->pause_count = 0;
}

double tv_gaps_calm_until(const struct tv_gaps *gaps)
{
    double n = (double)gaps->pause_count;
    double since = (double)gaps->pauses[TV_PAUSES - 1].step;
    return n < 2 ? since : since + 2 * (since - (double)gaps->first_pause) / (n - 1);
}
