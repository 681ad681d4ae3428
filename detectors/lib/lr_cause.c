/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_cause.h"
#include <math.h>
#include <string.h>

#define NEAR_FACTOR 2e-3 /* what 4 digits leave open */

struct work {
    const struct tv_lr_case *input;
    struct tv_lr_data all, late; /* late: since the onset */
    size_t early_len;            /* points before the onset */
    struct tv_lr_verdict *found;
    size_t found_len;
    bool fit_scale;
};

/* ---- parameters ---- */

static void apply_rate(struct tv_lr_model *model, double value)
{
    model->rate = value;
}

static void apply_warmup(struct tv_lr_model *model, double value)
{
    model->schedule.warmup_steps = fmax(0, value);
}

static void apply_total(struct tv_lr_model *model, double value)
{
    model->schedule.total_steps = fmax(1, value);
    model->schedule.param[TV_P_END] = NAN;
}

static void apply_total_ratio(struct tv_lr_model *model, double value)
{
    double total = fmax(1, value);
    model->schedule.total_steps = total;
    model->schedule.param[TV_P_END] = NAN;
    model->schedule.warmup_steps =
        round(model->promise->warmup_steps * total / fmax(1, model->promise->total_steps));
}

static void apply_floor(struct tv_lr_model *model, double value)
{
    model->floor = value;
}

static void apply_epoch(struct tv_lr_model *model, double value)
{
    model->epoch = fmax(1, value);
}

static void apply_value(struct tv_lr_model *model, double value)
{
    model->value = value;
}

static void apply_shift(struct tv_lr_model *model, double value)
{
    model->shift = value;
}

static void apply_restart(struct tv_lr_model *model, double value)
{
    model->shift = -value;
}

/* ---- data ---- */

static void add_point(struct tv_lr_data *data, const struct tv_lr_case *input,
                      struct tv_lr_point point)
{
    data->at[data->len] = point;
    data->exact[data->len] = tv_lr_exactness(input->points, point.value, input->promise->peak) +
                             0.3 * tv_lr_points_rounding(input->points, point.value);
    data->highest = fmax(data->highest, fabs(point.value));
    data->len++;
}

/* Points are late from the first one on that failed: a resume may have gone back to steps before
 * it. */
static void split(struct work *work)
{
    struct tv_lr_point all[TV_LR_POINTS];
    size_t len = tv_lr_points_get(work->input->points, all), first = 0;
    while (first < len && all[first].step != work->input->fit.fail_step)
        first++;
    for (size_t i = 0; i < len; i++) {
        bool is_late = first < len ? i >= first : all[i].step >= work->input->fit.fail_step;
        add_point(&work->all, work->input, all[i]);
        if (is_late)
            add_point(&work->late, work->input, all[i]);
        else
            work->early_len++;
    }
    work->late.highest = fmax(work->late.highest, 1e-3 * work->all.highest);
}

static double mean(const struct tv_lr_data *data)
{
    double sum = 0;
    for (size_t i = 0; i < data->len; i++)
        sum += data->at[i].value;
    return data->len ? sum / (double)data->len : NAN;
}

/* ---- ranking ---- */

static bool is_near(double value, double wanted)
{
    return wanted > 1 && fabs(value - wanted) < 1e-3 * wanted;
}

static bool is_number_of_run(const struct tv_lr_case *input, double ratio)
{
    return is_near(ratio, input->accumulation) || is_near(ratio, input->world_size) ||
           is_near(ratio, input->accumulation * input->world_size);
}

static bool is_power_of_ten(double factor)
{
    double exponent = log10(factor);
    return fabs(exponent) > 0.5 && fabs(exponent - round(exponent)) < 1e-4;
}

static bool is_whole(double ratio)
{
    return ratio > 1.5 && fabs(ratio - round(ratio)) < 1e-3 * ratio;
}

/* Where several causes give the same curve (in the warm-up nearly all do), the one whose number
 * means something. */
static double rank_of(const struct work *work, const struct tv_lr_verdict *verdict)
{
    const struct tv_lr_case *input = work->input;
    static const double base[TV_LR_CAUSES] = {
        [TV_LR_KIND] = 2,        [TV_LR_SCALED] = 3,    [TV_LR_RATE] = 5,
        [TV_LR_WARMUP] = 4,      [TV_LR_TOTAL] = 4.2,   [TV_LR_TOTAL_RATIO] = 4.6,
        [TV_LR_PARAMETER] = 1.5, [TV_LR_FLOOR] = 5,     [TV_LR_LOG_WARMUP] = 5,
        [TV_LR_PER_EPOCH] = 5,   [TV_LR_FROZEN] = 4,    [TV_LR_RESTARTED] = 6,
        [TV_LR_JUMPED] = 7,      [TV_LR_STOPPED] = 6.5, [TV_LR_SHIFTED] = 8,
        [TV_LR_NEW_TOTAL] = 7.5};
    double rank = base[verdict->cause];
    double value = verdict->value;
    if (verdict->cause == TV_LR_RATE)
        rank -= is_number_of_run(input, value) ? 4.5
                : is_whole(value)              ? 0.9
                : is_whole(1 / value)          ? 0.3
                                               : 0;
    if (verdict->cause == TV_LR_WARMUP && input->promise->warmup_steps > 0)
        rank -= is_number_of_run(input, value / input->promise->warmup_steps) ||
                        is_number_of_run(input, input->promise->warmup_steps / value)
                    ? 3.5
                    : 0;
    if (verdict->cause == TV_LR_SCALED)
        rank -= is_power_of_ten(value) ? 2 : 0;
    if (verdict->cause == TV_LR_STOPPED &&
        !is_near(value / work->all.at[work->early_len - 1].value + 1, 2))
        rank += 3; /* it jumped before it stopped */
    if (verdict->scale != 1)
        rank += 10;
    return rank;
}

static void add_verdict(struct work *work, struct tv_lr_verdict verdict)
{
    verdict.rank = rank_of(work, &verdict);
    double worth = verdict.is_exact ? verdict.rank : 100 + verdict.residual;
    size_t at = work->found_len;
    while (at > 0) {
        const struct tv_lr_verdict *before = &work->found[at - 1];
        if (worth >= (before->is_exact ? before->rank : 100 + before->residual))
            break;
        at--;
    }
    if (at == TV_LR_VERDICTS)
        return;
    size_t moved = (work->found_len < TV_LR_VERDICTS ? work->found_len : TV_LR_VERDICTS - 1) - at;
    memmove(work->found + at + 1, work->found + at, moved * sizeof *work->found);
    work->found[at] = verdict;
    work->found_len += work->found_len < TV_LR_VERDICTS;
}

/* ---- hypotheses ---- */

/* Tries a prepared model with each way of logging that the promise allows; keeps the best. NULL
 * search: as it is. */
static void judge(struct work *work, const struct tv_lr_model *prepared,
                  struct tv_lr_verdict verdict, const struct tv_lr_data *data,
                  const struct tv_lr_search *search)
{
    const double known = (double)(work->input->fit.offset + work->input->fit.lag);
    const double delays[] = {known, 1, 0};
    verdict.residual = INFINITY;
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        if (i > 0 && delays[i] == known)
            continue;
        struct tv_lr_model model = *prepared;
        model.delay = delays[i];
        double value = verdict.value;
        double residual = search ? tv_lr_model_search(&model, data, search, work->fit_scale, &value)
                                 : tv_lr_model_residual(&model, data, work->fit_scale);
        if (residual >= verdict.residual)
            continue;
        verdict.value = value;
        verdict.residual = residual;
        verdict.is_exact = tv_lr_model_is_exact(&model, data);
        verdict.scale = work->fit_scale ? model.scale : 1;
    }
    if (isfinite(verdict.residual))
        add_verdict(work, verdict);
}

static struct tv_lr_model promised(const struct work *work)
{
    struct tv_lr_model model;
    tv_lr_model_init(&model, work->input->promise, 0);
    return model;
}

/* Another scheduler, its parameters at their defaults or, where it has one that is often changed,
 * at `value`. */
static void try_kind(struct work *work, const char *name, enum tv_schedule_param param,
                     double value)
{
    struct tv_lr_model model = promised(work);
    if (!tv_schedule_set_kind(&model.schedule, name))
        return;
    if (!isnan(value))
        model.schedule.param[param] = value;
    bool is_promised = strcmp(name, tv_schedule_name(work->input->promise)) == 0;
    struct tv_lr_verdict verdict = {.cause = is_promised ? TV_LR_PARAMETER : TV_LR_KIND,
                                    .kind = name,
                                    .param = param,
                                    .value = value};
    judge(work, &model, verdict, &work->all, NULL);
}

static void try_kinds(struct work *work)
{
    static const char *const names[] = {"linear",
                                        "cosine",
                                        "constant",
                                        "constant_with_warmup",
                                        "polynomial",
                                        "inverse_sqrt",
                                        "cosine_with_restarts",
                                        "cosine_with_min_lr"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        try_kind(work, names[i], TV_P_END, NAN);
    for (int cycles = 2; cycles <= 10; cycles++)
        try_kind(work, "cosine_with_restarts", TV_P_CYCLES, cycles);
    static const double powers[] = {0.5, 1.5, 2, 3, 4};
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++)
        try_kind(work, "polynomial", TV_P_POWER, powers[i]);
    double rest = work->input->promise->total_steps - work->input->promise->warmup_steps;
    static const double decays[] = {0.1, 0.2, 0.25, 0.5};
    for (size_t i = 0; i < sizeof decays / sizeof *decays && rest > 0; i++)
        try_kind(work, "warmup_stable_decay", TV_P_DECAY, round(decays[i] * rest));
}

/* Of the factors that mean something, the one that the best fit is as near to as printing allows.
 */
static void settle_scale(const struct work *work, struct tv_lr_model *model,
                         const struct tv_lr_data *data)
{
    double fitted = model->scale, accumulation = work->input->accumulation,
           world = work->input->world_size;
    const double factors[] = {accumulation, world, accumulation * world, sqrt(world)};
    for (size_t i = 0; i < 2 * (sizeof factors / sizeof *factors); i++) {
        double factor = i % 2 ? 1 / factors[i / 2] : factors[i / 2];
        model->scale = factor;
        if (fabs(factor - fitted) < NEAR_FACTOR * fitted && tv_lr_model_is_exact(model, data))
            return;
    }
    model->scale = fitted;
}

static void try_scaled(struct work *work, enum tv_lr_cause cause, const struct tv_lr_data *data)
{
    struct tv_lr_model model = promised(work);
    const double delays[] = {(double)(work->input->fit.offset + work->input->fit.lag), 1, 0};
    struct tv_lr_verdict best = {.cause = cause, .residual = INFINITY, .scale = 1};
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        model.delay = delays[i];
        double residual = tv_lr_model_residual(&model, data, true);
        if (residual >= best.residual)
            continue;
        settle_scale(work, &model, data);
        best.residual = residual;
        best.value = model.scale;
        best.is_exact = tv_lr_model_is_exact(&model, data);
    }
    if (isfinite(best.residual))
        add_verdict(work, best);
}

static void try_constant(struct work *work, enum tv_lr_cause cause, const struct tv_lr_data *data)
{
    struct tv_lr_model model = promised(work);
    struct tv_lr_verdict verdict = {.cause = cause, .value = mean(data)};
    apply_value(&model, verdict.value);
    judge(work, &model, verdict, data, NULL);
}

static void try_search(struct work *work, enum tv_lr_cause cause, const struct tv_lr_data *data,
                       const struct tv_lr_search *search)
{
    if (!(search->high > search->low))
        return;
    struct tv_lr_model model = promised(work);
    judge(work, &model, (struct tv_lr_verdict){.cause = cause}, data, search);
}

static void try_rate(struct work *work)
{
    double seeds[40];
    size_t len = 0;
    for (int i = 2; i <= 16; i++) {
        seeds[len++] = i;
        seeds[len++] = 1.0 / i;
    }
    seeds[len++] = work->input->accumulation;
    seeds[len++] = work->input->world_size;
    seeds[len++] = work->input->accumulation * work->input->world_size;
    try_search(work, TV_LR_RATE, &work->all,
               &(struct tv_lr_search){.apply = apply_rate,
                                      .low = 1.0 / 64,
                                      .high = 64,
                                      .is_log = true,
                                      .seeds = seeds,
                                      .seeds_len = len});
}

static void try_warmup(struct work *work)
{
    const struct tv_lr_case *input = work->input;
    double warmup = input->promise->warmup_steps, total = input->promise->total_steps;
    double last = (double)work->all.at[work->all.len - 1].step;
    double high = fmax(isfinite(total) ? total : 0, fmax(4 * last, 64 * warmup));
    const double seeds[] = {0,
                            warmup * input->accumulation,
                            warmup * input->world_size,
                            warmup * input->accumulation * input->world_size,
                            warmup / 2,
                            warmup * 2,
                            input->accumulation > 0 ? ceil(warmup / input->accumulation) : 0,
                            input->world_size > 0 ? ceil(warmup / input->world_size) : 0};
    struct tv_lr_search search = {.apply = apply_warmup,
                                  .low = 0,
                                  .high = high,
                                  .is_integer = true,
                                  .seeds = seeds,
                                  .seeds_len = sizeof seeds / sizeof *seeds};
    try_search(work, TV_LR_WARMUP, &work->all, &search);
}

static void try_totals(struct work *work)
{
    double total = work->input->promise->total_steps;
    if (!isfinite(total) || total <= 0)
        return;
    double seeds[32];
    size_t len = 0;
    for (int i = 2; i <= 16; i++) {
        seeds[len++] = round(total / i);
        seeds[len++] = total * i;
    }
    struct tv_lr_search search = {.apply = apply_total,
                                  .low = fmax(1, total / 50),
                                  .high = total * 50,
                                  .is_log = true,
                                  .is_integer = true,
                                  .seeds = seeds,
                                  .seeds_len = len};
    try_search(work, TV_LR_TOTAL, &work->all, &search);
    search.apply = apply_total_ratio;
    if (work->input->promise->warmup_steps > 0)
        try_search(work, TV_LR_TOTAL_RATIO, &work->all, &search);
}

static void try_shapes(struct work *work)
{
    struct tv_lr_model model = promised(work);
    struct tv_lr_search search = {.apply = apply_floor, .low = 0, .high = 0.9};
    try_search(work, TV_LR_FLOOR, &work->all, &search);
    if (!strcmp(tv_schedule_name(&model.schedule), "constant"))
        tv_schedule_set_kind(&model.schedule, "constant_with_warmup");
    model.schedule.param[TV_P_WARM_SHAPE] = TV_SHAPE_LOG;
    model.schedule.warmup_steps = fmax(2, model.schedule.warmup_steps);
    if (work->input->promise->warmup_steps > 1)
        judge(work, &model, (struct tv_lr_verdict){.cause = TV_LR_LOG_WARMUP}, &work->all, NULL);
}

/* The scheduler is stepped once an epoch: it counts epochs as if they were steps, or steps of an
 * epoch's length. */
static void try_per_epoch(struct work *work)
{
    double total = work->input->promise->total_steps;
    double lengths[33];
    size_t len = 0;
    if (work->input->promise->steps_per_epoch > 1)
        lengths[len++] = (double)work->input->promise->steps_per_epoch;
    else if (isfinite(total))
        for (int epochs = 1; epochs <= 32; epochs++)
            lengths[len++] = fmax(2, round(total / epochs));
    for (size_t i = 0; i < len; i++) {
        struct tv_lr_model model = promised(work);
        struct tv_lr_verdict verdict = {.cause = TV_LR_PER_EPOCH, .value = lengths[i]};
        apply_epoch(&model, lengths[i]);
        model.stride = 1;
        judge(work, &model, verdict, &work->all, NULL);
        model.stride = lengths[i];
        judge(work, &model, verdict, &work->all, NULL);
    }
}

/* What happened in the middle of the run: asked only when nothing explains the whole. */
static void try_late(struct work *work)
{
    if (work->early_len < 2 || work->late.len < TV_LR_FAILS)
        return;
    double first = (double)work->late.at[0].step;
    double gap = fmax(1, first - (double)work->all.at[work->early_len - 1].step);
    double total = work->input->promise->total_steps;
    struct tv_lr_search search = {.apply = apply_restart,
                                  .low = fmax(1, first - 3 * gap - 1),
                                  .high = first,
                                  .is_integer = true};
    try_search(work, TV_LR_RESTARTED, &work->late, &search);
    search = (struct tv_lr_search){.apply = apply_shift,
                                   .low = -first,
                                   .high = isfinite(total) ? total : 4 * first,
                                   .is_integer = true};
    if (!work->found[0].is_exact)
        try_search(work, TV_LR_SHIFTED, &work->late, &search);
    search = (struct tv_lr_search){.apply = apply_total,
                                   .low = fmax(1, total / 50),
                                   .high = total * 50,
                                   .is_log = true,
                                   .is_integer = true};
    if (isfinite(total) && total > 0)
        try_search(work, TV_LR_NEW_TOTAL, &work->late, &search);
    try_scaled(work, TV_LR_JUMPED, &work->late);
    try_constant(work, TV_LR_STOPPED, &work->late);
}

static void try_all(struct work *work)
{
    try_kinds(work);
    try_rate(work);
    try_warmup(work);
    try_totals(work);
    try_shapes(work);
    try_per_epoch(work);
}

size_t tv_lr_causes(const struct tv_lr_case *input, struct tv_lr_verdict ret[TV_LR_VERDICTS])
{
    struct work work = {.input = input, .found = ret};
    split(&work);
    if (work.all.len < TV_LR_FAILS)
        return 0;
    try_scaled(&work, TV_LR_SCALED, &work.all);
    try_constant(&work, TV_LR_FROZEN, &work.all);
    try_all(&work);
    if (!ret[0].is_exact)
        try_late(&work);
    if (!ret[0].is_exact) {
        work.fit_scale = true;
        try_all(&work);
    }
    return work.found_len;
}
