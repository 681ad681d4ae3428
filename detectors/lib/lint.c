/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lint.h"
#include <math.h>
#include <string.h>
#include <strings.h>

bool tv_lint_number(const struct tv_view *view, const char *name, struct tv_setting *ret)
{
    return tv_view_setting(view, name, ret) && !isnan(ret->number);
}

bool tv_lint_says(const struct tv_view *view, const char *name, const char *value)
{
    struct tv_setting setting;
    return tv_view_setting(view, name, &setting) && strcasecmp(setting.value, value) == 0;
}

double tv_lint_value_or(const struct tv_view *view, const char *name, double otherwise)
{
    struct tv_setting setting;
    return tv_lint_number(view, name, &setting) ? setting.number : otherwise;
}

bool tv_lint_given(const struct tv_view *view, const char *name, struct tv_setting *ret)
{
    return tv_view_setting(view, name, ret) && *ret->value && strcasecmp(ret->value, "null") != 0 &&
           strcasecmp(ret->value, "none") != 0 && strcmp(ret->value, "~") != 0;
}

const char *tv_lint_strategy(const struct tv_view *view, const char *name)
{
    struct tv_setting setting;
    bool evaluates = strcmp(name, "eval_strategy") == 0;
    if (!tv_lint_given(view, name, &setting) &&
        !(evaluates && tv_lint_given(view, "evaluation_strategy", &setting)))
        return evaluates || tv_view_setting(view, name, &setting) ? "no" : "steps";
    const char *dot = strrchr(setting.value, '.');
    return strcasecmp(setting.value, "false") == 0 ? "no" : dot ? dot + 1 : setting.value;
}

const struct tv_lint_rule *const tv_lint_rules[] = {
    tv_lint_refused, tv_lint_warmup, tv_lint_rate, tv_lint_run, NULL,
};
