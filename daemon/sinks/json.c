/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/alert_json.h"
#include <errno.h>
#include <stdio.h>

struct state {
    FILE *out;
};

static enum tv_status open_stream(const void *options, void *state, void *out,
                                  const struct tv_sink_host *host, struct tv_error *reterr)
{
    (void)host;
    (void)options;
    ((struct state *)state)->out = out;
    return out ? TV_OK : tv_fail(reterr, TV_ECONFIG, "json needs a stream to print on");
}

/* Takes the finished object; a line leaves in one piece. */
static enum tv_status print(struct state *state, struct tv_json *json, struct tv_error *reterr)
{
    bool ok = fwrite(json->data, 1, json->len, state->out) == json->len &&
              putc('\n', state->out) != EOF && fflush(state->out) == 0;
    tv_json_free(json);
    return ok ? TV_OK : tv_fail(reterr, TV_EIO, "the output cannot be written");
}

static enum tv_status run(const void *options, void *state, const struct tv_run_report *report,
                          struct tv_error *reterr)
{
    (void)options;
    struct tv_json json = {0};
    tv_run_json(&json, report);
    return print(state, &json, reterr);
}

static enum tv_status deliver(const void *options, void *state, const struct tv_alert *alert,
                              struct tv_error *reterr)
{
    (void)options;
    struct tv_json json = {0};
    tv_alert_json(&json, alert);
    return print(state, &json, reterr);
}

static enum tv_status close_stream(const void *options, void *state, struct tv_error *reterr)
{
    (void)options;
    if (fflush(((struct state *)state)->out) != 0)
        return tv_fail(reterr, TV_EIO, "the output cannot be written");
    return TV_OK;
}

const struct tv_sink tv_sink_json = {
    .name = "json",
    .summary = "one JSON object a line: each run, then its alerts",
    .state_size = sizeof(struct state),
    .open = open_stream,
    .run = run,
    .deliver = deliver,
    .close = close_stream,
};
