/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRC-32C in all its implementations, and record framing. */
#include "lib/tfrecord.h"
#include "support/event_writer.h"
#include "support/suite.h"
#include <stdlib.h>

/* RFC 3720 appendix B.4, and the check value of the Rocksoft catalogue ("123456789"). */
START_TEST(crc32c_gives_the_published_values)
{
    unsigned char bytes[32];
    ck_assert_uint_eq(tv_crc32c("123456789", 9), 0xe3069283u);
    memset(bytes, 0, sizeof bytes);
    ck_assert_uint_eq(tv_crc32c(bytes, 32), 0x8a9136aau);
    memset(bytes, 0xff, sizeof bytes);
    ck_assert_uint_eq(tv_crc32c(bytes, 32), 0x62a8ab43u);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    ck_assert_uint_eq(tv_crc32c(bytes, 32), 0x46dd794eu);
    /* an all-zero header was seen in the wild as "got 0x07980329" (tensorflow/tensorboard issue
     * 5588) */
    ck_assert_uint_eq(tv_crc32c_mask(tv_crc32c("\0\0\0\0\0\0\0\0", 8)), 0x07980329u);
}
END_TEST

START_TEST(the_instruction_and_the_library_agree_at_every_length_and_alignment)
{
    if (!tv_crc32c_has_instruction())
        return;
    unsigned char bytes[600];
    unsigned seed = 7;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)rand_r(&seed);
    for (size_t len = 0; len <= 560; len++)
        for (size_t start = 0; start < 9; start++) {
            /* exact copy: a sanitizer sees a read beyond the end */
            unsigned char *copy = malloc(len ? len : 1);
            memcpy(copy, bytes + start, len);
            ck_assert_uint_eq(tv_crc32c_instruction(copy, len), tv_crc32c(copy, len));
            ck_assert_uint_eq(tv_crc32c_short(copy, len, true), tv_crc32c_short(copy, len, false));
            free(copy);
        }
}
END_TEST

/* Both ways of computing the CRC, at each number of bytes that may be there. */
START_TEST(a_record_is_read_once_it_is_all_there)
{
    struct tv_bytes file = {0};
    struct tv_record record;
    tv_write_record(&file, "some data", 9);
    for (int fast = 0; fast <= tv_crc32c_has_instruction(); fast++) {
        for (size_t len = 0; len < file.len; len++) {
            char *copy = malloc(len ? len : 1);
            memcpy(copy, file.data, len);
            struct tv_span in = {copy, len};
            ck_assert_int_eq(tv_record_read(in, fast, true, &record), TV_RECORD_SHORT);
            ck_assert_uint_eq(record.size, len < 12 ? 12 : file.len);
            free(copy);
        }
        ck_assert_int_eq(tv_record_read(tv_bytes_span(&file), fast, true, &record), TV_RECORD_OK);
        ck_assert_uint_eq(record.data.len, 9);
        ck_assert_mem_eq(record.data.data, "some data", 9);
    }
    tv_bytes_free(&file);
}
END_TEST

START_TEST(every_flipped_bit_is_noticed)
{
    struct tv_bytes file = {0};
    struct tv_record record;
    tv_write_record(&file, "0123456789", 10);
    for (size_t bit = 0; bit < file.len * 8; bit++) {
        file.data[bit / 8] ^= (char)(1 << bit % 8);
        enum tv_record_state state = tv_record_read(tv_bytes_span(&file), false, true, &record);
        ck_assert_int_eq(state, bit < 96 ? TV_RECORD_BAD_LENGTH : TV_RECORD_BAD_DATA);
        file.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    tv_bytes_free(&file);
}
END_TEST

START_TEST(a_length_that_nobody_writes_is_not_believed)
{
    static const uint64_t lengths[] = {UINT64_MAX, UINT64_MAX - 3, UINT64_C(1) << 40,
                                       UINT64_C(1) << 33};
    struct tv_record record;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct tv_bytes file = {0};
        tv_write_header(&file, lengths[i]);
        ck_assert_int_eq(tv_record_read(tv_bytes_span(&file), false, true, &record),
                         TV_RECORD_BAD_LENGTH);
        tv_bytes_free(&file);
    }
}
END_TEST

START_TEST(search_finds_the_next_sound_record_wherever_it_is)
{
    for (size_t junk = 0; junk < 40; junk++) {
        struct tv_bytes file = {0};
        struct tv_record record;
        unsigned seed = (unsigned)junk;
        for (size_t i = 0; i < junk; i++)
            tv_bytes_add(&file, &(char){(char)rand_r(&seed)}, 1);
        tv_write_record(&file, "found", 5);
        size_t at = 0;
        ck_assert_int_eq(tv_record_search(tv_bytes_span(&file), &at, &record), TV_RECORD_OK);
        ck_assert_uint_eq(at, junk);
        struct tv_span head = {file.data, junk + 11};
        at = 0;
        ck_assert_int_eq(tv_record_search(head, &at, &record), TV_RECORD_SHORT);
        ck_assert_uint_eq(at, junk);
        ck_assert_uint_eq(record.size, TV_RECORD_HEADER);
        tv_bytes_free(&file);
    }
}
END_TEST

START_TEST(zero_runs_are_measured_from_any_place)
{
    char bytes[64] = {0};
    bytes[50] = 1;
    for (size_t from = 0; from < 50; from++)
        ck_assert_uint_eq(tv_zero_run((struct tv_span){bytes, 64}, from), 50 - from);
    ck_assert_uint_eq(tv_zero_run((struct tv_span){bytes, 64}, 51), 13);
    ck_assert_uint_eq(tv_zero_run((struct tv_span){bytes, 64}, 50), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("tfrecord");
    TCase *tcase = tcase_create("framing");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, crc32c_gives_the_published_values);
    tcase_add_test(tcase, the_instruction_and_the_library_agree_at_every_length_and_alignment);
    tcase_add_test(tcase, a_record_is_read_once_it_is_all_there);
    tcase_add_test(tcase, every_flipped_bit_is_noticed);
    tcase_add_test(tcase, a_length_that_nobody_writes_is_not_believed);
    tcase_add_test(tcase, search_finds_the_next_sound_record_wherever_it_is);
    tcase_add_test(tcase, zero_runs_are_measured_from_any_place);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
