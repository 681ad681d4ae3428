/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A page of its own: no script, nothing loaded from anywhere, readable for years. Runs come as they
 * are reported; the table of all of them, known only at the end, is put on top by the style. */
#include "lib/html_page.h"
#include "lib/report_text.h"
#include "lib/svg.h"
#include "trainvet/sink.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PLOT_POINTS = 300, PLOTTED_MAX = 100, NAME_MAX_LEN = 160, ROWS_MAX = 10000 };

struct options {
    const char *root;
};

struct state {
    FILE *out;
    FILE *table; /* rows of the table, on disk until the end */
    size_t runs, by_severity[TV_CRITICAL + 1], quiet;
    size_t plotted;
    char story[17]; /* fingerprint of the finding whose consequences may follow */
    bool in_run;
};

static const struct tv_option option_table[] = {
    {.name = "root",
     .type = TV_OPTION_STRING,
     .offset = offsetof(struct options, root),
     .default_text = "",
     .help = "what to call the run that is the PATH itself"},
    TV_OPTION_END,
};

static enum tv_status check(const struct state *state, struct tv_error *reterr)
{
    return ferror(state->out) || ferror(state->table)
               ? tv_fail(reterr, TV_EIO, "the output cannot be written")
               : TV_OK;
}

static enum tv_status open_stream(const void *opaque_options, void *opaque, void *out,
                                  const struct tv_sink_host *host, struct tv_error *reterr)
{
    (void)host;
    const struct options *options = opaque_options;
    struct state *state = opaque;
    state->out = out;
    state->table = tmpfile();
    if (!out || !state->table)
        return tv_fail(reterr, TV_ECONFIG, "html needs a file to print to and a temporary one");
    tv_html_page_begin(out, options->root);
    return check(state, reterr);
}

static const char *verdict_of(const struct tv_run_report *report)
{
    return report->alerts                           ? tv_severity_name(report->worst)
           : strcmp(report->status, "no_data") == 0 ? "no data"
                                                    : report->status;
}

static const char *badge_of(const struct tv_run_report *report)
{
    return report->alerts                           ? tv_severity_name(report->worst)
           : strcmp(report->status, "no_data") == 0 ? "none"
                                                    : "fine";
}

static void end_run(struct state *state)
{
    if (state->in_run)
        fputs("</article>\n", state->out);
    state->in_run = false;
}

static void write_row(struct state *state, const struct tv_run_report *report, const char *name)
{
    FILE *out = state->table;
    if (state->runs > ROWS_MAX)
        return;
    fprintf(out, "<tr><td><span class=\"badge %s\">%s</span><td class=\"name\"><a href=\"#r%zu\">",
            badge_of(report), verdict_of(report), state->runs);
    tv_html_text(out, name);
    fputs("</a>", out);
    const double numbers[] = {(double)report->alerts,
                              report->steps >= 0 ? (double)report->steps : (double)NAN,
                              report->final_loss, report->final_eval_loss};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        fputs("<td class=\"number\">", out);
        tv_html_number(out, numbers[i]);
    }
    putc('\n', out);
}

static const struct tv_plot *plot_of(const struct tv_run_report *report, enum tv_role role)
{
    for (size_t i = 0; i < report->plots_len; i++)
        if (report->plots[i].role == role)
            return &report->plots[i];
    return NULL;
}

static void add_line(struct tv_svg *svg, const struct tv_plot *plot, const char *name,
                     const char *css, bool expected)
{
    if (plot && svg->lines_len < TV_SVG_LINES)
        svg->lines[svg->lines_len++] =
            (struct tv_svg_line){name, css, plot->points, plot->len, expected};
}

static size_t collect_marks(const struct tv_run_report *report, struct tv_svg_mark *marks,
                            char texts[TV_SVG_MARKS][128])
{
    size_t len = 0;
    for (size_t i = 0; report->stories && i < report->alerts && len < TV_SVG_MARKS; i++) {
        const struct tv_alert *alert = report->stories[i];
        snprintf(texts[len], sizeof texts[len], "%s since step %" PRId64, alert->detector,
                 alert->onset_step);
        marks[len] =
            (struct tv_svg_mark){alert->onset_step, tv_severity_name(alert->severity), texts[len]};
        len++;
    }
    return len;
}

static void write_plots(struct state *state, const struct tv_run_report *report)
{
    struct tv_svg_mark marks[TV_SVG_MARKS];
    char texts[TV_SVG_MARKS][128];
    size_t marks_len = collect_marks(report, marks, texts);
    if (report->plots_len == 0 || (report->alerts == 0 && state->plotted >= PLOTTED_MAX))
        return;
    state->plotted++;
    struct tv_svg loss = {.title = "loss", .may_be_log = true}, rate = {.title = "learning rate"},
                  norm = {.title = "gradient norm", .may_be_log = true},
                  other = {.title = "evaluation metric"}, reward = {.title = "reward"};
    const struct tv_plot *logged = plot_of(report, TV_ROLE_LEARNING_RATE);
    add_line(&loss, plot_of(report, TV_ROLE_TRAIN_LOSS), "training", "train", false);
    add_line(&loss, plot_of(report, TV_ROLE_EVAL_LOSS), "evaluation", "eval", false);
    add_line(&rate, logged, "logged", "logged", false);
    if (logged && logged->len && report->scheduler_source &&
        strcmp(report->scheduler_source, "configuration") == 0)
        add_line(&rate, logged, "promised", "expected", true);
    add_line(&norm, plot_of(report, TV_ROLE_GRAD_NORM), "logged", "logged", false);
    add_line(&other, plot_of(report, TV_ROLE_EVAL_METRIC), "evaluation", "eval", false);
    add_line(&reward, plot_of(report, TV_ROLE_REWARD), "logged", "logged", false);
    struct tv_svg *const all[] = {&loss, &rate, &norm, &other, &reward, NULL};
    fputs("<div class=\"plots\">\n", state->out);
    for (struct tv_svg *const *svg = all; *svg; svg++) {
        (*svg)->marks = marks;
        (*svg)->marks_len = marks_len;
        tv_svg_write(state->out, *svg);
    }
    fputs("</div>\n", state->out);
}

/* Framework, scheduler, where they come from; what was read and what of it was damaged. */
static void write_origin(FILE *out, const struct tv_run_report *report)
{
    fputs("<p class=\"soft\">", out);
    if (report->framework) {
        tv_html_text(out, report->framework);
        fputs("; ", out);
    }
    if (report->scheduler) {
        tv_html_text(out, report->scheduler);
        fprintf(out, " by the %s", report->scheduler_source);
        if (report->warmup_steps >= 0)
            fprintf(out, ", %" PRId64 " warm-up steps", report->warmup_steps);
        fputs("; ", out);
    }
    uint64_t damaged = 0;
    for (size_t i = 0; i < report->inputs_len; i++)
        damaged += report->inputs[i].damaged;
    fprintf(out, "%" PRIu64 " points from %zu file%s", report->points, report->inputs_len,
            report->inputs_len == 1 ? "" : "s");
    if (damaged)
        fprintf(out, ", %" PRIu64 " damaged record%s", damaged, damaged == 1 ? "" : "s");
    fputs("</p>\n", out);
    if (report->schedule_note) {
        fputs("<p class=\"soft\">", out);
        tv_html_text(out, report->schedule_note);
        fputs("</p>\n", out);
    }
}

static enum tv_status run(const void *opaque_options, void *opaque,
                          const struct tv_run_report *report, struct tv_error *reterr)
{
    const struct options *options = opaque_options;
    struct state *state = opaque;
    char facts[256];
    const char *name =
        *options->root && strcmp(report->run, ".") == 0 ? options->root : report->run;
    end_run(state);
    state->runs++;
    if (report->alerts)
        state->by_severity[report->worst]++;
    else
        state->quiet++;
    write_row(state, report, name);
    fprintf(state->out, "<article id=\"r%zu\"><h2><span class=\"badge %s\">%s</span> ", state->runs,
            badge_of(report), verdict_of(report));
    tv_html_text(state->out, name);
    fputs("</h2>\n<p class=\"facts\">", state->out);
    tv_html_text(state->out, tv_run_facts_text(facts, sizeof facts, report));
    fputs("</p>\n", state->out);
    write_origin(state->out, report);
    write_plots(state, report);
    state->in_run = true;
    state->story[0] = '\0';
    return check(state, reterr);
}

static void write_item(FILE *out, const char *label, const char *css, const char *text)
{
    fprintf(out, "<dt>%s<dd%s%s%s>", label, *css ? " class=\"" : "", css, *css ? "\"" : "");
    tv_html_text(out, text);
    putc('\n', out);
}

static enum tv_status deliver(const void *options, void *opaque, const struct tv_alert *alert,
                              struct tv_error *reterr)
{
    (void)options;
    struct state *state = opaque;
    FILE *out = state->out;
    char when[512], numbers[2048];
    bool follows = alert->leader && strcmp(alert->leader->fingerprint, state->story) == 0;
    if (!follows)
        memcpy(state->story, alert->fingerprint, sizeof state->story);
    fprintf(out, "<section class=\"finding %s%s\" id=\"a%s\"><h3>%s: ",
            tv_severity_name(alert->severity), follows ? " consequence" : "", alert->fingerprint,
            alert->detector);
    tv_html_text(out, alert->summary);
    fputs("</h3><dl>\n", out);
    write_item(out, "since", "", tv_alert_when(when, sizeof when, alert));
    if (*tv_alert_numbers(numbers, sizeof numbers, alert))
        write_item(out, "numbers", "", numbers);
    for (size_t i = 0; i < alert->causes_len; i++)
        write_item(out, i == 0 ? "likely" : "", "", alert->causes[i]);
    for (size_t i = 0; i < alert->advice_len; i++)
        write_item(out, i == 0 ? "change" : "", "change", alert->advice[i]);
    fputs("</dl></section>\n", out);
    return check(state, reterr);
}

static enum tv_status close_stream(const void *options, void *opaque, struct tv_error *reterr)
{
    (void)options;
    struct state *state = opaque;
    end_run(state);
    fprintf(state->out,
            "<header><h1>trainvet</h1><p class=\"facts\">%zu run%s: %zu critical, %zu "
            "warning, %zu info, %zu without a finding</p></header>\n",
            state->runs, state->runs == 1 ? "" : "s", state->by_severity[TV_CRITICAL],
            state->by_severity[TV_WARNING], state->by_severity[TV_INFO], state->quiet);
    tv_html_page_end(state->out, state->table, state->runs, ROWS_MAX);
    enum tv_status status = fflush(state->out) == 0
                                ? check(state, reterr)
                                : tv_fail(reterr, TV_EIO, "the output cannot be written");
    fclose(state->table);
    return status;
}

const struct tv_sink tv_sink_html = {
    .name = "html",
    .summary = "a page for people: all runs in a table, each with its plots and findings",
    .options = option_table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .plot_points = PLOT_POINTS,
    .open = open_stream,
    .run = run,
    .deliver = deliver,
    .close = close_stream,
};
