/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TAIL_INPUT_H
#define TAIL_INPUT_H
/* The bytes of one log file, opened as if somebody hostile had named it: regular files only,
 * nothing blocks, "NAME.gz" is inflated on the way within stated bounds. */
#include "trainvet/error.h"
#include "trainvet/sample.h"
#include <sys/stat.h>

#define TV_GZIP_RATIO_MAX 200 /* inflated bytes for each compressed one, after the first MiB */
#define TV_GZIP_BYTES_MAX (4ull << 30) /* inflated bytes of one file */

struct tv_inflate; /* private */

struct tv_input {
    int fd;                /* -1: closed */
    struct stat stat;      /* as it was when opened */
    uint64_t offset;       /* of the next byte, after inflating */
    bool ends_early;       /* a compressed stream whose end is missing */
    struct tv_inflate *gz; /* NULL: plain */
};

/* What a file type is called in a message: "a named pipe", "a directory", ... */
const char *tv_file_type(mode_t mode);

/* From now on this process, which may read other users' files, opens nothing but what lies below
 * one of these directories and is reached without any symbolic link below it (tail/beneath.h); nor
 * a hard link that somebody else than the directory's owner may have made to another user's file.
 * The roots themselves may be links: whoever configures the service is trusted. `roots` is
 * borrowed; NULL lifts it. */
void tv_input_confine(const char *const *roots, size_t len);

/* Opens `path` relative to the directory `dirfd` (AT_FDCWD allowed). Symbolic links are followed,
 * unless confined. Anything but a regular file is refused without being opened; what was `seen` as
 * one already is opened first. Errors: TV_EIO (sys_errno), TV_EUNSUPPORTED (not a regular file). */
enum tv_status tv_input_open(struct tv_input *input, int dirfd, const char *path, bool seen,
                             struct tv_error *reterr);
/* Up to `len` bytes; *ret_len 0 is the end. */
enum tv_status tv_input_read(struct tv_input *input, char *buffer, size_t len, size_t *ret_len,
                             struct tv_error *reterr);
/* Moves on by up to `len` bytes without showing them, not beyond the end; *ret_len says how many
 * there were. */
enum tv_status tv_input_skip(struct tv_input *input, uint64_t len, uint64_t *ret_len,
                             struct tv_error *reterr);
/* Whether opening failed for want of something that may come back (descriptors, memory, a server),
 * and not because of the file. */
bool tv_is_passing(int sys_errno);
void tv_input_close(struct tv_input *input);

/* Length of the hole in a sparse file that begins at the next byte: bytes that were never written
 * and would be read as zeros. 0: there is none. *ret_is_last: nothing comes behind it yet. */
uint64_t tv_input_hole(struct tv_input *input, bool *ret_is_last);

/* Whether a part of a hole holds data by now. Moves the descriptor's offset. */
bool tv_input_is_filled(int fd, uint64_t hole, uint64_t len);

/* The last path component, without ".gz". */
struct tv_span tv_input_name(const char *path);

#endif
