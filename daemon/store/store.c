/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/store.h"
#include "base/memory.h"
#include "sinks/lib/alert_json.h"
#include "store/alert_text.h"
#include "store/schema.h"
#include "trainvet/text.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { BUSY_MS = 2000 };

struct tv_store {
    sqlite3 *db;
    struct tv_arena texts; /* of the delivery that was returned last */
};

static enum tv_status fail(struct tv_store *store, struct tv_error *reterr, const char *what)
{
    return tv_fail(reterr, TV_EIO, "%s: %s", what, sqlite3_errmsg(store->db));
}

static bool run_sql(struct tv_store *store, const char *sql)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static int64_t pragma(struct tv_store *store, const char *sql)
{
    sqlite3_stmt *statement;
    int64_t value = -1;
    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

/* NULL when the database cannot take the statement, which is as good as a failed write. */
static sqlite3_stmt *prepare(struct tv_store *store, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    return statement;
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

static bool finish(sqlite3_stmt *statement)
{
    bool ok = statement && sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_finalize(statement);
    return ok;
}

/* Sound, ours, and of a version that we know. */
static bool is_usable(struct tv_store *store)
{
    int64_t version = pragma(store, "PRAGMA user_version"),
            application = pragma(store, "PRAGMA application_id");
    if (version == 0 && application == 0) {
        char sql[128];
        snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d",
                 SCHEMA_APPLICATION, SCHEMA_VERSION);
        return run_sql(store, "BEGIN IMMEDIATE") && run_sql(store, schema_sql) &&
               run_sql(store, sql) && run_sql(store, "COMMIT");
    }
    if (version != SCHEMA_VERSION || application != SCHEMA_APPLICATION)
        return false;
    sqlite3_stmt *check = prepare(store, "PRAGMA quick_check(1)");
    bool ok = check && sqlite3_step(check) == SQLITE_ROW &&
              strcmp((const char *)sqlite3_column_text(check, 0), "ok") == 0;
    sqlite3_finalize(check);
    return ok;
}

static bool open_file(struct tv_store *store, const char *path)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW;
    if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK)
        return false;
    sqlite3_busy_timeout(store->db, BUSY_MS);
    return run_sql(store,
                   "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF") &&
           is_usable(store);
}

/* The directory may be a link, as that of a service with a dynamic user is; SQLite takes none in
 * the whole path of a database that may not be one. */
static bool database_path(const char *dir, char ret[PATH_MAX])
{
    char real[PATH_MAX];
    return realpath(dir, real) &&
           (size_t)snprintf(ret, PATH_MAX, "%s/trainvet.db", real) < PATH_MAX;
}

static void set_aside(const char *path, char ret_note[512])
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char aside[PATH_MAX + 64];
    snprintf(aside, sizeof aside, "%s.damaged-%lld", path, (long long)time(NULL));
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char from[PATH_MAX + 8], to[PATH_MAX + 80];
        snprintf(from, sizeof from, "%s%s", path, suffixes[i]);
        snprintf(to, sizeof to, "%s%s", aside, suffixes[i]);
        rename(from, to);
    }
    snprintf(
        ret_note, 512,
        "%.200s was damaged or not ours and was set aside as %.200s; it is rebuilt from the logs",
        path, aside);
}

enum tv_status tv_store_open(const char *dir, struct tv_store **ret, char ret_note[512],
                             struct tv_error *reterr)
{
    struct tv_store *store = tv_xcalloc(1, sizeof *store);
    char path[PATH_MAX] = ":memory:";
    ret_note[0] = '\0';
    if (dir && ((mkdir(dir, 0700) != 0 && errno != EEXIST) || !database_path(dir, path))) {
        free(store);
        return tv_fail(reterr, TV_EIO, "the state directory %.120s cannot be made: %s", dir,
                       strerrordesc_np(errno));
    }
    bool ok = open_file(store, path);
    int code = sqlite3_errcode(store->db) & 0xff;
    bool cannot = code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_FULL ||
                  code == SQLITE_PERM || code == SQLITE_BUSY || code == SQLITE_IOERR;
    if (!ok && dir && !cannot) {
        sqlite3_close(store->db);
        set_aside(path, ret_note);
        ok = open_file(store, path);
    }
    if (!ok) {
        enum tv_status status = fail(store, reterr, "the state database cannot be used");
        tv_store_close(store);
        return status;
    }
    *ret = store;
    return TV_OK;
}

enum tv_status tv_store_open_to_read(const char *dir, struct tv_store **ret,
                                     struct tv_error *reterr)
{
    struct tv_store *store = tv_xcalloc(1, sizeof *store);
    char path[PATH_MAX];
    if (!database_path(dir, path))
        snprintf(path, sizeof path, "%s/trainvet.db", dir);
    if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL) !=
            SQLITE_OK ||
        sqlite3_busy_timeout(store->db, BUSY_MS) != SQLITE_OK ||
        pragma(store, "PRAGMA application_id") != SCHEMA_APPLICATION ||
        pragma(store, "PRAGMA user_version") != SCHEMA_VERSION) {
        int code = sqlite3_errcode(store->db);
        tv_store_close(store);
        return tv_fail(reterr, TV_EIO, "%.200s cannot be read: %s", path,
                       code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE
                           ? "it is not of this version of trainvet"
                           : sqlite3_errstr(code));
    }
    *ret = store;
    return TV_OK;
}

void tv_store_close(struct tv_store *store)
{
    if (!store)
        return;
    sqlite3_close(store->db);
    tv_arena_free(&store->texts);
    free(store);
}

static bool is_recorded(struct tv_store *store, const struct tv_alert *alert)
{
    sqlite3_stmt *find = prepare(store, "SELECT state FROM alert WHERE fingerprint = ?");
    bind_text(find, 1, alert->fingerprint);
    bool same = find && sqlite3_step(find) == SQLITE_ROW &&
                sqlite3_column_int(find, 0) == (int)alert->state;
    sqlite3_finalize(find);
    return same;
}

/* What stands in the column "run". */
static void bind_run(sqlite3_stmt *statement, int at, const char *root, const char *run)
{
    char key[2048];
    snprintf(key, sizeof key, "%s%s%s", root ? root : "", root ? "\n" : "", run);
    bind_text(statement, at, key);
}

static bool record(struct tv_store *store, const struct tv_alert *alert, const char *object,
                   double now)
{
    sqlite3_stmt *put = prepare(
        store, "INSERT INTO alert (fingerprint, run, detector, state, object, changed)"
               " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (fingerprint) DO UPDATE SET"
               " state = excluded.state, object = excluded.object, changed = excluded.changed");
    bind_text(put, 1, alert->fingerprint);
    bind_run(put, 2, alert->root, alert->run);
    bind_text(put, 3, alert->detector);
    sqlite3_bind_int(put, 4, (int)alert->state);
    bind_text(put, 5, object);
    sqlite3_bind_double(put, 6, now);
    return finish(put);
}

static bool add_count(struct tv_store *store, const char *sink, const char *name, int64_t by)
{
    sqlite3_stmt *add =
        prepare(store, "INSERT INTO counter VALUES (?, ?, ?)"
                       " ON CONFLICT (sink, name) DO UPDATE SET value = value + excluded.value");
    bind_text(add, 1, sink);
    bind_text(add, 2, name);
    sqlite3_bind_int64(add, 3, by);
    return finish(add);
}

static uint64_t counter(struct tv_store *store, const char *sink, const char *name)
{
    sqlite3_stmt *find = prepare(store, "SELECT value FROM counter WHERE sink = ? AND name = ?");
    bind_text(find, 1, sink);
    bind_text(find, 2, name);
    uint64_t value =
        find && sqlite3_step(find) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(find, 0) : 0;
    sqlite3_finalize(find);
    return value;
}

/* A full queue loses the oldest news of what is over, then the oldest. */
static bool make_room(struct tv_store *store, const char *sink)
{
    if (counter(store, sink, "owed") < TV_STORE_OUTBOX_MAX)
        return true;
    sqlite3_stmt *drop =
        prepare(store, "DELETE FROM owed WHERE id ="
                       " (SELECT id FROM owed WHERE sink = ? ORDER BY state DESC, id LIMIT 1)");
    bind_text(drop, 1, sink);
    return finish(drop) && add_count(store, sink, "dropped", 1) &&
           add_count(store, sink, "owed", -1);
}

static bool owe(struct tv_store *store, const char *sink, const struct tv_alert *alert,
                const char *object, double now)
{
    if (!make_room(store, sink))
        return false;
    sqlite3_stmt *put = prepare(
        store, "INSERT INTO owed (sink, fingerprint, state, object, due) VALUES (?, ?, ?, ?, ?)");
    bind_text(put, 1, sink);
    bind_text(put, 2, alert->fingerprint);
    sqlite3_bind_int(put, 3, (int)alert->state);
    bind_text(put, 4, object);
    sqlite3_bind_double(put, 5, now);
    return finish(put) && add_count(store, sink, "owed", 1);
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
    bool ok = run_sql(store, "BEGIN IMMEDIATE") && record(store, alert, json.data, now);
    for (size_t i = 0; ok && sinks && sinks[i]; i++)
        ok = owe(store, sinks[i], alert, json.data, now);
    ok = ok && run_sql(store, "COMMIT");
    tv_json_free(&json);
    if (!ok) {
        enum tv_status status = fail(store, reterr, "an alert cannot be recorded");
        run_sql(store, "ROLLBACK");
        return status;
    }
    *ret_new = true;
    return TV_OK;
}

bool tv_store_next(struct tv_store *store, const char *sink, double now, struct tv_delivery *ret)
{
    sqlite3_stmt *find = prepare(
        store,
        "SELECT id, attempts, object FROM owed AS one WHERE sink = ? AND due <= ?"
        " AND NOT EXISTS (SELECT 1 FROM owed AS before WHERE before.sink = one.sink"
        " AND before.fingerprint = one.fingerprint AND before.id < one.id) ORDER BY id LIMIT 1");
    bind_text(find, 1, sink);
    sqlite3_bind_double(find, 2, now);
    bool found = find && sqlite3_step(find) == SQLITE_ROW;
    if (found) {
        tv_arena_free(&store->texts);
        ret->id = sqlite3_column_int64(find, 0);
        ret->attempts = sqlite3_column_int(find, 1);
        found = tv_alert_from_json((const char *)sqlite3_column_text(find, 2), &store->texts,
                                   &ret->alert);
    }
    sqlite3_finalize(find);
    return found;
}

double tv_store_next_time(struct tv_store *store)
{
    sqlite3_stmt *find = prepare(store, "SELECT MIN(due) FROM owed");
    double due = INFINITY;
    if (find && sqlite3_step(find) == SQLITE_ROW && sqlite3_column_type(find, 0) != SQLITE_NULL)
        due = sqlite3_column_double(find, 0);
    sqlite3_finalize(find);
    return due;
}

/* Takes a delivery off the queue and counts how it ended. */
static bool settle(struct tv_store *store, int64_t id, const char *how)
{
    sqlite3_stmt *find = prepare(store, "SELECT sink FROM owed WHERE id = ?");
    char sink[128] = "";
    sqlite3_bind_int64(find, 1, id);
    if (find && sqlite3_step(find) == SQLITE_ROW)
        snprintf(sink, sizeof sink, "%s", (const char *)sqlite3_column_text(find, 0));
    sqlite3_finalize(find);
    if (!sink[0])
        return true; /* a full queue has dropped it meanwhile */
    bool ok = run_sql(store, "BEGIN IMMEDIATE");
    sqlite3_stmt *drop = prepare(store, "DELETE FROM owed WHERE id = ?");
    sqlite3_bind_int64(drop, 1, id);
    ok = finish(drop) && ok && add_count(store, sink, how, 1) &&
         add_count(store, sink, "owed", -1) && run_sql(store, "COMMIT");
    if (!ok)
        run_sql(store, "ROLLBACK");
    return ok;
}

bool tv_store_delivered(struct tv_store *store, int64_t id)
{
    return settle(store, id, "delivered");
}

bool tv_store_refused(struct tv_store *store, int64_t id)
{
    return settle(store, id, "refused");
}

bool tv_store_failed(struct tv_store *store, int64_t id, double when, const char *reason)
{
    sqlite3_stmt *put = prepare(
        store,
        "UPDATE owed SET due = ?, attempts = attempts + 1, reason = ? WHERE id = ? RETURNING sink");
    char sink[128] = "";
    sqlite3_bind_double(put, 1, when);
    bind_text(put, 2, reason);
    sqlite3_bind_int64(put, 3, id);
    if (put && sqlite3_step(put) == SQLITE_ROW)
        snprintf(sink, sizeof sink, "%s", (const char *)sqlite3_column_text(put, 0));
    bool ok = put && sqlite3_finalize(put) == SQLITE_OK;
    return ok && add_count(store, sink, "failures", 1);
}

enum tv_status tv_store_run_done(struct tv_store *store, const char *path, const char *digest,
                                 const char *report_json)
{
    sqlite3_stmt *put = prepare(store, "INSERT OR REPLACE INTO run VALUES (?, ?, ?)");
    bind_text(put, 1, path);
    bind_text(put, 2, digest);
    bind_text(put, 3, report_json);
    return finish(put) ? TV_OK : TV_EIO;
}

bool tv_store_is_done(struct tv_store *store, const char *path, const char *digest)
{
    sqlite3_stmt *find = prepare(store, "SELECT 1 FROM run WHERE path = ? AND digest = ?");
    bind_text(find, 1, path);
    bind_text(find, 2, digest);
    bool done = find && sqlite3_step(find) == SQLITE_ROW;
    sqlite3_finalize(find);
    return done;
}

void tv_store_each(struct tv_store *store, bool firing_only,
                   bool (*visit)(void *ctx, const struct tv_alert *alert), void *ctx)
{
    sqlite3_stmt *each = prepare(
        store,
        "SELECT object FROM alert WHERE state = 0 OR NOT ? ORDER BY changed DESC, fingerprint");
    bool more = true;
    sqlite3_bind_int(each, 1, firing_only);
    while (more && each && sqlite3_step(each) == SQLITE_ROW) {
        struct tv_arena texts = {0};
        struct tv_alert alert;
        if (tv_alert_from_json((const char *)sqlite3_column_text(each, 0), &texts, &alert))
            more = visit(ctx, &alert);
        tv_arena_free(&texts);
    }
    sqlite3_finalize(each);
}

double tv_store_changed(struct tv_store *store, const char *fingerprint)
{
    sqlite3_stmt *find = prepare(store, "SELECT changed FROM alert WHERE fingerprint = ?");
    bind_text(find, 1, fingerprint);
    double changed =
        find && sqlite3_step(find) == SQLITE_ROW ? sqlite3_column_double(find, 0) : NAN;
    sqlite3_finalize(find);
    return changed;
}

void tv_store_each_of(struct tv_store *store, const char *root, const char *run,
                      void (*visit)(void *ctx, const struct tv_alert *alert), void *ctx)
{
    sqlite3_stmt *each = prepare(store, "SELECT object FROM alert WHERE run = ?");
    bind_run(each, 1, root, run);
    while (each && sqlite3_step(each) == SQLITE_ROW) {
        struct tv_arena texts = {0};
        struct tv_alert alert;
        if (tv_alert_from_json((const char *)sqlite3_column_text(each, 0), &texts, &alert))
            visit(ctx, &alert);
        tv_arena_free(&texts);
    }
    sqlite3_finalize(each);
}

struct tv_store_counts tv_store_count(struct tv_store *store, const char *sink)
{
    return (struct tv_store_counts){
        .owed = counter(store, sink, "owed"),
        .delivered = counter(store, sink, "delivered"),
        .refused = counter(store, sink, "refused"),
        .dropped = counter(store, sink, "dropped"),
        .failures = counter(store, sink, "failures"),
    };
}

void tv_store_each_owed(struct tv_store *store,
                        void (*visit)(void *ctx, const struct tv_owed *owed), void *ctx)
{
    sqlite3_stmt *each = prepare(store, "SELECT sink, fingerprint, COALESCE(reason, ''), state,"
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
    sqlite3_finalize(each);
}
