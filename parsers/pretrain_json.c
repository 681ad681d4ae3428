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
    struct tv_config config = tv_config_begin(out, TV_FACT_RUN_ARGS, "");
    enum tv_status status = tv_json_flatten(&config, in, 0, reterr);
    if (status == TV_OK)
        tv_config_end(&config);
    return tv_config_feed(&config, status, in);
}

static bool holds(struct tv_span text, const char *needle)
{
    return text.len && memmem(text.data, text.len, needle, strlen(needle));
}

static int probe(struct tv_span basename, struct tv_span head)
{
    bool is_ours = tv_span_ends(basename, ".json") && holds(head, "\"_CLASS_\"") &&
                   (holds(head, "olmo_core") || holds(head, "\"train_module\""));
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
