/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/options.h"
#include "base/memory.h"
#include "cmd/cmd.h"
#include "sinks/lib/wrap.h"
#include "trainvet/text.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 26, HELP_WIDTH = 80, NAME_MAX_LENGTH = 63 };

struct tv_args tv_args(const struct tv_cli *cli, int argc, char **argv)
{
    return (struct tv_args){.cli = cli, .argc = argc, .argv = argv, .next = 1};
}

int tv_cli_error(const struct tv_cli *cli, const char *format, ...)
{
    char raw[1024], safe[2048];
    va_list list;
    va_start(list, format);
    vsnprintf(raw, sizeof raw, format, list);
    va_end(list);
    fprintf(stderr, "trainvet: %s\nTry: trainvet %s --help\n",
            tv_escape(tv_span_of(raw), safe, sizeof safe), cli->command);
    return TV_EXIT_USAGE;
}

/* Edit distance with adjacent swaps counted once (optimal string alignment), given up above
 * `limit`. */
static size_t distance(const char *a, const char *b, size_t limit)
{
    size_t rows[3][NAME_MAX_LENGTH + 1];
    size_t la = strlen(a), lb = strlen(b);
    if (la > NAME_MAX_LENGTH || lb > NAME_MAX_LENGTH)
        return limit + 1;
    for (size_t j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[la % 3][lb];
}

const char *tv_nearest(const char *text, size_t count,
                       const char *(*name)(const void *ctx, size_t i), const void *ctx)
{
    const char *best = NULL;
    size_t len = strlen(text), limit = len < 4 ? 1 : len < 8 ? 2 : 3;
    for (size_t i = 0; i < count; i++) {
        const char *candidate = name(ctx, i);
        if (!candidate)
            continue;
        size_t d = distance(text, candidate, limit);
        if (d > limit && len >= 3 && strncmp(text, candidate, len) == 0)
            d = limit; /* the beginning of a long name */
        if (d <= limit && (!best || d < distance(text, best, limit)))
            best = candidate;
    }
    return best;
}

static size_t count_options(const struct tv_cli *cli)
{
    size_t n = 0;
    while (cli->options[n].name)
        n++;
    return n;
}

static const char *option_name(const void *ctx, size_t i)
{
    return ((const struct tv_cli *)ctx)->options[i].name;
}

static int unknown_option(struct tv_args *args, const char *name, size_t len)
{
    char copy[NAME_MAX_LENGTH + 1];
    if (!tv_span_copy((struct tv_span){name, len}, copy, sizeof copy))
        copy[0] = '\0';
    const char *near = tv_nearest(copy, count_options(args->cli), option_name, args->cli);
    if (near)
        tv_cli_error(args->cli, "%s has no option --%.*s; did you mean --%s?", args->cli->command,
                     (int)len, name, near);
    else
        tv_cli_error(args->cli, "%s has no option --%.*s", args->cli->command, (int)len, name);
    return TV_ARG_ERROR;
}

/* The option's value: what stands behind '=' or in the next argument. */
static int with_value(struct tv_args *args, size_t index, const char *attached)
{
    const struct tv_cli_option *option = &args->cli->options[index];
    if (!option->argument && attached) {
        tv_cli_error(args->cli, "--%s takes no value", option->name);
        return TV_ARG_ERROR;
    }
    if (!option->argument)
        return (int)index;
    if (!attached && args->next >= args->argc) {
        tv_cli_error(args->cli, "--%s needs a value: --%s %s", option->name, option->name,
                     option->argument);
        return TV_ARG_ERROR;
    }
    args->value = attached ? attached : args->argv[args->next++];
    return (int)index;
}

static int long_option(struct tv_args *args, const char *text)
{
    size_t len = strcspn(text, "=");
    const char *attached = text[len] == '=' ? text + len + 1 : NULL;
    for (size_t i = 0; args->cli->options[i].name; i++)
        if (tv_span_is((struct tv_span){text, len}, args->cli->options[i].name))
            return with_value(args, i, attached);
    return unknown_option(args, text, len);
}

static int short_option(struct tv_args *args, const char *text)
{
    for (size_t i = 0; args->cli->options[i].name; i++)
        if (args->cli->options[i].letter == text[0])
            return with_value(args, i, text[1] ? text + 1 : NULL);
    tv_cli_error(args->cli, "%s has no option -%c", args->cli->command, text[0]);
    return TV_ARG_ERROR;
}

int tv_args_next(struct tv_args *args)
{
    args->value = NULL;
    if (args->next >= args->argc)
        return TV_ARG_END;
    const char *text = args->argv[args->next++];
    if (!args->only_operands && strcmp(text, "--") == 0) {
        args->only_operands = true;
        return tv_args_next(args);
    }
    if (args->only_operands || text[0] != '-' || !text[1]) {
        args->value = text;
        return TV_ARG_OPERAND;
    }
    if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0) {
        tv_cli_help(args->cli, stdout);
        return TV_ARG_HELP;
    }
    return text[1] == '-' ? long_option(args, text + 2) : short_option(args, text + 1);
}

static void help_option(const struct tv_cli_option *option, FILE *out)
{
    char left[80];
    struct tv_text text = tv_text_in(left, sizeof left);
    tv_text_add(&text, "  ");
    if (option->letter)
        tv_text_add(&text, "-%c, ", option->letter);
    tv_text_add(&text, "--%s%s%s", option->name, option->argument ? " " : "",
                option->argument ? option->argument : "");
    fprintf(out, "%-*s", HELP_COLUMN, left);
    if (text.len >= HELP_COLUMN)
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    tv_wrap(out, HELP_WIDTH, HELP_COLUMN, HELP_COLUMN, option->help);
}

/* Paragraphs are parted by an empty line. */
static void help_text(const char *text, FILE *out)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t len = end ? (size_t)(end - text) : strlen(text);
        char *paragraph = tv_xstrndup(text, len);
        putc('\n', out);
        tv_wrap(out, HELP_WIDTH, 0, 0, paragraph);
        free(paragraph);
        text += len + (end ? 2 : 0);
    }
}

void tv_cli_help(const struct tv_cli *cli, FILE *out)
{
    static const struct tv_cli_option help = {"help", 'h', NULL, "show this"};
    fprintf(out, "Usage: trainvet %s [OPTIONS] %s\n", cli->command, cli->operands);
    help_text(cli->intro, out);
    fputs("\nOptions:\n", out);
    for (const struct tv_cli_option *option = cli->options; option->name; option++)
        help_option(option, out);
    help_option(&help, out);
    if (cli->examples)
        fprintf(out, "\nExamples:\n%s", cli->examples);
}

enum { FORMAT_NAME = 1 };

const struct tv_cli_option tv_format_options[] = {
    {"json", 0, NULL, "short for --format json"},
    {"format", 0, "FORMAT", "text (default) or json: one object a line"},
    {NULL, 0, NULL, NULL},
};

struct tv_plain_args tv_plain_args(const struct tv_cli *cli, int argc, char **argv)
{
    struct tv_plain_args plain = {.operands = (const char *const *)argv};
    struct tv_args args = tv_args(cli, argc, argv);
    for (int option; (option = tv_args_next(&args)) != TV_ARG_END;) {
        if (option == TV_ARG_HELP || option == TV_ARG_ERROR) {
            plain.status = option == TV_ARG_HELP ? TV_EXIT_OK : TV_EXIT_USAGE;
            return plain;
        }
        const char *format = args.value ? args.value : "json";
        if (option == FORMAT_NAME && strcmp(format, "json") != 0 && strcmp(format, "text") != 0) {
            plain.status = tv_cli_error(cli, "--format is text or json, not \"%s\"", format);
            return plain;
        }
        if (option == TV_ARG_OPERAND)
            argv[plain.len++] = argv[args.next - 1];
        else if (option > FORMAT_NAME)
            plain.extra = true;
        else
            plain.json = format[0] == 'j';
    }
    plain.go = true;
    return plain;
}

int tv_args_take(const struct tv_cli *cli, int argc, char **argv,
                 int (*take)(void *ctx, int option, const char *value), void *ctx, bool *ret_go)
{
    struct tv_args args = tv_args(cli, argc, argv);
    *ret_go = false;
    for (int option; (option = tv_args_next(&args)) != TV_ARG_END;) {
        if (option == TV_ARG_HELP)
            return TV_EXIT_OK;
        int status = option == TV_ARG_ERROR ? TV_EXIT_USAGE : take(ctx, option, args.value);
        if (status != TV_EXIT_OK)
            return status;
    }
    *ret_go = true;
    return TV_EXIT_OK;
}
