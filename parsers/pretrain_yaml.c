/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nested configurations of pre-training frameworks. Sources: allenai/OLMo olmo/config.py,
 * TrainConfig, 59a53e3f; allenai/OLMo-core fa6c5014; NVIDIA/NeMo examples' hydra files and
 * hparams.yaml, 8cfedd72; facebookresearch/fairseq fairseq/config, 3d262bb2; Lightning's CLI
 * (SaveConfigCallback, config.yaml), 7f0c3436. */
#include "lib/yaml_config.h"
#include "trainvet/text.h"

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    return tv_yaml_feed(TV_FACT_USER_CONFIG, NULL, in, out, reterr);
}

/* Outermost keys: the first must be there, and two of the others. */
static const struct {
    const char *first[2], *others[10];
} layouts[] = {
    {{"max_duration"}, {"scheduler", "optimizer", "save_folder", "model", "run_name"}}, /* OLMo */
    {{"train_module"}, {"model", "dataset", "data_loader", "trainer", "run_name"}}, /* OLMo-core */
    {{"exp_manager"}, {"trainer", "model", "optim", "name", "restore_from_path"}},  /* NeMo */
    {{"trainer"},
     {"seed_everything", "model", "data", "optimizer", "lr_scheduler", "ckpt_path",
      "fit"}}, /* LightningCLI */
    {{"lr_scheduler"}, {"task", "criterion", "optimization", "dataset", "common"}}, /* fairseq */
};

static int probe(struct tv_span basename, struct tv_span head)
{
    if (!tv_yaml_name(basename))
        return 0;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (tv_yaml_count_keys(head, layouts[i].first) &&
            tv_yaml_count_keys(head, layouts[i].others) >= 2)
            return 80;
    return 0;
}

const struct tv_parser tv_parser_pretrain_yaml = {
    .name = "pretrain_yaml",
    .summary = "OLMo, NeMo, fairseq and LightningCLI configurations (YAML)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
