/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ENDING_H
#define BASE_ENDING_H
#include <stdbool.h>

/* Whether SIGTERM or SIGINT waits for the event loop, which has them blocked: long work stops then.
 * `ctx` is not used; it is there for those who take a callback. */
bool tv_is_ending(void *ctx);

#endif
