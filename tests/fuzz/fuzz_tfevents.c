/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first byte says how the rest is meant: even, as a file; odd, as records of which each begins
 * with its length in one byte and is framed here with right checksums, since no mutation would get
 * past them. */
#include "fuzz/feed.h"
#include "support/event_compare.h"
#include "support/event_writer.h"
#include <stdio.h>

extern const struct tv_parser tv_parser_tfevents;

static void compare_decoders(struct tv_span data)
{
    struct tv_decoded decoded;
    char *exact = malloc(data.len + 1);
    memcpy(exact, data.data, data.len);
    const char *difference = tv_compare_decoders((struct tv_span){exact, data.len}, &decoded);
    free(exact);
    if (difference) {
        fprintf(stderr, "fuzz: %s\n", difference);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct tv_span bytes = {(const char *)data + 1, size - 1};
    struct tv_bytes file = {0};
    if (data[0] & 1) {
        for (size_t at = 0, len; at < bytes.len; at += len) {
            len = (unsigned char)bytes.data[at++];
            len = len < bytes.len - at ? len : bytes.len - at;
            compare_decoders((struct tv_span){bytes.data + at, len});
            tv_write_record(&file, bytes.data + at, len);
        }
        bytes = tv_bytes_span(&file);
    }
    uint64_t whole = fuzz_run(&tv_parser_tfevents, bytes, bytes.len ? bytes.len : 1);
    if (fuzz_run(&tv_parser_tfevents, bytes, (data[0] >> 1) % 61 + 1u) != whole)
        abort();
    tv_bytes_free(&file);
    return 0;
}
