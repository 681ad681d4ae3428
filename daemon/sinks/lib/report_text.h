/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_REPORT_TEXT_H
#define SINKS_LIB_REPORT_TEXT_H
/* What reports for people say of runs and alerts, whatever they look like. All return `buffer`, cut
 * where it is full. */
#include "trainvet/sink.h"
#include <stddef.h>

/* "2 findings, step 500/500, loss 3.672, eval 4.286". */
const char *tv_run_facts_text(char *buffer, size_t cap, const struct tv_run_report *report);
/* "step 225, noticed at step 235, over at step 300 (train/loss)". */
const char *tv_alert_when(char *buffer, size_t cap, const struct tv_alert *alert);
/* "observed 0.6, expected 0.006, factor 100"; "" when there are none. */
const char *tv_alert_numbers(char *buffer, size_t cap, const struct tv_alert *alert);

#endif
