/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/tfrecord.h"

enum tv_record_state tv_record_search(struct tv_span in, size_t *at, struct tv_record *ret)
{
    bool has_instruction = tv_crc32c_has_instruction();
    for (; *at + TV_RECORD_HEADER <= in.len; ++*at) {
        const char *place = in.data + *at;
        if (has_instruction ? tv_record_header_ok(place, true) : tv_record_header_ok(place, false))
            return tv_record_read((struct tv_span){place, in.len - *at}, false, true, ret);
    }
    ret->size = TV_RECORD_HEADER;
    return TV_RECORD_SHORT;
}

size_t tv_zero_run(struct tv_span in, size_t from)
{
    size_t at = from;
    while (at + 8 <= in.len && tv_load64(in.data + at) == 0)
        at += 8;
    while (at < in.len && in.data[at] == '\0')
        at++;
    return at - from;
}
