/* SPDX-License-Identifier: GPL-2.0-or-later */
/* files/config.yaml of a W&B run: each setting is a mapping of its own, with `value` and sometimes
 * `desc`. Source: wandb/wandb wandb/sdk/lib/config_util.py, 0.17. */
#include "lib/yaml_config.h"
#include "trainvet/text.h"
#include <string.h>

struct unwrapping {
    const struct tv_emit *out;
};

/* "key.value.more" is the setting "key.more". */
static void on_fact(void *ctx, const struct tv_fact *fact)
{
    const struct unwrapping *unwrap = ctx;
    static const char value[] = ".value";
    char key[TV_CONFIG_KEY_MAX];
    struct tv_fact copy = *fact;
    size_t len = sizeof value - 1;
    const char *at = memmem(fact->key.data, fact->key.len, value, len);
    size_t before = at ? (size_t)(at - fact->key.data) : 0;
    size_t after = before + len;
    bool is_setting = at && memchr(fact->key.data, '.', before) == NULL &&
                      (after == fact->key.len || fact->key.data[after] == '.');
    bool is_label =
        tv_span_is(fact->key, "framework") || tv_span_is(fact->key, "framework_version");
    if (tv_span_starts(fact->key, "_wandb.") || (!is_setting && !is_label))
        return;
    if (is_setting) {
        memcpy(key, fact->key.data, before);
        memcpy(key + before, fact->key.data + after, fact->key.len - after);
        copy.key = (struct tv_span){key, fact->key.len - len};
    }
    unwrap->out->fact(unwrap->out->ctx, &copy);
}

static void on_damage(void *ctx, const struct tv_damage *damage)
{
    const struct unwrapping *unwrap = ctx;
    unwrap->out->damage(unwrap->out->ctx, damage);
}

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    struct unwrapping unwrap = {.out = out};
    struct tv_emit emit = {.ctx = &unwrap, .fact = on_fact, .damage = on_damage};
    return tv_yaml_feed(TV_FACT_RUN_ARGS, NULL, in, &emit, reterr);
}

static int probe(struct tv_span basename, struct tv_span head)
{
    static const char *const keys[] = {"_wandb", "wandb_version", NULL};
    return tv_span_is(basename, "config.yaml") && tv_yaml_count_keys(head, keys) ? 96 : 0;
}

const struct tv_parser tv_parser_wandb_config = {
    .name = "wandb_config",
    .summary = "settings of a W&B run (files/config.yaml)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
