/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_TEXT_H
#define DETECTORS_LIB_LR_TEXT_H
/* A verdict about the learning rate in the user's words. */
#include "lib/lr_cause.h"
#include "lib/note.h"

/* The first of these settings that the run has; names are separated by '|'. */
bool tv_lr_setting(const struct tv_view *view, const char *names, struct tv_setting *ret);

/* What a verdict's value is, for the evidence: "factor". Static. */
const char *tv_lr_value_name(const struct tv_lr_verdict *verdict);

/* What is wrong and since when (one sentence), why, and what to change. No verdict: says that
 * nothing fits. */
void tv_lr_tell(struct tv_note *note, const struct tv_view *view, const struct tv_lr_case *input,
                const struct tv_lr_verdict *verdicts, size_t len);

/* Settings by all the names that trainers give them. */
#define TV_LR_PEAK_KEYS         "learning_rate|lr"
#define TV_LR_KIND_KEYS         "lr_scheduler_type|lr_scheduler|scheduler"
#define TV_LR_WARMUP_KEYS       "warmup_steps|num_warmup_steps|lr_scheduler_warmup_steps|lr_warmup_steps"
#define TV_LR_RATIO_KEYS        "warmup_ratio|lr_scheduler_warmup_ratio"
#define TV_LR_ACCUMULATION_KEYS "gradient_accumulation_steps|accumulate_grad_batches"
#define TV_LR_WORLD_KEYS        "world_size|num_devices|num_processes"
#define TV_LR_EPOCHS_KEYS       "num_train_epochs|num_epochs|max_epochs"
#define TV_LR_TOTAL_KEYS        "max_steps|training_steps|total_steps|num_training_steps|max_train_steps"
#define TV_LR_GROUP_KEYS        "loraplus_lr_ratio|embedding_lr_scale|lr_mult"
#define TV_LR_COUNTED_KEYS      "trainer_state.max_steps|log.total_steps"

#endif
