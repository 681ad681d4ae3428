/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H
/* Where the service listens: "ADDRESS:PORT", "[ADDRESS]:PORT" or "unix:/PATH". */
#include "trainvet/error.h"

/* TV_ECONFIG, and why, when it can be none of these. */
enum tv_status tv_listen_check(const char *where, struct tv_error *reterr);
/* A listening socket, non-blocking; -1 and why. A socket file that nobody has removed makes room.
 */
int tv_listen(const char *where, struct tv_error *reterr);
/* Removes the socket file, where there is one. */
void tv_listen_remove(const char *where);

#endif
