/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H
/* Network addresses that a service must not be led to. */
#include <stdbool.h>
#include <sys/socket.h>

/* 169.254.0.0/16 and fe80::/10, the first also written as ::ffff:169.254.x.y: where clouds keep the
 * credentials of their machines. */
bool tv_is_link_local(const struct sockaddr *address);
/* The same for an address as text, "169.254.169.254", "fe80::1" or "[fe80::1%eth0]"; false for a
 * name. */
bool tv_is_link_local_text(const char *host);

#endif
