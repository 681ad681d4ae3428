/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks grow with the arena, so that at most about a ninth of it lies idle. */
enum { BLOCK_MIN = 256, BLOCK_MAX = 16 * 1024, ALIGNMENT = 8 };

struct tv_arena_block {
    struct tv_arena_block *next;
    size_t size, used;
    _Alignas(ALIGNMENT) char data[];
};

static void *checked(void *block, size_t size)
{
    if (block)
        return block;
    fprintf(stderr, "trainvet: out of memory (%zu bytes wanted)\n", size);
    exit(3);
}

void *tv_xmalloc(size_t size)
{
    return checked(malloc(size ? size : 1), size);
}

void *tv_xcalloc(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1), size);
}

void *tv_xrealloc(void *old, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        checked(NULL, SIZE_MAX);
    return checked(realloc(old, total ? total : 1), total);
}

char *tv_xstrndup(const char *text, size_t len)
{
    char *copy = tv_xmalloc(len + 1);
    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void *tv_arena_alloc(struct tv_arena *arena, size_t size)
{
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct tv_arena_block *block = arena->head;
    if (!block || block->size - block->used < size) {
        size_t room = arena->used / 8;
        room = room < BLOCK_MIN ? BLOCK_MIN : room > BLOCK_MAX ? BLOCK_MAX : room;
        room = size > room ? size : room;
        block = tv_xmalloc(sizeof *block + room);
        *block = (struct tv_arena_block){.next = arena->head, .size = room};
        arena->head = block;
    }
    void *result = block->data + block->used;
    block->used += size;
    arena->used += size;
    return memset(result, 0, size);
}

char *tv_arena_text(struct tv_arena *arena, struct tv_span text)
{
    char *copy = tv_arena_alloc(arena, text.len + 1);
    if (text.len)
        memcpy(copy, text.data, text.len);
    return copy;
}

void tv_arena_free(struct tv_arena *arena)
{
    while (arena->head) {
        struct tv_arena_block *next = arena->head->next;
        free(arena->head);
        arena->head = next;
    }
    arena->used = 0;
}
