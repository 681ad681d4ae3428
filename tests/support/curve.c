/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/curve.h"
#include <check.h>
#include <math.h>
#include <stdio.h>

static double rate_at(const struct tv_curve *curve, double share)
{
    if (share < curve->warmup)
        return 1e-3 * share / curve->warmup;
    return 0.5e-3 * (1 + cos(3.14159265358979 * (share - curve->warmup) / (1 - curve->warmup)));
}

void tv_curve_run(struct tv_log *log, const char *detector, const struct tv_curve *curve,
                  tv_curve_change *change)
{
    struct tv_noise noise = {curve->seed};
    char total[32], warmup[32];
    tv_log_open(log, detector);
    snprintf(total, sizeof total, "%d", curve->points * curve->every);
    snprintf(warmup, sizeof warmup, "%.0f", curve->warmup * curve->points * curve->every);
    tv_log_fact(log, "framework", "transformers");
    tv_log_fact(log, "learning_rate", "1e-3");
    tv_log_fact(log, "max_steps", total);
    tv_log_fact(log, "warmup_steps", warmup);
    tv_log_fact(log, "lr_scheduler_type", "cosine");
    for (int i = 0; i < curve->points; i++) {
        double share = (i + 1.0) / curve->points;
        double level = curve->floor + (4 - curve->floor) * exp(-10 * share);
        struct tv_curve_point point = {
            .loss = level * exp(curve->noise * tv_noise_normal(&noise)),
            .gradient = 0.5 * level * exp(0.2 * tv_noise_normal(&noise)),
            .rate = rate_at(curve, share),
            .has_loss = true,
            .has_gradient = true,
        };
        if (change)
            change(curve, i, &point);
        int64_t step = (int64_t)(i + 1) * curve->every;
        if (point.has_loss)
            tv_log_point(log, "train/loss", step, curve->shift + curve->scale * point.loss);
        if (point.has_gradient)
            tv_log_point(log, "train/grad_norm", step, curve->scale * point.gradient);
        tv_log_point(log, "train/learning_rate", step, point.rate);
    }
    tv_log_end(log, NAN);
}

void tv_curve_expect_over(const char *detector, tv_curve_change *change, int64_t onset,
                          int64_t from, int64_t to)
{
    struct tv_curve curve = TV_CURVE;
    struct tv_log log;
    tv_curve_run(&log, detector, &curve, change);
    const struct tv_alert *alert = tv_log_alert(&log, detector);
    ck_assert_ptr_nonnull(alert);
    ck_assert_int_eq(alert->onset_step, onset);
    ck_assert_int_eq(alert->state, TV_RESOLVED);
    ck_assert_int_ge(alert->resolved_step, from);
    ck_assert_int_le(alert->resolved_step, to);
    tv_log_close(&log);
}

size_t tv_curve_alerts(const char *detector, struct tv_curve curve, tv_curve_change *change,
                       int runs)
{
    size_t alerts = 0;
    for (int i = 0; i < runs; i++) {
        const struct tv_alert *const *list;
        struct tv_log log;
        curve.seed = (unsigned)i + 1;
        tv_curve_run(&log, detector, &curve, change);
        alerts += tv_run_alerts(log.run, &list);
        tv_log_close(&log);
    }
    return alerts;
}

size_t tv_curve_healthy_alerts(const char *detector)
{
    static const struct tv_curve runs[] = {
        {.points = 20, .every = 50, .scale = 1, .noise = 0.05, .floor = 1, .warmup = 0.1},
        {.points = 200, .every = 1, .scale = 1e-6, .noise = 0.15, .floor = 2, .warmup = 0.05},
        {.points = 1000, .every = 500, .scale = 1e4, .noise = 0.1, .floor = 0.01, .warmup = 0.03},
        {.points = 200,
         .every = 5,
         .scale = 1,
         .shift = -3,
         .noise = 0.05,
         .floor = 1,
         .warmup = 0.1},
    };
    size_t alerts = 0;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        alerts += tv_curve_alerts(detector, runs[i], NULL, 10);
    return alerts;
}
