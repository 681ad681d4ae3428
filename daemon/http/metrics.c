/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prometheus text exposition format 0.0.4. Every family is written in one piece, as the format
 * demands. */
#include "base/map.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "http/pages.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VALUES = 8 };

struct text {
    char *data;
    size_t len, cap;
};

struct page {
    struct text out;
    const struct tv_service *service;
    struct text values[VALUES]; /* of the runs: each is looked at once, each family is one piece */
};

static void put_bytes(struct text *text, const char *bytes, size_t len)
{
    if (text->len + len + 1 > text->cap) {
        text->cap = (text->len + len + 1) * 2;
        text->data = tv_xrealloc(text->data, text->cap, 1);
    }
    memcpy(text->data + text->len, bytes, len);
    text->len += len;
    text->data[text->len] = '\0';
}

static void put(struct text *text, const char *bytes)
{
    put_bytes(text, bytes, strlen(bytes));
}

/* A label value: backslash, quote and line end escaped; everything else that is odd was replaced by
 * tv_escape. */
static void put_label(struct text *text, const char *name, const char *value)
{
    char safe[512];
    tv_escape(tv_span_of(value ? value : ""), safe, sizeof safe);
    put(text, name);
    put(text, "=\"");
    for (const char *p = safe; *p;) {
        size_t plain = strcspn(p, "\\\"");
        put_bytes(text, p, plain);
        p += plain;
        if (!*p)
            break;
        put(text, "\\");
        put_bytes(text, p++, 1);
    }
    put(text, "\"");
}

static void put_value(struct text *text, double value)
{
    char number[TV_NUMBER_MAX];
    put(text, " ");
    if (isinf(value)) {
        put(text, value < 0 ? "-Inf" : "+Inf");
    } else if (isnan(value)) {
        put(text, "NaN");
    } else {
        tv_format_double(number, value);
        put(text, number);
    }
    put(text, "\n");
}

static void family(struct page *page, const char *name, const char *type, const char *help)
{
    const char *const parts[] = {"# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        put(&page->out, parts[i]);
}

static void single(struct page *page, const char *name, const char *type, const char *help,
                   double value)
{
    family(page, name, type, help);
    put(&page->out, name);
    put_value(&page->out, value);
}

/* Short, and stable as long as the run keeps its name. */
static void run_id(const char *root, const char *run, char ret[17])
{
    snprintf(ret, 17, "%016" PRIx64,
             tv_hash(tv_span_of(run), tv_hash(tv_span_of(root ? root : ""), 2)));
}

static double step(const struct tv_run_report *report, const struct tv_run_now *now)
{
    (void)report;
    return now->step == TV_STEP_UNKNOWN ? (double)NAN : (double)now->step;
}

static double total_steps(const struct tv_run_report *report, const struct tv_run_now *now)
{
    (void)now;
    return report->total_steps > 0 ? (double)report->total_steps : (double)NAN;
}

static double last_time(const struct tv_run_report *report, const struct tv_run_now *now)
{
    (void)report;
    return now->last_time;
}

static double loss(const struct tv_run_report *report, const struct tv_run_now *now)
{
    (void)report;
    return now->loss;
}

static double eval_loss(const struct tv_run_report *report, const struct tv_run_now *now)
{
    (void)report;
    return now->eval_loss;
}

static double grad_norm(const struct tv_run_report *report, const struct tv_run_now *now)
{
    (void)report;
    return now->grad_norm;
}

static double learning_rate(const struct tv_run_report *report, const struct tv_run_now *now)
{
    (void)report;
    return now->learning_rate;
}

static double expected_rate(const struct tv_run_report *report, const struct tv_run_now *now)
{
    (void)report;
    return now->expected_learning_rate;
}

static const struct {
    const char *name, *help;
    double (*value)(const struct tv_run_report *report, const struct tv_run_now *now);
} rows[VALUES] = {
    {"trainvet_run_step", "Last logged step.", step},
    {"trainvet_run_planned_steps", "Steps that the run was planned to take.", total_steps},
    {"trainvet_run_last_event_timestamp_seconds", "Time of the last record in the run's logs.",
     last_time},
    {"trainvet_run_loss", "Last training loss.", loss},
    {"trainvet_run_eval_loss", "Last evaluation loss.", eval_loss},
    {"trainvet_run_grad_norm", "Last gradient norm.", grad_norm},
    {"trainvet_run_learning_rate", "Last logged learning rate.", learning_rate},
    {"trainvet_run_expected_learning_rate", "Learning rate that the configuration promises there.",
     expected_rate},
};
static void run_info(struct page *page, const struct tv_run_report *report, const char *id,
                     bool ended)
{
    const char *const *labels = tv_service_config(page->service)->labels;
    struct text *out = &page->out;
    const struct {
        const char *name, *value;
    } own[] = {{"run_id", id},
               {"run", report->run},
               {"root", report->root},
               {"framework", report->framework},
               {"scheduler", report->scheduler},
               {"state", ended ? "ended" : "followed"}};
    put(out, "trainvet_run_info{");
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        put(out, i ? "," : "");
        put_label(out, own[i].name, own[i].value);
    }
    for (size_t i = 0; labels && labels[i]; i += 2) {
        put(out, ",");
        put_label(out, labels[i], labels[i + 1]);
    }
    put(out, "} 1\n");
}

static void add_run(void *ctx, struct tv_run *run, bool ended)
{
    struct page *page = ctx;
    struct tv_run_report report;
    struct tv_run_now now;
    char id[17];
    tv_run_report(run, &report);
    tv_run_now(run, &now);
    run_id(report.root, report.run, id);
    run_info(page, &report, id, ended);
    for (size_t i = 0; i < VALUES; i++) {
        struct text *text = &page->values[i];
        double value = rows[i].value(&report, &now);
        if (isnan(value))
            continue;
        put(text, rows[i].name);
        put(text, "{run_id=\"");
        put(text, id);
        put(text, "\"}");
        put_value(text, value);
    }
}

static void run_families(struct page *page)
{
    family(page, "trainvet_run_info", "gauge",
           "Runs and what is known about them; joined by run_id.");
    tv_follow_each(tv_service_follow(page->service), add_run, page);
    for (size_t i = 0; i < VALUES; i++) {
        family(page, rows[i].name, "gauge", rows[i].help);
        put_bytes(&page->out, page->values[i].data ? page->values[i].data : "",
                  page->values[i].len);
        free(page->values[i].data);
    }
}

static bool firing(void *ctx, const struct tv_alert *alert)
{
    struct page *page = ctx;
    char id[17];
    run_id(alert->root, alert->run, id);
    const struct {
        const char *name, *value;
    } labels[] = {{"run_id", id},
                  {"detector", alert->detector},
                  {"subject", alert->subject},
                  {"severity", tv_severity_name(alert->severity)},
                  {"fingerprint", alert->fingerprint}};
    put(&page->out, "trainvet_alert_firing{");
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        put(&page->out, i ? "," : "");
        put_label(&page->out, labels[i].name, labels[i].value);
    }
    put(&page->out, "} 1\n");
    return true;
}

static void delivery_family(struct page *page, const char *name, const char *type, const char *help,
                            size_t offset)
{
    family(page, name, type, help);
    for (const struct tv_config_sink *sink = tv_service_config(page->service)->sinks; sink;
         sink = sink->next) {
        struct tv_store_counts counts = tv_store_count(tv_service_store(page->service), sink->name);
        uint64_t value;
        memcpy(&value, (const char *)&counts + offset, sizeof value);
        put(&page->out, name);
        put(&page->out, "{");
        put_label(&page->out, "sink", sink->name);
        put(&page->out, "}");
        put_value(&page->out, (double)value);
    }
}

/* Second number of /proc/self/statm: resident pages. */
static double resident_bytes(void)
{
    char line[128] = "", *rest = line;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fgets(line, sizeof line, file))
        strtoul(line, &rest, 10);
    fclose(file);
    return (double)strtoul(rest, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

static void own_families(struct page *page)
{
    struct tv_service_health health = tv_service_health(page->service);
    single(page, "trainvet_start_time_seconds", "gauge", "When the service started.",
           health.started);
    single(page, "trainvet_last_work_timestamp_seconds", "gauge",
           "When the logs were last looked at.", health.last_work);
    single(page, "trainvet_runs_followed", "gauge", "Runs that are followed.",
           (double)tv_follow_runs(tv_service_follow(page->service)));
    single(page, "trainvet_alerts_total", "counter", "States of alerts recorded since the start.",
           (double)health.alerts);
    single(page, "trainvet_store_failures_total", "counter",
           "Writes to the state directory that failed.", (double)health.store_failures);
    single(page, "trainvet_alerts_unrecorded", "gauge",
           "Alerts kept in memory until they can be recorded.", (double)health.backlog);
    single(page, "trainvet_inotify_overflows_total", "counter",
           "Times that the kernel dropped inotify events, after which everything is looked at.",
           (double)health.overflows);
    single(page, "trainvet_damaged_records_total", "counter", "Damaged records seen in logs.",
           (double)health.damaged);
    single(page, "trainvet_resident_memory_bytes", "gauge", "Memory of the service.",
           resident_bytes());
    delivery_family(page, "trainvet_deliveries_owed", "gauge", "Deliveries that are still owed.",
                    offsetof(struct tv_store_counts, owed));
    delivery_family(page, "trainvet_deliveries_total", "counter", "Deliveries that were taken.",
                    offsetof(struct tv_store_counts, delivered));
    delivery_family(page, "trainvet_deliveries_failed_total", "counter",
                    "Attempts that failed and are made again.",
                    offsetof(struct tv_store_counts, failures));
    delivery_family(page, "trainvet_deliveries_refused_total", "counter",
                    "Deliveries that the other side refused.",
                    offsetof(struct tv_store_counts, refused));
    delivery_family(page, "trainvet_deliveries_dropped_total", "counter",
                    "Deliveries dropped from a full queue.",
                    offsetof(struct tv_store_counts, dropped));
}

char *tv_page_metrics(const struct tv_service *service, size_t *ret_len)
{
    struct page page = {.service = service};
    run_families(&page);
    family(&page, "trainvet_alert_firing", "gauge", "Findings that are not over.");
    tv_store_each(tv_service_store(service), true, firing, &page);
    own_families(&page);
    *ret_len = page.out.len;
    return page.out.data;
}
