/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CMD_SCAN_OPTIONS_H
#define CMD_SCAN_OPTIONS_H
/* The command line of `trainvet scan`. */
#include "cmd/choice.h"
#include "cmd/options.h"

enum { TV_SCAN_CONFIGS_MAX = 32 };

struct tv_scan_options {
    struct tv_choice choice;
    const char *format, *output, *framework; /* the last two NULL: none given */
    const char *configs[TV_SCAN_CONFIGS_MAX];
    size_t configs_len;
    int fail_on; /* enum tv_severity, or above all */
    double now;  /* unix seconds */
    unsigned jobs;
    const char **paths; /* borrowed from argv */
    size_t paths_len;
    bool full;
};

extern const struct tv_cli tv_scan_cli; /* for messages */

/* TV_EXIT_OK and *ret_go, or the status to exit with. To be freed in either case. */
int tv_scan_options_take(struct tv_scan_options *options, int argc, char **argv, bool *ret_go);
void tv_scan_options_free(struct tv_scan_options *options);

#endif
