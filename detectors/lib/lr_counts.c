/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The promised scheduler counts something else: warm-up, total, scheduler steps per optimizer step.
 */
#include "lib/lr_work.h"
#include <math.h>
#include <string.h>

static void apply_rate(struct tv_lr_model *model, double value)
{
    model->rate = value;
}

static void apply_warmup(struct tv_lr_model *model, double value)
{
    model->schedule.warmup_steps = fmax(0, value);
}

void tv_lr_apply_total(struct tv_lr_model *model, double value)
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

static void try_rate(struct tv_lr_work *work)
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
    struct tv_lr_search search = {.apply = apply_rate,
                                  .low = 1.0 / 64,
                                  .high = 64,
                                  .is_log = true,
                                  .seeds = seeds,
                                  .seeds_len = len};
    double residual = tv_lr_try_search(work, TV_LR_RATE, &work->all, &search);
    if (work->found[0].is_exact || residual > TV_LR_HOPELESS)
        return;
    /* schedulers that are stepped when they are made are one step ahead */
    struct tv_lr_model ahead = tv_lr_promised(work);
    ahead.shift = 1;
    tv_lr_judge(work, &ahead, (struct tv_lr_verdict){.cause = TV_LR_RATE}, &work->all, &search);
}

static void try_warmup(struct tv_lr_work *work)
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
    tv_lr_try_search(work, TV_LR_WARMUP, &work->all, &search);
}

static void try_totals(struct tv_lr_work *work)
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
    struct tv_lr_search search = {.apply = tv_lr_apply_total,
                                  .low = fmax(1, total / 50),
                                  .high = total * 50,
                                  .is_log = true,
                                  .is_integer = true,
                                  .seeds = seeds,
                                  .seeds_len = len};
    tv_lr_try_search(work, TV_LR_TOTAL, &work->all, &search);
    search.apply = apply_total_ratio;
    if (work->input->promise->warmup_steps > 0)
        tv_lr_try_search(work, TV_LR_TOTAL_RATIO, &work->all, &search);
}

static void try_shapes(struct tv_lr_work *work)
{
    struct tv_lr_model model = tv_lr_promised(work);
    struct tv_lr_search search = {.apply = apply_floor, .low = 0, .high = 0.9};
    tv_lr_try_search(work, TV_LR_FLOOR, &work->all, &search);
    if (!strcmp(tv_schedule_name(&model.schedule), "constant"))
        tv_schedule_set_kind(&model.schedule, "constant_with_warmup");
    model.schedule.param[TV_P_WARM_SHAPE] = TV_SHAPE_LOG;
    model.schedule.warmup_steps = fmax(2, model.schedule.warmup_steps);
    if (work->input->promise->warmup_steps > 1)
        tv_lr_judge(work, &model, (struct tv_lr_verdict){.cause = TV_LR_LOG_WARMUP}, &work->all,
                    NULL);
}

#define PERIODS 64 /* optimizer steps between two scheduler steps that are tried one by one */

static void try_period(struct tv_lr_work *work, double length)
{
    struct tv_lr_model model = tv_lr_promised(work);
    struct tv_lr_verdict verdict = {.cause = TV_LR_PER_EPOCH, .value = length};
    apply_epoch(&model, length);
    model.stride = 1;
    tv_lr_judge(work, &model, verdict, &work->all, NULL);
    model.stride = length;
    tv_lr_judge(work, &model, verdict, &work->all, NULL);
}

/* The scheduler is stepped once an epoch: it counts epochs as if they were steps, or steps of an
 * epoch's length. */
static void try_per_epoch(struct tv_lr_work *work)
{
    double total = work->input->promise->total_steps;
    double length = (double)work->input->promise->steps_per_epoch;
    if (length > 1) {
        try_period(work, length);
        return;
    }
    for (int steps = 2; steps <= PERIODS; steps++)
        try_period(work, steps);
    for (int epochs = 1; isfinite(total) && epochs <= 32; epochs++)
        if (round(total / epochs) > PERIODS)
            try_period(work, round(total / epochs));
}

void tv_lr_try_counts(struct tv_lr_work *work)
{
    try_rate(work);
    try_warmup(work);
    try_totals(work);
    try_shapes(work);
    if (!work->fit_scale)
        try_per_epoch(work);
}
