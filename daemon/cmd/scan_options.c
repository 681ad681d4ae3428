/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/scan_options.h"
#include "base/clock.h"
#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/jobs.h"
#include "cmd/settings.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { JOBS_MAX = 256 };

enum {
    OPT_FORMAT,
    OPT_JSON,
    OPT_OUTPUT,
    OPT_CONFIG,
    OPT_FRAMEWORK,
    OPT_FAIL_ON,
    OPT_DETECTOR,
    OPT_SET,
    OPT_PRESET,
    OPT_EXPLAIN,
    OPT_FULL,
    OPT_NOW,
    OPT_JOBS,
    OPT_NO_CHECKSUM,
};

static const struct tv_cli_option option_table[] = {
    {"format", 0, "FORMAT",
     "text (default); json: one object a line, runs and\nalerts; html: one page with plots"},
    {"json", 0, NULL, "short for --format json"},
    {"output", 'o', "FILE", "write the result there instead of on the terminal"},
    {"config", 'c', "FILE",
     "the configuration that the job was started with, when it\n"
     "does not lie beside the logs; wins over what the logs say"},
    {"framework", 0, "NAME[@VERSION]", "whose rules hold: transformers@4.51"},
    {"fail-on", 0, "LEVEL",
     "exit with 1 from this severity on: info, warning (default),\n"
     "critical or never"},
    {"detector", 'd', "ID", "run this detector only; can be repeated"},
    {"set", 0, "ID.OPTION=VALUE", "set a detector's option (trainvet explain ID names them)"},
    {"preset", 0, "NAME",
     "strict: also what may be nothing; quiet: only what is\ncertain; default"},
    {"explain", 0, NULL, "also say why each silent detector is silent"},
    {"full", 0, NULL, "tell consequences as fully as the finding that caused them"},
    {"now", 0, "TIME",
     "judge as an observer at that time (RFC 3339 or unix\n"
     "seconds), so that a silent end is told from the end"},
    {"jobs", 'j', "N", "runs read at the same time (default: one a processor)"},
    {"no-checksum", 0, NULL,
     "believe the data of event files without their checksums;\n"
     "damaged values then pass for good ones"},
    {NULL, 0, NULL, NULL},
};

const struct tv_cli tv_scan_cli = {
    .command = "scan",
    .operands = "PATH...",
    .intro =
        "Diagnoses the training runs at PATH: an output directory, a tree of them, or one log\n"
        "file. No configuration is needed: runs are found by what trainers write (TensorBoard\n"
        "event files, trainer_state.json, trainer_log.jsonl), and the promised learning rate\n"
        "comes from the configuration beside them. First comes the verdict for each run, then\n"
        "what was found: since which step, the numbers, likely causes, what to change.\n"
        "\n"
        "Exit status: 0 nothing at or above --fail-on, 1 findings, 2 wrong usage, 3 some input\n"
        "was unreadable or damaged (what could be read was diagnosed; stderr says what was not).",
    .options = option_table,
    .examples = "  trainvet scan saves/llama3-lora\n"
                "      one run: its output directory\n"
                "  trainvet scan --fail-on critical experiments/\n"
                "      every run below; exit status for a script\n"
                "  trainvet scan --config train.yaml trainer_log.jsonl\n"
                "      a log whose configuration lies elsewhere\n"
                "  trainvet scan --format html -o report.html experiments/\n"
                "      a page to look at or to send to somebody\n"
                "  trainvet scan --json experiments/ | jq 'select(.type == \"alert\") | .summary'\n"
                "      for programs\n",
};

static int parse_jobs(struct tv_scan_options *options, const char *text)
{
    int64_t jobs;
    if (!tv_parse_int64(tv_span_of(text), &jobs) || jobs < 1 || jobs > JOBS_MAX)
        return tv_cli_error(&tv_scan_cli, "--jobs takes a number from 1 to %d, not \"%s\"",
                            JOBS_MAX, text);
    options->jobs = (unsigned)jobs;
    return TV_EXIT_OK;
}

static int add_config(struct tv_scan_options *options, const char *path)
{
    if (options->configs_len == TV_SCAN_CONFIGS_MAX)
        return tv_cli_error(&tv_scan_cli, "--config can be given %d times at most",
                            TV_SCAN_CONFIGS_MAX);
    options->configs[options->configs_len++] = path;
    return TV_EXIT_OK;
}

static int set_format(struct tv_scan_options *options, const char *format)
{
    options->format = format;
    if (strcmp(format, "text") == 0 || strcmp(format, "json") == 0 || strcmp(format, "html") == 0)
        return TV_EXIT_OK;
    return tv_cli_error(&tv_scan_cli, "--format is text, json or html, not \"%s\"", format);
}

static int set_framework(struct tv_scan_options *options, const char *text)
{
    struct tv_facts facts = {0};
    struct tv_error error = {0};
    enum tv_status status = tv_settings_add_framework(&facts, text, &error);
    tv_facts_free(&facts);
    options->framework = text;
    return status == TV_OK ? TV_EXIT_OK : tv_cli_error(&tv_scan_cli, "%s", error.message);
}

static int take(void *ctx, int option, const char *value)
{
    struct tv_scan_options *options = ctx;
    struct tv_error error;
    switch (option) {
    case TV_ARG_OPERAND:
        options->paths[options->paths_len++] = value;
        return TV_EXIT_OK;
    case OPT_FORMAT:
        return set_format(options, value);
    case OPT_JSON:
        return set_format(options, "json");
    case OPT_OUTPUT:
        options->output = value;
        return TV_EXIT_OK;
    case OPT_CONFIG:
        return add_config(options, value);
    case OPT_FRAMEWORK:
        return set_framework(options, value);
    case OPT_FAIL_ON:
        options->fail_on = tv_parse_level(value);
        if (options->fail_on < 0)
            return tv_cli_error(&tv_scan_cli,
                                "--fail-on is info, warning, critical or never, not \"%s\"", value);
        return TV_EXIT_OK;
    case OPT_DETECTOR:
        if (tv_choice_detector(&options->choice, value, &error) != TV_OK)
            return tv_cli_error(&tv_scan_cli, "%s", error.message);
        return TV_EXIT_OK;
    case OPT_PRESET:
        return tv_choice_preset(&options->choice, value, &error) == TV_OK
                   ? TV_EXIT_OK
                   : tv_cli_error(&tv_scan_cli, "%s", error.message);
    case OPT_SET:
        if (tv_choice_set(&options->choice, value, &error) != TV_OK)
            return tv_cli_error(&tv_scan_cli, "%s", error.message);
        return TV_EXIT_OK;
    case OPT_EXPLAIN:
        options->choice.engine.keep_silences = true;
        return TV_EXIT_OK;
    case OPT_FULL:
        options->full = true;
        return TV_EXIT_OK;
    case OPT_NOW:
        if (!tv_parse_time(tv_span_of(value), &options->now))
            return tv_cli_error(&tv_scan_cli,
                                "--now takes a time as 2026-01-02T03:04:05Z or in unix seconds, "
                                "not \"%s\"",
                                value);
        return TV_EXIT_OK;
    case OPT_NO_CHECKSUM:
        options->choice.engine.trusts_data = true;
        return TV_EXIT_OK;
    default:
        return parse_jobs(options, value);
    }
}

int tv_scan_options_take(struct tv_scan_options *options, int argc, char **argv, bool *ret_go)
{
    *options = (struct tv_scan_options){.format = "text",
                                        .fail_on = TV_WARNING,
                                        .now = (double)time(NULL),
                                        .jobs = tv_jobs_default(),
                                        .paths = tv_xcalloc((size_t)argc, sizeof(char *))};
    tv_choice_init(&options->choice);
    int status = tv_args_take(&tv_scan_cli, argc, argv, take, options, ret_go);
    if (!*ret_go || options->paths_len > 0)
        return status;
    *ret_go = false;
    return tv_cli_error(&tv_scan_cli, "scan needs a PATH: an output directory or a log file");
}

void tv_scan_options_free(struct tv_scan_options *options)
{
    tv_choice_free(&options->choice);
    free(options->paths);
}
