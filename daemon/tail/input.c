/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/input.h"
#include "base/memory.h"
#include "tail/beneath.h"
#include "trainvet/text.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
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

bool tv_is_passing(int sys_errno)
{
    switch (sys_errno) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EINTR:
    case EAGAIN:
    case EIO:
    case ESTALE:
    case ETIMEDOUT:
        return true;
    default:
        return false;
    }
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

/* Of the process: set once, before anything is read. */
static const char *const *confined_to;
static size_t confined_len;

void tv_input_confine(const char *const *roots, size_t len)
{
    confined_to = roots;
    confined_len = len;
}

/* The directory that holds `path`, O_PATH, reached without links from its root; -1 and errno. */
static int open_parent(const char *path, const char *slash)
{
    errno = EACCES; /* it lies below none of them */
    for (size_t i = 0; i < confined_len; i++) {
        size_t len = strlen(confined_to[i]);
        while (len && confined_to[i][len - 1] == '/')
            len--;
        if (strncmp(path, confined_to[i], len) != 0 || path[len] != '/')
            continue;
        char below[PATH_MAX];
        const char *from = path + len + strspn(path + len, "/");
        if ((size_t)snprintf(below, sizeof below, "%.*s", slash > from ? (int)(slash - from) : 0,
                             from) >= sizeof below) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int root = open(confined_to[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd = root < 0 ? -1 : tv_open_beneath(root, *below ? below : ".", O_PATH | O_DIRECTORY);
        int saved = errno;
        if (root >= 0)
            close(root);
        errno = saved;
        return fd;
    }
    return -1;
}

/* A link to somebody else's file, in a directory where its maker is at home. */
static bool is_foreign_link(int parent, const struct stat *stat)
{
    struct stat directory;
    return stat->st_nlink > 1 && (fstatat(parent, "", &directory, AT_EMPTY_PATH) != 0 ||
                                  directory.st_uid != stat->st_uid);
}

/* Looked at first: opening a device can have effects. */
static enum tv_status open_confined(int parent, const char *name, struct stat *stat, int *ret_fd,
                                    struct tv_error *reterr)
{
    int seen = tv_open_beneath(parent, name, O_PATH);
    if (seen < 0 || fstat(seen, stat) != 0) {
        enum tv_status status = errno == ELOOP
                                    ? tv_fail(reterr, TV_EUNSUPPORTED,
                                              "is reached by a symbolic link and was not opened")
                                    : fail_errno(reterr, "cannot be read");
        if (seen >= 0)
            close(seen);
        return status;
    }
    close(seen);
    enum tv_status status = check_type(stat, reterr);
    if (status == TV_OK && is_foreign_link(parent, stat))
        status = tv_fail(reterr, TV_EUNSUPPORTED,
                         "is a hard link to another user's file and was not opened");
    if (status == TV_OK) {
        *ret_fd = tv_open_beneath(parent, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (*ret_fd < 0)
            status = fail_errno(reterr, "cannot be read");
    }
    return status;
}

static enum tv_status open_file(int dirfd, const char *path, bool seen, struct stat *stat,
                                int *ret_fd, struct tv_error *reterr)
{
    const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    const char *slash = strrchr(path, '/');
    if (confined_to && dirfd != AT_FDCWD)
        return open_confined(dirfd, path, stat, ret_fd, reterr);
    if (confined_to) {
        int parent = slash ? open_parent(path, slash) : -1;
        if (parent < 0)
            return fail_errno(reterr, "cannot be read");
        enum tv_status status = open_confined(parent, slash + 1, stat, ret_fd, reterr);
        close(parent);
        return status;
    }
    if (seen && (*ret_fd = openat(dirfd, path, flags | O_NOFOLLOW)) >= 0)
        return TV_OK;
    if (fstatat(dirfd, path, stat, 0) != 0)
        return fail_errno(reterr, "cannot be read");
    enum tv_status status = check_type(stat, reterr);
    if (status == TV_OK) {
        *ret_fd = openat(dirfd, path, flags);
        if (*ret_fd < 0)
            status = fail_errno(reterr, "cannot be read");
    }
    return status;
}

enum tv_status tv_input_open(struct tv_input *input, int dirfd, const char *path, bool seen,
                             struct tv_error *reterr)
{
    *input = (struct tv_input){.fd = -1};
    int fd = -1;
    enum tv_status status = open_file(dirfd, path, seen, &input->stat, &fd, reterr);
    if (status != TV_OK)
        return status;
    if (fstat(fd, &input->stat) != 0)
        status = fail_errno(reterr, "cannot be read");
    else
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

uint64_t tv_input_hole(struct tv_input *input, bool *ret_is_last)
{
    struct stat now;
    *ret_is_last = false;
    if (input->gz || fstat(input->fd, &now) != 0 || now.st_size < 0)
        return 0;
    off_t here = (off_t)input->offset;
    off_t data = lseek(input->fd, here, SEEK_DATA);
    *ret_is_last = data < 0 && errno == ENXIO && now.st_size > here;
    data = *ret_is_last ? now.st_size : data;
    if (lseek(input->fd, here, SEEK_SET) < 0 || data < here)
        return 0;
    return (uint64_t)(data - here);
}

bool tv_input_is_filled(int fd, uint64_t hole, uint64_t len)
{
    off_t data = lseek(fd, (off_t)hole, SEEK_DATA);
    return data >= 0 && (uint64_t)data < hole + len;
}
