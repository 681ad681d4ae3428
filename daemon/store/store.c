/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/store.h"
#include "base/log.h"
#include "sinks/lib/alert_json.h"
#include "store/alert_text.h"
#include "store/database.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* In this state, and no less severe while it fires. */
static bool is_recorded(struct tv_store *store, const struct tv_alert *alert)
{
    sqlite3_stmt *find =
        tv_db_prepare(store, "SELECT state, object FROM alert WHERE fingerprint = ?");
    tv_db_bind(find, 1, alert->fingerprint);
    bool same = find && sqlite3_step(find) == SQLITE_ROW &&
                sqlite3_column_int(find, 0) == (int)alert->state;
    struct tv_arena texts = {0};
    struct tv_alert known;
    if (same && alert->state == TV_FIRING &&
        tv_alert_from_json((const char *)sqlite3_column_text(find, 1), &texts, &known))
        same = known.severity >= alert->severity;
    tv_arena_free(&texts);
    tv_db_close(store, find);
    return same;
}

/* What stands in the column "run". */
static void bind_run(sqlite3_stmt *statement, int at, const char *root, const char *run)
{
    char key[2048];
    snprintf(key, sizeof key, "%s%s%s", root ? root : "", root ? "\n" : "", run);
    tv_db_bind(statement, at, key);
}

static bool record(struct tv_store *store, const struct tv_alert *alert, const char *object,
                   double now)
{
    sqlite3_stmt *put = tv_db_prepare(
        store, "INSERT INTO alert (fingerprint, run, detector, state, object, changed)"
               " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (fingerprint) DO UPDATE SET"
               " state = excluded.state, object = excluded.object, changed = excluded.changed");
    tv_db_bind(put, 1, alert->fingerprint);
    bind_run(put, 2, alert->root, alert->run);
    tv_db_bind(put, 3, alert->detector);
    sqlite3_bind_int(put, 4, (int)alert->state);
    tv_db_bind(put, 5, object);
    sqlite3_bind_double(put, 6, now);
    return tv_db_finish(store, put);
}

bool tv_store_add_count(struct tv_store *store, const char *sink, const char *name, int64_t by)
{
    sqlite3_stmt *add = tv_db_prepare(
        store, "INSERT INTO counter VALUES (?, ?, ?)"
               " ON CONFLICT (sink, name) DO UPDATE SET value = value + excluded.value");
    tv_db_bind(add, 1, sink);
    tv_db_bind(add, 2, name);
    sqlite3_bind_int64(add, 3, by);
    return tv_db_finish(store, add);
}

uint64_t tv_store_counter(struct tv_store *store, const char *sink, const char *name)
{
    sqlite3_stmt *find =
        tv_db_prepare(store, "SELECT value FROM counter WHERE sink = ? AND name = ?");
    tv_db_bind(find, 1, sink);
    tv_db_bind(find, 2, name);
    uint64_t value =
        find && sqlite3_step(find) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(find, 0) : 0;
    tv_db_close(store, find);
    return value;
}

/* A full queue loses the oldest news of what is over, then the oldest. */
static bool make_room(struct tv_store *store, const char *sink)
{
    if (tv_store_counter(store, sink, "owed") < TV_STORE_OUTBOX_MAX)
        return true;
    sqlite3_stmt *drop = tv_db_prepare(
        store, "DELETE FROM owed WHERE id ="
               " (SELECT id FROM owed WHERE sink = ? ORDER BY state DESC, id LIMIT 1)");
    tv_db_bind(drop, 1, sink);
    return tv_db_finish(store, drop) && tv_store_add_count(store, sink, "dropped", 1) &&
           tv_store_add_count(store, sink, "owed", -1);
}

bool tv_store_owe(struct tv_store *store, const char *sink, const struct tv_alert *alert,
                  const char *object, double now)
{
    if (!make_room(store, sink))
        return false;
    sqlite3_stmt *put = tv_db_prepare(
        store, "INSERT INTO owed (sink, fingerprint, state, object, due) VALUES (?, ?, ?, ?, ?)");
    tv_db_bind(put, 1, sink);
    tv_db_bind(put, 2, alert->fingerprint);
    sqlite3_bind_int(put, 3, (int)alert->state);
    tv_db_bind(put, 4, object);
    sqlite3_bind_double(put, 5, now);
    return tv_db_finish(store, put) && tv_store_add_count(store, sink, "owed", 1);
}

enum tv_status tv_store_alert(struct tv_store *store, const struct tv_alert *alert,
                              const char *const *sinks, double now, bool *ret_new,
                              struct tv_error *reterr)
{
    *ret_new = false;
    if (is_recorded(store, alert))
        return TV_OK;
    struct tv_json json = {0};
    tv_alert_json(&json, alert);
    bool ok = tv_db_begin(store) && record(store, alert, json.data, now);
    for (size_t i = 0; ok && sinks && sinks[i]; i++)
        if (!tv_limit_holds(store, sinks[i], alert, now, &ok) && ok)
            ok = tv_store_owe(store, sinks[i], alert, json.data, now);
    ok = ok && tv_db_end(store);
    tv_json_free(&json);
    enum tv_status status = ok ? TV_OK : tv_db_fail(store, reterr, "an alert cannot be recorded");
    if (!ok)
        tv_db_give_up(store);
    *ret_new = ok;
    return status;
}

/* False: nothing is due. *ret_readable: the alert could be made of what stands there. */
static bool find_next(struct tv_store *store, const char *sink, double now, struct tv_delivery *ret,
                      bool *ret_readable)
{
    sqlite3_stmt *find = tv_db_prepare(
        store,
        /* +due: to be found in the order of ids, which ends at the first, and not by time */
        "SELECT id, attempts, object FROM owed AS one WHERE sink = ?1 AND +due NOT BETWEEN ?2 AND "
        "?3"
        " AND NOT EXISTS (SELECT 1 FROM owed AS before WHERE before.sink = one.sink"
        " AND before.fingerprint = one.fingerprint AND before.id < one.id) ORDER BY id LIMIT 1");
    tv_db_bind(find, 1, sink);
    sqlite3_bind_double(find, 2, nextafter(now, INFINITY));
    sqlite3_bind_double(find, 3, now + TV_STORE_PAUSE_MAX);
    bool found = find && sqlite3_step(find) == SQLITE_ROW;
    if (found) {
        const char *object = (const char *)sqlite3_column_text(find, 2);
        tv_arena_free(&store->texts);
        ret->id = sqlite3_column_int64(find, 0);
        ret->attempts = sqlite3_column_int(find, 1);
        *ret_readable = object && tv_alert_from_json(object, &store->texts, &ret->alert);
    }
    tv_db_close(store, find);
    return found;
}

double tv_store_next_time(struct tv_store *store)
{
    sqlite3_stmt *find = tv_db_prepare(store, "SELECT MIN(due) FROM owed");
    double due = INFINITY;
    if (find && sqlite3_step(find) == SQLITE_ROW && sqlite3_column_type(find, 0) != SQLITE_NULL)
        due = sqlite3_column_double(find, 0);
    tv_db_close(store, find);
    return due;
}

static bool drop_owed(struct tv_store *store, int64_t id)
{
    sqlite3_stmt *drop = tv_db_prepare(store, "DELETE FROM owed WHERE id = ?");
    sqlite3_bind_int64(drop, 1, id);
    return tv_db_finish(store, drop);
}

/* SQLITE_DONE: a full queue has dropped it meanwhile. */
static int sink_of(struct tv_store *store, int64_t id, char ret[128])
{
    sqlite3_stmt *find = tv_db_prepare(store, "SELECT sink FROM owed WHERE id = ?");
    sqlite3_bind_int64(find, 1, id);
    int code = find ? sqlite3_step(find) : SQLITE_ERROR;
    if (code == SQLITE_ROW)
        snprintf(ret, 128, "%s", (const char *)sqlite3_column_text(find, 0));
    tv_db_close(store, find);
    return code;
}

/* Takes a delivery off the queue and counts how it ended. */
static bool settle(struct tv_store *store, int64_t id, const char *how)
{
    char sink[128];
    int found = sink_of(store, id, sink);
    if (found != SQLITE_ROW)
        return found == SQLITE_DONE;
    return tv_db_commit(store, tv_db_begin(store) && drop_owed(store, id) &&
                                   tv_store_add_count(store, sink, how, 1) &&
                                   tv_store_add_count(store, sink, "owed", -1));
}

bool tv_store_delivered(struct tv_store *store, int64_t id)
{
    return settle(store, id, "delivered");
}

bool tv_store_refused(struct tv_store *store, int64_t id)
{
    return settle(store, id, "refused");
}

bool tv_store_next(struct tv_store *store, const char *sink, double now, struct tv_delivery *ret)
{
    bool readable;
    while (find_next(store, sink, now, ret, &readable)) {
        if (readable)
            return true;
        if (!tv_store_refused(store, ret->id))
            return false;
        tv_log(TV_LOG_ERROR,
               "sink %s: an alert in the database cannot be read and is left out (delivery %" PRId64
               ")",
               sink, ret->id);
    }
    return false;
}

static bool put_off(struct tv_store *store, int64_t id, double when, const char *reason)
{
    sqlite3_stmt *put = tv_db_prepare(
        store, "UPDATE owed SET due = ?, attempts = attempts + 1, reason = ? WHERE id = ?");
    sqlite3_bind_double(put, 1, when);
    tv_db_bind(put, 2, reason);
    sqlite3_bind_int64(put, 3, id);
    return tv_db_finish(store, put);
}

bool tv_store_failed(struct tv_store *store, int64_t id, double when, const char *reason)
{
    char sink[128];
    int found = sink_of(store, id, sink);
    if (found != SQLITE_ROW)
        return found == SQLITE_DONE;
    return tv_db_commit(store, tv_db_begin(store) && put_off(store, id, when, reason) &&
                                   tv_store_add_count(store, sink, "failures", 1));
}

bool tv_store_hurry(struct tv_store *store)
{
    return tv_db_finish(store, tv_db_prepare(store, "UPDATE owed SET due = 0 WHERE attempts > 0"));
}

enum tv_status tv_store_run_done(struct tv_store *store, const char *path, const char *digest,
                                 const char *report_json)
{
    bool ok = tv_db_begin(store);
    sqlite3_stmt *put = tv_db_prepare(store, "INSERT OR REPLACE INTO run VALUES (?, ?, ?)");
    tv_db_bind(put, 1, path);
    tv_db_bind(put, 2, digest);
    tv_db_bind(put, 3, report_json);
    return tv_db_commit(store, tv_db_finish(store, put) && ok) ? TV_OK : TV_EIO;
}

bool tv_store_is_done(struct tv_store *store, const char *path, const char *digest)
{
    sqlite3_stmt *find = tv_db_prepare(store, "SELECT 1 FROM run WHERE path = ? AND digest = ?");
    tv_db_bind(find, 1, path);
    tv_db_bind(find, 2, digest);
    bool done = find && sqlite3_step(find) == SQLITE_ROW;
    tv_db_close(store, find);
    return done;
}

static size_t how_many(struct tv_store *store, int state)
{
    sqlite3_stmt *count =
        tv_db_prepare(store, "SELECT COUNT(*) FROM alert WHERE ?1 < 0 OR state = ?1");
    sqlite3_bind_int(count, 1, state);
    size_t ret =
        count && sqlite3_step(count) == SQLITE_ROW ? (size_t)sqlite3_column_int64(count, 0) : 0;
    tv_db_close(store, count);
    return ret;
}

static void visit_part(struct tv_store *store, int state, size_t offset, size_t limit,
                       bool (*visit)(void *ctx, const struct tv_alert *alert), void *ctx)
{
    sqlite3_stmt *each = tv_db_prepare(store, "SELECT object FROM alert WHERE ?1 < 0 OR state = ?1"
                                              " ORDER BY changed DESC, fingerprint LIMIT ?2 OFFSET "
                                              "?3");
    bool more = true;
    sqlite3_bind_int(each, 1, state);
    sqlite3_bind_int64(each, 2, limit > INT64_MAX ? -1 : (int64_t)limit);
    sqlite3_bind_int64(each, 3, offset > INT64_MAX ? INT64_MAX : (int64_t)offset);
    while (more && each && sqlite3_step(each) == SQLITE_ROW) {
        struct tv_arena texts = {0};
        struct tv_alert alert;
        if (tv_alert_from_json((const char *)sqlite3_column_text(each, 0), &texts, &alert))
            more = visit(ctx, &alert);
        tv_arena_free(&texts);
    }
    tv_db_close(store, each);
}

size_t tv_store_part(struct tv_store *store, int state, size_t offset, size_t limit,
                     bool (*visit)(void *ctx, const struct tv_alert *alert), void *ctx)
{
    visit_part(store, state, offset, limit, visit, ctx);
    return how_many(store, state);
}

void tv_store_each(struct tv_store *store, bool firing_only,
                   bool (*visit)(void *ctx, const struct tv_alert *alert), void *ctx)
{
    visit_part(store, firing_only ? TV_FIRING : -1, 0, SIZE_MAX, visit, ctx);
}

size_t tv_store_firing(struct tv_store *store, char place[17], size_t limit,
                       void (*visit)(void *ctx, const struct tv_alert *alert), void *ctx)
{
    sqlite3_stmt *each =
        tv_db_prepare(store, "SELECT object, fingerprint FROM alert WHERE state = 0 AND"
                             " fingerprint > ? ORDER BY fingerprint LIMIT ?");
    size_t found = 0;
    tv_db_bind(each, 1, place);
    sqlite3_bind_int64(each, 2, (int64_t)limit);
    for (; each && sqlite3_step(each) == SQLITE_ROW; found++) {
        struct tv_arena texts = {0};
        struct tv_alert alert;
        if (tv_alert_from_json((const char *)sqlite3_column_text(each, 0), &texts, &alert))
            visit(ctx, &alert);
        tv_arena_free(&texts);
        snprintf(place, 17, "%s", (const char *)sqlite3_column_text(each, 1));
    }
    tv_db_close(store, each);
    return found;
}

double tv_store_changed(struct tv_store *store, const char *fingerprint)
{
    sqlite3_stmt *find = tv_db_prepare(store, "SELECT changed FROM alert WHERE fingerprint = ?");
    tv_db_bind(find, 1, fingerprint);
    double changed =
        find && sqlite3_step(find) == SQLITE_ROW ? sqlite3_column_double(find, 0) : NAN;
    tv_db_close(store, find);
    return changed;
}

void tv_store_each_of(struct tv_store *store, const char *root, const char *run,
                      void (*visit)(void *ctx, const struct tv_alert *alert), void *ctx)
{
    sqlite3_stmt *each = tv_db_prepare(store, "SELECT object FROM alert WHERE run = ?");
    bind_run(each, 1, root, run);
    while (each && sqlite3_step(each) == SQLITE_ROW) {
        struct tv_arena texts = {0};
        struct tv_alert alert;
        if (tv_alert_from_json((const char *)sqlite3_column_text(each, 0), &texts, &alert))
            visit(ctx, &alert);
        tv_arena_free(&texts);
    }
    tv_db_close(store, each);
}

struct tv_store_counts tv_store_count(struct tv_store *store, const char *sink)
{
    return (struct tv_store_counts){
        .owed = tv_store_counter(store, sink, "owed"),
        .delivered = tv_store_counter(store, sink, "delivered"),
        .refused = tv_store_counter(store, sink, "refused"),
        .dropped = tv_store_counter(store, sink, "dropped"),
        .failures = tv_store_counter(store, sink, "failures"),
        .held = tv_store_counter(store, sink, "held"),
    };
}

void tv_store_each_owed(struct tv_store *store,
                        void (*visit)(void *ctx, const struct tv_owed *owed), void *ctx)
{
    sqlite3_stmt *each =
        tv_db_prepare(store, "SELECT sink, fingerprint, COALESCE(reason, ''), state,"
                             " attempts, due FROM owed ORDER BY id");
    while (each && sqlite3_step(each) == SQLITE_ROW)
        visit(ctx, &(struct tv_owed){
                       .sink = (const char *)sqlite3_column_text(each, 0),
                       .fingerprint = (const char *)sqlite3_column_text(each, 1),
                       .reason = (const char *)sqlite3_column_text(each, 2),
                       .state = sqlite3_column_int(each, 3) ? TV_RESOLVED : TV_FIRING,
                       .attempts = sqlite3_column_int(each, 4),
                       .due = sqlite3_column_double(each, 5),
                   });
    tv_db_close(store, each);
}
