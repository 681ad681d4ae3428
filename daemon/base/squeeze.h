/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_SQUEEZE_H
#define BASE_SQUEEZE_H
/* Text that nobody reads for a while, deflated: fast rather than small. */
#include <stddef.h>

/* malloc'd; *ret_len is its size. */
void *tv_squeeze(const void *data, size_t len, size_t *ret_len)
    __attribute__((malloc, returns_nonnull));
/* What tv_squeeze() made of `len` bytes, put back into `to`. */
void tv_unsqueeze(const void *squeezed, size_t squeezed_len, void *to, size_t len);

#endif
