/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_RESOLVE_H
#define SCHEDULE_RESOLVE_H
/* From configuration facts to the schedule that they promise. */
#include "model/facts.h"
#include "trainvet/error.h"
#include "trainvet/schedule.h"

/* Resolves with the rules of the framework that wrote the facts: the one that the fact "framework"
 * names if its keys are there, else the one whose keys are. Steps that the trainer counted itself
 * (facts "log.total_steps", "log.steps_per_epoch") complete what the configuration leaves open;
 * what was assumed stands in ret->notes.
 * - TV_OK: *ret is complete (kind, peak, and total steps where the kind needs them)
 * - TV_AGAIN: something is missing; *ret holds what is known (kind may be NULL, peak or total NaN)
 * and *reterr names what is missing
 * - TV_ECONFIG: the framework itself rejects this configuration, or the run dies of it; *reterr
 * gives the reason
 * - TV_EUNSUPPORTED: a scheduler or an option that we do not know
 * - TV_ELIMIT: more milestones or schedulers than a struct tv_schedule holds */
enum tv_status tv_schedule_resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                                   struct tv_error *reterr);

/* The same by the rules of this framework, whose name is one of ours. */
enum tv_status tv_schedule_resolve_as(const struct tv_facts *facts, const char *framework,
                                      struct tv_schedule *ret, struct tv_error *reterr);

/* The name that we use for the framework that a person wrote ("OLMo-core", "hf"); NULL: none. */
const char *tv_framework_name(const char *written);

#endif
