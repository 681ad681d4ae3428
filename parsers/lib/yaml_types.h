/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_YAML_TYPES_H
#define PARSERS_LIB_YAML_TYPES_H
/* The types that YAML 1.1 gives to scalars, as PyYAML's resolver does (yaml/resolver.py, 6.0). */
#include "lib/config.h"

/* `tag` is NULL or the scalar's explicit tag. */
enum tv_config_type tv_yaml_type(struct tv_span text, bool is_plain, const char *tag);

#define TV_YAML_NUMBER_MAX 64
/* A plain scalar of TV_CONFIG_NUMBER in digits that other readers understand: 0x1F, 017, 0b11, 1:30
 * (ninety), 1__0 and .inf are written anew into `buffer`; the text itself when that is not needed,
 * or too long. */
struct tv_span tv_yaml_number(struct tv_span text, char buffer[TV_YAML_NUMBER_MAX]);

/* Bytes of the UTF-8 character at the start of `text` when YAML allows it; 0 when it is none. */
size_t tv_yaml_char_length(struct tv_span text);

#endif
