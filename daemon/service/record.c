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

enum { ROUTES_MAX = 32, WAITING_MAX = 1000 };
#define SLICE 0.05 /* seconds of recording what was kept: then others have their turn */

struct tv_waiting_alert {
    struct tv_waiting_alert *next;
    char *object;
};

static bool record(struct tv_recorder *recorder, const struct tv_alert *alert)
{
    const char *sinks[ROUTES_MAX + 1];
    struct tv_error error;
    bool is_new;
    double now = tv_clock_seconds(CLOCK_REALTIME);
    tv_config_route(recorder->config, alert, now, sinks, ROUTES_MAX);
    if (tv_store_alert(recorder->store, alert, sinks, now, &is_new, &error) != TV_OK) {
        recorder->failures++;
        if (!recorder->is_failing)
            tv_log(TV_LOG_ERROR, "%s; alerts are kept in memory until it works", error.message);
        recorder->is_failing = true;
        return false;
    }
    if (recorder->is_failing)
        tv_log(TV_LOG_WARNING, "the state directory can be written again");
    recorder->is_failing = false;
    recorder->alerts += is_new;
    return true;
}

static void keep_for_later(struct tv_recorder *recorder, const struct tv_alert *alert)
{
    if (recorder->waiting_len >= WAITING_MAX) {
        recorder->forgot = true;
        return;
    }
    struct tv_json json = {0};
    tv_alert_json(&json, alert);
    struct tv_waiting_alert *waiting = tv_xcalloc(1, sizeof *waiting), **end = &recorder->waiting;
    waiting->object = json.data;
    while (*end)
        end = &(*end)->next;
    *end = waiting;
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

void tv_record_waiting(struct tv_recorder *recorder)
{
    double until = tv_clock_seconds(CLOCK_MONOTONIC) + SLICE;
    while (recorder->waiting && tv_clock_seconds(CLOCK_MONOTONIC) < until) {
        struct tv_arena texts = {0};
        struct tv_alert alert;
        bool done = !tv_alert_from_json(recorder->waiting->object, &texts, &alert) ||
                    record(recorder, &alert);
        tv_arena_free(&texts);
        if (!done)
            return;
        drop_first(recorder);
    }
}

void tv_record(struct tv_recorder *recorder, const struct tv_alert *alert)
{
    if (tv_is_ending(NULL))      /* each alert that is recorded waits for the disk */
        recorder->forgot = true; /* the logs tell it again after the restart */
    else if (recorder->waiting || !record(recorder, alert))
        keep_for_later(recorder, alert);
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
