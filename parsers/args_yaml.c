/* SPDX-License-Identifier: GPL-2.0-or-later */
/* args.yaml, the arguments that Ultralytics and timm save when they start. Sources:
 * ultralytics/ultralytics ultralytics/engine/trainer.py (YAML.save of args), cfg/default.yaml;
 * huggingface/pytorch-image-models train.py, aa4b5850. */
#include "lib/yaml_config.h"
#include "trainvet/text.h"

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    return tv_yaml_feed(TV_FACT_RUN_ARGS, NULL, in, out, reterr);
}

static int probe(struct tv_span basename, struct tv_span head)
{
    (void)head;
    return tv_span_is(basename, "args.yaml") ? 93 : 0;
}

const struct tv_parser tv_parser_args_yaml = {
    .name = "args_yaml",
    .summary = "arguments saved by Ultralytics or timm (args.yaml)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
