/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_SETTING_H
#define DETECTORS_LIB_LR_SETTING_H
/* The settings of a learning-rate schedule by the names that trainers give them, separated by '|'.
 * KEYS are whole keys of transformers and its kin, the likeliest first; NAMES are last names in any
 * framework (tv_view_setting_named). */
#include "trainvet/run.h"

/* The first of these settings that the run has. */
bool tv_lr_setting(const struct tv_view *view, const char *keys, struct tv_setting *ret);

#define TV_LR_PEAK_KEYS         "learning_rate|lr"
#define TV_LR_KIND_KEYS         "lr_scheduler_type|lr_scheduler|scheduler"
#define TV_LR_WARMUP_KEYS       "warmup_steps|num_warmup_steps|lr_scheduler_warmup_steps|lr_warmup_steps"
#define TV_LR_RATIO_KEYS        "warmup_ratio|lr_scheduler_warmup_ratio"
#define TV_LR_ACCUMULATION_KEYS "gradient_accumulation_steps|accumulate_grad_batches"
#define TV_LR_WORLD_KEYS        "world_size|num_devices|num_processes"
#define TV_LR_EPOCHS_KEYS       "num_train_epochs|num_epochs|max_epochs"
#define TV_LR_TOTAL_KEYS                                                                           \
    "max_steps|training_steps|total_steps|num_training_steps|max_train_steps|lr_decay_iters|lr_"   \
    "decay_samples"
#define TV_LR_COUNTED_KEYS "trainer_state.max_steps|log.total_steps"

/* Of one parameter group: times the others' learning rate, and by itself. */
#define TV_LR_GROUP_FACTORS                                                                        \
    "loraplus_lr_ratio|embedding_lr_scale|lr_mult|lr_scale|head_lr_scale|backbone_lr_scale|"       \
    "backbone_multiplier|llrd|layer_decay|layerwise_lr_decay"
#define TV_LR_GROUP_RATES                                                                          \
    "embedding_lr|embedding_learning_rate|loraplus_lr_embedding|encoder_lr|decoder_lr|"            \
    "encoder_learning_rate|decoder_learning_rate|backbone_lr|head_lr|text_encoder_lr|unet_lr|"     \
    "mm_projector_lr|mm_vision_tower_lr|vision_lr|vision_tower_lr|merger_lr|projector_lr|"         \
    "transformer_lr|crf_learning_rate|lora_B_lr|muon_lr|adam_lr|learning_rate_B"
#define TV_LR_PEAK_NAMES                                                                           \
    "learning_rate|lr|warmup_max_lr|cycle_max_lr|max_lr|peak_value|init_value|lr0|eta_max"
#define TV_LR_KIND_NAMES                                                                           \
    "lr_scheduler_type|lr_scheduler|lr_decay_style|sched|decay_type|scheduler|_name|_CLASS_|name|" \
    "type|class_path|schedule"
#define TV_LR_WARMUP_NAMES                                                                         \
    "warmup_steps|num_warmup_steps|lr_warmup_steps|lr_scheduler_warmup_steps|warmup_ratio|"        \
    "lr_scheduler_warmup_ratio|warmup_num_steps|warmup_updates|lr_warmup_iters|"                   \
    "lr_warmup_fraction|lr_warmup_samples|t_warmup|warmup|warmup_fraction|warmup_epochs|"          \
    "warmup_iters|warmup_period|pct_start|phase_ratio"
#define TV_LR_TOTAL_NAMES                                                                          \
    "max_steps|num_training_steps|max_train_steps|training_steps|total_steps|num_train_epochs|"    \
    "num_epochs|max_epochs|epochs|total_num_steps|max_update|total_num_update|lr_decay_iters|"     \
    "train_iters|lr_decay_samples|train_samples|t_max|T_max|max_duration|value|decay_steps|"       \
    "steps|max_iters|total_iters|transition_steps|lr_period_updates|num_samples|num_examples"

#endif
