/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/input.h"
#include "base/memory.h"
#include "trainvet/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { RAW_SIZE = 64 * 1024, RATIO_GRACE = 1 << 20, GZIP_WINDOW = 15 + 16 /* zlib: gzip only */ };

struct tv_inflate {
    z_stream stream;
    uint64_t raw_bytes; /* read from the file */
    bool in_member, ended;
    unsigned char raw[RAW_SIZE];
};

const char *tv_file_type(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "a regular file";
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a named pipe";
    case S_IFSOCK:
        return "a socket";
    case S_IFBLK:
    case S_IFCHR:
        return "a device";
    default:
        return "a file of an unknown type";
    }
}

struct tv_span tv_input_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct tv_span name = tv_span_of(slash ? slash + 1 : path);
    if (tv_span_ends(name, ".gz"))
        name.len -= 3;
    return name;
}

static enum tv_status fail_errno(struct tv_error *reterr, const char *what)
{
    int saved = errno;
    char reason[128];
    tv_fail(reterr, TV_EIO, "%s: %s", what, strerror_r(saved, reason, sizeof reason));
    if (reterr)
        reterr->sys_errno = saved;
    return TV_EIO;
}

static enum tv_status check_type(const struct stat *stat, struct tv_error *reterr)
{
    if (S_ISREG(stat->st_mode))
        return TV_OK;
    return tv_fail(reterr, TV_EUNSUPPORTED, "is %s, not a regular file, and was not opened",
                   tv_file_type(stat->st_mode));
}

static bool has_gzip_magic(int fd)
{
    unsigned char magic[3];
    return pread(fd, magic, sizeof magic, 0) == sizeof magic && magic[0] == 0x1F &&
           magic[1] == 0x8B && magic[2] == 8;
}

static bool is_gzip(int fd, const char *path)
{
    return tv_span_ends(tv_span_of(path), ".gz") && has_gzip_magic(fd);
}

enum tv_status tv_input_open(struct tv_input *input, int dirfd, const char *path,
                             struct tv_error *reterr)
{
    *input = (struct tv_input){.fd = -1};
    /* looked at first: opening a device can have effects */
    if (fstatat(dirfd, path, &input->stat, 0) != 0)
        return fail_errno(reterr, "cannot be read");
    enum tv_status status = check_type(&input->stat, reterr);
    if (status != TV_OK)
        return status;
    int fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &input->stat) != 0) {
        status = fail_errno(reterr, "cannot be read");
        if (fd >= 0)
            close(fd);
        return status;
    }
    status = check_type(&input->stat, reterr);
    if (status != TV_OK) {
        close(fd);
        return status;
    }
    input->fd = fd;
    if (is_gzip(fd, path)) {
        input->gz = tv_xmalloc(sizeof *input->gz);
        memset(input->gz, 0, offsetof(struct tv_inflate, raw));
        if (inflateInit2(&input->gz->stream, GZIP_WINDOW) != Z_OK) {
            tv_input_close(input);
            return tv_fail(reterr, TV_ELIMIT, "cannot be inflated: zlib does not start");
        }
    }
    return TV_OK;
}

void tv_input_close(struct tv_input *input)
{
    if (input->gz) {
        inflateEnd(&input->gz->stream);
        free(input->gz);
    }
    if (input->fd >= 0)
        close(input->fd);
    *input = (struct tv_input){.fd = -1};
}

static enum tv_status read_fd(int fd, void *buffer, size_t len, size_t *ret_len,
                              struct tv_error *reterr)
{
    ssize_t n;
    do
        n = read(fd, buffer, len);
    while (n < 0 && errno == EINTR);
    *ret_len = n > 0 ? (size_t)n : 0;
    return n < 0 ? fail_errno(reterr, "reading stopped") : TV_OK;
}

/* Refills the compressed bytes. At the end of the file *ret_more is false. */
static enum tv_status refill(struct tv_input *input, bool *ret_more, struct tv_error *reterr)
{
    struct tv_inflate *gz = input->gz;
    size_t n = 0;
    enum tv_status status = read_fd(input->fd, gz->raw, RAW_SIZE, &n, reterr);
    gz->stream.next_in = gz->raw;
    gz->stream.avail_in = (uInt)n;
    gz->raw_bytes += n;
    *ret_more = n > 0;
    return status;
}

/* Between two members: a further member begins, or the file ends (padding is dropped). */
static void next_member(struct tv_inflate *gz)
{
    if (gz->stream.next_in[0] == 0x1F && inflateReset(&gz->stream) == Z_OK)
        gz->in_member = true;
    else
        gz->ended = true;
}

static enum tv_status check_bomb(const struct tv_input *input, size_t fresh,
                                 struct tv_error *reterr)
{
    uint64_t out = input->offset + fresh;
    if (out > TV_GZIP_BYTES_MAX)
        return tv_fail(reterr, TV_ELIMIT, "inflates to more than %llu GiB, the rest was not read",
                       TV_GZIP_BYTES_MAX >> 30);
    if (out > RATIO_GRACE && out / TV_GZIP_RATIO_MAX > input->gz->raw_bytes)
        return tv_fail(reterr, TV_ELIMIT,
                       "inflates to more than %d times its size, which no log does: the rest was "
                       "not read",
                       TV_GZIP_RATIO_MAX);
    return TV_OK;
}

static enum tv_status read_gzip(struct tv_input *input, char *buffer, size_t len, size_t *ret_len,
                                struct tv_error *reterr)
{
    struct tv_inflate *gz = input->gz;
    gz->stream.next_out = (unsigned char *)buffer;
    gz->stream.avail_out = (uInt)len;
    *ret_len = 0;
    while (gz->stream.avail_out == len && !gz->ended) {
        bool more = true;
        enum tv_status status = gz->stream.avail_in ? TV_OK : refill(input, &more, reterr);
        if (status != TV_OK)
            return status;
        if (!more) {
            input->ends_early = gz->in_member || gz->raw_bytes == 0;
            gz->ended = true;
            break;
        }
        if (!gz->in_member)
            next_member(gz);
        int rc = gz->ended ? Z_OK : inflate(&gz->stream, Z_NO_FLUSH);
        if (rc == Z_STREAM_END)
            gz->in_member = false;
        else if (rc != Z_OK && rc != Z_BUF_ERROR)
            return tv_fail(reterr, TV_ECORRUPT, "the compressed data is damaged (%s)",
                           gz->stream.msg ? gz->stream.msg : "zlib gives no reason");
    }
    *ret_len = len - gz->stream.avail_out;
    return check_bomb(input, *ret_len, reterr);
}

enum tv_status tv_input_read(struct tv_input *input, char *buffer, size_t len, size_t *ret_len,
                             struct tv_error *reterr)
{
    enum tv_status status = input->gz ? read_gzip(input, buffer, len, ret_len, reterr)
                                      : read_fd(input->fd, buffer, len, ret_len, reterr);
    input->offset += *ret_len;
    return status;
}

static enum tv_status skip_by_reading(struct tv_input *input, uint64_t len, uint64_t *ret_len,
                                      struct tv_error *reterr)
{
    char scratch[16 * 1024];
    *ret_len = 0;
    while (*ret_len < len) {
        size_t want = len - *ret_len < sizeof scratch ? (size_t)(len - *ret_len) : sizeof scratch;
        size_t n = 0;
        enum tv_status status = tv_input_read(input, scratch, want, &n, reterr);
        *ret_len += n;
        if (status != TV_OK || n == 0)
            return status;
    }
    return TV_OK;
}

enum tv_status tv_input_skip(struct tv_input *input, uint64_t len, uint64_t *ret_len,
                             struct tv_error *reterr)
{
    if (input->gz)
        return skip_by_reading(input, len, ret_len, reterr);
    struct stat now;
    if (fstat(input->fd, &now) != 0)
        return fail_errno(reterr, "reading stopped");
    uint64_t size = now.st_size > 0 ? (uint64_t)now.st_size : 0;
    uint64_t left = size > input->offset ? size - input->offset : 0;
    *ret_len = len < left ? len : left;
    if (lseek(input->fd, (off_t)(input->offset + *ret_len), SEEK_SET) < 0)
        return fail_errno(reterr, "reading stopped");
    input->offset += *ret_len;
    return TV_OK;
}
