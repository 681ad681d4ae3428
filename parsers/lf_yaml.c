/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LLaMA Factory's YAML, as users write it, as LLaMA Board writes it (training_args.yaml) and as
 * LLaMA Board saves its form (llamaboard_config.yaml). Also reads the YAML of other programs around
 * transformers' HfArgumentParser. Source of the Board's names: hiyouga/LLaMA-Factory ff6d4d12,
 * src/llamafactory/webui/runner.py. */
#include "lib/known_keys.h"
#include "lib/yaml_config.h"
#include "trainvet/parser.h"
#include "trainvet/text.h"
#include <string.h>

enum { UNKNOWN_MAX = 16, UNKNOWN_LEN = 64 };

struct unknown_keys {
    char name[UNKNOWN_MAX][UNKNOWN_LEN];
    uint32_t line[UNKNOWN_MAX];
    size_t len;
    struct tv_config *config;
    bool is_other; /* the Board's form and the v1 engine have keys of their own */
};

/* Keys that only the v1 engine has (src/llamafactory/v1/config, ff6d4d12). */
static bool is_of_v1(struct tv_span key)
{
    static const char *const own[] = {"model_class",   "train_dataset", "dist_config",
                                      "kernel_config", "init_config",   "quant_config",
                                      "optim_config",  "peft_config",   "sample_backend"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (tv_span_is(key, own[i]))
            return true;
    return false;
}

static const struct {
    const char *board, *name;
} board_names[] = {
    {"train.batch_size", "per_device_train_batch_size"},
    {"train.train_seed", "seed"},
    {"train.training_stage", "stage"},
    {"train.neftune_alpha", "neftune_noise_alpha"},
    {"top.model_path", "model_name_or_path"},
};

static struct tv_span without(struct tv_span key, const char *prefix)
{
    size_t len = strlen(prefix);
    return tv_span_starts(key, prefix) ? (struct tv_span){key.data + len, key.len - len} : key;
}

/* The Board's name of a setting in LLaMA Factory's own words. */
static struct tv_span board_key(struct tv_span key)
{
    if (tv_span_is(key, "train.extra_args"))
        return key;
    for (size_t i = 0; i < sizeof board_names / sizeof *board_names; i++)
        if (tv_span_is(key, board_names[i].board))
            return tv_span_of(board_names[i].name);
    return without(without(key, "train."), "top.");
}

static struct tv_span on_top_key(void *ctx, struct tv_span key, uint32_t line)
{
    struct unknown_keys *unknown = ctx;
    if (tv_span_starts(key, "train.") || tv_span_starts(key, "top.")) {
        unknown->is_other = unknown->config->is_form = true;
        return board_key(key);
    }
    unknown->is_other |= is_of_v1(key);
    if (unknown->len < UNKNOWN_MAX && key.len && !tv_known_key(key) &&
        tv_span_copy(key, unknown->name[unknown->len], UNKNOWN_LEN))
        unknown->line[unknown->len++] = line;
    return key;
}

static void tell_unknown(const struct tv_config *config, const struct unknown_keys *unknown)
{
    for (size_t i = 0; i < unknown->len; i++) {
        const char *name = unknown->name[i];
        const char *near = tv_nearest_key(tv_span_of(name));
        if (near)
            tv_config_note(config, unknown->line[i],
                           "%s is no setting of LLaMA Factory that we know (it refuses unknown "
                           "ones); perhaps %s was meant",
                           name, near);
        else
            tv_config_note(config, unknown->line[i],
                           "%s is no setting of LLaMA Factory that we know (it refuses unknown "
                           "ones)",
                           name);
    }
}

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    struct tv_config config = tv_config_begin(out, TV_FACT_USER_CONFIG, "");
    struct unknown_keys unknown = {.config = &config};
    struct tv_yaml_reader reader = {&config, on_top_key, &unknown};
    enum tv_status status = tv_yaml_config(&reader, in, reterr);
    if (tv_config_is(&config, "llamafactory") && !unknown.is_other)
        tell_unknown(&config, &unknown);
    tv_config_end(&config);
    return tv_config_feed(&config, status, in);
}

static int probe(struct tv_span basename, struct tv_span head)
{
    static const char *const own[] = {"finetuning_type",
                                      "stage",
                                      "template",
                                      "cutoff_len",
                                      "lora_target",
                                      "top.finetuning_type",
                                      "top.model_name",
                                      "dataset_dir",
                                      "train.learning_rate",
                                      NULL};
    static const char *const shared[] = {"learning_rate",
                                         "lr_scheduler_type",
                                         "per_device_train_batch_size",
                                         "num_train_epochs",
                                         "warmup_ratio",
                                         "gradient_accumulation_steps",
                                         "warmup_steps",
                                         "max_steps",
                                         "model_name_or_path",
                                         "output_dir",
                                         "logging_steps",
                                         "lora_rank",
                                         "train.lr_scheduler_type",
                                         "lr_scheduler_kwargs",
                                         "train.num_train_epochs",
                                         NULL};
    static const char *const rate[] = {"learning_rate", NULL};
    if (!tv_yaml_name(basename))
        return 0;
    int ours = tv_yaml_count_keys(head, own), theirs = tv_yaml_count_keys(head, shared);
    if (ours && ours + theirs >= 2)
        return 90;
    if (theirs >= 2)
        return 70;
    return tv_yaml_count_keys(head, rate) ? 30 : 0;
}

const struct tv_parser tv_parser_lf_yaml = {
    .name = "lf_yaml",
    .summary = "LLaMA Factory training configuration (YAML)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
