/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hparams.yml, written beside the event files by accelerate's TensorBoardTracker. The keys are the
 * project's own. Source: huggingface/accelerate src/accelerate/tracking.py,
 * store_init_configuration.
 */
#include "lib/yaml_config.h"
#include "trainvet/text.h"

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    return tv_yaml_feed(TV_FACT_HPARAMS, NULL, in, out, reterr);
}

static int probe(struct tv_span basename, struct tv_span head)
{
    (void)head;
    return tv_span_is(basename, "hparams.yml") ? 95 : 0;
}

const struct tv_parser tv_parser_accelerate_hparams = {
    .name = "accelerate_hparams",
    .summary = "hyperparameters saved by accelerate (hparams.yml)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
