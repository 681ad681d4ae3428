/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal of systemd, with fields that can be searched for: sd_journal_sendv(3). */
#include "lib/journal_entry.h"
#include "trainvet/sink.h"
#include <errno.h>
#include <string.h>
#define SD_JOURNAL_SUPPRESS_LOCATION /* every alert comes from the same line */
#include <systemd/sd-journal.h>
#include <unistd.h>

/* sd_journal_sendv() says that all is well when nobody listens. */
static enum tv_status listens(struct tv_error *reterr)
{
    if (access("/run/systemd/journal/socket", W_OK) == 0)
        return TV_OK;
    return tv_fail(reterr, TV_EIO, "the journal does not listen: %s", strerrordesc_np(errno));
}

static enum tv_status open_sink(const void *options, void *state, void *out,
                                const struct tv_sink_host *host, struct tv_error *reterr)
{
    (void)options;
    (void)state;
    (void)out;
    (void)host;
    return listens(reterr);
}

/* A configuration may be checked where no journal runs. */
static enum tv_status check(const void *options, struct tv_error *reterr)
{
    (void)options;
    return listens(reterr) == TV_OK ? TV_OK : TV_AGAIN;
}

static enum tv_status deliver(const void *options, void *state, const struct tv_alert *alert,
                              struct tv_error *reterr)
{
    (void)options;
    (void)state;
    struct tv_journal_entry entry;
    tv_journal_entry(&entry, alert);
    int r = listens(reterr) == TV_OK ? sd_journal_sendv(entry.fields, (int)entry.len) : 0;
    return r < 0 ? tv_fail(reterr, TV_EIO, "the journal refused it: %s", strerrordesc_np(-r))
                 : listens(reterr);
}

const struct tv_sink tv_sink_journal = {
    .name = "journal",
    .summary = "the journal of systemd: TRAINVET_RUN, TRAINVET_DETECTOR ... as fields",
    .options_size = 1,
    .state_size = 1,
    .open = open_sink,
    .check = check,
    .deliver = deliver,
};
