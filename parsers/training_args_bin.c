/* SPDX-License-Identifier: GPL-2.0-or-later */
/* training_args.bin, the TrainingArguments that transformers' Trainer saves with torch.save: a zip
 * archive with a pickle (before torch 1.6: pickles), whose opcodes are read and never executed.
 * Source: transformers trainer.py
 * (_save, TRAINING_ARGS_NAME), torch/serialization.py. */
#include "lib/config.h"
#include "lib/pickle.h"
#include "lib/zip_entry.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <stdio.h>

enum { DEPTH_MAX = 8, VISITS_MAX = 4000, NAME_MAX_LEN = 64 };

struct telling {
    const struct tv_pickle *pickle;
    struct tv_config config;
    int depth;
    size_t visits; /* a dictionary may hold itself, or another one many times */
};

static void tell(struct telling *t, const struct tv_pickle_value *value);

static void tell_members(struct telling *t, const struct tv_pickle_value *parent)
{
    size_t index = 0;
    if (t->depth == DEPTH_MAX)
        return;
    t->depth++;
    for (const struct tv_pickle_node *n = NULL; (n = tv_pickle_next(t->pickle, parent, n));) {
        bool is_named = parent->kind != TV_PICKLE_LIST;
        bool is_setting =
            !is_named || (n->key.kind == TV_PICKLE_TEXT && !tv_span_starts(n->key.text, "__"));
        if (++t->visits > VISITS_MAX)
            break;
        if (!is_setting)
            continue;
        size_t mark = is_named ? tv_config_enter(&t->config, n->key.text)
                               : tv_config_enter_index(&t->config, index++);
        tell(t, &n->value);
        tv_config_leave(&t->config, mark);
    }
    t->depth--;
}

/* An enum member's value from its name: SchedulerType.COSINE is "cosine". */
static struct tv_span member_value(struct tv_span name, char buffer[NAME_MAX_LEN])
{
    if (tv_span_is(name, "REDUCE_ON_PLATEAU"))
        return tv_span_of("reduce_lr_on_plateau");
    if (!tv_span_copy(name, buffer, NAME_MAX_LEN))
        return name;
    for (char *p = buffer; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return tv_span_of(buffer);
}

static void tell(struct telling *t, const struct tv_pickle_value *value)
{
    char buffer[NAME_MAX_LEN];
    struct tv_span text = {buffer, 0};
    switch (value->kind) {
    case TV_PICKLE_NONE:
        tv_config_value(&t->config, tv_span_of(""), TV_CONFIG_NULL, 0);
        break;
    case TV_PICKLE_BOOL:
        tv_config_value(&t->config, tv_span_of(value->integer ? "true" : "false"), TV_CONFIG_NUMBER,
                        0);
        break;
    case TV_PICKLE_INT:
        text.len = (size_t)snprintf(buffer, sizeof buffer, "%" PRId64, value->integer);
        tv_config_value(&t->config, text, TV_CONFIG_NUMBER, 0);
        if (tv_config_key_is(&t->config, "distributed_state.num_processes"))
            tv_config_fact(&t->config, "world_size", text, TV_CONFIG_NUMBER, 0);
        break;
    case TV_PICKLE_FLOAT:
        text.len = tv_format_double(buffer, value->number);
        tv_config_value(&t->config, text, TV_CONFIG_NUMBER, 0);
        break;
    case TV_PICKLE_TEXT:
        tv_config_value(&t->config, value->text, TV_CONFIG_TEXT, 0);
        break;
    case TV_PICKLE_MEMBER:
        tv_config_value(&t->config, member_value(value->text, buffer), TV_CONFIG_TEXT, 0);
        break;
    case TV_PICKLE_DICT:
    case TV_PICKLE_LIST:
    case TV_PICKLE_OBJECT:
        tell_members(t, value);
        break;
    default:
        break;
    }
}

/* The magic number as the first pickle of what torch.save wrote before 1.6: then come the
 * protocol's version, facts of the machine, and the object. */
#define LEGACY "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
enum { LEGACY_HEADERS = 3 };

static enum tv_status read_object(struct tv_pickle *pickle, struct tv_span in,
                                  struct tv_error *reterr)
{
    struct tv_span bytes = in;
    bool is_legacy = tv_span_starts(in, LEGACY);
    enum tv_status status = is_legacy ? TV_OK : tv_zip_stored(in, "/data.pkl", &bytes, reterr);
    if (status == TV_OK && bytes.len > TV_CONFIG_BYTES_MAX)
        status = tv_fail(reterr, TV_ELIMIT, "a pickle over %u MiB is not read",
                         TV_CONFIG_BYTES_MAX >> 20);
    for (int i = 0; is_legacy && status == TV_OK && i < LEGACY_HEADERS; i++)
        status = tv_pickle_read(pickle, &bytes, reterr);
    return status == TV_OK ? tv_pickle_read(pickle, &bytes, reterr) : status;
}

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)last;
    struct tv_pickle *pickle = state;
    struct telling t = {pickle, tv_config_begin(out, TV_FACT_RUN_ARGS, ""), 0, 0};
    enum tv_status status = read_object(pickle, in, reterr);
    const struct tv_pickle_value *root = &pickle->stack[0];
    if (status == TV_OK && root->kind != TV_PICKLE_OBJECT && root->kind != TV_PICKLE_DICT)
        status = tv_fail(reterr, TV_EUNSUPPORTED, "the pickle holds no object with settings");
    if (status != TV_OK)
        return tv_config_feed(&t.config, status, in);
    tell_members(&t, root);
    if (root->kind == TV_PICKLE_OBJECT && tv_span_starts(root->module, "llamafactory."))
        tv_config_fact(&t.config, "framework", tv_span_of("llamafactory"), TV_CONFIG_TEXT, 0);
    else
        tv_config_end(&t.config);
    return tv_config_feed(&t.config, TV_OK, in);
}

static int probe(struct tv_span basename, struct tv_span head)
{
    bool is_torch = tv_span_starts(head, "PK\3\4") || tv_span_starts(head, LEGACY);
    return tv_span_is(basename, "training_args.bin") && is_torch ? 95 : 0;
}

const struct tv_parser tv_parser_training_args_bin = {
    .name = "training_args_bin",
    .summary = "transformers TrainingArguments (training_args.bin)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .state_size = sizeof(struct tv_pickle),
    .probe = probe,
    .feed = feed,
};
