/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "lib/config.h"
#include "lib/known_keys.h"
#include "lib/yaml_types.h"
#include "support/config.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct tv_parser tv_parser_lf_yaml;

static struct tv_config_run run;

static void read_yaml(const char *text)
{
    tv_config_run_text(&run, &tv_parser_lf_yaml, text);
}

static void close_run(void)
{
    tv_config_run_free(&run);
}

START_TEST(settings_carry_value_type_and_line)
{
    read_yaml("### method\nstage: sft\nfinetuning_type: lora  # adapter\n\nlearning_rate: 1.0e-4\n"
              "warmup_steps: 50  # optimizer steps\nbf16: true\nmax_samples: null\nsave_steps:\n"
              "report_to: \"none\"\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F stage=sft string source 2 line 2\n");
    tv_config_has(&run, "F learning_rate=1.0e-4 source 2 line 5\n");
    tv_config_has(&run, "F warmup_steps=50 source 2 line 6\n");
    tv_config_has(&run, "F bf16=true source 2 line 7\n");
    tv_config_has(&run, "F max_samples=null null source 2 line 8\n");
    tv_config_has(&run, "F save_steps=null null source 2 line 9\n");
    tv_config_has(&run, "F report_to=none string source 2 line 10\n");
    tv_config_has(&run, "F framework=llamafactory string source 2 line 3\n");
    ck_assert_uint_eq(run.capture.damages + run.capture.notes, 0);
}
END_TEST

START_TEST(numbers_without_a_dot_are_text_in_yaml)
{
    read_yaml("learning_rate: 1e-4\nweight_decay: 5.0e-5\n");
    tv_config_has(&run, "F learning_rate=1e-4 string source 2 line 1\n");
    tv_config_has(&run, "F weight_decay=5.0e-5 source 2 line 2\n");
}
END_TEST

START_TEST(scheduler_kwargs_are_the_same_in_all_forms)
{
    static const char *const forms[] = {
        "lr_scheduler_kwargs:\n  num_cycles: 3\n  min_lr: 1.0e-6\n",
        "lr_scheduler_kwargs: {num_cycles: 3, min_lr: 1.0e-6}\n",
        "lr_scheduler_kwargs: '{\"num_cycles\": 3, \"min_lr\": 1.0e-6}'\n",
        "lr_scheduler_kwargs: \"{\\\"num_cycles\\\": 3, \\\"min_lr\\\": 1.0e-6}\"\n",
        "lr_scheduler_kwargs: >-\n  {\"num_cycles\": 3,\n  \"min_lr\": 1.0e-6}\n",
        "\"lr_scheduler_kwargs\":\r\n  num_cycles: 3\r\n  min_lr: 1.0e-6\r\n",
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        read_yaml(forms[i]);
        ck_assert_int_eq(run.status, TV_OK);
        tv_config_has(&run, "F lr_scheduler_kwargs.num_cycles=3 source 2 line ");
        tv_config_has(&run, "F lr_scheduler_kwargs.min_lr=1.0e-6 source 2 line ");
        ck_assert_uint_eq(run.capture.facts, 2);
        ck_assert_uint_eq(run.capture.notes, 0);
    }
}
END_TEST

START_TEST(scalars_have_yaml_1_1_types)
{
    /* resolved by PyYAML 6.0: yaml.safe_load */
    static const char *const numbers[] = {"1",      "-1",    "1_000", "0.1",  ".5",  "1.",
                                          "1.0e-4", "1.e+3", "0x1F",  "0b10", "010", "true",
                                          "Off",    ".inf",  ".NaN",  "0"};
    static const char *const texts[] = {"1e-4", "1e4", "1.0e4", "1.5e", "_1",   "0x",
                                        "e-4",  "-.5", "1.2.3", "08",   "tRUE", "inf",
                                        "nan",  "-",   "None",  "4,5"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        ck_assert_msg(tv_yaml_type(tv_span_of(numbers[i]), true, NULL) == TV_CONFIG_NUMBER, "%s",
                      numbers[i]);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(tv_yaml_type(tv_span_of(texts[i]), true, NULL) == TV_CONFIG_TEXT, "%s",
                      texts[i]);
    ck_assert_int_eq(tv_yaml_type(tv_span_of("~"), true, NULL), TV_CONFIG_NULL);
    ck_assert_int_eq(tv_yaml_type(tv_span_of(""), true, NULL), TV_CONFIG_NULL);
    ck_assert_int_eq(tv_yaml_type(tv_span_of(""), false, NULL), TV_CONFIG_TEXT);
    ck_assert_int_eq(tv_yaml_type(tv_span_of("1e-4"), true, "tag:yaml.org,2002:float"),
                     TV_CONFIG_NUMBER);
    ck_assert_int_eq(tv_yaml_type(tv_span_of("1"), true, "tag:yaml.org,2002:str"), TV_CONFIG_TEXT);
}
END_TEST

START_TEST(board_form_is_told_in_llama_factorys_words)
{
    read_yaml("top.finetuning_type: lora\ntop.model_name: Qwen\ntrain.learning_rate: 5e-5\n"
              "train.batch_size: 2\ntrain.lr_scheduler_type: cosine\ntrain.num_train_epochs: "
              "'3.0'\ntrain.warmup_steps: 0\ntrain.dataset:\n- alpaca\n"
              "train.extra_args: '{\"optim\": \"adamw_torch\", \"lr_scheduler_kwargs\": "
              "{\"num_cycles\": 2}}'\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F learning_rate=5e-5 source 2 line 3\n");
    tv_config_has(&run, "F per_device_train_batch_size=2 source 2 line 4\n");
    tv_config_has(&run, "F num_train_epochs=3.0 source 2 line 6\n");
    tv_config_has(&run, "F dataset.0=alpaca string source 2 line 9\n");
    tv_config_has(&run, "F optim=adamw_torch string source 2 line 10\n");
    tv_config_has(&run, "F lr_scheduler_kwargs.num_cycles=2 source 2 line 10\n");
    tv_config_has(&run, "F framework=llamafactory string");
    ck_assert_uint_eq(run.capture.notes, 0);
}
END_TEST

START_TEST(unknown_settings_are_noted_with_the_right_one)
{
    read_yaml("stage: sft\nfinetuning_type: lora\nnum_cycles: 3\nlearing_rate: 0.1\n"
              "early_stopping_patience: 3\nfrobnicate_the_whole_thing: 1\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "N 0 0 3 num_cycles is no setting of LLaMA Factory");
    tv_config_has(&run, "perhaps lr_scheduler_kwargs: {num_cycles: ...} was meant\n");
    tv_config_has(&run, "N 0 0 4 learing_rate is");
    tv_config_has(&run, "perhaps learning_rate was meant\n");
    tv_config_has(&run, "perhaps early_stopping_steps was meant\n");
    tv_config_has(&run, "N 0 0 6 frobnicate_the_whole_thing is");
    ck_assert_uint_eq(run.capture.notes, 4);
    ck_assert_uint_eq(run.capture.damages, 0);
    tv_config_has(&run, "F num_cycles=3 source"); /* still a fact, so that lint can say more */
}
END_TEST

START_TEST(unknown_settings_of_other_programs_are_not_noted)
{
    read_yaml("learning_rate: 0.1\nper_device_train_batch_size: 2\ndataset_name: x\nmy_flag: 1\n");
    ck_assert_int_eq(run.status, TV_OK);
    ck_assert_uint_eq(run.capture.notes, 0);
    tv_config_has(&run, "F framework=transformers string source 5");
}
END_TEST

START_TEST(key_table_is_sorted_and_finds_every_key)
{
    static const char *const some[] = {"learning_rate",
                                       "finetuning_type",
                                       "adam_beta1",
                                       "warmup_ratio",
                                       "lora_target",
                                       "vllm_maxlen",
                                       "account_for_embedding_in_pipeline_split",
                                       "xpu_backend",
                                       "early_stopping_steps",
                                       "evaluation_strategy"};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        ck_assert_msg(tv_known_key(tv_span_of(some[i])), "%s", some[i]);
    ck_assert(!tv_known_key(tv_span_of("num_cycles")));
    ck_assert(!tv_known_key(tv_span_of("learning_rat")));
    ck_assert(!tv_known_key(tv_span_of("learning_rates")));
    ck_assert(!tv_known_key(tv_span_of("")));
    ck_assert_str_eq(tv_nearest_key(tv_span_of("warmup_step")), "warmup_steps");
    ck_assert_str_eq(tv_nearest_key(tv_span_of("wramup_ratio")), "warmup_ratio");
    ck_assert_ptr_null(tv_nearest_key(tv_span_of("zzzzzzzzzz")));
    char huge[500];
    memset(huge, 'a', sizeof huge);
    ck_assert_ptr_null(tv_nearest_key((struct tv_span){huge, sizeof huge}));
}
END_TEST

START_TEST(last_of_duplicate_keys_wins_with_a_note)
{
    read_yaml("learning_rate: 0.1\nseed: 1\nlearning_rate: 0.2\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "N 0 0 3 learning_rate is written twice");
    ck_assert_ptr_nonnull(strstr(strstr(run.capture.text, "learning_rate=0.1"),
                                 "F learning_rate=0.2 source 2 line 3\n"));
    ck_assert_uint_eq(run.capture.notes, 1);
}
END_TEST

START_TEST(byte_order_mark_crlf_and_document_start_are_fine)
{
    read_yaml("\xEF\xBB\xBF%YAML 1.1\r\n---\r\nlearning_rate: 0.1\r\nseed: 1\r\n...\r\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F learning_rate=0.1 source 2 line 3\n");
    ck_assert_uint_eq(run.capture.notes, 0);
}
END_TEST

START_TEST(second_document_is_left_out_with_a_note)
{
    read_yaml("learning_rate: 0.1\n---\nlearning_rate: 0.2\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "N 0 0 2 only the first of several YAML documents is read\n");
    tv_config_lacks(&run, "0.2");
}
END_TEST

START_TEST(tab_is_named_as_the_cause)
{
    read_yaml("learning_rate: 0.1\nlr_scheduler_kwargs:\n\tnum_cycles: 3\n");
    ck_assert_int_eq(run.status, TV_ECORRUPT);
    ck_assert_ptr_nonnull(strstr(run.error.message, "tab"));
    ck_assert_uint_eq(run.error.line, 3);
    tv_config_has(&run, "F learning_rate=0.1 source"); /* what came before stays */
}
END_TEST

START_TEST(broken_yaml_names_the_line)
{
    read_yaml("learning_rate: 0.1\nseed: [1, 2\nx: }\n");
    ck_assert_int_eq(run.status, TV_ECORRUPT);
    ck_assert_uint_ge(run.error.line, 2);
    ck_assert_ptr_nonnull(strstr(run.error.message, "not valid YAML"));
}
END_TEST

START_TEST(what_is_not_a_mapping_is_refused)
{
    read_yaml("");
    ck_assert_int_eq(run.status, TV_EUNSUPPORTED);
    read_yaml("# only a comment\n");
    ck_assert_int_eq(run.status, TV_EUNSUPPORTED);
    read_yaml("- a\n- b\n");
    ck_assert_int_eq(run.status, TV_EUNSUPPORTED);
    read_yaml("just text\n");
    ck_assert_int_eq(run.status, TV_EUNSUPPORTED);
}
END_TEST

START_TEST(anchors_and_merges_are_followed)
{
    read_yaml("base: &base\n  learning_rate: 0.1\n  seed: 1\nrate: &rate 0.5\n"
              "other:\n  seed: 2\n  <<: *base\n  copy: *rate\n  list: [*rate, x]\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F other.learning_rate=0.1 source");
    tv_config_has(&run, "F other.seed=2 source");
    tv_config_lacks(&run, "other.seed=1");
    tv_config_has(&run, "F other.copy=0.5 source");
    tv_config_has(&run, "F other.list.0=0.5 source");
    ck_assert_uint_eq(run.capture.notes, 0);
    read_yaml("a: &x {k: 1}\nb: &x {k: 2}\n<<: [*x]\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F k=2 source"); /* an anchor defined anew */
    read_yaml("a: *nowhere\n");
    ck_assert_int_ne(run.status, TV_AGAIN);
}
END_TEST

START_TEST(alias_bomb_is_refused)
{
    char text[4096];
    struct tv_text bomb = tv_text_in(text, sizeof text);
    tv_text_add(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 12; i++)
        tv_text_add(&bomb, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i,
                    i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    read_yaml(text);
    ck_assert_int_eq(run.status, TV_ELIMIT);
    ck_assert_ptr_nonnull(strstr(run.error.message, "aliases"));
    read_yaml("a: &a [*a]\n"); /* contains itself */
    ck_assert_int_eq(run.status, TV_ELIMIT);
    read_yaml("a: &a\n  <<: *a\n");
    ck_assert_int_eq(run.status, TV_ELIMIT);
}
END_TEST

START_TEST(depth_bomb_is_refused)
{
    char *text = tv_repeated("a: ", "[", 10000, "");
    read_yaml(text);
    ck_assert_int_eq(run.status, TV_ELIMIT);
    ck_assert_ptr_nonnull(strstr(run.error.message, "64"));
    free(text);
    text = tv_repeated("a: ", "{a: ", 10000, "");
    read_yaml(text);
    ck_assert_int_eq(run.status, TV_ELIMIT);
    free(text);
    static const char *const keys[] = {"? ", "? {", "? [", "? - "}; /* of keys that are left out */
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        text = tv_repeated("learning_rate: 1\n", keys[i], 200000, "");
        read_yaml(text);
        ck_assert_int_eq(run.status, TV_ELIMIT);
        ck_assert_uint_eq(run.capture.facts, 1);
        free(text);
    }
    text = tv_repeated("learning_rate: 1\n? ", "{", 1000000, "");
    read_yaml(text);
    ck_assert_int_eq(run.status, TV_ELIMIT);
    free(text);
}
END_TEST

START_TEST(number_of_values_and_size_are_bounded)
{
    char *text = tv_repeated("a: [", "1,", 20000, "1]\n");
    read_yaml(text);
    ck_assert_int_eq(run.status, TV_ELIMIT);
    ck_assert_uint_le(run.capture.facts, TV_CONFIG_NODES_MAX);
    free(text);
    text = tv_repeated("a: ", "x", TV_CONFIG_BYTES_MAX, "\n");
    read_yaml(text);
    ck_assert_int_eq(run.status, TV_ELIMIT);
    free(text);
}
END_TEST

START_TEST(huge_value_passes_through)
{
    char *text = tv_repeated("learning_rate: ", "x", TV_CONFIG_BYTES_MAX - 64, "\nseed: 1\n");
    read_yaml(text);
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F seed=1 source 2 line 2\n");
    free(text);
}
END_TEST

START_TEST(bytes_that_are_no_text_do_not_hide_the_rest)
{
    static const char text[] = "# \xB0\xA1 comment in another encoding\nlearning_rate: 0.1\n"
                               "dataset: \"a\0b\"\nseed: 1 # \xFF\xC3";
    tv_config_run(&run, &tv_parser_lf_yaml, (struct tv_span){text, sizeof text - 1});
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F learning_rate=0.1 source 2 line 2\n");
    tv_config_has(&run, "F dataset=a?b string source 2 line 3\n");
    tv_config_has(&run, "F seed=1 source 2 line 4\n");
    tv_config_has(&run, "bytes that are not UTF-8 text");
    ck_assert_uint_eq(run.capture.notes, 1);
}
END_TEST

START_TEST(mappings_are_merged_as_pyyaml_does)
{
    /* values by yaml.safe_load() of PyYAML 6.0 */
    read_yaml("a: &a\n  lr: 1\n  eps: 2\n"
              "b: &b\n  <<: *a\n  lr: 3\n"
              "c: &c\n  lr: 4\n  <<: *a\n  wd: 5\n"
              "d:\n  <<: [*b, *c]\ne:\n  <<: *c\n  eps: 6\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F d.lr=3 source");
    tv_config_has(&run, "F d.eps=2 source");
    tv_config_has(&run, "F d.wd=5 source");
    tv_config_has(&run, "F e.lr=4 source");
    tv_config_has(&run, "F e.wd=5 source");
    ck_assert_ptr_null(strstr(run.capture.text, "F d.lr=4"));
    ck_assert_ptr_null(strstr(run.capture.text, "F d.lr=1"));
    ck_assert_ptr_null(strstr(run.capture.text, "F e.lr=1"));
}
END_TEST

START_TEST(odd_numbers_have_pyyamls_values)
{
    /* values by yaml.safe_load() of PyYAML 6.0 */
    read_yaml("a: 0x1F\nb: 017\nc: 0b101\nd: 1:30\ne: 1__0\nf: -.inf\ng: 190:20:30.15\nh: 0o17\n"
              "i: 08\nj: +1_0.5\nk:\t1\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F a=31 source");
    tv_config_has(&run, "F b=15 source");
    tv_config_has(&run, "F c=5 source");
    tv_config_has(&run, "F d=90 source");
    tv_config_has(&run, "F e=10 source");
    tv_config_has(&run, "F f=-inf source");
    tv_config_has(&run, "F g=685230.15");
    tv_config_has(&run, "F h=0o17 string");
    tv_config_has(&run, "F i=08 string");
    tv_config_has(&run, "F j=+10.5 source");
    tv_config_has(&run, "a tab stands behind k, which PyYAML refuses");
}
END_TEST

START_TEST(flow_mapping_is_recognised)
{
    ck_assert_int_gt(tv_parser_lf_yaml.probe(tv_span_of("a.yaml"),
                                             tv_span_of("{stage: sft, \"learning_rate\": 1.0e-4,\n"
                                                        " 'max_steps': 10}")),
                     0);
}
END_TEST

START_TEST(text_in_any_script_is_kept)
{
    read_yaml("dataset: \"\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4 \xE4\xB8\xAD\xE6\x96\x87 "
              "\xF0\x9F\x9A\x80\"\nseed: 1\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4 \xE4\xB8\xAD\xE6\x96\x87 "
                        "\xF0\x9F\x9A\x80");
    ck_assert_uint_eq(run.capture.notes, 0);
}
END_TEST

START_TEST(every_cut_of_a_file_is_survived)
{
    static const char text[] = "stage: sft\nx: &a {k: [1, \"2\", 'three']}\nlr_scheduler_kwargs: "
                               "'{\"num_cycles\": 3}'\ny: *a\nz: |\n  block\n? complex\n: v\n";
    for (size_t len = 0; len < sizeof text; len++)
        tv_config_run(&run, &tv_parser_lf_yaml, (struct tv_span){text, len});
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F y.k.2=three string");
}
END_TEST

static int probe(const char *name, const char *head)
{
    return tv_parser_lf_yaml.probe(tv_span_of(name), tv_span_of(head));
}

START_TEST(content_decides_what_is_a_training_configuration)
{
    ck_assert_int_ge(probe("train.yaml", "### model\nmodel_name_or_path: x\nstage: sft\n"), 80);
    ck_assert_int_ge(probe("x.yml", "learning_rate: 1\nlr_scheduler_type: cosine\n"), 50);
    ck_assert_int_ge(probe("llamaboard_config.yaml", "top.finetuning_type: lora\n"
                                                     "train.learning_rate: 5e-5\n"),
                     80);
    ck_assert_int_gt(probe("x.yaml", "learning_rate: 1e-4\n"), 0);
    ck_assert_int_eq(probe("compose.yaml", "services:\n  web:\n    image: x\n"), 0);
    ck_assert_int_eq(probe("x.yaml", ""), 0);
    ck_assert_int_eq(probe("train.txt", "stage: sft\nlearning_rate: 1\n"), 0);
    ck_assert_int_eq(probe("ci.yaml", "stage: build\n"), 0);
}
END_TEST

/* Every configuration of the labelled runs, when they are at hand. */
START_TEST(all_configurations_of_the_labelled_runs_are_read)
{
    char path[600];
    snprintf(path, sizeof path, "%s/../shared/bench/dev", TRAINVET_SOURCE_DIR);
    DIR *dir = opendir(path);
    size_t count = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        snprintf(path, sizeof path, "bench/dev/%s/train.yaml", entry->d_name);
        struct tv_span text = tv_shared_file(path);
        if (!text.data)
            continue;
        struct tv_span head = {text.data, text.len < 4096 ? text.len : 4096};
        ck_assert_int_ge(tv_parser_lf_yaml.probe(tv_span_of("train.yaml"), head), 80);
        tv_config_run(&run, &tv_parser_lf_yaml, text);
        ck_assert_msg(run.status == TV_OK, "%s: %s", path, run.error.message);
        ck_assert_msg(run.capture.notes + run.capture.damages == 0, "%s: %s", path,
                      run.capture.text);
        tv_config_has(&run, "F learning_rate=");
        tv_config_has(&run, "F framework=llamafactory ");
        free((char *)text.data);
        count++;
    }
    if (dir) {
        closedir(dir);
        ck_assert_uint_gt(count, 50);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("lf_yaml");
    TCase *t = tcase_create("lf_yaml");
    tcase_add_checked_fixture(t, NULL, close_run);
    tcase_add_test(t, settings_carry_value_type_and_line);
    tcase_add_test(t, numbers_without_a_dot_are_text_in_yaml);
    tcase_add_test(t, scheduler_kwargs_are_the_same_in_all_forms);
    tcase_add_test(t, scalars_have_yaml_1_1_types);
    tcase_add_test(t, board_form_is_told_in_llama_factorys_words);
    tcase_add_test(t, unknown_settings_are_noted_with_the_right_one);
    tcase_add_test(t, unknown_settings_of_other_programs_are_not_noted);
    tcase_add_test(t, key_table_is_sorted_and_finds_every_key);
    tcase_add_test(t, last_of_duplicate_keys_wins_with_a_note);
    tcase_add_test(t, byte_order_mark_crlf_and_document_start_are_fine);
    tcase_add_test(t, second_document_is_left_out_with_a_note);
    tcase_add_test(t, tab_is_named_as_the_cause);
    tcase_add_test(t, broken_yaml_names_the_line);
    tcase_add_test(t, what_is_not_a_mapping_is_refused);
    tcase_add_test(t, anchors_and_merges_are_followed);
    tcase_add_test(t, alias_bomb_is_refused);
    tcase_add_test(t, depth_bomb_is_refused);
    tcase_add_test(t, number_of_values_and_size_are_bounded);
    tcase_add_test(t, huge_value_passes_through);
    tcase_add_test(t, bytes_that_are_no_text_do_not_hide_the_rest);
    tcase_add_test(t, mappings_are_merged_as_pyyaml_does);
    tcase_add_test(t, odd_numbers_have_pyyamls_values);
    tcase_add_test(t, flow_mapping_is_recognised);
    tcase_add_test(t, text_in_any_script_is_kept);
    tcase_add_test(t, every_cut_of_a_file_is_survived);
    tcase_add_test(t, content_decides_what_is_a_training_configuration);
    tcase_add_test(t, all_configurations_of_the_labelled_runs_are_read);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
