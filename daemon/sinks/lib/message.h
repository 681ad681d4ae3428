/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_MESSAGE_H
#define SINKS_LIB_MESSAGE_H
/* An alert in a few lines for people, escaped for the service that shows it. Every text of the
 * alert is made free of control characters and cut at a bound first; line ends are only ours. */
#include "base/json.h"
#include "trainvet/alert.h"
#include "trainvet/text.h"

enum tv_markup {
    TV_PLAIN,
    TV_ENTITIES,  /* Slack: & < > are the only characters with a meaning */
    TV_BACKSLASH, /* Markdown as Discord reads it: a backslash before punctuation */
    TV_NO_MENTION /* WeCom: "<@" would call a person */
};

/* "trainvet: CRITICAL non_finite in run lora-r8"; "... resolved ...". Both return `buffer`, cut at
 * `cap` - 1 bytes with "..." at the end; `cap` is at least 8. */
const char *tv_message_title(char *buffer, size_t cap, const struct tv_alert *alert,
                             enum tv_markup markup);
/* The summary, since when, the numbers, the causes, what to change: a line each. */
const char *tv_message_body(char *buffer, size_t cap, const struct tv_alert *alert,
                            enum tv_markup markup);
/* The title, a line end, the body. */
const char *tv_message(char *buffer, size_t cap, const struct tv_alert *alert,
                       enum tv_markup markup);

/* A whole number as one, others with four significant digits. */
void tv_text_add_number(struct tv_text *text, double value);

/* What all advice or causes say, "; " between them; "" when there are none. */
const char *tv_join_texts(char *buffer, size_t cap, const char *const *texts, size_t len);

/* The severity's colour, 0xRRGGBB; green when it is over. */
unsigned tv_alert_color(const struct tv_alert *alert);

/* A JSON text of at most `max` bytes (no more than 1023), cut with "...". */
void tv_json_short(struct tv_json *json, const char *key, const char *text, size_t max);

#endif
