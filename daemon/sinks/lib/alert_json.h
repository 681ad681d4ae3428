/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_ALERT_JSON_H
#define SINKS_LIB_ALERT_JSON_H
/* The JSON objects of schema_version 1: the same for --format json, sinks and the API. Keys are
 * added, never renamed. */
#include "base/json.h"
#include "trainvet/sink.h"

void tv_alert_json(struct tv_json *json, const struct tv_alert *alert);
void tv_run_json(struct tv_json *json, const struct tv_run_report *run);

#endif
