/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_work.h"
#include <math.h>
#include <string.h>

#define NEAR_FACTOR 2e-3 /* what 4 digits leave open */
#define SAME        1e-9 /* residual of what cannot be better */
#define KEPT_LONG   8    /* points that keep the promise before the onset */
#define NEARLY      0.1  /* residual of what may be right but for a step */

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
static void split(struct tv_lr_work *work)
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

bool tv_lr_is_number_of_run(const struct tv_lr_case *input, double ratio)
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
static double rank_of(const struct tv_lr_work *work, const struct tv_lr_verdict *verdict)
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
        rank -= tv_lr_is_number_of_run(input, value) ? 4.5
                : is_whole(value)                    ? 0.9
                : is_whole(1 / value)                ? 0.3
                                                     : 0;
    if (verdict->cause == TV_LR_WARMUP && input->promise->warmup_steps > 0)
        rank -= tv_lr_is_number_of_run(input, value / input->promise->warmup_steps) ||
                        tv_lr_is_number_of_run(input, input->promise->warmup_steps / value)
                    ? 3.5
                    : 0;
    if (verdict->cause == TV_LR_PER_EPOCH)
        rank -= value == (double)input->promise->steps_per_epoch ? 1 : value >= 10 ? 0.4 : 0;
    if (verdict->cause == TV_LR_SCALED)
        rank -= is_power_of_ten(value) ? 2 : 0;
    if (verdict->cause == TV_LR_STOPPED &&
        !is_near(value / work->all.at[work->early_len - 1].value + 1, 2))
        rank += 3; /* it jumped before it stopped */
    if (verdict->scale != 1)
        rank += 10;
    return rank;
}

static double worth_of(const struct tv_lr_verdict *verdict)
{
    return verdict->is_exact ? verdict->rank : 100 + verdict->residual;
}

/* One of each cause: what else fits is another cause, not another number. */
void tv_lr_found(struct tv_lr_work *work, struct tv_lr_verdict verdict)
{
    verdict.rank = rank_of(work, &verdict);
    for (size_t i = 0; i < work->found_len; i++) {
        if (work->found[i].cause != verdict.cause)
            continue;
        if (worth_of(&work->found[i]) <= worth_of(&verdict))
            return;
        work->found_len--;
        memmove(work->found + i, work->found + i + 1, (work->found_len - i) * sizeof *work->found);
        break;
    }
    size_t at = work->found_len;
    while (at > 0 && worth_of(&verdict) < worth_of(&work->found[at - 1]))
        at--;
    if (at == TV_LR_VERDICTS)
        return;
    size_t moved = (work->found_len < TV_LR_VERDICTS ? work->found_len : TV_LR_VERDICTS - 1) - at;
    memmove(work->found + at + 1, work->found + at, moved * sizeof *work->found);
    work->found[at] = verdict;
    work->found_len += work->found_len < TV_LR_VERDICTS;
}

/* ---- hypotheses ---- */

double tv_lr_limit(const struct tv_lr_work *work)
{
    return work->found_len < 2 ? INFINITY : fmax(1e-3, work->found[1].residual);
}

static double residual_of(const struct tv_lr_work *work, struct tv_lr_model *model,
                          const struct tv_lr_data *data)
{
    return work->fit_scale ? tv_lr_model_residual(model, data, true)
                           : tv_lr_model_residual_below(model, data, tv_lr_limit(work));
}

/* The other ways of logging move a parameter a little: what is hopeless in one is in all, and what
 * is nearly right is looked for nearby. */
double tv_lr_judge(struct tv_lr_work *work, const struct tv_lr_model *prepared,
                   struct tv_lr_verdict verdict, const struct tv_lr_data *data,
                   const struct tv_lr_search *search)
{
    const double known = (double)(work->input->fit.offset + work->input->fit.lag);
    const double delays[] = {known, 1, 0};
    double first = verdict.value;
    verdict.residual = INFINITY;
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        bool is_hopeless = search && known <= 2 && verdict.residual > TV_LR_HOPELESS;
        if (i > 0 && (delays[i] == known || verdict.residual < SAME || is_hopeless))
            continue;
        struct tv_lr_model model = *prepared;
        struct tv_lr_search again = search ? *search : (struct tv_lr_search){0};
        model.delay = delays[i];
        again.near = i > 0 && verdict.residual < NEARLY ? &first : NULL;
        double value = verdict.value;
        double residual = search ? tv_lr_model_search(&model, data, &again, work->fit_scale, &value)
                                 : residual_of(work, &model, data);
        if (residual >= verdict.residual)
            continue;
        first = i == 0 ? value : first;
        verdict.value = value;
        verdict.residual = residual;
        verdict.is_exact = tv_lr_model_is_exact(&model, data);
        verdict.scale = work->fit_scale ? model.scale : 1;
    }
    if (isfinite(verdict.residual))
        tv_lr_found(work, verdict);
    return verdict.residual;
}

struct tv_lr_model tv_lr_promised(const struct tv_lr_work *work)
{
    struct tv_lr_model model;
    tv_lr_model_init(&model, work->input->promise, 0);
    return model;
}

/* Of the factors that mean something, the one that the best fit is as near to as printing allows.
 */
static void settle_scale(const struct tv_lr_work *work, struct tv_lr_model *model,
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

void tv_lr_try_scaled(struct tv_lr_work *work, enum tv_lr_cause cause,
                      const struct tv_lr_data *data)
{
    struct tv_lr_model model = tv_lr_promised(work);
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
        tv_lr_found(work, best);
}

void tv_lr_try_constant(struct tv_lr_work *work, enum tv_lr_cause cause,
                        const struct tv_lr_data *data)
{
    struct tv_lr_model model = tv_lr_promised(work);
    struct tv_lr_verdict verdict = {.cause = cause, .value = mean(data)};
    model.value = verdict.value;
    tv_lr_judge(work, &model, verdict, data, NULL);
}

double tv_lr_try_search(struct tv_lr_work *work, enum tv_lr_cause cause,
                        const struct tv_lr_data *data, const struct tv_lr_search *search)
{
    if (!(search->high > search->low))
        return INFINITY;
    struct tv_lr_model model = tv_lr_promised(work);
    return tv_lr_judge(work, &model, (struct tv_lr_verdict){.cause = cause}, data, search);
}

static void try_whole(struct tv_lr_work *work)
{
    tv_lr_try_kinds(work);
    tv_lr_try_counts(work);
}

/* A constant where a constant is promised is no scheduler that stands still. */
static bool promise_moves(const struct tv_lr_work *work)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < work->all.len; i++) {
        double n = fmax(0, (double)(work->all.at[i].step - work->input->fit.offset));
        double lr = tv_schedule_lr(work->input->promise, n);
        low = fmin(low, lr);
        high = fmax(high, lr);
    }
    return !(high - low <= SAME * high);
}

size_t tv_lr_causes(const struct tv_lr_case *input, struct tv_lr_verdict ret[TV_LR_VERDICTS])
{
    struct tv_lr_work work = {.input = input, .found = ret};
    ret[0] = (struct tv_lr_verdict){.is_exact = false}; /* where nothing gives a number */
    split(&work);
    if (work.all.len < TV_LR_FAILS)
        return 0;
    tv_lr_try_scaled(&work, TV_LR_SCALED, &work.all);
    if (promise_moves(&work))
        tv_lr_try_constant(&work, TV_LR_FROZEN, &work.all);
    try_whole(&work);
    /* stepping faster and a shorter run may be the same curve */
    bool is_open = !ret[0].is_exact ||
                   (ret[0].cause == TV_LR_RATE && !tv_lr_is_number_of_run(input, ret[0].value));
    if (is_open && input->view)
        tv_lr_try_settings(&work);
    /* what fits the whole may have happened on the way as well: both are told */
    if (!ret[0].is_exact || work.early_len >= KEPT_LONG)
        tv_lr_try_late(&work);
    if (!ret[0].is_exact) {
        work.fit_scale = true;
        try_whole(&work);
    }
    return work.found_len;
}
