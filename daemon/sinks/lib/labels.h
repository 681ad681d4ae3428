/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_LABELS_H
#define SINKS_LIB_LABELS_H
/* An alert as Prometheus and Alertmanager know it: labels that never change while it fires, and
 * annotations that may. */
#include "base/clock.h"
#include "base/json.h"
#include "trainvet/alert.h"
#include "trainvet/error.h"

/* `added` is "name=value,name=value". TV_ECONFIG unless each name is a label name of Prometheus
 * ([a-zA-Z_][a-zA-Z0-9_]*), none of ours, and none comes twice. */
enum tv_status tv_labels_check(const char *added, struct tv_error *reterr);

/* The object "labels": alertname "trainvet_<detector>", run, root (where there is one), detector,
 * subject, severity, instance (the host's name when `instance` is ""), and those added. `key` as
 * for tv_json_open(). */
void tv_labels_json(struct tv_json *json, const char *key, const struct tv_alert *alert,
                    const char *instance, const char *added);
/* summary, description, advice. */
void tv_annotations_json(struct tv_json *json, const char *key, const struct tv_alert *alert);

/* When it began, never behind `now`: the alert's time as RFC 3339, `now` when it has none. */
const char *tv_starts_at(char buffer[32], const struct tv_alert *alert, double now);

#endif
