/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sinks that write or start something on this machine: jsonl, exec, journal, stderr. */
#include "support/folder.h"
#include "support/sink_case.h"
#include "support/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct tv_sink_case c;
static struct tv_folder folder;
static char file_option[300];
static const char *path;

static void prepare(void)
{
    folder = tv_folder_new();
    path = tv_folder_path(&folder, "alerts.jsonl");
    snprintf(file_option, sizeof file_option, "file=%s", path);
}

static void clean(void)
{
    tv_folder_remove(&folder);
}

/* Each line parsed; how many there are. */
static size_t count_lines(const char *name)
{
    size_t n = 0;
    char *line = NULL;
    size_t cap = 0;
    FILE *file = fopen(name, "r");
    ck_assert_ptr_nonnull(file);
    for (; getline(&line, &cap, file) > 0; n++) {
        struct json_object *object = json_tokener_parse(line);
        ck_assert_ptr_nonnull(object);
        ck_assert_str_eq(tv_json_text_at(object, "type"), "alert");
        json_object_put(object);
    }
    free(line);
    fclose(file);
    return n;
}

START_TEST(jsonl_appends_lines_that_others_may_not_read)
{
    struct tv_alert alert = tv_sample_alert();
    struct stat info;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tv_sink_case_open(&c, "jsonl", file_option, NULL), TV_OK);
        ck_assert_int_eq(tv_sink_case_deliver(&c, &alert), TV_OK);
        ck_assert_int_eq(tv_sink_case_deliver(&c, &alert), TV_OK);
        tv_sink_case_close(&c);
    }
    ck_assert_uint_eq(count_lines(path), 4);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 07137u, 0);
}
END_TEST

START_TEST(jsonl_opens_its_file_again)
{
    struct tv_alert alert = tv_sample_alert();
    const char *old = tv_folder_path(&folder, "old");
    ck_assert_int_eq(tv_sink_case_open(&c, "jsonl", file_option, "sync=true", NULL), TV_OK);
    tv_sink_case_deliver(&c, &alert);
    rename(path, old);
    tv_sink_case_deliver(&c, &alert);
    ck_assert_uint_eq(count_lines(old), 2); /* until it is told */
    ck_assert_int_eq(c.sink->reopen(c.options, c.state, &c.error), TV_OK);
    tv_sink_case_deliver(&c, &alert);
    ck_assert_uint_eq(count_lines(path), 1);
    unlink(path); /* nobody would ever read it */
    tv_sink_case_deliver(&c, &alert);
    ck_assert_uint_eq(count_lines(path), 1);
    tv_sink_case_close(&c);
}
END_TEST

START_TEST(jsonl_ends_a_torn_line_first)
{
    struct tv_alert alert = tv_sample_alert();
    tv_folder_text(&folder, "alerts.jsonl", "{\"type\":\"alert\"}\n{\"type\":\"al");
    ck_assert_int_eq(tv_sink_case_open(&c, "jsonl", file_option, NULL), TV_OK);
    ck_assert_int_eq(tv_sink_case_deliver(&c, &alert), TV_OK);
    tv_sink_case_close(&c);
    FILE *file = fopen(path, "r");
    char line[4096];
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    fclose(file);
    struct json_object *object = json_tokener_parse(line);
    ck_assert_str_eq(tv_json_text_at(object, "run"), alert.run);
    json_object_put(object);
}
END_TEST

START_TEST(jsonl_follows_no_link_and_takes_files_only)
{
    char option[300];
    tv_folder_text(&folder, "victim", "");
    const char *victim = tv_folder_path(&folder, "victim"), *link = tv_folder_path(&folder, "link"),
               *fifo = tv_folder_path(&folder, "fifo");
    ck_assert_int_eq(symlink(victim, link), 0);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    const char *refused[] = {link, fifo, folder.path, "/dev/null", "/nonexistent/x", ""};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        snprintf(option, sizeof option, "file=%s", refused[i]);
        ck_assert_int_ne(tv_sink_case_open(&c, "jsonl", option, NULL), TV_OK);
        ck_assert_uint_gt(strlen(c.error.message), 0);
        tv_sink_case_close(&c);
    }
}
END_TEST

START_TEST(exec_hands_over_json_and_variables)
{
    struct tv_alert alert = tv_sample_alert();
    ck_assert_int_eq(tv_sink_case_open(&c, "exec",
                                       "command=/usr/bin/env 'two words' \"a \\\"b\" c\\ d "
                                       "$HOME ; rm '' *",
                                       "timeout=7", NULL),
                     TV_OK);
    ck_assert_int_eq(tv_sink_case_deliver(&c, &alert), TV_AGAIN);
    ck_assert_str_eq(c.sent[0].argv, "/usr/bin/env\ntwo words\na \"b\nc d\n$HOME\n;\nrm\n\n*\n");
    ck_assert_str_eq(c.sent[0].headers,
                     "TRAINVET_RUN=broken/r8\nTRAINVET_DETECTOR=non_finite\n"
                     "TRAINVET_SUBJECT=train/loss\nTRAINVET_SEVERITY=critical\n"
                     "TRAINVET_STATE=firing\nTRAINVET_ONSET_STEP=312\nTRAINVET_STEP=320\n"
                     "TRAINVET_FINGERPRINT=0123456789abcdef\n"
                     "TRAINVET_SUMMARY=the training loss is NaN & stays so\n");
    ck_assert_double_eq(c.sent[0].timeout, 7);
    struct json_object *object = tv_sink_case_json(&c, 0);
    ck_assert_str_eq(tv_json_text_at(object, "detector"), "non_finite");
    json_object_put(object);
    tv_sink_case_close(&c);
}
END_TEST

START_TEST(exec_refuses_a_command_that_is_none)
{
    static const char *const wrong[] = {"command=", "command=  ", "command=a 'b", "command=\"",
                                        "command=''"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(tv_sink_case_open(&c, "exec", wrong[i], NULL), TV_ECONFIG);
        tv_sink_case_close(&c);
    }
}
END_TEST

START_TEST(exec_passes_hostile_texts_as_one_short_variable)
{
    struct tv_alert alert = tv_hostile_alert(tv_hostile((size_t)_i));
    ck_assert_int_eq(tv_sink_case_open(&c, "exec", "command=true", NULL), TV_OK);
    ck_assert_int_eq(tv_sink_case_deliver(&c, &alert), TV_AGAIN);
    size_t lines = 0;
    for (const char *p = c.sent[0].headers; *p; p++)
        lines += *p == '\n';
    ck_assert_uint_eq(lines, 9);
    ck_assert_uint_lt(strlen(c.sent[0].headers), 9 * 600);
    json_object_put(tv_sink_case_json(&c, 0));
    tv_sink_case_close(&c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sinks_local");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, prepare, clean);
    tcase_add_test(tcase, jsonl_appends_lines_that_others_may_not_read);
    tcase_add_test(tcase, jsonl_opens_its_file_again);
    tcase_add_test(tcase, jsonl_ends_a_torn_line_first);
    tcase_add_test(tcase, jsonl_follows_no_link_and_takes_files_only);
    tcase_add_test(tcase, exec_hands_over_json_and_variables);
    tcase_add_test(tcase, exec_refuses_a_command_that_is_none);
    tcase_add_loop_test(tcase, exec_passes_hostile_texts_as_one_short_variable, 0,
                        (int)tv_hostile_len);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
