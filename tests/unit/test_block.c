/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/block: what is folded comes back as it was, and takes less room. */
#include "base/block.h"
#include "support/noise.h"
#include "support/suite.h"
#include <malloc.h>
#include <stdint.h>
#include <string.h>

enum { SIZE_MAX_TESTED = TV_BLOCK_FOLD_MAX };

/* Bytes as they occur: runs of zeros, single-precision numbers, full doubles, small integers. */
static void fill(unsigned char *bytes, size_t size, unsigned seed)
{
    struct tv_noise noise = {seed};
    for (size_t at = 0; at < size;) {
        double lot = tv_noise_uniform(&noise), value = tv_noise_normal(&noise);
        size_t len = (size_t)(tv_noise_uniform(&noise) * 3000) % (size - at) + 1;
        for (size_t i = 0; i < len; i += 8) {
            double word = lot < 0.3 ? 0 : lot < 0.6 ? (double)(float)value : value;
            int64_t number = (int64_t)(value * 1000);
            size_t left = len - i < 8 ? len - i : 8;
            memcpy(bytes + at + i, lot < 0.9 ? (const void *)&word : (const void *)&number, left);
            value = tv_noise_normal(&noise);
        }
        at += len;
    }
}

START_TEST(what_is_folded_comes_back)
{
    static unsigned char bytes[SIZE_MAX_TESTED];
    struct tv_noise noise = {(unsigned)_i};
    size_t size =
        _i < 64 ? (size_t)_i + 1 : (size_t)(tv_noise_uniform(&noise) * SIZE_MAX_TESTED) + 1;
    struct tv_block block = {0};
    fill(bytes, size, (unsigned)_i);
    memcpy(tv_block_open(&block, size), bytes, size);
    for (int round = 0; round < 3; round++) {
        tv_block_fold(&block, size);
        ck_assert_mem_eq(tv_block_open(&block, size), bytes, size);
    }
    tv_block_free(&block);
    ck_assert_ptr_null(block.data);
}
END_TEST

START_TEST(a_block_that_nobody_wrote_to_is_zeros_and_takes_next_to_nothing)
{
    static const char zeros[5000];
    struct tv_block block = {0};
    tv_block_fold(&block, sizeof zeros);
    ck_assert_ptr_null(block.data);
    ck_assert_mem_eq(tv_block_open(&block, sizeof zeros), zeros, sizeof zeros);
    tv_block_fold(&block, sizeof zeros);
    ck_assert(block.is_folded);
    ck_assert_uint_le(malloc_usable_size(block.data), 32);
    ck_assert_mem_eq(tv_block_open(&block, sizeof zeros), zeros, sizeof zeros);
    tv_block_free(&block);
}
END_TEST

START_TEST(what_would_not_shrink_and_what_is_too_large_stays)
{
    struct tv_block full = {0}, large = {0};
    memset(tv_block_open(&full, 4096), 0x5A, 4096);
    tv_block_fold(&full, 4096);
    ck_assert(!full.is_folded);
    tv_block_open(&large, TV_BLOCK_FOLD_MAX + 1);
    tv_block_fold(&large, TV_BLOCK_FOLD_MAX + 1);
    ck_assert(!large.is_folded);
    tv_block_free(&full);
    tv_block_free(&large);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block");
    TCase *tcase = tcase_create("block");
    tcase_add_loop_test(tcase, what_is_folded_comes_back, 0, 200);
    tcase_add_test(tcase, a_block_that_nobody_wrote_to_is_zeros_and_takes_next_to_nothing);
    tcase_add_test(tcase, what_would_not_shrink_and_what_is_too_large_stays);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
