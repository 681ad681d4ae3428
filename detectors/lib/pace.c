/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/pace.h"
#include "lib/robust.h"
#include <math.h>
#include <string.h>

static double lowest_of(const double *values, uint32_t len)
{
    double lowest = INFINITY;
    for (uint32_t i = 0; i < len; i++)
        lowest = values[i] < lowest ? values[i] : lowest;
    return lowest;
}

static void keep(struct tv_pace *pace, int64_t step, double value)
{
    if (pace->recent_len == TV_PACES) {
        /* What leaves the window is history, unless it belongs to a slow-down. */
        if (!pace->is_slow && tv_thin_add(&pace->before, pace->recent_step[0], pace->recent[0]))
            pace->fastest = lowest_of(pace->before.value, pace->before.len);
        memmove(pace->recent, pace->recent + 1, sizeof pace->recent - sizeof *pace->recent);
        memmove(pace->recent_step, pace->recent_step + 1,
                sizeof pace->recent_step - sizeof *pace->recent_step);
        pace->recent_len--;
    }
    pace->recent[pace->recent_len] = value;
    pace->recent_step[pace->recent_len++] = step;
}

/* Median of everything before the last `hold` intervals. */
static double usual_before(const struct tv_pace *pace, uint32_t hold)
{
    double before[TV_THIN + TV_PACES];
    uint32_t n = pace->before.len, from = pace->recent_len - hold;
    memcpy(before, pace->before.value, n * sizeof *before);
    memcpy(before + n, pace->recent, from * sizeof *before);
    return tv_median(before, n + from);
}

static uint32_t count_faster(const double *paces, uint32_t len, double factor, double pace)
{
    uint32_t faster = 0;
    for (uint32_t i = 0; i < len; i++)
        faster += factor * paces[i] < pace;
    return faster;
}

/* Most intervals are no slower than `factor` times any of those before the last `hold` ones, which
 * these outnumber. */
static bool is_ordinary(const struct tv_pace *pace, uint32_t hold, double factor)
{
    return pace->recent_len - hold < pace->before.len && !pace->is_slow &&
           pace->recent[pace->recent_len - 1] <= factor * pace->fastest;
}

/* True when the last `hold` intervals all took more than `factor` times the usual. */
static bool has_slowed(const struct tv_pace *pace, uint32_t hold, double factor, double seconds,
                       double least_seconds)
{
    uint32_t from = pace->recent_len - hold;
    double last = pace->recent[pace->recent_len - 1];
    double fastest = lowest_of(pace->recent + from, hold);
    /* Less than half of the others are so much faster, so neither is their median. */
    if (2 * (count_faster(pace->before.value, pace->before.len, factor, fastest) +
             count_faster(pace->recent, from, factor, fastest)) <
        pace->before.len + from)
        return false;
    double usual = usual_before(pace, hold);
    return usual > 0 && fastest > factor * usual &&
           (fastest - usual) * (seconds / last) > least_seconds;
}

/* A small slow-down has to last longer than a large one. */
enum tv_pace_change tv_pace_add(struct tv_pace *pace, const struct tv_pace_limits *limits,
                                int64_t since, int64_t step, double seconds)
{
    uint32_t hold = (uint32_t)limits->slow_intervals, half = hold / 2 > 2 ? hold / 2 : 2;
    double factor = limits->slow_factor;
    keep(pace, since, seconds / ((double)step - (double)since));
    if (pace->recent_len < hold + 3 || is_ordinary(pace, half, factor))
        return TV_PACE_AS_BEFORE;
    pace->now = tv_median_of(pace->recent + pace->recent_len - half, half);
    if (pace->is_slow) {
        pace->lost += seconds - seconds * pace->usual / pace->recent[pace->recent_len - 1];
        pace->is_slow = !(pace->now < sqrt(factor) * pace->usual);
        return pace->is_slow ? TV_PACE_AS_BEFORE : TV_PACE_RECOVERED;
    }
    bool much = has_slowed(pace, half, factor * factor, seconds, limits->slow_seconds);
    if (!much && !has_slowed(pace, hold, factor, seconds, limits->slow_seconds))
        return TV_PACE_AS_BEFORE;
    uint32_t first = pace->recent_len - (much ? half : hold);
    pace->usual = usual_before(pace, pace->recent_len - first);
    while (first > 0 && pace->recent[first - 1] > factor * pace->usual)
        first--;
    pace->since = pace->recent_step[first];
    pace->lost = (double)(step - pace->since) * (pace->now - pace->usual);
    pace->is_slow = true;
    return TV_PACE_SLOWED;
}

void tv_pace_forget(struct tv_pace *pace)
{
    pace->before = (struct tv_thin){0};
    pace->recent_len = 0;
}
