/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trainer_state.json beside event files may be another job's that had the same output directory:
 * then its counts promise nothing about this log. The learning rates tell: of one job both hold the
 * same ones from the same step on, of jobs with different schedules those of the first steps
 * already differ. */
#include "engine/run.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SAME    1e-5 /* relative: event files hold float32 */
#define DOUBTED 64   /* samples that are looked through for the first rate */

static struct tv_first_rates *rates_of(struct tv_run *run, struct tv_source *source)
{
    if (!source->rates)
        source->rates = tv_arena_alloc(&run->arena, sizeof *source->rates);
    return source->rates;
}

static void say(struct tv_source *source, int64_t step, double own, double other)
{
    char what[256];
    if (source->rates->said)
        return;
    source->rates->said = true;
    snprintf(what, sizeof what,
             "belongs to another job than the log beside it (learning rate at step %" PRId64
             ": %.4g here, %.4g there): its number of steps is not used; give its path alone to "
             "have it judged",
             step, own, other);
    tv_source_note(source, what);
}

/* Event files without a learning rate: of jobs that ended before they logged one, so that the state
 * is the log. It says for how many epochs it was made. */
static void compare_args(struct tv_run *run, struct tv_source *state)
{
    double args, own;
    char what[192];
    bool differ = tv_facts_args_differ(tv_run_facts(run), &args, &own);
    tv_facts_hide_args(tv_run_facts(run), differ);
    if (!differ || rates_of(run, state)->said)
        return;
    state->rates->said = true;
    snprintf(what, sizeof what,
             "is of another job than the arguments beside it (%g epochs here, %g there): these are "
             "not used",
             own, args);
    tv_source_note(state, what);
}

static void compare(struct tv_run *run, struct tv_source *source, int64_t step, double own,
                    double other)
{
    struct tv_first_rates *rates = rates_of(run, source);
    if (rates->is_known || !isfinite(own) || !isfinite(other))
        return;
    rates->is_known = true;
    if (fabs(own - other) <= SAME * fmax(fabs(own), fabs(other))) {
        tv_facts_mask(tv_run_facts(run), NULL);
        return;
    }
    run->foreign = source;
    tv_facts_mask(tv_run_facts(run), source->input->path);
    say(source, step, own, other);
}

bool tv_beside_is_doubtful(const struct tv_source *source)
{
    return strcmp(source->parser->name, "hf_trainer_state") == 0;
}

void tv_beside_add(struct tv_run *run, struct tv_source *source, const struct tv_sample *sample)
{
    const struct tv_role_slot *slot = &run->roles[TV_ROLE_LEARNING_RATE];
    if (!tv_beside_is_doubtful(source))
        return;
    struct tv_first_rates *rates = rates_of(run, source);
    if (rates->len == TV_FIRST_RATES)
        return;
    rates->step[rates->len] = sample->step;
    rates->rate[rates->len++] = sample->value;
    if (slot->count && slot->last.step == sample->step)
        compare(run, source, sample->step, sample->value, slot->last.value);
}

/* At equal steps the better source comes first: what the other says of this one still waits. */
static void look_ahead(struct tv_run *run, struct tv_source *source, const struct tv_point *point)
{
    for (size_t i = source->head; i < source->len && source->queue[i].step <= point->step; i++) {
        const struct tv_sample *sample = &source->queue[i];
        if (sample->step == point->step &&
            ((const struct tv_series *)sample->tag)->role == TV_ROLE_LEARNING_RATE)
            compare(run, source, point->step, sample->value, point->value);
    }
}

/* Its first rate waits behind a step that the log has one of: until they meet, nobody vouches for
 * it. Of one job both would have begun together. */
static void doubt_late(struct tv_run *run, const struct tv_source *source, int64_t step)
{
    size_t end = source->len - source->head > DOUBTED ? source->head + DOUBTED : source->len;
    for (size_t i = source->head; i < end; i++) {
        const struct tv_sample *sample = &source->queue[i];
        if (((const struct tv_series *)sample->tag)->role != TV_ROLE_LEARNING_RATE)
            continue;
        if (sample->step > step)
            tv_facts_mask(tv_run_facts(run), source->input->path);
        return;
    }
}

void tv_beside_check(struct tv_run *run, struct tv_source *own, const struct tv_point *point)
{
    if (tv_beside_is_doubtful(own))
        compare_args(run, own);
    else
        tv_facts_hide_args(&run->resting_facts, false);
    for (struct tv_source *source = run->sources; source; source = source->next) {
        const struct tv_first_rates *rates = source->rates;
        if (source == own || !source->parser || !tv_beside_is_doubtful(source) ||
            (rates && rates->is_known))
            continue;
        for (uint32_t i = 0; rates && i < rates->len; i++)
            if (rates->step[i] == point->step)
                compare(run, source, point->step, rates->rate[i], point->value);
        look_ahead(run, source, point);
        if (!source->rates)
            doubt_late(run, source, point->step);
    }
}

void tv_beside_forget(struct tv_run *run, bool is_anew)
{
    const struct tv_series *owner = run->roles[TV_ROLE_LEARNING_RATE].owner;
    const char *doubtful = NULL;
    run->foreign = NULL;
    for (struct tv_source *source = run->sources; source; source = source->next)
        if (source->rates) {
            source->rates->is_known = false;
            if (is_anew && !(owner && owner->source == source))
                doubtful = source->input->path;
        }
    tv_facts_mask(tv_run_facts(run), doubtful);
}
