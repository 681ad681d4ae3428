/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owes two alerts, firing and resolved, to a sink and delivers them as the service does, with a
 * store in memory: deliver TRIES SECONDS SINK [KEY=VALUE...]. Ends when nothing is owed, or SECONDS
 * after TRIES have failed; prints "delivered N refused N owed N". */
#include "service/dispatch.h"
#include "support/sink_case.h"
#include "trainvet/text.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct tv_store *store;
static const char *kind;
static uint64_t tries;
static double seconds, failed_at;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int on_tick(sd_event_source *source, uint64_t usec, void *ctx)
{
    (void)ctx;
    struct tv_store_counts counts = tv_store_count(store, kind);
    if (failed_at <= 0 && counts.failures >= tries)
        failed_at = now();
    if (counts.owed == 0 || (failed_at > 0 && now() >= failed_at + seconds))
        return sd_event_exit(sd_event_source_get_event(source), 0);
    sd_event_source_set_time(source, usec + 20000);
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static const struct tv_sink *find(const char *name)
{
    size_t i = 0;
    while (tv_sinks[i] && strcmp(tv_sinks[i]->name, name) != 0)
        i++;
    return tv_sinks[i];
}

static bool set_options(const struct tv_sink *sink, void *options, char **settings)
{
    struct tv_error error;
    tv_option_defaults(sink->options, options);
    for (; *settings; settings++) {
        char *value = strchr(*settings, '=');
        if (!value)
            return false;
        *value++ = '\0';
        if (tv_option_set(sink->options, options, *settings, value, &error) != TV_OK)
            return false;
    }
    return true;
}

static void owe(const struct tv_alert *alert)
{
    const char *const to[] = {kind, NULL};
    struct tv_error error;
    bool new;
    if (tv_store_alert(store, alert, to, now(), &new, &error) != TV_OK || !new)
        abort();
}

int main(int argc, char **argv)
{
    struct tv_error error = {0};
    char note[512];
    sigset_t child;
    sd_event *loop = NULL;
    const struct tv_sink *sink = argc > 3 ? find(argv[3]) : NULL;
    if (!sink)
        return 2;
    tries = strtoull(argv[1], NULL, 10);
    seconds = strtod(argv[2], NULL);
    kind = argv[3];
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    signal(SIGPIPE, SIG_IGN);
    void *options = calloc(1, sink->options_size);
    if (!options || !set_options(sink, options, argv + 4) || sd_event_new(&loop) < 0 ||
        tv_store_open(NULL, &store, note, &error) != TV_OK)
        return 2;
    struct tv_dispatch_options how = {.loop = loop, .store = store, .now = now};
    struct tv_dispatch *dispatch = tv_dispatch_new(&how, &error);
    if (!dispatch || tv_dispatch_add(dispatch, kind, sink, options, NULL, &error) != TV_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 2;
    }
    struct tv_alert firing = tv_sample_alert(), resolved = tv_sample_resolved();
    owe(&firing);
    owe(&resolved);
    tv_dispatch_pump(dispatch);
    sd_event_add_time_relative(loop, NULL, CLOCK_MONOTONIC, 20000, 0, on_tick, NULL);
    sd_event_loop(loop);
    struct tv_store_counts counts = tv_store_count(store, kind);
    printf("delivered %d refused %d owed %d\n", (int)counts.delivered, (int)counts.refused,
           (int)counts.owed);
    tv_dispatch_free(dispatch);
    tv_store_close(store);
    sd_event_unref(loop);
    free(options);
    return 0;
}
