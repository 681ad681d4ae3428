/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_SQUEEZE_H
#define BASE_SQUEEZE_H
/* Text that nobody reads for a while, deflated: fast rather than small. */
#include "trainvet/sample.h"

/* malloc'd; *ret_len is its size. Only what differs from `model` takes room; it may be empty, and
 * only its last 16 KiB count. */
void *tv_squeeze(struct tv_span data, struct tv_span model, size_t *ret_len)
    __attribute__((malloc, returns_nonnull));
/* What tv_squeeze() made of `len` bytes with the same model, put back into `to`. */
void tv_unsqueeze(struct tv_span squeezed, struct tv_span model, void *to, size_t len);

#endif
