/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_EVENT_FACTS_H
#define PARSERS_LIB_EVENT_FACTS_H
/* Configuration that trainers put into event files. */
#include "trainvet/error.h"
#include "trainvet/sample.h"

/* A text summary:
 *   args/text_summary           transformers' TrainingArguments as JSON
 * (integrations/integration_utils.py, TensorBoardCallback): facts under their own names
 *   <name>/text_summary         a JSON object, model_config for one: facts "<name>.key"
 *   <name>/text_summary         one short line: a fact <name>, as Megatron writes each argument
 *                               (NVIDIA/Megatron-LM: megatron/training/global_vars.py); only when
 * Anything else is prose and says nothing. An error: args is not the JSON object that it should be.
 */
enum tv_status tv_event_text_facts(struct tv_span tag, struct tv_span text, bool may_be_argument,
                                   const struct tv_emit *out, struct tv_error *reterr);

/* A serialised HParamsPluginData: the hyperparameters of its session_start_info, when it has one.
 */
enum tv_status tv_event_hparams_facts(struct tv_span content, const struct tv_emit *out,
                                      struct tv_error *reterr);

#endif
