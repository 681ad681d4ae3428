/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_STEPS_H
#define SCHEDULE_STEPS_H
/* How the transformers Trainer gets from samples to optimizer steps, with every number on the way,
 * so that it can be shown. Source: trainer.py and training_args.py of v4.0.0 to v5.15.0,
 * accelerate's BatchSamplerShard. */
#include "model/facts.h"
#include "trainvet/error.h"

/* The versions of transformers that the facts leave possible; both ends inclusive,
 * schedule/version.h. */
struct tv_versions {
    int low, high;
};
enum tv_answer { TV_NO, TV_YES, TV_MAYBE };
/* Whether the trainer is of this version or newer. */
enum tv_answer tv_since(struct tv_versions versions, int version);
/* From the version itself, or from which settings the trainer wrote down. */
struct tv_versions tv_transformers_versions(const struct tv_facts *facts);

/* Settings that are not known are NaN. */
struct tv_steps {
    struct tv_versions versions;
    double samples, batch, gpus, accumulation, world, epochs;
    bool drop_last;
    double max_steps;                  /* as configured */
    double warmup_steps, warmup_ratio; /* as configured */

    double len_dataloader;  /* micro-batches a process and epoch */
    double steps_per_epoch; /* optimizer steps */
    double total;
    double warmup;
    const char *total_from;  /* the setting that decided: "max_steps", "num_train_epochs",
                                "log.total_steps" */
    const char *warmup_from; /* "warmup_steps", "warmup_ratio", "default" */
    bool rounding_assumed; /* the last partial accumulation group counts as a step: true since 4.52
                              only */
};

/* TV_AGAIN: the total is not determined (total and warmup NaN, *reterr says what is missing).
 * TV_ECONFIG: the Trainer rejects these settings. */
enum tv_status tv_steps_resolve(const struct tv_facts *facts, struct tv_steps *ret,
                                struct tv_error *reterr);

#endif
