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

/* Records have all lengths, and a loop over the odd bytes at the end would be mispredicted at every
 * other one. So the odd bytes come first, as one word padded with zeros in front: from a register
 * of zero, leading zeros change nothing, and the initial value of all ones is the same as inverting
 * the first four bytes of the message. */
static inline uint32_t tv_crc32c_instruction(const void *data, size_t len)
{
    const unsigned char *p = data;
    uint64_t crc = 0xffffffffu;
    if (len < 8) {
        for (; len; p++, len--)
            __asm__("crc32b %1, %k0" : "+r"(crc) : "rm"(*p));
        return ~(uint32_t)crc;
    }
    size_t odd = ((len - 1) & 7) + 1; /* 1 to 8 */
    crc = tv_crc32c_step(0, (tv_load64(p) ^ 0xffffffffu) << (64 - 8 * odd));
    const unsigned char *end = p + len;
    p += odd;
    if (p < end) {
        crc = tv_crc32c_step(crc, tv_load64(p) ^ UINT64_C(0xffffffff) >> (8 * odd - 1) >> 1);
        for (p += 8; p < end; p += 8)
            crc = tv_crc32c_step(crc, tv_load64(p));
    }
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
