/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/key_set.h"

uint64_t tv_key_hash(uint64_t state, struct tv_span text)
{
    for (size_t i = 0; i < text.len; i++)
        state = (state ^ (unsigned char)text.data[i]) * 0x100000001B3u;
    return state ? state : 1;
}

bool tv_key_set_has(struct tv_key_set *set, uint64_t hash, bool remember)
{
    size_t i = hash % TV_KEY_SET_SLOTS;
    while (set->slots[i] && set->slots[i] != hash)
        i = (i + 1) % TV_KEY_SET_SLOTS;
    if (set->slots[i])
        return true;
    if (remember && set->len < TV_KEY_SET_MAX) {
        set->slots[i] = hash;
        set->len++;
    }
    return false;
}
