/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd.h"
#include "trainvet/text.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct tv_command tv_commands[] = {
    {"scan", "diagnose finished or running logs: a verdict for each run", tv_cmd_scan},
    {"watch", "the same, live: follows runs while they are written", tv_cmd_watch},
    {"daemon", "the service for a node: alerts, metrics, state", tv_cmd_daemon},
    {"alerts", "what the service has recorded, and what it still owes to whom", tv_cmd_alerts},
    {"inspect", "what is in a log: tags, counts, step range, damage", tv_cmd_inspect},
    {"lr", "the learning-rate schedule that a configuration promises, and how it is computed",
     tv_cmd_lr},
    {"lint", "a configuration before the job starts: what is wrong with it", tv_cmd_lint},
    {"list", "the formats, detectors and outputs that are built in", tv_cmd_list},
    {"explain", "how a detector decides, its options, what it cannot see", tv_cmd_explain},
    {"test-notify", "a test alert through one sink: does it arrive", tv_cmd_test_notify},
    {NULL, NULL, NULL},
};

static const char *command_name(const void *ctx, size_t i)
{
    (void)ctx;
    return tv_commands[i].name;
}

static void help(FILE *out)
{
    fputs("trainvet reads the logs that a training job already writes, works out what the\n"
          "learning rate should have been, and says what is wrong, since which step, and\n"
          "what to change.\n"
          "\n"
          "Usage: trainvet COMMAND [OPTIONS] ...\n"
          "\n"
          "Commands:\n",
          out);
    for (const struct tv_command *command = tv_commands; command->name; command++)
        fprintf(out, "  %-12s%s\n", command->name, command->summary);
    fputs("\n"
          "  trainvet COMMAND --help tells more about one; trainvet --version names this build.\n"
          "\n"
          "Start here:\n"
          "  trainvet scan output/             every run below output/, one verdict each\n"
          "  trainvet inspect events.out...    what is in a log: tags, counts, damage\n"
          "\n"
          "Exit status: 0 nothing found, 1 findings, 2 wrong usage, 3 some input was\n"
          "unreadable or damaged (what could be read was diagnosed).\n",
          out);
}

static int unknown_command(const char *name)
{
    size_t count = 0;
    while (tv_commands[count].name)
        count++;
    char safe[128];
    tv_escape(tv_span_of(name), safe, sizeof safe);
    if (access(name, F_OK) == 0) {
        fprintf(stderr,
                "trainvet: \"%s\" is a path, not a command; did you mean: trainvet scan %s\n", safe,
                safe);
        return TV_EXIT_USAGE;
    }
    const char *near = tv_nearest(name, count, command_name, NULL);
    fprintf(stderr, "trainvet: there is no command \"%s\"%s%s%s\n", safe,
            near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    fputs("Try: trainvet --help\n", stderr);
    return TV_EXIT_USAGE;
}

/* `trainvet help` and `trainvet help COMMAND`. */
static int run_help(int argc, char **argv)
{
    static char flag[] = "--help";
    for (const struct tv_command *command = tv_commands; argc > 1 && command->name; command++)
        if (strcmp(argv[1], command->name) == 0)
            return command->run(2, (char *[]){argv[1], flag, NULL});
    if (argc > 1)
        return unknown_command(argv[1]);
    help(stdout);
    return TV_EXIT_OK;
}

/* A full disk is no success. What says so itself has already ended with an error. */
static int all_written(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (status != TV_EXIT_USAGE)
        fputs("trainvet: standard output cannot be written\n", stderr);
    return TV_EXIT_USAGE;
}

int tv_main(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return TV_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return run_help(argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        puts("trainvet " TRAINVET_VERSION);
        return TV_EXIT_OK;
    }
    for (const struct tv_command *command = tv_commands; command->name; command++)
        if (strcmp(name, command->name) == 0)
            return all_written(command->run(argc - 1, argv + 1));
    return unknown_command(name);
}
