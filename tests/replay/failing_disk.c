/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LD_PRELOAD: a disk that fails. While the file FAILING_FLAG exists, reading a file whose path
 * holds FAILING_READ fails with EIO from byte FAILING_FROM on, and writing one whose path holds
 * FAILING_WRITE fails with EROFS. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pread64(int fd, void *buffer, size_t len, off_t at);
ssize_t pwrite64(int fd, const void *data, size_t len, off_t at);

static bool fails(int fd, const char *variable)
{
    const char *flag = getenv("FAILING_FLAG"), *part = getenv(variable);
    char link[64], path[4096];
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n =
        part && flag && access(flag, F_OK) == 0 ? readlink(link, path, sizeof path - 1) : -1;
    path[n > 0 ? n : 0] = '\0';
    errno = saved;
    return n > 0 && strstr(path, part);
}

/* What may still be read there; -1 and EIO when nothing may. */
static ssize_t readable(int fd, off_t at, size_t len)
{
    const char *from = getenv("FAILING_FROM");
    off_t left = (from ? (off_t)strtoll(from, NULL, 10) : 0) - at;
    if (!fails(fd, "FAILING_READ"))
        return (ssize_t)len;
    if (left <= 0) {
        errno = EIO;
        return -1;
    }
    return left < (off_t)len ? (ssize_t)left : (ssize_t)len;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library's names are its
 * own */
ssize_t read(int fd, void *buffer, size_t len)
{
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t can = at < 0 ? (ssize_t)len : readable(fd, at, len);
    return can < 0 ? -1 : REAL(read)(fd, buffer, (size_t)can);
}

ssize_t pread(int fd, void *buffer, size_t len, off_t at)
{
    ssize_t can = readable(fd, at, len);
    return can < 0 ? -1 : REAL(pread)(fd, buffer, (size_t)can, at);
}

ssize_t pread64(int fd, void *buffer, size_t len, off_t at)
{
    return pread(fd, buffer, len, at);
}

static bool is_read_only(int fd)
{
    bool no = fails(fd, "FAILING_WRITE");
    errno = no ? EROFS : errno;
    return no;
}

ssize_t write(int fd, const void *data, size_t len)
{
    return is_read_only(fd) ? -1 : REAL(write)(fd, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    return is_read_only(fd) ? -1 : REAL(pwrite)(fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at)
{
    return pwrite(fd, data, len, at);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
