/* SPDX-License-Identifier: GPL-2.0-or-later */
/* axolotl: its own cosines and restarts, transformers' schedulers for the rest. Source:
 * utils/schedulers.py, core/trainers/mixins/scheduler.py and core/builders/base.py 067b021c. */
#include "schedule/framework.h"
#include "schedule/steps.h"
#include "schedule/version.h"
#include <string.h>

/* warmup_ratio is cut, not rounded up; without either it is 3 % and at most 100 steps; one step
 * becomes two. */
static double warmup_steps(const struct tv_facts *facts, double total)
{
    double steps = tv_get_number(facts, "warmup_steps"),
           ratio = tv_get_number(facts, "warmup_ratio");
    if (isnan(steps))
        steps = isnan(ratio) ? fmin(trunc(0.03 * total), 100) : trunc(ratio * total);
    if (steps > 0 && steps < 1) /* handed on to transformers 5, for which it is a ratio */
        return ceil(total * steps);
    return steps == 1 ? 2 : steps;
}

static double total_steps(const struct tv_facts *facts, struct tv_schedule *ret)
{
    double samples = tv_get_number(facts, "num_samples"),
           epochs = tv_get_number_or(facts, "num_epochs", 1);
    double batch = tv_get_number_or(facts, "micro_batch_size", 1) *
                   tv_get_number_or(facts, "gradient_accumulation_steps", 1) *
                   tv_get_number_or(facts, "world_size", 1);
    double given = tv_get_number(facts, "max_steps");
    double total =
        given > 0 ? given : tv_get_number(facts, "trainer_state.max_steps|log.total_steps");
    if (isnan(total) && !isnan(samples)) {
        tv_schedule_note(ret, "the steps are counted from num_samples, without packing");
        total = ceil(samples * epochs / batch);
    }
    return total;
}

static enum tv_status one_cycle(const struct tv_facts *facts, struct tv_schedule *ret,
                                struct tv_error *reterr)
{
    struct tv_scope top = tv_scope_top(facts), args = tv_scope_in(&top, "lr_scheduler_kwargs");
    struct tv_schedule_part part = {.peak = ret->peak};
    enum tv_status status = tv_part_start(&part, "axolotl", "one_cycle", reterr);
    if (status == TV_OK)
        status = tv_one_cycle(&args, ret->total_steps, ret->warmup_steps / ret->total_steps, ret,
                              &part, reterr);
    double warmup = ret->warmup_steps;
    tv_schedule_take(ret, &part);
    ret->warmup_steps = warmup;
    return status;
}

static enum tv_status base_kind(const struct tv_facts *facts, struct tv_schedule *ret,
                                struct tv_error *reterr)
{
    const char *given = tv_get_text(facts, "lr_scheduler|lr_scheduler_type"),
               *name = given ? given : "cosine";
    double ratio = tv_get_number(facts, "cosine_min_lr_ratio"),
           part = tv_get_number(facts, "cosine_constant_lr_ratio");
    if (!strcmp(name, "one_cycle"))
        return one_cycle(facts, ret, reterr);
    bool rex = !strcmp(name, "rex"), cosine = !strcmp(name, "cosine");
    if (!rex && !cosine)
        return tv_hf_kind(facts, name, ret, reterr);
    if (ratio < 0 || ratio > 1 || part < 0 || part > 1)
        return tv_fail(reterr, TV_ECONFIG,
                       "cosine_min_lr_ratio and cosine_constant_lr_ratio must lie between 0 and 1");
    bool quadratic = cosine && tv_get_true(facts, "lr_quadratic_warmup", false);
    bool constant = cosine && !quadratic && ratio > 0 && part > 0;
    if (cosine && !quadratic && !(ratio > 0))
        return tv_hf_kind(facts, name, ret, reterr);
    enum tv_status status = tv_schedule_start(ret, "axolotl",
                                              quadratic  ? "cosine_quadratic_warmup"
                                              : constant ? "cosine_constant"
                                                         : name,
                                              reterr);
    if (status != TV_OK || quadratic)
        return status;
    tv_set(ret, TV_P_FLOOR_RATIO, ratio);
    if (constant)
        ret->param[TV_P_END] = trunc(ret->total_steps * part);
    if (rex) /* its constructor has made the first step already */
        ret->log_offset--;
    return TV_OK;
}

static enum tv_status add_restarts(const struct tv_facts *facts, struct tv_schedule *ret,
                                   struct tv_error *reterr)
{
    double every = tv_get_number(facts, "jagged_restart_steps");
    if (!(every > 0))
        return TV_OK;
    if (!strcmp(ret->kind->name, "one_cycle")) /* they run one step ahead of it */
        return tv_fail(
            reterr, TV_ECONFIG,
            "the run dies at its last step: with jagged_restart_steps one_cycle is asked "
            "for a step behind its total_steps (%.0f)",
            ret->total_steps);
    struct tv_schedule_part *part = tv_schedule_add_part(ret, reterr);
    if (!part)
        return TV_ELIMIT;
    *part = (struct tv_schedule_part){.kind = ret->kind,
                                      .end = INFINITY,
                                      .peak = ret->peak,
                                      .total_steps = ret->total_steps,
                                      .warmup_steps = ret->warmup_steps,
                                      .table_len = ret->table_len};
    memcpy(part->param, ret->param, sizeof part->param);
    enum tv_status status = tv_schedule_start(ret, "axolotl", "jagged", reterr);
    double scale = tv_get_number_or(facts, "cosine_min_lr_ratio", 0);
    double up = tv_get_number_or(facts, "jagged_restart_warmup_steps", 0);
    double down = tv_get_number_or(facts, "jagged_restart_anneal_steps", 0);
    ret->param[TV_P_PERIOD] = every;
    ret->param[TV_P_EXTRA] = up > 0 ? up : 10;
    ret->param[TV_P_DECAY] = down > 0 ? down : 1;
    ret->param[TV_P_FLOOR_RATIO] = scale > 0 ? scale : 0.001;
    ret->log_offset--;
    return status;
}

static enum tv_status resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr)
{
    int version = tv_version_parse(tv_get_text(facts, "transformers_version"));
    ret->log_offset = version == TV_VERSION_UNKNOWN || version >= TV_VERSION(4, 51, 0);
    ret->offset_known = version != TV_VERSION_UNKNOWN;
    ret->peak = tv_get_number(facts, "learning_rate");
    ret->total_steps = total_steps(facts, ret);
    ret->warmup_steps = warmup_steps(facts, ret->total_steps);
    enum tv_status status = base_kind(facts, ret, reterr);
    if (status == TV_OK)
        status = add_restarts(facts, ret, reterr);
    return status == TV_OK ? tv_schedule_complete(ret, reterr) : status;
}

static bool owns(const struct tv_facts *facts)
{
    return tv_has(facts, "learning_rate") && !tv_has(facts, "lr_scheduler_type") &&
           tv_has(facts, "lr_scheduler|base_model|micro_batch_size");
}

const struct tv_framework tv_framework_axolotl = {"axolotl", owns, resolve};
