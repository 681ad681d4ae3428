/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/config.h"
#include "lib/json_config.h"
#include "lib/yaml_types.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_MAX = 400 };

enum {
    LLAMAFACTORY,
    AXOLOTL,
    MEGATRON,
    ULTRALYTICS,
    TIMM,
    TORCHTITAN,
    OLMO,
    OLMOCORE,
    NEMO,
    FAIRSEQ,
    TRANSFORMERS,
    ACCELERATE,
    DEEPSPEED,
    FRAMEWORKS
};

/* In the order of what is believed first. `is_shared`: others build on it, and their own keys say
 * more wherever they stand. */
static const struct {
    const char *name;
    bool is_shared;
} frameworks[FRAMEWORKS] = {
    {"llamafactory", false}, {"axolotl", false},    {"megatron", false},    {"ultralytics", false},
    {"timm", false},         {"torchtitan", false}, {"olmo", false},        {"olmocore", false},
    {"nemo", false},         {"fairseq", false},    {"transformers", true}, {"accelerate", true},
    {"deepspeed", true},
};

/* Keys that only one framework has, and those that all heirs of transformers share.
 * Sources: hiyouga/LLaMA-Factory src/llamafactory/hparams, axolotl-ai-cloud/axolotl
 * src/axolotl/utils/schemas, NVIDIA/Megatron-LM megatron/training/arguments.py, DeepSpeed
 * docs/_pages/config-json.md, ultralytics/cfg/default.yaml, timm train.py, torchtitan
 * job_config.py, OLMo olmo/config.py, OLMo-core, NeMo, fairseq, transformers training_args.py,
 * accelerate's examples. */
static const struct {
    const char *key;
    int framework;
} giveaways[] = {
    {"finetuning_type", LLAMAFACTORY},
    {"cutoff_len", LLAMAFACTORY},
    {"lora_target", LLAMAFACTORY},
    {"ray_run_name", LLAMAFACTORY},
    {"sequence_len", AXOLOTL},
    {"sample_packing", AXOLOTL},
    {"lr_quadratic_warmup", AXOLOTL},
    {"lr_decay_style", MEGATRON},
    {"lr_warmup_fraction", MEGATRON},
    {"lr0", ULTRALYTICS},
    {"sched_on_updates", TIMM},
    {"warmup_prefix", TIMM},
    {"lr_scheduler.decay_type", TORCHTITAN},
    {"job.dump_folder", TORCHTITAN},
    {"scheduler.t_warmup", OLMO},
    {"max_duration", OLMO},
    {"scheduler._CLASS_", OLMOCORE},
    {"train_module.scheduler._CLASS_", OLMOCORE},
    {"optim.sched.name", NEMO},
    {"model.optim.sched.name", NEMO},
    {"lr_scheduler._name", FAIRSEQ},
    {"per_device_train_batch_size", TRANSFORMERS},
    {"lr_scheduler_type", TRANSFORMERS},
    {"num_train_epochs", TRANSFORMERS},
    {"max_train_steps", ACCELERATE},
    {"train_micro_batch_size_per_gpu", DEEPSPEED},
    {"zero_optimization.stage", DEEPSPEED},
};

/* Fields of transformers' TrainingArguments that take a dictionary or its JSON text
 * (_VALID_DICT_FIELDS of training_args.py), and LLaMA Board's further arguments. */
static const char *const dictionaries[] = {
    "lr_scheduler_kwargs",           "deepspeed",       "accelerator_config", "fsdp_config",
    "gradient_checkpointing_kwargs", "train.extra_args"};

static const char *const secrets[] = {"hub_token", "access_token", "auth_token", "api_key",
                                      "api_token", "password",     "secret"};

struct tv_config tv_config_begin(const struct tv_emit *out, enum tv_fact_source source,
                                 const char *prefix)
{
    struct tv_config config = {.out = out, .source = source};
    if (prefix[0])
        tv_config_enter(&config, tv_span_of(prefix));
    return config;
}

static void append(struct tv_config *config, const char *data, size_t len)
{
    if (config->key_len <= sizeof config->key && len <= sizeof config->key - config->key_len && len)
        memcpy(config->key + config->key_len, data, len);
    config->key_len += len;
}

size_t tv_config_enter(struct tv_config *config, struct tv_span name)
{
    size_t mark = config->key_len;
    if (mark)
        append(config, ".", 1);
    append(config, name.data, name.len);
    return mark;
}

size_t tv_config_enter_index(struct tv_config *config, size_t index)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%zu", index);
    return tv_config_enter(config, (struct tv_span){text, (size_t)len});
}

void tv_config_leave(struct tv_config *config, size_t mark)
{
    config->key_len = mark;
}

bool tv_config_key_is(const struct tv_config *config, const char *key)
{
    return config->key_len <= sizeof config->key &&
           tv_span_is((struct tv_span){config->key, config->key_len}, key);
}

static bool is_secret(struct tv_span key)
{
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (tv_span_ends(key, secrets[i]))
            return true;
    return false;
}

static bool is_dictionary(struct tv_span key)
{
    for (size_t i = 0; i < sizeof dictionaries / sizeof *dictionaries; i++)
        if (tv_span_is(key, dictionaries[i]))
            return true;
    return false;
}

static void look_for_framework(struct tv_config *config, struct tv_span key, uint32_t line)
{
    for (size_t i = 0; i < sizeof giveaways / sizeof *giveaways; i++) {
        int framework = giveaways[i].framework;
        if (config->frameworks >> framework & 1u || !tv_span_is(key, giveaways[i].key))
            continue;
        config->frameworks |= 1u << framework;
        config->framework_line[framework] = line;
    }
}

static bool is_text(const struct tv_config *config, struct tv_span value)
{
    double number;
    return !config->is_form || !tv_parse_double(value, &number);
}

static void emit(struct tv_config *config, struct tv_span key, struct tv_span value,
                 enum tv_config_type type, uint32_t line)
{
    struct tv_fact fact = {.key = key,
                           .value = type == TV_CONFIG_NULL ? tv_span_of("null") : value,
                           .is_null = type == TV_CONFIG_NULL,
                           .is_string = type == TV_CONFIG_TEXT && is_text(config, value),
                           .source = config->source,
                           .line = line};
    if (!fact.is_null && value.len && is_secret(key))
        fact.value = tv_span_of("<masked>");
    config->out->fact(config->out->ctx, &fact);
    config->facts++;
}

void tv_config_fact(struct tv_config *config, const char *key, struct tv_span value,
                    enum tv_config_type type, uint32_t line)
{
    emit(config, tv_span_of(key), value, type, line);
}

/* A dictionary as a JSON string; false when it is none. */
static bool flatten_string(struct tv_config *config, struct tv_span value, uint32_t line)
{
    struct tv_span text = tv_span_trim(value);
    if (config->in_string || text.len < 2 || text.data[0] != '{')
        return false;
    config->in_string = true;
    struct tv_error error;
    size_t mark = config->key_len;
    if (tv_config_key_is(config, "train.extra_args"))
        config->key_len = 0; /* further settings, on the level of all others */
    enum tv_status status = tv_json_flatten(config, text, line, &error);
    config->key_len = mark;
    config->in_string = false;
    if (status != TV_OK)
        tv_config_note(config, line, "%.*s looks like a JSON object, but %s", (int)config->key_len,
                       config->key, error.message);
    return status == TV_OK;
}

void tv_config_value(struct tv_config *config, struct tv_span value, enum tv_config_type type,
                     uint32_t line)
{
    if (config->key_len > sizeof config->key) {
        if (!config->said_long_key)
            tv_config_refuse(config, line, "a key is longer than %zu bytes; its value is left out",
                             sizeof config->key);
        config->said_long_key = true;
        return;
    }
    struct tv_span key = {config->key, config->key_len};
    look_for_framework(config, key, line);
    if (type == TV_CONFIG_TEXT && is_dictionary(key) && flatten_string(config, value, line))
        return;
    emit(config, key, value, type, line);
    /* the model's configuration is stamped by the transformers that runs */
    if (type == TV_CONFIG_TEXT && (tv_span_is(key, "transformers_version") ||
                                   tv_span_is(key, "model_config.transformers_version")))
        tv_config_fact(config, "framework_version", value, type, line);
}

/* The first one whose keys were seen; FRAMEWORKS when there is none. */
static int framework_of(const struct tv_config *config)
{
    int i = 0;
    while (i < FRAMEWORKS && !(config->frameworks >> i & 1u))
        i++;
    return i;
}

bool tv_config_is(const struct tv_config *config, const char *framework)
{
    int i = framework_of(config);
    return i < FRAMEWORKS && strcmp(frameworks[i].name, framework) == 0;
}

bool tv_config_is_sure(const struct tv_config *config)
{
    int i = framework_of(config);
    return i < FRAMEWORKS && !frameworks[i].is_shared;
}

struct tv_feed tv_config_feed(const struct tv_config *config, enum tv_status status,
                              struct tv_span in)
{
    return (struct tv_feed){
        .status = status, .consumed = status == TV_OK ? in.len : 0, .records = config->facts};
}

void tv_config_end(struct tv_config *config)
{
    int i = framework_of(config);
    if (i == FRAMEWORKS)
        return;
    enum tv_fact_source source = config->source;
    if (frameworks[i].is_shared)
        config->source = TV_FACT_LOG;
    tv_config_fact(config, "framework", tv_span_of(frameworks[i].name), TV_CONFIG_TEXT,
                   config->framework_line[i]);
    config->source = source;
}

static void say(const struct tv_config *config, uint32_t line, bool is_note, const char *text)
{
    char safe[SENTENCE_MAX];
    struct tv_damage damage = {
        .line = line,
        .is_note = is_note,
        .what = tv_escape(tv_span_of(text), safe, sizeof safe),
    };
    config->out->damage(config->out->ctx, &damage);
}

void tv_config_note(const struct tv_config *config, uint32_t line, const char *format, ...)
{
    char text[SENTENCE_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len >= 0)
        say(config, line, true, text);
}

void tv_config_refuse(const struct tv_config *config, uint32_t line, const char *format, ...)
{
    char text[SENTENCE_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len >= 0)
        say(config, line, false, text);
}

void tv_config_check_text(const struct tv_config *config, struct tv_span text)
{
    uint32_t line = 1;
    for (size_t len; text.len; text.data += len, text.len -= len) {
        len = tv_yaml_char_length(text);
        line += *text.data == '\n';
        if (len > 0)
            continue;
        tv_config_note(config, line,
                       "bytes that are not UTF-8 text, which the framework's own reader refuses; "
                       "the rest is read");
        return;
    }
}

struct tv_span tv_config_without_bom(struct tv_span text)
{
    if (tv_span_starts(text, "\xEF\xBB\xBF")) {
        text.data += 3;
        text.len -= 3;
    }
    return text;
}
