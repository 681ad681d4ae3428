/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/block.h"
#include "base/memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 8, RUN_MAX = 255, ALL = 0xFF };

struct words {
    const unsigned char *data;
    size_t size, at; /* bytes */
};

/* The last word may be cut short: zeros follow. */
static uint64_t peek(const struct words *words)
{
    uint64_t word = 0;
    size_t left = words->size - words->at;
    memcpy(&word, words->data + words->at, left < WORD ? left : WORD);
    return word;
}

static void step(struct words *words)
{
    size_t left = words->size - words->at;
    words->at += left < WORD ? left : WORD;
}

/* Flags of the bytes that are not zero, the lowest address first. */
static unsigned flags_of(uint64_t word)
{
    unsigned char bytes[WORD];
    unsigned flags = 0;
    memcpy(bytes, &word, WORD);
    for (unsigned i = 0; i < WORD; i++)
        flags |= (unsigned)(bytes[i] != 0) << i;
    return flags;
}

static size_t put_some(unsigned char *to, uint64_t word, unsigned flags)
{
    unsigned char bytes[WORD];
    size_t len = 0;
    memcpy(bytes, &word, WORD);
    to[len++] = (unsigned char)flags;
    for (unsigned i = 0; i < WORD; i++)
        if (flags >> i & 1)
            to[len++] = bytes[i];
    return len;
}

/* At most 10 bytes for each 8. */
static size_t pack(const void *data, size_t size, unsigned char *to)
{
    struct words words = {data, size, 0};
    size_t len = 0;
    while (words.at < size) {
        uint64_t word = peek(&words);
        unsigned flags = flags_of(word), count = 0;
        len += put_some(to + len, word, flags);
        step(&words);
        if (flags != 0 && flags != ALL)
            continue;
        size_t count_at = len++;
        while (words.at < size && count < RUN_MAX) {
            word = peek(&words);
            if (flags ? flags_of(word) != ALL : word != 0)
                break;
            if (flags) {
                memcpy(to + len, &word, WORD);
                len += WORD;
            }
            count++;
            step(&words);
        }
        to[count_at] = (unsigned char)count;
    }
    return len;
}

static void put_word(unsigned char *to, size_t size, size_t *at, uint64_t word)
{
    size_t left = size - *at, len = left < WORD ? left : WORD;
    memcpy(to + *at, &word, len);
    *at += len;
}

/* `to` is zeroed. */
static void unpack(const unsigned char *from, unsigned char *to, size_t size)
{
    for (size_t at = 0; at < size;) {
        unsigned flags = *from++;
        unsigned char bytes[WORD] = {0};
        uint64_t word;
        for (unsigned i = 0; i < WORD; i++)
            if (flags >> i & 1)
                bytes[i] = *from++;
        memcpy(&word, bytes, WORD);
        put_word(to, size, &at, word);
        if (flags == 0)
            at += (size_t)*from++ * WORD;
        if (flags != ALL)
            continue;
        for (unsigned count = *from++; count > 0; count--, from += WORD) {
            memcpy(&word, from, WORD);
            put_word(to, size, &at, word);
        }
    }
}

void *tv_block_unfold(struct tv_block *block, size_t size)
{
    block->is_open = true;
    if (block->data && !block->is_folded)
        return block->data;
    void *open = tv_xcalloc(1, size);
    if (block->data)
        unpack(block->data, open, size);
    free(block->data);
    block->data = open;
    block->is_folded = false;
    return open;
}

void tv_block_fold(struct tv_block *block, size_t size)
{
    unsigned char packed[TV_BLOCK_FOLD_MAX / WORD * (WORD + 2) + WORD];
    if (!block->is_open || size > TV_BLOCK_FOLD_MAX)
        return;
    block->is_open = false;
    size_t len = pack(block->data, size, packed);
    if (len > size - size / 8)
        return; /* hardly anything to be gained */
    free(block->data);
    block->data = memcpy(tv_xmalloc(len), packed, len);
    block->len = (uint32_t)len;
    block->is_folded = true;
}

void tv_block_free(struct tv_block *block)
{
    free(block->data);
    *block = (struct tv_block){0};
}
