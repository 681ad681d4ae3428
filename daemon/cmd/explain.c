/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"
#include "base/memory.h"
#include "cmd/cmd.h"
#include "sinks/lib/wrap.h"
#include "trainvet/detector.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 80, OPTION_INDENT = 6 };

static const struct tv_cli cli = {
    .command = "explain",
    .operands = "ID...",
    .intro =
        "Explains a detector: what it says, how it decides, its options with their defaults and\n"
        "ranges (set them with scan --set ID.OPTION=VALUE), and what it cannot see.",
    .options = tv_format_options,
    .examples = "  trainvet explain lr_mismatch\n"
                "  trainvet list                   the ids\n",
};

static const char *detector_name(const void *ctx, size_t i)
{
    (void)ctx;
    return tv_detectors[i]->name;
}

static const struct tv_detector *find(const char *name, const char **ret_near)
{
    size_t count = 0;
    for (; tv_detectors[count]; count++)
        if (strcmp(tv_detectors[count]->name, name) == 0)
            return tv_detectors[count];
    *ret_near = tv_nearest(name, count, detector_name, NULL);
    return NULL;
}

static void add_number(struct tv_text *text, double value)
{
    char number[TV_NUMBER_MAX];
    tv_format_short(number, value, 6);
    tv_text_add(text, "%s", number);
}

/* "3 (0 to 10)" */
static void describe_default(const struct tv_option *option, struct tv_text *text)
{
    if (option->type == TV_OPTION_STRING) {
        tv_text_add(text, "\"%s\"", option->default_text ? option->default_text : "");
        return;
    }
    if (option->type == TV_OPTION_BOOL) {
        tv_text_add(text, "%s", option->default_value != 0 ? "true" : "false");
        return;
    }
    add_number(text, option->default_value);
    tv_text_add(text, " (");
    add_number(text, option->min);
    tv_text_add(text, " to ");
    add_number(text, option->max);
    tv_text_add(text, ")");
}

/* Paragraphs: a line end behind a full stop parts them, another is a blank. */
static void print_wrapped(const char *text)
{
    while (*text) {
        const char *end = strchr(text, '\n');
        while (end && end[-1] != '.' && end[1] != '\n')
            end = strchr(end + 1, '\n');
        size_t len = end ? (size_t)(end - text) : strlen(text);
        char *paragraph = tv_xstrndup(text, len);
        tv_wrap(stdout, WIDTH, 0, 0, paragraph);
        free(paragraph);
        text += len + strspn(text + len, "\n");
    }
}

static void print_text(const struct tv_detector *detector)
{
    printf("%s: ", detector->name);
    tv_wrap(stdout, WIDTH, strlen(detector->name) + 2, 4, detector->summary);
    putchar('\n');
    print_wrapped(detector->explain);
    if (!detector->options || !detector->options->name)
        return;
    puts("\nOptions, with their defaults and ranges:");
    for (const struct tv_option *option = detector->options; option->name; option++) {
        char value[128];
        struct tv_text text = tv_text_in(value, sizeof value);
        describe_default(option, &text);
        printf("  %-22s%s\n%*s", option->name, value, OPTION_INDENT, "");
        tv_wrap(stdout, WIDTH, OPTION_INDENT, OPTION_INDENT, option->help);
    }
    printf("\nSet one with: trainvet scan --set %s.%s=VALUE\n", detector->name,
           detector->options->name);
}

static void print_json(const struct tv_detector *detector)
{
    static const char *const types[] = {"double", "int", "bool", "string"};
    struct tv_json json = {0};
    tv_json_open(&json, NULL, '{');
    tv_json_int(&json, "schema_version", 1);
    tv_json_text(&json, "type", "detector");
    tv_json_text(&json, "name", detector->name);
    tv_json_text(&json, "summary", detector->summary);
    tv_json_text(&json, "explain", detector->explain);
    tv_json_open(&json, "options", '[');
    for (const struct tv_option *option = detector->options; option && option->name; option++) {
        tv_json_open(&json, NULL, '{');
        tv_json_text(&json, "name", option->name);
        tv_json_text(&json, "type", types[option->type]);
        if (option->type == TV_OPTION_STRING) {
            tv_json_text(&json, "default", option->default_text);
        } else if (option->type == TV_OPTION_BOOL) {
            tv_json_bool(&json, "default", option->default_value != 0);
        } else {
            tv_json_double(&json, "default", option->default_value);
            tv_json_double(&json, "min", option->min);
            tv_json_double(&json, "max", option->max);
        }
        tv_json_text(&json, "help", option->help);
        tv_json_close(&json, '}');
    }
    tv_json_close(&json, ']');
    tv_json_close(&json, '}');
    puts(json.data);
    tv_json_free(&json);
}

static int explain(const char *name, bool json, bool first)
{
    const char *near = NULL;
    const struct tv_detector *detector = find(name, &near);
    if (!detector)
        return near
                   ? tv_cli_error(&cli, "there is no detector \"%s\"; did you mean %s?", name, near)
                   : tv_cli_error(&cli, "there is no detector \"%s\"; trainvet list names them",
                                  name);
    if (!json && !first)
        putchar('\n');
    (json ? print_json : print_text)(detector);
    return TV_EXIT_OK;
}

int tv_cmd_explain(int argc, char **argv)
{
    struct tv_plain_args args = tv_plain_args(&cli, argc, argv);
    if (!args.go)
        return args.status;
    if (args.len == 0)
        return tv_cli_error(&cli, "explain needs the id of a detector; trainvet list names them");
    int status = TV_EXIT_OK;
    for (size_t i = 0; i < args.len && status == TV_EXIT_OK; i++)
        status = explain(args.operands[i], args.json, i == 0);
    return status;
}
