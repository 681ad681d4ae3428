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

/* The whole of a snapshot parser's feed(). `framework`: what the file's name or probe has shown,
 * NULL to go by the keys. A file without any value is no error. */
struct tv_feed tv_yaml_feed(enum tv_fact_source source, const char *framework, struct tv_span in,
                            const struct tv_emit *out, struct tv_error *reterr);

/* For probes: whether the name ends as YAML's do, and how many of `keys` (ended by NULL) begin in
 * the first column of `head`. */
bool tv_yaml_name(struct tv_span basename);
int tv_yaml_count_keys(struct tv_span head, const char *const *keys);

#endif
