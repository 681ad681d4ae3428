/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICE_CHILD_H
#define SERVICE_CHILD_H
/* Child processes in the event loop: no shell, input through a pipe, a time limit, output
 * discarded. */
#include "trainvet/sink.h"
#include <systemd/sd-event.h>

struct tv_children;

/* `done` is called from the loop once for each child: ok is exit status 0, else `reason` says how
 * it ended. */
struct tv_children *tv_children_new(sd_event *loop,
                                    void (*done)(void *ctx, int64_t ticket, bool ok,
                                                 const char *reason),
                                    void *ctx);
/* Copies what it needs. TV_EIO when the program cannot be started. */
enum tv_status tv_children_start(struct tv_children *children, const struct tv_child *child,
                                 int64_t ticket, struct tv_error *reterr);
size_t tv_children_running(const struct tv_children *children);
/* Those still running are killed. */
void tv_children_free(struct tv_children *children);

#endif
