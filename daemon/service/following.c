/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/ending.h"
#include "base/log.h"
#include "service/notify.h"
#include "service/service_parts.h"
#include "sinks/lib/alert_json.h"
#include "tail/input.h"
#include <time.h>

#define SLICE 0.05 /* seconds of reading: then others have their turn */
#define HOLD  5.0  /* seconds that a sample waits for the other files of its run */
#define RETRY 1.0  /* seconds until what could not be recorded is tried again */

static void on_alert(void *ctx, const struct tv_alert *alert)
{
    tv_record(&((struct tv_service *)ctx)->recorder, alert);
}

static void recall(void *ctx, const char *root, const char *run,
                   void (*visit)(void *visit_ctx, const struct tv_alert *alert), void *visit_ctx)
{
    tv_store_each_of(((struct tv_service *)ctx)->recorder.store, root, run, visit, visit_ctx);
}

static void on_run(void *ctx, const struct tv_run_report *report)
{
    (void)ctx;
    tv_log(TV_LOG_INFO, "run %s ended at step %lld with %zu findings", report->run,
           (long long)report->steps, report->alerts);
}

static void on_problem(void *ctx, const char *path, const struct tv_damage *damage)
{
    struct tv_service *service = ctx;
    service->health.damaged += !damage->is_note;
    tv_log(damage->is_note ? TV_LOG_INFO : TV_LOG_WARNING, "%s: %s", path, damage->what);
}

static void searched(void *ctx, const struct tv_found *found, bool complete, double now)
{
    struct tv_service *service = ctx;
    struct tv_sweep_options options = {.store = service->recorder.store,
                                       .roots = service->config.roots,
                                       .roots_len = service->config.roots_len,
                                       .grace = service->config.idle_poll,
                                       .ctx = service,
                                       .tell = on_alert};
    if (complete)
        tv_sweep(&service->sweep, &options, found, now);
}

static bool is_done(void *ctx, const char *path, const char *digest)
{
    return tv_store_is_done(((struct tv_service *)ctx)->recorder.store, path, digest);
}

static void done(void *ctx, const char *path, const char *digest,
                 const struct tv_run_report *report)
{
    struct tv_service *service = ctx;
    struct tv_json json = {0};
    tv_run_json(&json, report);
    tv_record_done(&service->recorder, path, digest, json.data);
    tv_json_free(&json);
}

static void free_follow(struct tv_service *service)
{
    service->health = tv_service_health(service);
    if (service->follow)
        tv_follow_free(service->follow);
    service->follow = NULL;
    service->generation++;
}

/* The logs are read again from the start; what is recorded is not told again. */
static void follow_anew(struct tv_service *service)
{
    service->recorder.forgot = false;
    free_follow(service);
    service->follow = tv_follow_new(&service->follow_options, service->watch);
}

/* Reading has gone on: that is what the watchdog watches. At most once a second. */
static void tell_manager(struct tv_service *service)
{
    double now = tv_clock_seconds(CLOCK_BOOTTIME);
    if (now - service->told_manager < 1)
        return;
    service->told_manager = now;
    tv_notify("%sSTATUS=%zu runs followed, %llu alerts",
              service->watchdog_usec ? "WATCHDOG=1\n" : "", tv_follow_runs(service->follow),
              (unsigned long long)service->recorder.alerts);
}

void tv_service_work(struct tv_service *service)
{
    struct tv_recorder *recorder = &service->recorder;
    if (tv_record_mend(recorder)) {
        tv_dispatch_forget(service->dispatch);
        follow_anew(service);
    }
    tv_record_waiting(recorder);
    if (recorder->forgot && !recorder->waiting)
        follow_anew(service);
    service->turn_ends = tv_clock_seconds(CLOCK_MONOTONIC) + SLICE;
    double wait = tv_follow_work(service->follow, tv_clock_moment());
    tv_record_commit(recorder);
    tv_dispatch_pump(service->dispatch);
    service->health.last_work = tv_clock_seconds(CLOCK_REALTIME);
    service->health.last_work_boot = tv_clock_seconds(CLOCK_BOOTTIME);
    double longest = service->watchdog_usec ? (double)service->watchdog_usec / 3e6 : 60;
    if (recorder->is_failing || recorder->waiting)
        longest = recorder->is_failing ? RETRY : 0;
    wait = wait < longest ? wait : longest;
    sd_event_source_set_time_relative(service->timer, (uint64_t)(wait * 1e6));
    sd_event_source_set_enabled(service->timer, SD_EVENT_ONESHOT);
    tell_manager(service);
}

int tv_service_on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
    (void)source;
    (void)usec;
    tv_service_work(ctx);
    return 0;
}

static int on_hint(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    (void)source;
    (void)fd;
    (void)events;
    tv_service_work(ctx);
    return 0;
}

static bool is_late(void *ctx)
{
    return tv_clock_seconds(CLOCK_MONOTONIC) > ((struct tv_service *)ctx)->turn_ends;
}

void tv_service_begin_following(struct tv_service *service)
{
    service->watch = service->config.poll ? NULL : tv_watch_open();
    if (!service->watch && !service->config.poll)
        tv_log(TV_LOG_WARNING, "no inotify instance is left: polling instead");
    service->follow_options = (struct tv_follow_options){
        .paths = service->config.roots,
        .paths_len = service->config.roots_len,
        .by_root = true,
        .engine = &service->config.choice.engine,
        .active_poll = service->config.active_poll,
        .idle_poll = service->config.idle_poll,
        .hold = HOLD,
        .end_after = service->config.end_after,
        .ctx = service,
        .is_ending = tv_is_ending,
        .is_late = is_late,
        .alert = on_alert,
        .recall = recall,
        .run = on_run,
        .problem = on_problem,
        .searched = searched,
        .is_done = is_done,
        .done = done,
    };
    tv_input_confine(service->config.roots, service->config.roots_len);
    service->follow = tv_follow_new(&service->follow_options, service->watch);
    if (service->watch)
        sd_event_add_io(service->loop, &service->hints, tv_watch_fd(service->watch), EPOLLIN,
                        on_hint, service);
}

void tv_service_stop_following(struct tv_service *service)
{
    service->hints = sd_event_source_disable_unref(service->hints);
    free_follow(service);
    tv_watch_close(service->watch);
    service->watch = NULL;
}
