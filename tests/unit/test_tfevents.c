/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the event-file parser promises about whole files: framing, damage, chunking. */
#include "support/capture.h"
#include "support/event_writer.h"
#include "support/suite.h"
#include <glob.h>
#include <stdlib.h>

extern const struct tv_parser tv_parser_tfevents;

static size_t read_as(struct tv_span bytes, struct tv_chunking how, struct tv_capture *capture)
{
    struct tv_error error = {0};
    size_t left = 0;
    tv_feed_all(&tv_parser_tfevents, bytes, how, capture, &left, &error);
    return left;
}

static void expect_chunking_is_invisible(struct tv_span bytes, const char *name)
{
    static const struct tv_chunking ways[] = {{1, 0}, {13, 0}, {-1, 1}, {-1, 2}, {4096, 0}};
    struct tv_capture whole = {0};
    size_t left = read_as(bytes, (struct tv_chunking){0, 0}, &whole);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct tv_capture pieces = {0};
        ck_assert_uint_eq(read_as(bytes, ways[i], &pieces), left);
        ck_assert_msg(pieces.len == whole.len, "%s: pieces of %d", name, ways[i].size);
        if (whole.text)
            ck_assert_str_eq(pieces.text, whole.text);
        tv_capture_free(&pieces);
    }
    tv_capture_free(&whole);
}

START_TEST(scalars_come_out_with_step_time_and_value)
{
    struct tv_bytes file = {0};
    struct tv_capture got = {0};
    tv_write_version(&file);
    tv_write_scalar(&file, 0, "train/loss", 2.5f);
    tv_write_scalar(&file, 300, "train/loss", 0.5f);
    tv_write_tf2_scalar(&file, 301, "epoch_loss", 0.25f);
    ck_assert_uint_eq(read_as(tv_bytes_span(&file), (struct tv_chunking){0, 0}, &got), 0);
    ck_assert_str_eq(got.text, "M 0 0 1000000000\n"
                               "S train/loss 0 1000000000 2.5\n"
                               "S train/loss 300 1000000300 0.5\n"
                               "S epoch_loss 301 1000000301 0.25\n");
    tv_capture_free(&got);
    tv_bytes_free(&file);
}
END_TEST

START_TEST(real_files_read_the_same_in_any_pieces)
{
    glob_t files;
    if (glob(TRAINVET_SOURCE_DIR "/../shared/bench/dev/*/runs/*/*tfevents*", 0, NULL, &files) != 0)
        return;
    for (size_t i = 0; i < files.gl_pathc && i < 6; i++) {
        struct tv_span bytes = tv_read_file(files.gl_pathv[i]);
        struct tv_capture got = {0};
        ck_assert_uint_eq(read_as(bytes, (struct tv_chunking){0, 0}, &got), 0);
        ck_assert_uint_gt(got.samples, 0);
        ck_assert_uint_eq(got.damages, 0);
        tv_capture_free(&got);
        expect_chunking_is_invisible(bytes, files.gl_pathv[i]);
        free((char *)bytes.data);
    }
    globfree(&files);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("tfevents");
    TCase *tcase = tcase_create("files");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, scalars_come_out_with_step_time_and_value);
    tcase_add_test(tcase, real_files_read_the_same_in_any_pieces);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
