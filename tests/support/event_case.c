/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/event_case.h"
#include <check.h>
#include <string.h>

static size_t read_as(struct tv_span bytes, struct tv_chunking how, struct tv_capture *ret)
{
    struct tv_error error = {0};
    size_t left = 0;
    tv_feed_all(&tv_parser_tfevents, bytes, how, ret, &left, &error);
    return left;
}

size_t tv_read_events(struct tv_span bytes, struct tv_capture *ret)
{
    return read_as(bytes, (struct tv_chunking){0, 0}, ret);
}

static const char *text_of(const struct tv_capture *capture)
{
    return capture->text ? capture->text : "";
}

void tv_expect_same_in_pieces(struct tv_span bytes, const char *name)
{
    static const struct tv_chunking ways[] = {{1, 0}, {13, 0}, {-1, 1}, {-1, 2}, {4096, 0}};
    struct tv_capture whole = {0};
    size_t left = tv_read_events(bytes, &whole);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (ways[i].size < 4096 && bytes.len > 1u << 19)
            continue; /* what waits is copied for each piece: that would take minutes */
        struct tv_capture pieces = {0};
        size_t left_now = read_as(bytes, ways[i], &pieces);
        ck_assert_msg(strcmp(text_of(&pieces), text_of(&whole)) == 0,
                      "%s in pieces of %d:\n%s\nwhole:\n%s", name, ways[i].size, text_of(&pieces),
                      text_of(&whole));
        ck_assert_uint_eq(left_now, left);
        tv_capture_free(&pieces);
    }
    tv_capture_free(&whole);
}

void tv_expect_events(struct tv_bytes *file, const char *text, size_t left)
{
    static const char version[] = "M 0 0 1000000000\n";
    struct tv_capture got = {0};
    size_t left_now = tv_read_events(tv_bytes_span(file), &got);
    const char *read = text_of(&got);
    if (strncmp(read, version, strlen(version)) == 0)
        read += strlen(version);
    ck_assert_str_eq(read, text);
    ck_assert_uint_eq(left_now, left);
    tv_capture_free(&got);
    tv_expect_same_in_pieces(tv_bytes_span(file), text);
    tv_bytes_free(file);
}
