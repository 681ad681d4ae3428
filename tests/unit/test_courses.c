/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All detectors at once on runs as they are logged in practice: whatever the length, interval, unit
 * and form of the log, a run that is well is left alone, and one that blows up in the same form is
 * found, soon, with its onset. */
#include "support/log.h"
#include "support/noise.h"
#include "support/suite.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SEEDS = 3 };

struct form {
    const char *name;
    int64_t steps, every;
    double scale, shift; /* of all losses */
    double floor;        /* the loss falls from 2 + floor to this, before scale and shift */
    int decimals;        /* losses are rounded to so many; 0: not */
    int64_t epoch;       /* steps; the loss falls by a tenth within each and jumps back; 0: no */
    double switches_to;  /* the loss's factor from half of the run on; 0: no other data */
    int64_t evals;       /* in the run */
    int cycles;          /* of the learning rate; each restart lifts the loss for a while */
    int attempts;   /* each but the first begins a tenth of the run before the last one's end */
    bool is_single; /* a value is that of one batch and not the mean of its interval */
};

static const struct form forms[] = {
    {"20 points", 2000, 100, 1, 0, 1, 0, 0, 0, 5, 1, 1, false},
    {"very many points", 100000, 1, 1, 0, 1, 0, 0, 0, 20, 1, 1, false},
    {"every step", 1000, 1, 1, 0, 1, 0, 0, 0, 10, 1, 1, false},
    {"every 5th step, its own value", 2000, 5, 1, 0, 1, 0, 0, 0, 10, 1, 1, true},
    {"every 5th step, means", 2000, 5, 1, 0, 1, 0, 0, 0, 10, 1, 1, false},
    {"every 500th step, its own value", 50000, 500, 1, 0, 1, 0, 0, 0, 10, 1, 1, true},
    {"every 500th step, means", 50000, 500, 1, 0, 1, 0, 0, 0, 10, 1, 1, false},
    {"four decimals", 2000, 10, 1, 0, 1, 4, 0, 0, 10, 1, 1, false},
    {"four decimals of a small loss", 2000, 10, 0.01, 0, 0.3, 4, 0, 0, 10, 1, 1, false},
    {"negative", 2000, 10, 1, -5, 1, 0, 0, 0, 10, 1, 1, false},
    {"through zero", 2000, 10, 1, -1.5, 1, 0, 0, 0, 10, 1, 1, false},
    {"near zero", 2000, 10, 1e-6, 0, 1e-3, 0, 0, 0, 10, 1, 1, false},
    {"large unit", 2000, 10, 1e6, 0, 1, 0, 0, 0, 10, 1, 1, false},
    {"saw-teeth", 2000, 10, 1, 0, 1, 0, 400, 0, 5, 1, 1, false},
    {"harder data from the middle on", 2000, 10, 1, 0, 1, 0, 0, 1.2, 10, 1, 1, false},
    {"harder data, single batches", 2000, 10, 1, 0, 1, 0, 0, 1.2, 10, 1, 1, true},
    {"easier data from the middle on", 2000, 10, 1, 0, 1, 0, 0, 0.8, 10, 1, 1, false},
    {"cosine restarts", 2000, 10, 1, 0, 1, 0, 0, 0, 10, 4, 1, false},
    {"resumed, steps repeat", 2000, 10, 1, 0, 1, 0, 0, 0, 10, 1, 2, false},
    {"several attempts", 2000, 10, 1, 0, 1, 0, 0, 0, 10, 1, 4, false},
    {"evaluated by epoch", 2000, 10, 1, 0, 1, 0, 0, 0, 3, 1, 1, false},
    {"no evaluation", 2000, 10, 1, 0, 1, 0, 0, 0, 0, 1, 1, false},
};
enum { FORMS = sizeof forms / sizeof *forms };

/* The share of the peak learning rate before the update of `step`. */
static double rate_at(const struct form *form, int64_t step)
{
    double warm = 0.05 * (double)form->steps, at = (double)(step - 1);
    if (at < warm)
        return at / warm;
    double done = (at - warm) / ((double)form->steps - warm);
    double cycle = fmod(done * form->cycles, 1);
    return 0.5 + 0.5 * cos(3.141592653589793 * (done >= 1 ? 1 : cycle));
}

/* Of the same data throughout, which is what is evaluated. */
static double plain_at(const struct form *form, int64_t step, double blow_up)
{
    double done = (double)step / (double)form->steps;
    double loss = form->floor + 2 * exp(-8 * done);
    if (form->epoch)
        loss *= 1.1 - 0.1 * (double)(step % form->epoch) / (double)form->epoch;
    if (form->cycles > 1 && done > 0.1)
        loss *= 1 + 0.06 * rate_at(form, step);
    return done > blow_up ? loss + 12 * fmin((done - blow_up) / 0.02, 1) : loss;
}

static double loss_at(const struct form *form, int64_t step, double blow_up)
{
    bool is_other = form->switches_to != 0 && 2 * step > form->steps;
    return plain_at(form, step, blow_up) * (is_other ? form->switches_to : 1);
}

static double shown(const struct form *form, double loss)
{
    double value = loss * form->scale + form->shift, unit = pow(10, form->decimals);
    return form->decimals ? round(value * unit) / unit : value;
}

/* The mean of the interval's losses, or the last of them. */
static double logged(const struct form *form, int64_t step, double blow_up, struct tv_noise *noise)
{
    double sum = 0;
    if (form->is_single)
        return shown(form, loss_at(form, step, blow_up) * (1 + 0.05 * tv_noise_normal(noise)));
    for (int64_t i = step - form->every + 1; i <= step; i++)
        sum += loss_at(form, i, blow_up);
    double scatter = 0.02 / sqrt((double)form->every < 4 ? (double)form->every : 4);
    return shown(form, sum / (double)form->every * (1 + scatter * tv_noise_normal(noise)));
}

static void configure(struct tv_log *log, const struct form *form)
{
    char text[32];
    tv_log_fact(log, "framework", "llamafactory");
    tv_log_fact(log, "learning_rate", "1e-4");
    tv_log_fact(log, "lr_scheduler_type", form->cycles > 1 ? "cosine_with_restarts" : "cosine");
    if (form->cycles > 1) {
        snprintf(text, sizeof text, "{\"num_cycles\": %d}", form->cycles);
        tv_log_fact(log, "lr_scheduler_kwargs", text);
    }
    snprintf(text, sizeof text, "%lld", (long long)form->steps);
    tv_log_fact(log, "max_steps", text);
    snprintf(text, sizeof text, "%lld", (long long)form->steps / 20);
    tv_log_fact(log, "warmup_steps", text);
}

static void tell_point(struct tv_log *log, const struct form *form, int64_t step, double blow_up,
                       struct tv_noise *noise)
{
    double loss = loss_at(form, step, blow_up);
    if (step % form->every == 0) {
        tv_log_point(log, "loss", step, logged(form, step, blow_up, noise));
        tv_log_point(log, "learning_rate", step, 1e-4 * rate_at(form, step));
        tv_log_point(log, "grad_norm", step,
                     0.3 * form->scale * loss * exp(0.2 * tv_noise_normal(noise)));
    }
    if (form->evals && step % (form->steps / form->evals) == 0) {
        loss = plain_at(form, step, blow_up);
        tv_log_point(log, "eval_loss", step,
                     shown(form, loss * (1 + 0.004 * tv_noise_normal(noise))));
        tv_log_point(log, "eval_accuracy", step, 1 / (1 + 0.1 * loss));
    }
}

/* Tells the whole run; `blow_up` is the share of the run after which the loss rises, 2: never. */
static void tell(struct tv_log *log, const struct form *form, double blow_up, uint64_t seed)
{
    struct tv_noise noise = {seed};
    int64_t step = 1;
    tv_log_open(log, NULL);
    configure(log, form);
    for (int attempt = 1; attempt <= form->attempts; attempt++) {
        int64_t end = form->steps * attempt / form->attempts;
        for (; step <= end; step++)
            tell_point(log, form, step, blow_up, &noise);
        if (attempt < form->attempts) {
            tv_log_next_file(log);
            step -= form->steps / 10;
        }
    }
    tv_log_end(log, NAN);
}

static uint64_t seeds_of(const struct form *form)
{
    return form->steps / form->every > 10000 ? 1 : SEEDS;
}

/* The first points on harder data are a jump; once they are the level, it is over. */
static bool may_be_said(const struct form *form, const struct tv_alert *alert)
{
    return form->switches_to > 1 && strcmp(alert->detector, "loss_spike") == 0 &&
           alert->severity == TV_WARNING && alert->state == TV_RESOLVED &&
           alert->resolved_step - alert->onset_step <= 10 * form->every;
}

START_TEST(a_run_that_is_well_is_left_alone_in_every_form)
{
    const struct form *form = &forms[_i];
    for (uint64_t seed = 0; seed < seeds_of(form); seed++) {
        struct tv_log log;
        const struct tv_alert *const *alerts;
        tell(&log, form, 2, seed);
        size_t len = tv_run_alerts(log.run, &alerts);
        for (size_t i = 0; i < len; i++)
            ck_assert_msg(may_be_said(form, alerts[i]), "%s: %s since step %lld: %s", form->name,
                          alerts[i]->detector, (long long)alerts[i]->onset_step,
                          alerts[i]->summary);
        tv_log_close(&log);
    }
}
END_TEST

static double evidence(const struct tv_alert *alert, const char *name)
{
    for (size_t i = 0; i < alert->evidence_len; i++)
        if (strcmp(alert->evidence[i].name, name) == 0)
            return alert->evidence[i].value;
    return NAN;
}

START_TEST(a_blow_up_is_found_soon_and_since_its_step_in_every_form)
{
    const struct form *form = &forms[_i];
    for (uint64_t seed = 0; seed < seeds_of(form); seed++) {
        struct tv_log log;
        tell(&log, form, 0.8, seed);
        const struct tv_alert *alert = tv_log_alert(&log, "divergence");
        ck_assert_msg(alert != NULL, "%s: not found", form->name);
        double since = 0.8 * (double)form->steps, share = 0.03 * (double)form->steps;
        double slack = share > 3 * (double)form->every ? share : 3 * (double)form->every;
        ck_assert_msg(fabs((double)alert->onset_step - since) <= slack, "%s: since step %lld",
                      form->name, (long long)alert->onset_step);
        double good = evidence(alert, "last_good_lr") / 1e-4;
        ck_assert_msg(good <= 1.05 * rate_at(form, (int64_t)(since - slack)) &&
                          good >= 0.95 * rate_at(form, (int64_t)(since + slack)),
                      "%s: last good rate %g of the peak", form->name, good);
        ck_assert_msg((double)alert->step <= since + slack, "%s: found at step %lld", form->name,
                      (long long)alert->step);
        tv_log_close(&log);
    }
}
END_TEST

/* Between 50 % and 65 % of the run; a swing takes 2 % of it. */
static double trouble(const char *detector, double done)
{
    if (done <= 0.5 || done > 0.65)
        return 1;
    if (strcmp(detector, "gradient_vanishing") == 0)
        return 1e-5;
    if (strcmp(detector, "oscillation") == 0)
        return exp(1.2 * sin((done - 0.5) * 50 * 6.283185307179586));
    return 300;
}

START_TEST(what_has_passed_is_over)
{
    static const char *const ids[] = {"divergence", "gradient_explosion", "gradient_vanishing",
                                      "oscillation"};
    const char *id = ids[_i];
    bool is_loss = strncmp(id, "gradient", 8) != 0;
    const struct form *form = &forms[2];
    struct tv_noise noise = {3};
    struct tv_log log;
    tv_log_open(&log, id);
    configure(&log, form);
    for (int64_t step = 1; step <= form->steps; step++) {
        double factor = trouble(id, (double)step / (double)form->steps);
        double loss = loss_at(form, step, 2) * exp(0.02 * tv_noise_normal(&noise));
        double norm = 0.3 * loss * exp(0.1 * tv_noise_normal(&noise));
        tv_log_point(&log, "loss", step, is_loss ? factor * loss : loss);
        tv_log_point(&log, "learning_rate", step, 1e-4 * rate_at(form, step));
        tv_log_point(&log, "grad_norm", step, is_loss ? norm : factor * norm);
        if (step % 20 == 5)
            tv_log_point(&log, "eval_loss", step, is_loss ? factor * loss : loss);
    }
    tv_log_end(&log, NAN);
    const struct tv_alert *alert = tv_log_alert(&log, id);
    ck_assert_msg(alert != NULL, "%s: not found", id);
    ck_assert_msg(alert->onset_step > 490 && alert->onset_step < 600, "%s: since step %lld", id,
                  (long long)alert->onset_step);
    ck_assert_msg(alert->state == TV_RESOLVED, "%s: still fires at the end", id);
    ck_assert_msg(alert->resolved_step >= 600, "%s: over at step %lld", id,
                  (long long)alert->resolved_step);
    tv_log_close(&log);
}
END_TEST

/* The same points of a run that learns nothing, in a plan of ten times the steps. */
START_TEST(the_planned_length_scales_the_windows)
{
    double found[2] = {0};
    for (int i = 0; i < 2; i++) {
        struct form form = forms[2];
        struct tv_noise noise = {4};
        struct tv_log log;
        form.steps *= i ? 10 : 1;
        tv_log_open(&log, "loss_plateau");
        configure(&log, &form);
        for (int64_t step = 5; step <= form.steps && found[i] == 0; step += 5) {
            tv_log_point(&log, "loss", step, 2.3 + 0.02 * tv_noise_normal(&noise));
            tv_log_point(&log, "learning_rate", step, 1e-4 * rate_at(&form, step));
            if (tv_log_alert(&log, "loss_plateau"))
                found[i] = (double)step;
        }
        tv_log_close(&log);
    }
    ck_assert_double_gt(found[0], 0);
    ck_assert_double_ge(found[1], 3 * found[0]);
    ck_assert_double_le(found[1], 20 * found[0]);
}
END_TEST

/* One trouble with three dates: a rise within a short warm-up, losses that stay high, no number. */
START_TEST(a_nan_after_a_rise_within_the_warm_up_is_one_story)
{
    struct form form = forms[7];
    struct tv_noise noise = {1};
    struct tv_log log;
    tv_log_open(&log, NULL);
    configure(&log, &form);
    for (int64_t step = 10; step <= 1000; step += 10) {
        double loss =
            step < 50 ? 3 - 0.01 * (double)step : 2.5 + 20 * (1 - exp(-(double)(step - 50) / 30));
        tv_log_point(&log, "loss", step,
                     step < 800 ? loss * (1 + 0.02 * tv_noise_normal(&noise)) : NAN);
        tv_log_point(&log, "learning_rate", step, 1e-4 * rate_at(&form, step));
    }
    tv_log_end(&log, NAN);
    const struct tv_alert *const *alerts;
    size_t len = tv_run_stories(log.run, &alerts), leaders = 0;
    for (size_t i = 0; i < len; i++)
        leaders += alerts[i]->leader == NULL;
    ck_assert_uint_ge(len, 2);
    ck_assert_uint_eq(leaders, 1);
    ck_assert_str_eq(alerts[0]->detector, "warmup_divergence");
    const struct tv_alert *nan = tv_log_alert(&log, "non_finite");
    ck_assert_ptr_nonnull(nan);
    ck_assert_ptr_eq(nan->leader, alerts[0]);
    ck_assert_int_eq(nan->onset_step, 800);
    ck_assert_int_lt(alerts[0]->onset_step, 150);
    tv_log_close(&log);
}
END_TEST

/* Rewards rise and fall, and the losses of a policy mean nothing. */
START_TEST(reinforcement_learning_is_left_alone)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tv_noise noise = {seed};
        struct tv_log log;
        const struct tv_alert *const *alerts;
        tv_log_open(&log, NULL);
        for (int64_t step = 1000; step <= 200000; step += 1000) {
            double way = (double)step / 2e5;
            tv_log_point(&log, "rollout/ep_rew_mean", step,
                         200 * way * (1 - 0.6 * (way > 0.7)) + 20 * tv_noise_normal(&noise));
            tv_log_point(&log, "rollout/ep_len_mean", step, 100 + 30 * tv_noise_normal(&noise));
            tv_log_point(&log, "train/loss", step, exp(2 * tv_noise_normal(&noise)));
            tv_log_point(&log, "train/policy_gradient_loss", step, tv_noise_normal(&noise));
            tv_log_point(&log, "train/value_loss", step, 10 * way + exp(tv_noise_normal(&noise)));
            tv_log_point(&log, "train/learning_rate", step, 3e-4);
        }
        tv_log_end(&log, NAN);
        size_t len = tv_run_alerts(log.run, &alerts);
        ck_assert_msg(len == 0, "%s: %s", alerts[0]->detector, alerts[0]->summary);
        tv_log_close(&log);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("courses");
    TCase *tcase = tcase_create("courses");
    tcase_add_loop_test(tcase, a_run_that_is_well_is_left_alone_in_every_form, 0, FORMS);
    tcase_add_loop_test(tcase, a_blow_up_is_found_soon_and_since_its_step_in_every_form, 0, FORMS);
    tcase_add_loop_test(tcase, what_has_passed_is_over, 0, 4);
    tcase_add_test(tcase, the_planned_length_scales_the_windows);
    tcase_add_test(tcase, a_nan_after_a_rise_within_the_warm_up_is_one_story);
    tcase_add_test(tcase, reinforcement_learning_is_left_alone);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
