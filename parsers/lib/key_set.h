/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_KEY_SET_H
#define PARSERS_LIB_KEY_SET_H
/* Which joined keys a configuration has stated, by their hashes. */
#include "trainvet/sample.h"

#define TV_KEY_SET_SLOTS 2048
#define TV_KEY_SET_MAX   1536 /* a full set forgets new keys */

/* Zero-initialise to create. */
struct tv_key_set {
    uint64_t slots[TV_KEY_SET_SLOTS];
    size_t len;
};

/* FNV-1a, never 0; begin with TV_KEY_HASH and go on with what comes behind. */
#define TV_KEY_HASH 0xCBF29CE484222325u
uint64_t tv_key_hash(uint64_t state, struct tv_span text);
/* Whether it is in the set; else it is put there if `remember`. */
bool tv_key_set_has(struct tv_key_set *set, uint64_t hash, bool remember);

#endif
