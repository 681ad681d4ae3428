/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_BLOCKS_H
#define DETECTORS_LIB_BLOCKS_H
/* A run of any length as at most TV_BLOCKS block levels of equal numbers of points: the level of a
 * block is the mean of the medians of its groups of TV_BLOCK_GROUP points. When all blocks are
 * full, neighbours merge and the blocks become twice as long; so between TV_BLOCKS / 2 and
 * TV_BLOCKS blocks cover the whole run in constant memory. Two of the five points of a group may be
 * anything without moving its level beyond the other three. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TV_BLOCKS      32
#define TV_BLOCK_GROUP 5

struct tv_blocks {
    double level[TV_BLOCKS];
    int64_t step[TV_BLOCKS]; /* of the block's first point */
    uint32_t len;            /* finished blocks */
    uint32_t groups;         /* groups a block, 0 at first: 1 */
    double open_sum;         /* medians of the unfinished block's groups */
    uint32_t open_groups;
    int64_t open_step;
    double pending[TV_BLOCK_GROUP]; /* points of the unfinished group */
    uint32_t pending_len;
};

/* A zeroed struct is empty. `value` must be finite. True when a block was finished. */
bool tv_blocks_add(struct tv_blocks *blocks, int64_t step, double value);
/* The same as adding ln `value`, which must be positive, for a logarithm a group: the median of
 * logarithms is the logarithm of the median. One of the two for all points of a series. */
bool tv_blocks_add_log(struct tv_blocks *blocks, int64_t step, double value);
/* Points in each finished block. */
uint32_t tv_blocks_points(const struct tv_blocks *blocks);
/* Lowest finished level, NaN when there is none; its first step in *retstep unless NULL. */
double tv_blocks_lowest(const struct tv_blocks *blocks, int64_t *retstep);
/* Standard deviation of a block's level about the trend, from the differences of neighbours (in log
 * space unless is_raw), so that it holds for noise that is not independent from point to point; 0
 * while fewer than 8 blocks are known. */
double tv_blocks_noise(const struct tv_blocks *blocks, bool is_raw);
/* Median of the levels from block `from` up to block `to` (not included); NaN when there is none.
 */
double tv_blocks_median(const struct tv_blocks *blocks, size_t from, size_t to);

#endif
