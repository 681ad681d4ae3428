/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_ALERTS_H
#define ENGINE_ALERTS_H
/* What detectors have said. Inside engine/ only:
 *   bus.c    alerts, their identity and state
 *   story.c  which alert is a consequence of which */
#include "engine/engine.h"

#define TV_RUN_ALERTS_MAX 256 /* alerts a run; more are counted only */
#define TV_CALM           2   /* times the mean distance of its comings: then it stays away */

struct tv_alert_box {
    struct tv_alert alert;
    char *texts; /* of summary, causes, advice: replaced as a whole */
    /* A finding that comes and goes: */
    uint32_t times;    /* it came, episodes before this one included */
    int64_t since;     /* step at which it came first */
    int64_t calm_step; /* it is gone, and over when it is not back by then; TV_CALM_NEVER: not so */
    bool is_flapping;
};

#define TV_CALM_NEVER INT64_MAX

void tv_bus_resolve_all(struct tv_run *run, size_t detector, int64_t step);
/* The run has come to run->calm_step. */
void tv_bus_calm(struct tv_run *run, int64_t step);
void tv_story_tell(struct tv_run *run); /* sets every alert's leader */

#endif
