/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmengine: a list of schedulers, each active in [begin, end) and working on what the ones before
 * it left. Source: mmengine/optim/scheduler/param_scheduler.py and runner/runner.py 25434293. */
#include "schedule/framework.h"
#include <stdio.h>
#include <string.h>

#define FOREVER 1e9 /* steps: what mmengine calls INF */

struct mm_case {
    const struct tv_scope *args;
    struct tv_schedule *s;
    struct tv_schedule_part *part;
    double epoch_length; /* NaN when unknown */
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
    double end = 0;
    for (int i = 0; i < len; i++) {
        end += periods[i];
        double row[] = {end, weights[i], isnan(ratio) ? floor_lr / mm->s->peak : ratio,
                        TV_SHAPE_COSINE};
        memcpy(rows + (ptrdiff_t)i * TV_PHASE_ROW, row, sizeof row);
    }
    double begin = mm->part->begin, given_end = mm->part->end;
    enum tv_status status = tv_part_start(mm->part, "mmengine", "CosineRestartLR", reterr);
    if (status == TV_OK)
        status = tv_part_table(mm->s, mm->part, rows, len * TV_PHASE_ROW, reterr);
    mm->part->begin = begin;
    mm->part->end = fmin(given_end, begin + end); /* behind the periods the value stays */
    return status;
}

/* A schedule in epochs is one in iterations when it is converted, or is looked up by the epoch. */
static enum tv_status units(const struct mm_case *mm, double *scale, struct tv_error *reterr)
{
    bool by_epoch = tv_in_true(mm->args, "by_epoch", true);
    *scale = 1;
    mm->part->param[TV_P_EXTRA2] = 0;
    if (!by_epoch)
        return TV_OK;
    if (isnan(mm->epoch_length))
        return tv_fail(reterr, TV_AGAIN,
                       "the schedulers count epochs and the length of an epoch is not known (--set "
                       "steps_per_epoch=N)");
    if (tv_in_true(mm->args, "convert_to_iter_based", false))
        *scale = mm->epoch_length;
    return TV_OK;
}

static void stretch(struct tv_schedule *s, struct tv_schedule_part *part, double scale)
{
    part->begin *= scale;
    if (part->end < FOREVER)
        part->end *= scale;
    part->param[TV_P_END] *= scale;
    part->param[TV_P_PERIOD] *= scale;
    bool phases = part->kind->lr == tv_phases_lr;
    for (int i = 0; i < part->table_len; i += phases ? TV_PHASE_ROW : 1)
        s->table[part->table_at + i] *= scale;
}

static bool overlaps(const struct tv_schedule *s)
{
    for (int i = 0; i < s->parts; i++) {
        const struct tv_schedule_part *a = &s->part[i];
        bool affine = a->kind->lr == tv_decay_lr &&
                      (a->param[TV_P_FLOOR] > 0 || a->param[TV_P_FLOOR_RATIO] > 0);
        for (int k = 0; affine && k < s->parts; k++) {
            const struct tv_schedule_part *b = &s->part[k];
            if (k != i && a->begin < b->end && b->begin < a->end)
                return true;
        }
    }
    return false;
}

static enum tv_status add(const struct tv_scope *args, double epoch_length, struct tv_schedule *s,
                          struct tv_error *reterr)
{
    char name[64];
    const char *type = tv_last_name(tv_in_text(args, "type"));
    snprintf(name, sizeof name, "%s", type);
    if (strlen(name) > 14 &&
        !strcmp(name + strlen(name) - 14, "ParamScheduler")) /* StepParamScheduler is StepLR */
        memcpy(name + strlen(name) - 14, "LR", 3);
    if (!strcmp(name, "PolyLR"))
        snprintf(name, sizeof name, "PolynomialLR");
    struct mm_case mm = {.args = args,
                         .s = s,
                         .part = tv_schedule_add_part(s, reterr),
                         .epoch_length = epoch_length};
    if (!mm.part)
        return TV_ELIMIT;
    if (!strcmp(name, "ReduceOnPlateauLR"))
        return tv_fail(reterr, TV_EUNSUPPORTED, "ReduceOnPlateauLR of mmengine is not known");
    double begin = tv_in_number(args, "begin", 0), end = tv_in_number(args, "end", FOREVER), scale;
    if (end <= begin)
        return tv_fail(reterr, TV_ECONFIG,
                       "end should be larger than begin, but got begin=%g, end=%g", begin, end);
    mm.part->begin = begin;
    mm.part->end = end;
    mm.part->peak = s->peak;
    enum tv_status status = !strcmp(name, "CosineRestartLR")
                                ? restarts(&mm, reterr)
                                : tv_torch_part(args, name, s, mm.part, reterr);
    if (status != TV_OK)
        return status;
    if (!tv_torch_absolute(mm.part->kind) && strcmp(name, "CosineRestartLR") != 0)
        mm.part->peak = NAN;
    status = units(&mm, &scale, reterr);
    if (scale != 1)
        stretch(s, mm.part, scale);
    else if (status == TV_OK && tv_in_true(args, "by_epoch", true))
        mm.part->param[TV_P_EXTRA2] = epoch_length;
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
    enum tv_status status = tv_schedule_start(ret, "mmengine", "param_scheduler", reterr);
    if (tv_in_has(&single, "type"))
        status = add(&single, epoch_length, ret, reterr);
    for (int i = 0; status == TV_OK; i++) {
        struct tv_scope scope = tv_scope_at(&top, "param_scheduler", i);
        const char *type = tv_in_text(&scope, "type");
        if (!type)
            break;
        if (!strstr(type, "Momentum"))
            status = add(&scope, epoch_length, ret, reterr);
    }
    const struct tv_schedule_part *first = &ret->part[0];
    bool rises = status == TV_OK && ret->parts > 1 && first->kind->lr == tv_phases_lr &&
                 first->table_len && first->begin == 0 && ret->table[1] < ret->table[2];
    if (rises && first->end < FOREVER)
        ret->warmup_steps = first->end * fmax(1, first->param[TV_P_EXTRA2]);
    if (status == TV_OK && overlaps(ret))
        return tv_fail(reterr, TV_EUNSUPPORTED, "a scheduler with eta_min overlaps another one");
    return status == TV_OK ? tv_schedule_complete(ret, reterr) : status;
}

static bool owns(const struct tv_facts *facts)
{
    return tv_has(facts, "param_scheduler.type|param_scheduler.0.type");
}

const struct tv_framework tv_framework_mmengine = {"mmengine", owns, resolve};
