/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_SINK_CASE_H
#define SUPPORT_SINK_CASE_H
/* A sink with its options and a host that starts nothing and keeps what it was asked to do. */
#include "trainvet/sink.h"
#include <json.h>

#define TV_SINK_CASE_NOW 1767323045.25 /* 2026-01-02T03:04:05Z */

struct tv_sent {
    char *url, *headers, *body; /* headers: a line each; of a child: its environment */
    char *argv;                 /* words of a child, a line each */
    char *from, *to, *user, *password;
    size_t body_len;
    bool require_tls, allow_link_local;
    double timeout;
    enum tv_outcome (*judge)(struct tv_span answer);
};

struct tv_sink_case {
    const struct tv_sink *sink;
    struct tv_sink_host host;
    void *options, *state;
    struct tv_sent sent[8];
    size_t sent_len;
    double now;
    struct tv_error error;
};

/* Sets the options "name=value", NULL at the end, and opens the sink; fails the test when an option
 * is refused. The case must not move afterwards. */
enum tv_status tv_sink_case_open(struct tv_sink_case *c, const char *name, ...)
    __attribute__((sentinel));
enum tv_status tv_sink_case_deliver(struct tv_sink_case *c, const struct tv_alert *alert);
void tv_sink_case_close(struct tv_sink_case *c);

/* The body of the i-th request as JSON; fails the test when it is not. Free with json_object_put.
 */
struct json_object *tv_sink_case_json(const struct tv_sink_case *c, size_t i);
/* The value at a path, "alerts/0/labels/run"; fails the test when there is none. */
struct json_object *tv_json_at(struct json_object *object, const char *path);
const char *tv_json_text_at(struct json_object *object, const char *path);

/* NaN loss in run "broken", with causes and advice. */
struct tv_alert tv_sample_alert(void);
/* The same over. */
struct tv_alert tv_sample_resolved(void);

/* Texts that try to break out: every byte, markup, line ends, 64 KiB. Index 0 .. tv_hostile_len
 * - 1.
 */
extern const size_t tv_hostile_len;
const char *tv_hostile(size_t i);
/* The sample with this text for its run, subject, summary, causes and advice. */
struct tv_alert tv_hostile_alert(const char *text);

/* A file with this content below a new folder in TMPDIR; valid until the test ends. */
const char *tv_secret_file(const char *content);

#endif
