/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Appends each alert to a file: one JSON object a line, in one write. */
#include "lib/alert_json.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
    const char *file;
    bool sync;
};

struct state {
    int fd;
    bool torn; /* the file ends within a line */
};

static const struct tv_option option_table[] = {
    TV_OPTION_TEXT_ROW(struct options, file, "",
                       "the file to append to; opened again when it was moved and on SIGHUP"),
    TV_OPTION_ROW(struct options, sync, BOOL, 0, 0, 1, "wait for the disk after each line"),
    TV_OPTION_END,
};

static bool ends_within_line(int fd, off_t size)
{
    char last = '\n';
    return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

/* On failure the state is as it was. */
static enum tv_status open_file(const struct options *options, struct state *state,
                                struct tv_error *reterr)
{
    struct stat info;
    int fd =
        open(options->file,
             O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (fd < 0)
        return tv_fail(reterr, TV_EIO, "the file cannot be opened: %s", strerrordesc_np(errno));
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return tv_fail(reterr, TV_ECONFIG, "it is not a regular file");
    }
    if (state->fd >= 0)
        close(state->fd);
    *state = (struct state){.fd = fd, .torn = ends_within_line(fd, info.st_size)};
    return TV_OK;
}

static enum tv_status open_sink(const void *options, void *opaque, void *out,
                                const struct tv_sink_host *host, struct tv_error *reterr)
{
    (void)out;
    (void)host;
    struct state *state = opaque;
    state->fd = -1;
    if (!*((const struct options *)options)->file)
        return tv_fail(reterr, TV_ECONFIG, "the option file is missing");
    return open_file(options, state, reterr);
}

/* The file, or the directory where it would be made. */
static enum tv_status check(const void *opaque_options, struct tv_error *reterr)
{
    const char *file = ((const struct options *)opaque_options)->file;
    char dir[PATH_MAX];
    struct stat info;
    if (!*file)
        return tv_fail(reterr, TV_ECONFIG, "the option file is missing");
    if (lstat(file, &info) == 0)
        return !S_ISREG(info.st_mode)    ? tv_fail(reterr, TV_ECONFIG, "it is not a regular file")
               : access(file, W_OK) != 0 ? tv_fail(reterr, TV_EIO, "the file cannot be opened: %s",
                                                   strerrordesc_np(errno))
                                         : TV_OK;
    const char *slash = strrchr(file, '/');
    size_t len = slash ? (size_t)(slash - file) : 0;
    if (len >= sizeof dir)
        return tv_fail(reterr, TV_ECONFIG, "the path is too long");
    snprintf(dir, sizeof dir, "%.*s", (int)(len ? len : 1), len ? file : slash ? "/" : ".");
    return access(dir, W_OK | X_OK) == 0
               ? TV_OK
               : tv_fail(reterr, TV_EIO, "%.120s: %s", dir, strerrordesc_np(errno));
}

static enum tv_status reopen(const void *options, void *state, struct tv_error *reterr)
{
    return open_file(options, state, reterr);
}

/* A line that was cut by a full disk or a kill is ended first, so that the next one stands alone.
 */
static enum tv_status append(struct state *state, const char *line, size_t len, bool sync,
                             struct tv_error *reterr)
{
    if (state->torn && write(state->fd, "\n", 1) != 1)
        return tv_fail(reterr, TV_EIO, "the file cannot be written: %s", strerrordesc_np(errno));
    state->torn = false;
    errno = 0;
    ssize_t n = write(state->fd, line, len);
    state->torn = n > 0 && (size_t)n < len;
    if (n != (ssize_t)len || (sync && fdatasync(state->fd) != 0))
        return tv_fail(reterr, TV_EIO, "the file cannot be written: %s",
                       strerrordesc_np(errno ? errno : ENOSPC));
    return TV_OK;
}

static enum tv_status deliver(const void *opaque_options, void *opaque,
                              const struct tv_alert *alert, struct tv_error *reterr)
{
    const struct options *options = opaque_options;
    struct state *state = opaque;
    struct stat info;
    struct tv_json json = {0};
    if (fstat(state->fd, &info) == 0 && info.st_nlink == 0 &&
        open_file(options, state, reterr) != TV_OK)
        return TV_EIO;
    tv_alert_json(&json, alert);
    json.data[json.len] = '\n'; /* in the place of the NUL */
    enum tv_status status = append(state, json.data, json.len + 1, options->sync, reterr);
    tv_json_free(&json);
    return status;
}

static enum tv_status close_sink(const void *options, void *opaque, struct tv_error *reterr)
{
    (void)options;
    struct state *state = opaque;
    if (state->fd >= 0 && close(state->fd) != 0)
        return tv_fail(reterr, TV_EIO, "the file cannot be closed: %s", strerrordesc_np(errno));
    return TV_OK;
}

const struct tv_sink tv_sink_jsonl = {
    .name = "jsonl",
    .summary = "appends each alert to a file, one JSON object a line",
    .options = option_table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .open = open_sink,
    .check = check,
    .deliver = deliver,
    .reopen = reopen,
    .close = close_sink,
};
