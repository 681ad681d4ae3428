/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any points at all, to all detectors: no crash, bounded state, and every alert is well formed. */
#include "support/log.h"
#include "support/noise.h"
#include "support/suite.h"
#include <math.h>
#include <string.h>

static const char *const tags[] = {"loss",  "eval_loss", "learning_rate", "grad_norm",
                                   "epoch", "eval_acc",  "loss_scale",    "throughput"};
static const double values[] = {0,         -0.0, 1e308, -1e308, 1e-320, INFINITY,
                                -INFINITY, NAN,  1,     -1,     1e-9,   0.6931471805599453};
static const int64_t steps[] = {0,         1,        -1, INT64_MAX, INT64_MAX - 1, INT64_MIN + 1,
                                INT64_MIN, 1LL << 53};
enum {
    TAGS = sizeof tags / sizeof *tags,
    VALUES = sizeof values / sizeof *values,
    STEPS = sizeof steps / sizeof *steps
};

/* A promise that the learning rates are held against. */
static void promise(struct tv_log *log)
{
    static const char *const facts[][2] = {{"framework", "transformers"},
                                           {"learning_rate", "1e-4"},
                                           {"lr_scheduler_type", "cosine"},
                                           {"warmup_steps", "10"}};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        tv_log_fact(log, facts[i][0], facts[i][1]);
}

static size_t pick(struct tv_noise *noise, size_t count)
{
    return (size_t)(tv_noise_uniform(noise) * (double)count);
}

static void check_alerts(const struct tv_log *log)
{
    const struct tv_alert *const *alerts;
    size_t len = tv_run_alerts(log->run, &alerts);
    for (size_t i = 0; i < len; i++) {
        ck_assert_uint_gt(strlen(alerts[i]->subject), 0);
        ck_assert_uint_gt(strlen(alerts[i]->summary), 0);
        ck_assert(!(alerts[i]->confidence < 0) && !(alerts[i]->confidence > 1));
    }
}

START_TEST(any_values_at_any_steps_do_no_harm)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct tv_noise noise = {seed};
        struct tv_log log;
        int64_t step = 0;
        tv_log_open(&log, NULL);
        if (seed % 9 == 0)
            promise(&log);
        if (seed % 2)
            tv_log_fact(&log, "max_steps", seed % 4 == 1 ? "9223372036854775807" : "100");
        for (int i = 0; i < 2000; i++) {
            bool odd = tv_noise_uniform(&noise) < 0.1;
            double value = odd ? values[pick(&noise, VALUES)] : exp(20 * tv_noise_normal(&noise));
            double time = odd ? values[pick(&noise, VALUES)] : 1e9 + i;
            step = odd && seed % 3 == 0 ? steps[pick(&noise, STEPS)] : i;
            tv_log_timed(&log, tags[pick(&noise, TAGS)], step, time, value);
        }
        tv_log_end(&log, values[pick(&noise, VALUES)]);
        check_alerts(&log);
        tv_log_close(&log);
    }
}
END_TEST

START_TEST(states_are_small)
{
    for (size_t i = 0; tv_detectors[i]; i++)
        ck_assert_msg(tv_detectors[i]->state_size <= 16384, "%s keeps %zu bytes",
                      tv_detectors[i]->name, tv_detectors[i]->state_size);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("detectors_hostile");
    TCase *tcase = tcase_create("detectors_hostile");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, any_values_at_any_steps_do_no_harm);
    tcase_add_test(tcase, states_are_small);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
