/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/folder.h"
#include "base/memory.h"
#include "trainvet/text.h"
#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct tv_folder tv_folder_new(void)
{
    struct tv_folder folder;
    const char *base = getenv("TMPDIR");
    snprintf(folder.path, sizeof folder.path, "%s/trainvet-test-XXXXXX", base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder.path));
    return folder;
}

const char *tv_folder_path(const struct tv_folder *folder, const char *name)
{
    static char ring[8][1024];
    static unsigned next;
    char *path = ring[next++ % 8];
    snprintf(path, sizeof ring[0], "%s/%s", folder->path, name);
    return path;
}

void tv_folder_write(const struct tv_folder *folder, const char *name, struct tv_span data)
{
    char path[1024];
    snprintf(path, sizeof path, "%s", tv_folder_path(folder, name));
    for (char *slash = strchr(path + strlen(folder->path) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    FILE *file = fopen(path, "wb");
    ck_assert_msg(file != NULL, "cannot write %s", path);
    ck_assert_uint_eq(fwrite(data.data, 1, data.len, file), data.len);
    fclose(file);
}

void tv_folder_text(const struct tv_folder *folder, const char *name, const char *text)
{
    tv_folder_write(folder, name, tv_span_of(text));
}

void tv_folder_events(const struct tv_folder *folder, const char *name, int64_t first,
                      int64_t interval, int count)
{
    struct tv_bytes bytes = {0};
    tv_write_version(&bytes);
    for (int i = 0; i < count; i++)
        tv_write_scalar(&bytes, first + i * interval, "train/loss", (float)(3 / (1 + 0.01 * i)));
    tv_folder_write(folder, name, tv_bytes_span(&bytes));
    tv_bytes_free(&bytes);
}

struct tv_span tv_gzip(struct tv_span data)
{
    z_stream stream = {0};
    ck_assert_int_eq(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    size_t cap = deflateBound(&stream, data.len);
    char *out = tv_xmalloc(cap);
    stream.next_in = (unsigned char *)data.data;
    stream.avail_in = (uInt)data.len;
    stream.next_out = (unsigned char *)out;
    stream.avail_out = (uInt)cap;
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t len = stream.total_out;
    deflateEnd(&stream);
    return (struct tv_span){out, len};
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *ftw)
{
    (void)stat;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void tv_folder_remove(struct tv_folder *folder)
{
    nftw(folder->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void tv_become_nobody(bool nobody)
{
    if (getuid() != 0)
        return;
    ck_assert_int_eq(seteuid(nobody ? 65534 : 0), 0);
    prctl(PR_SET_DUMPABLE, 1); /* the leak checker needs it back */
}
