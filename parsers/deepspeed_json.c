/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DeepSpeed's configuration file (ds_config.json). Source: DeepSpeed docs/_pages/config-json.md;
 * "auto": transformers src/transformers/integrations/deepspeed.py, HfTrainerDeepSpeedConfig. */
#include "lib/json_config.h"
#include "trainvet/text.h"
#include <string.h>

/* transformers fills an "auto" outside the scheduler and the optimizer from the arguments of the
 * same name, so it states nothing. */
struct without_auto {
    const struct tv_emit *out;
    bool any;
};

static void on_fact(void *ctx, const struct tv_fact *fact)
{
    struct without_auto *filter = ctx;
    struct tv_fact copy = *fact;
    bool is_auto = fact->is_string && tv_span_is(fact->value, "auto");
    filter->any = filter->any || is_auto;
    if (is_auto && !tv_span_starts(fact->key, "scheduler.") &&
        !tv_span_starts(fact->key, "optimizer.")) {
        copy.value = tv_span_of("null");
        copy.is_null = true;
        copy.is_string = false;
    }
    filter->out->fact(filter->out->ctx, &copy);
}

static void on_damage(void *ctx, const struct tv_damage *damage)
{
    struct without_auto *filter = ctx;
    filter->out->damage(filter->out->ctx, damage);
}

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    struct without_auto filter = {.out = out};
    struct tv_emit emit = {.ctx = &filter, .fact = on_fact, .damage = on_damage};
    struct tv_config config = tv_config_begin(&emit, TV_FACT_USER_CONFIG, "");
    enum tv_status status = tv_json_flatten(&config, in, 0, reterr);
    if (status == TV_OK && !filter.any) /* who leaves values open is not the one who trains */
        tv_config_end(&config);
    return tv_config_feed(&config, status, in);
}

static int probe(struct tv_span basename, struct tv_span head)
{
    static const char *const keys[] = {
        "\"zero_optimization\"", "\"train_micro_batch_size_per_gpu\"",
        "\"WarmupLR\"",          "\"WarmupDecayLR\"",
        "\"WarmupCosineLR\"",    "\"OneCycle\"",
        "\"LRRangeTest\""};
    struct tv_span text = tv_span_trim(tv_config_without_bom(head));
    if (!tv_span_ends(basename, ".json") || text.len == 0 || text.data[0] != '{')
        return 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (memmem(text.data, text.len, keys[i], strlen(keys[i])))
            return 85;
    return 0;
}

const struct tv_parser tv_parser_deepspeed_json = {
    .name = "deepspeed_json",
    .summary = "DeepSpeed configuration (JSON)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
