/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/notes.h"
#include "tail/load.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct tv_cli_option option_table[] = {
    {"json", 0, NULL, "short for --format json"},
    {"format", 0, "FORMAT", "text (default) or json: one object a line"},
    {"no-checksum", 0, NULL, "believe the data of event files without their checksums"},
    {NULL, 0, NULL, NULL},
};

/* From the command line. */
struct inspection {
    bool json, trusts_data;
};

static const struct tv_cli cli = {
    .command = "inspect",
    .operands = "FILE...",
    .intro = "Shows what is in a log: its tags and what trainvet takes them for, how many points, "
             "which\n"
             "steps, the range of values, and what was damaged. Of a configuration it shows the\n"
             "settings. A directory stands for the logs that scan would read there.",
    .options = option_table,
    .examples = "  trainvet inspect runs/*/events.out.tfevents.*\n"
                "  trainvet inspect --json trainer_state.json | jq .tags\n",
};

/* What the report of a file needs, gathered from the run that holds only this file. */
struct file_view {
    struct tv_run *run;
    const char *path;
    struct tv_input_report input;
};

static void json_series(void *ctx, const struct tv_series_info *info)
{
    struct tv_json *json = ctx;
    tv_json_open(json, NULL, '{');
    tv_json_text(json, "tag", info->tag);
    tv_json_text(json, "role", tv_role_name(info->role));
    tv_json_int(json, "points", (int64_t)info->points);
    tv_json_int(json, "non_finite", (int64_t)info->non_finite);
    tv_json_int(json, "first_step", info->first_step);
    tv_json_int(json, "last_step", info->last_step);
    tv_json_double(json, "min", info->min);
    tv_json_double(json, "max", info->max);
    tv_json_double(json, "last", info->last);
    tv_json_close(json, '}');
}

static void json_facts(struct tv_json *json, const struct tv_facts *facts)
{
    tv_json_open(json, "settings", '[');
    for (size_t i = 0; i < facts->len; i++) {
        const struct tv_fact_entry *fact = facts->entries[i];
        tv_json_open(json, NULL, '{');
        tv_json_text(json, "key", fact->key);
        tv_json_text(json, "value", fact->is_null ? NULL : fact->value);
        if (fact->line)
            tv_json_int(json, "line", fact->line);
        tv_json_close(json, '}');
    }
    tv_json_close(json, ']');
}

static void print_json(const struct file_view *view)
{
    struct tv_json json = {0};
    tv_json_open(&json, NULL, '{');
    tv_json_int(&json, "schema_version", 1);
    tv_json_text(&json, "type", "file");
    tv_json_text(&json, "path", view->path);
    tv_json_text(&json, "parser", view->input.parser);
    tv_json_int(&json, "records", (int64_t)view->input.records);
    tv_json_int(&json, "damaged", (int64_t)view->input.damaged);
    tv_json_int(&json, "skipped_bytes", (int64_t)view->input.skipped_bytes);
    tv_json_bool(&json, "truncated_tail", view->input.truncated_tail);
    tv_json_open(&json, "tags", '[');
    tv_run_each_series(view->run, json_series, &json);
    tv_json_close(&json, ']');
    json_facts(&json, tv_run_facts(view->run));
    tv_json_close(&json, '}');
    puts(json.data);
    tv_json_free(&json);
}

struct table {
    int width; /* of the tag column */
    size_t rows;
};

static void measure(void *ctx, const struct tv_series_info *info)
{
    struct table *table = ctx;
    int len = (int)strlen(info->tag);
    table->width = len > table->width ? len : table->width;
    table->rows++;
}

static const char *number(char buffer[TV_NUMBER_MAX], double value)
{
    tv_format_short(buffer, value, 4);
    return isnan(value) ? "-" : buffer;
}

static void text_series(void *ctx, const struct tv_series_info *info)
{
    const struct table *table = ctx;
    char min[TV_NUMBER_MAX], max[TV_NUMBER_MAX], last[TV_NUMBER_MAX], steps[48];
    snprintf(steps, sizeof steps, "%" PRId64 "..%" PRId64, info->first_step, info->last_step);
    printf("  %-*s  %-13s %8" PRIu64 "  %-14s %10s %10s", table->width, info->tag,
           tv_role_name(info->role), info->points, steps, number(min, info->min),
           number(max, info->max));
    tv_format_short(last, info->last, 4);
    printf(" %10s", last);
    if (info->non_finite)
        printf("  %" PRIu64 " not finite", info->non_finite);
    putchar('\n');
}

static void text_facts(const struct tv_facts *facts)
{
    for (size_t i = 0; i < facts->len; i++) {
        const struct tv_fact_entry *fact = facts->entries[i];
        char key[160], value[160];
        printf("  %s: %s\n", tv_escape(tv_span_of(fact->key), key, sizeof key),
               fact->is_null ? "null" : tv_escape(tv_span_of(fact->value), value, sizeof value));
    }
}

static void print_text(const struct file_view *view)
{
    struct table table = {.width = 3};
    const struct tv_facts *facts = tv_run_facts(view->run);
    tv_run_each_series(view->run, measure, &table);
    printf("%s\n  %s, %" PRIu64 " records", view->input.path, view->input.parser,
           view->input.records);
    if (table.rows)
        printf(", %zu tags", table.rows);
    if (facts->len)
        printf(", %zu settings", facts->len);
    if (view->input.damaged)
        printf(", %" PRIu64 " damaged (%" PRIu64 " bytes skipped)", view->input.damaged,
               view->input.skipped_bytes);
    if (view->input.truncated_tail)
        printf(", the last record is incomplete");
    putchar('\n');
    if (table.rows) {
        printf("\n  %-*s  %-13s %8s  %-14s %10s %10s %10s\n", table.width, "tag", "role", "points",
               "steps", "min", "max", "last");
        tv_run_each_series(view->run, text_series, &table);
    } else if (facts->len) {
        putchar('\n');
        text_facts(facts);
    }
}

/* Reads one file alone, with no detector. False when something was wrong with it. */
static bool inspect_file(const struct tv_found_file *file, const char *prefix,
                         const struct inspection *how, bool first)
{
    static const struct tv_detector *const none[] = {NULL};
    struct tv_engine_options options = {
        .detectors = none, .only_count = true, .trusts_data = how->trusts_data};
    struct tv_notes notes = {0};
    struct tv_found_file alone = *file;
    alone.next = NULL;
    struct tv_found_source source = {.prefix = prefix, .files = &alone};
    struct tv_found_run found = {.path = file->path, .sources = &source};
    struct tv_run_report report;
    struct file_view view = {.run = tv_run_new(&options, "."), .path = file->path};
    tv_run_on_problem(view.run, tv_notes_add, &notes);
    tv_load_run(view.run, &found, NULL);
    tv_run_report(view.run, &report);
    view.input = report.inputs[0];
    bool good = !notes.any_damage;
    if (!how->json && !first)
        putchar('\n');
    (how->json ? print_json : print_text)(&view);
    fflush(stdout);
    tv_notes_print(&notes);
    tv_run_free(view.run);
    return good;
}

static bool inspect_list(const struct tv_found_file *files, const char *prefix,
                         const struct inspection *how, bool *first)
{
    bool good = true;
    for (; files; files = files->next) {
        good = inspect_file(files, prefix, how, *first) && good;
        *first = false;
    }
    return good;
}

static int inspect(const char *const *paths, size_t count, const struct inspection *how)
{
    struct tv_found found = {0};
    tv_discover_files(&found, paths, count);
    bool good = true, first = true;
    for (size_t i = 0; i < found.problems_len; i++) {
        good = good && found.problems[i].is_note;
        tv_log(TV_LOG_WARNING, "%s: %s", found.problems[i].path, found.problems[i].what);
    }
    for (size_t i = 0; i < found.runs_len; i++) {
        good = inspect_list(found.runs[i].configs, "", how, &first) && good;
        for (const struct tv_found_source *s = found.runs[i].sources; s; s = s->next)
            good = inspect_list(s->files, s->prefix, how, &first) && good;
    }
    tv_found_free(&found);
    return good ? TV_EXIT_OK : TV_EXIT_INPUT;
}

int tv_cmd_inspect(int argc, char **argv)
{
    struct tv_plain_args args = tv_plain_args(&cli, argc, argv);
    if (!args.go)
        return args.status;
    if (args.len == 0)
        return tv_cli_error(&cli, "inspect needs a FILE");
    struct inspection how = {.json = args.json, .trusts_data = args.extra};
    return inspect(args.operands, args.len, &how);
}
