/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OLMo-core: src/olmo_core/optim/scheduler.py fa6c5014. A scheduler's fields lie beside its
 * _CLASS_. */
#include "schedule/framework.h"
#include <stdio.h>
#include <string.h>

struct core_case {
    struct tv_scope in;
    const char *name;
    double total;          /* steps that this scheduler has */
    double unit;           /* tokens in a step when it counts tokens, else 1 */
    bool is_never_reached; /* of a sequence: the run is over before */
    struct tv_schedule *s;
    struct tv_schedule_part *part;
};

/* `what`, its deprecated name `what`_steps, or `what`_fraction of the total, rounded half to even.
 * A warm-up's total is t_max if there is one, a decay's always the run's. */
static double length_of(const struct core_case *core, const char *what, double otherwise)
{
    char keys[64], fraction[32];
    snprintf(keys, sizeof keys, "%s|%s_steps", what, what);
    snprintf(fraction, sizeof fraction, "%s_fraction", what);
    double whole = core->total * core->unit;
    double own_total = *what == 'd' ? whole : tv_in_number(&core->in, "t_max", whole);
    double share = tv_in_number(&core->in, fraction, otherwise);
    double length = tv_in_number(&core->in, keys, NAN);
    return (isnan(length) ? nearbyint(own_total * share) : length) / core->unit;
}

static enum tv_status check(const struct core_case *core, bool decays, struct tv_error *reterr)
{
    double warmup = tv_in_number(&core->in, "warmup_fraction", NAN),
           decay = tv_in_number(&core->in, "decay_fraction", 0.1);
    bool explicit_null = tv_in_null(&core->in, "decay_fraction");
    if (tv_in_has(&core->in, "warmup|warmup_steps") == !isnan(warmup))
        return tv_fail(reterr, TV_ECONFIG, "either warmup_fraction or warmup must be specified");
    if (warmup < 0 || warmup > 1 || decay < 0 || decay > 1)
        return tv_fail(reterr, TV_ECONFIG,
                       "warmup_fraction and decay_fraction must be between 0 and 1");
    if (decays && tv_in_has(&core->in, "decay|decay_steps") != explicit_null)
        return tv_fail(
            reterr, TV_ECONFIG,
            "either decay_fraction (0.1 unless it is null) or decay must be specified, never both");
    return TV_OK;
}

/* What its assertions and divisions refuse once the run has begun. */
static enum tv_status check_levels(const struct core_case *core, bool stable, bool tail,
                                   struct tv_error *reterr)
{
    const struct tv_schedule_part *part = core->part;
    bool power_law = part->kind->lr == tv_power_tail_lr;
    double low = tv_in_number(&core->in, "warmup_min_lr", 0), peak = part->peak;
    bool asked_at_0 = core->s->parts <= 1 && (stable || part->kind->lr == tv_power_law_lr ||
                                              !strcmp(core->name, "ConstantWithWarmup"));
    if (core->is_never_reached)
        return TV_OK;
    if (part->warmup_steps == 0 && (power_law || asked_at_0))
        return tv_fail(reterr, TV_ECONFIG, "%s without warm-up divides by zero", core->name);
    bool last_too = stable || power_law || !strcmp(core->name, "ConstantWithWarmup");
    double first = core->s->parts > 1; /* a later scheduler is asked from its step 1 on */
    bool warms_up = part->warmup_steps > (last_too ? 0 : first);
    if (warms_up && !(low >= 0 && low < peak))
        return tv_fail(
            reterr, TV_ECONFIG,
            "warmup_min_lr (%g) must be below the learning rate that %s starts from (%g)", low,
            core->name, peak);
    double decay_min = tv_in_number(&core->in, "decay_min_lr", 0), top = peak;
    if (tail) {
        struct tv_curve curve = tv_curve_of_part(core->s, part);
        double at = core->total - part->param[TV_P_PERIOD];
        top = part->kind->lr(&curve, power_law ? fmax(part->warmup_steps, at) : at);
    }
    if ((stable || tail) && !(decay_min >= 0 && decay_min < top))
        return tv_fail(reterr, TV_ECONFIG,
                       "decay_min_lr (%g) must be below the learning rate where the decay of %s "
                       "begins (%g)",
                       decay_min, core->name, top);
    return TV_OK;
}

static enum tv_status plain(const struct core_case *core, struct tv_error *reterr)
{
    double *param = core->part->param;
    const struct {
        enum tv_schedule_param param;
        const char *key;
    } direct[] = {
        {TV_P_END, "t_max"}, {TV_P_FLOOR_RATIO, "alpha_f"}, {TV_P_START, "warmup_min_lr"}};
    bool tail =
        core->part->kind->lr == tv_decay_tail_lr || core->part->kind->lr == tv_power_tail_lr;
    bool stable = !strcmp(core->name, "WSD");
    enum tv_status status = check(core, tail || stable, reterr);
    if (status != TV_OK)
        return status;
    for (size_t i = 0; i < sizeof direct / sizeof *direct; i++)
        param[direct[i].param] = tv_in_number(&core->in, direct[i].key, param[direct[i].param]);
    param[TV_P_END] /= core->unit;
    core->part->warmup_steps = length_of(core, "warmup", NAN);
    double decay_min = tv_in_number(&core->in, "decay_min_lr", 0);
    if (stable) {
        param[TV_P_DECAY] = length_of(core, "decay", 0.1);
        param[TV_P_FLOOR] = decay_min;
    }
    if (tail) {
        param[TV_P_PERIOD] = length_of(core, "decay", 0.1);
        param[TV_P_EXTRA] = decay_min;
    }
    double exponent = tv_in_number(&core->in, "b", -0.51);
    if (exponent >= 0)
        return tv_fail(reterr, TV_ECONFIG, "'b' must be negative for a decaying power law");
    if (core->part->kind->lr == tv_power_tail_lr)
        param[TV_P_POWER] = -exponent;
    if (core->part->kind->lr == tv_power_law_lr)
        param[TV_P_TIMESCALE] = core->part->warmup_steps;
    return check_levels(core, stable, tail, reterr);
}

/* From lr_min up to the learning rate by a constant factor. */
static enum tv_status exponential(const struct core_case *core, struct tv_error *reterr)
{
    double low = tv_in_number(&core->in, "lr_min", 1e-9);
    if (!(low > 0))
        return tv_fail(reterr, TV_ECONFIG, "'lr_min' must be positive");
    core->part->param[TV_P_FLOOR] = core->part->peak;
    core->part->peak = low;
    return TV_OK;
}

static enum tv_status full(struct tv_error *reterr)
{
    return tv_fail(reterr, TV_ELIMIT, "the scheduler has more than %d phases",
                   TV_SCHEDULE_TABLE / TV_PHASE_ROW);
}

static bool add_phase(double *rows, int *len, double end, double from, double to, double shape)
{
    if (*len + TV_PHASE_ROW > TV_SCHEDULE_TABLE)
        return false;
    double row[TV_PHASE_ROW] = {end, from, to, shape};
    memcpy(rows + *len, row, sizeof row);
    *len += TV_PHASE_ROW;
    return true;
}

/* Warm-up, then for each period a plateau and a line down. */
static enum tv_status periods(const struct core_case *core, struct tv_error *reterr)
{
    double lengths[TV_SCHEDULE_TABLE], scales[TV_SCHEDULE_TABLE], rows[TV_SCHEDULE_TABLE];
    double peak = core->part->peak, low = tv_in_number(&core->in, "decay_min_lr", 0) / peak;
    int len = tv_in_list(&core->in, "period_lengths", lengths, TV_SCHEDULE_TABLE), used = 0;
    int given = tv_in_list(&core->in, "period_lr_multipliers", scales, TV_SCHEDULE_TABLE);
    if (len < 0 || given < 0)
        return full(reterr);
    if (len == 0 || (given > 0 && given != len))
        return tv_fail(
            reterr, TV_ECONFIG,
            "'period_lengths' must be given, with as many 'period_lr_multipliers' or none");
    double share = tv_in_number(&core->in, "warmup_fraction", NAN),
           part = tv_in_number(&core->in, "decay_fraction", NAN);
    double warmup = tv_in_number(&core->in, "warmup", nearbyint(share * lengths[0]));
    if (isnan(warmup))
        return tv_fail(reterr, TV_ECONFIG,
                       "exactly one of 'warmup' or 'warmup_fraction' must be specified");
    double first = given ? scales[0] : 1, end = 0;
    bool fits =
        add_phase(rows, &used, warmup / core->unit,
                  tv_in_number(&core->in, "warmup_min_lr", 0) / peak, first, TV_SHAPE_LINEAR);
    for (int i = 0; i < len && fits; i++) {
        double decay = tv_in_number(&core->in, "decay", nearbyint(part * lengths[i])),
               scale = given ? scales[i] : 1;
        if (!(decay + (i == 0 ? warmup : 0) <= lengths[i]))
            return tv_fail(reterr, TV_ECONFIG,
                           "period %d: warm-up and decay exceed the period's length", i);
        end += lengths[i];
        fits = add_phase(rows, &used, (end - decay) / core->unit, scale, scale, TV_SHAPE_LINEAR) &&
               add_phase(rows, &used, end / core->unit, scale, low, TV_SHAPE_LINEAR);
    }
    return fits ? tv_part_table(core->s, core->part, rows, used, reterr) : full(reterr);
}

/* An absolute learning rate or a fraction of the initial one, as a fraction. */
static double level(const struct tv_scope *in, const char *name, double peak, double otherwise)
{
    char fraction[40];
    snprintf(fraction, sizeof fraction, "%s_fraction", name);
    return tv_in_number(in, name, NAN) >= 0 ? tv_in_number(in, name, 0) / peak
                                            : tv_in_number(in, fraction, otherwise);
}

static double shape_of(const struct tv_scope *in)
{
    const char *shape = tv_in_text(in, "shape");
    return shape && !strcmp(shape, "cosine") ? TV_SHAPE_COSINE : TV_SHAPE_LINEAR;
}

static enum tv_status stages(const struct core_case *core, struct tv_error *reterr)
{
    double rows[TV_SCHEDULE_TABLE], peak = core->part->peak, end = 0, before = 1;
    int used = 0;
    for (int i = 0;; i++) {
        struct tv_scope stage = tv_scope_at(&core->in, "stages", i);
        double length = tv_in_number(&stage, "duration", NAN),
               to = level(&stage, "end_lr", peak, NAN);
        if (!tv_in_any(&stage) && i > 0)
            break;
        if (!(length > 0) || isnan(to))
            return tv_fail(reterr, TV_ECONFIG,
                           "stage %d needs a positive duration and end_lr or end_lr_fraction", i);
        end += length / core->unit;
        if (!add_phase(rows, &used, end, level(&stage, "start_lr", peak, before), to,
                       shape_of(&stage)))
            return full(reterr);
        before = to;
    }
    return tv_part_table(core->s, core->part, rows, used, reterr);
}

static enum tv_status one(struct core_case *core, struct tv_error *reterr)
{
    double peak = core->part->peak;
    enum tv_status status = tv_part_start(core->part, "olmocore", core->name, reterr);
    if (status != TV_OK)
        return status;
    core->part->peak = peak;
    core->part->total_steps = core->total;
    if (!strcmp(core->name, "WSDS"))
        return periods(core, reterr);
    if (!strcmp(core->name, "ComposableScheduler"))
        return stages(core, reterr);
    if (!strcmp(core->name, "ExponentialScheduler"))
        return exponential(core, reterr);
    return core->part->kind->flags & TV_KIND_NO_WARMUP ? TV_OK : plain(core, reterr);
}

static int count(const struct tv_scope *sequential)
{
    for (int i = 0;; i++) {
        struct tv_scope scope = tv_scope_at(sequential, "schedulers", i);
        if (!tv_in_has(&scope, "_CLASS_|type"))
            return i;
    }
}

/* Each scheduler starts from the learning rate that the one before it ended with. */
static enum tv_status sequence(const struct core_case *whole, struct tv_error *reterr)
{
    double ends[TV_SCHEDULE_PARTS], left = whole->total, peak = whole->s->peak, begin = 0;
    int len = tv_in_list(&whole->in, "schedulers_max", ends, TV_SCHEDULE_PARTS);
    if (len == 0)
        len = tv_in_list(&whole->in, "schedulers_max_steps", ends, TV_SCHEDULE_PARTS);
    len = len < count(&whole->in) ? len : len - 1; /* that of the last scheduler is ignored */
    for (int i = 0;; i++) {
        struct core_case core = *whole;
        core.in = tv_scope_at(&whole->in, "schedulers", i);
        const char *path = tv_in_text(&core.in, "_CLASS_|type");
        if (!path)
            return i == len + 1
                       ? TV_OK
                       : tv_fail(reterr, TV_ECONFIG,
                                 "schedulers_max must be given for all schedulers but the last");
        core.name = tv_last_name(path);
        core.part = tv_schedule_add_part(whole->s, reterr);
        if (!core.part)
            return TV_ELIMIT;
        core.part->peak = peak;
        core.is_never_reached = begin >= whole->total;
        core.total = i < len ? fmin(left, ends[i] / core.unit) : left;
        enum tv_status status = one(&core, reterr);
        if (status != TV_OK)
            return status;
        core.part->begin = begin;
        if (i >= len)
            continue;
        double length = ends[i] / core.unit;
        struct tv_curve curve = tv_curve_of_part(whole->s, core.part);
        curve.total = length;
        peak = core.part->kind->lr(&curve, length);
        begin += length;
        left -= length;
    }
}

/* From its start on it replaces whatever the schedulers would have given. */
static enum tv_status override_decay(const struct core_case *whole, struct tv_schedule *s,
                                     struct tv_error *reterr)
{
    struct tv_scope in = tv_scope_in(&whole->in, "override_decay");
    double start = tv_in_number(&in, "start", NAN), length = tv_in_number(&in, "duration", NAN);
    if (!tv_in_any(&in))
        return TV_OK;
    bool one_end = tv_in_has(&in, "end_lr") != tv_in_has(&in, "end_lr_fraction");
    if (!(start >= 0 && length > 0) || !one_end)
        return tv_fail(reterr, TV_ECONFIG,
                       "override_decay needs start >= 0, duration > 0 and either end_lr or "
                       "end_lr_fraction");
    double from = tv_schedule_lr(s, start / whole->unit), peak = s->peak;
    const double row[] = {length / whole->unit, from / peak, level(&in, "end_lr", peak, NAN),
                          shape_of(&in)};
    if (s->parts == 0) {
        struct tv_schedule_part *all = tv_schedule_add_part(s, reterr);
        *all = (struct tv_schedule_part){
            .kind = s->kind, .end = INFINITY, .peak = peak, .table_len = s->table_len};
        memcpy(all->param, s->param, sizeof all->param);
    }
    while (s->parts > 1 && s->part[s->parts - 1].begin >= start / whole->unit)
        s->parts--;
    struct tv_schedule_part *part = tv_schedule_add_part(s, reterr);
    if (!part)
        return TV_ELIMIT;
    enum tv_status status = tv_schedule_start(s, "olmocore", "SequentialScheduler", reterr);
    if (status == TV_OK)
        status = tv_part_start(part, "olmocore", "ComposableScheduler", reterr);
    part->peak = peak;
    part->begin = start / whole->unit;
    return status == TV_OK ? tv_part_table(s, part, row, TV_PHASE_ROW, reterr) : status;
}

static double planned_steps(const struct tv_facts *facts, double tokens_per_step)
{
    double value = tv_get_number(facts, "max_duration.value|trainer.max_duration.value");
    const char *unit = tv_get_text(facts, "max_duration.unit|trainer.max_duration.unit");
    if (isnan(value) || (unit && !strcmp(unit, "epochs")))
        return tv_get_number(facts, "log.total_steps");
    return unit && !strcmp(unit, "tokens") ? ceil(value / tokens_per_step) : value;
}

static enum tv_status resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr)
{
    struct tv_scope top = tv_scope_top(facts), module = tv_scope_in(&top, "train_module");
    struct tv_scope in =
        tv_scope_in(tv_has_prefix(facts, "train_module.scheduler.") ? &module : &top, "scheduler");
    const char *path = tv_in_text(&in, "_CLASS_|type|name"), *units = tv_in_text(&in, "units");
    double tokens = tv_get_number(facts, "data_loader.global_batch_size|global_batch_size");
    if (!path)
        return tv_fail(reterr, TV_AGAIN, "the configuration does not name a scheduler");
    struct core_case core = {.in = in, .name = tv_last_name(path), .s = ret, .unit = 1};
    if (units && !strcmp(units, "tokens"))
        core.unit = tokens;
    if (isnan(core.unit))
        return tv_fail(reterr, TV_AGAIN,
                       "the scheduler counts tokens and the tokens of a step are not known");
    ret->peak = tv_get_number(facts, "optim.lr|train_module.optim.lr");
    ret->total_steps = core.total = planned_steps(facts, tokens);
    ret->offset_known = true;
    enum tv_status status;
    if (!strcmp(core.name, "SequentialScheduler")) {
        status = tv_schedule_start(ret, "olmocore", core.name, reterr);
        if (status == TV_OK)
            status = sequence(&core, reterr);
    } else {
        struct tv_schedule_part part = {.peak = ret->peak};
        core.part = &part;
        status = one(&core, reterr);
        if (status == TV_OK)
            tv_schedule_take(ret, &part);
    }
    if (status == TV_OK)
        status = override_decay(&core, ret, reterr);
    return status == TV_OK ? tv_schedule_complete(ret, reterr) : status;
}

static bool owns(const struct tv_facts *facts)
{
    const char *path = tv_get_text(facts, "scheduler._CLASS_|train_module.scheduler._CLASS_");
    return path && strstr(path, "olmo_core") != NULL;
}

const struct tv_framework tv_framework_olmocore = {"olmocore", owns, resolve};
