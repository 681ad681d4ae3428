/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readers that let go of their file and find their place again. */
#include "base/map.h"
#include "base/memory.h"
#include "tail/reader.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Hash of the bytes just before `offset`, 0 when they cannot be read any more; *ret_errno says why
 * or is 0. */
static uint64_t hash_before(int fd, uint64_t offset, int *ret_errno)
{
    char bytes[TV_PLACE_BYTES];
    size_t len = offset < sizeof bytes ? (size_t)offset : sizeof bytes;
    ssize_t n = pread(fd, bytes, len, (off_t)(offset - len));
    *ret_errno = n < 0 ? errno : 0;
    return n == (ssize_t)len ? tv_hash((struct tv_span){bytes, len}, 1) : 0;
}

static struct tv_place place_at(const struct tv_input *input, uint64_t offset, int *ret_errno)
{
    struct tv_place place = {
        .device = input->stat.st_dev, .inode = input->stat.st_ino, .offset = offset};
    if (ioctl(input->fd, FS_IOC_GETVERSION, &place.generation) != 0)
        place.generation = 0;
    place.before = hash_before(input->fd, offset, ret_errno);
    return place;
}

static bool same_place(const struct tv_place *a, const struct tv_place *b)
{
    return a->device == b->device && a->inode == b->inode && a->generation == b->generation &&
           a->offset == b->offset && a->before == b->before;
}

/* What is not read as it grows must not have changed in the middle of reading it. */
static bool is_rewritten(const struct tv_reader *reader, const struct stat *now)
{
    const struct stat *before = &reader->input.stat;
    return !reader->is_live &&
           (now->st_size != before->st_size || now->st_mtim.tv_sec != before->st_mtim.tv_sec ||
            now->st_mtim.tv_nsec != before->st_mtim.tv_nsec);
}

enum tv_status tv_reader_pause(struct tv_reader *reader, struct tv_error *reterr)
{
    if (reader->input.gz)
        return tv_fail(reterr, TV_EUNSUPPORTED, "a compressed file cannot be followed");
    int unread;
    reader->place = place_at(&reader->input, reader->input.offset, &unread);
    size_t kept = reader->end - reader->start;
    /* A new block: a large one that shrinks keeps a mapping of its own, a page at least. */
    char *buffer = tv_xmalloc(kept);
    if (kept)
        memcpy(buffer, reader->buffer + reader->start, kept);
    free(reader->buffer);
    reader->buffer = buffer;
    reader->start = 0;
    reader->end = kept;
    reader->cap = kept;
    close(reader->input.fd);
    reader->input.fd = -1;
    tv_block_fold(&reader->state, reader->parser->state_size);
    return TV_OK;
}

enum tv_status tv_reader_resume(struct tv_reader *reader, const char *path, struct tv_error *reterr)
{
    struct tv_input input;
    enum tv_status status = tv_input_open(&input, AT_FDCWD, path, true, reterr);
    if (status != TV_OK)
        return status == TV_EIO ? TV_EIO : TV_ECORRUPT;
    int unread;
    struct tv_place now = place_at(&input, reader->place.offset, &unread);
    if (tv_is_passing(unread)) {
        tv_input_close(&input);
        tv_fail(reterr, TV_EIO, "cannot be read: %s", strerrordesc_np(unread));
        if (reterr)
            reterr->sys_errno = unread;
        return TV_EIO;
    }
    if (input.gz || (uint64_t)input.stat.st_size < reader->place.offset ||
        !same_place(&now, &reader->place) || is_rewritten(reader, &input.stat) ||
        (reader->hole_len && tv_input_is_filled(input.fd, reader->hole, reader->hole_len)) ||
        lseek(input.fd, (off_t)reader->place.offset, SEEK_SET) < 0) {
        tv_input_close(&input);
        return tv_fail(reterr, TV_ECORRUPT, "was replaced, or what was read of it has changed");
    }
    input.offset = reader->place.offset;
    reader->input = input;
    return TV_OK;
}
