/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The evaluations of a run whose learning rate follows them. */
#include "engine/run.h"
#include "schedule/follow.h"
#include "trainvet/text.h"
#include <stdlib.h>
#include <string.h>

struct tv_evaluation {
    int64_t step;
    double value;
};

static struct tv_evaluations *kept(struct tv_run *run, enum tv_role role)
{
    return &run->evaluations[role == TV_ROLE_EVAL_METRIC];
}

/* transformers does not hand an evaluation before the first step (eval_on_start) to the scheduler.
 */
void tv_evaluations_watch(struct tv_run *run, const struct tv_point *point)
{
    tv_run_resolve_schedule(run);
    if (run->schedule_status != TV_OK || point->step < 1 ||
        !tv_schedule_follows_metric(&tv_run_promise(run)->schedule))
        return;
    struct tv_evaluations *all = kept(run, point->role);
    while (all->len > 0 && all->at[all->len - 1].step >= point->step)
        all->len--;
    if (all->len == TV_EVALUATIONS_MAX) {
        all->is_full = true;
        return;
    }
    if (all->len == all->cap) {
        all->cap = all->cap ? 2 * all->cap : 16;
        all->at = tv_xrealloc(all->at, all->cap, sizeof *all->at);
    }
    all->at[all->len++] = (struct tv_evaluation){point->step, point->value};
}

void tv_evaluations_forget(struct tv_run *run)
{
    for (size_t i = 0; i < sizeof run->evaluations / sizeof *run->evaluations; i++) {
        free(run->evaluations[i].at);
        run->evaluations[i] = (struct tv_evaluations){0};
    }
}

bool tv_view_followed(const struct tv_view *view, enum tv_role *ret)
{
    const struct tv_schedule *promise = tv_view_schedule(view);
    if (!promise || !tv_schedule_follows_metric(promise))
        return false;
    struct tv_setting chosen;
    bool is_loss = !tv_view_setting(view, "metric_for_best_model", &chosen) ||
                   tv_span_ends(tv_span_of(chosen.value), "loss") ||
                   strcmp(chosen.value, "None") == 0;
    *ret = is_loss ? TV_ROLE_EVAL_LOSS : TV_ROLE_EVAL_METRIC;
    return is_loss ? !tv_view_is_contested(view, TV_ROLE_EVAL_LOSS)
                   : tv_view_metric_is_chosen(view);
}

static void add_level(struct tv_level *ret, size_t cap, size_t at, int64_t step, double lr)
{
    if (at < cap)
        ret[at] = (struct tv_level){step, lr};
}

size_t tv_view_levels(const struct tv_view *view, const struct tv_schedule *schedule,
                      enum tv_role metric, int64_t since, struct tv_level *ret, size_t cap)
{
    struct tv_follow follow;
    const struct tv_evaluations *all = kept(view->run, metric);
    if (all->is_full || !tv_follow_start(&follow, schedule))
        return 0;
    double lr = follow.lr;
    size_t levels = 0;
    add_level(ret, cap, levels++, 0, lr);
    for (uint32_t i = 0; i < all->len; i++) {
        if (all->at[i].step <= since || tv_follow_step(&follow, all->at[i].value) == lr)
            continue;
        lr = follow.lr;
        add_level(ret, cap, levels++, all->at[i].step, lr);
    }
    return levels;
}
