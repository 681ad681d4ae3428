/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several sources of one run, delivered by step: the lowest head first, at equal steps the better
 * source. So what the detectors see does not depend on which file was read first. */
#include "engine/internal.h"

bool tv_source_is_hungry(const struct tv_source *source)
{
    return !source->done && source->head == source->len;
}

static bool anybody_hungry(const struct tv_run *run)
{
    for (const struct tv_source *source = run->sources; source; source = source->next)
        if (tv_source_is_hungry(source))
            return true;
    return false;
}

static struct tv_source *lowest(struct tv_run *run)
{
    struct tv_source *best = NULL;
    for (struct tv_source *source = run->sources; source; source = source->next) {
        if (source->head == source->len)
            continue;
        int64_t step = source->queue[source->head].step;
        int64_t best_step = best ? best->queue[best->head].step : 0;
        if (!best || step < best_step || (step == best_step && source->rank < best->rank))
            best = source;
    }
    return best;
}

void tv_merge(struct tv_run *run, bool flush)
{
    while (flush || !anybody_hungry(run)) {
        struct tv_source *source = lowest(run);
        if (!source)
            return;
        struct tv_sample sample = source->queue[source->head++];
        if (flush && sample.step > source->flushed_to && anybody_hungry(run))
            source->flushed_to = sample.step;
        tv_deliver(run, &sample);
    }
}

bool tv_run_is_waiting(const struct tv_run *run)
{
    for (const struct tv_source *source = run->sources; source; source = source->next)
        if (source->head != source->len)
            return true;
    return false;
}

bool tv_run_is_disordered(const struct tv_run *run)
{
    return run->disordered;
}
