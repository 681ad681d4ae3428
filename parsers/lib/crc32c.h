/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_CRC32C_H
#define PARSERS_LIB_CRC32C_H
/* CRC-32C (Castagnoli, RFC 3720 appendix B.4) and the masked form that TFRecord stores
 * (tensorflow/tensorflow: tensorflow/core/lib/hash/crc32c.h). */
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Any length below 2 GiB, any processor: isa-l picks its method by itself. */
uint32_t tv_crc32c(const void *data, size_t len);

/* Whether this processor has the instruction that tv_crc32c_instruction() uses. */
bool tv_crc32c_has_instruction(void);

static inline uint32_t tv_crc32c_mask(uint32_t crc)
{
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static inline uint32_t tv_load32(const void *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static inline uint64_t tv_load64(const void *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

/* Above this many bytes isa-l's folding beats the serial instruction. */
#define TV_CRC32C_SHORT 256

#ifdef __x86_64__
/* Assembler instead of the intrinsic, which would forbid inlining into code built for every x86-64.
 */
static inline uint64_t tv_crc32c_step(uint64_t crc, uint64_t word)
{
    __asm__("crc32q %1, %0" : "+r"(crc) : "rm"(word));
    return crc;
}

/* The state from which so many zero bytes, 0 to 7, lead to the initial one of all ones. */
static const uint32_t tv_crc32c_before[] = {0xffffffff, 0xa942e6bc, 0x2804363b, 0x96db52a8,
                                            0x641f6454, 0xcbaa9b55, 0x08de2648, 0xf145ff88};

/* Records have all lengths, and a loop over the odd bytes at the end would be mispredicted at every
 * other one. So the odd bytes, 1 to 8, come first: as one word padded with zeros in front, from the
 * state that these zeros turn into the initial one. */
static inline uint32_t tv_crc32c_instruction(const void *data, size_t len)
{
    const char *end = (const char *)data + len;
    uint64_t crc = 0xffffffffu;
    if (len < 8) {
        for (const char *p = data; p < end; p++)
            __asm__("crc32b %1, %k0" : "+r"(crc) : "rm"(*p));
        return ~(uint32_t)crc;
    }
    size_t pad = -len & 7;
    crc = tv_crc32c_step(tv_crc32c_before[pad], tv_load64(data) << 8 * pad);
    const char *at = end - ((len - 1) & ~(size_t)7);
    for (; end - at >= 32; at += 32) {
        crc = tv_crc32c_step(crc, tv_load64(at));
        crc = tv_crc32c_step(crc, tv_load64(at + 8));
        crc = tv_crc32c_step(crc, tv_load64(at + 16));
        crc = tv_crc32c_step(crc, tv_load64(at + 24));
    }
    for (; at < end; at += 8)
        crc = tv_crc32c_step(crc, tv_load64(at));
    return ~(uint32_t)crc;
}
#else
static inline uint32_t tv_crc32c_instruction(const void *data, size_t len)
{
    return tv_crc32c(data, len);
}
#endif

/* `has_instruction` is a constant at every call, so that one of the two remains. */
static inline __attribute__((always_inline)) uint32_t tv_crc32c_short(const void *data, size_t len,
                                                                      bool has_instruction)
{
    return has_instruction && len <= TV_CRC32C_SHORT ? tv_crc32c_instruction(data, len)
                                                     : tv_crc32c(data, len);
}

#endif
