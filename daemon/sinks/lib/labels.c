/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/labels.h"
#include "lib/message.h"
#include "trainvet/text.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { VALUE_MAX = 512 };

struct pair {
    struct tv_span name, value;
};

/* The next "name=value" of the list; false at its end. A pair without "=" has a NULL value. */
static bool next_pair(const char **at, struct pair *ret)
{
    *at += strspn(*at, ", ");
    if (!**at)
        return false;
    size_t len = strcspn(*at, ",");
    const char *equals = memchr(*at, '=', len);
    struct tv_span whole = {*at, len};
    *at += len;
    if (!equals) {
        *ret = (struct pair){tv_span_trim(whole), {NULL, 0}};
        return true;
    }
    size_t name_len = (size_t)(equals - whole.data);
    *ret = (struct pair){tv_span_trim((struct tv_span){whole.data, name_len}),
                         tv_span_trim((struct tv_span){equals + 1, len - name_len - 1})};
    return true;
}

static bool is_label_name(struct tv_span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
              (i > 0 && c >= '0' && c <= '9')))
            return false;
    }
    return name.len > 0 && name.len <= 64 && !tv_span_starts(name, "__");
}

static bool is_ours(struct tv_span name)
{
    static const char *const ours[] = {"alertname", "run",      "root",    "detector",
                                       "subject",   "severity", "instance"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (tv_span_is(name, ours[i]))
            return true;
    return false;
}

static bool comes_before(const char *from, struct tv_span name)
{
    struct pair pair;
    while (next_pair(&from, &pair) && pair.name.data < name.data)
        if (pair.name.len == name.len && memcmp(pair.name.data, name.data, name.len) == 0)
            return true;
    return false;
}

enum tv_status tv_labels_check(const char *added, struct tv_error *reterr)
{
    struct pair pair;
    for (const char *at = added; next_pair(&at, &pair);) {
        int len = pair.name.len < 60 ? (int)pair.name.len : 60;
        if (!pair.value.data)
            return tv_fail(reterr, TV_ECONFIG, "labels are name=value, not \"%.*s\"", len,
                           pair.name.data);
        if (!is_label_name(pair.name))
            return tv_fail(reterr, TV_ECONFIG, "\"%.*s\" is not a label name", len, pair.name.data);
        if (is_ours(pair.name) || comes_before(added, pair.name))
            return tv_fail(reterr, TV_ECONFIG, "the label \"%.*s\" is set already", len,
                           pair.name.data);
    }
    return TV_OK;
}

void tv_labels_json(struct tv_json *json, const char *key, const struct tv_alert *alert,
                    const char *instance, const char *added)
{
    char name[96], host[256] = "", value[VALUE_MAX + 1];
    struct pair pair;
    if (!*instance && gethostname(host, sizeof host - 1) == 0)
        instance = host;
    snprintf(name, sizeof name, "trainvet_%.80s", alert->detector);
    tv_json_open(json, key, '{');
    tv_json_text(json, "alertname", name);
    tv_json_short(json, "run", alert->run, VALUE_MAX);
    if (alert->root)
        tv_json_short(json, "root", alert->root, VALUE_MAX);
    tv_json_short(json, "detector", alert->detector, VALUE_MAX);
    tv_json_short(json, "subject", alert->subject, VALUE_MAX);
    tv_json_text(json, "severity", tv_severity_name(alert->severity));
    tv_json_short(json, "instance", instance, VALUE_MAX);
    while (next_pair(&added, &pair)) {
        tv_span_copy(pair.name, name, sizeof name);
        tv_json_text(json, name, tv_escape(pair.value, value, sizeof value));
    }
    tv_json_close(json, '}');
}

void tv_annotations_json(struct tv_json *json, const char *key, const struct tv_alert *alert)
{
    char body[3000], advice[1000];
    tv_json_open(json, key, '{');
    tv_json_short(json, "summary", alert->summary, 600);
    tv_json_lines(json, "description", tv_message_body(body, sizeof body, alert, TV_PLAIN));
    tv_json_text(json, "advice",
                 tv_join_texts(advice, sizeof advice, alert->advice, alert->advice_len));
    tv_json_close(json, '}');
}

const char *tv_starts_at(char buffer[32], const struct tv_alert *alert, double now)
{
    return tv_format_time(buffer, alert->wall_time < now ? alert->wall_time : now);
}
