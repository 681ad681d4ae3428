/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_RFC_MAIL_H
#define SINKS_LIB_RFC_MAIL_H
/* An alert as a message of RFC 5322 and RFC 2045: ASCII only, CR LF line ends, no line over 78
 * characters of ours. */
#include "trainvet/alert.h"
#include "trainvet/text.h"

enum { TV_MAIL_TO_MAX = 16, TV_MAIL_MESSAGE_MAX = 24576 };

/* "user@host" or a local user's name: printable ASCII without blanks and the characters that have a
 * meaning in headers (RFC 5322, 3.2.3), no "-" at the start. */
bool tv_mail_address_ok(struct tv_span address);

struct tv_mail_parts {
    const char *from;
    const char *const *to; /* NULL-terminated */
    double now;            /* unix seconds */
    const char *node;      /* this machine's name, for the identity of the message */
};

/* Message-ID and References come from the fingerprint: a message that is sent twice is known as
 * one, and the end of an alert answers its beginning. */
void tv_mail_message(struct tv_text *text, const struct tv_alert *alert,
                     const struct tv_mail_parts *parts);

#endif
