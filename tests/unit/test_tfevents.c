/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the event-file parser promises about whole files: chunking, damage, bounds, recognition. */
#include "base/memory.h"
#include "support/event_case.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <glob.h>
#include <stdlib.h>
#include <string.h>

START_TEST(scalars_come_out_with_step_time_and_value)
{
    struct tv_bytes file = {0};
    tv_write_version(&file);
    tv_write_scalar(&file, 0, "train/loss", 2.5f);
    tv_write_scalar(&file, 300, "train/loss", 0.5f);
    tv_write_tf2_scalar(&file, 301, "epoch_loss", 0.25f);
    tv_expect_events(&file,
                     "S train/loss 0 1000000000 2.5\n"
                     "S train/loss 300 1000000300 0.5\n"
                     "S epoch_loss 301 1000000301 0.25\n",
                     0);
}
END_TEST

static void write_varied(struct tv_bytes *file, unsigned seed, size_t records)
{
    char tag[200];
    tv_write_version(file);
    for (size_t i = 0; i < records; i++) {
        size_t len = (size_t)(rand_r(&seed) % 150);
        memset(tag, 'a' + (int)(i % 7), len);
        tag[len] = '\0';
        switch (rand_r(&seed) % 6) {
        case 0:
            tv_write_tf2_scalar(file, (int64_t)i * 77, tag, (float)i);
            break;
        case 1:
            tv_write_text(file, (int64_t)i, "note/text_summary", tag);
            break;
        case 2:
            tv_write_session_log(file, (int64_t)i, rand_r(&seed) % 4);
            break;
        default:
            tv_write_scalar(file, (int64_t)i * 1000003, tag, (float)i);
        }
    }
}

START_TEST(generated_files_read_the_same_in_any_pieces)
{
    for (unsigned seed = 1; seed <= 8; seed++) {
        struct tv_bytes file = {0};
        write_varied(&file, seed, 60);
        tv_expect_same_in_pieces(tv_bytes_span(&file), "sound");
        for (int i = 0; i < 4; i++) /* and with damage anywhere */
            file.data[(size_t)rand_r(&seed) % file.len] ^= 0x40;
        tv_expect_same_in_pieces(tv_bytes_span(&file), "damaged");
        memset(file.data + file.len / 2, 0, 300);
        tv_expect_same_in_pieces(tv_bytes_span(&file), "with a hole");
        file.len -= 30;
        tv_expect_same_in_pieces(tv_bytes_span(&file), "truncated");
        tv_bytes_free(&file);
    }
}
END_TEST

START_TEST(real_files_read_the_same_in_any_pieces)
{
    glob_t files;
    if (glob(TRAINVET_SOURCE_DIR "/../shared/bench/dev/*/*/*/*tfevents*", 0, NULL, &files) != 0)
        return;
    for (size_t i = 0; i < files.gl_pathc; i += 10) {
        struct tv_span bytes = tv_read_file(files.gl_pathv[i]);
        struct tv_capture got = {0};
        ck_assert_uint_eq(tv_read_events(bytes, &got), 0);
        ck_assert_uint_gt(got.samples, 0);
        ck_assert_uint_eq(got.damages, 0);
        ck_assert_uint_eq(got.notes, 0);
        tv_capture_free(&got);
        tv_expect_same_in_pieces(bytes, files.gl_pathv[i]);
        free((char *)bytes.data);
    }
    globfree(&files);
}
END_TEST

/* Whatever byte of one record is damaged, all other records come out. */
START_TEST(damage_costs_the_record_that_it_hits_and_no_other)
{
    struct tv_bytes file = {0};
    size_t at[12];
    for (size_t i = 0; i < 12; i++)
        at[i] = tv_write_scalar(&file, (int64_t)i + 1, "train/loss", (float)i);
    for (size_t i = at[5]; i < at[6]; i++) {
        struct tv_capture got = {0};
        file.data[i] ^= 0x10;
        ck_assert_uint_eq(tv_read_events(tv_bytes_span(&file), &got), 0);
        ck_assert_uint_eq(got.samples, 11);
        ck_assert_uint_eq(got.damages, 1);
        file.data[i] ^= 0x10;
        tv_capture_free(&got);
    }
    tv_bytes_free(&file);
}
END_TEST

/* A writer died inside a record and another one went on in the same file. */
START_TEST(a_record_cut_short_in_the_middle_costs_no_other)
{
    struct tv_bytes file = {0}, rest = {0};
    tv_write_scalar(&file, 1, "loss", 1);
    size_t cut = tv_write_scalar(&file, 2, "loss", 2);
    file.len -= 9;
    tv_write_scalar(&rest, 3, "loss", 3);
    tv_write_scalar(&rest, 4, "loss", 4);
    tv_bytes_add(&file, rest.data, rest.len);
    struct tv_capture got = {0};
    ck_assert_uint_eq(tv_read_events(tv_bytes_span(&file), &got), 0);
    ck_assert_uint_eq(got.samples, 3);
    ck_assert_uint_eq(got.damages, 1);
    char where[32];
    struct tv_text text = tv_text_in(where, sizeof where);
    tv_text_add(&text, "D %zu ", cut);
    ck_assert_ptr_nonnull(strstr(got.text, where));
    tv_capture_free(&got);
    tv_expect_same_in_pieces(tv_bytes_span(&file), "cut record");
    tv_bytes_free(&rest);
    tv_bytes_free(&file);
}
END_TEST

START_TEST(records_larger_than_the_window_are_skipped_with_a_note)
{
    struct tv_bytes file = {0}, message = {0};
    size_t size = 3u << 20;
    char *image = tv_xcalloc(size, 1);
    tv_write_scalar(&file, 1, "loss", 1);
    tv_pb_text(&message, 1, "image");
    tv_pb_bytes(&message, 4, image, size);
    tv_write_value(&file, 2, &message);
    tv_write_scalar(&file, 3, "loss", 3);
    free(image);
    struct tv_capture got = {0};
    ck_assert_uint_eq(tv_read_events(tv_bytes_span(&file), &got), 0);
    ck_assert_uint_eq(got.samples, 2);
    ck_assert_uint_eq(got.damages, 0);
    ck_assert_uint_eq(got.notes, 1);
    tv_capture_free(&got);
    tv_expect_same_in_pieces(tv_bytes_span(&file), "image");
    tv_bytes_free(&file);
}
END_TEST

START_TEST(a_record_just_below_the_window_is_read)
{
    for (int over = 0; over < 2; over++) {
        struct tv_bytes file = {0}, message = {0};
        size_t frame = 16 + 12 /* next header */ + 9 + 4 /* step of 3 bytes */ + 2 * 4 + 4 + 6;
        size_t size = TV_PARSER_WINDOW - frame + (size_t)over;
        char *blob = tv_xcalloc(size, 1);
        tv_pb_bytes(&message, 5, blob, size);
        tv_pb_text(&message, 1, "hist");
        tv_write_value(&file, 70000, &message);
        size_t record = file.len;
        file.data[record - 1] ^= 1; /* its data CRC: read if and only if it fits */
        tv_write_scalar(&file, 3, "loss", 3);
        free(blob);
        struct tv_capture got = {0};
        ck_assert_uint_eq(tv_read_events(tv_bytes_span(&file), &got), 0);
        ck_assert_uint_eq(got.samples, 1);
        ck_assert_uint_eq(record, TV_PARSER_WINDOW - 12 + (size_t)over);
        ck_assert_uint_eq(got.damages, !over);
        ck_assert_uint_eq(got.notes, over);
        tv_capture_free(&got);
        tv_expect_same_in_pieces(tv_bytes_span(&file), "window");
        tv_bytes_free(&file);
    }
}
END_TEST

/* One header in 28 bytes that is sound and claims a megabyte of data that fails its check. */
START_TEST(false_headers_cannot_make_it_search_for_ever)
{
    struct tv_bytes file = {0};
    for (size_t i = 0; i < 150000; i++) {
        tv_write_header(&file, 1000000);
        tv_write_record(&file, "", 0);
    }
    struct tv_capture got = {0};
    struct tv_error error = {0};
    enum tv_status status = tv_feed_all(&tv_parser_tfevents, tv_bytes_span(&file),
                                        (struct tv_chunking){1 << 18, 0}, &got, NULL, &error);
    ck_assert_int_eq(status, TV_ECORRUPT);
    ck_assert_str_eq(error.message, "the file is damaged in more places than can be searched");
    tv_capture_free(&got);
    tv_bytes_free(&file);
}
END_TEST

/* 400,000 empty values in a record of 800 kB: protobuf-c would need 60 MB. */
START_TEST(memory_is_bounded_whatever_a_record_holds)
{
    struct tv_bytes file = {0}, event = {0}, summary = {0};
    for (size_t i = 0; i < 400000; i++)
        tv_pb_bytes(&summary, 1, "", 0);
    tv_pb_message(&event, 5, &summary);
    tv_write_record(&file, event.data, event.len);
    tv_bytes_free(&event);
    tv_write_scalar(&file, 3, "loss", 3);
    struct tv_capture got = {0};
    ck_assert_uint_eq(tv_read_events(tv_bytes_span(&file), &got), 0);
    ck_assert_ptr_nonnull(strstr(got.text, "the record needs more than 16 MiB to decode"));
    ck_assert_uint_eq(got.samples, 1);
    tv_capture_free(&got);
    tv_bytes_free(&file);
}
END_TEST

START_TEST(event_files_are_recognised_by_name_or_by_content)
{
    struct tv_bytes file = {0}, other = {0};
    tv_write_version(&file);
    tv_write_record(&other, "an example", 10);
    struct tv_span head = tv_bytes_span(&file), foreign = tv_bytes_span(&other), none = {"", 0};
    int (*probe)(struct tv_span, struct tv_span) = tv_parser_tfevents.probe;
    struct tv_span named = tv_span_of("events.out.tfevents.1700000000.host.1.0");
    ck_assert_int_eq(probe(named, head), 100);
    ck_assert_int_eq(probe(tv_span_of("renamed"), head), 100);
    ck_assert_int_gt(probe(named, none), 0);
    ck_assert_int_gt(probe(named, tv_span_of("{\"not\": \"ours\"}")), 0);
    ck_assert_int_eq(probe(tv_span_of("data.tfrecord"), foreign), 0);
    ck_assert_int_eq(probe(tv_span_of("trainer_state.json"), tv_span_of("{}")), 0);
    tv_bytes_free(&file);
    tv_bytes_free(&other);
}
END_TEST

START_TEST(state_is_small)
{
    ck_assert_uint_le(tv_parser_tfevents.state_size, 1024);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("tfevents");
    TCase *tcase = tcase_create("files");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, scalars_come_out_with_step_time_and_value);
    tcase_add_test(tcase, generated_files_read_the_same_in_any_pieces);
    tcase_add_test(tcase, real_files_read_the_same_in_any_pieces);
    tcase_add_test(tcase, damage_costs_the_record_that_it_hits_and_no_other);
    tcase_add_test(tcase, a_record_cut_short_in_the_middle_costs_no_other);
    tcase_add_test(tcase, records_larger_than_the_window_are_skipped_with_a_note);
    tcase_add_test(tcase, a_record_just_below_the_window_is_read);
    tcase_add_test(tcase, false_headers_cannot_make_it_search_for_ever);
    tcase_add_test(tcase, memory_is_bounded_whatever_a_record_holds);
    tcase_add_test(tcase, event_files_are_recognised_by_name_or_by_content);
    tcase_add_test(tcase, state_is_small);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
