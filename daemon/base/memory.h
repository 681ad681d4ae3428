/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H
/* Allocation. Running out of memory ends the process with a message (the service manager restarts
 * it and the log files are read again); that is safe because no size from a file gets here
 * unchecked. */
#include "trainvet/sample.h"

void *tv_xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *tv_xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/* Room for `count` elements of `size` bytes; the product is checked. */
void *tv_xrealloc(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *tv_xstrndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));

/* Memory of one life time, freed at once. Zero-initialise to create. */
struct tv_arena {
    struct tv_arena_block *head;
    size_t used; /* bytes handed out, for limits and reports */
};
void *tv_arena_alloc(struct tv_arena *arena, size_t size)
    __attribute__((returns_nonnull)); /* zeroed, 8-aligned */
char *tv_arena_text(struct tv_arena *arena, struct tv_span text) __attribute__((returns_nonnull));
void tv_arena_free(struct tv_arena *arena);

#endif
