/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/message.h"
#include "trainvet/number.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { NAME_MAX_BYTES = 200, SENTENCE_MAX_BYTES = 600, DIGITS = 4 };

/* Whole or not at all. */
static void add_unit(struct tv_text *text, const char *unit, size_t len)
{
    if (!text->cut && text->len + len >= text->cap)
        text->cut = true;
    tv_text_add_span(text, (struct tv_span){unit, len});
}

static const char *entity(char c)
{
    return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : NULL;
}

static void add_escaped(struct tv_text *text, const char *from, size_t max, enum tv_markup markup)
{
    char safe[SENTENCE_MAX_BYTES + 1];
    tv_escape(tv_span_of(from), safe, max + 1 < sizeof safe ? max + 1 : sizeof safe);
    for (const char *p = safe; *p; p++) {
        const char *whole = markup == TV_ENTITIES ? entity(*p) : NULL;
        char escaped[2] = {'\\', *p};
        if (whole)
            add_unit(text, whole, strlen(whole));
        else if (markup == TV_BACKSLASH && strchr("\\*_~`|<>[]()#-+@:", *p))
            add_unit(text, escaped, 2);
        else if (markup == TV_NO_MENTION && p[0] == '<' && p[1] == '@')
            add_unit(text, "< ", 2);
        else
            tv_text_add_span(text, (struct tv_span){p, 1});
    }
}

/* Room is kept for the dots. */
static struct tv_text begin(char *buffer, size_t cap)
{
    return tv_text_in(buffer, cap - 3);
}

static const char *end(struct tv_text *text)
{
    while (text->cut && text->len && ((unsigned char)text->data[text->len - 1] & 0xC0) == 0x80)
        text->len--; /* a sequence that may have lost its end */
    if (text->cut && text->len && (unsigned char)text->data[text->len - 1] >= 0xC0)
        text->len--;
    if (text->cut)
        memcpy(text->data + text->len, "...", 4);
    return text->data;
}

void tv_text_add_number(struct tv_text *text, double value)
{
    char number[TV_NUMBER_MAX];
    if (value == floor(value) && fabs(value) < 1e9)
        tv_text_add(text, "%" PRId64, (int64_t)value);
    else
        tv_text_add_span(text, (struct tv_span){number, tv_format_short(number, value, DIGITS)});
}

static void add_title(struct tv_text *text, const struct tv_alert *alert, enum tv_markup markup)
{
    static const char *const words[] = {"info", "WARNING", "CRITICAL"};
    tv_text_add(text, "trainvet: %s ",
                alert->state == TV_RESOLVED ? "resolved" : words[alert->severity]);
    add_escaped(text, alert->detector, NAME_MAX_BYTES, markup);
    tv_text_add(text, " in run ");
    add_escaped(text, alert->run, NAME_MAX_BYTES, markup);
}

static void add_numbers(struct tv_text *text, const struct tv_alert *alert)
{
    if (isnan(alert->observed) && isnan(alert->expected))
        return;
    tv_text_add(text, "\nobserved ");
    tv_text_add_number(text, alert->observed);
    if (isnan(alert->expected))
        return;
    tv_text_add(text, ", expected ");
    tv_text_add_number(text, alert->expected);
}

static void add_list(struct tv_text *text, const char *label, const char *const *list, size_t len,
                     enum tv_markup markup)
{
    for (size_t i = 0; i < len; i++) {
        tv_text_add(text, "\n%s: ", label);
        add_escaped(text, list[i], SENTENCE_MAX_BYTES, markup);
    }
}

static void add_body(struct tv_text *text, const struct tv_alert *alert, enum tv_markup markup)
{
    add_escaped(text, alert->summary, SENTENCE_MAX_BYTES, markup);
    tv_text_add(text, "\nsince step %" PRId64, alert->onset_step);
    if (alert->step > alert->onset_step)
        tv_text_add(text, ", noticed at step %" PRId64, alert->step);
    if (alert->state == TV_RESOLVED)
        tv_text_add(text, ", over at step %" PRId64, alert->resolved_step);
    tv_text_add(text, " (");
    add_escaped(text, alert->subject, NAME_MAX_BYTES, markup);
    tv_text_add(text, ")");
    add_numbers(text, alert);
    if (alert->state == TV_RESOLVED)
        return; /* nothing is left to change */
    add_list(text, "likely", alert->causes, alert->causes_len, markup);
    add_list(text, "change", alert->advice, alert->advice_len, markup);
}

const char *tv_message_title(char *buffer, size_t cap, const struct tv_alert *alert,
                             enum tv_markup markup)
{
    struct tv_text text = begin(buffer, cap);
    add_title(&text, alert, markup);
    return end(&text);
}

const char *tv_message_body(char *buffer, size_t cap, const struct tv_alert *alert,
                            enum tv_markup markup)
{
    struct tv_text text = begin(buffer, cap);
    add_body(&text, alert, markup);
    return end(&text);
}

const char *tv_message(char *buffer, size_t cap, const struct tv_alert *alert,
                       enum tv_markup markup)
{
    struct tv_text text = begin(buffer, cap);
    add_title(&text, alert, markup);
    tv_text_add(&text, "\n");
    add_body(&text, alert, markup);
    return end(&text);
}

const char *tv_join_texts(char *buffer, size_t cap, const char *const *texts, size_t len)
{
    struct tv_text text = begin(buffer, cap);
    for (size_t i = 0; i < len; i++) {
        tv_text_add(&text, "%s", i ? "; " : "");
        add_escaped(&text, texts[i], SENTENCE_MAX_BYTES, TV_PLAIN);
    }
    return end(&text);
}

unsigned tv_alert_color(const struct tv_alert *alert)
{
    static const unsigned by_severity[] = {0x2f80ed, 0xf2a600, 0xd92d20};
    return alert->state == TV_RESOLVED ? 0x2e9e5b : by_severity[alert->severity];
}

void tv_json_short(struct tv_json *json, const char *key, const char *text, size_t max)
{
    char safe[1024];
    tv_json_text(json, key, tv_escape(tv_span_of(text), safe, max < 1023 ? max + 1 : 1024));
}
