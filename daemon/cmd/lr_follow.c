/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/lr_follow.h"
#include "base/json.h"
#include "trainvet/number.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What has changed since it was looked at last keeps what was logged. */
static void look(struct tv_lr_followed *followed, const struct tv_view *view, enum tv_role metric)
{
    struct tv_level levels[TV_LR_CHANGES];
    const struct tv_schedule *schedule = tv_view_schedule(view);
    size_t all = tv_view_levels(view, schedule, metric, 0, levels, TV_LR_CHANGES);
    const char *tag = tv_view_tag(view, metric);
    snprintf(followed->metric, sizeof followed->metric, "%s", tag ? tag : "");
    size_t len = all < TV_LR_CHANGES ? all : TV_LR_CHANGES;
    for (size_t i = 0; i < len; i++) {
        struct tv_lr_change *change = &followed->changes[i];
        if (i >= followed->len || change->step != levels[i].step)
            *change = (struct tv_lr_change){levels[i].step, levels[i].lr, NAN};
    }
    followed->len = len;
    followed->left_out = all - len;
    followed->looked = followed->evaluations;
}

static void note_logged(struct tv_lr_followed *followed, const struct tv_point *point)
{
    struct tv_lr_change *last = &followed->changes[followed->len - 1];
    bool is_behind = point->step > last->step || followed->len == 1;
    if (isnan(last->logged) && is_behind && followed->left_out == 0)
        last->logged = point->value;
}

static void on_sample(struct tv_view *view, const void *options, void *state,
                      const struct tv_point *point)
{
    struct tv_lr_followed *followed = *(struct tv_lr_followed *const *)options;
    enum tv_role metric;
    (void)state;
    if (!tv_view_followed(view, &metric))
        return;
    if (point->role == TV_ROLE_LEARNING_RATE) {
        if (followed->len == 0 || followed->looked != followed->evaluations)
            look(followed, view, metric);
        if (followed->len > 0)
            note_logged(followed, point);
    } else if (point->role == metric) {
        followed->last_step = point->step;
        followed->evaluations++;
    }
}

static void on_end(struct tv_view *view, const void *options, void *state)
{
    struct tv_lr_followed *followed = *(struct tv_lr_followed *const *)options;
    enum tv_role metric;
    (void)state;
    if (tv_view_followed(view, &metric))
        look(followed, view, metric);
}

const struct tv_detector tv_lr_follower = {
    .name = "lr_follower",
    .summary = "",
    .explain = "",
    .roles = TV_ROLE_BIT(TV_ROLE_EVAL_LOSS) | TV_ROLE_BIT(TV_ROLE_EVAL_METRIC) |
             TV_ROLE_BIT(TV_ROLE_LEARNING_RATE),
    .options_size = sizeof(struct tv_lr_followed *),
    .state_size = 1,
    .on_sample = on_sample,
    .on_end = on_end,
};

void tv_lr_follow_json(const struct tv_lr_followed *followed, const struct tv_schedule *schedule,
                       const char *path)
{
    (void)path;
    struct tv_json json = {0};
    tv_json_open(&json, NULL, '{');
    tv_json_text(&json, "kind", tv_schedule_name(schedule));
    tv_json_text(&json, "scheduler_source", "configuration");
    tv_json_double(&json, "peak", schedule->peak);
    tv_json_text(&json, "framework", schedule->framework);
    tv_json_text(&json, "follows", followed->metric);
    tv_json_int(&json, "evaluations", (int64_t)followed->evaluations);
    tv_json_open(&json, "assumed", '[');
    for (int i = 0; i < schedule->notes_len; i++)
        tv_json_text(&json, NULL, schedule->notes[i]);
    tv_json_close(&json, ']');
    tv_json_open(&json, "lr", '[');
    for (size_t i = 0; i < followed->len; i++) {
        tv_json_open(&json, NULL, '[');
        tv_json_int(&json, NULL, followed->changes[i].step);
        tv_json_double(&json, NULL, followed->changes[i].lr);
        tv_json_close(&json, ']');
    }
    tv_json_close(&json, ']');
    tv_json_close(&json, '}');
    puts(json.data);
    tv_json_free(&json);
}

void tv_lr_follow_csv(const struct tv_lr_followed *followed, const struct tv_schedule *schedule,
                      const char *path)
{
    (void)schedule;
    (void)path;
    puts("step,learning_rate");
    for (size_t i = 0; i < followed->len; i++) {
        char text[TV_NUMBER_MAX];
        tv_format_double(text, followed->changes[i].lr);
        printf("%" PRId64 ",%s\n", followed->changes[i].step, text);
    }
}

void tv_lr_follow_text(const struct tv_lr_followed *followed, const struct tv_schedule *schedule,
                       const char *path)
{
    const double *setting = schedule->table;
    char a[TV_NUMBER_MAX], b[TV_NUMBER_MAX];
    tv_format_short(a, schedule->peak, 12);
    printf("%s: %s, peak %s\n\n", path, tv_schedule_name(schedule), a);
    tv_format_short(a, setting[TV_FOLLOW_FACTOR], 12);
    printf("  follows    %s, %s is better: factor %s, patience %.0f\n", followed->metric,
           setting[TV_FOLLOW_MAXIMISE] != 0 ? "higher" : "lower", a, setting[TV_FOLLOW_PATIENCE]);
    printf("  logged     %" PRIu64 " evaluations, the last at step %" PRId64 "\n\n",
           followed->evaluations, followed->last_step);
    printf("%12s  %13s  %13s\n", "behind step", "learning rate", "logged");
    for (size_t i = 0; i < followed->len; i++) {
        const struct tv_lr_change *change = &followed->changes[i];
        tv_format_short(a, change->lr, 6);
        tv_format_short(b, change->logged, 6);
        printf("%12" PRId64 "  %13s  %13s%s\n", change->step, a, isnan(change->logged) ? "-" : b,
               fabs(change->logged - change->lr) > 0.01 * change->lr ? "  differs" : "");
    }
    if (followed->left_out)
        printf("  and %zu more changes\n", followed->left_out);
}
