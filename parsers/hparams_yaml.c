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
    return tv_yaml_feed(TV_FACT_HPARAMS, "lightning", in, out, reterr);
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
