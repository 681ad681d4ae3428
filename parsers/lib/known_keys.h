/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_KNOWN_KEYS_H
#define PARSERS_LIB_KNOWN_KEYS_H
/* The settings that LLaMA Factory takes: its own and those of transformers' TrainingArguments, of
 * all their versions. */
#include "trainvet/sample.h"

bool tv_known_key(struct tv_span key);
/* What the user may have meant: a key, or how to write it; NULL when nothing is near. */
const char *tv_nearest_key(struct tv_span key);
/* The same where a project may have settings of its own: one slip of the pen away, or an argument
 * of a scheduler at the wrong place. */
const char *tv_misspelt_key(struct tv_span key);

#endif
