/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/folder.h"
#include "support/suite.h"
#include "tail/assemble.h"
#include "tail/discover.h"
#include "tail/probed.h"
#include "trainvet/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct tv_folder folder;
static struct tv_found found;

static void setup(void)
{
    folder = tv_folder_new();
}

static void teardown(void)
{
    tv_found_free(&found);
    tv_folder_remove(&folder);
}

static const char *state_json(int step)
{
    static char text[256];
    snprintf(text, sizeof text,
             "{\n \"epoch\": 1.0,\n \"global_step\": %d,\n \"log_history\": [\n"
             "  {\"loss\": 1.5, \"step\": %d}\n ],\n \"max_steps\": 100\n}\n",
             step, step);
    return text;
}

static const char log_line[] =
    "{\"current_steps\": 5, \"total_steps\": 100, \"loss\": 1.5, \"lr\": 1e-05, \"epoch\": 0.1, "
    "\"percentage\": 5.0, \"elapsed_time\": \"0:00:07\", \"remaining_time\": \"0:01:03\"}\n";

/* "NAME: prefix:file,file prefix:file" of every run, one a line; paths relative to the folder. */
static const char *describe(void)
{
    static char buffer[8192];
    struct tv_text text = tv_text_in(buffer, sizeof buffer);
    size_t skip = strlen(folder.path) + 1;
    for (size_t i = 0; i < found.runs_len; i++) {
        tv_text_add(&text, "%s%s:", i ? "\n" : "", found.runs[i].name);
        for (const struct tv_found_source *s = found.runs[i].sources; s; s = s->next) {
            tv_text_add(&text, " %s", s->prefix);
            for (const struct tv_found_file *f = s->files; f; f = f->next)
                tv_text_add(&text, "%s%s", f == s->files ? "" : ",", f->path + skip);
        }
        for (const struct tv_found_file *f = found.runs[i].configs; f; f = f->next)
            tv_text_add(&text, " +%s", f->path + skip);
    }
    return buffer;
}

static const char *discover(const char *name)
{
    const char *path = *name ? tv_folder_path(&folder, name) : folder.path;
    tv_found_free(&found);
    tv_discover(&found, &path, 1);
    return describe();
}

static const char *problems(void)
{
    static char buffer[4096];
    struct tv_text text = tv_text_in(buffer, sizeof buffer);
    size_t skip = strlen(folder.path);
    for (size_t i = 0; i < found.problems_len; i++)
        tv_text_add(&text, "%s%s%s: %s", i ? "\n" : "", found.problems[i].is_note ? "note " : "",
                    found.problems[i].path + skip, found.problems[i].what);
    return buffer;
}

static void set_time(const char *name, time_t when)
{
    const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
    ck_assert_int_eq(utimensat(-1, tv_folder_path(&folder, name), times, 0), 0);
}

START_TEST(hf_output_directory_is_one_run_with_one_history)
{
    tv_folder_text(&folder, "trainer_state.json", state_json(60));
    tv_folder_text(&folder, "trainer_log.jsonl", log_line);
    tv_folder_text(&folder, "checkpoint-9/trainer_state.json", state_json(9));
    tv_folder_text(&folder, "checkpoint-60/trainer_state.json", state_json(60));
    tv_folder_text(&folder, "checkpoint-60/optimizer.pt", "x");
    tv_folder_events(&folder, "runs/Jan02_03-04-05_n/events.out.tfevents.1700000002.n.7.0", 0, 10,
                     3);
    tv_folder_events(&folder, "runs/Jan03_03-04-05_n/events.out.tfevents.1700000001.n.7.0", 0, 10,
                     3);
    set_time("checkpoint-60/trainer_state.json", 1700000000);
    ck_assert_str_eq(discover(""), ".: runs/Jan03_03-04-05_n/events.out.tfevents.1700000001.n.7.0,"
                                   "runs/Jan02_03-04-05_n/events.out.tfevents.1700000002.n.7.0"
                                   " trainer_state.json trainer_log.jsonl");
    ck_assert_str_eq(problems(), "");
}
END_TEST

/* Bytes that this process has got from read() so far. */
static unsigned long bytes_read(void)
{
    unsigned long bytes = 0;
    FILE *file = fopen("/proc/self/io", "re");
    ck_assert(file && fscanf(file, "rchar: %lu", &bytes) == 1);
    fclose(file);
    return bytes;
}

START_TEST(the_next_search_opens_only_what_is_new_or_changed)
{
    struct tv_probed probed = {0};
    char name[64], before[8192];
    const char *path = folder.path;
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "run-%02d/trainer_state.json", i);
        tv_folder_text(&folder, name, state_json(60));
        snprintf(name, sizeof name, "run-%02d/notes.txt", i);
        tv_folder_text(&folder, name, "nobody reads this, and nobody needs to look at it twice\n");
    }
    tv_folder_text(&folder, "run-00/checkpoint-70/trainer_state.json", state_json(50));
    tv_folder_text(&folder, "run-01/trainer_log.jsonl", "");
    unsigned long costs[4], overhead = bytes_read();
    overhead = bytes_read() - overhead;
    for (int i = 0; i < 4; i++) {
        costs[i] = bytes_read();
        found.probed = &probed;
        tv_discover(&found, &path, 1);
        tv_probed_next(&probed);
        costs[i] = bytes_read() - costs[i];
        costs[i] -= costs[i] < overhead ? costs[i] : overhead;
        const char *seen = describe();
        ck_assert_int_eq(strstr(problems(), "is empty") == NULL, i == 3);
        if (i == 1) { /* as if nothing was remembered */
            strcpy(before, seen);
            ck_assert_str_eq(discover(""), before);
            tv_folder_text(&folder, "run-00/checkpoint-70/trainer_state.json", state_json(70));
        }
        if (i == 2) {
            ck_assert_ptr_nonnull(strstr(seen, "run-00: run-00/checkpoint-70/trainer_state.json"));
            tv_folder_text(&folder, "run-01/trainer_log.jsonl", log_line);
        }
        tv_found_free(&found);
    }
    ck_assert_uint_gt(costs[0], 20 * strlen(state_json(60)));
    ck_assert_uint_le(costs[1], 32);                         /* the numbers in the file grow */
    ck_assert_uint_le(costs[2], 2 * strlen(state_json(70))); /* with the look at its end */
    ck_assert_uint_le(costs[3], 2 * strlen(log_line));
    tv_probed_free(&probed);
}
END_TEST

static const char rows[] = "epoch,time,train/box_loss,lr/pg0\n1,2.5,1.5,0.01\n2,5,1.4,0.02\n";
static const char steps[] =
    "epoch,lr-AdamW,step,train_loss\r\n,1e-05,49,\r\n0,,49,2.5\r\n0,,99,2.4\r\n";

START_TEST(a_csv_log_says_after_event_files_what_they_say)
{
    tv_folder_text(&folder, "detect/train/results.csv", rows);
    tv_folder_text(&folder, "detect/train/args.yaml", "lr0: 0.01\n");
    tv_folder_events(&folder, "detect/train/events.out.tfevents.1700000001.n.7.0", 0, 1, 3);
    ck_assert_str_eq(discover("detect"), "train: detect/train/events.out.tfevents.1700000001.n.7.0"
                                         " detect/train/results.csv +detect/train/args.yaml");
    ck_assert_int_eq(found.runs[0].sources->rank, TV_RANK_EVENTS);
    ck_assert_int_eq(found.runs[0].sources->next->rank, TV_RANK_EPOCHS); /* has their sum */
    tv_folder_text(&folder, "other/results.csv", rows);
    tv_folder_events(&folder, "other/events.out.tfevents.1700000001.n.7.0", 0, 1, 3);
    discover("other");
    ck_assert_int_eq(found.runs[0].sources->next->rank, TV_RANK_TABLE);
    /* one of the user's own may count otherwise */
    tv_folder_text(&folder, "own/losses.csv", rows);
    tv_folder_events(&folder, "own/events.out.tfevents.1700000001.n.7.0", 0, 1, 3);
    ck_assert_str_eq(discover("own"), ".: own/events.out.tfevents.1700000001.n.7.0");
    ck_assert_str_eq(problems(), "");
}
END_TEST

START_TEST(versions_with_metrics_csv_are_versions)
{
    tv_folder_text(&folder, "version_0/metrics.csv", steps);
    tv_folder_text(&folder, "version_0/hparams.yaml", "lr: 0.01\n");
    tv_folder_text(&folder, "version_1/metrics.csv",
                   "lr-AdamW,step\r\n1e-05,149\r\n1e-05,199\r\n1e-05,249\r\n");
    tv_folder_text(&folder, "version_2/metrics.csv", steps);
    tv_folder_events(&folder, "version_2/events.out.tfevents.1700000001.n.7.0", 0, 1, 3);
    ck_assert_str_eq(discover(""), "version_0: version_0/metrics.csv,version_1/metrics.csv"
                                   " +version_0/hparams.yaml\n"
                                   "version_2: version_2/metrics.csv"
                                   " version_2/events.out.tfevents.1700000001.n.7.0");
}
END_TEST

START_TEST(tables_of_data_are_nobodys_run)
{
    tv_folder_text(&folder, "a/train.csv", "id,text\n1,hello\n");
    tv_folder_text(&folder, "a/results.csv", "model,latency\nx,3\n");
    tv_folder_text(&folder, "a/empty.csv", "");
    tv_folder_text(&folder, "b/trainer_state.json", state_json(60));
    tv_folder_text(&folder, "b/losses.csv", rows);
    ck_assert_str_eq(discover(""), "b: b/trainer_state.json");
    ck_assert_str_eq(problems(), "");
}
END_TEST

START_TEST(tables_of_deepspeed_are_one_run_and_others_one_each)
{
    tv_folder_text(&folder, "ds/Train_Samples_lr.csv", "step,lr\n32,1e-05\n");
    tv_folder_text(&folder, "ds/Train_Samples_train_loss.csv", "step,train_loss\n32,4\n");
    tv_folder_text(&folder, "ds/Train_Samples_elapsed_time_ms_step.csv",
                   "step,elapsed_time_ms_step\n32,4\n");
    tv_folder_text(&folder, "own/fold1.csv", rows);
    tv_folder_text(&folder, "own/fold2.csv", rows);
    ck_assert_str_eq(discover("ds"), ".: ds/Train_Samples_lr.csv ds/Train_Samples_train_loss.csv");
    discover("own");
    ck_assert_uint_eq(found.runs_len, 2);
    tv_folder_text(&folder, "own/results.csv", rows);
    tv_folder_text(&folder, "own/args.yaml", "lr0: 0.01\n");
    ck_assert_ptr_nonnull(strstr(discover("own"), ".: own/results.csv +own/args.yaml"));
}
END_TEST

START_TEST(event_file_of_a_host_named_like_a_source_file_is_found)
{
    tv_folder_events(&folder, "events.out.tfevents.1700000001.node.sh", 0, 10, 3);
    ck_assert_str_eq(discover(""), ".: events.out.tfevents.1700000001.node.sh");
}
END_TEST

START_TEST(fullest_checkpoint_wins_and_trainer_log_outranks_it)
{
    tv_folder_text(&folder, "out/checkpoint-500/trainer_state.json", state_json(500));
    tv_folder_text(&folder, "out/checkpoint-1000/trainer_state.json", state_json(1000));
    tv_folder_text(&folder, "out/trainer_log.jsonl", log_line);
    set_time("out/checkpoint-1000/trainer_state.json", 1000000000);
    ck_assert_str_eq(discover(""),
                     "out: out/checkpoint-1000/trainer_state.json out/trainer_log.jsonl");
    const struct tv_found_source *state = found.runs[0].sources;
    ck_assert_int_gt(state->rank, state->next->rank);
}
END_TEST

START_TEST(half_written_state_is_passed_over_and_named)
{
    tv_folder_text(&folder, "checkpoint-5/trainer_state.json", state_json(5));
    tv_folder_text(&folder, "checkpoint-9/trainer_state.json",
                   "{\n \"epoch\": 1.0,\n \"global_step\": 9,\n \"log_history\": [\n  {\"loss\":");
    ck_assert_str_eq(discover(""), ".: checkpoint-5/trainer_state.json");
    ck_assert(strstr(problems(), "/checkpoint-9/trainer_state.json: ends before its last brace"));
}
END_TEST

START_TEST(runs_folder_without_hf_is_a_run_for_each_log)
{
    tv_folder_events(&folder, "runs/Jan02_03-04-05_n/events.out.tfevents.1700000002.n.7.0", 0, 10,
                     3);
    tv_folder_events(&folder, "runs/Jan03_03-04-05_n/events.out.tfevents.1700000003.n.8.0", 0, 10,
                     3);
    discover("");
    ck_assert_uint_eq(found.runs_len, 2);
    ck_assert_str_eq(found.runs[0].name, "runs/Jan02_03-04-05_n");
    ck_assert_str_eq(found.runs[1].name, "runs/Jan03_03-04-05_n");
}
END_TEST

START_TEST(hf_arguments_join_the_logs_of_one_output_directory)
{
    for (int i = 1; i <= 2; i++) {
        char name[128];
        struct tv_bytes bytes = {0};
        tv_write_version(&bytes);
        tv_write_text(&bytes, 0, "args/text_summary", "{\"output_dir\": \"out\"}");
        tv_write_scalar(&bytes, 10, "train/loss", 1.0f);
        snprintf(name, sizeof name,
                 "out/runs/Jan0%d_03-04-05_n/events.out.tfevents.170000000%d.n.7.0", i, i);
        tv_folder_write(&folder, name, tv_bytes_span(&bytes));
        tv_bytes_free(&bytes);
    }
    discover("");
    ck_assert_uint_eq(found.runs_len, 1);
    ck_assert_str_eq(found.runs[0].name, "out");
}
END_TEST

START_TEST(of_the_two_copies_of_mmengine_one_is_read)
{
    static const char line[] = "{\"lr\": 1e-4, \"data_time\": 0.1, \"loss\": 2.5, \"epoch\": 1, "
                               "\"iter\": 50, \"step\": 50}\n";
    tv_folder_text(&folder, "w/20250101_000000/vis_data/20250101_000000.json", line);
    tv_folder_text(&folder, "w/20250101_000000/vis_data/scalars.json", line);
    ck_assert_str_eq(discover(""), "w/20250101_000000/vis_data: "
                                   "w/20250101_000000/vis_data/20250101_000000.json");
    tv_folder_text(&folder, "x/scalars.json", line);
    ck_assert_ptr_nonnull(strstr(discover(""), "x/scalars.json"));
}
END_TEST

START_TEST(lightning_versions_are_runs_of_their_own)
{
    tv_folder_events(&folder, "exp/lightning_logs/version_2/events.out.tfevents.1.n.7.0", 9, 10,
                     20);
    tv_folder_events(&folder, "exp/lightning_logs/version_10/events.out.tfevents.2.n.8.0", 49, 50,
                     9);
    ck_assert_str_eq(
        discover("exp"),
        "lightning_logs/version_2: exp/lightning_logs/version_2/events.out.tfevents.1.n.7.0\n"
        "lightning_logs/version_10: exp/lightning_logs/version_10/events.out.tfevents.2.n.8.0");
}
END_TEST

START_TEST(lightning_version_that_begins_in_the_middle_continues_the_one_before)
{
    tv_folder_events(&folder, "exp/lightning_logs/version_0/events.out.tfevents.1.n.7.0", 9, 10,
                     20);
    tv_folder_events(&folder, "exp/lightning_logs/version_1/events.out.tfevents.2.n.8.0", 159, 10,
                     20);
    ck_assert_str_eq(
        discover(""),
        "exp/lightning_logs/version_0: exp/lightning_logs/version_0/events.out.tfevents.1.n.7.0,"
        "exp/lightning_logs/version_1/events.out.tfevents.2.n.8.0");
}
END_TEST

START_TEST(a_name_never_changes_when_others_appear)
{
    static const char *const first[] = {"a/lightning_logs/version_0", "b/PPO_1",
                                        "c/runs/Jan02_03-04-05_n", "d/exp_1"};
    static const char *const second[] = {"a/lightning_logs/version_1", "b/PPO_2",
                                         "c/runs/Jan03_03-04-05_n", "d/exp_2"};
    char name[256];
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s/events.out.tfevents.1.n.7.0", first[i]);
        tv_folder_events(&folder, name, 0, 1, 3);
    }
    discover("");
    ck_assert_uint_eq(found.runs_len, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_str_eq(found.runs[i].name, first[i]);
        snprintf(name, sizeof name, "%s/events.out.tfevents.2.n.8.0", second[i]);
        tv_folder_events(&folder, name, 0, 1, 3);
    }
    discover("");
    ck_assert_uint_eq(found.runs_len, 8);
    for (size_t i = 0; i < 8; i++)
        ck_assert_str_eq(found.runs[i].name, i % 2 ? second[i / 2] : first[i / 2]);
    discover("a/lightning_logs/version_0");
    ck_assert_str_eq(found.runs[0].name, ".");
}
END_TEST

START_TEST(by_root_a_name_never_changes_when_another_path_joins)
{
    tv_folder_text(&folder, "a/x/trainer_log.jsonl", log_line);
    tv_folder_text(&folder, "b/x/trainer_log.jsonl", log_line);
    const char *paths[] = {tv_folder_path(&folder, "a"), tv_folder_path(&folder, "b/")};
    for (size_t count = 1; count <= 2; count++) {
        tv_found_free(&found);
        found.by_root = true;
        tv_discover(&found, paths, count);
        ck_assert_uint_eq(found.runs_len, count);
        for (size_t i = 0; i < count; i++) {
            ck_assert_str_eq(found.runs[i].name, "x");
            ck_assert_str_eq(found.runs[i].root, tv_folder_path(&folder, i ? "b" : "a"));
        }
    }
}
END_TEST

START_TEST(names_that_cannot_be_shown_or_are_too_long_differ_as_the_directories_do)
{
    char deep[800] = "";
    for (int i = 0; i < 3; i++)
        snprintf(deep + strlen(deep), sizeof deep - strlen(deep), "%0200d/", i);
    const char *const ends[] = {"a\xff", "a\xfe", "a\n", "a\x01", "a\xEF\xBF\xBD"};
    for (size_t i = 0; i < 10; i++) {
        char path[900];
        snprintf(path, sizeof path, "%s%s/trainer_log.jsonl", i < 5 ? "" : deep, ends[i % 5]);
        tv_folder_text(&folder, path, log_line);
    }
    discover("");
    ck_assert_uint_eq(found.runs_len, 10);
    for (size_t i = 0; i < 10; i++) {
        char safe[512];
        ck_assert_str_eq(tv_escape(tv_span_of(found.runs[i].name), safe, sizeof safe),
                         found.runs[i].name);
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(found.runs[i].name, found.runs[k].name);
    }
}
END_TEST

START_TEST(keras_train_and_validation_are_one_run_with_prefixes)
{
    tv_folder_events(&folder, "r/train/events.out.tfevents.1.n.7.0.v2", 0, 1, 3);
    tv_folder_events(&folder, "r/validation/events.out.tfevents.2.n.7.1.v2", 0, 1, 3);
    tv_folder_events(&folder, "alone/train/events.out.tfevents.1.n.7.0.v2", 0, 1, 3);
    ck_assert_str_eq(discover(""), "alone: train/alone/train/events.out.tfevents.1.n.7.0.v2\n"
                                   "r: train/r/train/events.out.tfevents.1.n.7.0.v2"
                                   " validation/r/validation/events.out.tfevents.2.n.7.1.v2");
}
END_TEST

START_TEST(folders_of_add_hparams_and_add_scalars_belong_to_their_writer)
{
    tv_folder_events(&folder, "r/events.out.tfevents.100.n.7.0", 0, 1, 3);
    tv_folder_events(&folder, "r/1700000000.1234/events.out.tfevents.101.n.7.1", 0, 1, 1);
    tv_folder_events(&folder, "r/train_loss_a/events.out.tfevents.102.n.7.2", 0, 1, 3);
    tv_folder_events(&folder, "r/other/events.out.tfevents.103.n.7.3", 0, 1, 3);
    ck_assert_str_eq(discover(""), "r: r/events.out.tfevents.100.n.7.0"
                                   " r/1700000000.1234/events.out.tfevents.101.n.7.1"
                                   " train_loss_a/r/train_loss_a/events.out.tfevents.102.n.7.2\n"
                                   "r/other: r/other/events.out.tfevents.103.n.7.3");
}
END_TEST

START_TEST(logs_of_one_kind_beside_each_other_are_runs_of_their_own)
{
    tv_folder_text(&folder, "logs/first.jsonl", log_line);
    tv_folder_text(&folder, "logs/second.jsonl", log_line);
    ck_assert_str_eq(discover(""), "logs/first.jsonl: logs/first.jsonl\n"
                                   "logs/second.jsonl: logs/second.jsonl");
}
END_TEST

START_TEST(configuration_lies_with_its_run_and_is_none_by_itself)
{
    const char *yaml = "stage: sft\nlearning_rate: 1.0e-4\nnum_train_epochs: 3.0\n"
                       "lr_scheduler_type: cosine\noutput_dir: out\nmodel_name_or_path: m\n";
    tv_folder_text(&folder, "r/train.yaml", yaml);
    tv_folder_text(&folder, "r/trainer_log.jsonl", log_line);
    tv_folder_text(&folder, "only/train.yaml", yaml);
    discover("");
    ck_assert_uint_eq(found.runs_len, 1);
    ck_assert_str_eq(found.runs[0].name, "r");
    ck_assert_ptr_nonnull(found.runs[0].configs);
    ck_assert(tv_span_ends(tv_span_of(found.runs[0].configs->path), "r/train.yaml"));
}
END_TEST

START_TEST(a_file_by_itself_is_the_run)
{
    tv_folder_text(&folder, "trainer_log.jsonl", log_line);
    ck_assert_str_eq(discover("trainer_log.jsonl"), ".: trainer_log.jsonl");
}
END_TEST

START_TEST(several_paths_give_names_that_differ)
{
    tv_folder_text(&folder, "a/trainer_log.jsonl", log_line);
    tv_folder_text(&folder, "b/x/trainer_log.jsonl", log_line);
    const char *paths[] = {tv_folder_path(&folder, "a"), tv_folder_path(&folder, "b/")};
    tv_discover(&found, paths, 2);
    ck_assert_uint_eq(found.runs_len, 2);
    ck_assert_str_eq(found.runs[0].name, tv_folder_path(&folder, "a"));
    ck_assert_str_eq(found.runs[1].name, tv_folder_path(&folder, "b/x"));
}
END_TEST

START_TEST(event_files_of_one_directory_given_one_by_one_are_one_run)
{
    tv_folder_events(&folder, "r/events.out.tfevents.1.n.7.0", 0, 1, 3);
    tv_folder_events(&folder, "r/events.out.tfevents.2.n.8.0", 3, 1, 3);
    const char *paths[] = {tv_folder_path(&folder, "r/events.out.tfevents.1.n.7.0"),
                           tv_folder_path(&folder, "r/events.out.tfevents.2.n.8.0")};
    tv_discover(&found, paths, 2);
    ck_assert_uint_eq(found.runs_len, 1);
    ck_assert_ptr_nonnull(found.runs[0].sources->files->next);
    tv_found_free(&found);
    tv_discover_files(&found, paths, 2);
    ck_assert_uint_eq(found.runs_len, 2);
}
END_TEST

START_TEST(compressed_logs_are_found_by_their_inner_name)
{
    struct tv_span packed = tv_gzip(tv_span_of(log_line));
    tv_folder_write(&folder, "trainer_log.jsonl.gz", packed);
    free((char *)packed.data);
    ck_assert_str_eq(discover(""), ".: trainer_log.jsonl.gz");
}
END_TEST

START_TEST(what_is_no_regular_file_is_named_and_not_opened)
{
    tv_folder_text(&folder, "trainer_log.jsonl", log_line);
    ck_assert_int_eq(mkfifo(tv_folder_path(&folder, "events.out.tfevents.1.n.7.0"), 0644), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", tv_folder_path(&folder, "sock"));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_str_eq(discover(""), ".: trainer_log.jsonl");
    ck_assert_str_eq(problems(),
                     "/events.out.tfevents.1.n.7.0: is a named pipe, not a regular file, "
                     "and was not opened\n"
                     "/sock: is a socket, not a regular file, and was not opened");
    discover("sock");
    ck_assert_str_eq(problems(), "/sock: is a socket, not a regular file, and was not opened");
    close(fd);
}
END_TEST

START_TEST(symbolic_links_to_files_are_followed_and_loops_named)
{
    tv_folder_text(&folder, "a/real.jsonl", log_line);
    ck_assert_int_eq(mkdir(tv_folder_path(&folder, "b"), 0755), 0);
    ck_assert_int_eq(symlink("../a/real.jsonl", tv_folder_path(&folder, "b/trainer_log.jsonl")), 0);
    ck_assert_int_eq(symlink("..", tv_folder_path(&folder, "b/up")), 0);
    ck_assert_int_eq(symlink("self", tv_folder_path(&folder, "b/self")), 0);
    ck_assert_int_eq(symlink("../a", tv_folder_path(&folder, "b/side")), 0);
    ck_assert_int_eq(symlink("gone.jsonl", tv_folder_path(&folder, "b/image.txt")), 0);
    ck_assert_str_eq(discover("b"), ".: b/trainer_log.jsonl");
    ck_assert_str_eq(problems(),
                     "/b/self: is a symbolic link that leads to itself and was not followed");
    discover("");
    ck_assert_uint_eq(found.runs_len, 2);
    ck_assert(strstr(problems(), "/b/up: is a symbolic link back to a directory above it"));
}
END_TEST

START_TEST(path_itself_may_be_a_symbolic_link)
{
    tv_folder_text(&folder, "a/trainer_log.jsonl", log_line);
    ck_assert_int_eq(symlink("a", tv_folder_path(&folder, "latest")), 0);
    ck_assert_str_eq(discover("latest"), ".: latest/trainer_log.jsonl");
}
END_TEST

START_TEST(empty_log_is_named_and_the_rest_is_found)
{
    tv_folder_text(&folder, "trainer_log.jsonl", log_line);
    tv_folder_text(&folder, "events.out.tfevents.1.n.7.0", "");
    tv_folder_text(&folder, "notes.txt", "");
    ck_assert_str_eq(discover(""), ".: trainer_log.jsonl");
    ck_assert_str_eq(problems(),
                     "/events.out.tfevents.1.n.7.0: is empty: nothing has been logged yet");
}
END_TEST

START_TEST(directory_without_logs_says_so_once)
{
    tv_folder_text(&folder, "notes.txt", "hello\n");
    tv_folder_text(&folder, "model.safetensors", "x");
    discover("");
    ck_assert_uint_eq(found.runs_len, 0);
    ck_assert(tv_span_starts(tv_span_of(problems()), ": holds no training log"));
    ck_assert_uint_eq(found.problems_len, 1);
}
END_TEST

START_TEST(missing_path_and_file_of_no_format_say_why)
{
    tv_folder_text(&folder, "notes.txt", "hello\n");
    discover("missing");
    ck_assert_str_eq(problems(), "/missing: cannot be read: No such file or directory");
    discover("notes.txt");
    ck_assert(tv_span_starts(tv_span_of(problems()), "/notes.txt: is no log or configuration"));
}
END_TEST

START_TEST(unreadable_file_is_named_and_the_rest_is_found)
{
    tv_folder_remove(&folder);
    tv_become_nobody(true);
    folder = tv_folder_new();
    tv_folder_text(&folder, "a/trainer_log.jsonl", log_line);
    tv_folder_text(&folder, "b/trainer_log.jsonl", log_line);
    ck_assert_int_eq(chmod(tv_folder_path(&folder, "b/trainer_log.jsonl"), 0), 0);
    ck_assert_int_eq(mkdir(tv_folder_path(&folder, "locked"), 0), 0);
    ck_assert_str_eq(discover(""), "a: a/trainer_log.jsonl");
    ck_assert_str_eq(problems(), "/b/trainer_log.jsonl: cannot be read: Permission denied\n"
                                 "/locked: cannot be read: Permission denied");
    tv_become_nobody(false);
}
END_TEST

START_TEST(depth_is_bounded_and_said_once)
{
    char name[512] = "";
    for (int i = 0; i < TV_DISCOVER_DEPTH + 3; i++)
        strcat(name, "d/");
    strcat(name, "trainer_log.jsonl");
    tv_folder_text(&folder, name, log_line);
    discover("");
    ck_assert_uint_eq(found.runs_len, 0);
    ck_assert_ptr_nonnull(strstr(problems(), "nested more than 24 directories deep"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("discover");
    TCase *runs = tcase_create("runs"), *bad = tcase_create("bad input");
    tcase_add_checked_fixture(runs, setup, teardown);
    tcase_add_checked_fixture(bad, setup, teardown);
    tcase_add_test(runs, hf_output_directory_is_one_run_with_one_history);
    tcase_add_test(runs, event_file_of_a_host_named_like_a_source_file_is_found);
    tcase_add_test(runs, a_csv_log_says_after_event_files_what_they_say);
    tcase_add_test(runs, versions_with_metrics_csv_are_versions);
    tcase_add_test(runs, tables_of_data_are_nobodys_run);
    tcase_add_test(runs, tables_of_deepspeed_are_one_run_and_others_one_each);
    tcase_add_test(runs, fullest_checkpoint_wins_and_trainer_log_outranks_it);
    tcase_add_test(runs, half_written_state_is_passed_over_and_named);
    tcase_add_test(runs, runs_folder_without_hf_is_a_run_for_each_log);
    tcase_add_test(runs, hf_arguments_join_the_logs_of_one_output_directory);
    tcase_add_test(runs, of_the_two_copies_of_mmengine_one_is_read);
    tcase_add_test(runs, lightning_versions_are_runs_of_their_own);
    tcase_add_test(runs, lightning_version_that_begins_in_the_middle_continues_the_one_before);
    tcase_add_test(runs, a_name_never_changes_when_others_appear);
    tcase_add_test(runs, names_that_cannot_be_shown_or_are_too_long_differ_as_the_directories_do);
    tcase_add_test(runs, by_root_a_name_never_changes_when_another_path_joins);
    tcase_add_test(runs, keras_train_and_validation_are_one_run_with_prefixes);
    tcase_add_test(runs, folders_of_add_hparams_and_add_scalars_belong_to_their_writer);
    tcase_add_test(runs, logs_of_one_kind_beside_each_other_are_runs_of_their_own);
    tcase_add_test(runs, configuration_lies_with_its_run_and_is_none_by_itself);
    tcase_add_test(runs, a_file_by_itself_is_the_run);
    tcase_add_test(runs, several_paths_give_names_that_differ);
    tcase_add_test(runs, event_files_of_one_directory_given_one_by_one_are_one_run);
    tcase_add_test(runs, compressed_logs_are_found_by_their_inner_name);
    tcase_add_test(bad, what_is_no_regular_file_is_named_and_not_opened);
    tcase_add_test(bad, symbolic_links_to_files_are_followed_and_loops_named);
    tcase_add_test(bad, path_itself_may_be_a_symbolic_link);
    tcase_add_test(bad, empty_log_is_named_and_the_rest_is_found);
    tcase_add_test(bad, directory_without_logs_says_so_once);
    tcase_add_test(runs, the_next_search_opens_only_what_is_new_or_changed);
    tcase_add_test(bad, missing_path_and_file_of_no_format_say_why);
    tcase_add_test(bad, unreadable_file_is_named_and_the_rest_is_found);
    tcase_add_test(bad, depth_is_bounded_and_said_once);
    suite_add_tcase(suite, runs);
    suite_add_tcase(suite, bad);
    return tv_test_main(suite);
}
