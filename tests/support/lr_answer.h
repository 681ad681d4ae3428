/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_LR_ANSWER_H
#define SUPPORT_LR_ANSWER_H
/* Injected learning-rate faults: what lr_mismatch answered, and whether there was anything to
 * answer. */
#include "lib/lr_cause.h"
#include "support/log.h"

/* Answers are causes, and besides: a mismatch that nothing explains; no mismatch at all. */
enum { TV_ANSWER_NONE = TV_LR_CAUSES, TV_ANSWER_SILENT, TV_ANSWERS };

/* "warmup"; static. Causes that differ in what they keep fixed only have one name. */
const char *tv_answer_name(int answer);
bool tv_answer_same(int a, int b);
/* By the sentence of the run's alert. */
int tv_answer_of(const struct tv_log *log);

struct tv_answer_log {
    struct tv_run *run;
    const struct tv_schedule *promise;
    const struct tv_lr_point *points;
    size_t len;
    double accumulation, world_size;
};

/* Is the log visibly other than the promise (four points in a row, 2 %), whatever way of logging
 * is meant? */
bool tv_answer_shows(const struct tv_answer_log *log);
/* Both causes meet every point up to rounding: nobody can tell them apart. */
bool tv_answer_both_fit(const struct tv_answer_log *log, int one, int other);

enum tv_digits { TV_DIGITS_DOUBLE, TV_DIGITS_FLOAT32, TV_DIGITS_4, TV_DIGITS_6, TV_DIGITS };
/* The value as a writer of so many digits writes it. */
double tv_printed(enum tv_digits digits, double value);

#endif
