/* SPDX-License-Identifier: GPL-2.0-or-later */
/* optax: {"schedule": "optax.warmup_cosine_decay_schedule", "kwargs": {...}}. Source:
 * optax/schedules/_schedule.py 2edbcbe2. Real runs compute in float32. */
#include "schedule/framework.h"
#include <string.h>

struct optax_case {
    const struct tv_scope *args;
    const char *name;
    struct tv_schedule *s;
    struct tv_schedule_part *part;
};

static double arg(const struct optax_case *o, const char *name, double otherwise)
{
    return tv_in_number(o->args, name, otherwise);
}

static void peak_at(const struct optax_case *o, const char *key)
{
    o->part->peak = arg(o, key, NAN);
}

static enum tv_status constant(const struct optax_case *o, struct tv_error *reterr)
{
    (void)reterr;
    peak_at(o, "value");
    return TV_OK;
}

/* linear and polynomial: init_value until transition_begin, then towards end_value. */
static enum tv_status polynomial(const struct optax_case *o, struct tv_error *reterr)
{
    (void)reterr;
    double *param = o->part->param, length = arg(o, "transition_steps", NAN);
    peak_at(o, "init_value");
    param[TV_P_FLOOR] = arg(o, "end_value", NAN);
    param[TV_P_POWER] = arg(o, "power", 1);
    param[TV_P_HOLD] = fmax(0, arg(o, "transition_begin", 0));
    param[TV_P_DECAY] = length;
    if (length <= 0)
        param[TV_P_SHAPE] = TV_SHAPE_NONE;
    return TV_OK;
}

static enum tv_status warmup(const struct optax_case *o, struct tv_error *reterr)
{
    (void)reterr;
    peak_at(o, "peak_value");
    o->part->param[TV_P_START] = arg(o, "init_value", NAN);
    o->part->warmup_steps = arg(o, "warmup_steps", NAN);
    return TV_OK;
}

/* Without warm-up steps its line never leaves init_value. */
static enum tv_status warmup_constant(const struct optax_case *o, struct tv_error *reterr)
{
    warmup(o, reterr);
    if (o->part->warmup_steps <= 0)
        o->part->peak = o->part->param[TV_P_START];
    return TV_OK;
}

static enum tv_status cosine(const struct optax_case *o, struct tv_error *reterr)
{
    double *param = o->part->param;
    peak_at(o, "init_value");
    param[TV_P_FLOOR_RATIO] = arg(o, "alpha", 0);
    param[TV_P_GAMMA] = arg(o, "exponent", 1);
    param[TV_P_END] = arg(o, "decay_steps", NAN);
    return param[TV_P_END] > 0
               ? TV_OK
               : tv_fail(reterr, TV_ECONFIG, "cosine_decay_schedule requires positive decay_steps");
}

/* decay_steps holds the warm-up too. */
static enum tv_status warmup_cosine(const struct optax_case *o, struct tv_error *reterr)
{
    double *param = o->part->param;
    warmup(o, reterr);
    param[TV_P_FLOOR] = arg(o, "end_value", 0);
    param[TV_P_GAMMA] = arg(o, "exponent", 1);
    param[TV_P_END] = arg(o, "decay_steps", NAN);
    return param[TV_P_END] > o->part->warmup_steps
               ? TV_OK
               : tv_fail(reterr, TV_ECONFIG,
                         "decay_steps must be more than warmup_steps, which it includes");
}

static enum tv_status exponential(const struct optax_case *o, struct tv_error *reterr)
{
    double *param = o->part->param, length = arg(o, "transition_steps", NAN),
           rate = arg(o, "decay_rate", NAN);
    bool warms = !strcmp(o->name, "warmup_exponential_decay_schedule");
    if (warms)
        warmup(o, reterr);
    else
        peak_at(o, "init_value");
    bool constant_one = length <= 0 || rate == 0;
    param[TV_P_PERIOD] = length > 0 ? length : 1;
    param[TV_P_GAMMA] = constant_one ? 1 : rate;
    param[TV_P_SHIFT] = -fmax(0, arg(o, "transition_begin", 0)) - o->part->warmup_steps;
    param[TV_P_MODE] = !tv_in_true(o->args, "staircase", false);
    param[TV_P_FLOOR] = constant_one ? NAN : arg(o, "end_value", NAN);
    if (rate == 1 && param[TV_P_FLOOR] < o->part->peak) /* end_value is a ceiling then */
        o->part->peak = param[TV_P_FLOOR];
    if (rate == 1)
        param[TV_P_FLOOR] = NAN;
    return isnan(length) || isnan(rate)
               ? tv_fail(reterr, TV_ECONFIG, "%s needs transition_steps and decay_rate", o->name)
               : TV_OK;
}

static enum tv_status phases(const struct optax_case *o, const double *at, const double *scale,
                             int len, double shape, struct tv_error *reterr)
{
    double rows[TV_SCHEDULE_TABLE], from = 1;
    if (len < 0 || len > TV_SCHEDULE_TABLE / TV_PHASE_ROW)
        return tv_fail(reterr, TV_ELIMIT, "the schedule has too many boundaries");
    for (int i = 0; i < len; i++) {
        double to = from * scale[i];
        double row[TV_PHASE_ROW] = {at[i], from, to, shape};
        memcpy(rows + (ptrdiff_t)i * TV_PHASE_ROW, row, sizeof row);
        from = to;
    }
    return tv_part_table(o->s, o->part, rows, len * TV_PHASE_ROW, reterr);
}

/* Phases are written from the peak: the first scale leads up to it. */
static enum tv_status one_cycle(const struct optax_case *o, struct tv_error *reterr)
{
    bool linear = !strcmp(o->name, "linear_onecycle_schedule");
    double total = arg(o, "transition_steps", NAN), div = arg(o, "div_factor", 25),
           last = arg(o, "final_div_factor", 1e4);
    double at[] = {trunc(arg(o, "pct_start", 0.3) * total),
                   trunc(arg(o, "pct_final", 0.85) * total), total};
    double scale[] = {div, 1 / div, 1 / last};
    if (!linear) {
        at[1] = total;
        scale[1] = 1 / (div * last);
    }
    if (!(total > 0))
        return tv_fail(reterr, TV_ECONFIG, "%s was set with a non-positive transition_steps",
                       o->name);
    o->part->peak = arg(o, "peak_value", NAN);
    o->part->total_steps = total;
    enum tv_status status =
        phases(o, at, scale, linear ? 3 : 2, linear ? TV_SHAPE_LINEAR : TV_SHAPE_COSINE, reterr);
    double *table = o->s->table + o->part->table_at;
    for (int i = 0; status == TV_OK && i < o->part->table_len; i += TV_PHASE_ROW) {
        table[i + 1] /= div;
        table[i + 2] /= div;
    }
    return status;
}

static enum tv_status piecewise(const struct optax_case *o, struct tv_error *reterr)
{
    double at[TV_SCHEDULE_TABLE], scale[TV_SCHEDULE_TABLE];
    const char *type = tv_in_text(o->args, "interpolate_type");
    int len = tv_in_map(o->args, "boundaries_and_scales", at, scale, TV_SCHEDULE_TABLE);
    peak_at(o, "init_value");
    for (int i = 0; i < len; i++) {
        if (!(scale[i] >= 0))
            return tv_fail(reterr, TV_ECONFIG, "%s expects non-negative scale factors", o->name);
    }
    bool steps = !strcmp(o->name, "piecewise_constant_schedule");
    double shape = type && !strcmp(type, "cosine") ? TV_SHAPE_COSINE : TV_SHAPE_LINEAR;
    return phases(o, at, scale, len, steps ? TV_SHAPE_NONE : shape, reterr);
}

static const struct {
    const char *name;
    enum tv_status (*apply)(const struct optax_case *o, struct tv_error *reterr);
} simple[] = {{"constant_schedule", constant},
              {"linear_schedule", polynomial},
              {"polynomial_schedule", polynomial},
              {"cosine_decay_schedule", cosine},
              {"exponential_decay", exponential},
              {"warmup_constant_schedule", warmup_constant},
              {"warmup_cosine_decay_schedule", warmup_cosine},
              {"warmup_exponential_decay_schedule", exponential},
              {"linear_onecycle_schedule", one_cycle},
              {"cosine_onecycle_schedule", one_cycle},
              {"piecewise_constant_schedule", piecewise},
              {"piecewise_interpolate_schedule", piecewise}};

static enum tv_status add_part(const struct tv_scope *args, const char *name, struct tv_schedule *s,
                               struct tv_schedule_part *part, struct tv_error *reterr)
{
    struct optax_case o = {.args = args, .name = name, .s = s, .part = part};
    enum tv_status status = tv_part_start(part, "optax", name, reterr);
    for (size_t i = 0; status == TV_OK && i < sizeof simple / sizeof *simple; i++) {
        if (strcmp(simple[i].name, name) != 0)
            continue;
        status = simple[i].apply(&o, reterr);
        return status == TV_OK && isnan(part->peak)
                   ? tv_fail(reterr, TV_ECONFIG, "%s needs its init_value or peak_value", name)
                   : status;
    }
    return status == TV_OK
               ? tv_fail(reterr, TV_EUNSUPPORTED, "%s inside another schedule is not known", name)
               : status;
}

/* join_schedules: each counts from its boundary. sgdr_schedule: warm-up cosines one behind the
 * other. */
static enum tv_status join(const struct tv_scope *args, const char *name, struct tv_schedule *s,
                           struct tv_error *reterr)
{
    bool sgdr = !strcmp(name, "sgdr_schedule");
    double boundaries[TV_SCHEDULE_PARTS], begin = 0;
    int len = tv_in_list(args, "boundaries", boundaries, TV_SCHEDULE_PARTS);
    enum tv_status status = tv_schedule_start(s, "optax", name, reterr);
    for (int i = 0; status == TV_OK; i++) {
        struct tv_scope item = tv_scope_at(args, sgdr ? "cosine_kwargs" : "schedules", i);
        struct tv_scope inner = sgdr ? item : tv_scope_in(&item, "kwargs");
        const char *path = sgdr ? "warmup_cosine_decay_schedule" : tv_in_text(&item, "schedule");
        if (!tv_in_any(&item) || !path)
            break;
        struct tv_schedule_part *part = tv_schedule_add_part(s, reterr);
        if (!part)
            return TV_ELIMIT;
        status = add_part(&inner, tv_last_name(path), s, part, reterr);
        part->begin = sgdr ? begin : i > 0 && i <= len ? boundaries[i - 1] : 0;
        begin += tv_in_number(&inner, "decay_steps", 0);
        s->peak = i == 0 ? part->peak : fmax(s->peak, part->peak);
    }
    if (status == TV_OK && s->parts == 0)
        return tv_fail(reterr, TV_ECONFIG, "%s has no schedules", name);
    return status;
}

static enum tv_status resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr)
{
    struct tv_scope top = tv_scope_top(facts), args = tv_scope_in(&top, "kwargs");
    const char *path = tv_get_text(facts, "schedule");
    if (!path)
        return tv_fail(reterr, TV_AGAIN, "the configuration does not name a schedule");
    const char *name = tv_last_name(path);
    enum tv_status status;
    ret->total_steps = tv_get_number(facts, "max_steps|total_steps|log.total_steps");
    if (!strcmp(name, "join_schedules") || !strcmp(name, "sgdr_schedule")) {
        status = join(&args, name, ret, reterr);
    } else {
        struct tv_schedule_part part = {0};
        status = add_part(&args, name, ret, &part, reterr);
        if (status == TV_OK)
            tv_schedule_take(ret, &part);
    }
    tv_schedule_note(ret, "optax computes in float32");
    return status == TV_OK ? tv_schedule_complete(ret, reterr) : status;
}

static bool owns(const struct tv_facts *facts)
{
    const char *path = tv_get_text(facts, "schedule");
    return path && !strncmp(path, "optax.", 6);
}

const struct tv_framework tv_framework_optax = {"optax", owns, resolve};
