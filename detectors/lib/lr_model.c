/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_model.h"
#include <math.h>

#define GRID     160
#define SEARCHED 24 /* points */
#define VALLEYS  3  /* places where the best parameter is looked for */
#define GOLDEN   0.6180339887498949

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
    if (model->rate < 1)
        n = floor(n);
    if (model->epoch > 0)
        n = floor(n / model->epoch) * model->stride;
    const struct tv_schedule *schedule = &model->schedule;
    double lr = tv_schedule_lr(schedule, n);
    if (model->floor > 0 && n >= schedule->warmup_steps)
        lr = lr * (1 - model->floor) + schedule->peak * model->floor;
    return model->scale * lr;
}

/* Least squares; a factor that is nearly a plain number is that number: the difference is printing.
 */
static double best_scale(struct tv_lr_model *model, const struct tv_lr_data *data)
{
    double cross = 0, square = 0;
    model->scale = 1;
    for (size_t i = 0; i < data->len; i++) {
        double lr = tv_lr_model_at(model, data->at[i].step);
        cross += lr * data->at[i].value;
        square += lr * lr;
    }
    if (!(square > 0 && cross > 0))
        return 1;
    double scale = cross / square, unit = pow(10, floor(log10(scale)) - 2);
    double plain = round(scale / unit) * unit;
    return fabs(plain - scale) < 2e-4 * scale ? plain : scale;
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
    for (int i = 0; i < 48 && high - low > 1e-8 * fabs(high); i++) {
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

static double guess(const struct tv_lr_search *search, int i)
{
    double part = (double)i / GRID;
    return search->is_log ? search->low * pow(search->high / search->low, part)
                          : search->low + (search->high - search->low) * part;
}

/* Narrows around the best few of the first guesses that are lower than their neighbours. */
static void explore(struct trial *trial)
{
    double residual[GRID + 1];
    for (int i = 0; i <= GRID; i++)
        residual[i] = attempt(trial, guess(trial->search, i));
    for (int round = 0; round < VALLEYS; round++) {
        int lowest = -1;
        for (int i = 0; i <= GRID; i++) {
            bool is_valley = (i == 0 || residual[i] <= residual[i - 1]) &&
                             (i == GRID || residual[i] <= residual[i + 1]);
            if (is_valley && isfinite(residual[i]) &&
                (lowest < 0 || residual[i] < residual[lowest]))
                lowest = i;
        }
        if (lowest < 0 || (round > 0 && residual[lowest] > 4 * trial->best + 0.01))
            return;
        narrow(trial, guess(trial->search, lowest > 0 ? lowest - 1 : 0),
               guess(trial->search, lowest < GRID ? lowest + 1 : GRID));
        residual[lowest] = INFINITY;
    }
}

/* The best of the numbers that mean something; NaN when there is none in range. */
static double best_seed(struct trial *trial, double *ret_residual)
{
    const struct tv_lr_search *search = trial->search;
    double seed = NAN;
    *ret_residual = INFINITY;
    for (size_t i = 0; i < search->seeds_len; i++) {
        if (!(search->seeds[i] >= search->low && search->seeds[i] <= search->high))
            continue;
        double residual = attempt(trial, search->seeds[i]);
        if (residual < *ret_residual) {
            *ret_residual = residual;
            seed = search->seeds[i];
        }
    }
    return seed;
}

/* Enough points to search by: a third of the time. */
static struct tv_lr_data thinned(const struct tv_lr_data *data)
{
    struct tv_lr_data thin = {.highest = data->highest};
    size_t every = (data->len + SEARCHED - 1) / SEARCHED;
    for (size_t i = 0; i < data->len; i += every)
        thin.at[thin.len++] = data->at[i];
    return thin;
}

double tv_lr_model_search(struct tv_lr_model *model, const struct tv_lr_data *data,
                          const struct tv_lr_search *search, bool fit_scale, double *ret_value)
{
    struct tv_lr_data thin = thinned(data);
    struct trial trial = {model, &thin, search, fit_scale, search->low, INFINITY};
    double at_seed;
    double seed = best_seed(&trial, &at_seed);
    explore(&trial);
    if (search->is_integer) {
        double best = trial.best_value;
        trial.best = INFINITY;
        attempt(&trial, floor(best));
        attempt(&trial, ceil(best));
    }
    *ret_value = at_seed <= 1.5 * trial.best + 1e-12 ? seed : trial.best_value;
    search->apply(model, *ret_value);
    return tv_lr_model_residual(model, data, fit_scale);
}
