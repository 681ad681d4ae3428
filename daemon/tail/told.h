/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_TOLD_H
#define TAIL_TOLD_H
/* Which alerts of a run were told, so that each of their states is told once, also when the run is
 * read again; one that gets more severe while it fires is told again. */
#include "trainvet/alert.h"
#include <stdbool.h>

struct tv_told_alert;

/* Zero-initialise to create. */
struct tv_told {
    struct tv_told_alert *list;
    size_t len, cap;
};

/* Tells what is new among the run's alerts: raised ones, those that are more severe than they
 * were told, and resolved ones that were told as firing. An alert that was told and is not there
 * any more was wrong: it is told as resolved, when `is_settled`. One that was over and fires now is
 * only half read, unless `is_settled`. */
void tv_told_update(struct tv_told *told, const struct tv_alert *const *alerts, size_t len,
                    bool is_settled, void (*tell)(void *ctx, const struct tv_alert *alert),
                    void *ctx);
/* An alert that was told before this start, in the state that was told last. */
void tv_told_recall(struct tv_told *told, const struct tv_alert *alert);
void tv_told_free(struct tv_told *told);

#endif
