/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_LOOKUP_H
#define SCHEDULE_LOOKUP_H
/* Reading settings out of facts, as resolvers do it. `keys` is one key or several joined by '|':
 * the first that is there and not null is used. */
#include "model/facts.h"
#include "trainvet/schedule.h"

/* NaN when absent or no number ("auto", "None"). */
double tv_get_number(const struct tv_facts *facts, const char *keys);
double tv_get_number_or(const struct tv_facts *facts, const char *keys, double otherwise);
/* NULL when absent, null, "None" or "null". */
const char *tv_get_text(const struct tv_facts *facts, const char *keys);
bool tv_get_true(const struct tv_facts *facts, const char *keys, bool otherwise);
bool tv_has(const struct tv_facts *facts, const char *keys);
/* Any fact whose key begins with this. */
bool tv_has_prefix(const struct tv_facts *facts, const char *prefix);

/* lr_scheduler_kwargs of transformers: a mapping ("lr_scheduler_kwargs.num_cycles"), or one text
 * that holds JSON or a Python dictionary. The text's numbers may be strings. */
struct tv_kwargs;
struct tv_kwargs *tv_kwargs_open(const struct tv_facts *facts, const char *key);
void tv_kwargs_close(struct tv_kwargs *kwargs);
double tv_kwargs_number(const struct tv_kwargs *kwargs, const char *name, double otherwise);
/* Copies the text; false when absent. */
bool tv_kwargs_text(const struct tv_kwargs *kwargs, const char *name, char *buffer, size_t cap);
/* The first name that is not in the NULL-terminated list; false when there is none. */
bool tv_kwargs_unknown(const struct tv_kwargs *kwargs, const char *const *known, char *buffer,
                       size_t cap);

/* Adds a sentence to what was assumed; dropped when the list is full. */
void tv_schedule_note(struct tv_schedule *schedule, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
