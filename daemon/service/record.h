/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICE_RECORD_H
#define SERVICE_RECORD_H
/* Alerts into the store, with the sinks that they are owed to. What cannot be recorded (disk full)
 * is kept in memory, in order, until it can. */
#include "service/config.h"
#include "store/store.h"

/* Zero-initialise to create, and set the first two. */
struct tv_recorder {
    const struct tv_config *config;
    struct tv_store *store;
    /* What is not certainly recorded, in order; the first `gathered` are in the store's open
     * transaction, of which `gathered_new` were new to it. */
    struct tv_waiting_alert *waiting, *waiting_last;
    size_t waiting_len, gathered, gathered_new;
    bool is_failing; /* the store could not be written the last time; said once */
    bool forgot;     /* more than is kept: the logs must be read again */
    uint64_t alerts, failures;
};

/* Both are certain after tv_record_commit() only. A run whose alerts cannot be recorded has not
 * ended: it is read again after a restart. */
void tv_record(struct tv_recorder *recorder, const struct tv_alert *alert);
void tv_record_done(struct tv_recorder *recorder, const char *path, const char *digest,
                    const char *report_json);
bool tv_record_commit(struct tv_recorder *recorder);
/* Records what waits, for about a twentieth of a second. */
void tv_record_waiting(struct tv_recorder *recorder);
/* Sets a damaged or missing database aside, which is said. True: the store has begun anew, and what
 * it has lost is to be told again, from the logs. */
bool tv_record_mend(struct tv_recorder *recorder);
/* Whether alerts like this one go to that sink now. */
bool tv_record_wants(const struct tv_recorder *recorder, const char *sink,
                     const struct tv_alert *alert);
void tv_recorder_free(struct tv_recorder *recorder);

#endif
