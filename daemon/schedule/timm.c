/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timm: scheduler/scheduler_factory.py aa4b5850. Steps are epochs unless sched_on_updates is set.
 */
#include "schedule/follow.h"
#include "schedule/framework.h"
#include <string.h>

/* train.py: lr_base is scaled by the batch, by its square root for adaptive optimizers. */
static double base_lr(const struct tv_facts *facts, struct tv_schedule *s)
{
    double lr = tv_get_number(facts, "lr");
    if (!isnan(lr))
        return lr;
    const char *opt = tv_get_text(facts, "opt"), *scale = tv_get_text(facts, "lr_base_scale");
    bool root = scale ? !strcmp(scale, "sqrt") : opt && (strstr(opt, "ada") || strstr(opt, "lamb"));
    double batch = tv_get_number(facts, "batch_size") * tv_get_number_or(facts, "world_size", 1) *
                   tv_get_number_or(facts, "grad_accum_steps", 1);
    double ratio = batch / tv_get_number_or(facts, "lr_base_size", 256);
    if (!isnan(ratio))
        tv_schedule_note(s, "lr is lr_base times %s%g", root ? "the root of " : "", ratio);
    return tv_get_number_or(facts, "lr_base", 0.1) * (root ? sqrt(ratio) : ratio);
}

static enum tv_status cycles(const struct tv_facts *facts, double unit, double epochs,
                             struct tv_schedule *s, struct tv_error *reterr)
{
    double limit = tv_get_number_or(facts, "lr_cycle_limit", 1),
           growth = tv_get_number_or(facts, "lr_cycle_mul", 1);
    double length = epochs * unit, prefix = -s->param[TV_P_SHIFT];
    s->param[TV_P_PERIOD] = length;
    s->param[TV_P_GROWTH] = growth;
    s->param[TV_P_CYCLES] = limit;
    tv_set(s, TV_P_GAMMA, tv_get_number(facts, "lr_cycle_decay"));
    if (strcmp(s->kind->name, "tanh") != 0) /* the factory does not hand it to tanh */
        tv_set(s, TV_P_EXTRA2, tv_get_number(facts, "lr_k_decay"));
    tv_set(s, TV_P_FLOOR, tv_get_number_or(facts, "min_lr", 0));
    if (prefix > 0)
        s->param[TV_P_MODE] = 0;
    if (!strcmp(s->kind->name, "poly")) /* the option decay_rate doubles as the exponent */
        s->param[TV_P_POWER] = tv_get_number_or(facts, "decay_rate", 0.1);
    if (!(length > 0))
        return tv_fail(reterr, TV_ECONFIG, "epochs must be positive");
    double all =
        growth == 1 ? length * limit : floor(-length * (pow(growth, limit) - 1) / (1 - growth));
    s->total_steps = all + prefix + tv_get_number_or(facts, "cooldown_epochs", 0) * unit;
    return TV_OK;
}

static enum tv_status milestones(const struct tv_facts *facts, double unit, struct tv_schedule *s,
                                 struct tv_error *reterr)
{
    struct tv_scope top = tv_scope_top(facts);
    int len = tv_in_list(&top, "decay_milestones", s->table, TV_SCHEDULE_TABLE);
    if (len < 0)
        return tv_fail(reterr, TV_ELIMIT, "decay_milestones has more than %d entries",
                       TV_SCHEDULE_TABLE);
    if (len == 0) {
        s->table[len++] = 30;
        s->table[len++] = 60;
    }
    for (int i = 0; i < len; i++)
        s->table[i] *= unit;
    s->table_len = len;
    return TV_OK;
}

static enum tv_status plateau(const struct tv_facts *facts, struct tv_schedule *s,
                              struct tv_error *reterr)
{
    struct tv_scope top = tv_scope_top(facts);
    const char *metric = tv_get_text(facts, "eval_metric");
    enum tv_status status = tv_follow_settings(&top, TV_FOLLOW_PLATEAU, s, reterr);
    s->table[TV_FOLLOW_FACTOR] = tv_get_number_or(facts, "decay_rate", 0.1);
    s->table[TV_FOLLOW_PATIENCE] = tv_get_number_or(facts, "patience_epochs", 10);
    s->table[TV_FOLLOW_COOLDOWN] = 0;
    s->table[TV_FOLLOW_RISE] = s->warmup_steps;
    s->table[TV_FOLLOW_RISE_FROM] = s->param[TV_P_START];
    s->table[TV_FOLLOW_MAXIMISE] = !metric || !strstr(metric, "loss");
    return status;
}

static enum tv_status resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr)
{
    const char *name = tv_get_text(facts, "sched");
    bool updates = tv_get_true(facts, "sched_on_updates", false);
    double epochs = tv_get_number_or(facts, "epochs", 100);
    double unit = updates ? tv_get_number(facts, "updates_per_epoch|log.steps_per_epoch") : 1;
    if (isnan(unit))
        return tv_fail(reterr, TV_AGAIN,
                       "sched_on_updates needs the number of updates in an epoch");
    if (tv_has(facts, "lr_noise") || tv_has_prefix(facts, "lr_noise."))
        return tv_fail(reterr, TV_EUNSUPPORTED,
                       "lr_noise adds random numbers to the learning rate, which no configuration "
                       "foretells");
    ret->peak = base_lr(facts, ret);
    enum tv_status status = tv_schedule_start(ret, "timm", name ? name : "cosine", reterr);
    if (status != TV_OK)
        return status;
    bool prefix = tv_get_true(facts, "warmup_prefix", false);
    ret->warmup_steps = tv_get_number_or(facts, "warmup_epochs", 5) * unit;
    ret->total_steps = epochs * unit + (prefix ? ret->warmup_steps : 0);
    ret->param[TV_P_START] = tv_get_number_or(facts, "warmup_lr", 1e-5);
    ret->param[TV_P_SHIFT] = prefix ? -ret->warmup_steps : 0;
    ret->by_epoch = !updates;
    if (!updates)
        tv_schedule_note(ret, "timm sets the learning rate once an epoch: steps are epochs here");
    if (ret->kind->lr == tv_cycles_lr) {
        status = cycles(facts, unit, epochs, ret, reterr);
    } else if (ret->kind->lr == tv_stairs_lr) {
        tv_set(ret, TV_P_GAMMA, tv_get_number(facts, "decay_rate"));
        ret->param[TV_P_PERIOD] = tv_get_number_or(facts, "decay_epochs", 30) * unit;
        status = milestones(facts, unit, ret, reterr);
    } else {
        status = plateau(facts, ret, reterr);
    }
    return status == TV_OK ? tv_schedule_complete(ret, reterr) : status;
}

static bool owns(const struct tv_facts *facts)
{
    return tv_has(facts, "sched") && tv_has(facts, "epochs|lr|lr_base");
}

const struct tv_framework tv_framework_timm = {"timm", owns, resolve};
