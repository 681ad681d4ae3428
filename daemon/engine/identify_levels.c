/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/identify_levels.h"

static void keep(struct tv_lr_levels *levels)
{
    if (levels->last.index % levels->stride)
        return;
    if (levels->kept_len == TV_LR_LEVELS) {
        levels->stride *= 2;
        levels->kept_len = 0;
        for (uint32_t i = 0; i < TV_LR_LEVELS; i += 2)
            levels->kept[levels->kept_len++] = levels->kept[i];
        if (levels->last.index % levels->stride)
            return;
    }
    levels->kept[levels->kept_len++] = levels->last;
}

void tv_lr_levels_add(struct tv_lr_levels *levels, int64_t step, double value)
{
    if (levels->points == UINT32_MAX)
        return;
    if (levels->points == 0)
        levels->stride = 1;
    if (levels->points == 0 || value != levels->last.value) {
        int64_t before = levels->points ? levels->last_step : step;
        levels->last = (struct tv_lr_level){before, step, value, levels->seen++};
        keep(levels);
    }
    levels->last_step = step;
    levels->points++;
}
