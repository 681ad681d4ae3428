/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only file that includes libinotifytools (3.22.6). What is worked around here: next_event(0)
 * blocks for ever, so next_events(0, 1) is used; there is no accessor for the descriptor, which
 * also lacks close-on-exec; the paths that the library keeps go stale on renames, so watch
 * descriptors are mapped to cookies here; a lost event arrives as wd -1. */
#include "base/memory.h"
#include "watch/watch.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIBRARY_FD_MAX = 1023, SPELLINGS_MAX = 100 };

struct tv_watch {
    int fd;
    void **cookies; /* by watch descriptor */
    size_t cookies_cap;
};

/* The newest descriptor that is an inotify instance. */
static int find_descriptor(void)
{
    int best = -1;
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char target[64];
        ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);
        int fd = (int)strtol(entry->d_name, NULL, 10);
        target[len > 0 ? len : 0] = '\0';
        if (strcmp(target, "anon_inode:inotify") == 0 && fd > best)
            best = fd;
    }
    if (dir)
        closedir(dir);
    return best;
}

struct tv_watch *tv_watch_open(void)
{
    int before = find_descriptor();
    if (!inotifytools_initialize())
        return NULL;
    int fd = find_descriptor();
    if (fd < 0 || fd == before || fd > LIBRARY_FD_MAX) {
        inotifytools_cleanup();
        return NULL;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    struct tv_watch *watch = tv_xcalloc(1, sizeof *watch);
    watch->fd = fd;
    return watch;
}

void tv_watch_close(struct tv_watch *watch)
{
    if (!watch)
        return;
    inotifytools_cleanup();
    free(watch->cookies);
    free(watch);
}

int tv_watch_fd(const struct tv_watch *watch)
{
    return watch->fd;
}

/* The library looks directories up by their name with a slash at the end, and never lets go of one
 * that was deleted: that name leads to the old descriptor for ever. So the next watch of the same
 * directory has another spelling: "DIR/", "DIR/./", "DIR/././". */
static bool spell(const char *path, int spelling, char buffer[PATH_MAX])
{
    size_t len = strlen(path);
    bool has_slash = len && path[len - 1] == '/';
    if (len + 2 + 2 * (size_t)spelling >= PATH_MAX)
        return false;
    memcpy(buffer, path, len);
    if (!has_slash)
        buffer[len++] = '/';
    for (; spelling > 0; spelling--, len += 2)
        memcpy(buffer + len, "./", 2);
    buffer[len] = '\0';
    return true;
}

static void *cookie_of(const struct tv_watch *watch, int wd)
{
    return wd >= 0 && (size_t)wd < watch->cookies_cap ? watch->cookies[wd] : NULL;
}

/* The descriptor of a live watch, or -1; *buffer is its name then, else one that is free. False:
 * there is no free one either. */
static bool find_watch(const struct tv_watch *watch, const char *path, int *ret_wd,
                       char buffer[PATH_MAX])
{
    for (int spelling = 0; spelling < SPELLINGS_MAX; spelling++) {
        if (!spell(path, spelling, buffer))
            return false;
        *ret_wd = inotifytools_wd_from_filename(buffer);
        if (*ret_wd < 0 || cookie_of(watch, *ret_wd))
            return true;
    }
    return false;
}

bool tv_watch_add(struct tv_watch *watch, const char *path, void *cookie)
{
    char name[PATH_MAX];
    int wd, events = IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                     IN_MOVED_TO | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;
    errno = 0;
    if (!find_watch(watch, path, &wd, name))
        return false;
    if (wd < 0 && !inotifytools_watch_file(name, events)) {
        errno = inotifytools_error();
        return false;
    }
    wd = inotifytools_wd_from_filename(name);
    if (wd < 0)
        return false;
    if ((size_t)wd >= watch->cookies_cap) {
        size_t cap = ((size_t)wd + 1) * 2;
        watch->cookies = tv_xrealloc(watch->cookies, cap, sizeof(void *));
        memset(watch->cookies + watch->cookies_cap, 0, (cap - watch->cookies_cap) * sizeof(void *));
        watch->cookies_cap = cap;
    }
    watch->cookies[wd] = cookie;
    return true;
}

bool tv_watch_has(const struct tv_watch *watch, const char *path)
{
    char name[PATH_MAX];
    int wd;
    return find_watch(watch, path, &wd, name) && wd >= 0;
}

void tv_watch_remove(struct tv_watch *watch, const char *path)
{
    char name[PATH_MAX];
    int wd;
    if (!find_watch(watch, path, &wd, name) || wd < 0)
        return;
    watch->cookies[wd] = NULL;
    struct stat there; /* not access(): that asks for the real user, without capabilities */
    if (stat(path, &there) == 0) /* the library complains on stderr of what is gone already */
        inotifytools_remove_watch_by_wd(wd);
}

void tv_watch_drain(struct tv_watch *watch, void (*dirty)(void *ctx, void *cookie, bool entries),
                    void *ctx)
{
    for (struct inotify_event *event; (event = inotifytools_next_events(0, 1));) {
        if (event->wd < 0 || (event->mask & IN_Q_OVERFLOW)) {
            dirty(ctx, NULL, true);
            continue;
        }
        void *cookie = cookie_of(watch, event->wd);
        if (!cookie)
            continue;
        bool moved = event->mask & IN_MOVE_SELF, gone = moved || (event->mask & IN_IGNORED);
        if (gone)
            watch->cookies[event->wd] = NULL; /* the path names another directory now, or none */
        if (moved)
            inotifytools_remove_watch_by_wd(event->wd);
        dirty(ctx, cookie,
              gone || (event->mask & (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)));
    }
}
