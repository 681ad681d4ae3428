/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OLMo: olmo/optim.py, olmo/config.py and olmo/train.py 59a53e3f. */
#include "schedule/framework.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <string.h>

/* max_duration: steps, or "2e12T" tokens, of which a step takes a whole number. */
static double planned_steps(const struct tv_facts *facts, double tokens_per_step)
{
    const char *text = tv_get_text(facts, "max_duration");
    double value;
    if (!text)
        return tv_get_number_or(facts, "log.total_steps", 10000);
    struct tv_span span = tv_span_trim(tv_span_of(text));
    size_t len = tv_scan_double(span, &value);
    if (len > 0 && len == span.len)
        return value;
    if (len > 0 && len + 1 == span.len && span.data[len] == 'T')
        return floor(value / tokens_per_step);
    return tv_get_number(facts, "log.total_steps");
}

static enum tv_status resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr)
{
    const char *name = tv_get_text(facts, "scheduler.name"),
               *units = tv_get_text(facts, "scheduler.units");
    double tokens_per_step = tv_get_number(facts, "global_train_batch_size") *
                             tv_get_number(facts, "model.max_sequence_length");
    bool tokens = units && !strcmp(units, "tokens");
    double unit = tokens ? tokens_per_step : 1;
    if (isnan(unit))
        return tv_fail(reterr, TV_AGAIN,
                       "the scheduler counts tokens and the tokens of a step are not known");
    ret->peak = tv_get_number_or(facts, "optimizer.learning_rate", 1e-4);
    ret->total_steps = planned_steps(facts, tokens_per_step);
    ret->warmup_steps = trunc(tv_get_number_or(facts, "scheduler.t_warmup", 100)) / unit;
    ret->offset_known = true;
    enum tv_status status =
        tv_schedule_start(ret, "olmo", name ? name : "cosine_with_warmup", reterr);
    if (status != TV_OK)
        return status;
    tv_set(ret, TV_P_END, trunc(tv_get_number(facts, "scheduler.t_max")) / unit);
    tv_set(ret, TV_P_START, tv_get_number(facts, "scheduler.warmup_min_lr"));
    if (strcmp(ret->kind->name, "inverse_sqrt_with_warmup") != 0)
        tv_set(ret, TV_P_FLOOR_RATIO, tv_get_number(facts, "scheduler.alpha_f"));
    double start = ret->param[TV_P_START];
    bool divides = ret->kind->lr == tv_power_law_lr || ret->kind->lr == tv_max_lr;
    if (ret->warmup_steps == 0 && divides)
        return tv_fail(reterr, TV_ECONFIG,
                       "%s without warm-up divides by zero (scheduler.t_warmup is 0)",
                       ret->kind->name);
    bool warms = ret->warmup_steps > 0 && !(ret->kind->flags & TV_KIND_NO_WARMUP);
    if (warms && (start < 0 || start >= ret->peak))
        return tv_fail(reterr, TV_ECONFIG,
                       "warmup_min_lr must lie between 0 and the learning rate");
    return tv_schedule_complete(ret, reterr);
}

static bool owns(const struct tv_facts *facts)
{
    return tv_has(facts, "scheduler.name") &&
           tv_has(facts, "optimizer.learning_rate|scheduler.t_warmup");
}

const struct tv_framework tv_framework_olmo = {"olmo", owns, resolve};
