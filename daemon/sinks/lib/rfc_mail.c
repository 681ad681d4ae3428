/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/rfc_mail.h"
#include "lib/message.h"
#include "lib/sign.h"
#include <string.h>
#include <time.h>

enum { WORD_BYTES = 42, LINE_BYTES = 57, SUBJECT_MAX = 300, BODY_MAX = 8192, PLAIN_MAX = 60 };

bool tv_mail_address_ok(struct tv_span address)
{
    size_t ats = 0;
    if (address.len == 0 || address.len > 254 || *address.data == '-' || *address.data == '@' ||
        address.data[address.len - 1] == '@')
        return false;
    for (size_t i = 0; i < address.len; i++) {
        char c = address.data[i];
        if (c <= ' ' || c >= 0x7F || strchr("<>()[],;:\\\"", c))
            return false;
        ats += c == '@';
    }
    return ats <= 1;
}

static void add_date(struct tv_text *text, double now)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
                      months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)now;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    tv_text_add(text, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
                months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static bool is_plain(const char *value)
{
    for (const char *p = value; *p; p++)
        if (*p < ' ' || *p >= 0x7F)
            return false;
    return strlen(value) <= PLAIN_MAX && !strstr(value, "=?");
}

/* RFC 2047: encoded words of at most 75 characters, none ends within a character. */
static void add_header(struct tv_text *text, const char *name, const char *value)
{
    char word[80];
    tv_text_add(text, "%s:", name);
    if (is_plain(value)) {
        tv_text_add(text, " %s\r\n", value);
        return;
    }
    for (size_t len = strlen(value), n; len; value += n, len -= n) {
        n = len < WORD_BYTES ? len : WORD_BYTES;
        while (n < len && n > 1 && ((unsigned char)value[n] & 0xC0) == 0x80)
            n--;
        tv_base64((struct tv_span){value, n}, word, sizeof word);
        tv_text_add(text, " =?UTF-8?B?%s?=\r\n", word);
    }
}

static void add_base64_body(struct tv_text *text, const char *body)
{
    char line[80];
    for (size_t len = strlen(body), n; len; body += n, len -= n) {
        n = len < LINE_BYTES ? len : LINE_BYTES;
        tv_base64((struct tv_span){body, n}, line, sizeof line);
        tv_text_add(text, "%s\r\n", line);
    }
}

static void add_identity(struct tv_text *text, const struct tv_alert *alert, const char *node)
{
    char domain[128];
    size_t len = 0;
    for (const char *p = node; *p && len < sizeof domain - 1; p++)
        domain[len++] = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                                (*p >= '0' && *p <= '9') || *p == '.'
                            ? *p
                            : '-';
    domain[len] = '\0';
    const char *host = len ? domain : "localhost";
    if (alert->state == TV_FIRING) {
        tv_text_add(text, "Message-ID: <%s.firing@%s>\r\n", alert->fingerprint, host);
        return;
    }
    tv_text_add(text, "Message-ID: <%s.resolved@%s>\r\n", alert->fingerprint, host);
    tv_text_add(text, "In-Reply-To: <%s.firing@%s>\r\n", alert->fingerprint, host);
    tv_text_add(text, "References: <%s.firing@%s>\r\n", alert->fingerprint, host);
}

void tv_mail_message(struct tv_text *text, const struct tv_alert *alert,
                     const struct tv_mail_parts *parts)
{
    char subject[SUBJECT_MAX], body[BODY_MAX], message[BODY_MAX + 512];
    struct tv_text message_text = tv_text_in(message, sizeof message);
    add_date(text, parts->now);
    tv_text_add(text, "From: %s\r\n", parts->from);
    for (size_t i = 0; parts->to[i]; i++)
        tv_text_add(text, "%s %s%s\r\n", i ? "" : "To:", parts->to[i], parts->to[i + 1] ? "," : "");
    add_header(text, "Subject", tv_message_title(subject, sizeof subject, alert, TV_PLAIN));
    add_identity(text, alert, parts->node);
    tv_text_add(text, "Auto-Submitted: auto-generated\r\n"
                      "MIME-Version: 1.0\r\n"
                      "Content-Type: text/plain; charset=utf-8\r\n"
                      "Content-Transfer-Encoding: base64\r\n"
                      "\r\n");
    for (const char *p = tv_message_body(body, sizeof body, alert, TV_PLAIN); *p; p++)
        tv_text_add(&message_text, *p == '\n' ? "\r\n" : "%c", *p);
    tv_text_add(&message_text, "\r\n\r\ntrainvet on %s, alert %s\r\n", parts->node,
                alert->fingerprint);
    add_base64_body(text, message);
}
