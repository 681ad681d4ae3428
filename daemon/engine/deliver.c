/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From samples to points: which series has a role, where an attempt begins, and who gets to see it.
 */
#include "engine/run.h"
#include "model/tags.h"
#include <math.h>
#include <string.h>

static void forget_role_steps(struct tv_run *run, enum tv_role except)
{
    for (int role = 0; role < TV_ROLE_COUNT; role++) {
        run->roles[role].may_go_back = role != (int)except;
        run->roles[role].has_pending = false;
    }
}

/* It is another run: the detectors start anew. */
static void begin_anew(struct tv_run *run, int64_t step)
{
    run->rise = (struct tv_lr_rise){0};
    tv_epoch_forget(run);
    tv_rate_forget(run);
    tv_evaluations_forget(run);
    for (int role = 0; run->plots && role < TV_ROLE_COUNT; role++)
        tv_buckets_clear(&run->plots[role]);
    tv_run_wake(run);
    for (size_t i = 0; i < run->detectors_len; i++) {
        if (!run->seats[i].state.data)
            continue;
        tv_bus_resolve_all(run, i, step);
        tv_block_free(&run->seats[i].state); /* zeroed at its next use */
    }
}

/* The run went back to `step`; from its first steps on it is another run. */
static void restart(struct tv_run *run, int64_t step)
{
    run->attempt++;
    run->resume_step = step;
    run->end_mark = false;
    run->last_step = step;
    tv_beside_forget(run, true);
    forget_role_steps(run, run->driver);
    for (struct tv_source *source = run->sources; source; source = source->next)
        source->flushed_to = INT64_MIN;
    run->maybe_anew = step > run->first_step ? step : 0;
    if (step <= run->first_step)
        begin_anew(run, step);
}

/* Warm-up ends where the logged learning rate stops rising; a constant one has none. */
static void watch_rise(struct tv_run *run, const struct tv_point *point)
{
    struct tv_lr_rise *rise = &run->rise;
    if (rise->over || !isfinite(point->value))
        return;
    if (rise->first_step == 0 && rise->max == 0 && !rise->rose) {
        rise->first_step = rise->max_step = point->step;
        rise->max = rise->previous = point->value;
        rise->rose = true;
        return;
    }
    if (point->value > rise->max) {
        rise->max = point->value;
        rise->max_step = point->step;
        rise->flat = 0;
    } else if (point->value < rise->previous * (1 - 1e-6) || ++rise->flat >= 3) {
        rise->over = true;
    }
    rise->previous = point->value;
}

static inline __attribute__((always_inline)) void dispatch(struct tv_run *run,
                                                           const struct tv_point *point)
{
    struct tv_view view = {.run = run, .point = point};
    const uint8_t *who = run->subscribers + run->first_of[point->role],
                  *end = run->subscribers + run->first_of[point->role + 1];
    for (; who < end; who++) {
        size_t detector = view.detector = *who;
        const struct tv_seat *seat = &run->seats[detector];
        seat->on_sample(&view, seat->options, tv_run_state(run, detector), point);
    }
}

static void take_rate(struct tv_run *run, const struct tv_point *point)
{
    watch_rise(run, point);
    if (run->sources_len > 1)
        tv_beside_check(run, run->roles[TV_ROLE_LEARNING_RATE].owner->source, point);
    tv_rate_watch(run, point);
    tv_batches_watch(run, point);
}

void tv_settle_attempt(struct tv_run *run, int64_t step)
{
    int64_t first = run->maybe_anew;
    struct tv_point held = run->held_rate;
    run->maybe_anew = 0;
    run->held_rate.role = TV_ROLE_OTHER;
    if (step - first >= first)
        begin_anew(run, first);
    else
        tv_beside_forget(run, false);
    if (held.role != TV_ROLE_LEARNING_RATE)
        return;
    take_rate(run, &held);
    dispatch(run, &held);
}

/* Another source was let pass although this point should have come first. */
static void check_order(struct tv_run *run, const struct tv_source *own, int64_t step)
{
    for (const struct tv_source *source = run->sources; source; source = source->next)
        if (source != own && source->flushed_to > step)
            run->disordered = true;
}

/* In line where nearly every point comes, which is by far the most frequent call of the engine. */
static inline __attribute__((always_inline)) void accept_here(struct tv_run *run,
                                                              struct tv_role_slot *slot,
                                                              const struct tv_point *point)
{
    if (run->sources_len > 1)
        check_order(run, slot->owner->source, point->step);
    if (run->maybe_anew && point->step > run->maybe_anew &&
        (point->role == run->driver || point->role == TV_ROLE_LEARNING_RATE))
        tv_settle_attempt(run, point->step);
    slot->last = *point;
    slot->count++;
    slot->seen_marks = slot->owner->source->restart_marks;
    slot->taken_over = slot->may_go_back = false;
    if (run->plots)
        tv_buckets_add(&run->plots[point->role], point->step, point->value);
    if (run->first_step == TV_STEP_UNKNOWN)
        run->first_step = point->step;
    if (run->last_step == TV_STEP_UNKNOWN || point->step > run->last_step)
        run->last_step = point->step;
    if (!isnan(point->wall_time))
        run->point_wall = point->wall_time;
    if (!isnan(point->wall_time) && !(point->wall_time <= run->last_wall))
        run->last_wall = point->wall_time;
    if (run->end_mark && point->role == TV_ROLE_TRAIN_LOSS && run->end_step != TV_STEP_UNKNOWN &&
        point->step > run->end_step)
        run->end_mark = false; /* the finished run was trained on */
    if (point->role == TV_ROLE_LEARNING_RATE && run->maybe_anew) {
        run->held_rate = *point;
        return;
    }
    if (point->role == TV_ROLE_LEARNING_RATE)
        take_rate(run, point);
    if (point->role == TV_ROLE_EPOCH)
        tv_epoch_watch(run, point);
    if (point->role == TV_ROLE_EVAL_LOSS || point->role == TV_ROLE_EVAL_METRIC)
        tv_evaluations_watch(run, point);
    dispatch(run, point);
    if (point->step >= run->calm_step)
        tv_bus_calm(run, point->step);
}

static void accept(struct tv_run *run, struct tv_role_slot *slot, const struct tv_point *point)
{
    accept_here(run, slot, point);
}

/* Which role's steps tell a restart: the training loss where there is one. */
static bool is_driver(struct tv_run *run, enum tv_role role)
{
    static const enum tv_role order[] = {TV_ROLE_TRAIN_LOSS, TV_ROLE_REWARD, TV_ROLE_LEARNING_RATE,
                                         TV_ROLE_EVAL_LOSS};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (run->roles[order[i]].count || order[i] == role) {
            run->driver = order[i];
            return order[i] == role;
        }
    return false;
}

/* A step that goes back is a restart when a new file or a purge mark says so, or when the steps go
 * on from there; a single one is a late record, which no detector sees. */
static void went_back(struct tv_run *run, struct tv_role_slot *slot, const struct tv_point *point)
{
    bool marked = slot->seen_marks != slot->owner->source->restart_marks;
    if (!marked && !(slot->has_pending && point->step > slot->pending.step)) {
        run->late_points += slot->has_pending;
        slot->pending = *point;
        slot->has_pending = true;
        return;
    }
    struct tv_point first = slot->has_pending && !marked ? slot->pending : *point;
    bool two = slot->has_pending && !marked;
    slot->has_pending = false;
    if (is_driver(run, point->role))
        restart(run, first.step);
    if (two)
        accept(run, slot, &first);
    accept(run, slot, point);
}

/* Of evaluations the one that the user chose the best checkpoint by comes first. */
static int rank_of(struct tv_run *run, const struct tv_series *series)
{
    if (series->role != TV_ROLE_EVAL_LOSS && series->role != TV_ROLE_EVAL_METRIC)
        return series->rank;
    const char *chosen = tv_facts_text(tv_run_facts(run), "metric_for_best_model");
    struct tv_span name = {series->tag.name, series->tag.len};
    bool is_chosen = chosen && tv_tag_is_metric(series->source->prefix, name, chosen);
    return is_chosen ? series->rank / 100 * 100 - 1 : series->rank;
}

/* The better one has logged nothing yet: what lies beside it may be another job's (beside.c). */
static bool waits_for_better(const struct tv_run *run, const struct tv_series *series)
{
    bool found = false;
    bool is_measured = series->role == TV_ROLE_LEARNING_RATE || series->role == TV_ROLE_EPOCH;
    if (!is_measured || !tv_beside_is_doubtful(series->source))
        return false;
    for (size_t i = 0; i < run->series_len && !found; i++)
        found = run->series[i]->role == series->role && run->series[i]->rank < series->rank &&
                run->series[i]->source != series->source;
    return found;
}

static bool owns_role(struct tv_run *run, struct tv_role_slot *slot, struct tv_series *series)
{
    if (slot->owner == series)
        return !slot->contested;
    int rank = rank_of(run, series), owners = slot->owner ? rank_of(run, slot->owner) : 0;
    if (slot->owner && owners <= rank) {
        if (series->role == TV_ROLE_EVAL_LOSS && owners == rank &&
            (rank % 100 == TV_RANK_ONE_OF_SEVERAL || rank % 100 == TV_RANK_NAMED_LOSS))
            slot->contested = true;
        return false;
    }
    if (!slot->owner && waits_for_better(run, series))
        return false;
    if (series->role == TV_ROLE_EVAL_LOSS && rank % 100 == TV_RANK_NAMED_LOSS &&
        !series->has_come) {
        series->has_come = true;
        return false;
    }
    slot->contested = false;
    slot->taken_over = slot->owner != NULL;
    slot->owner = series;
    slot->has_pending = false;
    return true;
}

/* A file may claim any step. No trainer counts so far, and differences fit into an integer. */
static int64_t bounded(int64_t step)
{
    const int64_t most = INT64_C(1) << 61;
    return step > most ? most : step < -most ? -most : step;
}

void tv_deliver(struct tv_run *run, const struct tv_sample *sample)
{
    struct tv_series *series = (struct tv_series *)sample->tag;
    struct tv_role_slot *slot = &run->roles[series->role];
    if (!owns_role(run, slot, series)) {
        if (series->role == TV_ROLE_LEARNING_RATE)
            tv_beside_add(run, series->source, sample);
        return;
    }
    struct tv_point point = {.step = sample->step,
                             .wall_time = sample->wall_time,
                             .value = sample->value,
                             .role = series->role};
    if (point.step == TV_STEP_UNKNOWN)
        point.step = slot->count ? slot->last.step + 1 : 0;
    point.step = bounded(point.step);
    /* the same step in another file: of a process that was started again */
    bool marked = slot->seen_marks != series->source->restart_marks && !slot->taken_over;
    bool back = slot->count && !slot->may_go_back &&
                (point.step < slot->last.step || (marked && point.step == slot->last.step));
    if (slot->taken_over && slot->count && point.step <= slot->last.step && !slot->may_go_back)
        return;
    if (back) {
        went_back(run, slot, &point);
        return;
    }
    run->late_points += slot->has_pending;
    slot->has_pending = false;
    accept_here(run, slot, &point);
}
