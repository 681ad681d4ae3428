/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For people: the verdict of each run in one line, and what was found below it. */
#include "trainvet/text.h"
#include "lib/report_text.h"
#include "lib/wrap.h"
#include "trainvet/sink.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VERDICT_COLUMN = 10, LABEL_INDENT = 4, TEXT_INDENT = 13 };

struct options {
    bool color, full;
    int64_t width, name_width;
    const char *root;
};

struct state {
    FILE *out;
    size_t runs, healthy, running, without_data, by_severity[TV_CRITICAL + 1];
    char story[17]; /* fingerprint of the finding whose consequences may follow */
    bool has_consequences,
        after_block; /* the line above ends a run's findings: leave an empty one */
};

static const struct tv_option option_table[] = {
    TV_OPTION_ROW(struct options, color, BOOL, 0, 0, 1, "colour the verdicts"),
    TV_OPTION_ROW(struct options, full, BOOL, 0, 0, 1,
                  "tell consequences of another finding as fully as their cause"),
    TV_OPTION_ROW(struct options, width, INT, 80, 40, 1000, "columns that a line may take"),
    TV_OPTION_ROW(struct options, name_width, INT, 14, 1, 1000, "columns for the run's name"),
    {.name = "root",
     .type = TV_OPTION_STRING,
     .offset = offsetof(struct options, root),
     .default_text = "",
     .help = "what to call the run that is the PATH itself"},
    TV_OPTION_END,
};

static const char *color(const struct options *options, const char *code)
{
    return options->color ? code : "";
}

static const char *severity_color(enum tv_severity severity)
{
    return severity == TV_CRITICAL  ? "\033[1;31m"
           : severity == TV_WARNING ? "\033[33m"
                                    : "\033[36m";
}

static enum tv_status check(const struct state *state, struct tv_error *reterr)
{
    return ferror(state->out) ? tv_fail(reterr, TV_EIO, "the output cannot be written") : TV_OK;
}

static enum tv_status open_stream(const void *options, void *opaque, void *out,
                                  const struct tv_sink_host *host, struct tv_error *reterr)
{
    (void)host;
    (void)options;
    struct state *state = opaque;
    state->out = out;
    return out ? TV_OK : tv_fail(reterr, TV_ECONFIG, "text needs a stream to print on");
}

/* "label    text", the label only when there is one. */
static void line(const struct options *options, FILE *out, const char *label, const char *text)
{
    fprintf(out, "%*s%s%-*s%s", LABEL_INDENT, "", color(options, "\033[2m"),
            TEXT_INDENT - LABEL_INDENT, label, color(options, "\033[0m"));
    tv_wrap(out, (size_t)options->width, TEXT_INDENT, TEXT_INDENT, text);
}

struct verdict {
    const char *word, *color;
};

static struct verdict judge(struct state *state, const struct tv_run_report *report)
{
    static const char *const words[] = {"info", "WARNING", "CRITICAL"};
    state->runs++;
    if (report->alerts) {
        state->by_severity[report->worst]++;
        return (struct verdict){words[report->worst], severity_color(report->worst)};
    }
    if (strcmp(report->status, "no_data") == 0) {
        state->without_data++;
        return (struct verdict){"no data", "\033[2m"};
    }
    if (strcmp(report->status, "running") == 0) {
        state->running++;
        return (struct verdict){"running", "\033[32m"};
    }
    state->healthy++;
    return (struct verdict){"ok", "\033[32m"};
}

static enum tv_status run(const void *opaque_options, void *opaque,
                          const struct tv_run_report *report, struct tv_error *reterr)
{
    const struct options *options = opaque_options;
    struct state *state = opaque;
    char facts[256];
    struct verdict verdict = judge(state, report);
    if (state->after_block || (report->alerts && state->runs > 1))
        putc('\n', state->out);
    const char *name =
        *options->root && strcmp(report->run, ".") == 0 ? options->root : report->run;
    size_t name_columns = tv_columns(name, strlen(name));
    if (name_columns < (size_t)options->name_width)
        name_columns = (size_t)options->name_width;
    fprintf(state->out, "%s%-*s%s%-*s  ", color(options, verdict.color), VERDICT_COLUMN,
            verdict.word, color(options, "\033[0m"), (int)options->name_width, name);
    size_t at = VERDICT_COLUMN + name_columns + 2;
    tv_wrap(state->out, (size_t)options->width, at, VERDICT_COLUMN,
            tv_run_facts_text(facts, sizeof facts, report));
    if (report->silences_len && report->schedule_note)
        line(options, state->out, "rate", report->schedule_note);
    for (size_t i = 0; i < report->silences_len; i++) {
        char silent[512];
        struct tv_text why = tv_text_in(silent, sizeof silent);
        tv_text_add(&why, "%s: %s", report->silences[i].detector, report->silences[i].reason);
        line(options, state->out, i == 0 ? "silent" : "", silent);
    }
    state->after_block = report->alerts || report->silences_len;
    return check(state, reterr);
}

static void print_numbers(const struct options *options, FILE *out, const struct tv_alert *alert)
{
    char buffer[2048];
    if (*tv_alert_numbers(buffer, sizeof buffer, alert))
        line(options, out, "numbers", buffer);
}

/* What another finding brought about, when that one stands right above: one sentence. */
static bool print_consequence(const struct options *options, struct state *state,
                              const struct tv_alert *alert)
{
    char buffer[1024];
    struct tv_text text = tv_text_in(buffer, sizeof buffer);
    if (options->full || !alert->leader || strcmp(alert->leader->fingerprint, state->story) != 0)
        return false;
    tv_text_add(&text, "step %" PRId64 ", %s: %s", alert->onset_step, alert->detector,
                alert->summary);
    line(options, state->out, state->has_consequences ? "" : "then", buffer);
    state->has_consequences = true;
    return true;
}

static enum tv_status deliver(const void *opaque_options, void *opaque,
                              const struct tv_alert *alert, struct tv_error *reterr)
{
    const struct options *options = opaque_options;
    struct state *state = opaque;
    FILE *out = state->out;
    char when[512];
    if (print_consequence(options, state, alert))
        return check(state, reterr);
    memcpy(state->story, alert->fingerprint, sizeof state->story);
    state->has_consequences = false;
    fprintf(out, "\n  %s%s%s: ", color(options, severity_color(alert->severity)), alert->detector,
            color(options, "\033[0m"));
    tv_wrap(out, (size_t)options->width, 4 + strlen(alert->detector), LABEL_INDENT, alert->summary);
    line(options, out, "since", tv_alert_when(when, sizeof when, alert));
    print_numbers(options, out, alert);
    for (size_t i = 0; i < alert->causes_len; i++)
        line(options, out, i == 0 ? "likely" : "", alert->causes[i]);
    for (size_t i = 0; i < alert->advice_len; i++)
        line(options, out, i == 0 ? "change" : "", alert->advice[i]);
    state->after_block = true;
    return check(state, reterr);
}

/* "12 critical, 116 warning, 80 ok" */
static void print_counts(const struct state *state)
{
    const struct {
        const char *name;
        size_t count;
    } rows[] = {
        {"critical", state->by_severity[TV_CRITICAL]},
        {"warning", state->by_severity[TV_WARNING]},
        {"info", state->by_severity[TV_INFO]},
        {"ok", state->healthy},
        {"running", state->running},
        {"without data", state->without_data},
    };
    const char *separator = ": ";
    fprintf(state->out, "\n%zu runs", state->runs);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].count == 0)
            continue;
        fprintf(state->out, "%s%zu %s", separator, rows[i].count, rows[i].name);
        separator = ", ";
    }
    putc('\n', state->out);
}

static enum tv_status close_stream(const void *options, void *opaque, struct tv_error *reterr)
{
    (void)options;
    struct state *state = opaque;
    if (state->runs > 1)
        print_counts(state);
    fflush(state->out);
    return check(state, reterr);
}

const struct tv_sink tv_sink_text = {
    .name = "text",
    .summary = "for people: the verdict of each run in one line, its findings below",
    .options = option_table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .open = open_stream,
    .run = run,
    .deliver = deliver,
    .close = close_stream,
};
