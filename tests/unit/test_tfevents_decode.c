/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decoders by hand against protobuf-c: on random events, whole and mutated, whatever they
 * accept they must read as protobuf-c does, and what protobuf-c refuses they must not accept. */
#include "support/event_compare.h"
#include "support/event_writer.h"
#include "support/suite.h"
#include <stdlib.h>
#include <string.h>

static unsigned seed = 20240607;

static unsigned below(unsigned n)
{
    return (unsigned)rand_r(&seed) % n;
}

static bool one_in(unsigned n)
{
    return below(n) == 0;
}

static uint64_t any_number(void)
{
    uint64_t wide =
        (uint64_t)rand_r(&seed) << 42 ^ (uint64_t)rand_r(&seed) << 21 ^ (uint64_t)rand_r(&seed);
    return wide >> below(64);
}

static float any_float(void)
{
    uint32_t bits = (uint32_t)any_number();
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static void add_tag(struct tv_bytes *message)
{
    char tag[300];
    size_t len = one_in(4) ? below(300) : below(30);
    for (size_t i = 0; i < len; i++)
        tag[i] = (char)(one_in(50) ? below(256) : 'a' + below(26));
    tv_pb_bytes(message, 1, tag, len);
}

static void add_metadata(struct tv_bytes *message)
{
    static const char *const plugins[] = {"scalars", "histograms", "text", "hparams", ""};
    struct tv_bytes metadata = {0};
    if (!one_in(8))
        metadata = tv_metadata(plugins[below(one_in(3) ? 5 : 2)], "cc", one_in(3) ? 2 : 0);
    if (one_in(3))
        tv_pb_varint(&metadata, 4, one_in(4) ? any_number() : 1);
    if (one_in(6))
        tv_pb_text(&metadata, one_in(2) ? 2 : 3, "described");
    tv_pb_message(message, 9, &metadata);
}

static void add_shape(struct tv_bytes *tensor)
{
    struct tv_bytes shape = {0};
    for (unsigned dims = one_in(2) ? 0 : below(3); dims; dims--) {
        struct tv_bytes dim = {0};
        if (!one_in(9))
            tv_pb_varint(&dim, 1, one_in(3) ? any_number() : 1);
        if (one_in(9))
            tv_pb_text(&dim, 2, "named");
        tv_pb_message(&shape, 2, &dim);
    }
    if (one_in(20))
        tv_pb_varint(&shape, 3, 1);
    tv_pb_message(tensor, 2, &shape);
}

static void add_tensor(struct tv_bytes *message)
{
    static const int fields[] = {4, 5, 6, 7, 8, 10, 11, 13, 16, 17};
    static const size_t lens[] = {0, 1, 2, 4, 8, 16};
    struct tv_bytes tensor = {0};
    if (!one_in(20))
        tv_pb_varint(&tensor, 1, one_in(3) ? below(25) : 1 + below(2));
    if (!one_in(3))
        add_shape(&tensor);
    if (one_in(20))
        tv_pb_varint(&tensor, 3, any_number());
    for (unsigned i = one_in(10) ? 2 : 1; i; i--)
        tv_pb_bytes(&tensor, fields[below(one_in(3) ? 10 : 3)],
                    "\1\0\0\x40\2\0\0\xc0\1\0\0\x40\2\0\0\xc0", lens[below(6)]);
    tv_pb_message(message, 8, &tensor);
}

static struct tv_bytes any_value(void)
{
    struct tv_bytes message = {0};
    bool metadata_first = one_in(5), has_metadata = one_in(2);
    if (!one_in(20))
        add_tag(&message);
    if (has_metadata && metadata_first)
        add_metadata(&message);
    for (unsigned i = one_in(15) ? below(3) : 1; i; i--) {
        unsigned kind = below(8);
        if (kind < 3)
            tv_pb_float(&message, 2, any_float());
        else if (kind < 6)
            add_tensor(&message);
        else
            tv_pb_bytes(&message, 3 + (int)below(4), "a blob", below(7));
    }
    if (one_in(20))
        tv_pb_text(&message, 7, "node");
    if (has_metadata && !metadata_first)
        add_metadata(&message);
    return message;
}

static struct tv_bytes plain_value(void)
{
    struct tv_bytes message = {0};
    add_tag(&message);
    tv_pb_float(&message, 2, any_float());
    return message;
}

static void add_summary(struct tv_bytes *event, bool plain)
{
    struct tv_bytes summary = {0};
    for (unsigned i = plain ? 1 : one_in(3) ? below(20) : 1; i; i--) {
        struct tv_bytes value = plain || one_in(4) ? plain_value() : any_value();
        tv_pb_message(&summary, 1, &value);
    }
    tv_pb_message(event, 5, &summary);
}

static struct tv_bytes any_event(void)
{
    struct tv_bytes event = {0};
    bool plain = one_in(3);
    if (plain || !one_in(10))
        tv_pb_double(&event, 1, (double)any_number());
    if (!one_in(10))
        tv_pb_varint(&event, 2, any_number());
    for (unsigned i = plain || !one_in(12) ? 1 : below(3); i; i--)
        add_summary(&event, plain);
    if (!plain && one_in(12))
        tv_pb_text(&event, 3 + (int)below(9), "something else");
    return event;
}

static void mutate(struct tv_bytes *event)
{
    for (unsigned n = 1 + below(3); n && event->len > 1; n--) {
        size_t at = below(one_in(2)         ? (unsigned)event->len
                          : event->len < 40 ? (unsigned)event->len
                                            : 40);
        switch (below(4)) {
        case 0:
            event->data[at] ^= (char)(1 << below(8));
            break;
        case 1:
            event->data[at] = (char)below(256);
            break;
        case 2: /* a byte less, all behind it moves */
            memmove(event->data + at, event->data + at + 1, event->len - at - 1);
            event->len--;
            break;
        default:
            event->len -= one_in(4) ? below((unsigned)event->len) : 1;
        }
    }
}

struct tally {
    size_t plain, tensor, scan, full, invalid;
};

static void compare(const struct tv_bytes *event, struct tally *tally)
{
    struct tv_span data = tv_bytes_span(event);
    struct tv_decoded decoded;
    char *exact = malloc(data.len ? data.len : 1); /* a sanitizer sees a read beyond the end */
    memcpy(exact, data.data, data.len);
    const char *difference = tv_compare_decoders((struct tv_span){exact, data.len}, &decoded);
    free(exact);
    if (difference)
        ck_abort_msg("%s", difference);
    tally->plain += decoded.by_plain;
    tally->tensor += decoded.by_tensor;
    tally->scan += decoded.by_scan;
    tally->full += decoded.by_protobuf;
    tally->invalid += !decoded.by_protobuf;
}

START_TEST(random_events_read_as_protobuf_c_reads_them)
{
    struct tally tally = {0};
    for (int i = 0; i < 30000; i++) {
        struct tv_bytes event = any_event();
        compare(&event, &tally);
        tv_bytes_free(&event);
    }
    /* the test is about something: each decoder took its share */
    ck_assert_uint_gt(tally.plain, 5000);
    ck_assert_uint_gt(tally.scan, tally.plain + 2500);
    ck_assert_uint_gt(tally.full, tally.scan + 2500);
}
END_TEST

START_TEST(mutated_events_read_as_protobuf_c_reads_them)
{
    struct tally tally = {0};
    for (int i = 0; i < 15000; i++) {
        struct tv_bytes event = any_event();
        for (int n = 0; n < 6; n++) {
            mutate(&event);
            compare(&event, &tally);
        }
        tv_bytes_free(&event);
    }
    ck_assert_uint_gt(tally.plain, 1000);
    ck_assert_uint_gt(tally.full, tally.scan + 1000);
    ck_assert_uint_gt(tally.invalid, 5000);
}
END_TEST

/* Every tag length and step width around the limits of the one-comparison check. */
START_TEST(plain_events_are_recognised_up_to_their_limits)
{
    for (size_t len = 0; len < 140; len++)
        for (unsigned shift = 0; shift <= 64; shift++) {
            char tag[140];
            struct tv_bytes event = {0}, summary = {0}, value = {0};
            memset(tag, 't', sizeof tag);
            tv_pb_bytes(&value, 1, tag, len);
            tv_pb_float(&value, 2, 0.5f);
            tv_pb_message(&summary, 1, &value);
            tv_pb_double(&event, 1, 1.5);
            if (shift < 64)
                tv_pb_varint(&event, 2, UINT64_C(1) << shift);
            tv_pb_message(&event, 5, &summary);
            struct tally tally = {0};
            compare(&event, &tally);
            ck_assert_uint_eq(tally.plain, len >= 1 && len <= 118);
            ck_assert_uint_eq(tally.scan, 1);
            tv_bytes_free(&event);
        }
}
END_TEST

/* What one tensor is remembered by must hold for no event that differs in more than it may. */
START_TEST(tensors_after_their_like_read_as_protobuf_c_reads_them)
{
    struct tally tally = {0};
    for (int i = 0; i < 2000; i++) {
        struct tv_bytes value = {0}, summary = {0}, event = {0};
        tv_pb_text(&value, 1, "a tag");
        add_tensor(&value);
        if (one_in(2))
            add_metadata(&value);
        tv_pb_message(&summary, 1, &value);
        tv_pb_double(&event, 1, 1.5);
        if (one_in(2))
            tv_pb_varint(&event, 2, any_number());
        tv_pb_message(&event, 5, &summary);
        compare(&event, &tally);
        for (size_t at = 0; at < event.len; at++) {
            char was = event.data[at];
            event.data[at] ^= (char)(1 << below(8));
            compare(&event, &tally);
            event.data[at] = was;
            compare(&event, &tally);
        }
        tv_bytes_free(&event);
    }
    ck_assert_uint_gt(tally.tensor, 2000);
    ck_assert_uint_gt(tally.invalid, 5000);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("tfevents decode");
    TCase *tcase = tcase_create("against protobuf-c");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, random_events_read_as_protobuf_c_reads_them);
    tcase_add_test(tcase, mutated_events_read_as_protobuf_c_reads_them);
    tcase_add_test(tcase, tensors_after_their_like_read_as_protobuf_c_reads_them);
    tcase_add_test(tcase, plain_events_are_recognised_up_to_their_limits);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
