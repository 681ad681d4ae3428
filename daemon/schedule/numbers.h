/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_NUMBERS_H
#define SCHEDULE_NUMBERS_H
/* Settings that hold something else where a schedule needs a number: taken for absent they would
 * silently become the default. */
#include "model/facts.h"
#include "trainvet/error.h"

/* TV_ECONFIG when one of them is no number ("ten", "5%", a list), or has a fraction where steps or
 * samples are counted: every trainer dies of it, if not in its reader of configurations (pydantic,
 * argparse), then at the first sum or range (transformers' HfArgumentParser.parse_dict passes on
 * what stands in the file). "auto", "${...}" and null may stand for one, but for `is_hf` null is as
 * wrong where TrainingArguments needs a number. */
enum tv_status tv_numbers_check(const struct tv_facts *facts, bool is_hf, struct tv_error *reterr);

#endif
