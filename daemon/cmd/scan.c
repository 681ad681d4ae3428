/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"
#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/jobs.h"
#include "cmd/notes.h"
#include "cmd/scan_options.h"
#include "cmd/settings.h"
#include "model/contradictions.h"
#include "tail/load.h"
#include "trainvet/text.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NAME_WIDTH_MIN = 8, NAME_WIDTH_MAX = 28 };

struct scan {
    struct tv_scan_options options;
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
    bool progress, has_progress_line, trouble, findings, sink_failed;
};

static bool wants_color(FILE *out)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(out)) && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

static void report_sink(struct scan *scan, enum tv_status status, const struct tv_error *error)
{
    if (status != TV_OK && !scan->sink_failed)
        tv_log(TV_LOG_ERROR, "%s: %s",
               scan->options.output ? scan->options.output : "standard output", error->message);
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
    if (scan->options.paths_len == 1)
        tv_option_set(table, scan->sink_options, "root", scan->root, NULL);
    if (scan->options.full)
        tv_option_set(table, scan->sink_options, "full", "true", NULL);
    if (wants_color(scan->out))
        tv_option_set(table, scan->sink_options, "color", "true", NULL);
}

static int open_output(struct scan *scan)
{
    struct tv_error error = {0};
    for (size_t i = 0; tv_sinks[i]; i++)
        if (strcmp(tv_sinks[i]->name, scan->options.format) == 0)
            scan->sink = tv_sinks[i];
    scan->out = scan->options.output ? fopen(scan->options.output, "we") : stdout;
    if (!scan->out) {
        char reason[128];
        return tv_cli_error(&tv_scan_cli, "%s cannot be written: %s", scan->options.output,
                            strerror_r(errno, reason, sizeof reason));
    }
    scan->options.choice.engine.plot_buckets = scan->sink->plot_points;
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

static uint64_t size_of_run(void *ctx, size_t i)
{
    struct scan *scan = ctx;
    uint64_t size = 0;
    for (struct tv_found_source *from = scan->found.runs[i].sources; from; from = from->next)
        for (struct tv_found_file *file = from->files; file; file = file->next)
            size += file->size;
    return size;
}

static void read_run(void *ctx, size_t i)
{
    struct scan *scan = ctx;
    struct one_run *one = &scan->runs[i];
    one->run = tv_run_new(&scan->options.choice.engine, scan->found.runs[i].name);
    tv_run_on_problem(one->run, tv_notes_add, &one->notes);
    if (scan->options.framework)
        tv_settings_add_framework(tv_run_facts(one->run), scan->options.framework, NULL);
    for (size_t c = 0; c < scan->options.configs_len; c++)
        tv_load_config(one->run, scan->options.configs[c], true, NULL);
    tv_load_run(one->run, &scan->found.runs[i], &scan->bytes);
    tv_run_end(one->run, scan->options.now);
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
        scan->findings = scan->findings || (int)alerts[a]->severity >= scan->options.fail_on;
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
    for (size_t i = 0; i < scan->options.configs_len; i++) {
        struct tv_error error = {0};
        struct tv_run *run = tv_run_new(&scan->options.choice.engine, "");
        enum tv_status status = tv_load_config(run, scan->options.configs[i], true, &error);
        tv_run_free(run);
        if (status != TV_OK && error.line)
            return tv_cli_error(&tv_scan_cli, "%s: line %" PRIu32 ": %s", scan->options.configs[i],
                                error.line, error.message);
        if (status != TV_OK)
            return tv_cli_error(&tv_scan_cli, "%s: %s", scan->options.configs[i], error.message);
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
    tv_discover(&scan->found, scan->options.paths, scan->options.paths_len);
    tv_escape(tv_span_of(scan->options.paths[0]), scan->root, sizeof scan->root);
    status = open_output(scan);
    if (status != TV_EXIT_OK)
        return status;
    report_problems(scan);
    scan->runs = tv_xcalloc(scan->found.runs_len, sizeof *scan->runs);
    tv_jobs_run(&(struct tv_jobs){.count = scan->found.runs_len,
                                  .threads = scan->options.jobs,
                                  .ctx = scan,
                                  .size = size_of_run,
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
    struct scan scan = {0};
    bool go;
    int status = tv_scan_options_take(&scan.options, argc, argv, &go);
    if (go)
        status = run_scan(&scan);
    tv_scan_options_free(&scan.options);
    tv_found_free(&scan.found);
    free(scan.runs);
    return status;
}
