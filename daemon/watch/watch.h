/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H
/* Hints that something happened in a directory. A hint only marks: stat decides, and whoever gets
 * none polls. One instance a process (libinotifytools keeps its state in globals). */
#include <stdbool.h>
#include <stddef.h>

struct tv_watch;

/* NULL when the kernel gives no inotify instance: poll then. Call it early: the library cannot use
 * a descriptor of 1024 or more. */
struct tv_watch *tv_watch_open(void);
void tv_watch_close(struct tv_watch *watch);

/* To wait for; readable when tv_watch_drain() has something to tell. */
int tv_watch_fd(const struct tv_watch *watch);

/* Watches the directory `path`; `cookie` comes back with its events and may be any non-NULL
 * pointer. False: it cannot be watched (it is gone, no watches are left, it is no directory): poll
 * it. errno is ENOSPC when no watches are left. */
bool tv_watch_add(struct tv_watch *watch, const char *path, void *cookie);
/* Whether it is still watched: a directory that is deleted or moved away loses its watch, which is
 * told as a hint about it. */
bool tv_watch_has(const struct tv_watch *watch, const char *path);
void tv_watch_remove(struct tv_watch *watch, const char *path);

/* What happened since the last call, without waiting. `entries`: names came or went, beside
 * contents that changed. cookie NULL: events were lost, anything may have happened anywhere. */
void tv_watch_drain(struct tv_watch *watch, void (*dirty)(void *ctx, void *cookie, bool entries),
                    void *ctx);

/* Whether the kernel is told about what other hosts (or a user-space server) do in this directory.
 * False for network and FUSE file systems: watching them would miss most of what happens. */
bool tv_watch_works_on(const char *path);
/* The same for a file system by its number in statfs(2). */
bool tv_watch_works_with(unsigned long magic);
/* The next of the layers of an overlay (upperdir=, lowerdir=) in the options that
 * /proc/self/mountinfo tells: false when there is no further one. *at begins as the options. */
bool tv_watch_next_layer(const char **at, char *layer, size_t cap);

#endif
