/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/ending.h"
#include <signal.h>
#include <stddef.h>

bool tv_is_ending(void *ctx)
{
    sigset_t pending;
    (void)ctx;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}
