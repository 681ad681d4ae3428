/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_model.h"
#include <math.h>

#define GRID   160
#define GOLDEN 0.6180339887498949

void tv_lr_model_init(struct tv_lr_model *model, const struct tv_schedule *promise, double delay)
{
    *model = (struct tv_lr_model){.promise = promise,
                                  .schedule = *promise,
                                  .delay = delay,
                                  .scale = 1,
                                  .rate = 1,
                                  .value = NAN};
}

double tv_lr_model_at(const struct tv_lr_model *model, int64_t step)
{
    if (!isnan(model->value))
        return model->value;
    double n = fmax(0, ((double)step - model->delay) * model->rate + model->shift);
    if (model->epoch > 0)
        n = floor(n / model->epoch) * model->stride;
    const struct tv_schedule *schedule = &model->schedule;
    double lr = tv_schedule_lr(schedule, n);
    if (model->floor > 0 && n >= schedule->warmup_steps)
        lr = lr * (1 - model->floor) + schedule->peak * model->floor;
    return model->scale * lr;
}

static double best_scale(struct tv_lr_model *model, const struct tv_lr_data *data)
{
    double cross = 0, square = 0;
    model->scale = 1;
    for (size_t i = 0; i < data->len; i++) {
        double lr = tv_lr_model_at(model, data->at[i].step);
        cross += lr * data->at[i].value;
        square += lr * lr;
    }
    return square > 0 && cross > 0 ? cross / square : 1;
}

double tv_lr_model_residual(struct tv_lr_model *model, const struct tv_lr_data *data,
                            bool fit_scale)
{
    if (fit_scale)
        model->scale = best_scale(model, data);
    double sum = 0;
    for (size_t i = 0; i < data->len; i++) {
        double difference = tv_lr_model_at(model, data->at[i].step) - data->at[i].value;
        sum += difference * difference;
    }
    double scale = data->highest > 0 ? data->highest : model->schedule.peak;
    double residual = sqrt(sum / (double)(data->len ? data->len : 1)) / fabs(scale);
    return isfinite(residual) ? residual : INFINITY;
}

bool tv_lr_model_is_exact(const struct tv_lr_model *model, const struct tv_lr_data *data)
{
    for (size_t i = 0; i < data->len; i++)
        if (!(fabs(tv_lr_model_at(model, data->at[i].step) - data->at[i].value) <= data->exact[i]))
            return false;
    return data->len > 0;
}

struct trial {
    struct tv_lr_model *model;
    const struct tv_lr_data *data;
    const struct tv_lr_search *search;
    bool fit_scale;
    double best_value, best;
};

static double attempt(struct trial *trial, double value)
{
    trial->search->apply(trial->model, value);
    double residual = tv_lr_model_residual(trial->model, trial->data, trial->fit_scale);
    if (residual < trial->best) {
        trial->best = residual;
        trial->best_value = value;
    }
    return residual;
}

/* Golden section: the residual has one minimum between the neighbours of the best guess. */
static void narrow(struct trial *trial, double low, double high)
{
    double left = high - GOLDEN * (high - low), right = low + GOLDEN * (high - low);
    double at_left = attempt(trial, left), at_right = attempt(trial, right);
    for (int i = 0; i < 60 && high - low > 1e-9 * fabs(high); i++) {
        if (at_left <= at_right) {
            high = right;
            right = left;
            at_right = at_left;
            left = high - GOLDEN * (high - low);
            at_left = attempt(trial, left);
        } else {
            low = left;
            left = right;
            at_left = at_right;
            right = low + GOLDEN * (high - low);
            at_right = attempt(trial, right);
        }
    }
}

double tv_lr_model_search(struct tv_lr_model *model, const struct tv_lr_data *data,
                          const struct tv_lr_search *search, bool fit_scale, double *ret_value)
{
    struct trial trial = {model, data, search, fit_scale, search->low, INFINITY};
    double ratio = search->is_log ? pow(search->high / search->low, 1.0 / GRID) : 0;
    double gap = (search->high - search->low) / GRID;
    for (int i = 0; i <= GRID; i++)
        attempt(&trial, search->is_log ? search->low * pow(ratio, i) : search->low + gap * i);
    for (size_t i = 0; i < search->seeds_len; i++)
        if (search->seeds[i] >= search->low && search->seeds[i] <= search->high)
            attempt(&trial, search->seeds[i]);
    double at = trial.best_value;
    narrow(&trial, search->is_log ? at / ratio : at - gap, search->is_log ? at * ratio : at + gap);
    if (search->is_integer) {
        double best = trial.best_value;
        trial.best = INFINITY;
        attempt(&trial, floor(best));
        attempt(&trial, ceil(best));
    }
    *ret_value = trial.best_value;
    return attempt(&trial, trial.best_value);
}
