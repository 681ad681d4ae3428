/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "support/capture.h"
#include "support/folder.h"
#include "support/suite.h"
#include "tail/reader.h"
#include "trainvet/text.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct tv_folder folder;
static struct tv_capture got, want;
static struct tv_reader reader;
static struct tv_error error;

static void setup(void)
{
    folder = tv_folder_new();
}

static void teardown(void)
{
    tv_capture_free(&got);
    tv_capture_free(&want);
    tv_folder_remove(&folder);
}

/* Reads the file to its end into `got`; the result is in reader.result until the next call. */
static void read_file(const char *name, const struct tv_parser *parser)
{
    struct tv_emit emit = tv_capture_emit(&got);
    ck_assert_int_eq(
        tv_reader_open(&reader, AT_FDCWD, tv_folder_path(&folder, name), parser, &error), TV_OK);
    while (tv_reader_feed(&reader, &emit) == TV_AGAIN)
        continue;
}

static const struct tv_parser *parser_named(const char *name)
{
    for (size_t i = 0; tv_parsers[i]; i++)
        if (strcmp(tv_parsers[i]->name, name) == 0)
            return tv_parsers[i];
    ck_abort_msg("no parser %s", name);
    return NULL;
}

static struct tv_bytes many_events(int count)
{
    struct tv_bytes bytes = {0};
    tv_write_version(&bytes);
    for (int i = 0; i < count; i++) {
        tv_write_scalar(&bytes, i, "train/loss", (float)i);
        tv_write_tf2_scalar(&bytes, i, "eval/loss", (float)i / 3);
    }
    return bytes;
}

START_TEST(file_over_many_chunks_is_read_as_if_fed_whole)
{
    struct tv_bytes bytes = many_events(20000);
    ck_assert_uint_gt(bytes.len, 4 * 256 * 1024);
    tv_folder_write(&folder, "events.out.tfevents.1.n.7.0", tv_bytes_span(&bytes));
    struct tv_span packed = tv_gzip(tv_bytes_span(&bytes));
    tv_folder_write(&folder, "events.out.tfevents.1.n.7.0.gz", packed);
    tv_feed_all(parser_named("tfevents"), tv_bytes_span(&bytes), (struct tv_chunking){0}, &want,
                NULL, &error);
    read_file(_i ? "events.out.tfevents.1.n.7.0.gz" : "events.out.tfevents.1.n.7.0", NULL);
    ck_assert_str_eq(got.text, want.text);
    ck_assert_uint_eq(reader.result.records, 40001);
    ck_assert_uint_eq(reader.result.bytes, bytes.len);
    ck_assert_uint_eq(reader.result.tail_bytes, 0);
    ck_assert_ptr_null(reader.result.dead);
    tv_reader_close(&reader);
    tv_bytes_free(&bytes);
    free((char *)packed.data);
}
END_TEST

START_TEST(incomplete_last_record_is_the_tail)
{
    struct tv_bytes bytes = many_events(10);
    size_t whole = bytes.len;
    tv_write_scalar(&bytes, 10, "train/loss", 1.0f);
    for (size_t cut = 1; cut < bytes.len - whole; cut++) {
        struct tv_span part = {bytes.data, whole + cut};
        tv_folder_write(&folder, "events.out.tfevents.1", part);
        read_file("events.out.tfevents.1", NULL);
        ck_assert_uint_eq(reader.result.records, 21);
        ck_assert_uint_eq(reader.result.tail_bytes, cut);
        ck_assert_ptr_null(reader.result.dead);
        tv_reader_close(&reader);
    }
    tv_bytes_free(&bytes);
}
END_TEST

START_TEST(body_that_is_skipped_costs_no_memory)
{
    struct tv_bytes bytes = {0}, event = {0}, summary = {0}, value = {0};
    char *image = tv_xcalloc(1, 8 << 20);
    tv_pb_text(&value, 1, "sample/image");
    tv_pb_bytes(&value, 4, image, 8 << 20);
    tv_pb_message(&summary, 1, &value);
    tv_pb_varint(&event, 2, 3);
    tv_pb_message(&event, 5, &summary);
    tv_write_version(&bytes);
    tv_write_record(&bytes, event.data, event.len);
    tv_write_scalar(&bytes, 5, "train/loss", 2.0f);
    tv_folder_write(&folder, "events.out.tfevents.1", tv_bytes_span(&bytes));
    read_file("events.out.tfevents.1", NULL);
    ck_assert_uint_eq(got.samples, 1);
    ck_assert_uint_eq(reader.result.bytes, bytes.len);
    ck_assert_uint_le(reader.cap, 2 * TV_PARSER_WINDOW + 1);
    tv_reader_close(&reader);
    tv_bytes_free(&bytes);
    tv_bytes_free(&event);
    free(image);
}
END_TEST

START_TEST(record_that_claims_2_to_the_63_bytes_is_reported_and_the_rest_read)
{
    struct tv_bytes bytes = {0};
    tv_write_version(&bytes);
    tv_write_header(&bytes, 1ull << 63);
    tv_write_scalar(&bytes, 5, "train/loss", 2.0f);
    tv_folder_write(&folder, "events.out.tfevents.1", tv_bytes_span(&bytes));
    read_file("events.out.tfevents.1", NULL);
    ck_assert_uint_eq(got.samples, 1);
    ck_assert_uint_eq(got.damages, 1);
    ck_assert_uint_le(reader.cap, 2 * TV_PARSER_WINDOW + 1);
    tv_reader_close(&reader);
    tv_bytes_free(&bytes);
}
END_TEST

START_TEST(snapshot_is_shown_whole)
{
    struct tv_bytes bytes = {0};
    tv_bytes_add(&bytes, "{\"global_step\": 1, \"log_history\": [", 35);
    for (int i = 1; i <= 20000; i++) {
        char entry[96];
        int n =
            snprintf(entry, sizeof entry, "%s{\"loss\": 0.25, \"step\": %d}", i > 1 ? ", " : "", i);
        tv_bytes_add(&bytes, entry, (size_t)n);
    }
    tv_bytes_add(&bytes, "]}", 2);
    tv_folder_write(&folder, "trainer_state.json", tv_bytes_span(&bytes));
    read_file("trainer_state.json", NULL);
    ck_assert_str_eq(reader.parser->name, "hf_trainer_state");
    ck_assert_ptr_null(reader.result.dead);
    ck_assert_uint_eq(got.samples, 20000);
    tv_reader_close(&reader);
    tv_bytes_free(&bytes);
}
END_TEST

/* A parser that never gets enough: the bound is the caller's. */
static struct tv_feed greedy_feed(void *state, struct tv_span in, bool last,
                                  const struct tv_emit *out, struct tv_error *reterr)
{
    (void)state;
    (void)in;
    (void)last;
    (void)out;
    (void)reterr;
    return (struct tv_feed){.status = TV_AGAIN};
}

static int greedy_probe(struct tv_span basename, struct tv_span head)
{
    (void)basename;
    (void)head;
    return 0;
}

START_TEST(parser_that_wants_ever_more_is_stopped)
{
    static const struct tv_parser greedy = {
        .name = "greedy", .state_size = 1, .probe = greedy_probe, .feed = greedy_feed};
    struct tv_span data = {tv_xcalloc(1, 8 << 20), 8 << 20};
    tv_folder_write(&folder, "x", data);
    read_file("x", &greedy);
    ck_assert_ptr_nonnull(reader.result.dead);
    ck_assert_int_eq(reader.error.status, TV_ELIMIT);
    ck_assert_uint_le(reader.cap, 4 * TV_PARSER_WINDOW);
    tv_reader_close(&reader);
    free((char *)data.data);
}
END_TEST

/* A parser that skips: what is skipped is never shown, also beyond the end. */
static struct tv_feed skipping_feed(void *state, struct tv_span in, bool last,
                                    const struct tv_emit *out, struct tv_error *reterr)
{
    unsigned char *seen = state;
    (void)out;
    (void)reterr;
    if (in.len == 0 || last)
        return (struct tv_feed){.status = TV_OK, .consumed = in.len};
    ck_assert_int_eq(in.data[0], 'a' + *seen);
    ++*seen;
    return (struct tv_feed){.status = TV_OK, .consumed = 1, .skip = 300000, .records = 1};
}

START_TEST(skip_reaches_over_chunks_and_the_missing_part_is_the_tail)
{
    static const struct tv_parser skipping = {
        .name = "skipping", .state_size = 1, .probe = greedy_probe, .feed = skipping_feed};
    struct tv_span data = {tv_xcalloc(1, 900003 - 100), 900003 - 100};
    for (int i = 0; i < 3; i++)
        ((char *)data.data)[i * 300001] = (char)('a' + i);
    tv_folder_write(&folder, "x", data);
    read_file("x", &skipping);
    ck_assert_uint_eq(reader.result.records, 3);
    ck_assert_uint_eq(reader.result.bytes, data.len);
    ck_assert_uint_eq(reader.result.tail_bytes, 300000 - 100);
    tv_reader_close(&reader);
    free((char *)data.data);
}
END_TEST

START_TEST(read_error_ends_the_file_and_names_the_byte)
{
    struct tv_emit emit = tv_capture_emit(&got);
    ck_assert_int_eq(
        tv_reader_open(&reader, AT_FDCWD, "/proc/self/mem", parser_named("tfevents"), &error),
        TV_OK);
    ck_assert_int_eq(tv_reader_feed(&reader, &emit), TV_OK);
    ck_assert_ptr_nonnull(reader.result.dead);
    ck_assert_int_eq(reader.error.status, TV_EIO);
    tv_reader_close(&reader);
}
END_TEST

START_TEST(file_that_nobody_reads_is_refused)
{
    tv_folder_text(&folder, "notes.txt", "hello\n");
    ck_assert_int_eq(
        tv_reader_open(&reader, AT_FDCWD, tv_folder_path(&folder, "notes.txt"), NULL, &error),
        TV_EUNSUPPORTED);
}
END_TEST

START_TEST(cut_gzip_is_read_as_far_as_it_goes_and_reported)
{
    struct tv_bytes bytes = many_events(5000);
    struct tv_span packed = tv_gzip(tv_bytes_span(&bytes));
    tv_folder_write(&folder, "events.out.tfevents.1.gz",
                    (struct tv_span){packed.data, packed.len / 2});
    read_file("events.out.tfevents.1.gz", NULL);
    ck_assert_uint_gt(got.samples, 100);
    ck_assert_ptr_nonnull(reader.result.dead);
    ck_assert_str_eq(reader.error.message, "the compressed data ends early");
    tv_reader_close(&reader);
    tv_bytes_free(&bytes);
    free((char *)packed.data);
}
END_TEST

/* Ten gigabytes that were never written, between two events: no time and no memory. */
START_TEST(hole_of_a_sparse_file_is_passed_over)
{
    struct tv_bytes before = {0}, after = {0};
    const uint64_t at = 10ull << 30;
    tv_write_version(&before);
    tv_write_scalar(&before, 5, "train/loss", 2.0f);
    tv_write_scalar(&after, 6, "train/loss", 1.0f);
    tv_folder_write(&folder, "events.out.tfevents.1", tv_bytes_span(&before));
    int fd = open(tv_folder_path(&folder, "events.out.tfevents.1"), O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, after.data, after.len, (off_t)at), (ssize_t)after.len);
    close(fd);
    read_file("events.out.tfevents.1", NULL);
    ck_assert_uint_eq(got.samples, 2);
    ck_assert_uint_eq(reader.result.bytes, at + after.len);
    ck_assert_ptr_null(reader.result.dead);
    tv_reader_close(&reader);
    tv_bytes_free(&before);
    tv_bytes_free(&after);
}
END_TEST

/* A writer that does not append goes on behind the hole that truncating its log has left. What may
 * still be written is waited for. */
START_TEST(hole_of_a_living_file_is_passed_over_when_something_follows)
{
    static const char line[] = "{\"current_steps\": 6, \"total_steps\": 9, \"loss\": 1.5}\n";
    const char *path = tv_folder_path(&folder, "trainer_log.jsonl");
    const off_t at = 1ll << 40;
    struct tv_emit emit = tv_capture_emit(&got);
    tv_folder_text(&folder, "trainer_log.jsonl", "");
    ck_assert_int_eq(truncate(path, at), 0);
    ck_assert_int_eq(
        tv_reader_open(&reader, AT_FDCWD, path, parser_named("lf_trainer_log"), &error), TV_OK);
    reader.is_live = true;
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(tv_reader_feed(&reader, &emit), TV_AGAIN);
    ck_assert_uint_lt(reader.result.bytes, 1 << 20);
    ck_assert_int_eq(tv_reader_pause(&reader, &error), TV_OK);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    ck_assert_int_eq(write(fd, line, sizeof line - 1), (ssize_t)sizeof line - 1);
    close(fd);
    ck_assert_int_eq(tv_reader_resume(&reader, path, &error), TV_OK);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(tv_reader_feed(&reader, &emit), TV_AGAIN);
    ck_assert_uint_eq(got.samples, 1);
    ck_assert_uint_eq(reader.result.bytes, (uint64_t)at + sizeof line - 1);
    ck_assert_uint_lt(reader.cap, 2 << 20);
    ck_assert_int_eq(tv_reader_pause(&reader, &error), TV_OK);
    ck_assert_int_eq(tv_reader_resume(&reader, path, &error), TV_OK);
    ck_assert_int_eq(tv_reader_pause(&reader, &error), TV_OK);
    fd = open(path, O_WRONLY | O_CLOEXEC); /* and it is filled after all */
    ck_assert_int_eq(pwrite(fd, line, sizeof line - 1, at / 2), (ssize_t)sizeof line - 1);
    close(fd);
    ck_assert_int_eq(tv_reader_resume(&reader, path, &error), TV_ECORRUPT);
    tv_reader_close(&reader);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reader");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, file_over_many_chunks_is_read_as_if_fed_whole, 0, 2);
    tcase_add_test(tcase, incomplete_last_record_is_the_tail);
    tcase_add_test(tcase, body_that_is_skipped_costs_no_memory);
    tcase_add_test(tcase, record_that_claims_2_to_the_63_bytes_is_reported_and_the_rest_read);
    tcase_add_test(tcase, snapshot_is_shown_whole);
    tcase_add_test(tcase, parser_that_wants_ever_more_is_stopped);
    tcase_add_test(tcase, skip_reaches_over_chunks_and_the_missing_part_is_the_tail);
    tcase_add_test(tcase, read_error_ends_the_file_and_names_the_byte);
    tcase_add_test(tcase, file_that_nobody_reads_is_refused);
    tcase_add_test(tcase, cut_gzip_is_read_as_far_as_it_goes_and_reported);
    tcase_add_test(tcase, hole_of_a_sparse_file_is_passed_over);
    tcase_add_test(tcase, hole_of_a_living_file_is_passed_over_when_something_follows);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
