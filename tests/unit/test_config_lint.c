/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lint.h"
#include "support/log.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

extern const struct tv_detector tv_detector_config_lint;

/* A configuration as "key=value" pairs ended by NULL, judged with every rule. */
static void judge(struct tv_log *log, const char *const *pairs)
{
    static const struct tv_detector *const only[] = {&tv_detector_config_lint, NULL};
    static struct tv_lint_options options;
    static const void *const all[] = {&options};
    tv_option_defaults(tv_detector_config_lint.options, &options);
    options.least_severity = 0;
    memset(log, 0, sizeof *log);
    log->options = (struct tv_engine_options){.detectors = only, .options = all};
    log->run = tv_run_new(&log->options, "test");
    log->source = tv_log_source(log, "", 0, &log->emit);
    for (; *pairs; pairs++) {
        char key[64] = "";
        const char *equals = strchr(*pairs, '=');
        memcpy(key, *pairs, (size_t)(equals - *pairs));
        tv_log_fact(log, key, equals + 1);
    }
    tv_log_end(log, NAN);
}

static bool found(const struct tv_log *log, const char *subject, const char *text)
{
    const struct tv_alert *const *alerts;
    size_t len = tv_run_alerts(log->run, &alerts);
    for (size_t i = 0; i < len; i++) {
        if (strcmp(alerts[i]->subject, subject) != 0)
            continue;
        for (size_t k = 0; k < alerts[i]->advice_len; k++)
            if (strstr(alerts[i]->advice[k], text))
                return true;
        return strstr(alerts[i]->summary, text) != NULL;
    }
    return false;
}

#define BASE "framework=llamafactory", "max_steps=468", "lr_scheduler_type=cosine"

static const struct {
    const char *pairs[10];
    const char *subject, *text; /* NULL subject: nothing may be said */
} cases[] = {
    {{BASE, "learning_rate=1e-4", "warmup_steps=47", "finetuning_type=lora"}, NULL, NULL},
    {{BASE, "learning_rate=1.0e-5", "warmup_ratio=0.1", "finetuning_type=full"}, NULL, NULL},
    {{BASE, "learning_rate=1e-4", "warmup_steps=500"},
     "warmup_steps",
     "warmup_steps: 500 -> 47 (10 % of 468)"},
    {{BASE, "learning_rate=1e-4", "warmup_steps=200"},
     "warmup share",
     "warmup_steps: 200 -> 47 (10 % of 468)"},
    {{BASE, "learning_rate=1e-4", "warmup_ratio=0.4"}, "warmup share", "warmup_ratio: 0.4 -> 0.1"},
    {{BASE, "learning_rate=1e-4", "warmup_steps=0.1"},
     "warmup_steps as ratio",
     "warmup_ratio: 0.1"},
    {{BASE, "learning_rate=1e-4", "warmup_ratio=100"}, "configuration", "warmup_steps: 100"},
    {{"framework=transformers", "max_steps=100", "lr_scheduler_type=cosine_with-restart",
      "learning_rate=1e-5"},
     "configuration",
     "-> cosine_with_restarts"},
    {{"framework=transformers", "max_steps=100", "lr_scheduler_type=cosine_with_restarts",
      "learning_rate=1e-5", "lr_scheduler_kwargs.num_cycle=2"},
     "configuration",
     "num_cycle -> num_cycles"},
    {{"framework=transformers", "max_steps=100", "lr_scheduler_type=greedy", "learning_rate=1e-5",
      "transformers_version=4.57.0"},
     "configuration",
     "exists from transformers 5.4"},
    {{"framework=transformers", "max_steps=1000", "lr_scheduler_type=warmup_stable_decay",
      "learning_rate=1e-5"},
     "configuration",
     "num_decay_steps: 100}"},
    {{"framework=transformers", "max_steps=1000", "lr_scheduler_type=warmup_stable_decay",
      "learning_rate=1e-5", "lr_scheduler_kwargs.num_decay_steps=1200"},
     "num_decay_steps",
     "1200 -> 100"},
    {{"framework=transformers", "max_steps=1000", "lr_scheduler_type=polynomial",
      "learning_rate=1e-5", "warmup_ratio=1.0"},
     "configuration",
     "warmup_steps: 100"},
    {{"framework=transformers", "max_steps=1000", "lr_scheduler_type=cosine_with_min_lr",
      "learning_rate=1e-5", "lr_scheduler_kwargs.min_lr=1e-4"},
     "floor above peak",
     "1e-4 -> 1e-06"},
    {{"framework=transformers", "num_train_epochs=0", "learning_rate=1e-5"},
     "num_train_epochs 0",
     "nothing is trained"},
    {{"framework=transformers", "max_steps=100", "learning_rate=1e-5", "evaluation_strategy=steps",
      "transformers_version=4.51.0"},
     "evaluation_strategy is gone",
     "eval_strategy: steps"},
    {{"framework=transformers", "max_steps=100", "learning_rate=1e-5",
      "deepspeed.optimizer.params.lr=3e-5"},
     "deepspeed",
     "-> auto"},
    {{"framework=deepspeed", "train_batch_size=30", "train_micro_batch_size_per_gpu=4",
      "gradient_accumulation_steps=2"},
     "train_batch_size",
     "30 -> 32"},
    {{"framework=torchtitan", "optimizer.lr=1e-4", "lr_scheduler.warmup_steps=10",
      "training.steps=1000", "lr_scheduler.decay_ratio=1.5"},
     "decay_ratio",
     "1.5 -> 0.2"},
    {{"framework=deepspeed", "optimizer.params.lr=1e-4", "scheduler.type=WarmupDecay",
      "scheduler.params.warmup_num_steps=10"},
     "configuration",
     "WarmupDecay -> WarmupDecayLR"},
    {{"framework=torchtitan", "optimizer.lr=1e-4", "lr_scheduler.warmup_steps=200",
      "training.steps=100"},
     "warm-up of the whole run",
     "lr_scheduler.warmup_steps: 200 -> 10"},
    {{"framework=megatron", "lr=1e-4", "min_lr=1e-3", "lr_decay_style=cosine", "train_iters=100",
      "global_batch_size=8"},
     "configuration",
     "min_lr: 1e-3 -> 1e-05"},
    {{BASE, "learning_rate=1e-4", "warmup_ratio=5%"}, "configuration", "warmup_ratio: 5% -> 0.05"},
    {{"framework=transformers", "max_steps=100", "lr_scheduler_type=cosine_with_min_lr",
      "learning_rate=1e-5"},
     "configuration",
     "min_lr_rate: 0.1"},
    {{"framework=transformers", "max_steps=100", "lr_scheduler_type=cosine", "learning_rate=1e-5",
      "lr_scheduler_kwargs.power=2"},
     "configuration",
     "remove power"},
    {{"framework=megatron", "train_iters=100", "lr_decay_style=cosine", "lr=1e-4",
      "global_batch_size=8", "lr_warmup_iters=100"},
     "configuration",
     "lr_warmup_fraction"},
    {{BASE, "learning_rate=1e-4", "warmup_steps=0.1", "transformers_version=5.2.0"}, NULL, NULL},
    {{BASE, "learning_rate=1e-4", "warmup_ratio=1.0", "transformers_version=5.2.0"},
     "warmup_ratio 1",
     "-> warmup_steps: 0.1"},
    {{BASE, "learning_rate=1e-4", "warmup_ratio=0.1", "transformers_version=5.2.0"}, NULL, NULL},
    {{BASE, "learning_rate=1e-4", "warmup_ratio=0.1", "transformers_version=5.15.0"},
     "warmup_ratio is gone",
     "warmup_steps: 0.1"},
    {{BASE, "learning_rate=5e-6", "warmup_ratio=0.1", "finetuning_type=lora", "stage=dpo"},
     NULL,
     NULL},
    {{BASE, "learning_rate=1e-4", "finetuning_type=freeze", "use_llama_pro=true",
      "warmup_ratio=0.1", "model_name_or_path=meta-llama/Llama-3.1-8B"},
     NULL,
     NULL},
    {{BASE, "learning_rate=1e-5", "per_device_train_batch_size=1", "warmup_ratio=0.1",
      "deepspeed=ds_z3.json"},
     NULL,
     NULL},
    {{BASE, "learning_rate=1e-5", "per_device_train_batch_size=1", "use_galore=true",
      "galore_layerwise=true", "finetuning_type=full"},
     "effective batch",
     "per_device_train_batch_size: 1 -> 8"},
    {{"framework=axolotl", "learning_rate=2e-4", "max_steps=500", "val_set_size=0.05",
      "early_stopping_patience=3", "micro_batch_size=2", "evals_per_epoch=4"},
     NULL,
     NULL},
    {{"framework=axolotl", "learning_rate=2e-4", "max_steps=500", "val_set_size=0.05",
      "eval_steps=100", "micro_batch_size=2"},
     NULL,
     NULL},
    {{"framework=axolotl", "learning_rate=2e-4", "max_steps=500", "eval_steps=100",
      "micro_batch_size=2"},
     "eval_steps",
     "val_set_size"},
    {{BASE, "learning_rate=0", "warmup_steps=47"}, "learning_rate", "learning_rate: 0 -> 5e-05"},
    {{BASE, "learning_rate=-1e-4", "warmup_steps=47"}, "learning_rate", "-1e-4 -> 0.0001"},
    {{BASE, "learning_rate=-1", "finetuning_type=full"}, "learning_rate", "-1 -> 5e-05"},
    {{BASE, "learning_rate=-1", "finetuning_type=lora"}, "learning_rate", "-1 -> 0.0001"},
    {{BASE, "learning_rate=2e-3", "warmup_steps=47", "finetuning_type=lora"},
     "learning rate range",
     "LoRA"},
    {{BASE, "learning_rate=5e-4", "warmup_steps=47", "finetuning_type=full"},
     "learning rate range",
     "full"},
    {{BASE, "learning_rate=1e-4", "warmup_steps=0", "finetuning_type=full"},
     "warmup length",
     "-> 47"},
    {{BASE, "learning_rate=1e-6", "warmup_steps=47", "finetuning_type=lora"},
     "learning rate low",
     "1e-4"},
    {{BASE, "learning_rate=1e-4", "finetuning_type=qlora"},
     "finetuning_type",
     "quantization_bit: 4"},
    {{BASE, "learning_rate=1e-4", "eval_steps=1000"}, "eval_steps", "eval_strategy: no -> steps"},
    {{BASE, "learning_rate=1e-4", "eval_steps=1000", "eval_strategy=steps"},
     "eval_steps",
     "eval_steps: 1000 -> 47"},
    {{BASE, "learning_rate=1e-4", "early_stopping_steps=3"},
     "early_stopping_steps",
     "eval_strategy"},
    {{"framework=llamafactory", "max_steps=100", "lr_scheduler_type=cosine_with_restarts",
      "learning_rate=1e-4"},
     "schedule length",
     "cosine_with_restarts -> cosine"},
    {{"framework=llamafactory", "max_steps=100", "lr_scheduler_type=constant", "learning_rate=1e-4",
      "warmup_steps=10"},
     "lr_scheduler_type",
     "constant_with_warmup"},
    {{BASE, "learning_rate=1e-4", "per_device_train_batch_size=1"},
     "effective batch",
     "gradient_accumulation_steps"},
    {{"framework=llamafactory", "num_train_epochs=50", "max_samples=500", "learning_rate=1e-4"},
     "num_train_epochs",
     "50 -> 10"},
    {{"framework=transformers", "max_steps=100", "lr_scheduler_type=polynomial",
      "learning_rate=1e-8"},
     "configuration",
     "lr_end"},
    {{BASE, "learning_rate=1e-4", "warmup_ratio=0.1", "finetuning_type=full",
      "model_name_or_path=meta-llama/Llama-3.1-8B"},
     "learning rate range",
     "learning_rate: 1e-4 -> 1e-05"},
    {{BASE, "learning_rate=1e-4", "warmup_ratio=0.1", "finetuning_type=full",
      "model_name_or_path=Qwen/Qwen2.5-0.5B-Instruct"},
     NULL,
     NULL},
    {{BASE, "learning_rate=6e-4", "warmup_ratio=0.1", "quantization_bit=4",
      "model_name_or_path=huggyllama/llama-65b", "finetuning_type=lora"},
     "learning rate range",
     "-> 0.0001"},
    {{BASE, "learning_rate=1e-4", "load_best_model_at_end=true", "eval_strategy=epoch"},
     "load_best_model_at_end",
     "eval_strategy: epoch -> steps"},
    {{BASE, "learning_rate=1e-4", "load_best_model_at_end=true", "eval_strategy=steps",
      "eval_steps=30"},
     "load_best_model_at_end",
     "save_steps: 500 -> 510"},
    {{BASE, "learning_rate=1e-4", "load_best_model_at_end=true", "eval_strategy=steps",
      "eval_steps=50"},
     NULL,
     NULL},
    {{"framework=transformers", "max_steps=900", "learning_rate=1e-4",
      "load_best_model_at_end=True", "evaluation_strategy=IntervalStrategy.EPOCH",
      "save_strategy=SaveStrategy.EPOCH"},
     NULL,
     NULL},
    {{BASE, "learning_rate=1e-4", "fp16=true", "bf16=true"}, "fp16 and bf16", "fp16"},
    {{"framework=transformers", "max_steps=900", "learning_rate=1e-4",
      "lr_scheduler_type=reduce_lr_on_plateau"},
     "reduce_lr_on_plateau",
     "eval_strategy"},
    {{BASE, "learning_rate=1e-4", "logging_steps=0"}, "logging_steps 0", "10"},
    {{BASE, "learning_rate=1e-5", "quantization_bit=4", "finetuning_type=full"},
     "finetuning_type",
     "finetuning_type: full -> lora"},
    {{BASE, "learning_rate=1e-4", "use_galore=true"}, "finetuning_type", "lora -> full"},
    {{BASE, "learning_rate=1e-4", "stage=sfd"}, "finetuning_type", "pt or sft"},
    {{BASE, "learning_rate=1e-4", "stage=Supervised Fine-Tuning"}, NULL, NULL},
    {{BASE, "learning_rate=1e-4", "dataset=alpaca", "eval_strategy=epoch"},
     "val_size",
     "val_size: 0.1"},
    {{BASE, "learning_rate=1e-4", "dataset=alpaca", "eval_strategy=epoch", "val_size=0.1"},
     NULL,
     NULL},
    {{BASE, "learning_rate=1e-4", "eval_dataset=alpaca", "val_size=0.1"}, "val_size", "remove"},
    {{BASE, "learning_rate=1e-4", "stage=ppo"}, "reward_model", "stage rm"},
    {{BASE, "learning_rate=1e-4", "streaming=true", "max_samples=100"}, "streaming", "remove"},
};

START_TEST(each_mistake_is_named_with_the_value_to_use)
{
    struct tv_log log;
    judge(&log, cases[_i].pairs);
    const struct tv_alert *const *alerts;
    size_t len = tv_run_alerts(log.run, &alerts);
    if (cases[_i].subject)
        ck_assert_msg(found(&log, cases[_i].subject, cases[_i].text), "case %d: %s", _i,
                      len ? alerts[0]->summary : "silent");
    else
        ck_assert_msg(len == 0, "case %d: %s", _i, len ? alerts[0]->summary : "");
    tv_log_close(&log);
}
END_TEST

START_TEST(a_scan_reports_only_what_cannot_work)
{
    struct tv_log log;
    tv_log_open(&log, "config_lint");
    tv_log_fact(&log, "max_steps", "100");
    tv_log_fact(&log, "learning_rate", "1e-4");
    tv_log_fact(&log, "lr_scheduler_type", "linear");
    tv_log_fact(&log, "warmup_steps", "40");
    tv_log_point(&log, "loss", 1, 2.0);
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, "config_lint"));
    tv_log_close(&log);
}
END_TEST

START_TEST(a_run_that_has_begun_was_not_refused)
{
    struct tv_log log;
    tv_log_open(&log, "config_lint");
    tv_log_fact(&log, "framework", "transformers");
    tv_log_fact(&log, "max_steps", "900");
    tv_log_fact(&log, "fp16", "true");
    tv_log_fact(&log, "bf16", "true");
    tv_log_point(&log, "loss", 1, 2.0);
    tv_log_end(&log, NAN);
    ck_assert_ptr_null(tv_log_alert(&log, "config_lint"));
    tv_log_close(&log);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("config_lint");
    TCase *tcase = tcase_create("config_lint");
    tcase_add_loop_test(tcase, each_mistake_is_named_with_the_value_to_use, 0,
                        sizeof cases / sizeof *cases);
    tcase_add_test(tcase, a_scan_reports_only_what_cannot_work);
    tcase_add_test(tcase, a_run_that_has_begun_was_not_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
