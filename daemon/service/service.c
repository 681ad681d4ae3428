/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "service/notify.h"
#include "service/paths.h"
#include "service/service_parts.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <time.h>

static double unix_now(void)
{
    return tv_clock_seconds(CLOCK_REALTIME);
}

static bool wants(void *ctx, const char *sink, const struct tv_alert *alert)
{
    return tv_record_wants(&((struct tv_service *)ctx)->recorder, sink, alert);
}

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
                                          .store = service->recorder.store,
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
    tv_store_limit(service->recorder.store, NULL, 0, 0);
    for (const struct tv_config_sink *sink = service->config.sinks; sink; sink = sink->next)
        tv_store_limit(service->recorder.store, sink->name, (uint64_t)sink->limit, sink->period);
}

static bool begin(struct tv_service *service)
{
    service->dispatch = open_sinks(service, &service->config);
    if (!service->dispatch || !open_http(service, service->config.listen, &service->http))
        return false;
    tv_store_hurry(service->recorder.store);
    set_limits(service);
    tv_service_begin_following(service);
    return true;
}

static void stop(struct tv_service *service)
{
    tv_http_stop(service->http);
    tv_service_stop_following(service);
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
    tv_service_stop_following(service);
    tv_dispatch_free(service->dispatch);
    tv_config_free(&service->config);
    service->dispatch = dispatch;
    service->config = *config;
    tv_store_hurry(service->recorder.store);
    set_limits(service);
    tv_service_begin_following(service);
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
        tv_service_work(service);
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
                                       tv_service_on_timer, service);
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
    if (tv_store_open(dir, &service->recorder.store, note, &error) != TV_OK) {
        tv_log(TV_LOG_ERROR, "%s", error.message);
        return false;
    }
    if (note[0])
        tv_log(TV_LOG_WARNING, "%s", note);
    return true;
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
    service.recorder.config = &service.config;
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
    tv_recorder_free(&service.recorder);
    tv_sweep_free(&service.sweep);
    tv_store_close(service.recorder.store);
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
    return service->recorder.store;
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
    health.alerts = service->recorder.alerts;
    health.store_failures = service->recorder.failures;
    health.backlog = service->recorder.waiting_len;
    if (service->follow) {
        struct tv_read_counts read = tv_follow_read(service->follow);
        health.overflows += tv_follow_overflows(service->follow);
        health.bytes += read.bytes;
        health.records += read.records;
    }
    return health;
}
