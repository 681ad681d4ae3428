/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Batches per epoch of a small data set from the first two learning rates of Ultralytics: nothing
 * else says them, and up to 8.3 a warm-up took 100 batches at least, whatever warmup_epochs says
 * (see schedule/ultralytics.c). YOLOv5 counts epochs from 0. */
#include "engine/run.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define OPEN 0.05 /* of a batch, that five logged digits leave open */

/* Batches that were done at the end of so many epochs, if the warm-up took EXTRA of them. */
static double done_at(const struct tv_schedule *schedule, double rate, double epoch)
{
    struct tv_schedule over = *schedule;
    over.warmup_steps = 0;
    double start = schedule->param[TV_P_START], target = tv_schedule_lr(&over, epoch - 1);
    return (rate - start) / (target - start) * schedule->param[TV_P_EXTRA] + 1;
}

void tv_batches_watch(struct tv_run *run, const struct tv_point *point)
{
    if (!(run->first_rate > 0) && (point->step == 0 || point->step == 1)) {
        run->first_rate = point->value;
        run->first_rate_step = point->step;
    }
    if (point->step != run->first_rate_step + 1 || !(run->first_rate > 0))
        return;
    tv_run_resolve_schedule(run);
    const struct tv_schedule *schedule = &tv_run_promise(run)->schedule;
    if (run->schedule_status != TV_OK || strcmp(schedule->framework, "ultralytics") != 0 ||
        !isnan(schedule->param[TV_P_PERIOD]) || schedule->param[TV_P_EXTRA] != 100)
        return;
    double one = done_at(schedule, run->first_rate, 1), two = done_at(schedule, point->value, 2);
    double batches = round(one);
    if (!(batches >= 1 && batches < 50 && fabs(one - batches) < OPEN &&
          fabs(two - 2 * batches) < OPEN))
        return;
    char text[32];
    int len = snprintf(text, sizeof text, "%.0f", batches);
    struct tv_fact fact = {.key = tv_span_of("log.batches_per_epoch"),
                           .value = {text, (size_t)len},
                           .source = TV_FACT_LOG};
    tv_facts_add(tv_run_facts(run), &fact, "logged learning rates");
}
