/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_NUMBERS_H
#define SCHEDULE_NUMBERS_H
/* Settings that hold something else where a schedule needs a number: taken for absent they would
 * silently become the default. */
#include "model/facts.h"
#include "trainvet/error.h"

/* TV_ECONFIG when one of them is no number ("ten", "5%", a list): every trainer dies of it, if not
 * in its reader of configurations (pydantic, argparse), then at the first sum (transformers'
 * HfArgumentParser.parse_dict passes on what stands in the file). "auto", null and "${...}" may
 * stand for one. */
enum tv_status tv_numbers_check(const struct tv_facts *facts, struct tv_error *reterr);

#endif
