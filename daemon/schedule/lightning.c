/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lightning: how many steps it makes, when it steps a scheduler, and the hyperparameters that its
 * modules save. Source: src/lightning/pytorch/trainer/trainer.py (estimated_stepping_batches),
 * loops/fit_loop.py, loops/training_epoch_loop.py (update_lr_schedulers), 7f0c3436. */
#include "schedule/framework.h"
#include <string.h>

/* Batches of one process and epoch; NaN when nothing says it. */
static double batches_of(const struct tv_facts *facts)
{
    double batch = tv_get_number(facts, "data.init_args.batch_size|data.batch_size|batch_size");
    double devices = tv_get_number_or(facts, "trainer.devices", 1) *
                     tv_get_number_or(facts, "trainer.num_nodes", 1);
    double world = fmax(1, tv_get_number_or(facts, "world_size", devices));
    double samples = ceil(tv_get_number(facts, "num_samples") / world);
    double batches = tv_get_number(facts, "batches_per_epoch");
    const char *limit = tv_get_text(facts, "trainer.limit_train_batches");
    double most = tv_get_number(facts, "trainer.limit_train_batches");
    if (isnan(batches))
        batches = tv_get_true(facts, "data.init_args.drop_last|drop_last", false)
                      ? floor(samples / batch)
                      : ceil(samples / batch);
    if (isnan(most))
        return batches;
    if (strpbrk(limit, ".eE")) /* a float is a share */
        return trunc(batches * most);
    return isnan(batches) ? most : fmin(batches, most);
}

/* The last group of an epoch is a step whatever its size. */
static double epoch_length(const struct tv_facts *facts)
{
    double given = tv_get_number(facts, "steps_per_epoch|log.steps_per_epoch");
    double accumulate = tv_get_number_or(facts, "trainer.accumulate_grad_batches", 1);
    return isnan(given) ? ceil(batches_of(facts) / accumulate) : given;
}

/* It ends with max_steps or max_epochs, whichever comes first; -1 is no limit, and without either
 * it makes 1000 epochs. NaN when neither says it in steps. */
static double planned_steps(const struct tv_facts *facts, double length)
{
    double steps = tv_get_number(facts, "max_steps|trainer.max_steps");
    double epochs = tv_get_number_or(facts, "trainer.max_epochs", steps >= 0 ? -1 : 1000);
    double total = fmin(steps >= 0 ? steps : NAN, epochs >= 0 ? fmax(1, epochs) * length : NAN);
    return isnan(total) ? tv_get_number(facts, "log.total_steps") : total;
}

/* A scheduler steps where the optimizer has, when the batches of the epoch so far are a multiple of
 * the frequency. NaN where that is not every so many steps. */
static double steps_between(const struct tv_facts *facts, double frequency, double length)
{
    double accumulate = tv_get_number_or(facts, "trainer.accumulate_grad_batches", 1);
    double together = frequency, batches = batches_of(facts);
    for (int i = 1; fmod(together, accumulate) != 0; i++, together += frequency)
        if (i == 1000)
            return NAN;
    double every = together / accumulate;
    if (isnan(batches))
        return every == 1 || isnan(length) || fmod(length, every) == 0 ? every : NAN;
    bool last_too = fmod(batches, frequency) == 0; /* of an epoch, with the batches that are left */
    bool is_even =
        every == 1 ? last_too || fmod(batches, together) == 0 : fmod(batches, together) == 0;
    return is_even ? every : NAN;
}

enum tv_status tv_lightning_steps(const struct tv_facts *facts, struct tv_schedule *s,
                                  struct tv_error *reterr)
{
    const char *interval = tv_get_text(facts, "lr_scheduler.interval");
    double frequency = fmax(1, tv_get_number_or(facts, "lr_scheduler.frequency", 1));
    double length = epoch_length(facts);
    bool by_step = interval && !strcmp(interval, "step");
    s->total_steps = planned_steps(facts, length);
    if (length >= 1 && length < 1e15)
        s->steps_per_epoch = (int64_t)length;
    if (tv_schedule_follows_metric(s))
        return TV_OK;
    if (!by_step && !(length >= 1))
        return tv_fail(
            reterr, TV_AGAIN,
            "Lightning makes a scheduler step each epoch, and the length of an epoch is not known "
            "(--set steps_per_epoch=N)");
    double every = by_step ? steps_between(facts, frequency, length) : length * frequency;
    if (isnan(every))
        return tv_fail(reterr, TV_EUNSUPPORTED,
                       "a scheduler's frequency that is no divisor of an epoch's length (%.0f "
                       "steps) is not known",
                       length);
    if (every > 1) {
        s->param[TV_P_EVERY] = every;
        s->warmup_steps *= every;
    }
    tv_schedule_note(s, "Lightning makes a scheduler step each %s%.0f steps",
                     by_step ? "" : "epoch of ", by_step ? every : length);
    return TV_OK;
}

/* Hyperparameters that a LightningModule saved: the keys are its author's. LearningRateMonitor logs
 * the value for the coming batch under the number of steps done. */
static enum tv_status resolve_lightning(const struct tv_facts *facts, struct tv_schedule *ret,
                                        struct tv_error *reterr)
{
    const char *name = tv_get_text(facts, "lr_scheduler|scheduler|lr_scheduler_type");
    ret->peak = tv_get_number(facts, "lr|learning_rate");
    ret->total_steps =
        tv_get_number(facts, "max_steps|total_steps|num_training_steps|log.total_steps");
    ret->warmup_steps = tv_get_number_or(facts, "warmup_steps|num_warmup_steps", 0);
    double ratio = tv_get_number(facts, "warmup_ratio");
    if (!tv_has(facts, "warmup_steps|num_warmup_steps") && ratio > 0)
        ret->warmup_steps = ceil(ret->total_steps * ratio);
    if (!name)
        return tv_fail(reterr, TV_AGAIN,
                       "the hyperparameters do not name a learning-rate scheduler");
    if (tv_schedule_start(ret, "transformers", name, reterr) != TV_OK)
        return TV_EUNSUPPORTED; /* the project's own */
    tv_set(ret, TV_P_CYCLES, tv_get_number(facts, "num_cycles"));
    tv_set(ret, TV_P_POWER, tv_get_number(facts, "power"));
    tv_set(ret, TV_P_FLOOR, tv_get_number(facts, "lr_end|min_lr|eta_min"));
    tv_set(ret, TV_P_FLOOR_RATIO, tv_get_number(facts, "min_lr_rate|min_lr_ratio"));
    tv_schedule_note(ret, "the scheduler named %s is taken for that of transformers", name);
    return tv_schedule_complete(ret, reterr);
}

static bool owns_lightning(const struct tv_facts *facts)
{
    return tv_has(facts, "lr") && !tv_has(facts, "learning_rate") &&
           tv_has(facts, "lr_scheduler|scheduler|lr_scheduler_type");
}

const struct tv_framework tv_framework_lightning = {"lightning", owns_lightning, resolve_lightning};
