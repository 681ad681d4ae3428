/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/blocks.h"
#include "lib/robust.h"
#include <math.h>

static void merge_neighbours(struct tv_blocks *blocks)
{
    for (size_t i = 0; i < TV_BLOCKS / 2; i++) {
        blocks->level[i] = (blocks->level[2 * i] + blocks->level[2 * i + 1]) / 2;
        blocks->step[i] = blocks->step[2 * i];
    }
    blocks->len = TV_BLOCKS / 2;
    blocks->groups *= 2;
}

/* True when a group is complete. */
static bool fill_group(struct tv_blocks *blocks, int64_t step, double value)
{
    if (blocks->groups == 0)
        blocks->groups = 1;
    if (blocks->open_groups == 0 && blocks->pending_len == 0)
        blocks->open_step = step;
    blocks->pending[blocks->pending_len++] = value;
    if (blocks->pending_len < TV_BLOCK_GROUP)
        return false;
    blocks->pending_len = 0;
    return true;
}

/* True when a block is. */
static bool close_group(struct tv_blocks *blocks, double median)
{
    blocks->open_sum += median;
    if (++blocks->open_groups < blocks->groups)
        return false;
    blocks->level[blocks->len] = blocks->open_sum / blocks->groups;
    blocks->step[blocks->len++] = blocks->open_step;
    blocks->open_sum = 0;
    blocks->open_groups = 0;
    if (blocks->len == TV_BLOCKS)
        merge_neighbours(blocks);
    return true;
}

bool tv_blocks_add(struct tv_blocks *blocks, int64_t step, double value)
{
    return fill_group(blocks, step, value) &&
           close_group(blocks, tv_median_of_five(blocks->pending));
}

bool tv_blocks_add_log(struct tv_blocks *blocks, int64_t step, double value)
{
    return fill_group(blocks, step, value) &&
           close_group(blocks, log(tv_median_of_five(blocks->pending)));
}

uint32_t tv_blocks_points(const struct tv_blocks *blocks)
{
    return (blocks->groups ? blocks->groups : 1) * TV_BLOCK_GROUP;
}

double tv_blocks_lowest(const struct tv_blocks *blocks, int64_t *retstep)
{
    double lowest = NAN;
    for (size_t i = 0; i < blocks->len; i++)
        if (!(blocks->level[i] >= lowest)) {
            lowest = blocks->level[i];
            if (retstep)
                *retstep = blocks->step[i];
        }
    return lowest;
}

double tv_blocks_median(const struct tv_blocks *blocks, size_t from, size_t to)
{
    if (to > blocks->len)
        to = blocks->len;
    return from < to ? tv_median_of(blocks->level + from, to - from) : NAN;
}

double tv_blocks_noise(const struct tv_blocks *blocks, bool is_raw)
{
    double change[TV_BLOCKS];
    size_t len = 0;
    for (size_t i = 1; i < blocks->len; i++) {
        double before = blocks->level[i - 1], after = blocks->level[i];
        if (is_raw)
            change[len++] = after - before;
        else if (before > 0 && after > 0)
            change[len++] = log(after / before);
    }
    return len < 7 ? 0 : tv_mad(change, len) / sqrt(2);
}
