/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trainvet/option.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <string.h>

static void store_number(const struct tv_option *option, void *target, double value)
{
    char *field = (char *)target + option->offset;
    int64_t whole = (int64_t)value;
    bool truth = value != 0;
    switch (option->type) {
    case TV_OPTION_DOUBLE:
        memcpy(field, &value, sizeof value);
        break;
    case TV_OPTION_INT:
        memcpy(field, &whole, sizeof whole);
        break;
    case TV_OPTION_BOOL:
        memcpy(field, &truth, sizeof truth);
        break;
    case TV_OPTION_STRING:
        break;
    }
}

void tv_option_defaults(const struct tv_option *table, void *target)
{
    for (const struct tv_option *option = table; option && option->name; option++) {
        if (option->type == TV_OPTION_STRING)
            memcpy((char *)target + option->offset, &option->default_text,
                   sizeof option->default_text);
        else
            store_number(option, target, option->default_value);
    }
}

static bool parse_value(const struct tv_option *option, const char *text, double *ret)
{
    if (option->type == TV_OPTION_BOOL &&
        (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)) {
        *ret = text[0] == 't';
        return true;
    }
    return tv_parse_double(tv_span_of(text), ret) &&
           (option->type != TV_OPTION_INT || *ret == floor(*ret));
}

enum tv_status tv_option_set(const struct tv_option *table, void *target, const char *name,
                             const char *value, struct tv_error *reterr)
{
    const struct tv_option *option = table;
    while (option && option->name && strcmp(option->name, name) != 0)
        option++;
    if (!option || !option->name)
        return tv_fail(reterr, TV_ECONFIG, "there is no option \"%.60s\"", name);
    if (option->type == TV_OPTION_STRING) {
        memcpy((char *)target + option->offset, &value, sizeof value);
        return TV_OK;
    }
    double number;
    if (!parse_value(option, value, &number))
        return tv_fail(reterr, TV_ECONFIG, "%s takes %s, not \"%.60s\"", name,
                       option->type == TV_OPTION_BOOL  ? "true or false"
                       : option->type == TV_OPTION_INT ? "a whole number"
                                                       : "a number",
                       value);
    if (option->type != TV_OPTION_BOOL && !(number >= option->min && number <= option->max))
        return tv_fail(reterr, TV_ECONFIG, "%s must be between %g and %g, not %s", name,
                       option->min, option->max, value);
    store_number(option, target, number);
    return TV_OK;
}
