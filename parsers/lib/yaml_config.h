/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_YAML_CONFIG_H
#define PARSERS_LIB_YAML_CONFIG_H
/* A YAML mapping as facts, by libyaml's events: nothing is kept but the path to the value. */
#include "lib/config.h"

#define TV_YAML_EXPANSIONS_MAX 100 /* aliases followed in one file; fewer when it is large */

struct tv_yaml_reader {
    struct tv_config *config;
    /* Called for each key of the outermost mapping (NULL allowed); the result is entered instead.
     */
    struct tv_span (*top_key)(void *ctx, struct tv_span key, uint32_t line);
    void *ctx;
};

/* Flattens the first document's mapping. Plain scalars have the types that YAML 1.1 (PyYAML) gives
 * them: `1e-4` has no dot and is text there. Anchors and `<<` are followed. Of a key written twice
 * the last value is used, with a note; so is a second document noted, and bytes that are no UTF-8
 * (read as '?').
 * TV_ECORRUPT: not YAML from *reterr's line on; what came before was emitted. TV_EUNSUPPORTED: no
 * mapping. TV_ELIMIT: over TV_CONFIG_BYTES_MAX, TV_CONFIG_DEPTH_MAX, TV_CONFIG_NODES_MAX or
 * TV_YAML_EXPANSIONS_MAX. */
enum tv_status tv_yaml_config(const struct tv_yaml_reader *reader, struct tv_span yaml,
                              struct tv_error *reterr);

/* For probes: calls `visit` with each key that begins in the first column of `head`. */
void tv_yaml_each_top_key(struct tv_span head, void (*visit)(void *ctx, struct tv_span key),
                          void *ctx);

#endif
