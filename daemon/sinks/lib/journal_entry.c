/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/journal_entry.h"
#include "lib/message.h"
#include "trainvet/number.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

enum { VALUE_MAX = 640 };

static void add(struct tv_journal_entry *entry, const char *name, const char *value)
{
    char safe[VALUE_MAX], *at = entry->text + entry->used;
    struct tv_text text = tv_text_in(at, sizeof entry->text - entry->used);
    tv_text_add(&text, "%s=%s", name, tv_escape(tv_span_of(value), safe, sizeof safe));
    entry->fields[entry->len++] = (struct iovec){at, text.len};
    entry->used += text.len + 1;
}

static void add_int(struct tv_journal_entry *entry, const char *name, int64_t value)
{
    char number[32];
    snprintf(number, sizeof number, "%" PRId64, value);
    add(entry, name, number);
}

static void add_double(struct tv_journal_entry *entry, const char *name, double value)
{
    char number[TV_NUMBER_MAX];
    if (isnan(value))
        return;
    tv_format_double(number, value);
    add(entry, name, number);
}

static int priority(const struct tv_alert *alert)
{
    static const int by_severity[] = {LOG_NOTICE, LOG_WARNING, LOG_CRIT};
    return alert->state == TV_RESOLVED ? LOG_INFO : by_severity[alert->severity];
}

void tv_journal_entry(struct tv_journal_entry *ret, const struct tv_alert *alert)
{
    char message[VALUE_MAX], advice[VALUE_MAX];
    struct tv_text text = tv_text_in(message, sizeof message);
    char title[400];
    tv_message_title(title, sizeof title, alert, TV_PLAIN);
    tv_text_add(&text, "%s: %s", title + strlen("trainvet: "), alert->summary);
    ret->len = ret->used = 0;
    add(ret, "MESSAGE", message);
    add(ret, "MESSAGE_ID", TV_JOURNAL_MESSAGE_ID);
    add_int(ret, "PRIORITY", priority(alert));
    add(ret, "SYSLOG_IDENTIFIER", "trainvet");
    add(ret, "TRAINVET_RUN", alert->run);
    if (alert->root)
        add(ret, "TRAINVET_ROOT", alert->root);
    add(ret, "TRAINVET_DETECTOR", alert->detector);
    add(ret, "TRAINVET_SUBJECT", alert->subject);
    add(ret, "TRAINVET_SEVERITY", tv_severity_name(alert->severity));
    add(ret, "TRAINVET_STATE", alert->state == TV_FIRING ? "firing" : "resolved");
    add(ret, "TRAINVET_FINGERPRINT", alert->fingerprint);
    add_int(ret, "TRAINVET_ONSET_STEP", alert->onset_step);
    add_int(ret, "TRAINVET_STEP", alert->step);
    if (alert->state == TV_RESOLVED)
        add_int(ret, "TRAINVET_RESOLVED_STEP", alert->resolved_step);
    add_double(ret, "TRAINVET_OBSERVED", alert->observed);
    add_double(ret, "TRAINVET_EXPECTED", alert->expected);
    add(ret, "TRAINVET_SUMMARY", alert->summary);
    if (alert->advice_len)
        add(ret, "TRAINVET_ADVICE",
            tv_join_texts(advice, sizeof advice, alert->advice, alert->advice_len));
}
