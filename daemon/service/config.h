/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICE_CONFIG_H
#define SERVICE_CONFIG_H
/* The service's configuration: /etc/trainvet/trainvet.yaml and, after it, trainvet.d/ *.yaml beside
 * it in the order of their names. Later files add to lists and override single values. Every error
 * names file, line and, for an unknown key, the nearest right one. */
#include "base/memory.h"
#include "cmd/choice.h"
#include "trainvet/sink.h"

#define TV_CONFIG_BYTES_MAX (1u << 20) /* of one file */
#define TV_CONFIG_ERRORS    16         /* more are counted only */
#define TV_CONFIG_LIST_MAX  1000       /* items of one list; more than any node needs */

struct tv_config_sink {
    struct tv_config_sink *next;
    const char *name;
    const struct tv_sink *sink;
    void *options;
    const char *where;    /* "FILE:LINE: sink NAME", for messages */
    double limit, period; /* new alerts in so many seconds; 0: any number */
};

/* A sink that a route names. */
struct tv_config_wanted {
    struct tv_config_wanted *next;
    const char *name, *where; /* "FILE:LINE: there is no sink" */
};

/* An alert takes the first route that it matches; one without `sinks` ends there. Without any
 * route, every sink gets everything. Patterns are those of fnmatch(3); a
 * run's is tried on its name below its root and on the whole path. */
struct tv_config_route {
    struct tv_config_route *next;
    enum tv_severity severity;  /* from this one on */
    const char *run, *detector; /* NULL: any */
    const char **sinks;         /* NULL-terminated */
    bool go_on;                 /* look at the next routes as well */
};

struct tv_config_silence {
    struct tv_config_silence *next;
    const char *run, *detector;
    double until; /* unix seconds, INFINITY: for ever */
};

struct tv_config {
    struct tv_arena arena;
    const char **roots;
    size_t roots_len, roots_cap;
    bool poll;
    double active_poll, idle_poll, end_after; /* seconds */
    const char *state_dir;                    /* NULL: the service manager's or the user's */
    const char *listen;  /* "127.0.0.1:9464", "unix:/run/trainvet/http.sock", "off" */
    const char **labels; /* name, value, name, value ... NULL */
    size_t labels_len, labels_cap;
    struct tv_choice choice; /* detectors, and when a finding flaps */
    struct tv_config_sink *sinks;
    struct tv_config_route *routes;
    struct tv_config_silence *silences;
    struct tv_config_wanted *wanted;
    char *errors[TV_CONFIG_ERRORS]; /* "FILE:LINE: sentence" */
    size_t errors_len, errors_more;
};

/* Reads `path` and the files of the directory `path` without its suffix plus ".d". All errors are
 * collected, so that one reading shows them all. False when there is any; *config must be freed
 * either way. */
bool tv_config_read(struct tv_config *config, const char *path);
void tv_config_free(struct tv_config *config);
/* What can be known beyond the text without asking anybody: secrets that can be read, addresses
 * that are some, commands that exist, roots that are there. `say` gets a sentence each; `is_note`:
 * it may be right when the service runs. True when nothing was said but notes. */
bool tv_config_check(const struct tv_config *config,
                     void (*say)(void *ctx, const char *message, bool is_note), void *ctx);

const struct tv_config_sink *tv_config_sink(const struct tv_config *config, const char *name);

/* The sinks that an alert goes to: at most `max` names and NULL. None when it is silenced at `now`.
 */
size_t tv_config_route(const struct tv_config *config, const struct tv_alert *alert, double now,
                       const char **ret, size_t max);

#endif
