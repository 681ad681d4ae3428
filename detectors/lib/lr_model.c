/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_model.h"
#include <math.h>

#define GRID     160
#define SCREENED 12   /* points that first guesses are judged by */
#define SEARCHED 24   /* points that the best of them are */
#define VALLEYS  3    /* places where the best parameter is looked for */
#define GLANCES  8    /* steps of the search in each */
#define FAR      0.5  /* residual from which on it does not matter how large it is */
#define HOPELESS 0.25 /* residual of the best guess from which on nothing is looked for */
#define NEARBY   2    /* guesses on each side of a value that is nearly known */
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

/* Square of the unit that residuals are in, for all points together. */
static double unit_of(const struct tv_lr_model *model, const struct tv_lr_data *data)
{
    double highest = data->highest > 0 ? data->highest : model->schedule.peak;
    return (double)(data->len ? data->len : 1) * highest * highest;
}

double tv_lr_model_residual_below(const struct tv_lr_model *model, const struct tv_lr_data *data,
                                  double limit)
{
    double unit = unit_of(model, data), sum = 0, most = limit * limit * unit;
    for (size_t i = 0; i < data->len; i++) {
        double difference = tv_lr_model_at(model, data->at[i].step) - data->at[i].value;
        sum += difference * difference;
        if (!(sum <= most))
            return INFINITY;
    }
    return sqrt(sum / unit);
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
    bool is_whole; /* every residual is worked out to the end: two that are bad are compared */
};

/* The same as tv_lr_model_residual(), but for the last digits, and infinite as soon as it is four
 * times the best one, or far. */
static double quick_residual(const struct trial *trial)
{
    const struct tv_lr_data *data = trial->data;
    struct tv_lr_model *model = trial->model;
    double unit = unit_of(model, data);
    double limit = fmin(16 * trial->best * trial->best + 1e-6, FAR * FAR) * unit;
    double difference = 0, cross = 0, square = 0, logged = 0;
    model->scale = 1;
    for (size_t i = 0; i < data->len; i++) {
        double value = data->at[i].value, lr = tv_lr_model_at(model, data->at[i].step);
        difference += (lr - value) * (lr - value);
        if (!trial->fit_scale && !trial->is_whole && !(difference <= limit))
            return INFINITY;
        cross += lr * value;
        square += lr * lr;
        logged += value * value;
    }
    if (trial->fit_scale && square > 0 && cross > 0)
        difference = fmax(0, logged - cross * cross / square);
    double residual = sqrt(difference / unit);
    return isfinite(residual) ? residual : INFINITY;
}

static double attempt(struct trial *trial, double value)
{
    trial->search->apply(trial->model, value);
    double residual = quick_residual(trial);
    if (residual < trial->best) {
        trial->best = residual;
        trial->best_value = value;
    }
    return residual;
}

struct bracket {
    double low, high;
};

/* Golden section: the residual has one minimum between the neighbours of the best guess. */
static struct bracket narrow(struct trial *trial, struct bracket b, int steps)
{
    double least = trial->search->is_integer ? 0.4 : 1e-8 * fabs(b.high);
    double left = b.high - GOLDEN * (b.high - b.low), right = b.low + GOLDEN * (b.high - b.low);
    double at_left = attempt(trial, left), at_right = attempt(trial, right);
    for (int i = 0; i < steps && b.high - b.low > least; i++) {
        if (at_left <= at_right) {
            b.high = right;
            right = left;
            at_right = at_left;
            left = b.high - GOLDEN * (b.high - b.low);
            at_left = attempt(trial, left);
        } else {
            b.low = left;
            left = right;
            at_left = at_right;
            right = b.low + GOLDEN * (b.high - b.low);
            at_right = attempt(trial, right);
        }
    }
    return b;
}

static double guess(const struct tv_lr_search *search, int i)
{
    double part = (double)i / GRID;
    return search->is_log ? search->low * pow(search->high / search->low, part)
                          : search->low + (search->high - search->low) * part;
}

static int guess_at(const struct tv_lr_search *search, double value)
{
    double part = search->is_log ? log(value / search->low) / log(search->high / search->low)
                                 : (value - search->low) / (search->high - search->low);
    return (int)fmin(GRID, fmax(0, round(part * GRID)));
}

static bool is_valley(const double residual[GRID + 1], int i, int first, int last)
{
    return isfinite(residual[i]) && (i == first || residual[i] <= residual[i - 1]) &&
           (i == last || residual[i] <= residual[i + 1]);
}

/* Narrows around the best few of the first guesses that are lower than their neighbours, and to
 * the end around the best of these. */
static void explore(struct trial *trial, const struct tv_lr_data *thin)
{
    const struct tv_lr_search *search = trial->search;
    double residual[GRID + 1];
    int middle = search->near ? guess_at(search, *search->near) : 0;
    int first = search->near ? middle - NEARBY : 0, last = search->near ? middle + NEARBY : GRID;
    first = first < 0 ? 0 : first;
    last = last > GRID ? GRID : last;
    for (int i = first; i <= last; i++)
        residual[i] = attempt(trial, guess(search, i));
    trial->data = thin;
    if (trial->best > HOPELESS)
        return;
    trial->best = INFINITY;
    attempt(trial, trial->best_value);
    trial->is_whole = true;
    struct bracket best = {0, 0};
    for (int round = 0; round < VALLEYS; round++) {
        int lowest = -1;
        for (int i = first; i <= last; i++)
            if (is_valley(residual, i, first, last) &&
                (lowest < 0 || residual[i] < residual[lowest]))
                lowest = i;
        if (lowest < 0 || (round > 0 && residual[lowest] > 4 * trial->best + 0.01))
            break;
        double before = trial->best;
        struct bracket found =
            narrow(trial,
                   (struct bracket){guess(search, lowest > first ? lowest - 1 : first),
                                    guess(search, lowest < last ? lowest + 1 : last)},
                   GLANCES);
        if (round == 0 || trial->best < before)
            best = found;
        residual[lowest] = INFINITY;
    }
    if (best.high > best.low)
        narrow(trial, best, 40);
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

static struct tv_lr_data thinned(const struct tv_lr_data *data, size_t most)
{
    struct tv_lr_data thin = {.highest = data->highest};
    size_t every = (data->len + most - 1) / most;
    for (size_t i = every / 2; i < data->len; i += every)
        thin.at[thin.len++] = data->at[i];
    return thin;
}

double tv_lr_model_search(struct tv_lr_model *model, const struct tv_lr_data *data,
                          const struct tv_lr_search *search, bool fit_scale, double *ret_value)
{
    struct tv_lr_data thin = thinned(data, SEARCHED), few = thinned(data, SCREENED);
    struct trial trial = {model, &thin, search, fit_scale, search->low, INFINITY, false};
    double at_seed;
    double seed = best_seed(&trial, &at_seed);
    trial.data = &few;
    trial.best = INFINITY;
    explore(&trial, &thin);
    if (search->is_integer) {
        double best = trial.best_value;
        trial.best = INFINITY;
        attempt(&trial, floor(best));
        attempt(&trial, ceil(best));
    }
    *ret_value = isfinite(at_seed) && at_seed <= 1.5 * trial.best + 1e-12 ? seed : trial.best_value;
    search->apply(model, *ret_value);
    return tv_lr_model_residual(model, data, fit_scale);
}
