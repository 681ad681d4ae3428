/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/jsonc.h"
#include "trainvet/number.h"
#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

size_t tv_each_log(const char *pattern, void (*check)(const char *path))
{
    static const char *const places[] = {"fixtures/logs", "../shared/bench/dev",
                                         "../shared/real/runs"};
    size_t found = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char full[512];
        glob_t list;
        snprintf(full, sizeof full, "%s/%s/%s", TRAINVET_SOURCE_DIR, places[i], pattern);
        if (glob(full, 0, NULL, &list) == 0)
            for (size_t k = 0; k < list.gl_pathc; k++, found++)
                check(list.gl_pathv[k]);
        globfree(&list);
    }
    return found;
}

void tv_keep_lines(char *text, const char *start)
{
    char *to = text;
    for (char *line = text; *line;) {
        char *end = strchr(line, '\n');
        size_t len = end ? (size_t)(end - line) + 1 : strlen(line);
        if (strncmp(line, start, strlen(start)) == 0) {
            memmove(to, line, len);
            to += len;
        }
        line += len;
    }
    *to = '\0';
}

void tv_print_sample(FILE *file, const char *tag, int64_t step, double wall_time, double value)
{
    char wall[TV_NUMBER_MAX], number[TV_NUMBER_MAX];
    tv_format_double(wall, wall_time);
    tv_format_double(number, value);
    fprintf(file, "S %s %" PRId64 " %s %s\n", tag, step, wall, number);
}

bool tv_jsonc_number(struct json_object *value, double *ret)
{
    if (json_object_is_type(value, json_type_double) || json_object_is_type(value, json_type_int)) {
        *ret = strtod(json_object_get_string(value), NULL);
        return true;
    }
    if (!json_object_is_type(value, json_type_string))
        return false;
    const char *text = json_object_get_string(value);
    char *end;
    *ret = strtod(text, &end);
    return *text && *end == '\0';
}
