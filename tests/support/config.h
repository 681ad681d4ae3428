/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_CONFIG_H
#define SUPPORT_CONFIG_H
/* A configuration text through a snapshot parser, and what came out of it. */
#include "support/capture.h"

struct tv_config_run {
    struct tv_capture capture;
    struct tv_error error;
    enum tv_status status;
};

/* Reads `text` anew; free with tv_config_run_free. */
void tv_config_run(struct tv_config_run *run, const struct tv_parser *parser, struct tv_span text);
void tv_config_run_text(struct tv_config_run *run, const struct tv_parser *parser,
                        const char *text);
/* Fails the test when the captured text does not hold `line` (see capture.h), or holds it. */
void tv_config_has(const struct tv_config_run *run, const char *line);
void tv_config_lacks(const struct tv_config_run *run, const char *line);
void tv_config_run_free(struct tv_config_run *run);
/* A file below TRAINVET_SOURCE_DIR/../shared; NULL data when it is absent. Caller frees. */
struct tv_span tv_shared_file(const char *path);
/* `count` times `unit`, between `head` and `tail`; caller frees. */
char *tv_repeated(const char *head, const char *unit, size_t count, const char *tail);

#endif
