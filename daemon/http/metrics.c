/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every family is written in one piece, as the format demands; the page as a whole is made in
 * turns of the loop, since 10,000 runs take a while. */
#include "http/metrics.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "http/exposition.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { VALUES = 8 };
enum { ALERTS = 32 }; /* read from the store before the clock is looked at */

struct tv_metrics {
    const struct tv_service *service;
    uint64_t generation; /* of the runs that are followed */
    double until;        /* of this turn, seconds */
    bool has_runs, has_alerts;
    struct tv_follow_place place;
    char alerts_to[17]; /* fingerprint */
    struct tv_exposition out;
    struct tv_exposition values[VALUES]; /* of the runs, by family */
};

/* Short, and stable as long as the run keeps its name. */
static void run_id(const char *root, const char *run, char ret[17])
{
    snprintf(ret, 17, "%016" PRIx64,
             tv_hash(tv_span_of(run), tv_hash(tv_span_of(root ? root : ""), 2)));
}

static double step(const struct tv_run_now *now)
{
    return now->step == TV_STEP_UNKNOWN ? (double)NAN : (double)now->step;
}

static double total_steps(const struct tv_run_now *now)
{
    return now->total_steps > 0 ? (double)now->total_steps : (double)NAN;
}

static double last_time(const struct tv_run_now *now)
{
    return now->last_time;
}

static double loss(const struct tv_run_now *now)
{
    return now->loss;
}

static double eval_loss(const struct tv_run_now *now)
{
    return now->eval_loss;
}

static double grad_norm(const struct tv_run_now *now)
{
    return now->grad_norm;
}

static double learning_rate(const struct tv_run_now *now)
{
    return now->learning_rate;
}

static double expected_rate(const struct tv_run_now *now)
{
    return now->expected_learning_rate;
}

static const struct {
    const char *name, *help;
    double (*value)(const struct tv_run_now *now);
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
static void run_info(struct tv_metrics *metrics, const struct tv_run_now *now, const char *id,
                     bool ended)
{
    const char *const *labels = tv_service_config(metrics->service)->labels;
    struct tv_exposition *out = &metrics->out;
    const struct {
        const char *name, *value;
    } own[] = {{"run_id", id},
               {"run", now->run},
               {"root", now->root},
               {"framework", now->framework},
               {"scheduler", now->scheduler},
               {"state", ended ? "ended" : "followed"}};
    tv_put(out, "trainvet_run_info{");
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        tv_put(out, i ? "," : "");
        tv_put_label(out, own[i].name, own[i].value);
    }
    for (size_t i = 0; labels && labels[i]; i += 2) {
        tv_put(out, ",");
        tv_put_label(out, labels[i], labels[i + 1]);
    }
    tv_put(out, "} 1\n");
}

static bool has_time(const struct tv_metrics *metrics)
{
    return tv_clock_seconds(CLOCK_MONOTONIC) < metrics->until;
}

static bool add_run(void *ctx, struct tv_run *run, bool ended)
{
    struct tv_metrics *metrics = ctx;
    const struct tv_run_now *now = tv_run_now(run);
    char id[17];
    run_id(now->root, now->run, id);
    run_info(metrics, now, id, ended);
    for (size_t i = 0; i < VALUES; i++) {
        struct tv_exposition *text = &metrics->values[i];
        double value = rows[i].value(now);
        if (isnan(value))
            continue;
        tv_put(text, rows[i].name);
        tv_put(text, "{run_id=\"");
        tv_put(text, id);
        tv_put(text, "\"}");
        tv_put_value(text, value);
    }
    return has_time(metrics);
}

static void add_firing(void *ctx, const struct tv_alert *alert)
{
    struct tv_metrics *metrics = ctx;
    struct tv_exposition *out = &metrics->out;
    char id[17];
    run_id(alert->root, alert->run, id);
    const struct {
        const char *name, *value;
    } labels[] = {{"run_id", id},
                  {"detector", alert->detector},
                  {"subject", alert->subject},
                  {"severity", tv_severity_name(alert->severity)},
                  {"fingerprint", alert->fingerprint}};
    tv_put(out, "trainvet_alert_firing{");
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        tv_put(out, i ? "," : "");
        tv_put_label(out, labels[i].name, labels[i].value);
    }
    tv_put(out, "} 1\n");
}

static void delivery_family(struct tv_metrics *metrics, const char *name, const char *type,
                            const char *help, size_t offset)
{
    const struct tv_service *service = metrics->service;
    tv_put_family(&metrics->out, name, type, help);
    for (const struct tv_config_sink *sink = tv_service_config(service)->sinks; sink;
         sink = sink->next) {
        struct tv_store_counts counts = tv_store_count(tv_service_store(service), sink->name);
        uint64_t value;
        memcpy(&value, (const char *)&counts + offset, sizeof value);
        tv_put(&metrics->out, name);
        tv_put(&metrics->out, "{");
        tv_put_label(&metrics->out, "sink", sink->name);
        tv_put(&metrics->out, "}");
        tv_put_value(&metrics->out, (double)value);
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

static void own_families(struct tv_metrics *metrics)
{
    struct tv_exposition *out = &metrics->out;
    struct tv_service_health health = tv_service_health(metrics->service);
    tv_put_single(out, "trainvet_start_time_seconds", "gauge", "When the service started.",
                  health.started);
    tv_put_single(out, "trainvet_last_work_timestamp_seconds", "gauge",
                  "When the logs were last looked at.", health.last_work);
    tv_put_single(out, "trainvet_runs_followed", "gauge", "Runs that are followed.",
                  (double)tv_follow_runs(tv_service_follow(metrics->service)));
    tv_put_single(out, "trainvet_alerts_total", "counter",
                  "States of alerts recorded since the start.", (double)health.alerts);
    tv_put_single(out, "trainvet_store_failures_total", "counter",
                  "Writes to the state directory that failed.", (double)health.store_failures);
    tv_put_single(out, "trainvet_alerts_unrecorded", "gauge",
                  "Alerts kept in memory until they can be recorded.", (double)health.backlog);
    tv_put_single(
        out, "trainvet_inotify_overflows_total", "counter",
        "Times that the kernel dropped inotify events, after which everything is looked at.",
        (double)health.overflows);
    tv_put_single(out, "trainvet_read_bytes_total", "counter", "Bytes of logs that were read.",
                  (double)health.bytes);
    tv_put_single(out, "trainvet_read_records_total", "counter",
                  "Records and lines of logs that were understood.", (double)health.records);
    tv_put_single(out, "trainvet_damaged_records_total", "counter", "Damaged records seen in logs.",
                  (double)health.damaged);
    tv_put_single(out, "trainvet_resident_memory_bytes", "gauge", "Memory of the service.",
                  resident_bytes());
    delivery_family(metrics, "trainvet_deliveries_owed", "gauge", "Deliveries that are still owed.",
                    offsetof(struct tv_store_counts, owed));
    delivery_family(metrics, "trainvet_deliveries_total", "counter", "Deliveries that were taken.",
                    offsetof(struct tv_store_counts, delivered));
    delivery_family(metrics, "trainvet_deliveries_failed_total", "counter",
                    "Attempts that failed and are made again.",
                    offsetof(struct tv_store_counts, failures));
    delivery_family(metrics, "trainvet_deliveries_refused_total", "counter",
                    "Deliveries that the other side refused.",
                    offsetof(struct tv_store_counts, refused));
    delivery_family(metrics, "trainvet_deliveries_held_total", "counter",
                    "Alerts held back because the sink got many; they are in the API.",
                    offsetof(struct tv_store_counts, held));
    delivery_family(metrics, "trainvet_deliveries_dropped_total", "counter",
                    "Deliveries dropped from a full queue.",
                    offsetof(struct tv_store_counts, dropped));
}

static void free_texts(struct tv_metrics *metrics)
{
    tv_exposition_free(&metrics->out);
    for (size_t i = 0; i < VALUES; i++)
        tv_exposition_free(&metrics->values[i]);
}

static void begin(struct tv_metrics *metrics)
{
    free_texts(metrics);
    *metrics = (struct tv_metrics){.service = metrics->service,
                                   .generation = tv_service_generation(metrics->service)};
    tv_put_family(&metrics->out, "trainvet_run_info", "gauge",
                  "Runs and what is known about them; joined by run_id.");
}

static bool work_on_runs(struct tv_metrics *metrics)
{
    if (tv_follow_some(tv_service_follow(metrics->service), &metrics->place, add_run, metrics))
        return false;
    for (size_t i = 0; i < VALUES; i++) {
        struct tv_exposition *values = &metrics->values[i];
        tv_put_family(&metrics->out, rows[i].name, "gauge", rows[i].help);
        tv_put_bytes(&metrics->out, values->data ? values->data : "", values->len);
        tv_exposition_free(values);
    }
    tv_put_family(&metrics->out, "trainvet_alert_firing", "gauge", "Findings that are not over.");
    return true;
}

static bool work_on_alerts(struct tv_metrics *metrics)
{
    size_t found;
    do
        found = tv_store_firing(tv_service_store(metrics->service), metrics->alerts_to, ALERTS,
                                add_firing, metrics);
    while (found == ALERTS && has_time(metrics));
    return found < ALERTS;
}

struct tv_metrics *tv_metrics_begin(const struct tv_service *service)
{
    struct tv_metrics *metrics = tv_xcalloc(1, sizeof *metrics);
    metrics->service = service;
    begin(metrics);
    return metrics;
}

bool tv_metrics_work(struct tv_metrics *metrics, double seconds)
{
    if (metrics->generation != tv_service_generation(metrics->service))
        begin(metrics);
    metrics->until = tv_clock_seconds(CLOCK_MONOTONIC) + seconds;
    metrics->has_runs = metrics->has_runs || work_on_runs(metrics);
    if (!metrics->has_runs || !has_time(metrics))
        return false;
    metrics->has_alerts = metrics->has_alerts || work_on_alerts(metrics);
    if (!metrics->has_alerts || !has_time(metrics))
        return false;
    own_families(metrics);
    return true;
}

char *tv_metrics_end(struct tv_metrics *metrics, size_t *ret_len)
{
    char *text = metrics->out.data;
    *ret_len = metrics->out.len;
    metrics->out = (struct tv_exposition){0};
    tv_metrics_free(metrics);
    return text;
}

void tv_metrics_free(struct tv_metrics *metrics)
{
    if (metrics)
        free_texts(metrics);
    free(metrics);
}
