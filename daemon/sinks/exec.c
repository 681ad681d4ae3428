/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a command for each alert: the JSON object on its standard input, the short facts in its
 * environment. No shell is involved, so nothing that stands in a log becomes a command. */
#include "lib/alert_json.h"
#include "lib/words.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VALUE_MAX = 512, VARIABLES = 10 };

struct options {
    const char *command;
    double timeout;
};

struct state {
    const struct tv_sink_host *host;
    struct tv_words words;
};

static const struct tv_option option_table[] = {
    TV_OPTION_TEXT_ROW(struct options, command, "",
                       "program and arguments; quotes as in a shell, but no shell runs it"),
    TV_OPTION_ROW(struct options, timeout, DOUBLE, 30, 0.1, 3600,
                  "seconds after which the command is killed"),
    TV_OPTION_END,
};

static bool is_executable(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

/* As execvp() looks for it. */
static bool is_program(const char *name)
{
    const char *path = getenv("PATH");
    if (strchr(name, '/'))
        return is_executable(name);
    for (path = path ? path : "/usr/bin:/bin"; *path; path += strspn(path, ":")) {
        char file[PATH_MAX];
        size_t len = strcspn(path, ":");
        int n = snprintf(file, sizeof file, "%.*s/%s", (int)len, path, name);
        if (n > 0 && (size_t)n < sizeof file && is_executable(file))
            return true;
        path += len;
    }
    return false;
}

static enum tv_status open_sink(const void *options, void *opaque, void *out,
                                const struct tv_sink_host *host, struct tv_error *reterr)
{
    (void)out;
    struct state *state = opaque;
    state->host = host;
    if (!host)
        return tv_fail(reterr, TV_ECONFIG, "this sink runs a command, which only a service can do");
    enum tv_status status =
        tv_words_split(((const struct options *)options)->command, &state->words, reterr);
    if (status == TV_OK && !is_program(state->words.list[0]))
        return tv_fail(reterr, TV_ECONFIG, "there is no program %.120s", state->words.list[0]);
    return status;
}

struct environment {
    char values[VARIABLES][VALUE_MAX + 32];
    const char *list[VARIABLES + 1];
    size_t len;
};

static void add_text(struct environment *environment, const char *name, const char *value)
{
    char safe[VALUE_MAX];
    char *at = environment->values[environment->len];
    struct tv_text text = tv_text_in(at, sizeof environment->values[0]);
    tv_text_add(&text, "TRAINVET_%s=%s", name, tv_escape(tv_span_of(value), safe, sizeof safe));
    environment->list[environment->len++] = at;
}

static void add_int(struct environment *environment, const char *name, int64_t value)
{
    char number[32];
    struct tv_text text = tv_text_in(number, sizeof number);
    tv_text_add(&text, "%" PRId64, value);
    add_text(environment, name, number);
}

static enum tv_status deliver(const void *options, void *opaque, const struct tv_alert *alert,
                              struct tv_error *reterr)
{
    const struct state *state = opaque;
    struct environment environment = {.len = 0};
    struct tv_json json = {0};
    add_text(&environment, "RUN", alert->run);
    if (alert->root)
        add_text(&environment, "ROOT", alert->root);
    add_text(&environment, "DETECTOR", alert->detector);
    add_text(&environment, "SUBJECT", alert->subject);
    add_text(&environment, "SEVERITY", tv_severity_name(alert->severity));
    add_text(&environment, "STATE", alert->state == TV_FIRING ? "firing" : "resolved");
    add_int(&environment, "ONSET_STEP", alert->onset_step);
    add_int(&environment, "STEP", alert->step);
    add_text(&environment, "FINGERPRINT", alert->fingerprint);
    add_text(&environment, "SUMMARY", alert->summary);
    tv_alert_json(&json, alert);
    struct tv_child child = {.argv = state->words.list,
                             .environment = environment.list,
                             .input = json.data,
                             .input_len = json.len,
                             .timeout = ((const struct options *)options)->timeout};
    enum tv_status status = state->host->run(state->host->ctx, &child, reterr);
    tv_json_free(&json);
    return status == TV_OK ? TV_AGAIN : status;
}

const struct tv_sink tv_sink_exec = {
    .name = "exec",
    .summary = "runs a command: JSON on its input, TRAINVET_RUN, _DETECTOR, _SEVERITY, _STATE, "
               "_SUMMARY ... in its environment",
    .options = option_table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .open = open_sink,
    .deliver = deliver,
};
