/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "cmd/choice.h"
#include "cmd/cmd.h"
#include "cmd/jobs.h"
#include "cmd/notes.h"
#include "cmd/settings.h"
#include "model/contradictions.h"
#include "tail/load.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    CONFIGS_MAX = 32,
    JOBS_MAX = 256,
    NEVER = TV_CRITICAL + 1,
    NAME_WIDTH_MIN = 8,
    NAME_WIDTH_MAX = 28,
};

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

static const struct tv_cli cli = {
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

struct scan {
    struct tv_choice choice;
    const char *format, *output, *framework;
    const char *configs[CONFIGS_MAX];
    size_t configs_len;
    int fail_on;
    double now;
    unsigned jobs;
    const char **paths; /* borrowed from argv */
    size_t paths_len;
    char root[256]; /* the only PATH, safe to print */

    struct tv_found found;
    struct one_run {
        struct tv_run *run;
        struct tv_notes notes;
    } * runs;
    const struct tv_sink *sink;
    void *sink_options, *sink_state;
    FILE *out;
    atomic_uint_least64_t bytes;
    size_t done;
    bool full, progress, has_progress_line, trouble, findings, sink_failed;
};

/* ---- command line ---- */

static int parse_jobs(struct scan *scan, const char *text)
{
    int64_t jobs;
    if (!tv_parse_int64(tv_span_of(text), &jobs) || jobs < 1 || jobs > JOBS_MAX)
        return tv_cli_error(&cli, "--jobs takes a number from 1 to %d, not \"%s\"", JOBS_MAX, text);
    scan->jobs = (unsigned)jobs;
    return TV_EXIT_OK;
}

static int add_config(struct scan *scan, const char *path)
{
    if (scan->configs_len == CONFIGS_MAX)
        return tv_cli_error(&cli, "--config can be given %d times at most", CONFIGS_MAX);
    scan->configs[scan->configs_len++] = path;
    return TV_EXIT_OK;
}

static int set_format(struct scan *scan, const char *format)
{
    scan->format = format;
    if (strcmp(format, "text") == 0 || strcmp(format, "json") == 0 || strcmp(format, "html") == 0)
        return TV_EXIT_OK;
    return tv_cli_error(&cli, "--format is text, json or html, not \"%s\"", format);
}

static int set_framework(struct scan *scan, const char *text)
{
    struct tv_facts facts = {0};
    struct tv_error error = {0};
    enum tv_status status = tv_settings_add_framework(&facts, text, &error);
    tv_facts_free(&facts);
    scan->framework = text;
    return status == TV_OK ? TV_EXIT_OK : tv_cli_error(&cli, "%s", error.message);
}

static int take(void *ctx, int option, const char *value)
{
    struct scan *scan = ctx;
    struct tv_error error;
    switch (option) {
    case TV_ARG_OPERAND:
        scan->paths[scan->paths_len++] = value;
        return TV_EXIT_OK;
    case OPT_FORMAT:
        return set_format(scan, value);
    case OPT_JSON:
        return set_format(scan, "json");
    case OPT_OUTPUT:
        scan->output = value;
        return TV_EXIT_OK;
    case OPT_CONFIG:
        return add_config(scan, value);
    case OPT_FRAMEWORK:
        return set_framework(scan, value);
    case OPT_FAIL_ON:
        scan->fail_on = tv_parse_level(value);
        if (scan->fail_on < 0)
            return tv_cli_error(&cli, "--fail-on is info, warning, critical or never, not \"%s\"",
                                value);
        return TV_EXIT_OK;
    case OPT_DETECTOR:
        if (tv_choice_detector(&scan->choice, value, &error) != TV_OK)
            return tv_cli_error(&cli, "%s", error.message);
        return TV_EXIT_OK;
    case OPT_PRESET:
        return tv_choice_preset(&scan->choice, value, &error) == TV_OK
                   ? TV_EXIT_OK
                   : tv_cli_error(&cli, "%s", error.message);
    case OPT_SET:
        if (tv_choice_set(&scan->choice, value, &error) != TV_OK)
            return tv_cli_error(&cli, "%s", error.message);
        return TV_EXIT_OK;
    case OPT_EXPLAIN:
        scan->choice.engine.keep_silences = true;
        return TV_EXIT_OK;
    case OPT_FULL:
        scan->full = true;
        return TV_EXIT_OK;
    case OPT_NOW:
        if (!tv_parse_time(tv_span_of(value), &scan->now))
            return tv_cli_error(&cli,
                                "--now takes a time as 2026-01-02T03:04:05Z or in unix seconds, "
                                "not \"%s\"",
                                value);
        return TV_EXIT_OK;
    case OPT_NO_CHECKSUM:
        scan->choice.engine.trusts_data = true;
        return TV_EXIT_OK;
    default:
        return parse_jobs(scan, value);
    }
}

/* TV_EXIT_OK and *ret_go, or the status to exit with. */
static int parse(struct scan *scan, int argc, char **argv, bool *ret_go)
{
    int status = tv_args_take(&cli, argc, argv, take, scan, ret_go);
    if (!*ret_go || scan->paths_len > 0)
        return status;
    *ret_go = false;
    return tv_cli_error(&cli, "scan needs a PATH: an output directory or a log file");
}

/* ---- output ---- */

static bool wants_color(FILE *out)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(out)) && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

static void report_sink(struct scan *scan, enum tv_status status, const struct tv_error *error)
{
    if (status != TV_OK && !scan->sink_failed)
        tv_log(TV_LOG_ERROR, "%s: %s", scan->output ? scan->output : "standard output",
               error->message);
    scan->sink_failed = scan->sink_failed || status != TV_OK;
}

/* Fits the text to the terminal and to the names that are to come. */
static void set_sink_options(struct scan *scan)
{
    const struct tv_option *table = scan->sink->options;
    size_t longest = NAME_WIDTH_MIN;
    char width[24];
    for (size_t i = 0; i < scan->found.runs_len; i++) {
        size_t len = strlen(scan->found.runs[i].name);
        if (len > longest)
            longest = len < NAME_WIDTH_MAX ? len : NAME_WIDTH_MAX;
    }
    snprintf(width, sizeof width, "%zu", longest);
    tv_option_set(table, scan->sink_options, "name_width", width, NULL);
    if (scan->paths_len == 1)
        tv_option_set(table, scan->sink_options, "root", scan->root, NULL);
    if (scan->full)
        tv_option_set(table, scan->sink_options, "full", "true", NULL);
    if (wants_color(scan->out))
        tv_option_set(table, scan->sink_options, "color", "true", NULL);
}

static int open_output(struct scan *scan)
{
    struct tv_error error = {0};
    for (size_t i = 0; tv_sinks[i]; i++)
        if (strcmp(tv_sinks[i]->name, scan->format) == 0)
            scan->sink = tv_sinks[i];
    scan->out = scan->output ? fopen(scan->output, "we") : stdout;
    if (!scan->out) {
        char reason[128];
        return tv_cli_error(&cli, "%s cannot be written: %s", scan->output,
                            strerror_r(errno, reason, sizeof reason));
    }
    scan->choice.engine.plot_buckets = scan->sink->plot_points;
    scan->sink_options = tv_xcalloc(1, scan->sink->options_size);
    scan->sink_state = tv_xcalloc(1, scan->sink->state_size);
    tv_option_defaults(scan->sink->options, scan->sink_options);
    if (scan->sink->options)
        set_sink_options(scan);
    report_sink(scan,
                scan->sink->open(scan->sink_options, scan->sink_state, scan->out, NULL, &error),
                &error);
    return TV_EXIT_OK;
}

static void close_output(struct scan *scan)
{
    struct tv_error error = {0};
    if (scan->sink)
        report_sink(scan, scan->sink->close(scan->sink_options, scan->sink_state, &error), &error);
    if (scan->out && scan->out != stdout && fclose(scan->out) != 0)
        report_sink(scan, tv_fail(&error, TV_EIO, "cannot be written"), &error);
    free(scan->sink_options);
    free(scan->sink_state);
}

static void erase_progress(struct scan *scan)
{
    if (scan->has_progress_line)
        fputs("\r\033[K", stderr);
    scan->has_progress_line = false;
}

static void show_progress(void *ctx)
{
    struct scan *scan = ctx;
    fprintf(stderr, "\r\033[K%zu of %zu runs, %.1f MB read", scan->done, scan->found.runs_len,
            (double)atomic_load(&scan->bytes) / 1e6);
    fflush(stderr);
    scan->has_progress_line = true;
}

/* ---- the work ---- */

/* What the configuration leaves to wonder about. */
static void note_facts(struct one_run *one, const char *name)
{
    struct tv_contradiction found[8];
    const struct tv_facts *facts = tv_run_facts(one->run);
    size_t len = tv_facts_contradictions(facts, found, 8);
    for (size_t i = 0; i < len; i++) {
        char text[512];
        struct tv_damage note = {.is_note = true,
                                 .what = tv_contradiction_text(&found[i], text, sizeof text)};
        tv_notes_add(&one->notes, name, &note);
    }
    if (facts->dropped)
        tv_notes_add(&one->notes, name,
                     &(struct tv_damage){.what =
                                             "the configuration has more settings than a run may "
                                             "have; some were left out"});
}

static void read_run(void *ctx, size_t i)
{
    struct scan *scan = ctx;
    struct one_run *one = &scan->runs[i];
    one->run = tv_run_new(&scan->choice.engine, scan->found.runs[i].name);
    tv_run_on_problem(one->run, tv_notes_add, &one->notes);
    if (scan->framework)
        tv_settings_add_framework(tv_run_facts(one->run), scan->framework, NULL);
    for (size_t c = 0; c < scan->configs_len; c++)
        tv_load_config(one->run, scan->configs[c], true, NULL);
    tv_load_run(one->run, &scan->found.runs[i], &scan->bytes);
    tv_run_end(one->run, scan->now);
    note_facts(one, scan->found.runs[i].name);
}

static void report_run(void *ctx, size_t i)
{
    struct scan *scan = ctx;
    struct one_run *one = &scan->runs[i];
    struct tv_run_report report;
    struct tv_error error = {0};
    const struct tv_alert *const *alerts;
    size_t len = tv_run_stories(one->run, &alerts);
    tv_run_report(one->run, &report);
    report.stories = alerts;
    erase_progress(scan);
    scan->trouble = scan->trouble || one->notes.any_damage;
    tv_notes_print(&one->notes);
    report_sink(scan, scan->sink->run(scan->sink_options, scan->sink_state, &report, &error),
                &error);
    for (size_t a = 0; a < len; a++) {
        scan->findings = scan->findings || (int)alerts[a]->severity >= scan->fail_on;
        report_sink(scan,
                    scan->sink->deliver(scan->sink_options, scan->sink_state, alerts[a], &error),
                    &error);
    }
    tv_run_free(one->run);
    scan->done++;
}

static void report_problems(struct scan *scan)
{
    for (size_t i = 0; i < scan->found.problems_len; i++) {
        const struct tv_found_problem *problem = &scan->found.problems[i];
        scan->trouble = scan->trouble || !problem->is_note;
        tv_log(TV_LOG_WARNING, "%s: %s", problem->path, problem->what);
    }
    if (scan->found.problems_dropped) {
        scan->trouble = true;
        tv_log(TV_LOG_WARNING, "%zu more files could not be read", scan->found.problems_dropped);
    }
}

/* A configuration that cannot be used is a wrong command line, not a damaged log. */
static int check_configs(struct scan *scan)
{
    for (size_t i = 0; i < scan->configs_len; i++) {
        struct tv_error error = {0};
        struct tv_run *run = tv_run_new(&scan->choice.engine, "");
        enum tv_status status = tv_load_config(run, scan->configs[i], true, &error);
        tv_run_free(run);
        if (status != TV_OK && error.line)
            return tv_cli_error(&cli, "%s: line %" PRIu32 ": %s", scan->configs[i], error.line,
                                error.message);
        if (status != TV_OK)
            return tv_cli_error(&cli, "%s: %s", scan->configs[i], error.message);
    }
    return TV_EXIT_OK;
}

/* A run can hold dozens of files open at once. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int run_scan(struct scan *scan)
{
    int status = check_configs(scan);
    if (status != TV_EXIT_OK)
        return status;
    raise_file_limit();
    scan->progress = isatty(STDERR_FILENO);
    tv_discover(&scan->found, scan->paths, scan->paths_len);
    tv_escape(tv_span_of(scan->paths[0]), scan->root, sizeof scan->root);
    status = open_output(scan);
    if (status != TV_EXIT_OK)
        return status;
    report_problems(scan);
    scan->runs = tv_xcalloc(scan->found.runs_len, sizeof *scan->runs);
    tv_jobs_run(&(struct tv_jobs){.count = scan->found.runs_len,
                                  .threads = scan->jobs,
                                  .ctx = scan,
                                  .work = read_run,
                                  .done = report_run,
                                  .idle = scan->progress ? show_progress : NULL});
    erase_progress(scan);
    close_output(scan);
    return scan->sink_failed ? TV_EXIT_USAGE
           : scan->trouble   ? TV_EXIT_INPUT
           : scan->findings  ? TV_EXIT_FINDINGS
                             : TV_EXIT_OK;
}

int tv_cmd_scan(int argc, char **argv)
{
    struct scan scan = {.format = "text",
                        .fail_on = TV_WARNING,
                        .now = (double)time(NULL),
                        .jobs = tv_jobs_default(),
                        .paths = tv_xcalloc((size_t)argc, sizeof(char *))};
    tv_choice_init(&scan.choice);
    bool go;
    int status = parse(&scan, argc, argv, &go);
    if (go)
        status = run_scan(&scan);
    tv_choice_free(&scan.choice);
    tv_found_free(&scan.found);
    free(scan.runs);
    free(scan.paths);
    return status;
}
