/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H
/* What every answer has: its type, and that nobody guesses or keeps it. */
#include <microhttpd.h>
#include <stddef.h>

/* Takes `body`, which malloc() gave, also when it returns NULL (no memory). */
struct MHD_Response *tv_response_new(char *body, size_t len, const char *type);

#endif
