/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/paths.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool set(char ret[TV_STATE_PATH_MAX], const char *base, const char *below)
{
    return (size_t)snprintf(ret, TV_STATE_PATH_MAX, "%s%s", base, below) < TV_STATE_PATH_MAX;
}

static void make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

bool tv_state_directory(const char *configured, char ret[TV_STATE_PATH_MAX])
{
    const char *service = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME"),
               *home = getenv("HOME");
    bool found = false;
    if (configured)
        found = set(ret, configured, "");
    else if (service && *service)
        found = set(ret, service, "");
    else if (xdg && *xdg == '/')
        found = set(ret, xdg, "/trainvet");
    else if (home && *home == '/')
        found = set(ret, home, "/.local/state/trainvet");
    if (found && !configured)
        ret[strcspn(ret, ":")] = '\0'; /* systemd lists several, separated by colons */
    if (found)
        make_parents(ret);
    return found;
}
