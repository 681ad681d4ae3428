/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"
#include "cmd/cmd.h"
#include "trainvet/detector.h"
#include "trainvet/parser.h"
#include "trainvet/sink.h"
#include <string.h>

enum { OPT_JSON, OPT_FORMAT };

static const struct tv_cli_option options[] = {
    {"json", 0, NULL, "short for --format json"},
    {"format", 0, "FORMAT", "text (default) or json: one object a line"},
    {NULL, 0, NULL, NULL},
};

static const struct tv_cli cli = {
    .command = "list",
    .operands = "",
    .intro = "Lists what this build can read (parsers), find (detectors) and write (sinks).",
    .options = options,
    .examples = "  trainvet list\n"
                "  trainvet explain lr_mismatch    more about one detector\n",
};

static void entry(bool json, const char *kind, const char *name, const char *summary)
{
    if (!json) {
        printf("  %-20s%s\n", name, summary);
        return;
    }
    struct tv_json line = {0};
    tv_json_open(&line, NULL, '{');
    tv_json_int(&line, "schema_version", 1);
    tv_json_text(&line, "type", kind);
    tv_json_text(&line, "name", name);
    tv_json_text(&line, "summary", summary);
    tv_json_close(&line, '}');
    puts(line.data);
    tv_json_free(&line);
}

static void list(bool json)
{
    if (!json)
        puts("Parsers (what is read):");
    for (size_t i = 0; tv_parsers[i]; i++)
        entry(json, "parser", tv_parsers[i]->name, tv_parsers[i]->summary);
    if (!json)
        puts("\nDetectors (what is found):");
    for (size_t i = 0; tv_detectors[i]; i++)
        entry(json, "detector", tv_detectors[i]->name, tv_detectors[i]->summary);
    if (!json)
        puts("\nSinks (what is written):");
    for (size_t i = 0; tv_sinks[i]; i++)
        entry(json, "sink", tv_sinks[i]->name, tv_sinks[i]->summary);
}

int tv_cmd_list(int argc, char **argv)
{
    bool json = false;
    struct tv_args args = tv_args(&cli, argc, argv);
    for (int option; (option = tv_args_next(&args)) != TV_ARG_END;) {
        if (option == TV_ARG_HELP)
            return TV_EXIT_OK;
        if (option == TV_ARG_ERROR)
            return TV_EXIT_USAGE;
        if (option == TV_ARG_OPERAND)
            return tv_cli_error(&cli, "list takes no argument, not \"%s\"", args.value);
        if (option == OPT_FORMAT && strcmp(args.value, "json") != 0 &&
            strcmp(args.value, "text") != 0)
            return tv_cli_error(&cli, "--format is text or json, not \"%s\"", args.value);
        json = option == OPT_JSON || args.value[0] == 'j';
    }
    list(json);
    return TV_EXIT_OK;
}
