/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/crc32c.h"
#include <isa-l/crc.h>

uint32_t tv_crc32c(const void *data, size_t len)
{
    /* isa-l takes a pointer to non-const but only reads. */
    return ~crc32_iscsi((unsigned char *)data, (int)len, 0xffffffffu);
}

bool tv_crc32c_has_instruction(void)
{
#ifdef __x86_64__
    return __builtin_cpu_supports("sse4.2");
#else
    return false;
#endif
}
