/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_CURVE_H
#define SUPPORT_CURVE_H
/* Synthetic training runs for detector tests: warm-up and cosine, a loss that falls with
 * multiplicative noise, and a gradient norm that falls with it. A test changes what the healthy run
 * would have logged. */
#include "support/log.h"
#include "support/noise.h"

struct tv_curve {
    int points;    /* logged */
    int every;     /* steps between them */
    double scale;  /* unit of the loss */
    double shift;  /* added to the loss */
    double noise;  /* relative, of each logged loss */
    double floor;  /* the loss falls from 4 to this, before scale and shift */
    double warmup; /* share of the run */
    unsigned seed;
};
#define TV_CURVE                                                                                   \
    {                                                                                              \
        .points = 200, .every = 5, .scale = 1, .noise = 0.05, .floor = 1, .warmup = 0.1, .seed = 1 \
    }

/* What is logged at point i of the run, as the healthy run has it; a test's `change` may replace
 * any of it. */
struct tv_curve_point {
    double loss, rate, gradient;
    bool has_loss, has_gradient;
};
typedef void tv_curve_change(const struct tv_curve *curve, int i, struct tv_curve_point *point);

/* Feeds a whole run to one detector and ends it; the caller closes the log. */
void tv_curve_run(struct tv_log *log, const char *detector, const struct tv_curve *curve,
                  tv_curve_change *change);
/* One whole run whose `change` is over in the end: the alert has this onset and is resolved from
 * step `from` to `to`. */
void tv_curve_expect_over(const char *detector, tv_curve_change *change, int64_t onset,
                          int64_t from, int64_t to);
/* Number of alerts of a healthy run (or a changed one) for `runs` seeds, all of them together. */
size_t tv_curve_alerts(const char *detector, struct tv_curve curve, tv_curve_change *change,
                       int runs);
/* Alerts of this detector on healthy runs of several lengths, units, noises and logging intervals,
 * ten of each. */
size_t tv_curve_healthy_alerts(const char *detector);

#endif
