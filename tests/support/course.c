/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/course.h"
#include "support/noise.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

double tv_curve_learning(double done)
{
    return 0.5 + 2 * exp(-8 * done);
}

double tv_curve_one(double done)
{
    (void)done;
    return 1;
}

double tv_curve_zero(double done)
{
    (void)done;
    return 0;
}

static const char *scheduler_of(const struct tv_course *course)
{
    return course->scheduler ? course->scheduler : "cosine";
}

/* As a part of the peak: linear warm-up, then constant or half a cosine. */
static double promised(const struct tv_course *course, double step)
{
    double total = (double)(course->planned ? course->planned : course->steps);
    if (step < course->warmup)
        return step / course->warmup;
    if (strncmp(scheduler_of(course), "constant", 8) == 0)
        return 1;
    return 0.5 + 0.5 * cos(3.141592653589793 * (step - course->warmup) / (total - course->warmup));
}

static double shown(const struct tv_course *course, double loss)
{
    double value = loss * (course->scale != 0 ? course->scale : 1) + course->shift;
    double unit = pow(10, course->decimals);
    return course->decimals ? round(value * unit) / unit : value;
}

static void configure(struct tv_log *log, const struct tv_course *course)
{
    char text[32];
    if (!course->planned)
        return;
    tv_log_fact(log, "framework", "llamafactory");
    tv_log_fact(log, "learning_rate", "1e-4");
    tv_log_fact(log, "lr_scheduler_type", scheduler_of(course));
    snprintf(text, sizeof text, "%lld", (long long)course->planned);
    tv_log_fact(log, "max_steps", text);
    snprintf(text, sizeof text, "%.0f", course->warmup);
    tv_log_fact(log, "warmup_steps", text);
}

void tv_course_tell(struct tv_log *log, const char *detector, const struct tv_course *course)
{
    struct tv_noise noise = {course->seed + 1}, eval_noise = {course->seed + 1000};
    double total = (double)(course->planned ? course->planned : course->steps);
    tv_log_open(log, detector);
    configure(log, course);
    for (int64_t step = 1; step <= course->steps; step++) {
        double done = (double)step / total;
        double loss = course->train ? course->train(done) : tv_curve_learning(done);
        if (step % course->every == 0) {
            double share = course->lr ? course->lr(done) : promised(course, (double)step - 1);
            tv_log_point(log, "loss", step,
                         shown(course, loss * (1 + course->noise * tv_noise_normal(&noise))));
            tv_log_point(log, "learning_rate", step, 1e-4 * share);
            if (course->gradient)
                tv_log_point(log, "grad_norm", step, course->gradient(done));
        }
        if (course->eval_every && step % course->eval_every == 0) {
            double eval = course->eval ? course->eval(done) : loss;
            eval *= 1 + course->eval_noise * tv_noise_normal(&eval_noise);
            tv_log_point(log, "eval_loss", step, shown(course, eval));
        }
    }
}

const struct tv_alert *tv_course_judge(struct tv_log *log, const char *detector,
                                       const struct tv_course *course)
{
    tv_course_tell(log, detector, course);
    tv_log_end(log, NAN);
    return tv_log_alert(log, detector);
}

bool tv_course_alarms(const char *detector, const struct tv_course *course)
{
    struct tv_log log;
    bool alarms = tv_course_judge(&log, detector, course) != NULL;
    tv_log_close(&log);
    return alarms;
}
