/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_BLOCK_H
#define BASE_BLOCK_H
/* A block of plain bytes that is folded while nobody uses it: zeros are left out then, which the
 * rings, counters and single-precision values in it mostly consist of. It may move, so nothing in
 * it points into itself. The format is Cap'n Proto's packing (capnproto.org/encoding.html#packing):
 * of each 8 bytes a byte of flags and those that are not zero; runs of zero words, and of words
 * without zeros, are counted. Zero-initialise to create; `size` must be the same in all calls. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TV_BLOCK_FOLD_MAX 8192 /* larger blocks stay as they are */

struct tv_block {
    void *data;              /* NULL: all zeros, never used */
    uint32_t len;            /* bytes of data while it is folded */
    bool is_folded, is_open; /* neither: nothing would be gained by folding it */
    bool is_away; /* folded, and the owner keeps the `len` bytes elsewhere: he brings them back into
                     data before the block is opened */
};

void *tv_block_unfold(struct tv_block *block, size_t size);
/* The bytes, zeroed at first; valid until the block is folded or freed. */
static inline void *tv_block_open(struct tv_block *block, size_t size)
{
    return block->is_open ? block->data : tv_block_unfold(block, size);
}

void tv_block_fold(struct tv_block *block, size_t size);
void tv_block_free(struct tv_block *block);

#endif
