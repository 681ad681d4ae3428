/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/squeeze.h"
#include "base/memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

/* Raw deflate; a window of 16 KiB and small tables: what comes here has a few KiB. */
enum { WINDOW = -14, MEM_LEVEL = 5 };

/* Only without memory, or with memory that somebody has overwritten. */
static void check(int got, int expected)
{
    if (got == expected)
        return;
    fprintf(stderr, "trainvet: memory cannot be squeezed (zlib: %d)\n", got);
    exit(3);
}

void *tv_squeeze(struct tv_span data, struct tv_span model, size_t *ret_len)
{
    z_stream stream = {.next_in = (Bytef *)data.data, .avail_in = (uInt)data.len};
    check(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW, MEM_LEVEL, Z_DEFAULT_STRATEGY),
          Z_OK);
    if (model.len)
        check(deflateSetDictionary(&stream, (const Bytef *)model.data, (uInt)model.len), Z_OK);
    size_t room = deflateBound(&stream, (uLong)data.len);
    unsigned char *to = tv_xmalloc(room);
    stream.next_out = to;
    stream.avail_out = (uInt)room;
    check(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *ret_len = stream.total_out;
    deflateEnd(&stream);
    return tv_xrealloc(to, *ret_len, 1);
}

void tv_unsqueeze(struct tv_span squeezed, struct tv_span model, void *to, size_t len)
{
    z_stream stream = {.next_in = (Bytef *)squeezed.data, .avail_in = (uInt)squeezed.len};
    stream.next_out = to;
    stream.avail_out = (uInt)len;
    check(inflateInit2(&stream, WINDOW), Z_OK);
    if (model.len)
        check(inflateSetDictionary(&stream, (const Bytef *)model.data, (uInt)model.len), Z_OK);
    check(inflate(&stream, Z_FINISH), Z_STREAM_END);
    check(stream.total_out == len, 1);
    inflateEnd(&stream);
}
