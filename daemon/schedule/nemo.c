/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NeMo: core/optim/lr_scheduler.py 8cfedd72. */
#include "schedule/framework.h"
#include <stdio.h>
#include <string.h>

/* "x_steps", or "x_ratio" of the run, cut to a whole number. */
static double length_of(const struct tv_scope *sched, const char *what, double total)
{
    char steps[32], ratio[32];
    snprintf(steps, sizeof steps, "%s_steps", what);
    snprintf(ratio, sizeof ratio, "%s_ratio", what);
    double share = tv_in_number(sched, ratio, NAN);
    return tv_in_number(sched, steps, isnan(share) ? 0 : trunc(share * total));
}

static bool both(const struct tv_scope *sched)
{
    return (tv_in_has(sched, "warmup_steps") && tv_in_has(sched, "warmup_ratio")) ||
           (tv_in_has(sched, "hold_steps") && tv_in_has(sched, "hold_ratio")) ||
           (tv_in_has(sched, "constant_steps") && tv_in_has(sched, "constant_ratio"));
}

static enum tv_status noam(const struct tv_scope *sched, struct tv_schedule *s,
                           struct tv_error *reterr)
{
    double width = tv_in_number(sched, "d_model", NAN);
    if (!(width > 0))
        return tv_fail(reterr, TV_ECONFIG, "NoamAnnealing needs d_model");
    if (s->peak < s->param[TV_P_FLOOR])
        return tv_fail(reterr, TV_ECONFIG, "the initial learning rate is lower than min_lr");
    s->param[TV_P_TIMESCALE] = fmax(1, s->warmup_steps);
    s->peak = s->peak / sqrt(width) / sqrt(s->param[TV_P_TIMESCALE]);
    tv_schedule_note(s, "the peak is lr / sqrt(d_model * warmup_steps) = %g", s->peak);
    return TV_OK;
}

/* With constant_steps it is Megatron's: the warm-up is n / W and the decay ends before the constant
 * stretch. */
static enum tv_status cosine(const struct tv_scope *sched, struct tv_schedule *s,
                             struct tv_error *reterr)
{
    double constant = length_of(sched, "constant", s->total_steps);
    if (s->peak < s->param[TV_P_FLOOR] && s->warmup_steps < s->total_steps)
        return tv_fail(reterr, TV_ECONFIG, "the initial learning rate is lower than min_lr");
    if (constant > 0) {
        s->param[TV_P_WARM_SHIFT] = s->param[TV_P_WARM_SPAN] = 0;
        s->param[TV_P_MODE] = 1;
        s->param[TV_P_DECAY] = s->total_steps - constant - s->warmup_steps;
        if (s->param[TV_P_DECAY] == 0 && s->warmup_steps == 0)
            return tv_fail(
                reterr, TV_ECONFIG,
                "CosineAnnealing divides by max_steps less constant_steps, which is zero");
        if (s->peak == s->param[TV_P_FLOOR])
            return tv_fail(reterr, TV_ECONFIG,
                           "with constant_steps the learning rate must be above min_lr");
    }
    return TV_OK;
}

/* Without a hold these count their decay from step 0 and still end it at the end of the warm-up's
 * count. */
static enum tv_status hold(const struct tv_scope *sched, struct tv_schedule *s,
                           struct tv_error *reterr)
{
    bool given = tv_in_has(sched, "hold_steps|hold_ratio");
    double end = given ? length_of(sched, "hold", s->total_steps) + s->warmup_steps : 0;
    bool polynomial = !strcmp(s->kind->name, "PolynomialHoldDecayAnnealing");
    s->param[TV_P_HOLD] = end - s->warmup_steps;
    s->param[TV_P_DECAY] = s->total_steps - (polynomial ? fmax(s->warmup_steps, end) : end);
    if (!strcmp(s->kind->name, "WarmupHoldPolicy"))
        s->param[TV_P_END] = fmax(s->total_steps, end - 1);
    else if (s->param[TV_P_DECAY] == 0 && s->warmup_steps < s->total_steps)
        return tv_fail(reterr, TV_ECONFIG,
                       "%s divides by max_steps less warm-up and hold, which is zero",
                       s->kind->name);
    return TV_OK;
}

static enum tv_status t5(const struct tv_scope *sched, struct tv_schedule *s,
                         struct tv_error *reterr)
{
    double constant = tv_in_number(sched, "constant_steps", 0);
    if (tv_in_has(sched, "warmup_steps|warmup_ratio"))
        return tv_fail(reterr, TV_ECONFIG, "T5InverseSquareRootAnnealing takes no %s",
                       tv_in_has(sched, "warmup_steps") ? "warmup_steps" : "warmup_ratio");
    if (!(constant > 0)) /* it computes with constant_steps whatever constant_ratio says */
        return tv_fail(reterr, TV_ECONFIG,
                       "T5InverseSquareRootAnnealing needs constant_steps above zero");
    s->peak = 1 / sqrt(constant);
    s->param[TV_P_TIMESCALE] = constant;
    s->param[TV_P_END] = fmax(s->total_steps, constant);
    return TV_OK;
}

static enum tv_status noam_hold(const struct tv_scope *sched, struct tv_schedule *s,
                                struct tv_error *reterr)
{
    if (s->warmup_steps == 0)
        return tv_fail(reterr, TV_ECONFIG, "Noam scheduler cannot be used without warmup steps");
    s->param[TV_P_HOLD] = length_of(sched, "hold", s->total_steps);
    s->param[TV_P_SHIFT] = -s->param[TV_P_HOLD];
    s->param[TV_P_TIMESCALE] = fmax(1, s->warmup_steps);
    s->param[TV_P_POWER] = tv_in_number(sched, "decay_rate", 0.5);
    return TV_OK;
}

static enum tv_status apply(const struct tv_scope *sched, struct tv_schedule *s,
                            struct tv_error *reterr)
{
    const char *name = s->kind->name;
    tv_set(s, TV_P_FLOOR, tv_in_number(sched, "min_lr", NAN));
    tv_set(s, TV_P_POWER, tv_in_number(sched, "power", NAN));
    if (!strcmp(name, "NoamAnnealing"))
        return noam(sched, s, reterr);
    if (!strcmp(name, "NoamHoldAnnealing"))
        return noam_hold(sched, s, reterr);
    if (!strcmp(name, "CosineAnnealing"))
        return cosine(sched, s, reterr);
    if (!strcmp(name, "SquareRootAnnealing")) { /* counts from step 0, not from the warm-up's end */
        s->param[TV_P_HOLD] = -s->warmup_steps;
        s->param[TV_P_DECAY] = s->total_steps;
    }
    if (!strcmp(name, "InverseSquareRootAnnealing"))
        s->param[TV_P_TIMESCALE] = s->warmup_steps + 1;
    if (!strcmp(name, "T5InverseSquareRootAnnealing"))
        return t5(sched, s, reterr);
    s->param[TV_P_PERIODIC] = strstr(name, "Polynomial") && tv_in_true(sched, "cycle", false);
    return strstr(name, "Hold") ? hold(sched, s, reterr) : TV_OK;
}

static enum tv_status resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr)
{
    struct tv_scope top = tv_scope_top(facts), model = tv_scope_in(&top, "model");
    struct tv_scope cfg = tv_scope_in(&top, "cfg"); /* as Lightning's hparams.yaml has it */
    const struct tv_scope *around = tv_has(facts, "model.optim.sched.name") ? &model
                                    : tv_has(facts, "cfg.optim.sched.name") ? &cfg
                                                                            : &top;
    struct tv_scope optim = tv_scope_in(around, "optim");
    struct tv_scope sched = tv_scope_in(&optim, "sched");
    const char *name = tv_in_text(&sched, "name");
    if (!name)
        return tv_fail(reterr, TV_AGAIN,
                       "the configuration does not name a scheduler (optim.sched.name)");
    ret->peak = tv_in_number(&optim, "lr", NAN);
    ret->total_steps = tv_get_number(facts, "trainer.max_steps|log.total_steps");
    double own = tv_in_number(&sched, "max_steps", NAN);
    if (own > 0)
        ret->total_steps = own;
    if (tv_kind_find("torch", name)) {
        struct tv_schedule_part part = {.peak = ret->peak};
        enum tv_status status = tv_torch_part(&sched, name, 1, ret, &part, reterr);
        if (status == TV_OK)
            tv_schedule_take(ret, &part);
        return status == TV_OK ? tv_schedule_complete(ret, reterr) : status;
    }
    enum tv_status status = tv_schedule_start(ret, "nemo", name, reterr);
    if (status != TV_OK)
        return status;
    if (strcmp(name, "T5InverseSquareRootAnnealing") != 0 && both(&sched))
        return tv_fail(reterr, TV_ECONFIG,
                       "either a number of steps or a ratio may be given, not both");
    ret->warmup_steps = length_of(&sched, "warmup", ret->total_steps);
    status = apply(&sched, ret, reterr);
    return status == TV_OK ? tv_schedule_complete(ret, reterr) : status;
}

static bool owns(const struct tv_facts *facts)
{
    return tv_has(facts, "optim.sched.name|model.optim.sched.name|cfg.optim.sched.name");
}

const struct tv_framework tv_framework_nemo = {"nemo", owns, resolve};
