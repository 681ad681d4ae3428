/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_TFRECORD_H
#define PARSERS_LIB_TFRECORD_H
/* TFRecord framing (tensorflow/tensorflow: tensorflow/core/lib/io/record_writer.cc):
 * u64 length, u32 masked CRC-32C of these 8 bytes, data, u32 masked CRC-32C of the data;
 * little-endian. */
#include "lib/crc32c.h"
#include "trainvet/parser.h"

#define TV_RECORD_HEADER 12
#define TV_RECORD_FRAME  16 /* header and data CRC */
/* Largest record, frame included, that is looked into; behind it the next header must still be
 * visible. */
#define TV_RECORD_SHOWN (TV_PARSER_WINDOW - TV_RECORD_HEADER)
/* Largest length that is believed, whatever its CRC says (protobuf cannot serialise more than 2
 * GiB). */
#define TV_RECORD_LENGTH_MAX (UINT64_C(1) << 31)

enum tv_record_state {
    TV_RECORD_OK,
    TV_RECORD_SHORT,      /* not all there yet: `size` bytes are needed */
    TV_RECORD_BAD_LENGTH, /* the header cannot be trusted: where the next record begins is unknown
                           */
    TV_RECORD_BAD_DATA,   /* sound header, damaged data */
    TV_RECORD_LARGE       /* sound header, larger than TV_RECORD_SHOWN: skip `size` bytes unseen */
};

struct tv_record {
    struct tv_span data; /* TV_RECORD_OK and TV_RECORD_BAD_DATA */
    uint64_t size;       /* with frame; TV_RECORD_HEADER while the length is not known */
};

static inline bool tv_record_header_ok(const char *at, bool has_instruction)
{
    return tv_load32(at + 8) == tv_crc32c_mask(tv_crc32c_short(at, 8, has_instruction)) &&
           tv_load64(at) <= TV_RECORD_LENGTH_MAX;
}

/* The record at the start of `in`. Inline because it is half of the work on a file of scalars;
 * has_instruction as for tv_crc32c_short(). Without `checks_data` the header's checksum alone is
 * looked at, and data are never bad. */
static inline __attribute__((always_inline)) enum tv_record_state tv_record_read(
    struct tv_span in, bool has_instruction, bool checks_data, struct tv_record *ret)
{
    ret->size = TV_RECORD_HEADER;
    if (in.len < TV_RECORD_HEADER)
        return TV_RECORD_SHORT;
    if (!tv_record_header_ok(in.data, has_instruction))
        return TV_RECORD_BAD_LENGTH;
    uint64_t length = tv_load64(in.data);
    ret->size = length + TV_RECORD_FRAME;
    if (ret->size > TV_RECORD_SHOWN)
        return TV_RECORD_LARGE;
    if (ret->size > in.len)
        return TV_RECORD_SHORT;
    ret->data = (struct tv_span){in.data + TV_RECORD_HEADER, (size_t)length};
    if (!checks_data)
        return TV_RECORD_OK;
    uint32_t crc = tv_crc32c_mask(tv_crc32c_short(ret->data.data, ret->data.len, has_instruction));
    return tv_load32(ret->data.data + length) == crc ? TV_RECORD_OK : TV_RECORD_BAD_DATA;
}

/* The same when the record is sound, at most TV_CRC32C_SHORT bytes long and followed by as many:
 * what nearly every record is costs one comparison a promise. False says nothing about it. */
static inline __attribute__((always_inline)) bool tv_record_read_short(
    const char *at, const char *end, bool has_instruction, bool checks_data, struct tv_record *ret)
{
    if (end - at < TV_RECORD_FRAME + TV_CRC32C_SHORT)
        return false;
    uint64_t length = tv_load64(at);
    if (length > TV_CRC32C_SHORT || !tv_record_header_ok(at, has_instruction))
        return false;
    ret->size = length + TV_RECORD_FRAME;
    ret->data = (struct tv_span){at + TV_RECORD_HEADER, (size_t)length};
    return !checks_data ||
           tv_load32(ret->data.data + length) ==
               tv_crc32c_mask(tv_crc32c_short(ret->data.data, ret->data.len, has_instruction));
}

/* Where reading can go on after damage: the first place from *at on that holds a sound record.
 * Moves *at there and returns TV_RECORD_OK or TV_RECORD_LARGE (taken on its header's word).
 * TV_RECORD_SHORT: none so far, and *at is the first place that could not be tested for want of
 * bytes, ret->size of them. TV_RECORD_BAD_DATA: a sound header with damaged data at *at; the caller
 * decides whether to search on behind it, since each such test costs ret->size bytes of work. */
enum tv_record_state tv_record_search(struct tv_span in, size_t *at, struct tv_record *ret);

/* Length of the run of zero bytes at `from`: files have them where a block was never written. */
size_t tv_zero_run(struct tv_span in, size_t from);

#endif
