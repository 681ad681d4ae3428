/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/address.h"
#include "trainvet/text.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool is_link_local4(const unsigned char *bytes)
{
    return bytes[0] == 169 && bytes[1] == 254;
}

bool tv_is_link_local(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return is_link_local4((const unsigned char *)&in.sin_addr);
    }
    if (address->sa_family != AF_INET6)
        return false;
    struct sockaddr_in6 in;
    memcpy(&in, address, sizeof in);
    return IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr) && is_link_local4(in.sin6_addr.s6_addr + 12));
}

bool tv_is_link_local_text(const char *host)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in_six = {.sin6_family = AF_INET6};
    char text[INET6_ADDRSTRLEN];
    struct tv_span span = tv_span_of(host);
    if (span.len && *span.data == '[') {
        span.data++;
        span.len -= 2;
    }
    const char *zone = span.len ? memchr(span.data, '%', span.len) : NULL;
    if (zone)
        span.len = (size_t)(zone - span.data);
    if (!tv_span_copy(span, text, sizeof text))
        return false;
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return tv_is_link_local((const struct sockaddr *)&in);
    return inet_pton(AF_INET6, text, &in_six.sin6_addr) == 1 &&
           tv_is_link_local((const struct sockaddr *)&in_six);
}
