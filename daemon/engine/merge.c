/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several sources of one run, delivered by step: the lowest head first, at equal steps the better
 * source. So what the detectors see does not depend on which file was read first. */
#include "engine/run.h"

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

/* Whether a source's turn comes before another's. One that went back waits where it had come to
 * until the others have come there too: they go back as well, and belong beside it. */
static bool is_before(const struct tv_source *one, const struct tv_source *other)
{
    int64_t step = one->queue[one->head].step, other_step = other->queue[other->head].step;
    int64_t place = step < one->reached ? one->reached : step;
    int64_t other_place = other_step < other->reached ? other->reached : other_step;
    if (place != other_place)
        return place < other_place;
    bool back = one->is_back || step < place,
         other_back = other->is_back || other_step < other_place;
    if (back != other_back)
        return other_back;
    return step != other_step ? step < other_step : one->rank < other->rank;
}

static struct tv_source *next_source(const struct tv_run *run)
{
    struct tv_source *best = NULL;
    for (struct tv_source *source = run->sources; source; source = source->next)
        if (source->head != source->len && (!best || is_before(source, best)))
            best = source;
    return best;
}

void tv_merge(struct tv_run *run, bool flush)
{
    while (flush || !anybody_hungry(run)) {
        struct tv_source *source = next_source(run);
        if (!source)
            return;
        struct tv_sample sample = source->queue[source->head++];
        run->knows_stands = false;
        if (sample.step != source->reached)
            source->is_back = sample.step < source->reached;
        if (!source->is_back)
            source->reached = sample.step;
        if (flush && sample.step > source->flushed_to && anybody_hungry(run))
            source->flushed_to = sample.step;
        tv_deliver(run, &sample);
    }
}

bool tv_run_is_disordered(const struct tv_run *run)
{
    return run->disordered;
}
