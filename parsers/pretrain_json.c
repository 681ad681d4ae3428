/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config.json of OLMo-core, saved with each checkpoint. A dump of objects: each has its class in
 * _CLASS_. Source: allenai/OLMo-core src/olmo_core/train/callbacks/config_saver.py,
 * src/olmo_core/config.py, fa6c5014. */
#include "lib/json_config.h"
#include "trainvet/text.h"
#include <string.h>

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    return tv_json_feed(TV_FACT_RUN_ARGS, in, out, reterr);
}

static int probe(struct tv_span basename, struct tv_span head)
{
    bool is_ours = tv_span_ends(basename, ".json") && tv_span_holds(head, "\"_CLASS_\"") &&
                   (tv_span_holds(head, "olmo_core") || tv_span_holds(head, "\"train_module\""));
    return is_ours ? 88 : 0;
}

const struct tv_parser tv_parser_pretrain_json = {
    .name = "pretrain_json",
    .summary = "OLMo-core configuration (JSON)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
