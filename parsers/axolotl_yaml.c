/* SPDX-License-Identifier: GPL-2.0-or-later */
/* axolotl's training configuration. Source: axolotl-ai-cloud/axolotl src/axolotl/utils/schemas,
 * 067b021c. */
#include "lib/yaml_config.h"
#include "trainvet/text.h"

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    return tv_yaml_feed(TV_FACT_USER_CONFIG, "axolotl", in, out, reterr);
}

static int probe(struct tv_span basename, struct tv_span head)
{
    static const char *const model[] = {"base_model", NULL};
    static const char *const others[] = {
        "micro_batch_size", "sequence_len", "datasets",       "adapter",         "lr_scheduler",
        "num_epochs",       "optimizer",    "sample_packing", "val_set_size",    "lora_r",
        "learning_rate",    "output_dir",   "special_tokens", "train_on_inputs", NULL};
    bool is_ours = tv_yaml_name(basename) && tv_yaml_count_keys(head, model) &&
                   tv_yaml_count_keys(head, others) >= 2;
    return is_ours ? 92 : 0;
}

const struct tv_parser tv_parser_axolotl_yaml = {
    .name = "axolotl_yaml",
    .summary = "axolotl training configuration (YAML)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
