/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "schedule/version.h"
#include <stddef.h>
#include <string.h>

int tv_version_parse(const char *text)
{
    if (!text)
        return TV_VERSION_UNKNOWN;
    if (!strncmp(text, "HEAD", 4) || !strncmp(text, "main", 4))
        return TV_VERSION_HEAD;
    if (*text == 'v')
        text++;
    int part[3] = {0};
    for (int i = 0; i < 3; i++) {
        if (*text < '0' || *text > '9') {
            if (i == 0)
                return TV_VERSION_UNKNOWN;
            break;
        }
        for (; *text >= '0' && *text <= '9'; text++) {
            part[i] = part[i] * 10 + (*text - '0');
            if (part[i] > 999)
                return TV_VERSION_UNKNOWN;
        }
        if (*text == '.')
            text++;
    }
    return TV_VERSION(part[0], part[1], part[2]);
}
