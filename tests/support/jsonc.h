/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_JSONC_H
#define SUPPORT_JSONC_H
/* Helpers for goldens that json-c reads: the labelled runs, here and beside the source tree. */
#include "support/capture.h"
#include <json-c/json.h>
#include <stdio.h>

/* Calls `check` for each file that matches fixtures/logs/<pattern>, ../shared/bench/dev/<pattern>
 * or ../shared/real/runs/<pattern>, those that exist. Returns how many there were. */
size_t tv_each_log(const char *pattern, void (*check)(const char *path));
/* `text` has all lines that begin with `start` and nothing else. */
void tv_keep_lines(char *text, const char *start);
/* One "S ..." line as tests/support/capture.h writes it, added to `file`. */
void tv_print_sample(FILE *file, const char *tag, int64_t step, double wall_time, double value);
/* A number or a string that is one, by strtod. */
bool tv_jsonc_number(struct json_object *value, double *ret);

#endif
