/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STORE_STORE_H
#define STORE_STORE_H
/* What must survive a restart: which alerts were told and which deliveries are still owed.
 * Everything else is read again from the logs. SQLite in the state directory, write-ahead log, one
 * transaction for "these alerts exist and are owed to these sinks". A damaged or foreign database
 * is set aside (renamed to trainvet.db.damaged-TIME), said once, and a new one is begun: the logs
 * bring the alerts back. */
#include "trainvet/alert.h"
#include "trainvet/error.h"
#include <stdbool.h>
#include <stdint.h>

struct tv_store;

#define TV_STORE_OUTBOX_MAX                                                                        \
    10000 /* owed deliveries a sink; then the oldest resolved, then the oldest are dropped and     \
             counted */

#define TV_STORE_PAUSE_MAX 900.0 /* seconds between two attempts at a delivery, at most */

/* `dir` NULL: in memory, for a watch that keeps nothing. The directory is created with mode 0700.
 * Errors: TV_EIO (cannot be created or written; the message says why). *ret_note: what was set
 * aside, "" when nothing; at least 512 bytes. */
enum tv_status tv_store_open(const char *dir, struct tv_store **ret, char ret_note[512],
                             struct tv_error *reterr);
/* For somebody who only looks: nothing is made, set aside or written. */
enum tv_status tv_store_open_to_read(const char *dir, struct tv_store **ret,
                                     struct tv_error *reterr);
void tv_store_close(struct tv_store *store);

/* When the database turns out to be damaged, or was taken away from its place, it is set aside and
 * a new one begun; true then: nothing is recorded and no delivery is owed any more, the logs must
 * be read again. *ret_note says what was done, or why nothing can be done yet ("": nothing to do);
 * at least 512 bytes. */
bool tv_store_mend(struct tv_store *store, char ret_note[512]);

/* What is recorded between the two (alerts, ended runs) is one transaction, for which the disk is
 * waited for once. TV_EIO: nothing of it was written, and all of it is to be said again. Outside of
 * them each change is one of its own, which a killed process leaves done; a power cut may undo the
 * last. */
void tv_store_begin(struct tv_store *store);
enum tv_status tv_store_commit(struct tv_store *store, struct tv_error *reterr);

/* Records the state of an alert and owes it to each of `sinks` (names, NULL-terminated). False in
 * *ret_new when this state of this fingerprint is recorded already, at least as severe: nothing is
 * owed again. TV_EIO when it could not be written (disk full): the caller keeps it and tries again
 * later. */
enum tv_status tv_store_alert(struct tv_store *store, const struct tv_alert *alert,
                              const char *const *sinks, double now, bool *ret_new,
                              struct tv_error *reterr);

/* A sink gets at most `most` new alerts in `period` seconds (0: any number). Those beyond it are
 * recorded and held back for good, the ends of them as well; their number is owed to the sink when
 * the period is over, as an alert of the detector "held_back". Kept in memory only: said again
 * after each start. `sink` NULL: no sink is limited. */
void tv_store_limit(struct tv_store *store, const char *sink, uint64_t most, double period);
/* Owes what is due of these numbers. */
void tv_store_tell_held(struct tv_store *store, double now);
/* False where the sink is not limited any more. */
bool tv_store_is_held(struct tv_store *store, const char *sink, const char *fingerprint);

/* The next delivery owed to `sink` that is due at `now` (unix seconds), or that is put off for
 * longer than anything is, by a clock that was set back since; false when there is none. The
 * alert's texts belong to the store until the next call. Deliveries of one fingerprint come in
 * order: resolved never before firing. */
struct tv_delivery {
    int64_t id;
    int attempts;
    struct tv_alert alert;
};
bool tv_store_next(struct tv_store *store, const char *sink, double now, struct tv_delivery *ret);
/* When the next owed delivery of any sink becomes due; INFINITY when none is owed. */
double tv_store_next_time(struct tv_store *store);
/* How a delivery ended. False when it could not be written: say it again later, and deliver nothing
 * to that sink before. */
bool tv_store_delivered(struct tv_store *store, int64_t id);
bool tv_store_refused(struct tv_store *store, int64_t id);
/* Try again at `when`, with the reason for `trainvet alerts`. */
bool tv_store_failed(struct tv_store *store, int64_t id, double when, const char *reason);
/* What was tried already is due again: what kept it (a wrong password) may have been put right. */
bool tv_store_hurry(struct tv_store *store);

/* A finished run whose files have not changed since is not read again. `digest` describes its files
 * (paths, sizes, modification times, inodes). */
enum tv_status tv_store_run_done(struct tv_store *store, const char *path, const char *digest,
                                 const char *report_json);
bool tv_store_is_done(struct tv_store *store, const char *path, const char *digest);

/* Every recorded alert, newest first; `visit` returns false to stop. */
void tv_store_each(struct tv_store *store, bool firing_only,
                   bool (*visit)(void *ctx, const struct tv_alert *alert), void *ctx);

/* The same, a part of them: at most `limit` behind the first `offset`, of one state (enum
 * tv_alert_state) or of any (-1). Returns how many there are in all. */
size_t tv_store_part(struct tv_store *store, int state, size_t offset, size_t limit,
                     bool (*visit)(void *ctx, const struct tv_alert *alert), void *ctx);

/* Those that fire, in order of fingerprints, at most `limit` behind `place` ("" to begin), which is
 * moved on: in parts, between which alerts may be recorded. Returns how many there were. */
size_t tv_store_firing(struct tv_store *store, char place[17], size_t limit,
                       void (*visit)(void *ctx, const struct tv_alert *alert), void *ctx);

/* The recorded alerts of one run, by its name and root (NULL: none) as they stand in alerts. */
void tv_store_each_of(struct tv_store *store, const char *root, const char *run,
                      void (*visit)(void *ctx, const struct tv_alert *alert), void *ctx);

/* When the alert's state was recorded, unix seconds; NaN when it is not there. */
double tv_store_changed(struct tv_store *store, const char *fingerprint);

/* Every owed delivery, oldest first; texts are borrowed for the call, `reason` is "" before the
 * first attempt. */
struct tv_owed {
    const char *sink, *fingerprint, *reason;
    enum tv_alert_state state;
    int attempts;
    double due; /* unix seconds */
};
void tv_store_each_owed(struct tv_store *store,
                        void (*visit)(void *ctx, const struct tv_owed *owed), void *ctx);

/* Deliveries owed, dropped, refused, per sink, for metrics. */
struct tv_store_counts {
    uint64_t owed, delivered, refused, dropped, failures, held;
};
struct tv_store_counts tv_store_count(struct tv_store *store, const char *sink);

#endif
