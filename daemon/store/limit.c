/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many new alerts a sink gets in a while. What is counted stands in the table of counters, so
 * that a restart changes nothing: "window" (when the period began, unix seconds), "in_window"
 * (alerts owed in it), "unsaid" (held back and not told), "worst" (severity of those), "held"
 * (all). */
#include "base/map.h"
#include "base/memory.h"
#include "sinks/lib/alert_json.h"
#include "store/database.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tv_limit *limit_of(const struct tv_store *store, const char *sink)
{
    struct tv_limit *limit = store->limits;
    while (limit && strcmp(limit->sink, sink) != 0)
        limit = limit->next;
    return limit;
}

void tv_store_limit(struct tv_store *store, const char *sink, uint64_t most, double period)
{
    while (!sink && store->limits) {
        struct tv_limit *next = store->limits->next;
        free(store->limits->sink);
        free(store->limits);
        store->limits = next;
    }
    if (!sink || !most)
        return;
    struct tv_limit *limit = tv_xcalloc(1, sizeof *limit);
    *limit = (struct tv_limit){.next = store->limits,
                               .sink = tv_xstrndup(sink, strlen(sink)),
                               .most = most,
                               .period = period};
    store->limits = limit;
}

static bool set_count(struct tv_store *store, const char *sink, const char *name, int64_t value)
{
    return tv_store_add_count(store, sink, name,
                              value - (int64_t)tv_store_counter(store, sink, name));
}

static bool is_held(struct tv_store *store, const char *sink, const char *fingerprint)
{
    sqlite3_stmt *find =
        tv_db_prepare(store, "SELECT 1 FROM held WHERE sink = ? AND fingerprint = ?");
    tv_db_bind(find, 1, sink);
    tv_db_bind(find, 2, fingerprint);
    bool held = find && sqlite3_step(find) == SQLITE_ROW;
    tv_db_close(store, find);
    return held;
}

bool tv_store_is_held(struct tv_store *store, const char *sink, const char *fingerprint)
{
    return limit_of(store, sink) && is_held(store, sink, fingerprint);
}

static bool change_held(struct tv_store *store, const char *sql, const char *sink,
                        const char *fingerprint)
{
    sqlite3_stmt *change = tv_db_prepare(store, sql);
    tv_db_bind(change, 1, sink);
    tv_db_bind(change, 2, fingerprint);
    return tv_db_finish(store, change);
}

static bool hold(struct tv_store *store, const char *sink, const struct tv_alert *alert)
{
    int64_t worst = (int64_t)tv_store_counter(store, sink, "worst");
    return change_held(store, "INSERT OR REPLACE INTO held VALUES (?, ?)", sink,
                       alert->fingerprint) &&
           tv_store_add_count(store, sink, "held", 1) &&
           tv_store_add_count(store, sink, "unsaid", 1) &&
           ((int64_t)alert->severity <= worst ||
            set_count(store, sink, "worst", (int64_t)alert->severity));
}

/* Also when the clock was set back. */
static bool is_over(struct tv_store *store, const struct tv_limit *limit, double now)
{
    double began = (double)tv_store_counter(store, limit->sink, "window");
    return now < began || now >= began + limit->period;
}

bool tv_limit_holds(struct tv_store *store, const char *sink, const struct tv_alert *alert,
                    double now, bool *ret_ok)
{
    const struct tv_limit *limit = limit_of(store, sink);
    if (alert->state == TV_RESOLVED) {
        bool held = is_held(store, sink, alert->fingerprint);
        if (held)
            *ret_ok = change_held(store, "DELETE FROM held WHERE sink = ? AND fingerprint = ?",
                                  sink, alert->fingerprint);
        return held;
    }
    if (!limit)
        return false;
    if (is_over(store, limit, now))
        *ret_ok = set_count(store, sink, "window", (int64_t)now) &&
                  set_count(store, sink, "in_window", 0);
    bool holds = tv_store_counter(store, sink, "in_window") >= limit->most;
    if (*ret_ok)
        *ret_ok =
            holds ? hold(store, sink, alert) : tv_store_add_count(store, sink, "in_window", 1);
    return holds;
}

/* Not recorded: it is about alerts that are. */
static bool owe_number(struct tv_store *store, const char *sink, uint64_t number, double now)
{
    char summary[128], identity[256];
    struct tv_json json = {0};
    struct tv_alert alert = {.run = "(several)",
                             .detector = "held_back",
                             .subject = sink,
                             .summary = summary,
                             .severity = (enum tv_severity)tv_store_counter(store, sink, "worst"),
                             .wall_time = now,
                             .observed = (double)number,
                             .expected = NAN,
                             .confidence = NAN};
    snprintf(summary, sizeof summary,
             "%" PRIu64 " more alert%s held back, see /api/v1/alerts or trainvet alerts", number,
             number == 1 ? " was" : "s were");
    snprintf(identity, sizeof identity, "%.100s\n%.0f\n%" PRIu64, sink, now,
             tv_store_counter(store, sink, "held"));
    snprintf(alert.fingerprint, sizeof alert.fingerprint, "%016" PRIx64,
             tv_hash(tv_span_of(identity), 3));
    tv_alert_json(&json, &alert);
    bool ok = tv_store_owe(store, sink, &alert, json.data, now);
    tv_json_free(&json);
    return ok;
}

static bool next_unsaid(struct tv_store *store, double now, char ret[128], uint64_t *ret_number)
{
    sqlite3_stmt *find =
        tv_db_prepare(store, "SELECT sink, value FROM counter WHERE name = 'unsaid' AND value > 0");
    bool found = false;
    while (!found && find && sqlite3_step(find) == SQLITE_ROW) {
        snprintf(ret, 128, "%s", (const char *)sqlite3_column_text(find, 0));
        *ret_number = (uint64_t)sqlite3_column_int64(find, 1);
        const struct tv_limit *limit = limit_of(store, ret);
        found = !limit || is_over(store, limit, now);
    }
    tv_db_close(store, find);
    return found;
}

void tv_store_tell_held(struct tv_store *store, double now)
{
    char sink[128];
    uint64_t number;
    while (next_unsaid(store, now, sink, &number))
        if (!tv_db_commit(store, tv_db_begin(store) && owe_number(store, sink, number, now) &&
                                     set_count(store, sink, "unsaid", 0) &&
                                     set_count(store, sink, "worst", 0)))
            return;
}
