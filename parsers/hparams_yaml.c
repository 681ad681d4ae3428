/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hyperparameters that Lightning's TensorBoardLogger and CSVLogger save in version_N. The keys
 * are the project's own. Source: Lightning-AI/pytorch-lightning
 * src/lightning/pytorch/core/saving.py. */
#include "lib/yaml_config.h"
#include "trainvet/text.h"

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    struct tv_config config = tv_config_begin(out, TV_FACT_HPARAMS, "");
    struct tv_yaml_reader reader = {&config, NULL, NULL};
    /* a module without hyperparameters leaves an empty file */
    enum tv_status status = tv_span_trim(in).len ? tv_yaml_config(&reader, in, reterr) : TV_OK;
    if (config.facts && !config.frameworks) {
        config.source = TV_FACT_LOG; /* the file's name says it, not its content */
        tv_config_fact(&config, "framework", tv_span_of("lightning"), TV_CONFIG_TEXT, 0);
    }
    tv_config_end(&config);
    return tv_config_feed(&config, status, in);
}

static int probe(struct tv_span basename, struct tv_span head)
{
    (void)head;
    return tv_span_is(basename, "hparams.yaml") ? 95 : 0;
}

const struct tv_parser tv_parser_hparams_yaml = {
    .name = "hparams_yaml",
    .summary = "hyperparameters saved by Lightning (hparams.yaml)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
