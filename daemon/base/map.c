/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/map.h"
#include "base/memory.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct tv_map_slot {
    struct tv_span key;
    void *value; /* NULL: free */
    uint64_t hash;
};

static uint64_t seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)time(NULL) * 0x9E3779B97F4A7C15ull;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product =
        (unsigned __int128)(a ^ 0x2D358DCCAA6C78A5ull) * (b ^ 0x8BB84B93962EACC9ull);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Multiply-and-fold over 8-byte words, in the manner of wyhash (Wang Yi, public domain): well
 * spread for short keys. */
uint64_t tv_hash(struct tv_span bytes, uint64_t from)
{
    uint64_t state = from ^ bytes.len;
    const char *p = bytes.data;
    size_t left = bytes.len;
    for (; left >= 8; p += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        state = mix(state, word);
    }
    uint64_t tail = 0;
    if (left)
        memcpy(&tail, p, left);
    return mix(mix(state, tail), bytes.len);
}

static struct tv_map_slot *find(const struct tv_map *map, struct tv_span key, uint64_t hash)
{
    size_t i = hash & (map->cap - 1);
    while (map->slots[i].value) {
        struct tv_map_slot *slot = &map->slots[i];
        if (slot->hash == hash && slot->key.len == key.len &&
            (key.len == 0 || memcmp(slot->key.data, key.data, key.len) == 0))
            return slot;
        i = (i + 1) & (map->cap - 1);
    }
    return &map->slots[i];
}

uint64_t tv_map_hash(struct tv_span key)
{
    pthread_once(&seed_once, make_seed);
    return tv_hash(key, seed);
}

void *tv_map_get(const struct tv_map *map, struct tv_span key)
{
    return map->len ? find(map, key, tv_hash(key, seed))->value : NULL;
}

static void grow(struct tv_map *map)
{
    struct tv_map old = *map;
    map->cap = old.cap ? old.cap * 2 : 8;
    map->slots = tv_xcalloc(map->cap, sizeof *map->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].value)
            *find(map, old.slots[i].key, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

void tv_map_set(struct tv_map *map, struct tv_span key, void *value)
{
    if (map->len * 4 >= map->cap * 3)
        grow(map);
    uint64_t hash = tv_map_hash(key);
    struct tv_map_slot *slot = find(map, key, hash);
    map->len += slot->value == NULL;
    *slot = (struct tv_map_slot){key, value, hash};
}

void tv_map_free(struct tv_map *map)
{
    free(map->slots);
    *map = (struct tv_map){0};
}
