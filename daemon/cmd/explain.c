/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"
#include "base/memory.h"
#include "cmd/cmd.h"
#include "sinks/lib/wrap.h"
#include "trainvet/detector.h"
#include "trainvet/number.h"
#include "trainvet/sink.h"
#include "trainvet/text.h"
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 80, OPTION_INDENT = 6 };

static const struct tv_cli cli = {
    .command = "explain",
    .operands = "ID...",
    .intro =
        "Explains a detector: what it says, how it decides, its options with their defaults and\n"
        "ranges (set them with scan --set ID.OPTION=VALUE), and what it cannot see; or a sink: "
        "its\n"
        "options in the service's configuration.",
    .options = tv_format_options,
    .examples = "  trainvet explain lr_mismatch\n"
                "  trainvet list                   the ids\n",
};

/* What can be explained. */
struct topic {
    const char *type, *name, *summary, *text; /* text NULL: the options say it all */
    const struct tv_option *options;
    const char *how; /* to set an option: format of name and option */
};

static struct topic detector_topic(const struct tv_detector *detector)
{
    return (struct topic){"detector",        detector->name,    detector->summary,
                          detector->explain, detector->options, "trainvet scan --set %s.%s=VALUE"};
}

static struct topic sink_topic(const struct tv_sink *sink)
{
    return (struct topic){
        "sink",        sink->name,
        sink->summary, NULL,
        sink->options, "sinks: {NAME: {type: %s, %s: VALUE}} in the service's configuration"};
}

static const char *detector_name(const void *ctx, size_t i)
{
    (void)ctx;
    return tv_detectors[i]->name;
}

static bool find(const char *name, struct topic *ret, const char **ret_near)
{
    size_t count = 0;
    for (; tv_detectors[count]; count++)
        if (strcmp(tv_detectors[count]->name, name) == 0) {
            *ret = detector_topic(tv_detectors[count]);
            return true;
        }
    for (size_t i = 0; tv_sinks[i]; i++)
        if (strcmp(tv_sinks[i]->name, name) == 0) {
            *ret = sink_topic(tv_sinks[i]);
            return true;
        }
    *ret_near = tv_nearest(name, count, detector_name, NULL);
    return false;
}

static void add_number(struct tv_text *text, double value)
{
    char number[TV_NUMBER_MAX];
    tv_format_short(number, value, 6);
    tv_text_add(text, "%s", number);
}

/* "3 (0 to 10; strict 2, quiet 5)" */
static void describe_default(const struct topic *topic, const struct tv_option *option,
                             struct tv_text *text)
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
    const char *separator = "; ";
    for (const struct tv_preset *row = tv_presets; row->preset; row++) {
        if (strcmp(row->detector, topic->name) != 0 || strcmp(row->option, option->name) != 0)
            continue;
        tv_text_add(text, "%s%s ", separator, row->preset);
        add_number(text, row->value);
        separator = ", ";
    }
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

/* The format is one of the two above. */
static void print_how(const struct topic *topic)
{
    char how[256];
    struct tv_text text = tv_text_in(how, sizeof how);
    const char *first = strstr(topic->how, "%s"), *second = strstr(first + 2, "%s");
    tv_text_add(&text, "%.*s%s%.*s%s%s\n", (int)(first - topic->how), topic->how, topic->name,
                (int)(second - first - 2), first + 2, topic->options->name, second + 2);
    fputs(how, stdout);
}

static void print_text(const struct topic *topic)
{
    printf("%s: ", topic->name);
    tv_wrap(stdout, WIDTH, strlen(topic->name) + 2, 4, topic->summary);
    if (topic->text) {
        putchar('\n');
        print_wrapped(topic->text);
    }
    if (!topic->options || !topic->options->name)
        return;
    puts("\nOptions, with their defaults and ranges:");
    for (const struct tv_option *option = topic->options; option->name; option++) {
        char value[128];
        struct tv_text text = tv_text_in(value, sizeof value);
        describe_default(topic, option, &text);
        printf("  %-21s %s\n%*s", option->name, value, OPTION_INDENT, "");
        tv_wrap(stdout, WIDTH, OPTION_INDENT, OPTION_INDENT, option->help);
    }
    fputs("\nSet one with: ", stdout);
    print_how(topic);
}

static void print_json(const struct topic *topic)
{
    static const char *const types[] = {"double", "int", "bool", "string"};
    struct tv_json json = {0};
    tv_json_open(&json, NULL, '{');
    tv_json_int(&json, "schema_version", 1);
    tv_json_text(&json, "type", topic->type);
    tv_json_text(&json, "name", topic->name);
    tv_json_text(&json, "summary", topic->summary);
    tv_json_text(&json, "explain", topic->text);
    tv_json_open(&json, "options", '[');
    for (const struct tv_option *option = topic->options; option && option->name; option++) {
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
        for (const struct tv_preset *row = tv_presets; row->preset; row++)
            if (strcmp(row->detector, topic->name) == 0 && strcmp(row->option, option->name) == 0)
                tv_json_double(&json, row->preset, row->value);
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
    struct topic topic;
    if (!find(name, &topic, &near))
        return near
                   ? tv_cli_error(&cli, "there is no detector \"%s\"; did you mean %s?", name, near)
                   : tv_cli_error(&cli,
                                  "there is no detector or sink \"%s\"; trainvet list names them",
                                  name);
    if (!json && !first)
        putchar('\n');
    (json ? print_json : print_text)(&topic);
    return TV_EXIT_OK;
}

int tv_cmd_explain(int argc, char **argv)
{
    struct tv_plain_args args = tv_plain_args(&cli, argc, argv);
    if (!args.go)
        return args.status;
    if (args.len == 0)
        return tv_cli_error(
            &cli, "explain needs the id of a detector or a sink; trainvet list names them");
    int status = TV_EXIT_OK;
    for (size_t i = 0; i < args.len && status == TV_EXIT_OK; i++)
        status = explain(args.operands[i], args.json, i == 0);
    return status;
}
