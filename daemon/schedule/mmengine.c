/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmengine: a list of schedulers, each active in [begin, end) and working on what the ones before
 * it left. Source: mmengine/optim/scheduler/param_scheduler.py and runner/runner.py 25434293. */
#include "schedule/follow.h"
#include "schedule/framework.h"
#include <stdio.h>
#include <string.h>

#define FOREVER 1e9 /* steps: what mmengine calls INF */

struct mm_case {
    const struct tv_scope *args;
    struct tv_schedule *s;
    struct tv_schedule_part *part;
    double unit; /* iterations that the lengths in the arguments take */
};

static enum tv_status restarts(const struct mm_case *mm, struct tv_error *reterr)
{
    double periods[TV_SCHEDULE_TABLE], weights[TV_SCHEDULE_TABLE], rows[TV_SCHEDULE_TABLE];
    int len = tv_in_list(mm->args, "periods", periods, TV_SCHEDULE_TABLE / TV_PHASE_ROW);
    int given = tv_in_list(mm->args, "restart_weights", weights, TV_SCHEDULE_TABLE / TV_PHASE_ROW);
    double ratio = tv_in_number(mm->args, "eta_min_ratio", NAN),
           floor_lr = tv_in_number(mm->args, "eta_min", NAN);
    if (isnan(ratio) == isnan(floor_lr))
        return tv_fail(reterr, TV_ECONFIG, "CosineRestartLR needs either eta_min or eta_min_ratio");
    if (len < 0)
        return tv_fail(reterr, TV_ELIMIT, "CosineRestartLR has too many periods");
    if (given == 0)
        weights[given++] = 1;
    if (len != given)
        return tv_fail(reterr, TV_ECONFIG, "periods and restart_weights must have the same length");
    double end = 0, begin = mm->part->begin, given_end = mm->part->end;
    for (int i = 0; i < len; i++) {
        end += periods[i] * mm->unit;
        double row[] = {end, weights[i], isnan(ratio) ? floor_lr / mm->part->peak : ratio,
                        TV_SHAPE_COSINE};
        memcpy(rows + (ptrdiff_t)i * TV_PHASE_ROW, row, sizeof row);
    }
    enum tv_status status = tv_part_start(mm->part, "mmengine", "CosineRestartLR", reterr);
    if (status == TV_OK)
        status = tv_part_table(mm->s, mm->part, rows, len * TV_PHASE_ROW, reterr);
    mm->part->base = mm->part->peak;
    mm->part->begin = begin;
    mm->part->end = given_end;
    return status;
}

/* Where it is at work, in its own count: iterations when it was converted, or counts them. */
static enum tv_status place(struct mm_case *mm, bool by_epoch, double epoch_length,
                            struct tv_error *reterr)
{
    double begin = tv_in_number(mm->args, "begin", 0), end = tv_in_number(mm->args, "end", FOREVER);
    if (end <= begin)
        return tv_fail(reterr, TV_ECONFIG,
                       "end should be larger than begin, but got begin=%g, end=%g", begin, end);
    if (by_epoch && isnan(epoch_length))
        return tv_fail(reterr, TV_AGAIN,
                       "the schedulers count epochs and the length of an epoch is not known (--set "
                       "steps_per_epoch=N)");
    bool converted = by_epoch && tv_in_true(mm->args, "convert_to_iter_based", false);
    mm->unit = converted ? epoch_length : 1;
    mm->part->begin = trunc(begin * mm->unit);
    mm->part->end = end < FOREVER ? trunc(end * mm->unit) : INFINITY;
    return TV_OK;
}

/* "StepParamScheduler" is StepLR, "PolyLR" torch's PolynomialLR. */
static void class_name(const char *type, char *name, size_t cap)
{
    static const char suffix[] = "ParamScheduler";
    const size_t suffix_len = sizeof suffix - 1;
    snprintf(name, cap, "%s", tv_last_name(type));
    size_t len = strlen(name);
    if (len > suffix_len && !strcmp(name + len - suffix_len, suffix))
        memcpy(name + len - suffix_len, "LR", 3);
    if (!strcmp(name, "PolyLR"))
        snprintf(name, cap, "PolynomialLR");
}

/* *base: the initial learning rate that the scheduler finds, and the next one after it. */
static enum tv_status add(const struct tv_scope *args, double epoch_length, double *base,
                          struct tv_schedule *s, struct tv_error *reterr)
{
    char name[64];
    bool by_epoch = tv_in_true(args, "by_epoch", true), is_first = s->parts == 0;
    struct mm_case mm = {.args = args, .s = s, .part = tv_schedule_add_part(s, reterr)};
    class_name(tv_in_text(args, "type"), name, sizeof name);
    if (!mm.part)
        return TV_ELIMIT;
    if (!strcmp(name, "ReduceOnPlateauLR"))
        return tv_fail(reterr, TV_EUNSUPPORTED,
                       "ReduceOnPlateauLR beside other schedulers is not known");
    enum tv_status status = place(&mm, by_epoch, epoch_length, reterr);
    mm.part->peak = *base;
    if (status == TV_OK)
        status = !strcmp(name, "CosineRestartLR")
                     ? restarts(&mm, reterr)
                     : tv_torch_part(args, name, mm.unit, s, mm.part, reterr);
    if (status != TV_OK)
        return status;
    *base = tv_torch_initial(args, mm.part, is_first);
    mm.part->param[TV_P_EXTRA2] = by_epoch && mm.unit == 1 ? epoch_length : 0;
    return TV_OK;
}

/* It acts after the validations of its epochs. */
static enum tv_status plateau(const struct tv_facts *facts, const struct tv_scope *args,
                              struct tv_schedule *s, struct tv_error *reterr)
{
    double interval = fmax(1, tv_get_number_or(facts, "train_cfg.val_interval", 1));
    if (!tv_in_true(args, "by_epoch", true))
        return tv_fail(reterr, TV_ECONFIG, "ReduceOnPlateauLR only supports by_epoch=True");
    enum tv_status status = tv_schedule_start(s, "mmengine", "ReduceOnPlateauLR", reterr);
    if (status == TV_OK)
        status = tv_follow_settings(args, TV_FOLLOW_PLATEAU, s, reterr);
    s->table[TV_FOLLOW_BEGIN] = tv_in_number(args, "begin", 0) / interval;
    s->table[TV_FOLLOW_END] = tv_in_number(args, "end", INFINITY) / interval;
    return status;
}

/* NaN when the number of processes is not known. */
static double batch_of(const struct tv_facts *facts)
{
    return tv_get_number(facts, "train_dataloader.batch_size") * tv_get_number(facts, "world_size");
}

static double length_of_epoch(const struct tv_facts *facts)
{
    double given = tv_get_number(facts, "epoch_length|steps_per_epoch|log.steps_per_epoch");
    double batch = tv_get_number(facts, "train_dataloader.batch_size") *
                   tv_get_number_or(facts, "world_size", 1);
    return isnan(given) ? ceil(tv_get_number(facts, "num_samples") / batch) : given;
}

static enum tv_status resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr)
{
    struct tv_scope top = tv_scope_top(facts), single = tv_scope_in(&top, "param_scheduler");
    double epoch_length = length_of_epoch(facts);
    double epochs = tv_get_number(facts, "train_cfg.max_epochs");
    ret->peak = tv_get_number(facts, "optim_wrapper.optimizer.lr");
    if (tv_get_true(facts, "auto_scale_lr.enable", false))
        ret->peak *= batch_of(facts) / tv_get_number(facts, "auto_scale_lr.base_batch_size");
    if (isnan(ret->peak) && tv_get_true(facts, "auto_scale_lr.enable", false))
        return tv_fail(reterr, TV_AGAIN,
                       "auto_scale_lr multiplies the learning rate by the batch of all processes, "
                       "whose number is not known (--world-size N)");
    ret->total_steps =
        tv_get_number_or(facts, "train_cfg.max_iters|log.total_steps", epochs * epoch_length);
    ret->log_offset = 1;
    ret->offset_known = true;
    if (epoch_length >= 1 && epoch_length < 1e15)
        ret->steps_per_epoch = (int64_t)epoch_length;
    struct tv_scope listed = tv_scope_at(&top, "param_scheduler", 0),
                    next = tv_scope_at(&top, "param_scheduler", 1);
    const struct tv_scope *only = tv_in_has(&single, "type") ? &single : &listed;
    if (strstr(tv_in_text(only, "type"), "ReduceOnPlateau") && !tv_in_has(&next, "type")) {
        enum tv_status followed = plateau(facts, only, ret, reterr);
        return followed == TV_OK ? tv_schedule_complete(ret, reterr) : followed;
    }
    enum tv_status status = tv_schedule_start(ret, "mmengine", "param_scheduler", reterr);
    double base = ret->peak;
    if (tv_in_has(&single, "type"))
        status = add(&single, epoch_length, &base, ret, reterr);
    for (int i = 0; status == TV_OK; i++) {
        struct tv_scope scope = tv_scope_at(&top, "param_scheduler", i);
        const char *type = tv_in_text(&scope, "type");
        if (!type)
            break;
        if (!strstr(type, "Momentum"))
            status = add(&scope, epoch_length, &base, ret, reterr);
    }
    const struct tv_schedule_part *first = &ret->part[0];
    bool rises = status == TV_OK && ret->parts > 1 && first->kind->lr == tv_phases_lr &&
                 first->table_len && first->begin == 0 && ret->table[1] < ret->table[2];
    if (rises && first->end < FOREVER)
        ret->warmup_steps = first->end * fmax(1, first->param[TV_P_EXTRA2]);
    return status == TV_OK ? tv_schedule_complete(ret, reterr) : status;
}

static bool owns(const struct tv_facts *facts)
{
    return tv_has(facts, "param_scheduler.type|param_scheduler.0.type");
}

const struct tv_framework tv_framework_mmengine = {"mmengine", owns, resolve};
