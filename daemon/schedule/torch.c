/* SPDX-License-Identifier: GPL-2.0-or-later */
/* torch.optim.lr_scheduler, as a Lightning configuration names it (class_path, init_args), and
 * pytorch_warmup on top. Source: torch/optim/lr_scheduler.py 1.13.0, pytorch_warmup/base.py
 * ed598d3a. */
#include "schedule/follow.h"
#include "schedule/framework.h"
#include <string.h>

struct torch_case {
    const struct tv_scope *args;
    const char *name;
    double unit; /* steps that a counted step of the arguments takes */
    struct tv_schedule *s;
    struct tv_schedule_part *part;
};

static double arg(const struct torch_case *t, const char *name, double otherwise)
{
    return tv_in_number(t->args, name, otherwise);
}

static double length(const struct torch_case *t, const char *name, double otherwise)
{
    double given = arg(t, name, NAN);
    return isnan(given) ? otherwise : given * t->unit;
}

static enum tv_status missing(const struct torch_case *t, const char *what, struct tv_error *reterr)
{
    return tv_fail(reterr, TV_ECONFIG, "%s needs %s", t->name, what);
}

static void set(struct torch_case *t, enum tv_schedule_param param, double value)
{
    if (!isnan(value))
        t->part->param[param] = value;
}

static enum tv_status step(struct torch_case *t, struct tv_error *reterr)
{
    set(t, TV_P_GAMMA, arg(t, "gamma", NAN));
    set(t, TV_P_PERIOD, length(t, "step_size", NAN));
    return t->part->param[TV_P_PERIOD] >= 1 ? TV_OK : missing(t, "a positive step_size", reterr);
}

static enum tv_status multi_step(struct torch_case *t, struct tv_error *reterr)
{
    double milestones[TV_SCHEDULE_TABLE];
    int len = tv_in_list(t->args, "milestones", milestones, TV_SCHEDULE_TABLE);
    for (int i = 0; i < len; i++)
        milestones[i] *= t->unit;
    set(t, TV_P_GAMMA, arg(t, "gamma", NAN));
    return tv_part_table(t->s, t->part, milestones, len, reterr);
}

static enum tv_status exponential(struct torch_case *t, struct tv_error *reterr)
{
    set(t, TV_P_GAMMA, arg(t, "gamma", NAN));
    return tv_in_has(t->args, "gamma") ? TV_OK : missing(t, "gamma", reterr);
}

/* ConstantLR and LinearLR: from a factor to a factor, then stay. mmengine's take one step less than
 * their range. */
static enum tv_status factor(struct torch_case *t, struct tv_error *reterr)
{
    bool constant = !strcmp(t->name, "ConstantLR");
    double from = arg(t, constant ? "factor" : "start_factor", 1.0 / 3);
    double range = isinf(t->part->end) ? 5 : t->part->end - t->part->begin - 1;
    double total = length(t, "total_iters", range);
    double to = !constant ? arg(t, "end_factor", 1) : total == 0 ? from : 1; /* 0: never undone */
    if (!(from >= 0 && from <= 1 && to >= 0 && to <= 1) || (!constant && from == 0))
        return tv_fail(reterr, TV_ECONFIG, "the factors of %s must lie between 0 and 1", t->name);
    const double row[] = {total, from, to, constant ? TV_SHAPE_NONE : TV_SHAPE_LINEAR};
    return tv_part_table(t->s, t->part, row, TV_PHASE_ROW, reterr);
}

static enum tv_status polynomial(struct torch_case *t, struct tv_error *reterr)
{
    (void)reterr;
    double range = isinf(t->part->end) ? NAN : t->part->end - t->part->begin - 1;
    set(t, TV_P_END, length(t, "total_iters", range));
    set(t, TV_P_POWER, arg(t, "power", NAN));
    set(t, TV_P_FLOOR, arg(t, "eta_min", NAN));
    return TV_OK;
}

static enum tv_status cosine(struct torch_case *t, struct tv_error *reterr)
{
    set(t, TV_P_FLOOR, arg(t, "eta_min", NAN));
    set(t, TV_P_FLOOR_RATIO, arg(t, "eta_min_ratio", NAN));
    set(t, TV_P_END, length(t, "T_max", isinf(t->part->end) ? NAN : t->part->end - t->part->begin));
    return t->part->param[TV_P_END] > 0 ? TV_OK : missing(t, "a positive T_max", reterr);
}

static enum tv_status warm_restarts(struct torch_case *t, struct tv_error *reterr)
{
    set(t, TV_P_FLOOR, arg(t, "eta_min", NAN));
    set(t, TV_P_PERIOD, arg(t, "T_0", NAN));
    set(t, TV_P_GROWTH, arg(t, "T_mult", NAN));
    if (!(t->part->param[TV_P_PERIOD] >= 1))
        return missing(t, "a positive integer T_0", reterr);
    double growth = t->part->param[TV_P_GROWTH];
    return growth >= 1 && growth == floor(growth)
               ? TV_OK
               : missing(t, "a whole T_mult of 1 or more", reterr);
}

static enum tv_status cyclic(struct torch_case *t, struct tv_error *reterr)
{
    const char *mode = tv_in_text(t->args, "mode");
    double up = arg(t, "step_size_up", 2000);
    t->part->peak = arg(t, "max_lr", NAN);
    set(t, TV_P_FLOOR, arg(t, "base_lr", NAN));
    set(t, TV_P_PERIOD, up);
    set(t, TV_P_DECAY, arg(t, "step_size_down", up));
    if (isnan(t->part->peak) || isnan(t->part->param[TV_P_FLOOR]))
        return missing(t, "base_lr and max_lr", reterr);
    if (!mode || !strcmp(mode, "triangular"))
        return TV_OK;
    if (!strcmp(mode, "triangular2")) {
        set(t, TV_P_MODE, TV_TRIANGLE_HEIGHT_BY_CYCLE);
        set(t, TV_P_GAMMA, 0.5);
        return TV_OK;
    }
    set(t, TV_P_MODE, TV_TRIANGLE_HEIGHT_BY_STEP);
    set(t, TV_P_GAMMA, arg(t, "gamma", 1));
    return !strcmp(mode, "exp_range")
               ? TV_OK
               : missing(t, "a mode of triangular, triangular2 or exp_range", reterr);
}

enum tv_status tv_one_cycle(const struct tv_scope *args, double total, double pct_start,
                            struct tv_schedule *schedule, struct tv_schedule_part *part,
                            struct tv_error *reterr)
{
    double pct = tv_in_number(args, "pct_start", pct_start),
           first = 1 / tv_in_number(args, "div_factor", 25);
    double last = first / tv_in_number(args, "final_div_factor", 1e4);
    const char *strategy = tv_in_text(args, "anneal_strategy");
    double shape = strategy && !strcmp(strategy, "linear") ? TV_SHAPE_LINEAR : TV_SHAPE_COSINE;
    if (!(pct >= 0 && pct <= 1))
        return tv_fail(reterr, TV_ECONFIG, "pct_start must lie between 0 and 1");
    if (strategy && strcmp(strategy, "cos") != 0 && shape == TV_SHAPE_COSINE)
        return tv_fail(reterr, TV_ECONFIG, "anneal_strategy must be cos or linear");
    if (pct * total == 1)
        return tv_fail(reterr, TV_ECONFIG,
                       "pct_start * total_steps is 1: the first phase divides by zero");
    const double two[] = {pct * total - 1, first, 1, shape, total - 1, 1, last, shape};
    const double three[] = {pct * total - 1,     first, 1,     shape,
                            2 * pct * total - 2, 1,     first, shape,
                            total - 1,           first, last,  shape};
    part->total_steps = total;
    if (tv_in_true(args, "three_phase", false))
        return tv_part_table(schedule, part, three, 3 * TV_PHASE_ROW, reterr);
    return tv_part_table(schedule, part, two, 2 * TV_PHASE_ROW, reterr);
}

static enum tv_status one_cycle(struct torch_case *t, struct tv_error *reterr)
{
    double epochs = arg(t, "epochs", NAN) * arg(t, "steps_per_epoch", NAN);
    double range = isinf(t->part->end) ? NAN : t->part->end - t->part->begin;
    double total = length(t, "total_steps", isnan(epochs) ? range : epochs);
    t->part->peak = arg(t, "max_lr|eta_max", NAN);
    if (isnan(t->part->peak))
        return missing(t, "max_lr", reterr);
    if (!(total >= 1))
        return missing(t, "total_steps, or epochs and steps_per_epoch", reterr);
    return tv_one_cycle(t->args, total, 0.3, t->s, t->part, reterr);
}

static enum tv_status plateau(struct torch_case *t, struct tv_error *reterr)
{
    return tv_follow_settings(t->args, TV_FOLLOW_PLATEAU, t->s, reterr);
}

static const struct {
    const char *name;
    enum tv_status (*apply)(struct torch_case *t, struct tv_error *reterr);
} simple[] = {
    {"StepLR", step},
    {"MultiStepLR", multi_step},
    {"ExponentialLR", exponential},
    {"ConstantLR", factor},
    {"LinearLR", factor},
    {"PolynomialLR", polynomial},
    {"CosineAnnealingLR", cosine},
    {"CosineAnnealingWarmRestarts", warm_restarts},
    {"CyclicLR", cyclic},
    {"OneCycleLR", one_cycle},
    {"ReduceLROnPlateau", plateau},
};

enum tv_status tv_torch_part(const struct tv_scope *args, const char *name, double unit,
                             struct tv_schedule *schedule, struct tv_schedule_part *part,
                             struct tv_error *reterr)
{
    struct torch_case t = {.args = args, .name = name, .unit = unit, .s = schedule, .part = part};
    double begin = part->begin, end = part->end > 0 ? part->end : INFINITY;
    part->base = part->peak;
    if (!strcmp(name, "LambdaLR") || !strcmp(name, "MultiplicativeLR"))
        return tv_fail(reterr, TV_EUNSUPPORTED,
                       "%s computes the learning rate in the project's own code, which no "
                       "configuration shows",
                       name);
    enum tv_status status = tv_part_start(part, "torch", name, reterr);
    part->begin = begin;
    part->end = end;
    for (size_t i = 0; status == TV_OK && i < sizeof simple / sizeof *simple; i++) {
        if (!strcmp(simple[i].name, name))
            return simple[i].apply(&t, reterr);
    }
    return status == TV_OK
               ? tv_fail(reterr, TV_EUNSUPPORTED, "%s cannot be a part of another scheduler", name)
               : status;
}

static bool is_one_cycle(const struct tv_schedule_part *part)
{
    return part->kind && !strcmp(part->kind->name, "OneCycleLR");
}

double tv_torch_initial(const struct tv_scope *args, const struct tv_schedule_part *part,
                        bool is_first)
{
    if (is_one_cycle(part))
        return part->peak / tv_in_number(args, "div_factor", 25);
    return is_first && !strcmp(part->kind->name, "CyclicLR") ? part->param[TV_P_FLOOR] : part->base;
}

/* {"class_path", "init_args": {}} of LightningCLI, or the arguments beside the class. */
static const char *class_of(const struct tv_scope *scope, struct tv_scope *args)
{
    const char *path = tv_in_text(scope, "class_path|class|_target_|type|name");
    *args = tv_scope_in(scope, "init_args");
    if (!tv_in_any(args))
        *args = *scope;
    return path ? tv_last_name(path) : NULL;
}

/* Sets its value, whatever others made of the learning rate. */
static bool is_absolute(const struct tv_schedule_part *part)
{
    return part->kind->lr == tv_cycles_lr || part->kind->lr == tv_triangle_lr || is_one_cycle(part);
}

/* OneCycleLR keeps its three levels in the optimizer's parameter group, where the one that is made
 * last leaves its own for all of them. */
static void share_levels(struct tv_schedule *s)
{
    const struct tv_schedule_part *last = NULL;
    for (int i = 0; i < s->parts; i++)
        if (is_one_cycle(&s->part[i]))
            last = &s->part[i];
    if (!last)
        return;
    double first = s->table[last->table_at + 1];
    double end = s->table[last->table_at + last->table_len - TV_PHASE_ROW + 2];
    for (int i = 0; i < s->parts; i++) {
        struct tv_schedule_part *part = &s->part[i];
        double *row = s->table + part->table_at;
        if (!is_one_cycle(part))
            continue;
        part->peak = last->peak;
        row[1] = first;
        if (part->table_len == 3 * TV_PHASE_ROW)
            row[TV_PHASE_ROW + 2] = row[2 * TV_PHASE_ROW + 1] = first;
        row[part->table_len - TV_PHASE_ROW + 2] = end;
    }
}

/* SequentialLR and ChainedScheduler: every member starts from the optimizer's initial learning
 * rate; SequentialLR puts it back before the first of them begins. */
static enum tv_status members(const struct tv_scope *args, const double *milestones, int len,
                              struct tv_schedule *s, struct tv_error *reterr)
{
    double initial = s->peak;
    for (int i = 0;; i++) {
        struct tv_scope inner, scope = tv_scope_at(args, "schedulers", i);
        const char *name = class_of(&scope, &inner);
        if (!name && s->parts > 0 && len >= 0 && !is_absolute(&s->part[0]))
            s->part[0].peak = initial;
        if (!name)
            return len < 0 || i == len + 1
                       ? TV_OK
                       : tv_fail(reterr, TV_ECONFIG,
                                 "SequentialLR needs one milestone less than schedulers");
        struct tv_schedule_part *part = tv_schedule_add_part(s, reterr);
        if (!part)
            return TV_ELIMIT;
        part->peak = initial;
        enum tv_status status = tv_torch_part(&inner, name, 1, s, part, reterr);
        if (status != TV_OK)
            return status;
        initial = tv_torch_initial(&inner, part, i == 0);
        if (part->kind->lr == tv_triangle_lr)
            part->base = initial;
        if (part->kind->flags & TV_KIND_FOLLOWS_METRIC)
            return tv_fail(reterr, TV_EUNSUPPORTED,
                           "%s as a part of another scheduler is not known", name);
        part->begin = i > 0 && i <= len ? milestones[i - 1] : 0;
        if (i == 1 && s->part[0].kind->lr == tv_phases_lr && len > 0 && s->table[1] < s->table[2])
            s->warmup_steps = part->begin; /* a rise comes first */
        if (part->begin > 0 && !strcmp(name, "ConstantLR") && s->table[part->table_at] == 0)
            s->table[part->table_at + 2] = 1; /* begun by its closed form, which knows it is over */
    }
}

static enum tv_status composite(const struct tv_scope *args, const char *name,
                                struct tv_schedule *s, struct tv_error *reterr)
{
    double milestones[TV_SCHEDULE_PARTS];
    bool chained = !strcmp(name, "ChainedScheduler");
    enum tv_status status = tv_schedule_start(s, "torch", name, reterr);
    int len = chained ? -1 : tv_in_list(args, "milestones", milestones, TV_SCHEDULE_PARTS);
    if (status == TV_OK && !chained && len < 0)
        return tv_fail(reterr, TV_ELIMIT, "SequentialLR has too many milestones");
    if (status == TV_OK)
        status = members(args, milestones, len, s, reterr);
    if (status == TV_OK)
        share_levels(s);
    return status;
}

static enum tv_status resolve_class(const struct tv_scope *scope, struct tv_schedule *s,
                                    struct tv_error *reterr)
{
    struct tv_scope args;
    const char *name = class_of(scope, &args);
    if (!name)
        return tv_fail(reterr, TV_AGAIN,
                       "the configuration does not name a learning-rate scheduler");
    if (!strcmp(name, "SequentialLR") || !strcmp(name, "ChainedScheduler"))
        return composite(&args, name, s, reterr);
    struct tv_schedule_part part = {.peak = s->peak};
    enum tv_status status = tv_torch_part(&args, name, 1, s, &part, reterr);
    if (status == TV_OK)
        tv_schedule_take(s, &part);
    return status;
}

static enum tv_status resolve_torch(const struct tv_facts *facts, struct tv_schedule *ret,
                                    struct tv_error *reterr)
{
    struct tv_scope top = tv_scope_top(facts), scheduler = tv_scope_in(&top, "lr_scheduler");
    ret->peak = tv_get_number(facts, "optimizer.lr|optimizer.init_args.lr|lr|learning_rate");
    bool lightning = tv_has_prefix(facts, "trainer.");
    if (isnan(ret->peak)) /* torch's own defaults differ by optimizer */
        return tv_fail(reterr, TV_AGAIN, "the learning rate is not given");
    enum tv_status status = resolve_class(&scheduler, ret, reterr);
    double total = lightning ? NAN : tv_get_number(facts, "max_steps|log.total_steps");
    if (!isnan(total))
        ret->total_steps = total;
    if (status == TV_OK && lightning)
        status = tv_lightning_steps(facts, ret, reterr);
    return status == TV_OK ? tv_schedule_complete(ret, reterr) : status;
}

static bool owns_torch(const struct tv_facts *facts)
{
    const char *path =
        tv_get_text(facts, "lr_scheduler.class_path|lr_scheduler.class|lr_scheduler._target_");
    return path && (strstr(path, "torch") || strstr(path, "lr_scheduler"));
}

/* The first step at which RAdam's factor is one: its average is longer than four steps. */
static enum tv_status radam(double beta2, struct tv_schedule_part *part, struct tv_error *reterr)
{
    enum { STEPS_MAX = 10000 };
    double longest = 2 / (1 - beta2) - 1;
    int offset = 1;
    while (offset < STEPS_MAX &&
           !(longest - 2 * offset * pow(beta2, offset) / (1 - pow(beta2, offset)) > 4))
        offset++;
    if (!(beta2 > 0.6 && beta2 < 1) || offset == STEPS_MAX)
        return tv_fail(reterr, TV_ECONFIG, "beta2 (%g) must be greater than 0.6", beta2);
    part->param[TV_P_TIMESCALE] = beta2;
    part->param[TV_P_SHIFT] = offset;
    return TV_OK;
}

/* Of the first parameter group; NaN when it is not given. */
static enum tv_status warmup_period(const struct tv_scope *args, double *ret,
                                    struct tv_error *reterr)
{
    double periods[TV_SCHEDULE_TABLE];
    int len = tv_in_list(args, "warmup_period", periods, TV_SCHEDULE_TABLE);
    *ret = len > 0 ? periods[0] : NAN;
    if (!(*ret > 0) || *ret != floor(*ret))
        return tv_fail(reterr, TV_ECONFIG,
                       "warmup_period must be a positive integer, or a list of them");
    return TV_OK;
}

/* The warm-up's factor is multiplied onto whatever the scheduler gives. tau: warmup_period, or
 * untuned from beta2. */
static enum tv_status resolve_warmup(const struct tv_facts *facts, struct tv_schedule *ret,
                                     struct tv_error *reterr)
{
    struct tv_scope top = tv_scope_top(facts), args, scope = tv_scope_in(&top, "warmup");
    struct tv_scope scheduler = tv_scope_in(&top, "lr_scheduler");
    const char *name = class_of(&scope, &args);
    double beta2 = tv_get_number_or(facts, "optimizer.betas.1|betas.1|beta2", 0.999);
    ret->peak = tv_get_number(facts, "lr|optimizer.lr|optimizer.init_args.lr");
    ret->total_steps = tv_get_number(facts, "max_steps|trainer.max_steps|log.total_steps");
    enum tv_status status = TV_OK;
    if (!tv_in_any(&scheduler) || !tv_in_has(&scheduler, "class|class_path|_target_")) {
        ret->parts = 0;
    } else {
        struct tv_scope inner;
        const char *inner_name = class_of(&scheduler, &inner);
        struct tv_schedule_part *part = tv_schedule_add_part(ret, reterr);
        part->peak = ret->peak;
        status = tv_torch_part(&inner, inner_name, 1, ret, part, reterr);
    }
    struct tv_schedule_part *factor_part = tv_schedule_add_part(ret, reterr);
    if (status != TV_OK || !name || !factor_part)
        return status != TV_OK
                   ? status
                   : tv_fail(reterr, TV_AGAIN, "the configuration does not name a warm-up");
    bool exponential_one = strstr(name, "Exponential") != NULL;
    double period = trunc((exponential_one ? 1 : 2) / (1 - beta2));
    if (!strncmp(name, "Untuned", 7))
        name += 7;
    else if (strcmp(name, "RAdamWarmup") != 0)
        status = warmup_period(&args, &period, reterr);
    if (status == TV_OK)
        status = tv_part_start(factor_part, "pytorch_warmup", name, reterr);
    if (status == TV_OK)
        status = tv_schedule_start(ret, "pytorch_warmup", "warmup", reterr);
    if (status == TV_OK)
        factor_part->param[TV_P_TIMESCALE] = period;
    if (status == TV_OK && !strcmp(name, "RAdamWarmup"))
        status = radam(beta2, factor_part, reterr);
    if (status != TV_OK)
        return status;
    factor_part->peak = NAN;
    ret->warmup_steps = strcmp(name, "LinearWarmup") != 0 ? 0 : period;
    return tv_schedule_complete(ret, reterr);
}

static bool owns_warmup(const struct tv_facts *facts)
{
    const char *path = tv_get_text(facts, "warmup.class|warmup.class_path");
    return path && strstr(path, "pytorch_warmup") != NULL;
}

const struct tv_framework tv_framework_torch = {"torch", owns_torch, resolve_torch};
const struct tv_framework tv_framework_pytorch_warmup = {"pytorch_warmup", owns_warmup,
                                                         resolve_warmup};
