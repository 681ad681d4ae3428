/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_PROMISE_H
#define DETECTORS_LIB_LR_PROMISE_H
/* What the configuration promises of the learning rate, and how surely. */
#include "lib/lr_fit.h"
#include "trainvet/run.h"

/* Of transformers and its kin. */
bool tv_lr_promise_is_hf(const struct tv_schedule *promise);
/* Why there is nothing that a log can be held against (promise NULL: none was worked out); NULL:
 * there is. */
const char *tv_lr_promise_why_none(const struct tv_view *view, const struct tv_schedule *promise);
/* It depends on a metric, and how is known. */
bool tv_lr_promise_follows(const struct tv_view *view, const struct tv_schedule *promise);
/* A scheduler that is named after its minimum, and no setting says which: any minimum keeps the
 * promise, none does not. transformers itself refuses to start like that. */
bool tv_lr_promise_minimum_is_open(const struct tv_view *view, const struct tv_schedule *promise);
/* The warm-up is given as a share of the steps. */
bool tv_lr_promise_warmup_is_ratio(const struct tv_view *view);
/* The first of these settings as a number, `otherwise` when there is none. */
double tv_lr_promise_number(const struct tv_view *view, const char *names, double otherwise);

/* Sets how surely the total is known. *ret_rough: what of that does not shrink with the epochs. */
void tv_lr_promise_tolerate(const struct tv_view *view, const struct tv_schedule *promise,
                            struct tv_lr_tolerance *tolerance, double *ret_rough);
/* A total that was worked out from logged epochs is as rough as they are: trainers of before 4.40
 * round them to two decimals, and an epoch's last partial group of micro-batches may or may not be
 * a step. */
void tv_lr_promise_narrow(const struct tv_view *view, struct tv_lr_tolerance *tolerance,
                          double rough);

#endif
