/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/plan.h"
#include "trainvet/text.h"
#include <math.h>

double tv_plan_logged_share(const struct tv_view *view)
{
    struct tv_point lr;
    double peak = tv_view_peak_lr(view);
    if (!tv_view_last(view, TV_ROLE_LEARNING_RATE, &lr) || !(peak > 0))
        return NAN;
    return lr.value / peak;
}

double tv_plan_lr_share(const struct tv_view *view, int64_t step)
{
    const struct tv_schedule *schedule = tv_view_schedule(view);
    if (schedule && schedule->peak > 0 && !tv_schedule_follows_metric(schedule)) {
        double n = (double)step - schedule->log_offset;
        double share = tv_schedule_lr(schedule, n > 0 ? n : 0) / schedule->peak;
        if (isfinite(share))
            return share;
    }
    return tv_plan_logged_share(view);
}

double tv_plan_length(const struct tv_view *view)
{
    int64_t total = tv_view_total_steps(view), first = tv_view_first_step(view);
    if (total > 0)
        return (double)total;
    if (first == TV_STEP_UNKNOWN)
        return 1;
    double done = (double)tv_view_step(view) - (double)first;
    return done > 1 ? done : 1;
}

double tv_plan_done(const struct tv_view *view)
{
    int64_t total = tv_view_total_steps(view);
    return total > 0 ? (double)tv_view_step(view) / (double)total : NAN;
}

bool tv_plan_ended(const struct tv_view *view, double interval, double last_time, double silence)
{
    int64_t total = tv_view_total_steps(view);
    if (tv_view_finished(view))
        return true;
    if (total > 0)
        return (double)tv_view_step(view) + (interval > 1 ? interval : 1) > (double)total;
    return tv_view_now(view) - last_time > silence;
}

const char *tv_plan_setting(const struct tv_view *view, const char *name, char *buffer, size_t cap)
{
    struct tv_setting setting;
    struct tv_text text = tv_text_in(buffer, cap);
    if (tv_view_setting(view, name, &setting))
        tv_text_add(&text, "%s: %s (%s)", setting.key, setting.value, setting.source);
    else
        tv_text_add(&text, "%s", name);
    return buffer;
}

void tv_restarts_add(struct tv_restarts *restarts, int64_t step, double lr)
{
    if (!(lr >= 0) || !isfinite(lr))
        return;
    bool came_down = restarts->low < 0.7 * restarts->top;
    if (came_down && lr > restarts->low + 0.3 * restarts->top) {
        restarts->count++;
        restarts->step = step;
        restarts->top = restarts->low = lr;
        return;
    }
    if (lr >= restarts->top)
        restarts->top = restarts->low = lr;
    else if (lr < restarts->low)
        restarts->low = lr;
}
