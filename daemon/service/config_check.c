/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "service/config.h"
#include "service/paths.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct saying {
    void (*say)(void *ctx, const char *message, bool is_note);
    void *ctx;
    bool failed;
};

static void say(struct saying *saying, bool is_note, const char *where, const char *what)
{
    char message[640];
    snprintf(message, sizeof message, "%.300s: %.320s", where, what);
    saying->say(saying->ctx, message, is_note);
    saying->failed = saying->failed || !is_note;
}

/* A host for sinks that are only looked at: nothing leaves. */
static enum tv_status no_post(void *ctx, const struct tv_http_post *post, struct tv_error *reterr)
{
    (void)ctx;
    (void)post;
    return tv_fail(reterr, TV_EIO, "nothing is sent");
}

static enum tv_status no_mail(void *ctx, const struct tv_mail *mail, struct tv_error *reterr)
{
    (void)ctx;
    (void)mail;
    return tv_fail(reterr, TV_EIO, "nothing is sent");
}

static enum tv_status no_child(void *ctx, const struct tv_child *child, struct tv_error *reterr)
{
    (void)ctx;
    (void)child;
    return tv_fail(reterr, TV_EIO, "nothing is run");
}

static double no_time(void *ctx)
{
    (void)ctx;
    return 0;
}

static void check_sink(struct saying *saying, const struct tv_config_sink *sink)
{
    static const struct tv_sink_host host = {NULL, no_post, no_mail, no_child, no_time};
    struct tv_error error = {0};
    enum tv_status status;
    if (sink->sink->check) {
        status = sink->sink->check(sink->options, &error);
    } else {
        void *state = tv_xcalloc(1, sink->sink->state_size + 1);
        status = sink->sink->open(sink->options, state, stderr, &host, &error);
        if (status == TV_OK && sink->sink->close)
            sink->sink->close(sink->options, state, &error);
        free(state);
    }
    if (status != TV_OK)
        say(saying, status == TV_AGAIN, sink->where, error.message);
}

bool tv_config_check(const struct tv_config *config,
                     void (*tell)(void *ctx, const char *message, bool is_note), void *ctx)
{
    struct saying saying = {tell, ctx, false};
    char dir[TV_STATE_PATH_MAX];
    for (size_t i = 0; i < config->roots_len; i++)
        if (access(config->roots[i], R_OK | X_OK) != 0)
            say(&saying, true, config->roots[i], strerrordesc_np(errno));
    if (!tv_state_directory(config->state_dir, dir))
        say(&saying, true, "state_dir", "it is not set, and this environment names none");
    for (const struct tv_config_sink *sink = config->sinks; sink; sink = sink->next)
        check_sink(&saying, sink);
    return !saying.failed;
}
