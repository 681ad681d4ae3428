/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICE_PATHS_H
#define SERVICE_PATHS_H
/* Where things are kept when nothing else is said. */
#include <stdbool.h>

#define TV_CONFIG_PATH    "/etc/trainvet/trainvet.yaml"
#define TV_STATE_PATH     "/var/lib/trainvet" /* of the system's service */
#define TV_STATE_PATH_MAX 4096

/* `configured`, else $STATE_DIRECTORY (systemd), else $XDG_STATE_HOME/trainvet, else
 * ~/.local/state/trainvet. False when there is none of them. The directories above the last one are
 * made. */
bool tv_state_directory(const char *configured, char ret[TV_STATE_PATH_MAX]);

#endif
