/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_TOML_CONFIG_H
#define PARSERS_LIB_TOML_CONFIG_H
/* TOML settings as facts. Source: toml.io/en/v1.0.0. */
#include "lib/config.h"

/* Flattens tables, dotted keys, arrays and inline tables into the config. Numbers lose
 * their separators ("1_000"); escapes in basic strings are decoded. A line
 * that is no TOML is refused by itself (damage) and the next one is read. TV_ELIMIT: over
 * TV_CONFIG_BYTES_MAX or TV_CONFIG_NODES_MAX. */
enum tv_status tv_toml_config(struct tv_config *config, struct tv_span toml,
                              struct tv_error *reterr);

#endif
