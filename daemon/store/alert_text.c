/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/alert_text.h"
#include "base/clock.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <json-c/json.h>
#include <math.h>
#include <string.h>

static struct json_object *get(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(object, key, &value);
    return value;
}

static const char *text_of(struct json_object *object, const char *key, struct tv_arena *arena)
{
    const char *text = json_object_get_string(get(object, key));
    return tv_arena_text(arena, tv_span_of(text ? text : ""));
}

/* Numbers, and the strings that stand for those that JSON does not have. */
static double number_of(struct json_object *value)
{
    double number = NAN;
    if (json_object_is_type(value, json_type_string))
        tv_parse_double(tv_span_of(json_object_get_string(value)), &number);
    else if (value)
        number = json_object_get_double(value);
    return number;
}

static size_t texts_of(struct json_object *list, const char *ret[TV_ALERT_TEXTS],
                       struct tv_arena *arena)
{
    size_t len = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    len = len < TV_ALERT_TEXTS ? len : TV_ALERT_TEXTS;
    for (size_t i = 0; i < len; i++)
        ret[i] = tv_arena_text(
            arena, tv_span_of(json_object_get_string(json_object_array_get_idx(list, i))));
    return len;
}

static enum tv_severity severity_of(const char *name)
{
    for (int severity = TV_INFO; severity <= TV_CRITICAL; severity++)
        if (strcmp(name, tv_severity_name((enum tv_severity)severity)) == 0)
            return (enum tv_severity)severity;
    return TV_INFO;
}

static void evidence_of(struct json_object *evidence, struct tv_arena *arena, struct tv_alert *ret)
{
    if (!json_object_is_type(evidence, json_type_object))
        return;
    json_object_object_foreach(evidence, name, value)
    {
        if (ret->evidence_len < TV_ALERT_EVIDENCE)
            ret->evidence[ret->evidence_len++] =
                (struct tv_evidence){tv_arena_text(arena, tv_span_of(name)), number_of(value)};
    }
}

bool tv_alert_from_json(const char *text, struct tv_arena *arena, struct tv_alert *ret)
{
    struct json_object *object = json_tokener_parse(text);
    const char *type = json_object_get_string(get(object, "type"));
    if (!type || strcmp(type, "alert") != 0) {
        json_object_put(object);
        return false;
    }
    *ret = (struct tv_alert){
        .run = text_of(object, "run", arena),
        .root = get(object, "root") ? text_of(object, "root", arena) : NULL,
        .detector = text_of(object, "detector", arena),
        .subject = text_of(object, "subject", arena),
        .summary = text_of(object, "summary", arena),
        .severity = severity_of(text_of(object, "severity", arena)),
        .state = strcmp(text_of(object, "state", arena), "resolved") == 0 ? TV_RESOLVED : TV_FIRING,
        .onset_step = json_object_get_int64(get(object, "onset_step")),
        .step = json_object_get_int64(get(object, "step")),
        .resolved_step = json_object_get_int64(get(object, "resolved_step")),
        .wall_time = NAN,
        .observed = number_of(get(object, "observed")),
        .expected = number_of(get(object, "expected")),
        .confidence = number_of(get(object, "confidence")),
    };
    tv_parse_time(tv_span_of(text_of(object, "wall_time", arena)), &ret->wall_time);
    tv_span_copy(tv_span_of(text_of(object, "fingerprint", arena)), ret->fingerprint,
                 sizeof ret->fingerprint);
    evidence_of(get(object, "evidence"), arena, ret);
    ret->causes_len = texts_of(get(object, "causes"), ret->causes, arena);
    ret->advice_len = texts_of(get(object, "advice"), ret->advice, arena);
    json_object_put(object);
    return true;
}
