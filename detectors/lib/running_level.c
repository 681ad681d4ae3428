/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/running_level.h"
#include "lib/robust.h"
#include "lib/trend.h"

/* The last points, oldest first; returns how many. */
static size_t last_points(const struct tv_running_level *level, size_t len, double *values)
{
    if (len > level->ring_len)
        len = level->ring_len;
    for (size_t i = 0; i < len; i++)
        values[i] = level->ring[(level->at + TV_LEVEL_RING - len + i) % TV_LEVEL_RING];
    return len;
}

/* The window moves on by the point that was put into the ring, or has become longer. */
void tv_running_level_add(struct tv_running_level *level, double value)
{
    level->ring[level->at] = value;
    level->at = (level->at + 1) % TV_LEVEL_RING;
    level->ring_len += level->ring_len < TV_LEVEL_RING;
    level->points += level->points < 1000000;
    uint32_t len = tv_running_level_window(level);
    if (len > level->ring_len)
        len = level->ring_len;
    if (len == level->sorted_len) {
        double out = level->ring[(level->at + TV_LEVEL_RING - 1 - len) % TV_LEVEL_RING];
        tv_sorted_replace(level->sorted, len, out, value);
    } else {
        level->sorted_len = (uint32_t)last_points(level, len, level->sorted);
        tv_sort(level->sorted, len);
    }
    level->now = tv_quantile_sorted(level->sorted, len, 0.5);
}

static bool set_base(struct tv_running_level *level, double base)
{
    bool is_lower = !level->has_base || base < level->base;
    level->has_base = true;
    level->base = base;
    return is_lower;
}

bool tv_running_level_accept(struct tv_running_level *level, int64_t step, double value)
{
    bool has_block = tv_blocks_add(&level->blocks, step, value);
    if (tv_blocks_points(&level->blocks) >= TV_LEVEL_RING)
        return has_block && set_base(level, tv_blocks_lowest(&level->blocks, NULL));
    uint32_t two = 2 * tv_running_level_window(level);
    if (level->ring_len < two || (level->has_base && level->now > level->base))
        return false;
    double base = tv_running_level_of_last(level, two);
    return (!level->has_base || base < level->base) && set_base(level, base);
}

void tv_running_level_forget(struct tv_running_level *level)
{
    level->ring_len = level->at = level->sorted_len = 0;
    level->blocks = (struct tv_blocks){0};
    level->has_base = false;
}

double tv_running_level_of_last(const struct tv_running_level *level, size_t len)
{
    double values[TV_LEVEL_RING];
    len = last_points(level, len, values);
    return tv_median(values, len);
}

bool tv_running_level_falls(const struct tv_running_level *level, size_t len)
{
    double values[TV_TREND_MAX];
    len = last_points(level, len, values);
    return tv_mann_kendall(values, len) < -1;
}
