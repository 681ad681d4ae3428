/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H
/* The database's tables. SCHEMA_VERSION stands in PRAGMA user_version; a database of a later
 * version is set aside, one of an earlier version is upgraded by the statements behind it. */

#define SCHEMA_VERSION 2
/* PRAGMA application_id: "tvet" */
#define SCHEMA_APPLICATION 0x74766574

static const char schema_sql[] =
    "CREATE TABLE alert ("
    "  fingerprint TEXT PRIMARY KEY, run TEXT NOT NULL, detector TEXT NOT NULL, state INTEGER NOT "
    "NULL,"
    "  object TEXT NOT NULL, changed REAL NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX alert_changed ON alert (changed);"
    "CREATE INDEX alert_run ON alert (run);"
    "CREATE TABLE owed ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, fingerprint TEXT NOT NULL, state "
    "INTEGER NOT NULL,"
    "  object TEXT NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, reason TEXT);"
    "CREATE INDEX owed_order ON owed (sink);" /* and by id, as every index */
    "CREATE INDEX owed_due ON owed (due);"
    "CREATE INDEX owed_alert ON owed (sink, fingerprint, id);"
    "CREATE TABLE counter (sink TEXT, name TEXT, value INTEGER NOT NULL, PRIMARY KEY (sink, name)) "
    "WITHOUT ROWID;"
    "CREATE TABLE run (path TEXT PRIMARY KEY, digest TEXT NOT NULL, report TEXT NOT NULL) WITHOUT "
    "ROWID;";

/* From version 1 to 2. */
static const char upgrade_sql[] =
    "CREATE INDEX alert_state ON alert (state, fingerprint);"
    "CREATE TABLE held (sink TEXT NOT NULL, fingerprint TEXT NOT NULL, PRIMARY KEY (sink, "
    "fingerprint)) WITHOUT ROWID;";

#endif
