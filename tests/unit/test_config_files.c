/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration parsers that are small around lib/: hf_args, model_card, hparams_yaml. */
#include "base/memory.h"
#include "lib/config.h"
#include "support/config.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct tv_parser tv_parser_hf_args, tv_parser_hf_results, tv_parser_model_card,
    tv_parser_hparams_yaml, tv_parser_deepspeed_json, tv_parser_axolotl_yaml, tv_parser_args_yaml,
    tv_parser_wandb_config, tv_parser_accelerate_hparams, tv_parser_pretrain_yaml,
    tv_parser_lf_yaml, tv_parser_settings;

static struct tv_config_run run;

static void close_run(void)
{
    tv_config_run_free(&run);
}

static int probe(const struct tv_parser *parser, const char *name, const char *head)
{
    return parser->probe(tv_span_of(name), tv_span_of(head));
}

static void keep_end(void *ctx, const struct tv_mark *mark)
{
    ck_assert_int_eq(mark->kind, TV_MARK_END);
    ck_assert(mark->step == TV_STEP_UNKNOWN);
    sprintf(ctx, "END %g\n", mark->epoch);
}

START_TEST(dump_of_the_trainer_outranks_what_a_user_wrote)
{
    tv_config_run_text(
        &run, &tv_parser_hf_args,
        "{\n  \"output_dir\": \"out\",\n  \"adam_epsilon\": 1e-08,\n"
        "  \"logging_nan_inf_filter\": true,\n  \"learning_rate\": 5e-05,\n"
        "  \"lr_scheduler_kwargs\": {\"num_cycles\": 3},\n"
        "  \"per_device_train_batch_size\": 8,\n  \"hub_token\": \"<HUB_TOKEN>\"\n}");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F learning_rate=5e-05 source 1 line 5\n");
    tv_config_has(&run, "F lr_scheduler_kwargs.num_cycles=3 source 1 line 6\n");
    tv_config_has(&run, "F hub_token=<masked> string");
    tv_config_has(&run, "F framework=transformers string source 5");
    tv_config_run_text(&run, &tv_parser_hf_args,
                       "{\"finetuning_type\": \"lora\", \"learning_rate\": \"1e-4\"}");
    tv_config_has(&run, "F learning_rate=1e-4 string source 2 line 1\n");
    tv_config_has(&run, "F framework=llamafactory string source 2");
}
END_TEST

START_TEST(only_training_arguments_are_taken_for_them)
{
    const struct tv_parser *p = &tv_parser_hf_args;
    ck_assert_int_ge(probe(p, "training_args.json", "{\"learning_rate\": 1,"), 80);
    ck_assert_int_ge(probe(p, "x.json", "{\"learning_rate\": 1, \"warmup_ratio\": 0.1"), 50);
    ck_assert_int_eq(probe(p, "trainer_state.json", "{\"learning_rate\": 1, \"max_steps\": 1"), 0);
    ck_assert_int_eq(
        probe(p, "s.json", "{\"log_history\": [{\"learning_rate\": 1}], \"max_steps\""), 0);
    ck_assert_int_eq(probe(p, "config.json", "{\"architectures\": [\"X\"], \"vocab_size\": 1}"), 0);
    ck_assert_int_eq(probe(p, "adapter_config.json", "{\"peft_type\": \"LORA\", \"r\": 8}"), 0);
    ck_assert_int_eq(probe(p, "all_results.json", "{\"epoch\": 3.0, \"train_loss\": 1.0}"), 0);
    ck_assert_int_eq(probe(p, "train_results.json", "{\"train_runtime\": 1, \"epoch\": 3.0}"), 0);
    ck_assert_int_eq(probe(p, "tokenizer_config.json", "{\"add_bos_token\": true}"), 0);
    ck_assert_int_eq(probe(p, "x.jsonl", "{\"learning_rate\": 1, \"max_steps\": 2}"), 0);
    ck_assert_int_eq(probe(p, "x.json", ""), 0);
    ck_assert_int_eq(probe(p, "x.json", "[{\"learning_rate\": 1, \"max_steps\": 2}]"), 0);
}
END_TEST

START_TEST(settings_of_any_name_show_by_their_words)
{
    const struct tv_parser *p = &tv_parser_settings;
    ck_assert_int_gt(probe(p, "gpt.yaml", "lr: 1.0e-4\nmin_lr: 0\nlr_decay_style: cosine\n"), 0);
    ck_assert_int_gt(probe(p, "x.yml", "sched: cosine\nepochs: 300\nlr: 0.1\n"), 0);
    ck_assert_int_gt(probe(p, "s.json", "{\"schedule\": \"optax.constant_schedule\"}"), 0);
    ck_assert_int_eq(probe(p, "s.json", "schedule: optax.constant_schedule"), 0);
    ck_assert_int_eq(probe(p, "gpt.txt", "lr: 1.0e-4\nlr_decay_style: cosine\n"), 0);
    ck_assert_int_eq(probe(p, "config.json", "{\"architectures\": [\"X\"], \"vocab_size\": 1}"), 0);
    ck_assert_int_eq(probe(p, "docker-compose.yml", "services:\n  web:\n    image: x\n"), 0);
    ck_assert_int_eq(probe(p, "x.yaml", ""), 0);
    tv_config_run_text(&run, p, "\xEF\xBB\xBF{\"lr\": 1e-4, \"lr_decay_style\": \"WSD\"}");
    tv_config_has(&run, "F lr=1e-4");
    tv_config_run_text(&run, p, "lr: 1.0e-4\r\nlr_decay_style: WSD\r\n");
    tv_config_has(&run, "F lr_decay_style=WSD");
    tv_config_run_text(&run, p, "{\"lr\": 1e-4, \"lr_decay_style\":");
    ck_assert_int_eq(run.status, TV_ECORRUPT);
}
END_TEST

START_TEST(broken_arguments_are_refused)
{
    tv_config_run_text(&run, &tv_parser_hf_args, "{\"learning_rate\": 1, \"max_steps\":");
    ck_assert_int_eq(run.status, TV_ECORRUPT);
    char *text = tv_repeated("", "{\"a\":", 10000, "");
    tv_config_run_text(&run, &tv_parser_hf_args, text);
    ck_assert_int_eq(run.status, TV_ELIMIT);
    free(text);
}
END_TEST

START_TEST(results_of_a_training_are_its_end)
{
    static const struct {
        const char *text, *says;
    } files[] = {
        {"{\"epoch\": 3.0, \"train_loss\": 1.9, \"train_runtime\": 71.3}\n", "END 3\n"},
        {"{\"eval_loss\": 1.9, \"train_runtime\": NaN, \"nested\": {\"epoch\": 9}, \"epoch\": "
         "2.97}",
         "END 2.97\n"},
        {"{\"epoch\": 3.0, \"eval_loss\": 1.9}", ""},
        {"{\"train_runtime\": 71.3}", ""},
        {"{\"epoch\": NaN, \"train_runtime\": 1}", ""},
        {"{\"epoch\": -1e400, \"train_runtime\": 1}", ""},
        {"{\"epoch\": 3.0, \"train_runt", "damaged\n"},
        {"[3.0]", "damaged\n"},
        {"", "damaged\n"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char said[64] = "";
        struct tv_error error = {0};
        struct tv_emit out = {.ctx = said, .mark = keep_end};
        struct tv_feed end =
            tv_parser_hf_results.feed(NULL, tv_span_of(files[i].text), true, &out, &error);
        if (end.status != TV_OK)
            strcat(said, "damaged\n");
        ck_assert_msg(strcmp(said, files[i].says) == 0, "%s: %s", files[i].text, said);
    }
    const struct tv_parser *p = &tv_parser_hf_results;
    ck_assert_int_ge(probe(p, "all_results.json", "{\"train_runtime\": 1, \"epoch\": 3.0}"), 90);
    ck_assert_int_eq(probe(p, "all_results.json", "{\"eval_loss\": 1, \"epoch\": 3.0}"), 0);
    ck_assert_int_eq(probe(p, "eval_results.json", "{\"train_runtime\": 1}"), 0);
}
END_TEST

static const char card[] =
    "---\nlibrary_name: peft\nlicense: other\nbase_model: meta-llama/Meta-Llama-3-8B\ntags:\n"
    "- llama-factory\n- lora\n- generated_from_trainer\nmodel-index:\n- name: sft\n  results: []\n"
    "---\n\n# sft\n\n- learning_rate: 99\n\n## Training procedure\n\n"
    "### Training hyperparameters\n\n"
    "The following hyperparameters were used during training:\n- learning_rate: 0.0001\n"
    "- train_batch_size: 1\n- eval_batch_size: 1\n- seed: 42\n- distributed_type: multi-GPU\n"
    "- num_devices: 2\n- gradient_accumulation_steps: 8\n- total_train_batch_size: 16\n"
    "- optimizer: Use adamw_torch with betas=(0.9,0.999) and epsilon=1e-08\n"
    "- lr_scheduler_type: cosine\n- lr_scheduler_warmup_ratio: 0.1\n"
    "- lr_scheduler_warmup_steps: 10\n- num_epochs: 3.0\n"
    "- mixed_precision_training: Native AMP\n\n### Training results\n\n- seed: 7\n\n"
    "### Framework versions\n\n- PEFT 0.12.0\n- Transformers 4.46.1\n- Pytorch 2.5.1+cu124\n";

START_TEST(model_card_speaks_in_training_arguments)
{
    tv_config_run_text(&run, &tv_parser_model_card, card);
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F learning_rate=0.0001 source 4 line 23\n");
    tv_config_has(&run, "F per_device_train_batch_size=1 source 4 line 24\n");
    tv_config_has(&run, "F world_size=2 source 4 line 28\n");
    tv_config_has(&run, "F total_train_batch_size=16 source 4 ");
    tv_config_has(&run, "F lr_scheduler_type=cosine string source 4 ");
    tv_config_has(&run, "F warmup_ratio=0.1 source 4 ");
    tv_config_has(&run, "F warmup_steps=10 source 4 ");
    tv_config_has(&run, "F num_train_epochs=3.0 source 4 ");
    tv_config_has(&run, "F framework_version=4.46.1 string source 4 line 45\n");
    tv_config_has(&run, "F framework=llamafactory string source 4 line 6\n");
    tv_config_lacks(&run, "=99");
    tv_config_lacks(&run, "seed=7");
}
END_TEST

START_TEST(model_card_of_the_plain_trainer)
{
    tv_config_run_text(&run, &tv_parser_model_card,
                       "### Training hyperparameters\r\n\r\n- training_steps: 400\r\n"
                       "- lr_scheduler_type: linear\r\n### Framework versions\r\n\r\n"
                       "- Transformers: 5.1.0\r\n");
    tv_config_has(&run, "F max_steps=400 source 4 line 3\n");
    tv_config_has(&run, "F framework_version=5.1.0 string source 4 line 7\n");
    tv_config_has(&run, "F framework=transformers string source 5");
}
END_TEST

START_TEST(readme_without_hyperparameters_says_nothing)
{
    tv_config_run_text(&run, &tv_parser_model_card,
                       "---\ntags:\n- llama-factory\n---\n# My project\n\n- lr: 1\n");
    ck_assert_int_eq(run.status, TV_OK);
    ck_assert_uint_eq(run.capture.len, 0);
    tv_config_run_text(&run, &tv_parser_model_card, "");
    ck_assert_int_eq(run.status, TV_OK);
    ck_assert_int_gt(probe(&tv_parser_model_card, "README.md", card), 0);
    ck_assert_int_eq(probe(&tv_parser_model_card, "README.md", "# My project\n"), 0);
    ck_assert_int_eq(probe(&tv_parser_model_card, "CHANGES.md", card), 0);
}
END_TEST

START_TEST(hostile_model_card_does_no_harm)
{
    static const char text[] = "### Training hyperparameters\n- \n-  : \n- x\n- a\0b: 1\n- :\n- "
                               "\xFF\xFE: \x1b[31m\n- learning_rate: 1\n### Framework versions\n"
                               "- Transformers\n- Transformers ";
    tv_config_run(&run, &tv_parser_model_card, (struct tv_span){text, sizeof text - 1});
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F learning_rate=1 source 4 line 8\n");
    tv_config_lacks(&run, "framework_version");
    char *huge = tv_repeated("", "- a: b\n", 200000, "");
    tv_config_run_text(&run, &tv_parser_model_card, huge);
    ck_assert_int_eq(run.status, TV_ELIMIT);
    free(huge);
}
END_TEST

START_TEST(lightning_keeps_the_projects_own_keys)
{
    tv_config_run_text(&run, &tv_parser_hparams_yaml,
                       "batch_size: 16\nlr: 0.05\nmax_steps: 1600\nlr_scheduler: cosine\n"
                       "warmup_steps: 160\nmodel: !!python/object:my.Model\n  size: 3\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F batch_size=16 source 3 line 1\n");
    tv_config_has(&run, "F lr=0.05 source 3 line 2\n");
    tv_config_has(&run, "F lr_scheduler=cosine string source 3 line 4\n");
    tv_config_has(&run, "F model.size=3 source 3 line 7\n");
    tv_config_has(&run, "F framework=lightning string source 3");
    ck_assert_uint_eq(run.capture.notes + run.capture.damages, 0);
    ck_assert_int_gt(probe(&tv_parser_hparams_yaml, "hparams.yaml", ""), 90);
    ck_assert_int_eq(probe(&tv_parser_hparams_yaml, "train.yaml", "lr: 1\n"), 0);
}
END_TEST

START_TEST(lightning_without_hyperparameters_is_fine)
{
    static const char *const texts[] = {"", "\n", "{}\n"};
    for (size_t i = 0; i < 3; i++) {
        tv_config_run_text(&run, &tv_parser_hparams_yaml, texts[i]);
        ck_assert_int_eq(run.status, TV_OK);
        ck_assert_uint_eq(run.capture.len, 0);
    }
}
END_TEST

START_TEST(deepspeed_auto_states_nothing_but_in_its_scheduler)
{
    static const char text[] =
        "{\"train_micro_batch_size_per_gpu\": \"auto\", \"gradient_accumulation_steps\": "
        "\"auto\",\n"
        "\"optimizer\": {\"type\": \"AdamW\", \"params\": {\"lr\": \"auto\"}},\n"
        "\"scheduler\": {\"type\": \"WarmupDecayLR\", \"params\": {\"total_num_steps\": \"auto\",\n"
        "\"warmup_num_steps\": 100}}, \"zero_optimization\": {\"stage\": 3}}";
    ck_assert_int_gt(probe(&tv_parser_deepspeed_json, "ds_z3_config.json", text), 80);
    ck_assert_int_eq(probe(&tv_parser_hf_args, "ds_z3_config.json", text), 0);
    tv_config_run_text(&run, &tv_parser_deepspeed_json, text);
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F gradient_accumulation_steps=null null source 2 line 1\n");
    tv_config_has(&run, "F optimizer.params.lr=auto string source 2 line 2\n");
    tv_config_has(&run, "F scheduler.type=WarmupDecayLR string source 2 line 3\n");
    tv_config_has(&run, "F scheduler.params.total_num_steps=auto string");
    tv_config_has(&run, "F scheduler.params.warmup_num_steps=100 source");
    tv_config_lacks(&run, "framework");
    tv_config_run_text(&run, &tv_parser_deepspeed_json,
                       "{\"zero_optimization\": {\"stage\": 2}, \"train_batch_size\": 8}");
    tv_config_has(&run, "F framework=deepspeed string source 5");
    tv_config_run_text(&run, &tv_parser_deepspeed_json, "{\"zero_optimization\": {");
    ck_assert_int_eq(run.status, TV_ECORRUPT);
}
END_TEST

START_TEST(axolotl_is_told_from_llama_factory)
{
    static const char text[] =
        "base_model: NousResearch/Llama-3.2-1B\ndatasets:\n  - path: a/b\n"
        "    type: alpaca\nval_set_size: 0.1\nadapter: lora\nsequence_len: 2048\n"
        "sample_packing: true\ngradient_accumulation_steps: 2\n"
        "micro_batch_size: 2\nnum_epochs: 1\noptimizer: adamw_8bit\n"
        "lr_scheduler: cosine\nlearning_rate: 0.0002\nwarmup_ratio: 0.1\n"
        "output_dir: ./out\n";
    ck_assert_int_gt(probe(&tv_parser_axolotl_yaml, "config.yml", text),
                     probe(&tv_parser_lf_yaml, "config.yml", text));
    tv_config_run_text(&run, &tv_parser_axolotl_yaml, text);
    tv_config_has(&run, "F framework=axolotl string source 2");
    tv_config_has(&run, "F lr_scheduler=cosine string source 2 line 13\n");
    tv_config_has(&run, "F datasets.0.path=a/b string source 2 line 3\n");
    ck_assert_uint_eq(run.capture.notes, 0);
    static const char other[] = "model_name_or_path: x\nstage: sft\nlearning_rate: 1.0e-4\n";
    ck_assert_int_eq(probe(&tv_parser_axolotl_yaml, "x.yml", other), 0);
}
END_TEST

START_TEST(saved_arguments_of_ultralytics_and_timm)
{
    tv_config_run_text(&run, &tv_parser_args_yaml,
                       "task: detect\nepochs: 100\nlr0: 0.01\nlrf: 0.01\nwarmup_epochs: 3.0\n"
                       "cos_lr: false\n");
    tv_config_has(&run, "F lr0=0.01 source 1 line 3\n");
    tv_config_has(&run, "F framework=ultralytics string source 1 line 3\n");
    tv_config_run_text(&run, &tv_parser_args_yaml,
                       "lr: 0.1\nsched: cosine\nsched_on_updates: false\nwarmup_lr: 1.0e-05\n");
    tv_config_has(&run, "F framework=timm string source 1 line 3\n");
    ck_assert_int_gt(probe(&tv_parser_args_yaml, "args.yaml", ""), 0);
    ck_assert_int_eq(probe(&tv_parser_args_yaml, "myargs.yaml", "lr0: 1\n"), 0);
}
END_TEST

START_TEST(accelerate_keeps_the_projects_own_keys)
{
    tv_config_run_text(&run, &tv_parser_accelerate_hparams,
                       "learning_rate: 0.0001\nlr_scheduler: cosine\nlr_warmup_steps: 500\n"
                       "max_train_steps: 15000\n");
    tv_config_has(&run, "F lr_warmup_steps=500 source 3 line 3\n");
    tv_config_has(&run, "F framework=accelerate string source 5");
    ck_assert_int_gt(probe(&tv_parser_accelerate_hparams, "hparams.yml", ""), 0);
    ck_assert_int_eq(probe(&tv_parser_hparams_yaml, "hparams.yml", ""), 0);
}
END_TEST

START_TEST(wandb_wraps_each_setting)
{
    static const char text[] = "wandb_version: 1\n\n_wandb:\n  value:\n    cli_version: 0.17.0\n"
                               "learning_rate:\n  desc: null\n  value: 0.0003\n"
                               "lr_scheduler_kwargs:\n  value:\n    num_cycles: 2\n"
                               "max_steps:\n    value: 1000\nvalue: 3\nodd:\n  values: 1\n";
    ck_assert_int_gt(probe(&tv_parser_wandb_config, "config.yaml", text), 90);
    ck_assert_int_eq(probe(&tv_parser_wandb_config, "config.yaml", "learning_rate: 1\n"), 0);
    tv_config_run_text(&run, &tv_parser_wandb_config, text);
    tv_config_has(&run, "F learning_rate=0.0003 source 1 line 8\n");
    tv_config_has(&run, "F lr_scheduler_kwargs.num_cycles=2 source 1 line 11\n");
    tv_config_has(&run, "F max_steps=1000 source 1 line 13\n");
    tv_config_lacks(&run, "desc");
    tv_config_lacks(&run, "cli_version");
    tv_config_lacks(&run, "odd");
}
END_TEST

START_TEST(lightning_saves_its_command_line)
{
    static const char text[] = "# lightning.pytorch==2.2.1\nseed_everything: 42\ntrainer:\n"
                               "  max_epochs: 20\nmodel:\n  hidden: 128\nlr_scheduler:\n"
                               "  class_path: torch.optim.lr_scheduler.StepLR\n"
                               "  init_args:\n    step_size: 5\nckpt_path: null\n";
    ck_assert_int_gt(probe(&tv_parser_pretrain_yaml, "config.yaml", text), 0);
    tv_config_run_text(&run, &tv_parser_pretrain_yaml, text);
    tv_config_has(&run, "F lr_scheduler.init_args.step_size=5 source 2 line 10\n");
}
END_TEST

START_TEST(pretraining_frameworks_nest_their_settings)
{
    static const char text[] =
        "run_name: x\nseed: 1\nmodel:\n  d_model: 64\noptimizer:\n  name: adamw\n"
        "  learning_rate: 3.0e-4\nscheduler:\n  name: cosine_with_warmup\n"
        "  t_warmup: 2000\n  alpha_f: 0.1\nmax_duration: 100000\n";
    ck_assert_int_gt(probe(&tv_parser_pretrain_yaml, "config.yaml", text), 0);
    ck_assert_int_eq(probe(&tv_parser_pretrain_yaml, "config.yaml", "model: x\noptimizer: y\n"), 0);
    tv_config_run_text(&run, &tv_parser_pretrain_yaml, text);
    tv_config_has(&run, "F optimizer.learning_rate=3.0e-4 source 2 line 7\n");
    tv_config_has(&run, "F scheduler.t_warmup=2000 source 2 line 10\n");
    tv_config_has(&run, "F framework=olmo string source 2");
    static const char nemo[] =
        "name: x\ntrainer:\n  max_steps: 200\nexp_manager:\n  name: y\nmodel:\n"
        "  optim:\n    lr: 1.0e-4\n    sched:\n      name: CosineAnnealing\n"
        "      warmup_steps: 20\n";
    ck_assert_int_gt(probe(&tv_parser_pretrain_yaml, "config.yaml", nemo), 0);
    tv_config_run_text(&run, &tv_parser_pretrain_yaml, nemo);
    tv_config_has(&run, "F model.optim.sched.warmup_steps=20 source 2 line 11\n");
    tv_config_has(&run, "F framework=nemo string source 2");
    tv_config_run_text(&run, &tv_parser_hparams_yaml, nemo); /* NeMo is built on Lightning */
    tv_config_has(&run, "F framework=nemo string source 3");
    tv_config_lacks(&run, "lightning");
}
END_TEST

/* Every hparams.yaml of the labelled runs, when they are at hand. */
START_TEST(all_hyperparameters_of_the_labelled_runs_are_read)
{
    char path[600];
    snprintf(path, sizeof path, "%s/../shared/bench/dev", TRAINVET_SOURCE_DIR);
    DIR *dir = opendir(path);
    size_t count = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        snprintf(path, sizeof path, "bench/dev/%s/lightning_logs/version_0/hparams.yaml",
                 entry->d_name);
        struct tv_span text = tv_shared_file(path);
        if (!text.data)
            continue;
        tv_config_run(&run, &tv_parser_hparams_yaml, text);
        ck_assert_msg(run.status == TV_OK, "%s: %s", path, run.error.message);
        tv_config_has(&run, "F lr=");
        ck_assert_uint_eq(run.capture.notes + run.capture.damages, 0);
        free((char *)text.data);
        count++;
    }
    if (dir) {
        closedir(dir);
        ck_assert_uint_gt(count, 20);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("config_files");
    TCase *t = tcase_create("config_files");
    tcase_add_checked_fixture(t, NULL, close_run);
    tcase_add_test(t, dump_of_the_trainer_outranks_what_a_user_wrote);
    tcase_add_test(t, only_training_arguments_are_taken_for_them);
    tcase_add_test(t, settings_of_any_name_show_by_their_words);
    tcase_add_test(t, broken_arguments_are_refused);
    tcase_add_test(t, results_of_a_training_are_its_end);
    tcase_add_test(t, model_card_speaks_in_training_arguments);
    tcase_add_test(t, model_card_of_the_plain_trainer);
    tcase_add_test(t, readme_without_hyperparameters_says_nothing);
    tcase_add_test(t, hostile_model_card_does_no_harm);
    tcase_add_test(t, lightning_keeps_the_projects_own_keys);
    tcase_add_test(t, lightning_without_hyperparameters_is_fine);
    tcase_add_test(t, wandb_wraps_each_setting);
    tcase_add_test(t, lightning_saves_its_command_line);
    tcase_add_test(t, deepspeed_auto_states_nothing_but_in_its_scheduler);
    tcase_add_test(t, axolotl_is_told_from_llama_factory);
    tcase_add_test(t, saved_arguments_of_ultralytics_and_timm);
    tcase_add_test(t, accelerate_keeps_the_projects_own_keys);
    tcase_add_test(t, pretraining_frameworks_nest_their_settings);
    tcase_add_test(t, all_hyperparameters_of_the_labelled_runs_are_read);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
