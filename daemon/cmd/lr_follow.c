/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/lr_follow.h"
#include "base/json.h"
#include "trainvet/number.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct state {
    bool has_begun; /* a run that goes back to its first steps begins with a new state */
};

static void add_change(struct tv_lr_followed *followed, int64_t step, double lr)
{
    if (followed->len == TV_LR_CHANGES)
        followed->left_out++;
    else
        followed->changes[followed->len++] = (struct tv_lr_change){step, lr, NAN};
}

static bool begin(struct tv_lr_followed *followed, const struct tv_view *view)
{
    const struct tv_schedule *schedule = tv_view_schedule(view);
    memset(followed, 0, sizeof *followed);
    followed->last_step = INT64_MIN;
    if (!schedule || !tv_follow_start(&followed->follow, schedule))
        return false;
    add_change(followed, 0, followed->follow.lr);
    return true;
}

static void note_logged(struct tv_lr_followed *followed, const struct tv_point *point)
{
    struct tv_lr_change *last = &followed->changes[followed->len - 1];
    bool is_behind = point->step > last->step || followed->len == 1;
    if (isnan(last->logged) && is_behind && followed->left_out == 0)
        last->logged = point->value;
}

static void on_sample(struct tv_view *view, const void *options, void *state_,
                      const struct tv_point *point)
{
    struct tv_lr_followed *followed = *(struct tv_lr_followed *const *)options;
    struct state *state = state_;
    if (!state->has_begun && !begin(followed, view))
        return;
    state->has_begun = true;
    if (point->role == TV_ROLE_LEARNING_RATE) {
        note_logged(followed, point);
        return;
    }
    enum tv_role role = tv_view_metric_is_chosen(view) ? TV_ROLE_EVAL_METRIC : TV_ROLE_EVAL_LOSS;
    if (point->role != role || point->step <= followed->last_step)
        return; /* a resumed run repeats evaluations that its scheduler has seen */
    const char *tag = tv_view_tag(view, role);
    snprintf(followed->metric, sizeof followed->metric, "%s", tag ? tag : "");
    followed->last_step = point->step;
    followed->evaluations++;
    double before = followed->follow.lr;
    if (tv_follow_step(&followed->follow, point->value) != before)
        add_change(followed, point->step, followed->follow.lr);
}

const struct tv_detector tv_lr_follower = {
    .name = "lr_follower",
    .summary = "",
    .explain = "",
    .roles = TV_ROLE_BIT(TV_ROLE_EVAL_LOSS) | TV_ROLE_BIT(TV_ROLE_EVAL_METRIC) |
             TV_ROLE_BIT(TV_ROLE_LEARNING_RATE),
    .options_size = sizeof(struct tv_lr_followed *),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
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
    const double *setting = followed->follow.setting;
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
