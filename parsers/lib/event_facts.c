/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event_facts.h"
#include "lib/event_full.h"
#include "lib/json_config.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <string.h>

#define ARGUMENT_MAX  256 /* bytes of a value that is one argument; a longer text is prose */
#define TEXT_NAME_MAX 128

static bool is_json_object(struct tv_span text)
{
    text = tv_span_trim(text);
    return text.len >= 2 && text.data[0] == '{' && text.data[text.len - 1] == '}';
}

static bool is_one_line(struct tv_span text)
{
    if (text.len == 0 || text.len > ARGUMENT_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20)
            return false;
    return true;
}

static void emit_one(struct tv_config *config, struct tv_span key, struct tv_span value,
                     enum tv_config_type type)
{
    size_t mark = tv_config_enter(config, key);
    tv_config_value(config, value, type, 0);
    tv_config_leave(config, mark);
}

static bool is_none(struct tv_span text)
{
    return tv_span_is(text, "None"); /* Python's str() of nothing */
}

enum tv_status tv_event_text_facts(struct tv_span tag, struct tv_span text, bool may_be_argument,
                                   const struct tv_emit *out, struct tv_error *reterr)
{
    char name[TEXT_NAME_MAX];
    struct tv_span key = tag;
    if (tv_span_ends(key, "/text_summary"))
        key.len -= strlen("/text_summary");
    if (!tv_span_copy(key, name, sizeof name) || !key.len)
        return TV_OK;
    if (tv_span_is(key, "args"))
        return tv_json_config(text, "", TV_FACT_RUN_ARGS, out, reterr);
    if (is_json_object(text) && tv_json_config(text, name, TV_FACT_RUN_ARGS, out, reterr) == TV_OK)
        return TV_OK;
    if (!may_be_argument || !is_one_line(text))
        return TV_OK;
    struct tv_config config = tv_config_begin(out, TV_FACT_RUN_ARGS, "");
    emit_one(&config, key, text, is_none(text) ? TV_CONFIG_NULL : TV_CONFIG_NUMBER);
    tv_config_end(&config);
    return TV_OK;
}

static void emit_hparam(struct tv_config *config, struct tv_span key, const Tvpb__Value *value)
{
    char number[TV_NUMBER_MAX];
    struct tv_span text;
    switch (value ? value->kind_case : TVPB__VALUE__KIND__NOT_SET) {
    case TVPB__VALUE__KIND_NUMBER_VALUE:
        text = (struct tv_span){number, tv_format_double(number, value->number_value)};
        emit_one(config, key, text, TV_CONFIG_NUMBER);
        break;
    case TVPB__VALUE__KIND_BOOL_VALUE:
        emit_one(config, key, tv_span_of(value->bool_value ? "true" : "false"), TV_CONFIG_NUMBER);
        break;
    case TVPB__VALUE__KIND_STRING_VALUE:
        text = tv_event_span(value->string_value);
        emit_one(config, key, text, is_none(text) ? TV_CONFIG_NULL : TV_CONFIG_TEXT);
        break;
    default:
        emit_one(config, key, tv_span_of(""), TV_CONFIG_NULL);
        break;
    }
}

enum tv_status tv_event_hparams_facts(struct tv_span content, const struct tv_emit *out,
                                      struct tv_error *reterr)
{
    struct tv_event_memory memory = {.left = TV_EVENT_MEMORY};
    ProtobufCAllocator allocator = tv_event_allocator(&memory);
    Tvpb__HParamsPluginData *data =
        tvpb__hparams_plugin_data__unpack(&allocator, content.len, (const uint8_t *)content.data);
    if (!data)
        return tv_fail(reterr, TV_ECORRUPT, "the hyperparameters are no valid HParamsPluginData");
    const Tvpb__HParamsPluginData__SessionStartInfo *info = data->session_start_info;
    struct tv_config config = tv_config_begin(out, TV_FACT_HPARAMS, "");
    for (size_t i = 0; info && i < info->n_hparams; i++)
        emit_hparam(&config, tv_event_span(info->hparams[i]->key), info->hparams[i]->value);
    tv_config_end(&config);
    tvpb__hparams_plugin_data__free_unpacked(data, &allocator);
    return TV_OK;
}
