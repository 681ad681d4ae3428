/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_MAP_H
#define BASE_MAP_H
/* A hash map from byte strings to pointers; keys and values belong to the caller and must outlive
 * the map. The hash is keyed at random per process (other people choose the keys). Zero-initialise
 * to create. */
#include "trainvet/sample.h"

struct tv_map {
    struct tv_map_slot *slots;
    size_t cap, len;
};

void *tv_map_get(const struct tv_map *map, struct tv_span key);       /* NULL when absent */
void tv_map_set(struct tv_map *map, struct tv_span key, void *value); /* value not NULL; replaces */
void tv_map_free(struct tv_map *map);

/* The hash that maps use: keyed at random per process. */
uint64_t tv_map_hash(struct tv_span key);

uint64_t tv_hash(struct tv_span bytes, uint64_t from); /* not keyed: stable across processes */

#endif
