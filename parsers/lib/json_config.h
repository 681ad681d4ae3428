/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_JSON_CONFIG_H
#define PARSERS_LIB_JSON_CONFIG_H
/* A JSON object as facts. */
#include "lib/config.h"

/* Flattens the object in `json` into facts "prefix.key.nested.0". The bare NaN, Infinity and
 * -Infinity of Python's json are numbers; a byte order mark is skipped; the line of a nested value
 * is that of its outermost key, in the text given. Also emits "framework" when the keys give it
 * away, and "framework_version" from transformers_version. `key_prefix` is "" for none.
 * TV_ECORRUPT: not JSON, or cut short. TV_EUNSUPPORTED: JSON, but no object. TV_ELIMIT: over
 * TV_CONFIG_BYTES_MAX, TV_CONFIG_DEPTH_MAX or the number of values that we read. Nothing is emitted
 * then. */
enum tv_status tv_json_config(struct tv_span json, const char *key_prefix,
                              enum tv_fact_source source, const struct tv_emit *out,
                              struct tv_error *reterr);

/* The same below the current key of `config`. `line`: of the whole text when it is a value inside
 * another file, 0 when `json` is a file of its own. */
enum tv_status tv_json_flatten(struct tv_config *config, struct tv_span json, uint32_t line,
                               struct tv_error *reterr);

/* Tells each key of the outermost object and its line, in the order of the text. */
void tv_json_keys(struct tv_span json, void (*tell)(void *ctx, struct tv_span key, uint32_t line),
                  void *ctx);

/* The whole of a snapshot parser's feed(). */
struct tv_feed tv_json_feed(enum tv_fact_source source, struct tv_span in,
                            const struct tv_emit *out, struct tv_error *reterr);

#endif
