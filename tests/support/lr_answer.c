/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/lr_answer.h"
#include "engine/run.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *tv_answer_name(int answer)
{
    static const char *const names[TV_ANSWERS] = {
        [TV_LR_KIND] = "kind",          [TV_LR_PARAMETER] = "param", [TV_LR_SCALED] = "scaled",
        [TV_LR_RATE] = "rate",          [TV_LR_WARMUP] = "warmup",   [TV_LR_TOTAL] = "total",
        [TV_LR_TOTAL_RATIO] = "total",  [TV_LR_FLOOR] = "floor",     [TV_LR_LOG_WARMUP] = "logwarm",
        [TV_LR_PER_EPOCH] = "epoch",    [TV_LR_FROZEN] = "frozen",   [TV_LR_RESTARTED] = "restart",
        [TV_LR_JUMPED] = "jump",        [TV_LR_STOPPED] = "stop",    [TV_LR_SHIFTED] = "shift",
        [TV_LR_NEW_TOTAL] = "newtotal", [TV_ANSWER_NONE] = "none",   [TV_ANSWER_SILENT] = "silent"};
    return names[answer];
}

bool tv_answer_same(int a, int b)
{
    return strcmp(tv_answer_name(a), tv_answer_name(b)) == 0;
}

/* What the summary says; the order matters where one sentence holds another's words. */
static const struct {
    const char *words;
    int answer;
} sentences[] = {{"no known cause", TV_ANSWER_NONE},
                 {"follows the scheduler", TV_LR_KIND},
                 {"default parameters", TV_LR_PARAMETER},
                 {"which the configuration does not say", TV_LR_PARAMETER},
                 {"at every step", TV_LR_SCALED},
                 {"the scheduler makes", TV_LR_RATE},
                 {"warm-up takes", TV_LR_WARMUP},
                 {"does not warm up", TV_LR_WARMUP},
                 {"before for", TV_LR_NEW_TOTAL},
                 {"is laid out for", TV_LR_TOTAL},
                 {"falls to", TV_LR_FLOOR},
                 {"logarithmically", TV_LR_LOG_WARMUP},
                 {"changes once in", TV_LR_PER_EPOCH},
                 {"never changes", TV_LR_FROZEN},
                 {"began anew", TV_LR_RESTARTED},
                 {"times what", TV_LR_JUMPED},
                 {"stays at", TV_LR_STOPPED},
                 {"the schedule is", TV_LR_SHIFTED}};

int tv_answer_of(const struct tv_log *log)
{
    const struct tv_alert *alert = tv_log_alert(log, "lr_mismatch");
    if (!alert)
        return TV_ANSWER_SILENT;
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (strstr(alert->summary, sentences[i].words))
            return sentences[i].answer;
    return TV_ANSWER_NONE;
}

bool tv_answer_shows(const struct tv_answer_log *log)
{
    for (int offset = -1; offset <= 1; offset++) {
        int off = 0, most = 0;
        for (size_t i = 0; i < log->len; i++) {
            double n = fmax(0, (double)(log->points[i].step - offset));
            double expected = tv_schedule_lr(log->promise, n);
            bool is_off = fabs(log->points[i].value - expected) >
                          fmax(0.02 * fabs(expected), 4e-3 * log->promise->peak);
            off = is_off ? off + 1 : 0;
            most = off > most ? off : most;
        }
        if (most < 4)
            return false;
    }
    return true;
}

bool tv_answer_both_fit(const struct tv_answer_log *log, int one, int other)
{
    struct tv_view view = {.run = log->run};
    struct tv_lr_points points = {0};
    struct tv_lr_tolerance tolerance = {0};
    for (size_t i = 0; i < log->len; i++)
        tv_lr_points_add(&points, log->points[i].step, log->points[i].value);
    struct tv_lr_case input = {.promise = log->promise,
                               .points = &points,
                               .fit = tv_lr_fit_best(log->promise, &tolerance, &points),
                               .accumulation = log->accumulation,
                               .view = &view,
                               .world_size = log->world_size};
    struct tv_lr_verdict verdicts[TV_LR_VERDICTS];
    size_t found = tv_lr_causes(&input, verdicts);
    bool has_one = false, has_other = false;
    for (size_t i = 0; i < found; i++) {
        has_one |= verdicts[i].is_exact && tv_answer_same((int)verdicts[i].cause, one);
        has_other |= verdicts[i].is_exact && tv_answer_same((int)verdicts[i].cause, other);
    }
    return has_one && has_other;
}

double tv_printed(enum tv_digits digits, double value)
{
    char text[32];
    if (digits == TV_DIGITS_FLOAT32)
        return (double)(float)value;
    if (digits == TV_DIGITS_DOUBLE)
        return value;
    snprintf(text, sizeof text, "%.*e", digits == TV_DIGITS_4 ? 3 : 5, value);
    return strtod(text, NULL);
}
