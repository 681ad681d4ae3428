/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"
#include "cmd/cmd.h"
#include "sinks/lib/wrap.h"
#include "trainvet/detector.h"
#include "trainvet/parser.h"
#include "trainvet/sink.h"
#include <string.h>

enum { WIDTH = 80, NAME_COLUMN = 22 };

static const struct tv_cli cli = {
    .command = "list",
    .operands = "",
    .intro = "Lists what this build can read (parsers), find (detectors) and write (sinks).",
    .options = tv_format_options,
    .examples = "  trainvet list\n"
                "  trainvet explain lr_mismatch    more about one detector\n",
};

static void entry(bool json, const char *kind, const char *name, const char *summary)
{
    if (!json) {
        printf("  %-*s", NAME_COLUMN - 2, name);
        tv_wrap(stdout, WIDTH, NAME_COLUMN, NAME_COLUMN, summary);
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
    struct tv_plain_args args = tv_plain_args(&cli, argc, argv);
    if (!args.go)
        return args.status;
    if (args.len)
        return tv_cli_error(&cli, "list takes no argument, not \"%s\"", args.operands[0]);
    list(args.json);
    return TV_EXIT_OK;
}
