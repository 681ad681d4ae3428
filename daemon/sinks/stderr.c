/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A few lines for each alert on a terminal or in a service's log. */
#include "lib/message.h"
#include "trainvet/sink.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 8192 };

struct options {
    const char *color;
};

struct state {
    bool color;
};

static const struct tv_option option_table[] = {
    TV_OPTION_TEXT_ROW(struct options, color, "auto",
                       "auto (on a terminal without NO_COLOR), always or never"),
    TV_OPTION_END,
};

static enum tv_status open_sink(const void *opaque_options, void *opaque, void *out,
                                const struct tv_sink_host *host, struct tv_error *reterr)
{
    (void)out;
    (void)host;
    const char *color = ((const struct options *)opaque_options)->color,
               *no_color = getenv("NO_COLOR");
    struct state *state = opaque;
    state->color =
        strcmp(color, "always") == 0 ||
        (strcmp(color, "auto") == 0 && !(no_color && *no_color) && isatty(STDERR_FILENO));
    if (!state->color && strcmp(color, "never") != 0 && strcmp(color, "auto") != 0)
        return tv_fail(reterr, TV_ECONFIG, "color is auto, always or never, not \"%.40s\"", color);
    return TV_OK;
}

static const char *alert_color(const struct tv_alert *alert)
{
    return alert->state == TV_RESOLVED      ? "\033[32m"
           : alert->severity == TV_CRITICAL ? "\033[1;31m"
           : alert->severity == TV_WARNING  ? "\033[33m"
                                            : "\033[36m";
}

static enum tv_status deliver(const void *options, void *opaque, const struct tv_alert *alert,
                              struct tv_error *reterr)
{
    (void)options;
    const struct state *state = opaque;
    char title[600], text[TEXT_MAX];
    tv_message_title(title, sizeof title, alert, TV_PLAIN);
    tv_message_body(text, sizeof text, alert, TV_PLAIN);
    fprintf(stderr, "%s%s%s\n", state->color ? alert_color(alert) : "", title,
            state->color ? "\033[0m" : "");
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
        fprintf(stderr, "    %s\n", line);
    if (fflush(stderr) == 0 && !ferror(stderr))
        return TV_OK;
    clearerr(stderr);
    return tv_fail(reterr, TV_EIO, "the output cannot be written");
}

const struct tv_sink tv_sink_stderr = {
    .name = "stderr",
    .summary = "a few lines for people on the standard error output",
    .options = option_table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .open = open_sink,
    .deliver = deliver,
};
