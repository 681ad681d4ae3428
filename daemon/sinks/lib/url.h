/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_URL_H
#define SINKS_LIB_URL_H
/* Addresses that alerts may be sent to. */
#include "trainvet/error.h"
#include <stdbool.h>

#define TV_URL_MAX 2048 /* bytes with the NUL */

/* TV_ECONFIG with the reason unless `url` is a http or https address with a host, without a user or
 * password in it, and not link-local (169.254/16, fe80::/10) unless that is allowed. Names are
 * looked at when they are resolved, by the host. `option` is where it came from. */
enum tv_status tv_url_check(const char *option, const char *url, bool allow_link_local,
                            struct tv_error *reterr);

#endif
