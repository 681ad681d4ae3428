/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nanoGPT and its many descendants: get_lr() of train.py. Source: karpathy/nanoGPT train.py
 * 3adf61e; the warm-up was it / warmup_iters before. */
#include "schedule/framework.h"
#include <string.h>

static enum tv_status resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr)
{
    bool decays = tv_get_true(facts, "decay_lr", true);
    enum tv_status status =
        tv_schedule_start(ret, "nanogpt", decays ? "cosine" : "constant", reterr);
    ret->peak = tv_get_number_or(facts, "learning_rate", 6e-4);
    ret->total_steps = tv_get_number_or(facts, "max_iters", 600000);
    ret->offset_known = true;
    if (status != TV_OK || !decays)
        return status;
    ret->warmup_steps = tv_get_number_or(facts, "warmup_iters", 2000);
    ret->param[TV_P_END] = tv_get_number_or(facts, "lr_decay_iters", 600000);
    ret->param[TV_P_FLOOR] = tv_get_number_or(facts, "min_lr", 6e-5);
    if (ret->param[TV_P_END] <= ret->warmup_steps)
        return tv_fail(reterr, TV_ECONFIG,
                       "lr_decay_iters (%g) must be larger than warmup_iters (%g)",
                       ret->param[TV_P_END], ret->warmup_steps);
    const char *version = tv_get_text(facts, "framework_version");
    if (version && !strcmp(version, "0")) {
        ret->param[TV_P_WARM_SHIFT] = ret->param[TV_P_WARM_SPAN] = 0;
        return tv_schedule_complete(ret, reterr);
    }
    if (ret->warmup_steps > 0)
        tv_schedule_note(ret,
                         "the warm-up is (it + 1) / (warmup_iters + 1); older copies have it / "
                         "warmup_iters (--framework nanogpt@0)");
    return tv_schedule_complete(ret, reterr);
}

static bool owns(const struct tv_facts *facts)
{
    return tv_has(facts, "lr_decay_iters|warmup_iters|max_iters|decay_lr") &&
           tv_has(facts, "n_layer|block_size|decay_lr|min_lr|learning_rate") &&
           !tv_has(facts, "lr_decay_style|lr|train_cfg.max_iters");
}

const struct tv_framework tv_framework_nanogpt = {"nanogpt", owns, resolve};
