/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config.yaml of OLMo, as written by users and saved in the save folder. Source: allenai/OLMo
 * olmo/config.py, TrainConfig, 59a53e3f. */
#include "lib/yaml_config.h"
#include "trainvet/text.h"

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    return tv_yaml_feed(TV_FACT_USER_CONFIG, "olmo", in, out, reterr);
}

static int probe(struct tv_span basename, struct tv_span head)
{
    static const char *const duration[] = {"max_duration", NULL};
    static const char *const others[] = {
        "scheduler", "optimizer", "save_folder", "model", "global_train_batch_size", NULL};
    bool is_ours = tv_yaml_name(basename) && tv_yaml_count_keys(head, duration) &&
                   tv_yaml_count_keys(head, others) >= 2;
    return is_ours ? 80 : 0;
}

const struct tv_parser tv_parser_olmo_yaml = {
    .name = "olmo_yaml",
    .summary = "OLMo training configuration (YAML)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
