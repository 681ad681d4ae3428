/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The README.md that transformers' Trainer writes: "### Training hyperparameters" with one
 * "- key: value" a line, and "### Framework versions".
 * Source: huggingface/transformers src/transformers/modelcard.py,
 * extract_hyperparameters_from_trainer and TrainingSummary.to_model_card, v4.9 to v5.15. */
#include "lib/config.h"
#include "lib/lines.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <string.h>

/* The card's names in the words of TrainingArguments. */
static const struct {
    const char *card, *name;
} names[] = {
    {"train_batch_size", "per_device_train_batch_size"},
    {"eval_batch_size", "per_device_eval_batch_size"},
    {"lr_scheduler_warmup_ratio", "warmup_ratio"},
    {"lr_scheduler_warmup_steps", "warmup_steps"},
    {"num_epochs", "num_train_epochs"},
    {"training_steps", "max_steps"},
    {"num_devices", "world_size"},
};

/* Tags of the card's front matter that name the trainer. */
static const struct {
    const char *tag, *framework;
} tags[] = {
    {"llama-factory", "llamafactory"},
    {"axolotl", "axolotl"},
};

enum section { FRONT_MATTER, TEXT, HYPERPARAMETERS, VERSIONS };

struct reading {
    struct tv_config config;
    enum section section;
    uint32_t line;
    const char *framework;
    uint32_t framework_line;
    bool any;
};

static bool item_of(struct tv_span line, struct tv_span *ret)
{
    line = tv_span_trim(line);
    if (!tv_span_starts(line, "- ") && !tv_span_starts(line, "* "))
        return false;
    *ret = tv_span_trim((struct tv_span){line.data + 2, line.len - 2});
    return true;
}

static void front_matter(struct reading *r, struct tv_span line)
{
    struct tv_span item;
    if (!item_of(line, &item))
        return;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (tv_span_is(item, tags[i].tag) && !r->framework) {
            r->framework = tags[i].framework;
            r->framework_line = r->line;
        }
}

static void hyperparameter(struct reading *r, struct tv_span line)
{
    struct tv_span item, key;
    if (!item_of(line, &item))
        return;
    const char *colon = memchr(item.data, ':', item.len);
    if (!colon)
        return;
    key = tv_span_trim((struct tv_span){item.data, (size_t)(colon - item.data)});
    struct tv_span value =
        tv_span_trim((struct tv_span){colon + 1, item.len - (size_t)(colon + 1 - item.data)});
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (tv_span_is(key, names[i].card))
            key = tv_span_of(names[i].name);
    double number;
    enum tv_config_type type = tv_parse_double(value, &number) ? TV_CONFIG_NUMBER : TV_CONFIG_TEXT;
    if (value.len == 0 || tv_span_is(value, "None"))
        type = TV_CONFIG_NULL;
    size_t mark = tv_config_enter(&r->config, key);
    tv_config_value(&r->config, value, type, r->line);
    tv_config_leave(&r->config, mark);
    r->any = true;
}

static void version(struct reading *r, struct tv_span line)
{
    struct tv_span item;
    if (!item_of(line, &item) || !tv_span_starts(item, "Transformers"))
        return;
    struct tv_span value = {item.data + 12, item.len - 12};
    while (value.len && (value.data[0] == ':' || value.data[0] == ' ')) {
        value.data++;
        value.len--;
    }
    if (value.len)
        tv_config_fact(&r->config, "framework_version", value, TV_CONFIG_TEXT, r->line);
}

static void read_line(struct reading *r, struct tv_span line)
{
    struct tv_span text = tv_span_trim(line);
    r->line++;
    if (r->line == 1 && tv_span_is(text, "---")) {
        r->section = FRONT_MATTER;
        return;
    }
    if (r->section == FRONT_MATTER) {
        if (tv_span_is(text, "---"))
            r->section = TEXT;
        else
            front_matter(r, line);
        return;
    }
    if (tv_span_starts(text, "#")) {
        while (text.len && text.data[0] == '#') {
            text.data++;
            text.len--;
        }
        text = tv_span_trim(text);
        r->section = tv_span_is(text, "Training hyperparameters") ? HYPERPARAMETERS
                     : tv_span_is(text, "Framework versions")     ? VERSIONS
                                                                  : TEXT;
    } else if (r->section == HYPERPARAMETERS) {
        hyperparameter(r, line);
    } else if (r->section == VERSIONS) {
        version(r, line);
    }
}

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    struct reading r = {.config = tv_config_begin(out, TV_FACT_MODEL_CARD, ""), .section = TEXT};
    if (in.len > TV_CONFIG_BYTES_MAX)
        return tv_config_feed(&r.config,
                              tv_fail(reterr, TV_ELIMIT, "a model card over %u MiB is not read",
                                      TV_CONFIG_BYTES_MAX >> 20),
                              in);
    struct tv_span rest = tv_config_without_bom(in), line;
    while (tv_next_line(&rest, true, &line))
        read_line(&r, line);
    if (r.any && r.framework)
        tv_config_fact(&r.config, "framework", tv_span_of(r.framework), TV_CONFIG_TEXT,
                       r.framework_line);
    else if (r.any)
        tv_config_end(&r.config);
    return tv_config_feed(&r.config, TV_OK, in);
}

static bool is_readme(struct tv_span basename)
{
    return basename.len == 9 && strncasecmp(basename.data, "README.md", 9) == 0;
}

/* The list may stand behind the bytes that we are shown; what generated the card stands first. */
static int probe(struct tv_span basename, struct tv_span head)
{
    static const char *const signs[] = {"generated_from_trainer", "Training hyperparameters",
                                        "base_model:", "library_name:"};
    if (!is_readme(basename))
        return 0;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (head.len && memmem(head.data, head.len, signs[i], strlen(signs[i])))
            return 60;
    return 0;
}

const struct tv_parser tv_parser_model_card = {
    .name = "model_card",
    .summary = "model card written by transformers (README.md)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
