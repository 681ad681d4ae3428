/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run between two looks. Each block is folded at once; after a while the states that no tick asks
 * for go to sleep together: several of them hold the same values, so that they deflate to half. */
#include "base/squeeze.h"
#include "engine/run.h"
#include <stdlib.h>
#include <string.h>

static bool may_sleep(const struct tv_run *run, size_t detector)
{
    return run->seats[detector].state.is_folded && !run->detectors[detector]->on_tick;
}

static void sleep_now(struct tv_run *run)
{
    size_t size = 0, at = 0;
    for (size_t i = 0; i < run->detectors_len; i++)
        size += may_sleep(run, i) ? run->seats[i].state.len : 0;
    if (run->asleep || size == 0)
        return;
    char *all = tv_xmalloc(size);
    for (size_t i = 0; i < run->detectors_len; i++) {
        struct tv_block *block = &run->seats[i].state;
        if (!may_sleep(run, i))
            continue;
        memcpy(all + at, block->data, block->len);
        at += block->len;
        free(block->data);
        block->data = NULL;
        block->is_away = true;
    }
    run->asleep =
        tv_squeeze((struct tv_span){all, size}, (struct tv_span){NULL, 0}, &run->asleep_len);
    free(all);
}

void tv_run_wake(struct tv_run *run)
{
    size_t size = 0, at = 0;
    if (!run->asleep)
        return;
    for (size_t i = 0; i < run->detectors_len; i++)
        size += run->seats[i].state.is_away ? run->seats[i].state.len : 0;
    char *all = tv_xmalloc(size);
    struct tv_span asleep = {run->asleep, run->asleep_len};
    tv_unsqueeze(asleep, (struct tv_span){NULL, 0}, all, size);
    for (size_t i = 0; i < run->detectors_len; i++) {
        struct tv_block *block = &run->seats[i].state;
        if (!block->is_away)
            continue;
        block->data = memcpy(tv_xmalloc(block->len), all + at, block->len);
        block->is_away = false;
        at += block->len;
    }
    free(all);
    free(run->asleep);
    run->asleep = NULL;
}

void *tv_run_open_state(struct tv_run *run, size_t detector)
{
    if (run->seats[detector].state.is_away)
        tv_run_wake(run);
    return tv_block_open(&run->seats[detector].state, run->detectors[detector]->state_size);
}

/* What the last report was made of; the next one makes it anew. */
static void drop_report(struct tv_run *run)
{
    free(run->report_inputs);
    free(run->report_silences);
    free(run->report_plots);
    free(run->report_points);
    run->report_inputs = NULL;
    run->report_silences = NULL;
    run->report_plots = NULL;
    run->report_points = NULL;
}

/* Room for more than there is. */
static void drop_room(struct tv_run *run)
{
    for (struct tv_source *source = run->sources; source; source = source->next) {
        if (source->head != source->len)
            continue;
        free(source->queue);
        source->queue = NULL;
        source->head = source->len = source->cap = 0;
    }
    if (run->series_cap > run->series_len && run->series_len) {
        run->series_cap = run->series_len;
        run->series = tv_xrealloc(run->series, run->series_cap, sizeof(struct tv_series *));
    }
}

void tv_run_rest(struct tv_run *run, bool is_quiet)
{
    for (size_t i = 0; i < run->detectors_len; i++)
        tv_block_fold(&run->seats[i].state, run->detectors[i]->state_size);
    tv_block_fold(&run->promise, sizeof(struct tv_promise));
    tv_rate_fold(run);
    tv_facts_fold(&run->resting_facts);
    tv_map_free(&run->texts);
    tv_arena_free(&run->texts_arena);
    drop_report(run);
    if (is_quiet) {
        sleep_now(run);
        drop_room(run);
    }
}
