/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/settings.h"
#include "schedule/resolve.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <stdio.h>
#include <string.h>

static void add(struct tv_facts *facts, struct tv_span key, const char *value)
{
    struct tv_fact fact = {.key = key, .value = tv_span_of(value), .source = TV_FACT_COMMAND_LINE};
    tv_facts_add(facts, &fact, "command line");
}

enum tv_status tv_settings_add(struct tv_facts *facts, const char *pair, struct tv_error *reterr)
{
    const char *equals = strchr(pair, '=');
    if (!equals || equals == pair)
        return tv_fail(reterr, TV_ECONFIG, "--set takes KEY=VALUE, not \"%.60s\"", pair);
    add(facts, (struct tv_span){pair, (size_t)(equals - pair)}, equals + 1);
    return TV_OK;
}

enum tv_status tv_settings_add_number(struct tv_facts *facts, const char *key, const char *value,
                                      const char *option, struct tv_error *reterr)
{
    double number;
    if (!tv_parse_double(tv_span_of(value), &number) || !(number > 0))
        return tv_fail(reterr, TV_ECONFIG, "%s takes a number above 0, not \"%.60s\"", option,
                       value);
    add(facts, tv_span_of(key), value);
    return TV_OK;
}

enum tv_status tv_settings_add_framework(struct tv_facts *facts, const char *text,
                                         struct tv_error *reterr)
{
    char name[64];
    size_t len = strcspn(text, "@");
    if (len == 0 || len >= sizeof name || (text[len] && !text[len + 1]))
        return tv_fail(reterr, TV_ECONFIG,
                       "--framework takes NAME or NAME@VERSION, as in transformers@4.51, not "
                       "\"%.60s\"",
                       text);
    snprintf(name, sizeof name, "%.*s", (int)len, text);
    const char *known = tv_framework_name(name);
    add(facts, tv_span_of("framework"), known ? known : name);
    if (text[len])
        add(facts, tv_span_of("framework_version"), text + len + 1);
    if (text[len] && known && strcmp(known, "transformers") == 0)
        add(facts, tv_span_of("transformers_version"), text + len + 1);
    return TV_OK;
}
