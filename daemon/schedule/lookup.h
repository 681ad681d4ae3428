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

/* The same below one key: in the scope "optim.sched", "name" is "optim.sched.name". */
#define TV_KEY_MAX 200 /* bytes; longer than any setting's name */
struct tv_scope {
    const struct tv_facts *facts;
    char prefix[TV_KEY_MAX]; /* with its '.', or empty */
};
struct tv_scope tv_scope_top(const struct tv_facts *facts);
struct tv_scope tv_scope_in(const struct tv_scope *scope, const char *key);
struct tv_scope tv_scope_at(const struct tv_scope *scope, const char *list, int index);
double tv_in_number(const struct tv_scope *scope, const char *keys, double otherwise);
const char *tv_in_text(const struct tv_scope *scope, const char *keys);
bool tv_in_true(const struct tv_scope *scope, const char *keys, bool otherwise);
bool tv_in_has(const struct tv_scope *scope, const char *keys);
bool tv_in_any(const struct tv_scope *scope); /* anything below this key */
/* Written down as null. */
bool tv_in_null(const struct tv_scope *scope, const char *key);
/* The numbers of a list ("milestones.0", ...), or the one number that stands there; -1 when there
 * are more. */
int tv_in_list(const struct tv_scope *scope, const char *key, double *ret, int cap);
/* A mapping from numbers to numbers, by rising key ("": the scope itself); -1 when there are more.
 */
int tv_in_map(const struct tv_scope *scope, const char *key, double *keys, double *values, int cap);
/* What stands behind the last '.': "torch.optim.lr_scheduler.StepLR" is "StepLR". */
const char *tv_last_name(const char *path);

/* lr_scheduler_kwargs of transformers: a mapping ("lr_scheduler_kwargs.num_cycles"), or one text
 * that holds JSON or a Python dictionary. */
struct tv_kwargs {
    struct tv_scope in; /* read it like any scope */
    struct tv_facts *own;
};
struct tv_kwargs tv_kwargs_open(const struct tv_facts *facts, const char *key);
void tv_kwargs_close(struct tv_kwargs *kwargs);
/* The first name in the scope that is not in the NULL-terminated list, escaped; false when there is
 * none. */
bool tv_in_unknown(const struct tv_scope *scope, const char *const *known, char *buffer,
                   size_t cap);

/* Adds a sentence to what was assumed; dropped when the list is full. */
void tv_schedule_note(struct tv_schedule *schedule, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
