/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DeepSpeed's own schedulers, from its JSON file alone or as the "scheduler" block that
 * transformers hands on. Source: deepspeed/runtime/lr_schedules.py 38327e07 (2025-02), edaa7221
 * (2026-08) and its history. */
#include "schedule/framework.h"
#include "schedule/version.h"
#include "trainvet/text.h"
#include <string.h>

struct ds_case {
    struct tv_schedule *s;
    struct tv_scope params;
    int version;
    double optimizer_lr;
};

/* 2: warm-up over at least that many steps; 0 is rejected since 0.19.3. */
static enum tv_status warmup(const struct ds_case *ds, struct tv_error *reterr)
{
    struct tv_schedule *s = ds->s;
    double automatic = isnan(s->warmup_steps) ? 1000 : s->warmup_steps;
    double steps = tv_in_number(&ds->params, "warmup_num_steps",
                                tv_in_has(&ds->params, "warmup_num_steps") ? automatic : 1000);
    if (steps <= 0 && ds->version >= TV_VERSION(0, 19, 3))
        return tv_fail(reterr, TV_ECONFIG, "warmup_num_steps must be a positive integer");
    s->warmup_steps = fmax(2, steps);
    const char *type = tv_in_text(&ds->params, "warmup_type");
    bool linear = type && !strcmp(type, "linear");
    bool is_cosine = !strcmp(s->kind->name, "WarmupCosineLR");
    if (is_cosine && type && !linear && strcmp(type, "log") != 0 &&
        ds->version < TV_VERSION(0, 19, 4))
        return tv_fail(reterr, TV_ECONFIG, "WarmupCosineLR takes log or linear as warmup_type");
    s->param[TV_P_WARM_SHAPE] = linear ? TV_SHAPE_LINEAR : TV_SHAPE_LOG;
    s->param[TV_P_WARM_SHIFT] = linear ? 0 : 1;
    if (!type)
        tv_schedule_note(s, "warmup_type is not given: DeepSpeed warms up with a logarithm");
    return TV_OK;
}

/* Before 0.15.3 the first update used the optimizer's own learning rate. */
static double first_lr(const struct ds_case *ds, double start)
{
    return ds->version < TV_VERSION(0, 15, 3) ? ds->optimizer_lr : start;
}

static enum tv_status check_total(const struct ds_case *ds, struct tv_error *reterr)
{
    return tv_in_has(&ds->params, "total_num_steps")
               ? TV_OK
               : tv_fail(reterr, TV_ECONFIG, "%s needs total_num_steps", ds->s->kind->name);
}

static enum tv_status warmup_lr(const struct ds_case *ds, struct tv_error *reterr)
{
    struct tv_schedule *s = ds->s;
    bool decays = !strcmp(s->kind->name, "WarmupDecayLR");
    bool follows_optimizer = !decays && ds->version >= TV_VERSION(0, 17, 2);
    double absent = follows_optimizer ? ds->optimizer_lr : 0.001;
    double low = tv_in_number(&ds->params, "warmup_min_lr", 0);
    double high = tv_in_number(&ds->params, "warmup_max_lr",
                               tv_in_has(&ds->params, "warmup_max_lr") ? ds->optimizer_lr : absent);
    s->peak = high;
    s->param[TV_P_START] = low;
    s->param[TV_P_FLOOR] = low;
    s->param[TV_P_EXTRA] = first_lr(ds, low);
    if (decays && check_total(ds, reterr) != TV_OK)
        return TV_ECONFIG;
    return warmup(ds, reterr);
}

static enum tv_status warmup_cosine(const struct ds_case *ds, struct tv_error *reterr)
{
    struct tv_schedule *s = ds->s;
    s->peak = ds->optimizer_lr;
    s->param[TV_P_START_RATIO] = tv_in_number(&ds->params, "warmup_min_ratio", 0);
    s->param[TV_P_FLOOR_RATIO] = tv_in_number(&ds->params, "cos_min_ratio", 1e-4);
    s->param[TV_P_PERIODIC] = ds->version < TV_VERSION(0, 19, 3);
    s->param[TV_P_EXTRA] = first_lr(ds, 0);
    enum tv_status status = check_total(ds, reterr);
    if (status == TV_OK)
        status = warmup(ds, reterr);
    double length = s->total_steps - s->warmup_steps;
    if (status != TV_OK || ds->version >= TV_VERSION(0, 19, 3) || !(length <= 0))
        return status;
    if (length == 0)
        return tv_fail(reterr, TV_ECONFIG,
                       "WarmupCosineLR divides by total_num_steps less warmup_num_steps, which is "
                       "zero");
    s->param[TV_P_CYCLES] = 0.5 / length; /* of the length 1 that a decay takes at least */
    return TV_OK;
}

static enum tv_status one_cycle(const struct ds_case *ds, struct tv_error *reterr)
{
    struct tv_schedule *s = ds->s;
    s->param[TV_P_FLOOR] = tv_in_number(&ds->params, "cycle_min_lr", NAN);
    s->peak = tv_in_number(&ds->params, "cycle_max_lr", NAN);
    if (isnan(s->peak) || isnan(s->param[TV_P_FLOOR]))
        return tv_fail(reterr, TV_ECONFIG, "OneCycle needs cycle_min_lr and cycle_max_lr");
    double first = tv_in_number(&ds->params, "cycle_first_step_size", 2000);
    s->param[TV_P_PERIOD] = first;
    s->param[TV_P_DECAY] = tv_in_number(&ds->params, "cycle_second_step_size", first);
    if (first <= 0)
        return tv_fail(reterr, TV_ECONFIG, "cycle_first_step_size must be positive");
    s->param[TV_P_GAMMA] = tv_in_number(&ds->params, "decay_lr_rate", 0);
    s->param[TV_P_EXTRA] = tv_in_number(&ds->params, "decay_step_size", 0);
    if (ds->version >= TV_VERSION(0, 19, 4)) { /* before, the stairs had no effect */
        double stairs = tv_in_number(&ds->params, "cycle_first_stair_count", 0);
        s->param[TV_P_CYCLES] = stairs;
        s->param[TV_P_EXTRA2] = tv_in_number(&ds->params, "cycle_second_stair_count", stairs);
    }
    return TV_OK;
}

static enum tv_status range_test(const struct ds_case *ds, struct tv_error *reterr)
{
    struct tv_schedule *s = ds->s;
    s->peak = tv_in_number(&ds->params, "lr_range_test_min_lr", 1e-3);
    s->param[TV_P_PERIOD] = tv_in_number(&ds->params, "lr_range_test_step_size", 2000);
    s->param[TV_P_GAMMA] = tv_in_number(&ds->params, "lr_range_test_step_rate", 1);
    s->param[TV_P_MODE] = !tv_in_true(&ds->params, "lr_range_test_staircase", false);
    if (!(s->param[TV_P_PERIOD] > 0))
        return tv_fail(reterr, TV_ECONFIG,
                       "lr_range_test_step_size must be a positive integer, not zero");
    return TV_OK;
}

/* What is none of its own it looks up in torch (runtime/engine.py, _scheduler_from_config). */
static enum tv_status torch_kind(const struct tv_scope *params, const char *name,
                                 struct tv_schedule *schedule, struct tv_error *reterr)
{
    struct tv_schedule_part part = {.peak = schedule->peak};
    enum tv_status status = tv_torch_part(params, name, 1, schedule, &part, reterr);
    if (status == TV_OK)
        tv_schedule_take(schedule, &part);
    return status;
}

enum tv_status tv_deepspeed_kind(const struct tv_scope *scheduler, int version,
                                 struct tv_schedule *schedule, struct tv_error *reterr)
{
    static const struct {
        const char *name;
        enum tv_status (*apply)(const struct ds_case *ds, struct tv_error *reterr);
    } kinds[] = {{"WarmupLR", warmup_lr},
                 {"WarmupDecayLR", warmup_lr},
                 {"WarmupCosineLR", warmup_cosine},
                 {"OneCycle", one_cycle},
                 {"LRRangeTest", range_test}};
    const char *name = tv_in_text(scheduler, "type");
    if (!name)
        return tv_fail(reterr, TV_AGAIN, "the DeepSpeed configuration does not name a scheduler");
    char safe[64];
    struct tv_scope params = tv_scope_in(scheduler, "params");
    if (tv_kind_find("torch", name))
        return torch_kind(&params, name, schedule, reterr);
    if (!tv_kind_find("deepspeed", name))
        return tv_fail(reterr, TV_ECONFIG, "DeepSpeed does not recognize LR scheduler %s",
                       tv_escape(tv_span_of(name), safe, sizeof safe));
    enum tv_status status = tv_schedule_start(schedule, "deepspeed", name, reterr);
    struct ds_case ds = {
        .s = schedule, .params = params, .version = version, .optimizer_lr = schedule->peak};
    schedule->total_steps = tv_in_number(&ds.params, "total_num_steps", schedule->total_steps);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && status == TV_OK; i++) {
        if (!strcmp(kinds[i].name, name))
            status = kinds[i].apply(&ds, reterr);
    }
    return status;
}

static enum tv_status resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr)
{
    struct tv_scope top = tv_scope_top(facts), scheduler = tv_scope_in(&top, "scheduler");
    int version = tv_version_parse(tv_get_text(facts, "deepspeed_version|framework_version"));
    if (version == TV_VERSION_UNKNOWN) {
        version = TV_VERSION(0, 17, 1);
        tv_schedule_note(ret, "the version of DeepSpeed is not known: 0.15.3 to 0.17.1 assumed");
    }
    ret->peak = tv_get_number_or(facts, "optimizer.params.lr", 1e-3);
    ret->total_steps = tv_get_number(facts, "max_steps|log.total_steps");
    ret->offset_known = true;
    enum tv_status status = tv_deepspeed_kind(&scheduler, version, ret, reterr);
    return status == TV_OK ? tv_schedule_complete(ret, reterr) : status;
}

static bool owns(const struct tv_facts *facts)
{
    return tv_has(facts, "scheduler.type") &&
           (tv_has_prefix(facts, "scheduler.params.") || tv_has(facts, "optimizer.params.lr"));
}

const struct tv_framework tv_framework_deepspeed = {"deepspeed", owns, resolve};
