/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The odd files that other readers stumble over (TensorBoard's two loaders and its Rust server, see
 * the issues named in tests), one test each: what the parser makes of them, in whatever pieces they
 * arrive. */
#include "support/event_case.h"
#include "support/suite.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 42 }; /* of the record of a point of "loss" at a step below 128 */

static struct tv_bytes event_of(int64_t step)
{
    struct tv_bytes event = {0};
    tv_pb_double(&event, 1, 1e9 + (double)step);
    tv_pb_varint(&event, 2, (uint64_t)step);
    return event;
}

static size_t write_and_free(struct tv_bytes *file, struct tv_bytes *event)
{
    size_t at = tv_write_record(file, event->data, event->len);
    tv_bytes_free(event);
    return at;
}

START_TEST(bad_data_crc_with_a_valid_message_is_left_out_and_reading_goes_on)
{
    struct tv_bytes file = {0}, rewritten = {0};
    uint32_t found, expected;
    char text[256];
    tv_write_scalar(&file, 1, "loss", 1);
    size_t at = tv_write_scalar(&file, 2, "loss", 2);
    file.data[file.len - 8] ^= 1; /* the value */
    memcpy(&found, file.data + file.len - 4, 4);
    tv_write_record(&rewritten, file.data + at + 12, SIZE - 16);
    memcpy(&expected, rewritten.data + SIZE - 4, 4);
    tv_bytes_free(&rewritten);
    tv_write_scalar(&file, 3, "loss", 3);
    snprintf(text, sizeof text,
             "S loss 1 1000000001 1\n"
             "D 42 42 0 a record of 26 bytes has the data checksum %08x where %08x was expected\n"
             "S loss 3 1000000003 3\n",
             le32toh(found), le32toh(expected));
    tv_expect_events(&file, text, 0);
}
END_TEST

START_TEST(bad_data_crc_with_an_invalid_message_is_left_out_and_reading_goes_on)
{
    struct tv_bytes file = {0};
    tv_write_scalar(&file, 1, "loss", 1);
    memset(file.data + 12, 0xff, 20);
    tv_write_scalar(&file, 3, "loss", 3);
    struct tv_capture got = {0};
    ck_assert_uint_eq(tv_read_events(tv_bytes_span(&file), &got), 0);
    ck_assert_uint_eq(got.damages, 1);
    ck_assert_uint_eq(got.samples, 1);
    tv_capture_free(&got);
    tv_expect_same_in_pieces(tv_bytes_span(&file), "bad data");
    tv_bytes_free(&file);
}
END_TEST

START_TEST(a_message_that_is_no_event_is_reported)
{
    struct tv_bytes file = {0};
    tv_write_record(&file, "\x2a\x7f", 2);
    tv_write_scalar(&file, 3, "loss", 3);
    tv_expect_events(
        &file,
        "D 0 18 0 the record's checksums are right but it holds no valid Event message\n"
        "S loss 3 1000000003 3\n",
        0);
}
END_TEST

START_TEST(a_tag_that_is_not_utf8_is_kept_byte_for_byte)
{
    struct tv_bytes file = {0};
    struct tv_capture got = {0};
    tv_write_scalar(&file, 1, "lo\xff\xfess\x1b[31m", 1);
    tv_write_tf2_scalar(&file, 2, "lo\xff\xfess\x1b[31m", 2);
    ck_assert_uint_eq(tv_read_events(tv_bytes_span(&file), &got), 0);
    ck_assert_uint_eq(got.samples, 2);
    ck_assert_uint_eq(got.tags_len, 1);
    ck_assert_str_eq(got.tag_list[0]->name, "lo\xff\xfess\x1b[31m");
    tv_capture_free(&got);
    tv_bytes_free(&file);
}
END_TEST

START_TEST(a_tag_may_hold_a_zero_byte)
{
    for (int by_protobuf = 0; by_protobuf < 2; by_protobuf++) {
        struct tv_bytes file = {0}, message = {0};
        struct tv_capture got = {0};
        tv_pb_bytes(&message, 1, "a\0b", 3);
        tv_pb_float(&message, 2, 1);
        if (by_protobuf)
            tv_pb_text(&message, 7, "node");
        tv_write_value(&file, 1, &message);
        tv_read_events(tv_bytes_span(&file), &got);
        ck_assert_uint_eq(got.tags_len, 1);
        ck_assert_uint_eq(got.tag_list[0]->len, 3);
        tv_capture_free(&got);
        tv_bytes_free(&file);
    }
}
END_TEST

static uint32_t header_checksum(uint64_t length)
{
    struct tv_bytes header = {0};
    uint32_t checksum;
    tv_write_header(&header, length);
    memcpy(&checksum, header.data + 8, 4);
    tv_bytes_free(&header);
    return le32toh(checksum);
}

/* Two records, the length of the second damaged, and `more` behind them. */
static void expect_bad_header(int more, const char *ending)
{
    struct tv_bytes file = {0};
    char text[512];
    tv_write_scalar(&file, 1, "loss", 1);
    tv_write_scalar(&file, 2, "loss", 2);
    file.data[SIZE] ^= 8;
    for (int i = 0; i < more; i++)
        tv_write_scalar(&file, 3 + i, "loss", (float)i);
    snprintf(text, sizeof text,
             "S loss 1 1000000001 1\n"
             "D 42 42 0 a record header has the checksum %08x where %08x was expected; %s",
             header_checksum(SIZE - 16), header_checksum((SIZE - 16) ^ 8), ending);
    tv_expect_events(&file, text, 0);
}

START_TEST(bad_length_crc_is_searched_past)
{
    expect_bad_header(2, "reading goes on with the sound record at byte 84\n"
                         "S loss 3 1000000003 0\n"
                         "S loss 4 1000000004 1\n");
}
END_TEST

START_TEST(bad_length_crc_of_the_last_record_is_reported_at_the_end)
{
    expect_bad_header(0, "no sound record was found up to the end at byte 84\n");
}
END_TEST

START_TEST(zeros_at_the_tail_are_not_written_yet)
{
    char zeros[300] = {0};
    struct tv_bytes file = {0};
    tv_write_scalar(&file, 1, "loss", 1);
    tv_bytes_add(&file, zeros, sizeof zeros);
    tv_expect_events(&file, "S loss 1 1000000001 1\n", sizeof zeros);
}
END_TEST

/* --no-checksum: speed is asked for, the header alone is looked at. */
START_TEST(data_that_are_trusted_are_not_checked)
{
    for (int trusts = 0; trusts < 2; trusts++) {
        struct tv_bytes file = {0};
        struct tv_capture got = {0};
        struct tv_emit emit = tv_capture_emit(&got);
        emit.trusts_data = trusts;
        char *state = calloc(1, tv_parser_tfevents.state_size);
        tv_write_scalar(&file, 1, "loss", 1);
        file.data[file.len - 1] ^= 1;
        tv_write_scalar(&file, 2, "loss", 2);
        tv_parser_tfevents.feed(state, tv_bytes_span(&file), true, &emit, NULL);
        ck_assert_uint_eq(got.samples, trusts ? 2 : 1);
        ck_assert_uint_eq(got.damages, trusts ? 0 : 1);
        tv_capture_free(&got);
        tv_bytes_free(&file);
        free(state);
    }
}
END_TEST

/* The bytes come after the zeros were seen: nothing may have been consumed of them. */
START_TEST(zeros_at_the_tail_that_are_filled_later_are_read_again)
{
    struct tv_bytes file = {0};
    struct tv_capture got = {0};
    struct tv_emit emit = tv_capture_emit(&got);
    char *state = calloc(1, tv_parser_tfevents.state_size), holes[2 * SIZE];
    tv_write_scalar(&file, 1, "loss", 1);
    tv_write_scalar(&file, 2, "loss", 2);
    memcpy(holes, file.data, SIZE);
    memset(holes + SIZE, 0, SIZE);
    struct tv_feed fed =
        tv_parser_tfevents.feed(state, (struct tv_span){holes, sizeof holes}, false, &emit, NULL);
    ck_assert_int_eq(fed.status, TV_AGAIN);
    ck_assert_uint_eq(fed.consumed, SIZE);
    ck_assert_uint_eq(got.samples, 1);
    fed =
        tv_parser_tfevents.feed(state, (struct tv_span){file.data + SIZE, SIZE}, true, &emit, NULL);
    ck_assert_uint_eq(fed.consumed, SIZE);
    ck_assert_uint_eq(got.samples, 2);
    ck_assert_uint_eq(got.damages, 0);
    tv_capture_free(&got);
    tv_bytes_free(&file);
    free(state);
}
END_TEST

START_TEST(a_hole_of_zeros_with_records_behind_it_is_searched_past)
{
    char zeros[300] = {0};
    struct tv_bytes file = {0};
    tv_write_scalar(&file, 1, "loss", 1);
    tv_bytes_add(&file, zeros, sizeof zeros);
    tv_write_scalar(&file, 2, "loss", 2);
    tv_expect_events(
        &file,
        "S loss 1 1000000001 1\n"
        "D 42 300 0 a run of zero bytes where a record header was expected; reading goes on with "
        "the sound record at byte 342\n"
        "S loss 2 1000000002 2\n",
        0);
}
END_TEST

START_TEST(a_hole_larger_than_the_window_is_searched_past)
{
    struct tv_bytes file = {0};
    char *zeros = calloc(1, 3u << 20);
    tv_write_scalar(&file, 1, "loss", 1);
    tv_bytes_add(&file, zeros, 3u << 20);
    tv_write_scalar(&file, 2, "loss", 2);
    free(zeros);
    tv_expect_events(
        &file,
        "S loss 1 1000000001 1\n"
        "D 42 3145728 0 a run of zero bytes where a record header was expected; reading goes on "
        "with the sound record at byte 3145770\n"
        "S loss 2 1000000002 2\n",
        0);
}
END_TEST

START_TEST(a_truncated_tail_is_left_over)
{
    for (size_t missing = 1; missing < SIZE; missing++) {
        struct tv_bytes file = {0};
        tv_write_scalar(&file, 1, "loss", 1);
        tv_write_scalar(&file, 2, "loss", 2);
        file.len -= missing;
        tv_expect_events(&file, "S loss 1 1000000001 1\n", SIZE - missing);
    }
}
END_TEST

START_TEST(a_truncated_tail_that_is_completed_later_is_read)
{
    struct tv_bytes file = {0};
    struct tv_capture got = {0};
    struct tv_emit emit = tv_capture_emit(&got);
    tv_write_scalar(&file, 1, "loss", 1);
    for (size_t len = 1; len < SIZE; len++) {
        char *state = calloc(1, tv_parser_tfevents.state_size);
        struct tv_feed fed =
            tv_parser_tfevents.feed(state, (struct tv_span){file.data, len}, false, &emit, NULL);
        ck_assert_int_eq(fed.status, TV_AGAIN);
        ck_assert_uint_eq(fed.consumed, 0);
        ck_assert_uint_eq(fed.want, len < 12 ? 12 : SIZE);
        fed = tv_parser_tfevents.feed(state, tv_bytes_span(&file), false, &emit, NULL);
        ck_assert_int_eq(fed.status, TV_OK);
        ck_assert_uint_eq(fed.consumed, SIZE);
        ck_assert_uint_eq(got.samples, len);
        free(state);
    }
    tv_capture_free(&got);
    tv_bytes_free(&file);
}
END_TEST

static void expect_length_is_refused(uint64_t length)
{
    struct tv_bytes file = {0};
    char text[512];
    tv_write_scalar(&file, 1, "loss", 1);
    tv_write_header(&file, length);
    tv_bytes_add(&file, "some bytes", 10);
    tv_write_scalar(&file, 2, "loss", 2);
    snprintf(
        text, sizeof text,
        "S loss 1 1000000001 1\n"
        "D 42 22 0 a record header claims %llu bytes, more than any writer writes; reading goes "
        "on with the sound record at byte 64\n"
        "S loss 2 1000000002 2\n",
        (unsigned long long)length);
    tv_expect_events(&file, text, 0);
}

START_TEST(a_length_of_2_to_the_64_less_one_is_damage)
{
    expect_length_is_refused(UINT64_MAX);
}
END_TEST

START_TEST(a_length_of_1_tib_is_damage)
{
    expect_length_is_refused(UINT64_C(1) << 40);
}
END_TEST

START_TEST(a_length_of_8_gib_is_damage)
{
    expect_length_is_refused(UINT64_C(8) << 30);
}
END_TEST

START_TEST(a_length_of_1_gib_is_skipped_without_asking_for_it)
{
    struct tv_bytes file = {0};
    struct tv_capture got = {0};
    struct tv_emit emit = tv_capture_emit(&got);
    char *state = calloc(1, tv_parser_tfevents.state_size);
    tv_write_header(&file, UINT64_C(1) << 30);
    struct tv_feed fed = tv_parser_tfevents.feed(state, tv_bytes_span(&file), false, &emit, NULL);
    ck_assert_int_eq(fed.status, TV_AGAIN);
    ck_assert_uint_eq(fed.consumed, 0);
    ck_assert_uint_le(fed.want, TV_PARSER_WINDOW);
    ck_assert_uint_eq(fed.skip, (UINT64_C(1) << 30) + 16);
    tv_capture_free(&got);
    tv_bytes_free(&file);
    free(state);
}
END_TEST

START_TEST(a_record_of_length_zero_is_an_empty_event)
{
    struct tv_bytes file = {0};
    tv_write_record(&file, "", 0);
    tv_write_scalar(&file, 2, "loss", 2);
    tv_expect_events(&file, "S loss 2 1000000002 2\n", 0);
}
END_TEST

START_TEST(an_empty_file_says_nothing)
{
    struct tv_bytes file = {0};
    tv_expect_events(&file, "", 0);
}
END_TEST

START_TEST(a_file_with_only_its_version_says_nothing)
{
    struct tv_bytes file = {0};
    tv_write_version(&file);
    tv_expect_events(&file, "", 0);
}
END_TEST

START_TEST(unknown_fields_are_passed_over)
{
    struct tv_bytes file = {0}, event = event_of(4), summary = {0}, message = {0};
    tv_pb_text(&message, 1, "loss");
    tv_pb_varint(&message, 300, 7);
    tv_pb_float(&message, 2, 0.5f);
    tv_pb_text(&message, 77, "new");
    tv_pb_message(&summary, 1, &message);
    tv_pb_double(&summary, 9, 1);
    tv_pb_message(&event, 5, &summary);
    tv_pb_text(&event, 10, "source metadata");
    tv_pb_float(&event, 99, 3);
    write_and_free(&file, &event);
    tv_expect_events(&file, "S loss 4 1000000004 0.5\n", 0);
}
END_TEST

START_TEST(fields_may_come_in_any_order)
{
    struct tv_bytes file = {0}, event = {0}, summary = {0}, message = {0};
    tv_pb_float(&message, 2, 0.5f);
    tv_pb_text(&message, 1, "loss");
    tv_pb_message(&summary, 1, &message);
    tv_pb_message(&event, 5, &summary);
    tv_pb_varint(&event, 2, 4);
    tv_pb_double(&event, 1, 1e9);
    write_and_free(&file, &event);
    tv_expect_events(&file, "S loss 4 1000000000 0.5\n", 0);
}
END_TEST

START_TEST(the_last_member_of_a_oneof_wins)
{
    struct tv_bytes file = {0}, event = event_of(4), summary = {0}, message = {0};
    tv_pb_text(&message, 1, "loss");
    tv_pb_bytes(&message, 5, "histogram", 9);
    tv_pb_float(&message, 2, 1);
    tv_pb_float(&message, 2, 0.5f);
    tv_pb_message(&summary, 1, &message);
    tv_pb_text(&event, 3, "brain.Event:2");
    tv_pb_message(&event, 5, &summary);
    write_and_free(&file, &event);
    tv_expect_events(&file, "S loss 4 1000000004 0.5\n", 0);
}
END_TEST

START_TEST(the_same_tag_twice_in_one_event_gives_two_points_in_order)
{
    struct tv_bytes file = {0}, event = event_of(4), summary = {0};
    for (int i = 0; i < 2; i++) {
        struct tv_bytes message = {0};
        tv_pb_text(&message, 1, "loss");
        tv_pb_float(&message, 2, (float)i);
        tv_pb_message(&summary, 1, &message);
    }
    tv_pb_message(&event, 5, &summary);
    write_and_free(&file, &event);
    tv_expect_events(&file, "S loss 4 1000000004 0\nS loss 4 1000000004 1\n", 0);
}
END_TEST

START_TEST(many_values_in_one_event_all_come_out)
{
    struct tv_bytes file = {0}, event = event_of(4), summary = {0};
    for (int i = 0; i < 1000; i++) {
        struct tv_bytes message = {0};
        tv_pb_text(&message, 1, i % 2 ? "a" : "b");
        tv_pb_float(&message, 2, (float)i);
        tv_pb_message(&summary, 1, &message);
    }
    tv_pb_message(&event, 5, &summary);
    write_and_free(&file, &event);
    struct tv_capture got = {0};
    tv_read_events(tv_bytes_span(&file), &got);
    ck_assert_uint_eq(got.samples, 1000);
    tv_capture_free(&got);
    tv_bytes_free(&file);
}
END_TEST

START_TEST(values_that_are_no_ordinary_numbers_are_kept)
{
    struct tv_bytes file = {0};
    tv_write_scalar(&file, 1, "loss", NAN);
    tv_write_scalar(&file, 2, "loss", INFINITY);
    tv_write_scalar(&file, 3, "loss", -INFINITY);
    tv_write_scalar(&file, 4, "loss", 1e-45f);
    tv_write_scalar(&file, 5, "loss", -0.0f);
    tv_expect_events(&file,
                     "S loss 1 1000000001 NaN\n"
                     "S loss 2 1000000002 Infinity\n"
                     "S loss 3 1000000003 -Infinity\n"
                     "S loss 4 1000000004 1.401298464324817e-45\n"
                     "S loss 5 1000000005 -0\n",
                     0);
}
END_TEST

START_TEST(a_wall_time_that_is_no_time_is_unknown_and_the_point_is_kept)
{
    struct tv_bytes file = {0};
    tv_write_scalar_at(&file, (double)NAN, 1, "loss", 1);
    tv_write_scalar_at(&file, (double)INFINITY, 2, "loss", 2);
    tv_write_scalar_at(&file, -(double)INFINITY, 3, "loss", 3);
    tv_write_scalar_at(&file, 1e300, 4, "loss", 4);
    tv_expect_events(&file, "S loss 1 NaN 1\nS loss 2 NaN 2\nS loss 3 NaN 3\nS loss 4 NaN 4\n", 0);
}
END_TEST

START_TEST(a_negative_step_is_kept)
{
    struct tv_bytes file = {0};
    tv_write_scalar(&file, -5, "loss", 1);
    tv_write_tf2_scalar(&file, -6, "loss", 2);
    tv_expect_events(&file, "S loss -5 999999995 1\nS loss -6 999999994 2\n", 0);
}
END_TEST

START_TEST(all_events_at_step_0_are_kept_in_order)
{
    struct tv_bytes file = {0};
    for (int i = 0; i < 3; i++)
        tv_write_scalar_at(&file, 1e9 + i, 0, "loss", (float)i);
    tv_expect_events(&file, "S loss 0 1000000000 0\nS loss 0 1000000001 1\nS loss 0 1000000002 2\n",
                     0);
}
END_TEST

START_TEST(steps_that_go_back_are_passed_on_as_they_are)
{
    struct tv_bytes file = {0};
    static const int steps[] = {1, 2, 4, 3, 5, 1};
    for (size_t i = 0; i < 6; i++)
        tv_write_scalar(&file, steps[i], "loss", 1);
    tv_expect_events(&file,
                     "S loss 1 1000000001 1\nS loss 2 1000000002 1\nS loss 4 1000000004 1\n"
                     "S loss 3 1000000003 1\nS loss 5 1000000005 1\nS loss 1 1000000001 1\n",
                     0);
}
END_TEST

START_TEST(an_empty_tag_is_a_tag)
{
    struct tv_bytes file = {0}, message = {0};
    tv_write_scalar(&file, 1, "", 1);
    tv_pb_float(&message, 2, 2);
    tv_write_value(&file, 2, &message);
    tv_expect_events(&file, "S  1 1000000001 1\nS  2 1000000002 2\n", 0);
}
END_TEST

START_TEST(every_session_start_purges_from_its_step_the_first_included)
{
    struct tv_bytes file = {0};
    tv_write_session_log(&file, 5, 1);
    tv_write_scalar(&file, 5, "loss", 1);
    tv_write_session_log(&file, 6, 3); /* a checkpoint */
    tv_write_session_log(&file, 4, 1);
    tv_expect_events(&file, "M 1 5 1000000005\nS loss 5 1000000005 1\nM 1 4 1000000004\n", 0);
}
END_TEST

/* torch.utils.tensorboard.SummaryWriter(purge_step=5): version and session start both carry the
 * step. */
START_TEST(a_torch_purge_step_marks_a_start_and_a_purge)
{
    struct tv_bytes file = {0}, event = event_of(5);
    tv_pb_text(&event, 3, "brain.Event:2");
    write_and_free(&file, &event);
    tv_write_session_log(&file, 5, 1);
    tv_write_scalar(&file, 7, "loss", 1);
    tv_expect_events(&file, "M 0 5 1000000005\nM 1 5 1000000005\nS loss 7 1000000007 1\n", 0);
}
END_TEST

struct tensor {
    int dtype;
    const char *shape; /* NULL: no shape; else one digit a dimension */
    int field;         /* of the values; 4 is tensor_content */
    const char *data;
    size_t len;
    const char *plugin; /* NULL: no metadata */
};

static void write_tensor(struct tv_bytes *file, int64_t step, const char *tag,
                         const struct tensor *from)
{
    struct tv_bytes message = {0}, tensor = {0};
    tv_pb_text(&message, 1, tag);
    if (from->dtype)
        tv_pb_varint(&tensor, 1, (uint64_t)from->dtype);
    if (from->shape) {
        struct tv_bytes shape = {0};
        for (const char *digit = from->shape; *digit; digit++) {
            struct tv_bytes dim = {0};
            tv_pb_varint(&dim, 1, (uint64_t)(*digit - '0'));
            tv_pb_message(&shape, 2, &dim);
        }
        tv_pb_message(&tensor, 2, &shape);
    }
    if (from->field)
        tv_pb_bytes(&tensor, from->field, from->data, from->len);
    tv_pb_message(&message, 8, &tensor);
    if (from->plugin) {
        struct tv_bytes metadata = tv_metadata(from->plugin, "", 0);
        tv_pb_message(&message, 9, &metadata);
    }
    tv_write_value(file, step, &message);
}

static void expect_tensor(struct tensor tensor, const char *number)
{
    struct tv_bytes file = {0};
    char text[128];
    snprintf(text, sizeof text, "S x 1 1000000001 %s\n", number);
    write_tensor(&file, 1, "x", &tensor);
    tv_expect_events(&file, text, 0);
}

enum { HALF = 19, BFLOAT16 = 14 };
#define FLOAT_1_5  "\x00\x00\xc0\x3f", 4
#define DOUBLE_1_5 "\x00\x00\x00\x00\x00\x00\xf8\x3f", 8

START_TEST(tensors_of_every_numeric_type_are_scalars)
{
    expect_tensor((struct tensor){1, "", 4, FLOAT_1_5, "scalars"}, "1.5");
    expect_tensor((struct tensor){1, "", 5, FLOAT_1_5, "scalars"}, "1.5");
    expect_tensor((struct tensor){1, NULL, 5, FLOAT_1_5, "scalars"}, "1.5");  /* torch, new_style */
    expect_tensor((struct tensor){2, NULL, 6, DOUBLE_1_5, "scalars"}, "1.5"); /* double_precision */
    expect_tensor((struct tensor){2, "", 4, DOUBLE_1_5, "scalars"}, "1.5");
    expect_tensor((struct tensor){3, "", 7, "\x2a", 1, "scalars"}, "42");
    expect_tensor((struct tensor){3, "", 4, "\xfe\xff\xff\xff", 4, "scalars"}, "-2");
    expect_tensor((struct tensor){4, "", 4, "\xfe", 1, "scalars"}, "254");        /* uint8 */
    expect_tensor((struct tensor){6, "", 4, "\xfe", 1, "scalars"}, "-2");         /* int8 */
    expect_tensor((struct tensor){5, "", 4, "\xfe\xff", 2, "scalars"}, "-2");     /* int16 */
    expect_tensor((struct tensor){17, "", 4, "\xfe\xff", 2, "scalars"}, "65534"); /* uint16 */
    expect_tensor((struct tensor){9, "", 10, "\x80\x80\x80\x80\x80\x01", 6, "scalars"},
                  "34359738368");
    expect_tensor((struct tensor){9, "", 4, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "scalars"},
                  "-1");
    expect_tensor((struct tensor){10, "", 11, "\x01", 1, "scalars"}, "1"); /* bool */
    expect_tensor((struct tensor){10, "", 4, "\x01", 1, "scalars"}, "1");
    expect_tensor((struct tensor){22, "", 16, "\xff\xff\xff\xff\x0f", 5, "scalars"}, "4294967295");
    expect_tensor((struct tensor){23, "", 17, "\x07", 1, "scalars"}, "7");
}
END_TEST

START_TEST(half_and_bfloat16_are_read_bit_by_bit)
{
    static const struct {
        int dtype;
        const char *bytes, *number;
    } cases[] = {
        {HALF, "\x00\x3e", "1.5"},       {HALF, "\x01\x00", "5.9604644775390625e-08"},
        {HALF, "\xff\x7b", "65504"},     {HALF, "\x00\x80", "-0"},
        {HALF, "\x00\xfc", "-Infinity"}, {HALF, "\x01\x7c", "NaN"},
        {BFLOAT16, "\xc0\xbf", "-1.5"},  {BFLOAT16, "\x80\x7f", "Infinity"},
        {BFLOAT16, "\xc0\x7f", "NaN"},   {BFLOAT16, "\x00\x00", "0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_tensor((struct tensor){cases[i].dtype, "", 4, cases[i].bytes, 2, "scalars"},
                      cases[i].number);
    /* half_val holds the bits as an integer: 0x3e00 */
    expect_tensor((struct tensor){HALF, "", 13, "\x80\x7c", 2, "scalars"}, "1.5");
}
END_TEST

START_TEST(a_tensor_of_shape_1_is_a_scalar)
{
    expect_tensor((struct tensor){1, "1", 4, FLOAT_1_5, "scalars"}, "1.5");
    expect_tensor((struct tensor){1, "11", 5, FLOAT_1_5, "scalars"}, "1.5");
}
END_TEST

START_TEST(a_tensor_without_any_metadata_is_a_scalar_if_it_is_one_number)
{
    expect_tensor((struct tensor){1, "", 4, FLOAT_1_5, NULL}, "1.5");
    expect_tensor((struct tensor){1, NULL, 5, FLOAT_1_5, NULL}, "1.5");
    struct tv_bytes file = {0};
    write_tensor(&file, 1, "x", &(struct tensor){1, "2", 4, "\0\0\0\0\0\0\0\0", 8, NULL});
    write_tensor(&file, 2, "x", &(struct tensor){7, "", 8, "text", 4, NULL});
    tv_expect_events(&file, "", 0);
}
END_TEST

START_TEST(metadata_only_on_the_first_event_is_remembered)
{
    struct tv_bytes file = {0};
    write_tensor(&file, 1, "x", &(struct tensor){1, "", 4, FLOAT_1_5, "scalars"});
    write_tensor(&file, 2, "x", &(struct tensor){1, "", 4, FLOAT_1_5, NULL});
    write_tensor(&file, 1, "y", &(struct tensor){1, "", 4, FLOAT_1_5, "my_plugin"});
    write_tensor(&file, 2, "y", &(struct tensor){1, "", 4, FLOAT_1_5, NULL});
    tv_expect_events(&file, "S x 1 1000000001 1.5\nS x 2 1000000002 1.5\n", 0);
}
END_TEST

START_TEST(a_simple_value_and_a_tensor_of_the_same_tag_are_one_series)
{
    struct tv_bytes file = {0};
    tv_write_scalar(&file, 1, "loss", 1);
    tv_write_tf2_scalar(&file, 2, "loss", 2);
    tv_expect_events(&file, "S loss 1 1000000001 1\nS loss 2 1000000002 2\n", 0);
}
END_TEST

/* TensorFlow leaves out values that are all zero, but never the shape with them. */
START_TEST(an_absent_value_is_zero_only_where_tensorflow_means_it)
{
    expect_tensor((struct tensor){1, "", 0, NULL, 0, "scalars"}, "0");
    expect_tensor((struct tensor){9, "1", 0, NULL, 0, "scalars"}, "0");
    struct tv_bytes file = {0};
    write_tensor(&file, 1, "x", &(struct tensor){1, NULL, 0, NULL, 0, "scalars"});
    tv_expect_events(&file, "D 0 0 0 x: the tensor has neither shape nor value\n", 0);
}
END_TEST

START_TEST(a_scalar_that_is_none_is_reported_and_other_tensors_are_not)
{
    struct tv_bytes file = {0};
    write_tensor(&file, 1, "x", &(struct tensor){7, "", 8, "text", 4, "scalars"});
    size_t second = file.len;
    write_tensor(&file, 2, "x", &(struct tensor){1, "", 4, "abc", 3, "scalars"});
    write_tensor(&file, 3, "x", &(struct tensor){1, "3", 5, "abcdefghijkl", 12, "histograms"});
    char text[256];
    snprintf(text, sizeof text,
             "D 0 0 0 x: the tensor's type is not a number that a scalar can have\n"
             "D %zu 0 0 x: the tensor's content has another size than one element of its type\n",
             second);
    tv_expect_events(&file, text, 0);
}
END_TEST

START_TEST(args_text_gives_the_trainers_arguments)
{
    struct tv_bytes file = {0};
    tv_write_text(&file, 0, "args/text_summary",
                  "{\n  \"learning_rate\": 5e-05,\n  \"max_steps\": -1,\n  \"warmup_ratio\": 0.1,\n"
                  "  \"lr_scheduler_kwargs\": {\"num_cycles\": 2},\n  \"run_name\": null\n}");
    tv_expect_events(&file,
                     "F learning_rate=5e-05 source 1 line 0\n"
                     "F max_steps=-1 source 1 line 0\n"
                     "F warmup_ratio=0.1 source 1 line 0\n"
                     "F lr_scheduler_kwargs.num_cycles=2 source 1 line 0\n"
                     "F run_name=null null source 1 line 0\n",
                     0);
}
END_TEST

START_TEST(model_config_text_gives_facts_under_its_name)
{
    struct tv_bytes file = {0};
    tv_write_text(&file, 0, "model_config/text_summary", "{\"hidden_size\": 4096}");
    tv_expect_events(&file, "F model_config.hidden_size=4096 source 1 line 0\n", 0);
}
END_TEST

/* NVIDIA/Megatron-LM writes each argument as a text of its own before it trains. */
START_TEST(short_texts_before_the_first_point_are_arguments)
{
    struct tv_bytes file = {0};
    tv_write_text(&file, 0, "lr/text_summary", "0.00015");
    tv_write_text(&file, 0, "lr_decay_style/text_summary", "cosine");
    tv_write_text(&file, 0, "lr_warmup_fraction/text_summary", "None");
    tv_write_text(&file, 0, "prose/text_summary", "two\nlines");
    tv_write_scalar(&file, 1, "lm loss", 11);
    tv_write_text(&file, 1, "sample/text_summary", "Once upon a time");
    tv_expect_events(&file,
                     "F lr=0.00015 source 1 line 0\n"
                     "F lr_decay_style=cosine source 1 line 0\n"
                     "F framework=megatron string source 1 line 0\n"
                     "F lr_warmup_fraction=null null source 1 line 0\n"
                     "F framework=megatron string source 1 line 0\n"
                     "S lm loss 1 1000000001 11\n",
                     0);
}
END_TEST

START_TEST(args_text_that_is_no_json_is_a_note)
{
    struct tv_bytes file = {0};
    struct tv_capture got = {0};
    tv_write_text(&file, 0, "args/text_summary", "Namespace(lr=0.1)");
    tv_read_events(tv_bytes_span(&file), &got);
    ck_assert_uint_eq(got.notes, 1);
    ck_assert_uint_eq(got.damages + got.facts, 0);
    tv_capture_free(&got);
    tv_bytes_free(&file);
}
END_TEST

static void add_hparam(struct tv_bytes *info, const char *key, struct tv_bytes *value)
{
    struct tv_bytes entry = {0};
    tv_pb_text(&entry, 1, key);
    tv_pb_message(&entry, 2, value);
    tv_pb_message(info, 1, &entry);
}

START_TEST(hyperparameters_come_from_the_hparams_plugin)
{
    struct tv_bytes file = {0}, info = {0}, data = {0}, message = {0}, value = {0};
    tv_pb_double(&value, 2, 3e-4);
    add_hparam(&info, "lr", &value);
    tv_pb_text(&value, 3, "cosine");
    add_hparam(&info, "lr_scheduler", &value);
    tv_pb_varint(&value, 4, 1);
    add_hparam(&info, "fp16", &value);
    tv_pb_text(&value, 3, "None");
    add_hparam(&info, "warmup", &value);
    tv_pb_message(&data, 3, &info);
    struct tv_bytes metadata = tv_metadata("hparams", data.data, data.len);
    tv_pb_text(&message, 1, "_hparams_/session_start_info");
    tv_pb_message(&message, 9, &metadata);
    tv_write_value(&file, 0, &message);
    tv_bytes_free(&data);
    tv_expect_events(&file,
                     "F lr=0.0003 source 3 line 0\n"
                     "F lr_scheduler=cosine string source 3 line 0\n"
                     "F fp16=true source 3 line 0\n"
                     "F warmup=null null source 3 line 0\n",
                     0);
}
END_TEST

START_TEST(facts_and_marks_keep_their_place_among_samples)
{
    struct tv_bytes file = {0};
    tv_write_scalar(&file, 1, "loss", 1);
    tv_write_text(&file, 1, "model_config/text_summary", "{\"a\": 1}");
    tv_write_scalar(&file, 2, "loss", 2);
    tv_write_session_log(&file, 2, 1);
    tv_write_scalar(&file, 2, "loss", 3);
    tv_expect_events(
        &file,
        "S loss 1 1000000001 1\nF model_config.a=1 source 1 line 0\nS loss 2 1000000002 2\n"
        "M 1 2 1000000002\nS loss 2 1000000002 3\n",
        0);
}
END_TEST

static void add_damage(TCase *tcase)
{
    tcase_add_test(tcase, bad_data_crc_with_a_valid_message_is_left_out_and_reading_goes_on);
    tcase_add_test(tcase, bad_data_crc_with_an_invalid_message_is_left_out_and_reading_goes_on);
    tcase_add_test(tcase, data_that_are_trusted_are_not_checked);
    tcase_add_test(tcase, a_message_that_is_no_event_is_reported);
    tcase_add_test(tcase, a_tag_that_is_not_utf8_is_kept_byte_for_byte);
    tcase_add_test(tcase, a_tag_may_hold_a_zero_byte);
    tcase_add_test(tcase, bad_length_crc_is_searched_past);
    tcase_add_test(tcase, bad_length_crc_of_the_last_record_is_reported_at_the_end);
    tcase_add_test(tcase, zeros_at_the_tail_are_not_written_yet);
    tcase_add_test(tcase, zeros_at_the_tail_that_are_filled_later_are_read_again);
    tcase_add_test(tcase, a_hole_of_zeros_with_records_behind_it_is_searched_past);
    tcase_add_test(tcase, a_hole_larger_than_the_window_is_searched_past);
    tcase_add_test(tcase, a_truncated_tail_is_left_over);
    tcase_add_test(tcase, a_truncated_tail_that_is_completed_later_is_read);
    tcase_add_test(tcase, a_length_of_2_to_the_64_less_one_is_damage);
    tcase_add_test(tcase, a_length_of_1_tib_is_damage);
    tcase_add_test(tcase, a_length_of_8_gib_is_damage);
    tcase_add_test(tcase, a_length_of_1_gib_is_skipped_without_asking_for_it);
    tcase_add_test(tcase, a_record_of_length_zero_is_an_empty_event);
    tcase_add_test(tcase, an_empty_file_says_nothing);
    tcase_add_test(tcase, a_file_with_only_its_version_says_nothing);
}

static void add_messages(TCase *tcase)
{
    tcase_add_test(tcase, unknown_fields_are_passed_over);
    tcase_add_test(tcase, fields_may_come_in_any_order);
    tcase_add_test(tcase, the_last_member_of_a_oneof_wins);
    tcase_add_test(tcase, the_same_tag_twice_in_one_event_gives_two_points_in_order);
    tcase_add_test(tcase, many_values_in_one_event_all_come_out);
    tcase_add_test(tcase, values_that_are_no_ordinary_numbers_are_kept);
    tcase_add_test(tcase, a_wall_time_that_is_no_time_is_unknown_and_the_point_is_kept);
    tcase_add_test(tcase, a_negative_step_is_kept);
    tcase_add_test(tcase, all_events_at_step_0_are_kept_in_order);
    tcase_add_test(tcase, steps_that_go_back_are_passed_on_as_they_are);
    tcase_add_test(tcase, an_empty_tag_is_a_tag);
    tcase_add_test(tcase, every_session_start_purges_from_its_step_the_first_included);
    tcase_add_test(tcase, a_torch_purge_step_marks_a_start_and_a_purge);
}

static void add_values(TCase *tcase)
{
    tcase_add_test(tcase, tensors_of_every_numeric_type_are_scalars);
    tcase_add_test(tcase, half_and_bfloat16_are_read_bit_by_bit);
    tcase_add_test(tcase, a_tensor_of_shape_1_is_a_scalar);
    tcase_add_test(tcase, a_tensor_without_any_metadata_is_a_scalar_if_it_is_one_number);
    tcase_add_test(tcase, metadata_only_on_the_first_event_is_remembered);
    tcase_add_test(tcase, a_simple_value_and_a_tensor_of_the_same_tag_are_one_series);
    tcase_add_test(tcase, an_absent_value_is_zero_only_where_tensorflow_means_it);
    tcase_add_test(tcase, a_scalar_that_is_none_is_reported_and_other_tensors_are_not);
    tcase_add_test(tcase, args_text_gives_the_trainers_arguments);
    tcase_add_test(tcase, model_config_text_gives_facts_under_its_name);
    tcase_add_test(tcase, short_texts_before_the_first_point_are_arguments);
    tcase_add_test(tcase, args_text_that_is_no_json_is_a_note);
    tcase_add_test(tcase, hyperparameters_come_from_the_hparams_plugin);
    tcase_add_test(tcase, facts_and_marks_keep_their_place_among_samples);
}

static Suite *suite(void)
{
    Suite *suite = suite_create("tfevents cases");
    TCase *damage = tcase_create("damage"), *messages = tcase_create("messages");
    TCase *values = tcase_create("values");
    tcase_set_timeout(damage, 60);
    add_damage(damage);
    add_messages(messages);
    add_values(values);
    suite_add_tcase(suite, damage);
    suite_add_tcase(suite, messages);
    suite_add_tcase(suite, values);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
