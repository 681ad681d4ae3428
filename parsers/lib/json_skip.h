/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_JSON_SKIP_H
#define PARSERS_LIB_JSON_SKIP_H
/* What readers of JSON pass over: strings, and whatever lies between two brackets. For json_scan.c
 * alone. */
#include "lib/json_scan.h"

static inline enum tv_status tv_json_fail(struct tv_json *json, const char *at,
                                          enum tv_status status, const char *why)
{
    json->at = at;
    json->why = why;
    return status;
}

static inline enum tv_status tv_json_ends_early(struct tv_json *json)
{
    return tv_json_fail(json, json->end, TV_AGAIN, "the text ends in the middle");
}

/* What stops a reader: 1 in a string, 2 between the brackets of a value that is passed over. */
extern const uint8_t tv_json_stops[256];

static inline const char *tv_json_next_stop(const char *p, const char *end, uint8_t what)
{
    while (p < end && !(tv_json_stops[(unsigned char)*p] & what))
        p++;
    return p;
}

/* Behind the closing quote of the string whose first character, or a later one, is at `p`. */
static inline enum tv_status tv_json_string_end(struct tv_json *json, const char *p,
                                                const char **ret)
{
    for (;;) {
        p = tv_json_next_stop(p, json->end, 1);
        if (p == json->end)
            return tv_json_ends_early(json);
        if (*p == '"') {
            *ret = p + 1;
            return TV_OK;
        }
        if (*p != '\\')
            return tv_json_fail(json, p, TV_ECORRUPT, "a control character stands in a string");
        if (json->end - p < 2)
            return tv_json_ends_early(json);
        p += 2;
    }
}

/* Behind the bracket that closes the one at `p`. Brackets and strings are checked, nothing else. */
enum tv_status tv_json_skip_nested(struct tv_json *json, const char *p, const char **ret);

#endif
