/* SPDX-License-Identifier: GPL-2.0-or-later */
/* torchtitan: components/optimizer/lr_scheduler.py b5bcd76c; v0.1.0 called min_lr_factor lr_min. */
#include "schedule/framework.h"

static enum tv_status resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr)
{
    const char *type = tv_get_text(facts, "lr_scheduler.decay_type");
    if (tv_has(facts, "training.steps") && isnan(tv_get_number(facts, "training.steps")))
        return tv_fail(reterr, TV_AGAIN, "training.steps is no number");
    double planned = tv_get_number_or(facts, "training.steps", 10000);
    double total = tv_get_number_or(facts, "lr_scheduler.total_steps", planned);
    double warmup = tv_get_number_or(facts, "lr_scheduler.warmup_steps", 200);
    double ratio = tv_get_number(facts, "lr_scheduler.decay_ratio");
    ret->peak = tv_get_number_or(facts, "optimizer.lr", 8e-4);
    ret->total_steps = planned;
    ret->log_offset = 1;
    ret->offset_known = true;
    enum tv_status status = tv_schedule_start(ret, "torchtitan", type ? type : "linear", reterr);
    if (status != TV_OK)
        return status;
    if (warmup > total)
        tv_schedule_note(ret,
                         "warmup_steps (%.0f) is more than the run has steps: it is cut to %.0f",
                         warmup, total);
    ret->warmup_steps = fmin(warmup, total);
    ret->param[TV_P_END] = total;
    ret->param[TV_P_DECAY] = total - ret->warmup_steps;
    if (!isnan(ratio)) /* Python's round(): half to even */
        ret->param[TV_P_DECAY] = fmin(nearbyint(total * ratio), ret->param[TV_P_DECAY]);
    if (ret->param[TV_P_DECAY] == 0 && planned > total)
        return tv_fail(reterr, TV_ECONFIG,
                       "the run dies at step %.0f: behind lr_scheduler.total_steps its scheduler "
                       "decays, and decay_steps is zero",
                       total + 1);
    tv_set(ret, TV_P_FLOOR_RATIO,
           tv_get_number(facts, "lr_scheduler.min_lr_factor|lr_scheduler.lr_min"));
    return tv_schedule_complete(ret, reterr);
}

static bool owns(const struct tv_facts *facts)
{
    return tv_has(facts, "training.steps") && tv_has_prefix(facts, "lr_scheduler.");
}

const struct tv_framework tv_framework_torchtitan = {"torchtitan", owns, resolve};
