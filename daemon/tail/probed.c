/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/probed.h"
#include "base/map.h"
#include "base/memory.h"
#include "trainvet/text.h"
#include <stdlib.h>

enum { CAP_MIN = 64 };

uint64_t tv_probed_key(const char *path, const struct stat *stat)
{
    int64_t facts[] = {(int64_t)stat->st_dev, (int64_t)stat->st_ino, stat->st_size,
                       stat->st_mtim.tv_sec,  stat->st_mtim.tv_nsec, stat->st_ctim.tv_sec,
                       stat->st_ctim.tv_nsec};
    uint64_t hash =
        tv_hash((struct tv_span){(const char *)facts, sizeof facts}, tv_map_hash(tv_span_of(path)));
    return hash ? hash : 1;
}

static struct tv_probed_file *slot_of(const struct tv_probed_table *table, uint64_t key)
{
    size_t i = key & (table->cap - 1);
    while (table->slots[i].key && table->slots[i].key != key)
        i = (i + 1) & (table->cap - 1);
    return &table->slots[i];
}

const struct tv_probed_file *tv_probed_get(struct tv_probed *probed, uint64_t key)
{
    if (!probed->last.len)
        return NULL;
    const struct tv_probed_file *file = slot_of(&probed->last, key);
    if (!file->key)
        return NULL;
    tv_probed_add(probed, file);
    return file;
}

void tv_probed_add(struct tv_probed *probed, const struct tv_probed_file *file)
{
    struct tv_probed_table *table = &probed->now, old = *table;
    if (old.len * 2 >= old.cap) {
        table->cap = old.cap ? old.cap * 2 : CAP_MIN;
        table->slots = tv_xcalloc(table->cap, sizeof *table->slots);
        for (size_t i = 0; i < old.cap; i++)
            if (old.slots[i].key)
                *slot_of(table, old.slots[i].key) = old.slots[i];
        free(old.slots);
    }
    struct tv_probed_file *slot = slot_of(table, file->key);
    table->len += slot->key == 0;
    *slot = *file;
}

void tv_probed_next(struct tv_probed *probed)
{
    free(probed->last.slots);
    probed->last = probed->now;
    probed->now = (struct tv_probed_table){0};
}

void tv_probed_free(struct tv_probed *probed)
{
    tv_probed_next(probed);
    tv_probed_next(probed);
}
