/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_CONFIG_H
#define PARSERS_LIB_CONFIG_H
/* What all configuration readers share: a path of keys joined by '.', facts with secrets masked,
 * dictionaries written as JSON strings, and the framework that the keys give away. */
#include "trainvet/parser.h"

#define TV_CONFIG_BYTES_MAX (1u << 20) /* of one configuration file */
#define TV_CONFIG_DEPTH_MAX 64
#define TV_CONFIG_NODES_MAX 10000
#define TV_CONFIG_KEY_MAX   256 /* bytes of a joined key; values of longer ones are left out */

enum tv_config_type { TV_CONFIG_NULL, TV_CONFIG_NUMBER /* or a bool */, TV_CONFIG_TEXT };

struct tv_config {
    const struct tv_emit *out;
    enum tv_fact_source source;
    char key[TV_CONFIG_KEY_MAX];
    size_t key_len; /* may exceed the buffer: then the key is too long to be told */
    bool said_long_key;
    uint64_t facts;      /* emitted so far */
    bool is_form;        /* text that is a number is one: the program makes it */
    bool in_string;      /* inside a dictionary that was written as a string */
    uint32_t frameworks; /* bits: which frameworks' keys were seen */
    uint32_t framework_line[16];
};

/* `prefix` comes before every key ("" for none). */
struct tv_config tv_config_begin(const struct tv_emit *out, enum tv_fact_source source,
                                 const char *prefix);
/* Goes one key or list index deeper; the result is what leave() wants. */
size_t tv_config_enter(struct tv_config *config, struct tv_span name);
size_t tv_config_enter_index(struct tv_config *config, size_t index);
void tv_config_leave(struct tv_config *config, size_t mark);
bool tv_config_key_is(const struct tv_config *config, const char *key); /* the current, joined */
/* The fact of the current key. */
void tv_config_value(struct tv_config *config, struct tv_span value, enum tv_config_type type,
                     uint32_t line);
/* The fact of another key than the current one. */
void tv_config_fact(struct tv_config *config, const char *key, struct tv_span value,
                    enum tv_config_type type, uint32_t line);
/* Emits the fact "framework" when the keys seen give one away; as the weakest source when it is one
 * that others build on (transformers, accelerate, deepspeed). */
void tv_config_end(struct tv_config *config);
/* Whether the keys seen so far give away this framework. */
bool tv_config_is(const struct tv_config *config, const char *framework);
/* Whether they give away one that nothing else builds on. */
bool tv_config_is_sure(const struct tv_config *config);
/* The result of a snapshot parser's feed() that ended with `status`. */
struct tv_feed tv_config_feed(const struct tv_config *config, enum tv_status status,
                              struct tv_span in);

/* Harmless but odd (a note), or a value that was refused (damage). The text is escaped. */
void tv_config_note(const struct tv_config *config, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void tv_config_refuse(const struct tv_config *config, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One note when bytes that no reader of the framework takes for text stand in it. */
void tv_config_check_text(const struct tv_config *config, struct tv_span text);

/* The text behind a UTF-8 byte order mark. */
struct tv_span tv_config_without_bom(struct tv_span text);

#endif
