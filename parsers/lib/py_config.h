/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_PY_CONFIG_H
#define PARSERS_LIB_PY_CONFIG_H
/* A configuration that is written in Python, as facts: the assignments of literals in the first
 * column. Nothing is run: dict(...), {...}, [...], (...), texts, numbers, their sums and products,
 * and names of numbers assigned before have a value; anything else has none. */
#include "lib/config.h"

/* TV_ECORRUPT: a bracket or a text is never closed; what came before was emitted. TV_ELIMIT: over
 * TV_CONFIG_BYTES_MAX, TV_CONFIG_DEPTH_MAX or TV_CONFIG_NODES_MAX. */
enum tv_status tv_py_config(struct tv_config *config, struct tv_span text, struct tv_error *reterr);

/* For probes: how many of `names` (ended by NULL) are assigned in the first column of `head`. */
int tv_py_count_names(struct tv_span head, const char *const *names);

#endif
