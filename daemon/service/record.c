/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/record.h"
#include "base/clock.h"
#include "base/ending.h"
#include "base/log.h"
#include "base/memory.h"
#include "sinks/lib/alert_json.h"
#include "store/alert_text.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ROUTES_MAX = 32,
    WAITING_MAX = 1000,
    GATHERED_MAX = 64 /* alerts a transaction: the store's log stays small */
};
#define SLICE 0.05 /* seconds of recording what was kept: then others have their turn */

struct tv_waiting_alert {
    struct tv_waiting_alert *next;
    char *object;
};

static void say_failing(struct tv_recorder *recorder, const struct tv_error *error)
{
    recorder->failures++;
    if (!recorder->is_failing)
        tv_log(TV_LOG_ERROR, "%s; alerts are kept in memory until it works", error->message);
    recorder->is_failing = true;
    recorder->gathered = recorder->gathered_new = 0;
}

/* The first one that waits and is not gathered yet. */
static bool gather(struct tv_recorder *recorder, const struct tv_alert *alert)
{
    const char *sinks[ROUTES_MAX + 1];
    struct tv_error error;
    bool is_new;
    double now = tv_clock_seconds(CLOCK_REALTIME);
    tv_config_route(recorder->config, alert, now, sinks, ROUTES_MAX);
    tv_store_begin(recorder->store);
    if (tv_store_alert(recorder->store, alert, sinks, now, &is_new, &error) != TV_OK) {
        say_failing(recorder, &error);
        return false;
    }
    recorder->gathered++;
    recorder->gathered_new += is_new;
    return true;
}

static void keep(struct tv_recorder *recorder, const struct tv_alert *alert)
{
    struct tv_json json = {0};
    tv_alert_json(&json, alert);
    struct tv_waiting_alert *waiting = tv_xcalloc(1, sizeof *waiting);
    waiting->object = json.data;
    *(recorder->waiting ? &recorder->waiting_last->next : &recorder->waiting) = waiting;
    recorder->waiting_last = waiting;
    recorder->waiting_len++;
}

static void drop_first(struct tv_recorder *recorder)
{
    struct tv_waiting_alert *first = recorder->waiting;
    recorder->waiting = first->next;
    recorder->waiting_len--;
    free(first->object);
    free(first);
}

bool tv_record_commit(struct tv_recorder *recorder)
{
    struct tv_error error;
    if (tv_store_commit(recorder->store, &error) != TV_OK) {
        if (recorder->gathered)
            say_failing(recorder, &error);
        return false;
    }
    if (recorder->gathered && recorder->is_failing) {
        tv_log(TV_LOG_WARNING, "the state directory can be written again");
        recorder->is_failing = false;
    }
    recorder->alerts += recorder->gathered_new;
    for (; recorder->gathered; recorder->gathered--)
        drop_first(recorder);
    recorder->gathered_new = 0;
    return true;
}

/* In the order in which they came: false when the store does not take them. */
static bool gather_waiting(struct tv_recorder *recorder)
{
    for (struct tv_waiting_alert *each = recorder->waiting;
         each && recorder->gathered < GATHERED_MAX; each = each->next) {
        struct tv_arena texts = {0};
        struct tv_alert alert;
        bool is_sound = tv_alert_from_json(each->object, &texts, &alert);
        bool done = !is_sound || gather(recorder, &alert);
        recorder->gathered += !is_sound;
        tv_arena_free(&texts);
        if (!done)
            return false;
    }
    return true;
}

void tv_record_waiting(struct tv_recorder *recorder)
{
    double until = tv_clock_seconds(CLOCK_MONOTONIC) + SLICE;
    bool works = true;
    while (works && recorder->waiting && tv_clock_seconds(CLOCK_MONOTONIC) < until)
        works = gather_waiting(recorder) & tv_record_commit(recorder);
}

void tv_record(struct tv_recorder *recorder, const struct tv_alert *alert)
{
    if (tv_is_ending(NULL) || recorder->waiting_len >= WAITING_MAX) {
        recorder->forgot = true; /* the logs tell it again, after the restart or sooner */
        return;
    }
    bool is_next = recorder->waiting_len == recorder->gathered;
    keep(recorder, alert);
    if (is_next && gather(recorder, alert) && recorder->gathered == GATHERED_MAX)
        tv_record_commit(recorder);
}

void tv_record_done(struct tv_recorder *recorder, const char *path, const char *digest,
                    const char *report_json)
{
    if (recorder->waiting_len > recorder->gathered || recorder->forgot)
        return;
    tv_store_begin(recorder->store);
    tv_store_run_done(recorder->store, path, digest, report_json);
}

bool tv_record_mend(struct tv_recorder *recorder)
{
    char note[512];
    bool is_new = tv_store_mend(recorder->store, note);
    if (note[0] && (is_new || !recorder->is_failing))
        tv_log(TV_LOG_ERROR, "%s", note);
    if (note[0])
        recorder->is_failing = !is_new;
    return is_new;
}

bool tv_record_wants(const struct tv_recorder *recorder, const char *sink,
                     const struct tv_alert *alert)
{
    const char *sinks[ROUTES_MAX + 1];
    size_t len = tv_config_route(recorder->config, alert, tv_clock_seconds(CLOCK_REALTIME), sinks,
                                 ROUTES_MAX);
    for (size_t i = 0; i < len; i++)
        if (strcmp(sinks[i], sink) == 0)
            return true;
    return false;
}

void tv_recorder_free(struct tv_recorder *recorder)
{
    while (recorder->waiting)
        drop_first(recorder);
}
