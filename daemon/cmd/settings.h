/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CMD_SETTINGS_H
#define CMD_SETTINGS_H
/* Settings from the command line: what a configuration leaves open (data set size, number of
 * processes). */
#include "engine/engine.h"

/* Adds "KEY=VALUE" as a fact of the highest precedence. TV_ECONFIG when there is no KEY or no '='.
 */
enum tv_status tv_settings_add(struct tv_facts *facts, const char *pair, struct tv_error *reterr);
/* The same for a value that belongs to one option of ours: `option` is "--num-samples". */
enum tv_status tv_settings_add_number(struct tv_facts *facts, const char *key, const char *value,
                                      const char *option, struct tv_error *reterr);
/* "transformers@4.51" or "transformers": whose rules hold. */
enum tv_status tv_settings_add_framework(struct tv_facts *facts, const char *text,
                                         struct tv_error *reterr);

#endif
