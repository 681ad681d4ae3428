/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/database.h"
#include "base/memory.h"
#include "store/schema.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { BUSY_MS = 2000 };

/* The log is copied into the database every 64 pages and begun again: an alert takes about eight,
 * and SQLite's own 1000 would fill a small disk by itself. The limit is for logs that somebody's
 * reading let grow. Only what is gathered waits for the disk: what was noted after it outlives the
 * process, and is on the disk with the next. */
static const char setup_sql[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=OFF;"
    "PRAGMA wal_autocheckpoint=64; PRAGMA journal_size_limit=1048576";

enum tv_status tv_db_fail(struct tv_store *store, struct tv_error *reterr, const char *what)
{
    return tv_fail(reterr, TV_EIO, "%s: %s", what,
                   store->db ? sqlite3_errmsg(store->db) : "there is no database");
}

static bool note_damage(struct tv_store *store, int code)
{
    store->is_damaged =
        store->is_damaged || (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
    return code == SQLITE_OK;
}

bool tv_db_run(struct tv_store *store, const char *sql)
{
    return note_damage(store, sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

sqlite3_stmt *tv_db_prepare(struct tv_store *store, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    note_damage(store, sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL));
    return statement;
}

void tv_db_bind(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

void tv_db_close(struct tv_store *store, sqlite3_stmt *statement)
{
    note_damage(store, sqlite3_finalize(statement));
}

bool tv_db_finish(struct tv_store *store, sqlite3_stmt *statement)
{
    bool ok = statement && sqlite3_step(statement) == SQLITE_DONE;
    tv_db_close(store, statement);
    return ok;
}

static bool is_open(const struct tv_store *store)
{
    return store->db && !sqlite3_get_autocommit(store->db);
}

bool tv_db_begin(struct tv_store *store)
{
    if (store->gathers && is_open(store))
        return true;
    return tv_db_run(store, store->gathers ? "PRAGMA synchronous=FULL; BEGIN IMMEDIATE"
                                           : "BEGIN IMMEDIATE");
}

bool tv_db_end(struct tv_store *store)
{
    return store->gathers || tv_db_run(store, "COMMIT");
}

/* A disk that is full gets back what the log takes, which is more than what is in it; nobody who
 * reads is waited for. */
void tv_db_give_up(struct tv_store *store)
{
    if (!store->db)
        return;
    int code = sqlite3_errcode(store->db) & 0xff;
    store->has_lost = store->gathers;
    if (is_open(store))
        tv_db_run(store, "ROLLBACK");
    if (code != SQLITE_FULL && code != SQLITE_IOERR)
        return;
    sqlite3_busy_timeout(store->db, 0);
    sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(store->db, BUSY_MS);
}

bool tv_db_commit(struct tv_store *store, bool ok)
{
    ok = ok && tv_db_end(store);
    if (!ok)
        tv_db_give_up(store);
    return ok;
}

void tv_store_begin(struct tv_store *store)
{
    store->gathers = true;
}

enum tv_status tv_store_commit(struct tv_store *store, struct tv_error *reterr)
{
    if (!store->gathers)
        return TV_OK;
    bool ok = !store->has_lost && (!is_open(store) || tv_db_run(store, "COMMIT"));
    enum tv_status status = ok ? TV_OK : tv_db_fail(store, reterr, "alerts cannot be recorded");
    store->gathers = store->has_lost = false;
    if (!ok)
        tv_db_give_up(store);
    tv_db_run(store, "PRAGMA synchronous=NORMAL");
    return status;
}

static int64_t pragma(struct tv_store *store, const char *sql)
{
    sqlite3_stmt *statement = tv_db_prepare(store, sql);
    int64_t value = -1;
    if (statement && sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    tv_db_close(store, statement);
    return value;
}

/* Sound, ours, and of a version that we know. */
static bool is_usable(struct tv_store *store)
{
    int64_t version = pragma(store, "PRAGMA user_version"),
            application = pragma(store, "PRAGMA application_id");
    bool is_empty = version == 0 && application == 0;
    if (is_empty || (version == 1 && application == SCHEMA_APPLICATION)) {
        char sql[128];
        snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d",
                 SCHEMA_APPLICATION, SCHEMA_VERSION);
        bool ok =
            tv_db_commit(store, tv_db_begin(store) && (!is_empty || tv_db_run(store, schema_sql)) &&
                                    tv_db_run(store, upgrade_sql) && tv_db_run(store, sql));
        if (is_empty || !ok)
            return ok;
        version = SCHEMA_VERSION;
    }
    if (version != SCHEMA_VERSION || application != SCHEMA_APPLICATION)
        return false;
    sqlite3_stmt *check = tv_db_prepare(store, "PRAGMA quick_check(1)");
    bool ok = check && sqlite3_step(check) == SQLITE_ROW &&
              strcmp((const char *)sqlite3_column_text(check, 0), "ok") == 0;
    tv_db_close(store, check);
    return ok;
}

static bool open_file(struct tv_store *store, const char *path)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW;
    if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK)
        return false;
    sqlite3_busy_timeout(store->db, BUSY_MS);
    return tv_db_run(store, setup_sql) && is_usable(store);
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

static void close_file(struct tv_store *store)
{
    sqlite3_close(store->db);
    store->db = NULL;
}

static bool is_directory(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Sets aside what cannot be a database of ours; what cannot be reached now stays. */
static enum tv_status open_sound(struct tv_store *store, char ret_note[512],
                                 struct tv_error *reterr)
{
    const char *dir = store->dir;
    char path[PATH_MAX] = ":memory:";
    if (dir && ((mkdir(dir, 0700) != 0 && errno != EEXIST) || !database_path(dir, path)))
        return tv_fail(reterr, TV_EIO, "the state directory %.120s cannot be made: %s", dir,
                       strerrordesc_np(errno));
    if (dir && is_directory(path))
        set_aside(path, ret_note);
    bool ok = open_file(store, path);
    int code = sqlite3_errcode(store->db) & 0xff;
    bool cannot = code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_FULL ||
                  code == SQLITE_PERM || code == SQLITE_BUSY || code == SQLITE_IOERR;
    if (!ok && dir && !cannot) {
        close_file(store);
        set_aside(path, ret_note);
        ok = open_file(store, path);
    }
    store->is_damaged = false;
    if (ok)
        return TV_OK;
    tv_db_fail(store, reterr, "the state database cannot be used");
    close_file(store);
    return TV_EIO;
}

enum tv_status tv_store_open(const char *dir, struct tv_store **ret, char ret_note[512],
                             struct tv_error *reterr)
{
    struct tv_store *store = tv_xcalloc(1, sizeof *store);
    store->dir = dir ? tv_xstrndup(dir, strlen(dir)) : NULL;
    ret_note[0] = '\0';
    enum tv_status status = open_sound(store, ret_note, reterr);
    if (status != TV_OK) {
        tv_store_close(store);
        return status;
    }
    *ret = store;
    return TV_OK;
}

/* Closes what is damaged or taken away. False when there is nothing of that kind. */
static bool part_with(struct tv_store *store, char ret_note[512])
{
    char path[PATH_MAX];
    int has_moved = 0;
    if (!store->db)
        return true;
    sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    if (!store->is_damaged && !has_moved)
        return false;
    close_file(store);
    if (has_moved)
        snprintf(ret_note, 512, "%.200s/trainvet.db was taken away; it is rebuilt from the logs",
                 store->dir);
    else if (database_path(store->dir, path))
        set_aside(path, ret_note);
    return true;
}

bool tv_store_mend(struct tv_store *store, char ret_note[512])
{
    struct tv_error error;
    ret_note[0] = '\0';
    if (!store->dir || !part_with(store, ret_note))
        return false;
    if (open_sound(store, ret_note, &error) == TV_OK)
        return true;
    snprintf(ret_note, 512, "%s", error.message);
    return false;
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
    tv_store_limit(store, NULL, 0, 0);
    sqlite3_close(store->db);
    tv_arena_free(&store->texts);
    free(store->dir);
    free(store);
}
