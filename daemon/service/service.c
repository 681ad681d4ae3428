/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/service.h"
#include "base/clock.h"
#include "base/ending.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "http/http.h"
#include "service/dispatch.h"
#include "service/notify.h"
#include "service/paths.h"
#include "service/sweep.h"
#include "sinks/lib/alert_json.h"
#include "store/alert_text.h"
#include "tail/input.h"
#include "trainvet/text.h"
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <time.h>

enum { ROUTES_MAX = 32, BACKLOG_MAX = 1000 };
#define SLICE                                                                                      \
    0.05 /* seconds of reading, or of recording what was kept: then others have their turn */
#define HOLD 5.0 /* seconds that a sample waits for the other files of its run */

/* An alert that could not be recorded (disk full): its object, until it can. */
struct waiting {
    struct waiting *next;
    char *object;
};

struct tv_service {
    const char *config_path;
    struct tv_config config;
    struct tv_store *store;
    struct tv_dispatch *dispatch;
    struct tv_follow_options follow_options;
    struct tv_follow *follow;
    uint64_t generation; /* +1 for each follow */
    struct tv_watch *watch;
    struct tv_http *http;
    sd_event *loop;
    sd_event_source *timer, *hints;
    struct tv_sweep sweep;
    struct waiting *backlog;
    bool said_store_failing;
    bool forgot; /* the backlog was full: the logs must be read again */
    uint64_t watchdog_usec;
    double told_manager; /* seconds since boot */
    double turn_ends;    /* seconds of CLOCK_MONOTONIC: then others have theirs */
    struct tv_service_health health;
};

static double unix_now(void)
{
    return tv_clock_seconds(CLOCK_REALTIME);
}

/* ---- alerts ---- */

static bool record(struct tv_service *service, const struct tv_alert *alert)
{
    const char *sinks[ROUTES_MAX + 1];
    struct tv_error error;
    bool is_new;
    double now = unix_now();
    tv_config_route(&service->config, alert, now, sinks, ROUTES_MAX);
    if (tv_store_alert(service->store, alert, sinks, now, &is_new, &error) != TV_OK) {
        service->health.store_failures++;
        if (!service->said_store_failing)
            tv_log(TV_LOG_ERROR, "%s; alerts are kept in memory until it works", error.message);
        service->said_store_failing = true;
        return false;
    }
    if (service->said_store_failing)
        tv_log(TV_LOG_WARNING, "the state directory can be written again");
    service->said_store_failing = false;
    service->health.alerts += is_new;
    return true;
}

static void keep_for_later(struct tv_service *service, const struct tv_alert *alert)
{
    if (service->health.backlog >= BACKLOG_MAX) {
        service->forgot = true;
        return;
    }
    struct tv_json json = {0};
    tv_alert_json(&json, alert);
    struct waiting *waiting = tv_xcalloc(1, sizeof *waiting), **end = &service->backlog;
    waiting->object = json.data;
    while (*end)
        end = &(*end)->next;
    *end = waiting;
    service->health.backlog++;
}

static void record_backlog(struct tv_service *service)
{
    double until = tv_clock_seconds(CLOCK_MONOTONIC) + SLICE;
    while (service->backlog && tv_clock_seconds(CLOCK_MONOTONIC) < until) {
        struct waiting *first = service->backlog;
        struct tv_arena texts = {0};
        struct tv_alert alert;
        bool done = !tv_alert_from_json(first->object, &texts, &alert) || record(service, &alert);
        tv_arena_free(&texts);
        if (!done)
            return;
        service->backlog = first->next;
        service->health.backlog--;
        free(first->object);
        free(first);
    }
}

static void on_alert(void *ctx, const struct tv_alert *alert)
{
    struct tv_service *service = ctx;
    if (tv_is_ending(NULL))     /* each alert that is recorded waits for the disk */
        service->forgot = true; /* the logs tell it again after the restart */
    else if (service->backlog || !record(service, alert))
        keep_for_later(service, alert);
}

static void recall(void *ctx, const char *root, const char *run,
                   void (*visit)(void *visit_ctx, const struct tv_alert *alert), void *visit_ctx)
{
    tv_store_each_of(((struct tv_service *)ctx)->store, root, run, visit, visit_ctx);
}

static bool wants(void *ctx, const char *sink, const struct tv_alert *alert)
{
    const struct tv_service *service = ctx;
    const char *sinks[ROUTES_MAX + 1];
    size_t len = tv_config_route(&service->config, alert, unix_now(), sinks, ROUTES_MAX);
    for (size_t i = 0; i < len; i++)
        if (strcmp(sinks[i], sink) == 0)
            return true;
    return false;
}

/* ---- runs ---- */

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
    struct tv_sweep_options options = {.store = service->store,
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
    return tv_store_is_done(((struct tv_service *)ctx)->store, path, digest);
}

static void done(void *ctx, const char *path, const char *digest,
                 const struct tv_run_report *report)
{
    struct tv_service *service = ctx;
    struct tv_json json = {0};
    if (service->backlog || service->forgot)
        return; /* its alerts are not all recorded: it must be read again after a restart */
    tv_run_json(&json, report);
    tv_store_run_done(service->store, path, digest, json.data);
    tv_json_free(&json);
}

/* ---- the loop ---- */

/* Seconds until what could not be recorded is tried again. */
#define RETRY 1.0

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
    service->forgot = false;
    free_follow(service);
    service->follow = tv_follow_new(&service->follow_options, service->watch);
}

/* What the store has lost is told again, from the logs. */
static void mend_store(struct tv_service *service)
{
    char note[512];
    bool is_new = tv_store_mend(service->store, note);
    if (note[0] && (is_new || !service->said_store_failing))
        tv_log(TV_LOG_ERROR, "%s", note);
    if (note[0])
        service->said_store_failing = !is_new;
    if (!is_new)
        return;
    tv_dispatch_forget(service->dispatch);
    follow_anew(service);
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
              (unsigned long long)service->health.alerts);
}

static void work(struct tv_service *service)
{
    mend_store(service);
    record_backlog(service);
    if (service->forgot && !service->backlog)
        follow_anew(service);
    service->turn_ends = tv_clock_seconds(CLOCK_MONOTONIC) + SLICE;
    double wait = tv_follow_work(service->follow, tv_clock_moment());
    tv_dispatch_pump(service->dispatch);
    service->health.last_work = unix_now();
    service->health.last_work_boot = tv_clock_seconds(CLOCK_BOOTTIME);
    double longest = service->watchdog_usec ? (double)service->watchdog_usec / 3e6 : 60;
    if (service->said_store_failing || service->backlog)
        longest = service->said_store_failing ? RETRY : 0;
    wait = wait < longest ? wait : longest;
    sd_event_source_set_time_relative(service->timer, (uint64_t)(wait * 1e6));
    sd_event_source_set_enabled(service->timer, SD_EVENT_ONESHOT);
    tell_manager(service);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
    (void)source;
    (void)usec;
    work(ctx);
    return 0;
}

static int on_hint(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    (void)source;
    (void)fd;
    (void)events;
    work(ctx);
    return 0;
}

/* ---- life ---- */

static int say_config_errors(struct tv_config *config)
{
    for (size_t i = 0; i < config->errors_len; i++)
        tv_log(TV_LOG_ERROR, "%s", config->errors[i]);
    if (config->errors_more)
        tv_log(TV_LOG_ERROR, "and %zu more", config->errors_more);
    return TV_EXIT_USAGE;
}

/* NULL, and said, when one of the sinks cannot work. */
static struct tv_dispatch *open_sinks(struct tv_service *service, const struct tv_config *config)
{
    struct tv_error error = {0};
    struct tv_dispatch_options options = {.loop = service->loop,
                                          .store = service->store,
                                          .now = unix_now,
                                          .wants = wants,
                                          .ctx = service};
    struct tv_dispatch *dispatch = tv_dispatch_new(&options, &error);
    if (!dispatch)
        tv_log(TV_LOG_ERROR, "%s", error.message);
    for (const struct tv_config_sink *sink = config->sinks; dispatch && sink; sink = sink->next)
        if (tv_dispatch_add(dispatch, sink->name, sink->sink, sink->options, stderr, &error) !=
            TV_OK) {
            tv_log(TV_LOG_ERROR, "%s: %s", sink->where, error.message);
            tv_dispatch_free(dispatch);
            dispatch = NULL;
        }
    return dispatch;
}

static bool is_late(void *ctx)
{
    return tv_clock_seconds(CLOCK_MONOTONIC) > ((struct tv_service *)ctx)->turn_ends;
}

static void begin_following(struct tv_service *service)
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

static bool is_off(const char *listen)
{
    return strcmp(listen, "off") == 0;
}

/* NULL is right when it is off. */
static bool open_http(struct tv_service *service, const char *listen, struct tv_http **ret)
{
    struct tv_error error = {0};
    *ret = is_off(listen) ? NULL : tv_http_start(service->loop, listen, service, &error);
    if (!*ret && !is_off(listen))
        tv_log(TV_LOG_ERROR, "%s", error.message);
    return *ret || is_off(listen);
}

static void set_limits(struct tv_service *service)
{
    tv_store_limit(service->store, NULL, 0, 0);
    for (const struct tv_config_sink *sink = service->config.sinks; sink; sink = sink->next)
        tv_store_limit(service->store, sink->name, (uint64_t)sink->limit, sink->period);
}

static bool begin(struct tv_service *service)
{
    service->dispatch = open_sinks(service, &service->config);
    if (!service->dispatch || !open_http(service, service->config.listen, &service->http))
        return false;
    tv_store_hurry(service->store);
    set_limits(service);
    begin_following(service);
    return true;
}

static void stop_following(struct tv_service *service)
{
    service->hints = sd_event_source_disable_unref(service->hints);
    free_follow(service);
    tv_watch_close(service->watch);
    service->watch = NULL;
}

static void stop(struct tv_service *service)
{
    tv_http_stop(service->http);
    stop_following(service);
    tv_dispatch_free(service->dispatch);
}

/* Everything but the store is made anew from the new configuration; the logs are read again, the
 * store knows what was told already. What can fail comes first: then the old one goes on. */
static bool take_config(struct tv_service *service, struct tv_config *config)
{
    bool moves = strcmp(config->listen, service->config.listen) != 0;
    struct tv_http *http = NULL;
    struct tv_dispatch *dispatch = open_sinks(service, config);
    if (!dispatch || (moves && !open_http(service, config->listen, &http))) {
        tv_dispatch_free(dispatch);
        return false;
    }
    if (moves) {
        tv_http_stop(service->http);
        service->http = http;
    }
    if (strcmp(config->state_dir ? config->state_dir : "",
               service->config.state_dir ? service->config.state_dir : "") != 0)
        tv_log(TV_LOG_WARNING, "state_dir has changed: that takes a restart, the state stays where "
                               "it is until then");
    stop_following(service);
    tv_dispatch_free(service->dispatch);
    tv_config_free(&service->config);
    service->dispatch = dispatch;
    service->config = *config;
    tv_store_hurry(service->store);
    set_limits(service);
    begin_following(service);
    return true;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
    (void)source;
    (void)info;
    struct tv_service *service = ctx;
    struct tv_config config;
    tv_notify_surely("RELOADING=1\nMONOTONIC_USEC=%llu",
                     (unsigned long long)(tv_clock_seconds(CLOCK_MONOTONIC) * 1e6));
    bool ok = tv_config_read(&config, service->config_path);
    if (!ok)
        say_config_errors(&config);
    if (ok && take_config(service, &config)) {
        tv_log(TV_LOG_INFO, "the configuration was read again");
        work(service);
    } else {
        tv_log(TV_LOG_ERROR, "the configuration is wrong; the old one stays");
        tv_config_free(&config);
        tv_dispatch_reopen(service->dispatch); /* files may have been moved away all the same */
    }
    tv_notify_surely("READY=1");
    return 0;
}

/* No handler: the loop ends, before anything else that is due. */
static int add_ending(sd_event *loop, int number)
{
    sd_event_source *source = NULL;
    int r = sd_event_add_signal(loop, &source, number, NULL, NULL);
    if (r >= 0)
        r = sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IMPORTANT);
    if (r >= 0)
        r = sd_event_source_set_floating(source, true);
    sd_event_source_unref(source);
    return r;
}

static int make_loop(struct tv_service *service)
{
    sigset_t signals;
    sigemptyset(&signals);
    static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        sigaddset(&signals, handled[i]);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    int r = sd_event_new(&service->loop);
    if (r >= 0)
        r = add_ending(service->loop, SIGINT);
    if (r >= 0)
        r = add_ending(service->loop, SIGTERM);
    if (r >= 0)
        r = sd_event_add_signal(service->loop, NULL, SIGHUP, on_reload, service);
    if (r >= 0)
        r = sd_event_add_time_relative(service->loop, &service->timer, CLOCK_BOOTTIME, 0, 1000,
                                       on_timer, service);
    return r;
}

static bool open_store(struct tv_service *service)
{
    char note[512], dir[TV_STATE_PATH_MAX];
    struct tv_error error = {0};
    if (!tv_state_directory(service->config.state_dir, dir)) {
        tv_log(TV_LOG_ERROR, "no state directory: set state_dir in the configuration, or HOME");
        return false;
    }
    if (tv_store_open(dir, &service->store, note, &error) != TV_OK) {
        tv_log(TV_LOG_ERROR, "%s", error.message);
        return false;
    }
    if (note[0])
        tv_log(TV_LOG_WARNING, "%s", note);
    return true;
}

static void free_backlog(struct tv_service *service)
{
    while (service->backlog) {
        struct waiting *next = service->backlog->next;
        free(service->backlog->object);
        free(service->backlog);
        service->backlog = next;
    }
}

/* A core would hold what users' logs hold. */
static void harden(void)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    prctl(PR_SET_DUMPABLE, 0);
}

int tv_service_run(const char *config_path)
{
    harden();
    struct tv_service service = {.config_path = config_path, .health.started = unix_now()};
    int status = TV_EXIT_USAGE;
    if (!tv_config_read(&service.config, config_path)) {
        say_config_errors(&service.config);
    } else if (make_loop(&service) >= 0 && open_store(&service) && begin(&service)) {
        sd_watchdog_enabled(0, &service.watchdog_usec);
        tv_notify_surely("READY=1");
        int r = sd_event_loop(service.loop);
        status = r < 0 ? TV_EXIT_INPUT : r;
        tv_notify_surely("STOPPING=1");
    }
    stop(&service);
    free_backlog(&service);
    tv_sweep_free(&service.sweep);
    tv_store_close(service.store);
    sd_event_source_unref(service.timer);
    sd_event_unref(service.loop);
    tv_config_free(&service.config);
    return status;
}

const struct tv_config *tv_service_config(const struct tv_service *service)
{
    return &service->config;
}

struct tv_store *tv_service_store(const struct tv_service *service)
{
    return service->store;
}

const struct tv_follow *tv_service_follow(const struct tv_service *service)
{
    return service->follow;
}

uint64_t tv_service_generation(const struct tv_service *service)
{
    return service->generation;
}

struct tv_service_health tv_service_health(const struct tv_service *service)
{
    struct tv_service_health health = service->health;
    if (service->follow) {
        struct tv_read_counts read = tv_follow_read(service->follow);
        health.overflows += tv_follow_overflows(service->follow);
        health.bytes += read.bytes;
        health.records += read.records;
    }
    return health;
}
