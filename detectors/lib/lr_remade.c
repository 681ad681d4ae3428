/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Would the configuration explain the log if one of its settings had another value? The framework's
 * own rules say what follows from that: which is right for every framework, and names the setting
 * in the user's words. */
#include "lib/lr_setting.h"
#include "lib/lr_work.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <string.h>

#define SETTINGS 3    /* of one meaning that are tried */
#define POINTS   16   /* that a value is judged by first */
#define HOPELESS 0.25 /* residual of the best first guess from which on nothing is looked for */
#define FAR      0.5  /* the same of a few guesses before there are more between them */
#define GUESSES  33   /* between 1/SPAN and SPAN times the value */
#define COARSE   4    /* every so many of these are the few */
#define SPAN     20.0

struct remake {
    struct tv_lr_work *work;
    struct tv_lr_data few;
    const char *key;          /* kept by the engine */
    double number;            /* as it stands */
    bool is_count, is_none;   /* none: it stands at 0, and 1 is taken for it */
    struct tv_lr_model model; /* with the value that was tried last */
    double best, best_factor;
};

static bool apply_text(struct remake *remake, const char *value)
{
    struct tv_lr_model *model = &remake->model;
    model->scale = 1;
    return tv_view_schedule_if(remake->work->input->view, remake->key, value, &model->schedule);
}

static bool apply_factor(struct remake *remake, double factor)
{
    char text[TV_NUMBER_MAX];
    double value = remake->number * factor;
    tv_format_double(text, remake->is_count ? round(value) : value);
    return apply_text(remake, text);
}

static double attempt(struct remake *remake, double factor)
{
    if (!apply_factor(remake, factor))
        return INFINITY;
    const struct tv_lr_fit *fit = &remake->work->input->fit;
    const double delays[] = {(double)(fit->offset + fit->lag), 1, 0};
    double residual = INFINITY;
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        remake->model.delay = delays[i];
        residual = fmin(residual, tv_lr_model_residual_below(&remake->model, &remake->few,
                                                             fmin(remake->best, residual)));
    }
    if (residual < remake->best) {
        remake->best = residual;
        remake->best_factor = factor;
    }
    return residual;
}

static struct tv_lr_data thinned(const struct tv_lr_data *data)
{
    struct tv_lr_data few = {.highest = data->highest};
    size_t every = (data->len + POINTS - 1) / POINTS;
    for (size_t i = every / 2; i < data->len; i += every)
        few.at[few.len++] = data->at[i];
    return few;
}

/* Golden section in the logarithm of the factor. */
static void narrow(struct remake *remake, double low, double high)
{
    const double golden = 0.6180339887498949;
    double left = high - golden * (high - low), right = low + golden * (high - low);
    double at_left = attempt(remake, exp(left)), at_right = attempt(remake, exp(right));
    double least = remake->is_count ? 0.3 / (remake->number * remake->best_factor + 1) : 1e-8;
    for (int i = 0; i < 40 && high - low > least; i++) {
        if (at_left <= at_right) {
            high = right;
            right = left;
            at_right = at_left;
            left = high - golden * (high - low);
            at_left = attempt(remake, exp(left));
        } else {
            low = left;
            left = right;
            at_left = at_right;
            right = low + golden * (high - low);
            at_right = attempt(remake, exp(right));
        }
    }
}

/* Numbers that mean something, then all. */
static void search(struct remake *remake, bool may_be_none)
{
    double accumulation = fmax(1, remake->work->input->accumulation),
           world = fmax(1, remake->work->input->world_size);
    const double meant[] = {
        accumulation, world, accumulation * world, 1 / accumulation, 1 / world, 2, 0.5};
    remake->best = INFINITY;
    for (size_t i = 0; i < sizeof meant / sizeof *meant; i++)
        if (meant[i] != 1)
            attempt(remake, meant[i]);
    if (may_be_none)
        attempt(remake, 0);
    if (remake->best < 1e-6)
        return;
    double low = log(1 / SPAN), high = log(SPAN);
    if (remake->is_none) {
        low = 0;
        high = log((double)remake->few.at[remake->few.len - 1].step + 1);
    }
    const double step = (high - low) / (GUESSES - 1);
    for (int i = 0; i < GUESSES; i += COARSE)
        attempt(remake, exp(low + i * step));
    for (int i = 0; i < GUESSES && remake->best < FAR; i++)
        if (i % COARSE)
            attempt(remake, exp(low + i * step));
    if (remake->best < HOPELESS && remake->best_factor > 0)
        narrow(remake, log(remake->best_factor) - step, log(remake->best_factor) + step);
}

/* Tells the framework's schedule for the value that was applied, as it would be logged. */
static void judge(struct remake *remake, struct tv_lr_verdict verdict)
{
    verdict.setting = remake->key;
    tv_lr_judge(remake->work, &remake->model, verdict, &remake->work->all, NULL);
}

/* What the number is called in the log's units: steps, where the schedule has such. */
static void number_of(const struct remake *remake, struct tv_lr_verdict *verdict)
{
    const struct tv_schedule *now = &remake->model.schedule, *before = remake->work->input->promise;
    verdict->value = remake->number * remake->best_factor;
    verdict->promised = remake->is_none ? 0 : remake->number;
    if (remake->is_count)
        verdict->value = round(verdict->value);
    verdict->set_to = verdict->value;
    if (verdict->cause == TV_LR_SCALED)
        verdict->value = remake->best_factor;
    if (verdict->cause == TV_LR_WARMUP && now->warmup_steps != before->warmup_steps) {
        verdict->value = now->warmup_steps;
        verdict->promised = before->warmup_steps;
    }
    if (verdict->cause == TV_LR_TOTAL && now->total_steps != before->total_steps) {
        verdict->value = now->total_steps;
        verdict->promised = before->total_steps;
    }
}

static bool begin(struct remake *remake, struct tv_lr_work *work, const char *names, size_t index,
                  struct tv_setting *setting)
{
    if (!tv_view_setting_named(work->input->view, names, index, setting))
        return false;
    remake->work = work;
    remake->model = tv_lr_promised(work);
    remake->few = thinned(&work->all);
    remake->key = setting->key;
    remake->is_none = setting->number == 0;
    remake->number = remake->is_none ? 1 : setting->number;
    remake->is_count =
        remake->is_none || (setting->number == floor(setting->number) && setting->number > 1);
    return true;
}

static void try_number(struct tv_lr_work *work, enum tv_lr_cause cause, const char *names)
{
    const struct tv_schedule *promise = work->input->promise;
    struct remake remake;
    struct tv_setting setting;
    for (size_t i = 0; i < SETTINGS && begin(&remake, work, names, i, &setting); i++) {
        if (!(remake.number > 0) || (remake.is_none && cause != TV_LR_WARMUP) ||
            !apply_factor(&remake, 2))
            continue;
        /* both were zeroed before they were filled */
        bool has_effect =
            memcmp(&remake.model.schedule, promise, sizeof *promise) != 0; /* NOLINT */
        if (!has_effect)
            continue;
        search(&remake, cause == TV_LR_WARMUP);
        if (remake.best < HOPELESS && apply_factor(&remake, remake.best_factor)) {
            struct tv_lr_verdict verdict = {.cause = cause};
            number_of(&remake, &verdict);
            judge(&remake, verdict);
        }
    }
}

/* The framework's schedulers by the setting that names one. */
static void try_names(struct tv_lr_work *work)
{
    const struct tv_schedule *promise = work->input->promise;
    const char *framework = promise->framework ? promise->framework : "transformers", *name;
    if (!tv_schedule_kind_name(framework, 0))
        framework = "transformers";
    struct remake remake;
    struct tv_setting setting;
    for (size_t s = 0; s < SETTINGS && begin(&remake, work, TV_LR_KIND_NAMES, s, &setting); s++)
        for (size_t i = 0; (name = tv_schedule_kind_name(framework, i)); i++)
            if (strcmp(name, tv_schedule_name(promise)) != 0 && apply_text(&remake, name))
                judge(&remake,
                      (struct tv_lr_verdict){.cause = TV_LR_KIND, .kind = name, .value = NAN});
}

static void try_shape(struct tv_lr_work *work, enum tv_lr_cause cause, const char *names,
                      const char *value)
{
    struct remake remake;
    struct tv_setting setting;
    if (begin(&remake, work, names, 0, &setting) && strcmp(setting.value, value) != 0 &&
        apply_text(&remake, value))
        judge(&remake, (struct tv_lr_verdict){.cause = cause, .kind = value, .value = NAN});
}

void tv_lr_try_settings(struct tv_lr_work *work)
{
    try_shape(work, TV_LR_LOG_WARMUP, "warmup_type", "log");
    try_names(work);
    try_number(work, TV_LR_SCALED, TV_LR_PEAK_NAMES);
    try_number(work, TV_LR_WARMUP, TV_LR_WARMUP_NAMES);
    try_number(work, TV_LR_TOTAL, TV_LR_TOTAL_NAMES);
}
