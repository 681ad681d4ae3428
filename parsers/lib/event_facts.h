/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_EVENT_FACTS_H
#define PARSERS_LIB_EVENT_FACTS_H
/* Configuration that trainers put into event files. */
#include "trainvet/error.h"
#include "trainvet/sample.h"

/* A text summary, by its tag and what it holds:
 *   args/text_summary, JSON       transformers' TrainingArguments
 * (integrations/integration_utils.py, TensorBoardCallback): facts under their own names
 *   NAME/text_summary, JSON       model_config for one: facts "NAME.key"
 *   NAME/text_summary, one line   a fact NAME, as Megatron writes each of its arguments
 *                                 (NVIDIA/Megatron-LM: megatron/training/global_vars.py); only when
 *                                 `may_be_argument`
 * Anything else is prose and says nothing. An error: args is not the JSON object that it should
 * be. */
enum tv_status tv_event_text_facts(struct tv_span tag, struct tv_span text, bool may_be_argument,
                                   const struct tv_emit *out, struct tv_error *reterr);

/* A serialised HParamsPluginData: the hyperparameters of its session_start_info, if any. */
enum tv_status tv_event_hparams_facts(struct tv_span content, const struct tv_emit *out,
                                      struct tv_error *reterr);

#endif
