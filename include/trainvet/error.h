/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAINVET_ERROR_H
#define TRAINVET_ERROR_H
/* Status codes and the one error record that every layer fills the same way.
 * The layer that detects returns; the layer that decides (command, daemon) prints. */
#include <stdint.h>

enum tv_status {
    TV_OK = 0,
    TV_AGAIN,        /* not an error: more bytes may come */
    TV_ECORRUPT,     /* bytes that the format forbids */
    TV_EUNSUPPORTED, /* well-formed, but not something we read */
    TV_EIO,          /* the system refused: see sys_errno */
    TV_ECONFIG,      /* a setting is wrong */
    TV_ELIMIT        /* a bound of ours was reached */
};

struct tv_error {
    enum tv_status status;
    int sys_errno;     /* 0 unless status is TV_EIO */
    uint64_t offset;   /* byte offset in the input, when it means something */
    uint32_t line;     /* 1-based line, 0 when the format has none */
    char message[240]; /* one sentence without a full stop, no path, no newline */
};

/* Fills *reterr (NULL allowed) and returns `status`, so that `return tv_fail(...)` reads well.
 * offset, line and sys_errno are zeroed; set them afterwards where they are known. */
enum tv_status tv_fail(struct tv_error *reterr, enum tv_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
