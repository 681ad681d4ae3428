/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_VERSION_H
#define SCHEDULE_VERSION_H
/* Versions of trainers as one comparable number. */

#define TV_VERSION(major, minor, patch) ((major)*1000000 + (minor)*1000 + (patch))
#define TV_VERSION_UNKNOWN              (-1)
#define TV_VERSION_HEAD                 999999999

/* "4.57.6", "v5.0", "0.16.x (2025-02-21)", "4.46.0.dev0"; "HEAD ..." and "main" are newer than all.
 * Anything else, and NULL, is unknown. A development version counts as its release. */
int tv_version_parse(const char *text);

#endif
