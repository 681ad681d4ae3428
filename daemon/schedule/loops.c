/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Training loops that people write themselves around transformers' schedulers: with Accelerate, or
 * plainly from the formulas. */
#include "schedule/framework.h"
#include <string.h>

/* AcceleratedScheduler.step() (accelerate/scheduler.py, 16cb6eb8) makes num_processes steps per
 * optimizer step, unless the batches are split; one per call, also on accumulation micro-steps,
 * when it is not tied to the optimizer. */
static enum tv_status resolve_accelerate(const struct tv_facts *facts, struct tv_schedule *ret,
                                         struct tv_error *reterr)
{
    double accumulation = tv_get_number_or(facts, "gradient_accumulation_steps", 1);
    double batches = tv_get_number(facts, "batches_per_process");
    double scheduled = tv_get_number(facts, "num_training_steps|max_train_steps|log.total_steps");
    ret->peak = tv_get_number(facts, "learning_rate");
    ret->warmup_steps = tv_get_number_or(facts, "num_warmup_steps|lr_warmup_steps", 0);
    ret->total_steps = scheduled;
    const char *name = tv_get_text(facts, "lr_scheduler_type|lr_scheduler");
    enum tv_status status = tv_hf_kind(facts, name ? name : "linear", ret, reterr);
    if (status != TV_OK)
        return status;
    double stride = tv_get_number_or(facts, "num_processes", 1);
    if (!tv_get_true(facts, "step_scheduler_with_optimizer", true))
        stride = accumulation;
    else if (tv_get_true(facts, "split_batches", false))
        stride = 1;
    ret->param[TV_P_STRIDE] = fmax(1, stride);
    ret->param[TV_P_END] = scheduled;
    ret->total_steps = isnan(batches) ? scheduled : ceil(batches / accumulation);
    if (stride > 1)
        tv_schedule_note(
            ret, "the prepared scheduler makes %.0f steps for each step of the optimizer", stride);
    return tv_schedule_complete(ret, reterr);
}

static bool owns_accelerate(const struct tv_facts *facts)
{
    return (tv_has(facts, "num_training_steps") && tv_has(facts, "num_processes|split_batches")) ||
           (tv_has(facts, "max_train_steps") && tv_has(facts, "learning_rate"));
}

/* The warm-up shapes and three schedules as blog posts write them down: "constant" warms up here.
 */
static enum tv_status resolve_plain(const struct tv_facts *facts, struct tv_schedule *ret,
                                    struct tv_error *reterr)
{
    const char *shape = tv_get_text(facts, "warmup_shape|warmup_strategy");
    const char *name = tv_get_text(facts, "lr_scheduler_type");
    ret->peak = tv_get_number(facts, "learning_rate");
    ret->total_steps = tv_get_number(facts, "total_steps");
    ret->warmup_steps = tv_get_number_or(facts, "warmup_steps", 0);
    enum tv_status status = tv_schedule_start(ret, "plain", name ? name : "warmup", reterr);
    if (status != TV_OK)
        return status;
    if (shape && !strcmp(shape, "cosine"))
        ret->param[TV_P_WARM_SHAPE] = TV_SHAPE_COSINE;
    else if (shape && !strcmp(shape, "exponential"))
        ret->param[TV_P_WARM_SHAPE] = TV_SHAPE_EXPONENTIAL;
    else if (shape && strcmp(shape, "linear") != 0)
        return tv_fail(reterr, TV_EUNSUPPORTED,
                       "the warm-up must be linear, cosine or exponential");
    return tv_schedule_complete(ret, reterr);
}

static bool owns_plain(const struct tv_facts *facts)
{
    return tv_has(facts, "learning_rate") && tv_has(facts, "warmup_shape|warmup_strategy");
}

const struct tv_framework tv_framework_accelerate = {"accelerate", owns_accelerate,
                                                     resolve_accelerate};
const struct tv_framework tv_framework_plain = {"plain", owns_plain, resolve_plain};
