/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H
/* Command lines: a table of options a command, from which parsing, --help and the error messages
 * come. Accepts --name VALUE, --name=VALUE, -n VALUE, -nVALUE, options after operands, and -- to
 * end them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct tv_cli_option {
    const char *name;     /* without the dashes */
    char letter;          /* 0: no short form */
    const char *argument; /* what it takes, for --help ("FILE"); NULL: a flag */
    const char *help;     /* is wrapped */
};

/* Every command has --help; it needs no row. */
struct tv_cli {
    const char *command;                 /* "scan" */
    const char *operands;                /* "PATH..." */
    const char *intro;                   /* what it does; is wrapped, \n\n parts paragraphs */
    const struct tv_cli_option *options; /* ended by a NULL name */
    const char *examples;                /* lines "command\n    what it does" */
};

enum { TV_ARG_END = -1, TV_ARG_OPERAND = -2, TV_ARG_ERROR = -3, TV_ARG_HELP = -4 };

struct tv_args {
    const struct tv_cli *cli;
    int argc, next;
    char **argv;
    const char *value; /* of the option or operand just returned */
    bool only_operands;
};

struct tv_args tv_args(const struct tv_cli *cli, int argc,
                       char **argv); /* argv[0] is the command's name */
/* Index of the next option in the table, or one of TV_ARG_*. TV_ARG_ERROR: the reason was printed,
 * exit with TV_EXIT_USAGE. TV_ARG_HELP: the help was printed on stdout, exit with 0. */
int tv_args_next(struct tv_args *args);

void tv_cli_help(const struct tv_cli *cli, FILE *out);
/* "trainvet: MESSAGE" and where to find help, on stderr; returns TV_EXIT_USAGE. */
int tv_cli_error(const struct tv_cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The whole command line of a command that knows --json and --format, and one switch at most. */
extern const struct tv_cli_option tv_format_options[];
struct tv_plain_args {
    const char *const *operands; /* argv, reused */
    size_t len;
    bool json, extra; /* extra: an option of the command's own, behind those two */
    int status;       /* to exit with when not `go` */
    bool go;
};
struct tv_plain_args tv_plain_args(const struct tv_cli *cli, int argc, char **argv);

/* Among `count` names, the one that `text` probably means; NULL when none is near.
 * name(ctx, i) may return NULL, which is skipped. */
const char *tv_nearest(const char *text, size_t count,
                       const char *(*name)(const void *ctx, size_t i), const void *ctx);

/* Hands each option and operand (TV_ARG_OPERAND) to `take`, until one is wrong. *ret_go: all were
 * taken and no help was asked for; else the exit status is returned. */
int tv_args_take(const struct tv_cli *cli, int argc, char **argv,
                 int (*take)(void *ctx, int option, const char *value), void *ctx, bool *ret_go);

#endif
