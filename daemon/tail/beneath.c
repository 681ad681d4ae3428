/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/beneath.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One name, no link. */
static int open_name(int dirfd, const char *name, int flags)
{
    struct stat found;
    if (strcmp(name, "..") == 0) {
        errno = EXDEV;
        return -1;
    }
    int fd = openat(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno != ENOTDIR)
        return -1;
    int status = fd < 0 ? fstatat(dirfd, name, &found, AT_SYMLINK_NOFOLLOW) : fstat(fd, &found);
    if (fd >= 0 && status == 0 && !S_ISLNK(found.st_mode))
        return fd;
    if (fd >= 0)
        close(fd);
    errno = status == 0 && S_ISLNK(found.st_mode) ? ELOOP : ENOTDIR;
    return -1;
}

static int walk_beneath(int dirfd, const char *path, int flags)
{
    char names[PATH_MAX], *rest = NULL;
    size_t len = strlen(path);
    if (*path == '/' || len >= sizeof names) {
        errno = *path == '/' ? EXDEV : ENAMETOOLONG;
        return -1;
    }
    memcpy(names, path, len + 1);
    int fd = dirfd;
    for (char *name = strtok_r(names, "/", &rest); name;) {
        char *next = strtok_r(NULL, "/", &rest);
        int below = open_name(fd, name, next ? O_PATH | O_DIRECTORY : flags);
        int saved = errno;
        if (fd != dirfd)
            close(fd);
        errno = saved;
        fd = below;
        name = fd < 0 ? NULL : next;
    }
    if (fd == dirfd) {
        errno = ENOENT;
        return -1;
    }
    return fd;
}

int tv_open_beneath(int dirfd, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
    return fd < 0 && (errno == ENOSYS || errno == EPERM) ? walk_beneath(dirfd, path, flags) : fd;
}
