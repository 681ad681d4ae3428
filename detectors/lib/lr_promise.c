/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_promise.h"
#include "lib/lr_setting.h"
#include <math.h>
#include <string.h>

bool tv_lr_promise_is_hf(const struct tv_schedule *promise)
{
    return promise->framework &&
           (!strcmp(promise->framework, "transformers") || !strcmp(promise->framework, "trl") ||
            !strcmp(promise->framework, "llamafactory"));
}

/* Defaults that nobody wrote down are not a promise. */
static bool is_promised(const struct tv_view *view, const struct tv_schedule *promise)
{
    struct tv_setting setting;
    return !tv_lr_promise_is_hf(promise) || tv_lr_setting(view, TV_LR_PEAK_KEYS, &setting);
}

const char *tv_lr_promise_why_none(const struct tv_view *view, const struct tv_schedule *promise)
{
    struct tv_setting peak, rampup;
    if (!promise && tv_view_rejection(view))
        return "the framework itself refuses this configuration: it promises nothing";
    if (!promise)
        return tv_lr_setting(view, TV_LR_PEAK_KEYS, &peak)
                   ? "the configuration does not determine a learning-rate schedule"
                   : "no configuration was found that promises a learning rate (--config FILE "
                     "names one)";
    if (!is_promised(view, promise))
        return "the configuration does not give a learning rate";
    if (tv_view_setting(view, "rampup_batch_size", &rampup) && strcmp(rampup.value, "None") != 0)
        return "the batch size is ramped up: the steps of the schedule are not those of the log";
    if (tv_schedule_follows_metric(promise))
        return "the promised learning rate depends on a metric";
    return promise->peak > 0 ? NULL : "the promised learning rate is not positive";
}

bool tv_lr_promise_follows(const struct tv_view *view, const struct tv_schedule *promise)
{
    return promise && tv_lr_promise_is_hf(promise) && is_promised(view, promise) &&
           tv_schedule_follows_metric(promise);
}

bool tv_lr_promise_minimum_is_open(const struct tv_view *view, const struct tv_schedule *promise)
{
    struct tv_setting setting;
    return strstr(tv_schedule_name(promise), "min_lr") && !tv_lr_promise_is_hf(promise) &&
           isnan(promise->param[TV_P_FLOOR]) && !(promise->param[TV_P_FLOOR_RATIO] > 0) &&
           !tv_lr_setting(view, "min_lr|min_lr_rate|min_lr_ratio|eta_min|lr_end", &setting);
}

double tv_lr_promise_number(const struct tv_view *view, const char *names, double otherwise)
{
    struct tv_setting setting;
    return tv_lr_setting(view, names, &setting) && isfinite(setting.number) ? setting.number
                                                                            : otherwise;
}

bool tv_lr_promise_warmup_is_ratio(const struct tv_view *view)
{
    return tv_lr_promise_number(view, TV_LR_RATIO_KEYS, 0) > 0 &&
           !(tv_lr_promise_number(view, TV_LR_WARMUP_KEYS, 0) > 0);
}

void tv_lr_promise_narrow(const struct tv_view *view, struct tv_lr_tolerance *tolerance,
                          double rough)
{
    struct tv_point epoch;
    bool has_epoch = tv_view_last(view, TV_ROLE_EPOCH, &epoch) && epoch.value > 0;
    tolerance->total_uncertainty = 0.01 + fmin(0.3, has_epoch ? 0.006 / epoch.value : 0.01) + rough;
}

void tv_lr_promise_tolerate(const struct tv_view *view, const struct tv_schedule *promise,
                            struct tv_lr_tolerance *tolerance, double *ret_rough)
{
    double length = (double)promise->steps_per_epoch;
    bool is_given = tv_lr_promise_number(view, TV_LR_TOTAL_KEYS, 0) > 0 ||
                    tv_lr_promise_number(view, TV_LR_COUNTED_KEYS, 0) > 0;
    tolerance->total_uncertainty = *ret_rough = 0;
    tolerance->warmup_is_ratio = false;
    if (is_given || (!tv_lr_promise_is_hf(promise) && promise->steps_per_epoch == 0))
        return;
    if (length > 0 && tv_lr_promise_number(view, TV_LR_ACCUMULATION_KEYS, 1) > 1)
        *ret_rough = 1 / length;
    tolerance->warmup_is_ratio = tv_lr_promise_warmup_is_ratio(view);
    tv_lr_promise_narrow(view, tolerance, *ret_rough);
}
