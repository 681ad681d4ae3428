/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program from its command line to its exit status: bad input of every kind gets one clear
 * sentence and status 3, and what lies beside it is diagnosed all the same. */
#include "base/memory.h"
#include "cmd/cmd.h"
#include "support/capture.h"
#include "support/folder.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A detector that needs a learning rate, and these logs have none: what is found is not the
 * question here. */
#define QUIET "--detector=lr_mismatch"

static struct tv_folder folder;
static char *out, *err;

static void setup(void)
{
    folder = tv_folder_new();
}

static void teardown(void)
{
    free(out);
    free(err);
    tv_folder_remove(&folder);
}

static char *take(const char *name)
{
    return (char *)tv_read_file(tv_folder_path(&folder, name)).data;
}

/* Runs `trainvet ARGS...`, ended by NULL, with its output caught in `out` and `err`. */
static int trainvet(const char *first, ...)
{
    const char *argv[16] = {"trainvet", first};
    int argc = 2;
    va_list list;
    va_start(list, first);
    while ((argv[argc] = va_arg(list, const char *)))
        argc++;
    va_end(list);
    fflush(NULL);
    int saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO);
    ck_assert_ptr_nonnull(freopen(tv_folder_path(&folder, ".out"), "w+", stdout));
    ck_assert_ptr_nonnull(freopen(tv_folder_path(&folder, ".err"), "w+", stderr));
    int status = tv_main(argc, (char **)argv);
    fflush(NULL);
    dup2(saved_out, STDOUT_FILENO);
    dup2(saved_err, STDERR_FILENO);
    close(saved_out);
    close(saved_err);
    free(out);
    free(err);
    out = take(".out");
    err = take(".err");
    return status;
}

static size_t lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* A healthy neighbour that must come out of every scan. */
static void write_good(void)
{
    tv_folder_events(&folder, "good/events.out.tfevents.1.n.7.0", 0, 1, 50);
}

static void expect_good(void)
{
    ck_assert_msg(strstr(out, "ok        good ") != NULL, "%s%s", out, err);
}

/* Scans the folder: status 3, the neighbour diagnosed, one sentence that holds `says`. */
static void scan_expecting(const char *says)
{
    write_good();
    ck_assert_int_eq(trainvet("scan", QUIET, folder.path, NULL), TV_EXIT_INPUT);
    expect_good();
    ck_assert_msg(strstr(err, says) != NULL, "%s", err);
    ck_assert_msg(lines(err) == 1, "%s", err);
    for (const char *p = err; *p; p++)
        ck_assert_msg((unsigned char)*p >= 0x20 || *p == '\n', "control character in: %s", err);
}

START_TEST(healthy_runs_give_status_0_and_say_nothing_on_stderr)
{
    write_good();
    ck_assert_int_eq(trainvet("scan", QUIET, folder.path, NULL), TV_EXIT_OK);
    expect_good();
    ck_assert_str_eq(err, "");
}
END_TEST

START_TEST(directory_without_logs)
{
    ck_assert_int_eq(mkdir(tv_folder_path(&folder, "empty"), 0755), 0);
    ck_assert_int_eq(trainvet("scan", tv_folder_path(&folder, "empty"), NULL), TV_EXIT_INPUT);
    ck_assert_str_eq(out, "");
    ck_assert_uint_eq(lines(err), 1);
    ck_assert_ptr_nonnull(strstr(err, "holds no training log"));
}
END_TEST

START_TEST(missing_path_does_not_keep_the_others_from_being_read)
{
    write_good();
    ck_assert_int_eq(
        trainvet("scan", tv_folder_path(&folder, "gone"), tv_folder_path(&folder, "good"), NULL),
        TV_EXIT_INPUT);
    ck_assert_ptr_nonnull(strstr(out, "good"));
    ck_assert_ptr_nonnull(strstr(err, "gone: cannot be read: No such file or directory"));
}
END_TEST

START_TEST(unreadable_file)
{
    tv_folder_remove(&folder);
    tv_become_nobody(true);
    folder = tv_folder_new();
    tv_folder_events(&folder, "bad/events.out.tfevents.1.n.7.0", 0, 1, 5);
    chmod(tv_folder_path(&folder, "bad/events.out.tfevents.1.n.7.0"), 0);
    scan_expecting("/bad/events.out.tfevents.1.n.7.0: cannot be read: Permission denied");
    tv_become_nobody(false);
}
END_TEST

START_TEST(empty_file)
{
    tv_folder_text(&folder, "bad/events.out.tfevents.1.n.7.0", "");
    scan_expecting("is empty: nothing has been logged yet");
}
END_TEST

START_TEST(damaged_file_is_read_around_the_damage)
{
    struct tv_bytes bytes = {0};
    tv_write_version(&bytes);
    for (int i = 0; i < 50; i++)
        tv_write_scalar(&bytes, i, "train/loss", 1.0f);
    memset(bytes.data + bytes.len / 2, 0xAA, 20);
    tv_folder_write(&folder, "bad/events.out.tfevents.1.n.7.0", tv_bytes_span(&bytes));
    tv_bytes_free(&bytes);
    scan_expecting("/bad/events.out.tfevents.1.n.7.0: byte ");
    ck_assert_ptr_nonnull(strstr(out, "bad       step 49"));
}
END_TEST

START_TEST(named_pipe_in_the_tree)
{
    ck_assert_int_eq(mkdir(tv_folder_path(&folder, "bad"), 0755), 0);
    ck_assert_int_eq(mkfifo(tv_folder_path(&folder, "bad/trainer_log.jsonl"), 0644), 0);
    scan_expecting("is a named pipe, not a regular file, and was not opened");
}
END_TEST

START_TEST(device_behind_a_link)
{
    ck_assert_int_eq(mkdir(tv_folder_path(&folder, "bad"), 0755), 0);
    ck_assert_int_eq(symlink("/dev/zero", tv_folder_path(&folder, "bad/trainer_state.json")), 0);
    scan_expecting("is a device, not a regular file, and was not opened");
}
END_TEST

START_TEST(symlink_loop)
{
    ck_assert_int_eq(mkdir(tv_folder_path(&folder, "bad"), 0755), 0);
    ck_assert_int_eq(symlink("..", tv_folder_path(&folder, "bad/again")), 0);
    scan_expecting("is a symbolic link back to a directory above it and was not followed");
}
END_TEST

START_TEST(yaml_alias_bomb)
{
    struct tv_bytes text = {0};
    const char *head =
        "stage: sft\nlearning_rate: 1.0e-4\nlr_scheduler_type: cosine\n"
        "num_train_epochs: 3\noutput_dir: out\nmodel_name_or_path: m\na0: &a0 [x, x]\n";
    tv_bytes_add(&text, head, strlen(head));
    for (int i = 1; i < 40; i++) {
        char line[256];
        int n = snprintf(line, sizeof line, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
                         i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
        tv_bytes_add(&text, line, (size_t)n);
    }
    tv_folder_write(&folder, "good/train.yaml", tv_bytes_span(&text));
    tv_bytes_free(&text);
    scan_expecting("/good/train.yaml: ");
}
END_TEST

START_TEST(yaml_depth_bomb)
{
    struct tv_bytes text = {0};
    const char *head = "stage: sft\nlearning_rate: 1.0e-4\nlr_scheduler_type: cosine\n"
                       "num_train_epochs: 3\noutput_dir: out\nmodel_name_or_path: m\ndeep: ";
    tv_bytes_add(&text, head, strlen(head));
    for (int i = 0; i < 10000; i++)
        tv_bytes_add(&text, "[", 1);
    tv_folder_write(&folder, "good/train.yaml", tv_bytes_span(&text));
    tv_bytes_free(&text);
    scan_expecting("/good/train.yaml: ");
}
END_TEST

static void deep_json(const char *name, const char *head)
{
    struct tv_bytes text = {0};
    tv_bytes_add(&text, head, strlen(head));
    for (int i = 0; i < 10000; i++)
        tv_bytes_add(&text, "[", 1);
    for (int i = 0; i < 10000; i++)
        tv_bytes_add(&text, "]", 1);
    tv_bytes_add(&text, "}\n", 2);
    tv_folder_write(&folder, name, tv_bytes_span(&text));
    tv_bytes_free(&text);
}

START_TEST(json_of_depth_10000)
{
    static const char *const names[] = {"bad/trainer_state.json", "bad/trainer_log.jsonl"};
    static const char *const heads[] = {
        "{\"global_step\": 5, \"max_steps\": 9, \"log_history\": [{\"loss\": 1.0, \"step\": 1}], "
        "\"x\": ",
        "{\"current_steps\": 5, \"total_steps\": 9, \"loss\": 1.0, \"x\": "};
    deep_json(names[_i], heads[_i]);
    scan_expecting(names[_i]);
}
END_TEST

START_TEST(record_that_claims_2_to_the_63_bytes)
{
    struct tv_bytes bytes = {0};
    tv_write_version(&bytes);
    tv_write_scalar(&bytes, 1, "train/loss", 1.0f);
    tv_write_header(&bytes, 1ull << 63);
    for (int i = 2; i < 10; i++)
        tv_write_scalar(&bytes, i, "train/loss", 1.0f);
    tv_folder_write(&folder, "bad/events.out.tfevents.1.n.7.0", tv_bytes_span(&bytes));
    tv_bytes_free(&bytes);
    scan_expecting("/bad/events.out.tfevents.1.n.7.0: byte ");
    ck_assert_ptr_nonnull(strstr(out, "bad       step 9"));
}
END_TEST

START_TEST(tag_of_a_mebibyte)
{
    struct tv_bytes bytes = {0};
    char *tag = tv_xcalloc(1, (1 << 20) + 1);
    memset(tag, 't', 1 << 20);
    tv_write_version(&bytes);
    tv_write_scalar(&bytes, 1, tag, 1.0f);
    tv_write_scalar(&bytes, 2, "train/loss", 1.0f);
    tv_folder_write(&folder, "bad/events.out.tfevents.1.n.7.0", tv_bytes_span(&bytes));
    tv_bytes_free(&bytes);
    free(tag);
    write_good();
    int status = trainvet("scan", QUIET, folder.path, NULL);
    ck_assert(status == TV_EXIT_OK || status == TV_EXIT_INPUT);
    expect_good();
    ck_assert_ptr_nonnull(strstr(out, "bad       step 2"));
    ck_assert_uint_eq(lines(err), 1);
    ck_assert_uint_lt(strlen(err), 1000);
}
END_TEST

START_TEST(terminal_escapes_never_reach_the_terminal)
{
    static const char tag[] = "train/\033]0;owned\007\033[2Jloss";
    char name[256];
    struct tv_bytes bytes = {0};
    tv_write_version(&bytes);
    for (int i = 0; i < 5; i++)
        tv_write_scalar(&bytes, i, tag, 1.0f);
    tv_bytes_add(&bytes, "\xAA\xBB", 2);
    snprintf(name, sizeof name, "bad\033[31m/events.out.tfevents.1.n\033[2J.7.0");
    tv_folder_write(&folder, name, tv_bytes_span(&bytes));
    tv_bytes_free(&bytes);
    static const char *const commands[][2] = {{"scan", "--format=text"},
                                              {"scan", "--format=json"},
                                              {"inspect", "--format=text"},
                                              {"inspect", "--format=json"}};
    for (size_t i = 0; i < 4; i++) {
        trainvet(commands[i][0], commands[i][1], folder.path, NULL);
        ck_assert_ptr_nonnull(strstr(out, "bad"));
        for (const char *p = out; *p; p++)
            ck_assert_msg((unsigned char)*p >= 0x20 || *p == '\n', "%s", out);
        for (const char *p = err; *p; p++)
            ck_assert_msg((unsigned char)*p >= 0x20 || *p == '\n', "%s", err);
    }
}
END_TEST

START_TEST(hostile_files_together_stay_within_bounded_memory)
{
    struct tv_bytes bytes = {0}, zeros = {0};
    tv_write_version(&bytes);
    for (int i = 0; i < 64; i++)
        tv_write_header(&bytes, 1ull << (i % 63));
    tv_folder_write(&folder, "a/events.out.tfevents.1.n.7.0", tv_bytes_span(&bytes));
    char *block = tv_xcalloc(1, 1 << 20);
    for (int i = 0; i < 20; i++)
        tv_bytes_add(&zeros, block, 1 << 20);
    struct tv_span bomb = tv_gzip(tv_bytes_span(&zeros));
    tv_folder_write(&folder, "b/events.out.tfevents.1.n.7.0.gz", bomb);
    tv_bytes_free(&zeros);
    /* a hole of a tebibyte: read past without being held */
    tv_folder_text(&folder, "c/trainer_state.json",
                   "{\"log_history\": [], \"global_step\": 1, \"max_steps\": 1,");
    ck_assert_int_eq(truncate(tv_folder_path(&folder, "c/trainer_state.json"), 1ll << 40), 0);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    ck_assert_int_eq(trainvet("scan", folder.path, NULL), TV_EXIT_INPUT);
    getrusage(RUSAGE_SELF, &after);
    ck_assert_int_le(after.ru_maxrss - before.ru_maxrss, 64 * 1024);
    ck_assert_ptr_nonnull(strstr(err, "c/trainer_state.json: is larger than 512 MiB"));
    tv_bytes_free(&bytes);
    free((char *)bomb.data);
    free(block);
}
END_TEST

START_TEST(output_does_not_depend_on_the_number_of_jobs)
{
    for (int i = 0; i < 60; i++) {
        char name[64];
        snprintf(name, sizeof name, "r%d/events.out.tfevents.1.n.7.0", i);
        tv_folder_events(&folder, name, 0, 1, i % 7 == 0 ? 5000 : 20);
    }
    trainvet("scan", QUIET, "--json", "--jobs=1", folder.path, NULL);
    char *one = out;
    out = NULL;
    ck_assert_uint_eq(lines(one), 60);
    trainvet("scan", QUIET, "--json", "--jobs=8", folder.path, NULL);
    ck_assert_str_eq(out, one);
    free(one);
}
END_TEST

START_TEST(output_file_holds_what_stdout_would)
{
    write_good();
    trainvet("scan", QUIET, folder.path, NULL);
    char *expected = tv_xstrndup(out, strlen(out));
    const char *path = tv_folder_path(&folder, "result.txt");
    ck_assert_int_eq(trainvet("scan", QUIET, "-o", path, folder.path, NULL), TV_EXIT_OK);
    ck_assert_str_eq(out, "");
    char *written = take("result.txt");
    ck_assert_str_eq(written, expected);
    free(written);
    free(expected);
    ck_assert_int_eq(trainvet("scan", "-o", "/no/such/dir/x", folder.path, NULL), TV_EXIT_USAGE);
}
END_TEST

START_TEST(wrong_usage_gives_status_2_and_says_what_to_do)
{
    static const char *const cases[][4] = {
        {"scna", "x", NULL, "did you mean \"scan\"?"},
        {"scan", NULL, NULL, "scan needs a PATH"},
        {"scan", "--formt=json", NULL, "did you mean --format?"},
        {"scan", "--format=xml", ".", "--format is text, json or html"},
        {"scan", "--jobs=0", ".", "--jobs takes a number from 1"},
        {"scan", "--now=yesterday", ".", "--now takes a time"},
        {"scan", "--fail-on=bad", ".", "info, warning, critical or never"},
        {"scan", "--detector=lr_mismach", ".", "did you mean lr_mismatch?"},
        {"scan", "--set=lr_mismatch", ".", "--set takes DETECTOR.OPTION=VALUE"},
        {"scan", "--config=/no/such/file", ".", "cannot be read: No such file"},
        {"inspect", NULL, NULL, "inspect needs a FILE"},
        {"explain", "lr_mismach", NULL, "did you mean lr_mismatch?"},
        {"list", "all", NULL, "list takes no argument"},
    };
    ck_assert_int_eq(trainvet(cases[_i][0], cases[_i][1], cases[_i][2], NULL), TV_EXIT_USAGE);
    ck_assert_msg(strstr(err, cases[_i][3]) != NULL, "%s", err);
    ck_assert_ptr_nonnull(strstr(err, "Try: trainvet "));
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(help_teaches_every_command)
{
    ck_assert_int_eq(trainvet("--help", NULL), TV_EXIT_OK);
    for (const struct tv_command *command = tv_commands; command->name; command++) {
        ck_assert_int_eq(trainvet(command->name, "--help", NULL), TV_EXIT_OK);
        ck_assert_ptr_nonnull(strstr(out, "Usage: trainvet "));
        ck_assert_ptr_nonnull(strstr(out, "Examples:"));
        ck_assert_str_eq(err, "");
        for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
            ck_assert_msg(strlen(line) <= 80, "%s: %s", command->name, line);
    }
}
END_TEST

START_TEST(the_example_in_the_readme_is_what_is_printed)
{
    char *readme = (char *)tv_read_file(TRAINVET_SOURCE_DIR "/README.md").data;
    ck_assert_int_eq(chdir(TRAINVET_SOURCE_DIR), 0);
    trainvet("scan", "fixtures/logs/state-diverging", NULL);
    ck_assert_msg(strstr(out, "lr_mismatch") && strstr(readme, out), "%s", out);
    free(readme);
}
END_TEST

START_TEST(list_and_explain_know_every_plug_in)
{
    ck_assert_int_eq(trainvet("list", "--json", NULL), TV_EXIT_OK);
    size_t count = 0;
    for (char *save = NULL, *line = strtok_r(out, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        struct json_object *object = json_tokener_parse(line);
        ck_assert_ptr_nonnull(object);
        json_object_put(object);
        count++;
    }
    ck_assert_uint_ge(count, 5);
    ck_assert_int_eq(trainvet("explain", "lr_mismatch", NULL), TV_EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, "lr_mismatch"));
    ck_assert_int_eq(trainvet("--version", NULL), TV_EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, TRAINVET_VERSION));
}
END_TEST

START_TEST(inspect_counts_what_is_in_a_file)
{
    struct json_object *value, *file;
    tv_folder_events(&folder, "events.out.tfevents.1.n.7.0", 10, 5, 40);
    ck_assert_int_eq(
        trainvet("inspect", "--json", tv_folder_path(&folder, "events.out.tfevents.1.n.7.0"), NULL),
        TV_EXIT_OK);
    file = json_tokener_parse(out);
    ck_assert_ptr_nonnull(file);
    ck_assert(json_object_object_get_ex(file, "records", &value));
    ck_assert_int_eq(json_object_get_int(value), 41);
    ck_assert(json_object_object_get_ex(file, "tags", &value));
    ck_assert_uint_eq(json_object_array_length(value), 1);
    struct json_object *tag = json_object_array_get_idx(value, 0);
    ck_assert(json_object_object_get_ex(tag, "last_step", &value));
    ck_assert_int_eq(json_object_get_int(value), 205);
    ck_assert(json_object_object_get_ex(tag, "role", &value));
    ck_assert_str_eq(json_object_get_string(value), "train_loss");
    json_object_put(file);
}
END_TEST

/* A log alone: 1,000 of 10,000 steps, a schedule that ends after 2,500. */
static void write_unconfigured(void)
{
    char log[32768];
    struct tv_text text = tv_text_in(log, sizeof log);
    for (int g = 10; g <= 1000; g += 10)
        tv_text_add(&text,
                    "{\"current_steps\": %d, \"total_steps\": 10000, \"loss\": %.4f, \"lr\": "
                    "%.17g, \"epoch\": %.3f, \"percentage\": %.1f}\n",
                    g, 2 - g / 2000.0, 1e-4 * (g < 250 ? g / 250.0 : (2500 - g) / 2250.0),
                    g / 1000.0, g / 100.0);
    tv_folder_text(&folder, "run/trainer_log.jsonl", log);
}

START_TEST(the_schedule_is_identified_without_a_configuration)
{
    write_unconfigured();
    char path[512];
    snprintf(path, sizeof path, "%s", tv_folder_path(&folder, "run"));
    ck_assert_int_eq(trainvet("scan", "--json", QUIET, path, NULL), TV_EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, "\"scheduler\":\"linear\",\"scheduler_source\":\"log\""));
    ck_assert_ptr_nonnull(strstr(out, "reaches 0 at step 2,500 of 10,000"));
    ck_assert_ptr_nonnull(strstr(out, "\"warmup_steps\":250"));
    ck_assert_int_eq(trainvet("scan", "--explain", path, NULL), TV_EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, "linear"));
    ck_assert_int_eq(trainvet("lr", path, NULL), TV_EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, "reaches 0 at step 2,500 of 10,000"));
}
END_TEST

START_TEST(the_framework_can_be_given)
{
    write_unconfigured();
    char path[512];
    snprintf(path, sizeof path, "%s", tv_folder_path(&folder, "run"));
    ck_assert_int_eq(
        trainvet("scan", "--json", QUIET, "--framework", "transformers@4.40", path, NULL),
        TV_EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, "\"framework\":\"transformers\""));
    ck_assert_int_eq(trainvet("scan", "--framework", "@4.40", path, NULL), TV_EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(err, "NAME@VERSION"));
}
END_TEST

/* The commands that print with stdio; scan has its own check. */
START_TEST(full_disk_is_no_success)
{
    static const char *const commands[] = {"list", "explain"};
    for (size_t i = 0; i < 2; i++) {
        fflush(NULL);
        int saved = dup(STDOUT_FILENO);
        ck_assert_ptr_nonnull(freopen("/dev/full", "w", stdout));
        const char *argv[] = {"trainvet", commands[i], i ? "stall" : NULL, NULL};
        int status = tv_main(i ? 3 : 2, (char **)argv);
        clearerr(stdout);
        dup2(saved, STDOUT_FILENO);
        close(saved);
        ck_assert_int_eq(status, TV_EXIT_USAGE);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan");
    TCase *bad = tcase_create("bad input"), *use = tcase_create("use");
    tcase_add_checked_fixture(bad, setup, teardown);
    tcase_add_checked_fixture(use, setup, teardown);
    tcase_set_timeout(bad, 30);
    tcase_add_test(bad, directory_without_logs);
    tcase_add_test(bad, missing_path_does_not_keep_the_others_from_being_read);
    tcase_add_test(bad, unreadable_file);
    tcase_add_test(bad, empty_file);
    tcase_add_test(bad, damaged_file_is_read_around_the_damage);
    tcase_add_test(bad, named_pipe_in_the_tree);
    tcase_add_test(bad, device_behind_a_link);
    tcase_add_test(bad, symlink_loop);
    tcase_add_test(bad, yaml_alias_bomb);
    tcase_add_test(bad, yaml_depth_bomb);
    tcase_add_loop_test(bad, json_of_depth_10000, 0, 2);
    tcase_add_test(bad, record_that_claims_2_to_the_63_bytes);
    tcase_add_test(bad, tag_of_a_mebibyte);
    tcase_add_test(bad, terminal_escapes_never_reach_the_terminal);
    tcase_add_test(bad, hostile_files_together_stay_within_bounded_memory);
    tcase_add_test(use, healthy_runs_give_status_0_and_say_nothing_on_stderr);
    tcase_add_test(use, output_does_not_depend_on_the_number_of_jobs);
    tcase_add_test(use, output_file_holds_what_stdout_would);
    tcase_add_loop_test(use, wrong_usage_gives_status_2_and_says_what_to_do, 0, 13);
    tcase_add_test(use, help_teaches_every_command);
    tcase_add_test(use, the_example_in_the_readme_is_what_is_printed);
    tcase_add_test(use, list_and_explain_know_every_plug_in);
    tcase_add_test(use, the_schedule_is_identified_without_a_configuration);
    tcase_add_test(use, the_framework_can_be_given);
    tcase_add_test(use, inspect_counts_what_is_in_a_file);
    tcase_add_test(use, full_disk_is_no_success);
    suite_add_tcase(suite, bad);
    suite_add_tcase(suite, use);
    return tv_test_main(suite);
}
