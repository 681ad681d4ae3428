/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/choice.h"
#include "base/memory.h"
#include "cmd/options.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <stdlib.h>
#include <string.h>

void tv_choice_init(struct tv_choice *choice)
{
    while (tv_detectors[choice->len])
        choice->len++;
    choice->enabled = tv_xcalloc(choice->len, sizeof *choice->enabled);
    choice->options = tv_xcalloc(choice->len, sizeof *choice->options);
    choice->said = tv_xcalloc(choice->len, sizeof *choice->said);
    for (size_t i = 0; i < choice->len; i++) {
        choice->enabled[i] = true;
        choice->options[i] = tv_xcalloc(1, tv_detectors[i]->options_size);
        tv_option_defaults(tv_detectors[i]->options, choice->options[i]);
    }
    choice->engine.enabled = choice->enabled;
    choice->engine.options = (const void *const *)choice->options;
}

static const char *detector_name(const void *ctx, size_t i)
{
    (void)ctx;
    return tv_detectors[i]->name;
}

static const char *option_name(const void *ctx, size_t i)
{
    return ((const struct tv_option *)ctx)[i].name;
}

static enum tv_status find(const struct tv_choice *choice, const char *id, size_t *ret,
                           struct tv_error *reterr)
{
    for (*ret = 0; *ret < choice->len; ++*ret)
        if (strcmp(tv_detectors[*ret]->name, id) == 0)
            return TV_OK;
    const char *near = tv_nearest(id, choice->len, detector_name, NULL);
    return near ? tv_fail(reterr, TV_ECONFIG, "there is no detector \"%.60s\"; did you mean %s?",
                          id, near)
                : tv_fail(reterr, TV_ECONFIG,
                          "there is no detector \"%.60s\"; trainvet list names them", id);
}

enum tv_status tv_choice_detector(struct tv_choice *choice, const char *id, struct tv_error *reterr)
{
    size_t index;
    enum tv_status status = find(choice, id, &index, reterr);
    if (status != TV_OK)
        return status;
    if (!choice->some)
        memset(choice->enabled, 0, choice->len * sizeof *choice->enabled);
    choice->some = true;
    choice->enabled[index] = true;
    return TV_OK;
}

enum tv_status tv_choice_enable(struct tv_choice *choice, const char *id, bool enabled,
                                struct tv_error *reterr)
{
    size_t index;
    enum tv_status status = find(choice, id, &index, reterr);
    if (status == TV_OK)
        choice->enabled[index] = enabled;
    return status;
}

static enum tv_status set_option(struct tv_choice *choice, size_t index, const char *name,
                                 const char *value, struct tv_error *reterr)
{
    const struct tv_option *table = tv_detectors[index]->options;
    size_t count = 0;
    while (table && table[count].name)
        count++;
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, name) == 0) {
            choice->said[index] |= UINT64_C(1) << i % 64;
            return tv_option_set(table, choice->options[index], name, value, reterr);
        }
    const char *near = tv_nearest(name, count, option_name, table);
    const char *id = tv_detectors[index]->name;
    return near ? tv_fail(reterr, TV_ECONFIG, "%s has no option \"%.60s\"; did you mean %s.%s?", id,
                          name, id, near)
                : tv_fail(reterr, TV_ECONFIG,
                          "%s has no option \"%.60s\"; trainvet explain %s names them", id, name,
                          id);
}

enum tv_status tv_choice_set(struct tv_choice *choice, const char *setting, struct tv_error *reterr)
{
    char id[64], name[64];
    const char *dot = strchr(setting, '.'), *equals = strchr(setting, '=');
    size_t index;
    if (!dot || !equals || equals < dot ||
        !tv_span_copy((struct tv_span){setting, (size_t)(dot - setting)}, id, sizeof id) ||
        !tv_span_copy((struct tv_span){dot + 1, (size_t)(equals - dot - 1)}, name, sizeof name))
        return tv_fail(reterr, TV_ECONFIG, "--set takes DETECTOR.OPTION=VALUE, not \"%.80s\"",
                       setting);
    enum tv_status status = find(choice, id, &index, reterr);
    return status == TV_OK ? set_option(choice, index, name, equals + 1, reterr) : status;
}

static const char *preset_name(const void *ctx, size_t i)
{
    (void)ctx;
    return i == 0 ? "default" : tv_presets[i - 1].preset;
}

static void apply(struct tv_choice *choice, const struct tv_preset *row)
{
    size_t index, option = 0;
    char value[TV_NUMBER_MAX];
    if (find(choice, row->detector, &index, NULL) != TV_OK)
        return;
    const struct tv_option *table = tv_detectors[index]->options;
    while (table[option].name && strcmp(table[option].name, row->option) != 0)
        option++;
    tv_format_double(value, row->value);
    if (table[option].name && !(choice->said[index] >> option % 64 & 1))
        tv_option_set(table, choice->options[index], row->option, value, NULL);
}

enum tv_status tv_choice_preset(struct tv_choice *choice, const char *name, struct tv_error *reterr)
{
    size_t rows = 0;
    bool known = strcmp(name, "default") == 0;
    for (; tv_presets[rows].preset; rows++)
        known = known || strcmp(name, tv_presets[rows].preset) == 0;
    if (!known) {
        const char *near = tv_nearest(name, rows + 1, preset_name, NULL);
        return tv_fail(reterr, TV_ECONFIG,
                       "the presets are default, strict and quiet, not \"%.60s\"%s%s", name,
                       near ? "; did you mean " : "", near ? near : "");
    }
    for (const struct tv_preset *row = tv_presets; row->preset; row++)
        if (strcmp(name, row->preset) == 0)
            apply(choice, row);
    return TV_OK;
}

void tv_choice_free(struct tv_choice *choice)
{
    for (size_t i = 0; i < choice->len; i++)
        free(choice->options[i]);
    free(choice->options);
    free(choice->enabled);
    free(choice->said);
    *choice = (struct tv_choice){0};
}

int tv_parse_level(const char *text)
{
    for (int level = TV_INFO; level <= TV_CRITICAL; level++)
        if (strcmp(text, tv_severity_name((enum tv_severity)level)) == 0)
            return level;
    return strcmp(text, "never") == 0 ? TV_LEVEL_NEVER : -1;
}
