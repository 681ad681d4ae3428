/* SPDX-License-Identifier: GPL-2.0-or-later */
/* torchtitan's job configuration. Source: pytorch/torchtitan torchtitan/config/job_config.py,
 * v0.1.0 to v0.2.x. */
#include "lib/toml_config.h"
#include "trainvet/text.h"
#include <string.h>

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    struct tv_config config = tv_config_begin(out, TV_FACT_USER_CONFIG, "");
    enum tv_status status = tv_toml_config(&config, in, reterr);
    if (config.facts)
        tv_config_fact(&config, "framework", tv_span_of("torchtitan"), TV_CONFIG_TEXT, 0);
    return tv_config_feed(&config, status, in);
}

static int probe(struct tv_span basename, struct tv_span head)
{
    static const char *const tables[] = {"[training]", "[optimizer]", "[lr_scheduler]", "[job]",
                                         "[parallelism]"};
    int found = 0;
    if (!tv_span_ends(basename, ".toml"))
        return 0;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        found += tv_span_holds(head, tables[i]);
    return found >= 2 ? 85 : 0;
}

const struct tv_parser tv_parser_torchtitan_toml = {
    .name = "torchtitan_toml",
    .summary = "torchtitan job configuration (TOML)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
