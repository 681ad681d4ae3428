/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAINVET_SINK_H
#define TRAINVET_SINK_H
/* A sink brings alerts and run results to somebody: at least once, in order, with the alert's
 * stable identity. */
#include "trainvet/alert.h"
#include "trainvet/error.h"
#include "trainvet/option.h"
#include "trainvet/run.h"
#include "trainvet/sample.h"
#include <stdbool.h>

struct tv_input_report {
    const char *path;   /* escaped */
    const char *parser; /* NULL when nobody could read it */
    uint64_t records, damaged, skipped_bytes;
    bool truncated_tail;
};

struct tv_silence {
    const char *detector, *reason;
};

/* A stretch of steps of a plotted series. */
struct tv_plot_point {
    int64_t first_step, last_step; /* of its points */
    double first, last, min, max;  /* of the finite ones; NaN when there are none */
    double expected;               /* learning rate promised at last_step; NaN: none */
    bool non_finite;               /* one of them is not finite */
};

struct tv_plot {
    enum tv_role role;
    const char *tag; /* escaped; NULL when unknown */
    const struct tv_plot_point *points;
    size_t len;
};

/* What is known about one run when it was reported. Borrowed for the call. */
struct tv_run_report {
    const char *run, *root; /* as in struct tv_alert */
    const char *framework;  /* NULL when unknown */
    const char *status;     /* "findings", "ok", "running", "no_data" */
    int64_t first_step, steps, total_steps, warmup_steps; /* -1 when unknown */
    const char *scheduler;                                /* NULL when unknown */
    const char *scheduler_source; /* "configuration", "log"; NULL without a scheduler */
    /* Where no configuration promises one: what the logged learning rate is and when it ends, or
     * why that cannot be told; one sentence, NULL: nothing to say. */
    const char *schedule_note;
    int64_t skipped_steps; /* optimizer steps (fp16 overflow), -1 when unknown */
    uint64_t points;
    double final_loss, final_eval_loss; /* NaN when unknown */
    uint32_t attempts;
    size_t alerts;
    enum tv_severity worst; /* of the alerts, when there are any */
    /* The alerts, each consequence behind its cause; NULL where they are not told with the run. */
    const struct tv_alert *const *stories;
    const struct tv_plot *plots; /* only for sinks that ask for plots */
    size_t plots_len;
    const struct tv_input_report *inputs;
    size_t inputs_len;
    const struct tv_silence *silences; /* only with --explain */
    size_t silences_len;
};

enum tv_outcome {
    TV_DELIVERED,
    TV_REFUSED, /* the other side will never take it */
    TV_FAILED   /* try again later */
};

struct tv_http_post {
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; NULL: none */
    const char *body;
    size_t body_len;
    double timeout;        /* seconds */
    bool allow_link_local; /* may connect to 169.254/16 and fe80::/10 */
    const char *ca_file;   /* who may have signed the certificate (PEM); NULL: the system's */
    /* What an answer of 2xx, 400 or the like means, for services that say so in its text; NULL: by
     * number. */
    enum tv_outcome (*judge)(struct tv_span answer);
};

struct tv_mail {
    const char *url; /* smtp://host:port or smtps://...; NULL: the local sendmail program */
    const char *user, *password; /* NULL: none */
    bool require_tls;            /* give up where the server offers no STARTTLS */
    const char *from;
    const char *const *to; /* NULL-terminated */
    const char *message;   /* headers and body, CR LF line ends */
    size_t message_len;
    const char *ca_file; /* as above */
    double timeout;      /* seconds */
};

struct tv_child {
    const char *const *argv;        /* argv[0] is looked up in PATH; no shell */
    const char *const *environment; /* "NAME=value" added to ours, NULL-terminated; NULL: none */
    const char *input;              /* its standard input */
    size_t input_len;
    double timeout; /* seconds; then it is killed */
};

/* What a sink may use to reach the world, and its clock. Everything is copied and started; the
 * calls return at once. The outcome goes to the queue of deliveries, not to the sink: a 2xx answer
 * or exit status 0 is delivered; an answer of 400, 413, 415 or 422, or 500 to 599 of a mail
 * server but to a login, is refused (dropped, said once); anything else (a server that is down, a
 * wrong password, a wrong address) is tried again later. */
struct tv_sink_host {
    void *ctx;
    enum tv_status (*post)(void *ctx, const struct tv_http_post *post, struct tv_error *reterr);
    enum tv_status (*mail)(void *ctx, const struct tv_mail *mail, struct tv_error *reterr);
    enum tv_status (*run)(void *ctx, const struct tv_child *child, struct tv_error *reterr);
    double (*now)(void *ctx); /* unix seconds */
};

#define TV_SINK_LIMIT  20    /* what a person reads */
#define TV_SINK_PERIOD 600.0 /* seconds */

/* deliver() of a sink that prints returns TV_OK when it is written. That of a sink that sends
 * starts one request or several through the host and returns TV_AGAIN: under way, delivered when
 * every one of them is. Any other status: it failed, try again later; TV_ECONFIG: it never will
 * work. */
struct tv_sink {
    const char *name, *summary;
    const struct tv_option *options;
    size_t options_size, state_size;
    unsigned limit; /* new alerts that the service gives it in TV_SINK_PERIOD, unless configured
                       otherwise; 0: any number. For those that people read. */
    unsigned plot_points; /* most that a plotted series should have; 0: no plots wanted */
    /* `out` is a stdio stream (FILE *) for sinks that print to one; `host` is for sinks that send.
     * Either may be NULL where the sink has no use for it. Both outlive the sink. */
    enum tv_status (*open)(const void *options, void *state, void *out,
                           const struct tv_sink_host *host, struct tv_error *reterr);
    /* What open() would say, without leaving a trace; TV_AGAIN: it cannot be known here. NULL:
     * open() leaves none. */
    enum tv_status (*check)(const void *options, struct tv_error *reterr);
    enum tv_status (*run)(
        const void *options, void *state, const struct tv_run_report *run,
        struct tv_error *reterr); /* before the run's alerts in scan; NULL allowed */
    enum tv_status (*deliver)(const void *options, void *state, const struct tv_alert *alert,
                              struct tv_error *reterr);
    /* Several at once, for those that are told again; as deliver(). NULL: one by one. */
    enum tv_status (*deliver_all)(const void *options, void *state,
                                  const struct tv_alert *const *alerts, size_t len,
                                  struct tv_error *reterr);
    /* Seconds after which alerts that still fire are delivered again, for receivers that forget; 0
     * or NULL: never. */
    double (*resend)(const void *options);
    /* Opens its file again, reads its secrets again (SIGHUP); when it fails the sink goes on with
     * what it has. NULL: nothing to do. */
    enum tv_status (*reopen)(const void *options, void *state, struct tv_error *reterr);
    enum tv_status (*close)(const void *options, void *state, struct tv_error *reterr);
};

extern const struct tv_sink *const tv_sinks[]; /* NULL-terminated, in the order of sinks.def */

#endif
