/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_SIGN_H
#define SINKS_LIB_SIGN_H
/* HMAC-SHA256 (RFC 2104) and Base64 (RFC 4648), by GnuTLS. */
#include "trainvet/sample.h"

#define TV_SIGNATURE_MAX 48 /* 44 characters and the NUL */
/* Base64 of the HMAC of `message` under `key`. False when GnuTLS refuses. */
bool tv_sign(struct tv_span key, struct tv_span message, char signature[TV_SIGNATURE_MAX]);

/* False, and an empty text, when the result and its NUL do not fit into `cap`. */
bool tv_base64(struct tv_span data, char *text, size_t cap);

#endif
