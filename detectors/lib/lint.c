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

bool tv_lint_is_before_start(const struct tv_view *view)
{
    return tv_view_first_step(view) == TV_STEP_UNKNOWN;
}

bool tv_lint_is_hf(const struct tv_view *view)
{
    return tv_lint_is_before_start(view) && (tv_lint_says(view, "framework", "llamafactory") ||
                                             tv_lint_says(view, "framework", "transformers"));
}

/* axolotl/core/builders/base.py, _configure_save_and_eval_strategy, 067b021c. */
static const char *axolotl_eval_strategy(const struct tv_view *view)
{
    struct tv_setting setting;
    bool has_data = tv_lint_given(view, "test_datasets.0.path", &setting);
    if (!has_data && tv_lint_value_or(view, "val_set_size", 0) == 0)
        return "no";
    if (tv_lint_given(view, "eval_steps", &setting) ||
        tv_lint_given(view, "evals_per_epoch", &setting))
        return "steps";
    return tv_lint_given(view, "eval_strategy", &setting) ? setting.value : "epoch";
}

bool tv_lint_since(const struct tv_view *view, int major, int minor)
{
    struct tv_setting setting;
    int known[2] = {0, 0}, part = 0;
    if (!tv_view_setting(view, "transformers_version", &setting))
        return false;
    const char *at = setting.value + (*setting.value == 'v');
    for (; part < 2 && *at >= '0' && *at <= '9'; at++) {
        known[part] = known[part] < 1000 ? 10 * known[part] + (*at - '0') : known[part];
        if (at[1] == '.') {
            part++;
            at++;
        }
    }
    return known[0] > major || (known[0] == major && known[1] >= minor);
}

const char *tv_lint_strategy(const struct tv_view *view, const char *name)
{
    struct tv_setting setting;
    bool evaluates = strcmp(name, "eval_strategy") == 0;
    if (evaluates && tv_lint_says(view, "framework", "axolotl"))
        return axolotl_eval_strategy(view);
    if (!tv_lint_given(view, name, &setting) &&
        !(evaluates && tv_lint_given(view, "evaluation_strategy", &setting)))
        return evaluates || tv_view_setting(view, name, &setting) ? "no" : "steps";
    const char *dot = strrchr(setting.value, '.');
    return strcasecmp(setting.value, "false") == 0 ? "no" : dot ? dot + 1 : setting.value;
}

const struct tv_lint_rule *const tv_lint_rules[] = {
    tv_lint_refused, tv_lint_warmup, tv_lint_rate, tv_lint_run, tv_lint_schedule, NULL,
};
