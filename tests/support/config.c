/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/config.h"
#include "base/memory.h"
#include "trainvet/text.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void tv_config_run(struct tv_config_run *run, const struct tv_parser *parser, struct tv_span text)
{
    tv_config_run_free(run);
    run->status =
        tv_feed_all(parser, text, (struct tv_chunking){0}, &run->capture, NULL, &run->error);
}

void tv_config_run_text(struct tv_config_run *run, const struct tv_parser *parser, const char *text)
{
    tv_config_run(run, parser, tv_span_of(text));
}

static bool holds(const struct tv_config_run *run, const char *line)
{
    return run->capture.text && strstr(run->capture.text, line);
}

void tv_config_has(const struct tv_config_run *run, const char *line)
{
    ck_assert_msg(holds(run, line), "no \"%s\" in\n%s", line,
                  run->capture.text ? run->capture.text : "(nothing)");
}

void tv_config_lacks(const struct tv_config_run *run, const char *line)
{
    ck_assert_msg(!holds(run, line), "\"%s\" in\n%s", line, run->capture.text);
}

void tv_config_run_free(struct tv_config_run *run)
{
    tv_capture_free(&run->capture);
    memset(run, 0, sizeof *run);
}

struct tv_span tv_shared_file(const char *path)
{
    char full[512];
    snprintf(full, sizeof full, "%s/../shared/%s", TRAINVET_SOURCE_DIR, path);
    return access(full, R_OK) == 0 ? tv_read_file(full) : (struct tv_span){NULL, 0};
}

char *tv_repeated(const char *head, const char *unit, size_t count, const char *tail)
{
    size_t width = strlen(unit), len = strlen(head);
    char *text = tv_xmalloc(len + width * count + strlen(tail) + 1);
    memcpy(text, head, len);
    for (size_t i = 0; i < count; i++, len += width)
        memcpy(text + len, unit, width);
    memcpy(text + len, tail, strlen(tail) + 1);
    return text;
}
