/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_BENEATH_H
#define TAIL_BENEATH_H

/* Opens `path`, which is relative to the directory `dirfd`, without leaving that directory and
 * without following any link. `flags` as for open(), with O_PATH allowed; close-on-exec is added.
 * Returns the descriptor, or -1 and errno: ELOOP for a symbolic link, EXDEV for a way out.
 * openat2() does it in one call; where it is withheld (systemd withholds it from a service with
 * RestrictSUIDSGID=, which DynamicUser= implies: src/shared/seccomp-util.c, v252; container
 * runtimes do too) every component is opened by itself. */
int tv_open_beneath(int dirfd, const char *path, int flags);

#endif
