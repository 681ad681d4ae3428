/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/listen.h"
#include "trainvet/text.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 64 };

/* Of a Unix socket; NULL: it is another address. */
static const char *path_of(const char *where)
{
    return strncmp(where, "unix:", 5) == 0 ? where + 5 : NULL;
}

/* The socket of a service that was killed. Nothing else is removed. */
static void remove_stale(const char *path)
{
    struct stat stat;
    if (lstat(path, &stat) == 0 && S_ISSOCK(stat.st_mode))
        unlink(path);
}

static int listen_unix(const char *path, struct tv_error *reterr)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >=
        sizeof address.sun_path) {
        tv_fail(reterr, TV_ECONFIG, "listen: the socket's path is too long");
    } else if (fd >= 0) {
        remove_stale(path);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, BACKLOG) == 0)
            return fd;
        tv_fail(reterr, TV_EIO, "listen: %.120s: %s", path, strerrordesc_np(errno));
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* NULL, and *reterr says so, when it is none. */
static struct addrinfo *parse_tcp(const char *where, struct tv_error *reterr)
{
    char host[128];
    const char *colon = strrchr(where, ':'), *from = where;
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM},
                    *found = NULL;
    size_t len = colon ? (size_t)(colon - where) : 0;
    if (len > 1 && where[0] == '[' && colon[-1] == ']') {
        from++;
        len -= 2;
    }
    if (!colon || !tv_span_copy((struct tv_span){from, len}, host, sizeof host) ||
        getaddrinfo(host, colon + 1, &hints, &found) != 0) {
        tv_fail(reterr, TV_ECONFIG, "listen: expected ADDRESS:PORT or unix:/PATH, not \"%.120s\"",
                where);
        return NULL;
    }
    return found;
}

enum tv_status tv_listen_check(const char *where, struct tv_error *reterr)
{
    if (path_of(where))
        return strlen(path_of(where)) < sizeof((struct sockaddr_un *)0)->sun_path &&
                       path_of(where)[0] == '/'
                   ? TV_OK
                   : tv_fail(reterr, TV_ECONFIG,
                             "listen: the socket's path is relative or too long");
    struct addrinfo *found = parse_tcp(where, reterr);
    if (!found)
        return TV_ECONFIG;
    freeaddrinfo(found);
    return TV_OK;
}

static int listen_tcp(const char *where, struct tv_error *reterr)
{
    struct addrinfo *found = parse_tcp(where, reterr);
    if (!found)
        return -1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    if (!ok)
        tv_fail(reterr, TV_EIO, "listen: %.120s: %s", where, strerrordesc_np(errno));
    freeaddrinfo(found);
    if (!ok && fd >= 0)
        close(fd);
    return ok ? fd : -1;
}

int tv_listen(const char *where, struct tv_error *reterr)
{
    return path_of(where) ? listen_unix(path_of(where), reterr) : listen_tcp(where, reterr);
}

void tv_listen_remove(const char *where)
{
    if (path_of(where))
        unlink(path_of(where));
}
