/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H
/* The database below the store: how it is opened, and statements that note when it is damaged. */
#include "base/memory.h"
#include "store/store.h"
#include <sqlite3.h>

/* How many new alerts a sink gets. */
struct tv_limit {
    struct tv_limit *next;
    char *sink;
    uint64_t most;
    double period;
};

struct tv_store {
    sqlite3 *db;           /* NULL: it is away, nothing can be recorded */
    struct tv_arena texts; /* of the delivery that was returned last */
    char *dir;             /* NULL: in memory */
    bool is_damaged;       /* a statement has met damage */
    bool gathers;          /* tv_store_begin() */
    bool has_lost;         /* what was gathered so far */
    struct tv_limit *limits;
};

/* ---- limit.c ---- */

/* Whether this state of an alert is kept from a sink, which is noted. *ret_ok false: it cannot be.
 */
bool tv_limit_holds(struct tv_store *store, const char *sink, const struct tv_alert *alert,
                    double now, bool *ret_ok);

/* ---- store.c ---- */

bool tv_store_add_count(struct tv_store *store, const char *sink, const char *name, int64_t by);
uint64_t tv_store_counter(struct tv_store *store, const char *sink, const char *name);
bool tv_store_owe(struct tv_store *store, const char *sink, const struct tv_alert *alert,
                  const char *object, double now);

/* ---- database.c ---- */

bool tv_db_run(struct tv_store *store, const char *sql);
/* NULL when the database cannot take the statement, which is as good as a failed write. */
sqlite3_stmt *tv_db_prepare(struct tv_store *store, const char *sql);
void tv_db_bind(sqlite3_stmt *statement, int at, const char *text);
void tv_db_close(struct tv_store *store, sqlite3_stmt *statement);
/* Runs a statement that returns nothing, and closes it. */
bool tv_db_finish(struct tv_store *store, sqlite3_stmt *statement);

/* Begins a transaction, or goes on with what is gathered. */
bool tv_db_begin(struct tv_store *store);
/* Ends it, unless it is gathered with what follows. */
bool tv_db_end(struct tv_store *store);
/* The same; false when `ok` is or when it cannot be written. */
bool tv_db_commit(struct tv_store *store, bool ok);
/* Ends a transaction that failed. */
void tv_db_give_up(struct tv_store *store);
enum tv_status tv_db_fail(struct tv_store *store, struct tv_error *reterr, const char *what);

#endif
