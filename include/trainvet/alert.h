/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAINVET_ALERT_H
#define TRAINVET_ALERT_H
/* A finding as a detector states it, and the alert that the bus makes of it. */
#include <stddef.h>
#include <stdint.h>

enum tv_severity { TV_INFO, TV_WARNING, TV_CRITICAL };
enum tv_alert_state { TV_FIRING, TV_RESOLVED };

const char *tv_severity_name(enum tv_severity severity); /* "info", "warning", "critical" */

struct tv_evidence {
    const char *name; /* lower_snake_case, with the unit where there is one: "grace_seconds" */
    double value;
};

/* Borrowed for the call of tv_raise(). Texts are single sentences in UTF-8 without a full stop. */
struct tv_finding {
    const char *subject; /* the tag or setting that it is about */
    enum tv_severity severity;
    int64_t onset_step; /* when it began, not when it was noticed */
    double observed;    /* NaN when there is no such number */
    double expected;
    const char *summary;
    double confidence; /* 0..1, NaN when not estimated */
    const struct tv_evidence *evidence;
    size_t evidence_len;
    const char *const *causes; /* most likely first */
    size_t causes_len;
    const char *const *
        advice; /* what to change, in the user's own keys: "warmup_steps: 10 -> 47 (10 % of 468)" */
    size_t advice_len;
};

#define TV_ALERT_TEXTS    8
#define TV_ALERT_EVIDENCE 16

/* An alert is identified by (run, detector, subject, episode); its fingerprint is a hash of these
 * and never of anything that changes while it fires. Strings are owned by the bus, already escaped.
 */
struct tv_alert {
    const char *run; /* directory relative to the PATH given, "." for PATH itself */
    const char
        *root; /* that PATH, when it is part of the identity (the service); NULL: it is not */
    const char *detector;
    const char *subject;
    int64_t onset_step;
    int64_t step;          /* when it was noticed */
    int64_t resolved_step; /* meaningful when state is TV_RESOLVED */
    double wall_time;      /* of the noticing event, unix seconds, NaN when unknown */
    double observed, expected, confidence;
    const char *summary;
    struct tv_evidence evidence[TV_ALERT_EVIDENCE];
    size_t evidence_len;
    const char *causes[TV_ALERT_TEXTS];
    size_t causes_len;
    const char *advice[TV_ALERT_TEXTS];
    size_t advice_len;
    const struct tv_alert
        *leader;      /* the alert of the same run that probably caused this one; NULL: none */
    uint32_t episode; /* 0 for the first time that this detector fires about this subject */
    enum tv_severity severity;
    enum tv_alert_state state;
    char fingerprint[17]; /* 16 hex digits */
};

#endif
