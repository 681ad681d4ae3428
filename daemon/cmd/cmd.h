/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CMD_CMD_H
#define CMD_CMD_H
/* The sub-commands: one file each, one row each in the table of commands.c. */
#include "cmd/options.h"

enum tv_exit {
    TV_EXIT_OK = 0,       /* nothing at or above --fail-on */
    TV_EXIT_FINDINGS = 1, /* findings */
    TV_EXIT_USAGE = 2,    /* the command line or a setting is wrong */
    TV_EXIT_INPUT = 3     /* some input was unreadable or damaged; what could be read was used */
};

/* argv[0] is the command's name; returns the exit status of the program. */
struct tv_command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
};

extern const struct tv_command tv_commands[]; /* ended by a NULL name; in the order of --help */

int tv_cmd_scan(int argc, char **argv);
int tv_cmd_watch(int argc, char **argv);
int tv_cmd_daemon(int argc, char **argv);
int tv_cmd_alerts(int argc, char **argv);
int tv_cmd_inspect(int argc, char **argv);
int tv_cmd_lr(int argc, char **argv);
int tv_cmd_lint(int argc, char **argv);
int tv_cmd_list(int argc, char **argv);
int tv_cmd_explain(int argc, char **argv);
int tv_cmd_test_notify(int argc, char **argv);

/* The program itself: argv as main() gets it. */
int tv_main(int argc, char **argv);

#endif
