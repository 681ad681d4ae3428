/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICE_NOTIFY_H
#define SERVICE_NOTIFY_H
/* What the service manager is told (sd_notify(3): NOTIFY_SOCKET, variables one a line), without
 * ever waiting for it long: sd_notify() itself blocks while the manager does not read, and a log
 * would go unwatched because somebody is not listening. Nothing without a NOTIFY_SOCKET. */

/* Dropped when the manager's queue is full: there will be another. */
void tv_notify(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Waits up to two seconds for room. */
void tv_notify_surely(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
