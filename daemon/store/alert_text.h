/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STORE_ALERT_TEXT_H
#define STORE_ALERT_TEXT_H
/* An alert as its JSON object and back, so that a delivery that is owed survives a restart. */
#include "base/memory.h"
#include "trainvet/alert.h"
#include <stdbool.h>

/* Reads what tv_alert_json() wrote; texts go into the arena. False when it is no alert object.
 * `leader` is NULL. */
bool tv_alert_from_json(const char *text, struct tv_arena *arena, struct tv_alert *ret);

#endif
