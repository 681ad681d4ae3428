/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/watch.h"
#include <limits.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#ifndef LUSTRE_SUPER_MAGIC
#define LUSTRE_SUPER_MAGIC 0x0BD00BD0
#endif
#define GPFS_SUPER_MAGIC   0x47504653
#define BEEGFS_SUPER_MAGIC 0x19830326
#define VBOXSF_MAGIC       0x786F4256

bool tv_watch_works_with(unsigned long magic)
{
    static const unsigned long remote[] = {
        NFS_SUPER_MAGIC,    SMB_SUPER_MAGIC,  CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
        FUSE_SUPER_MAGIC,   V9FS_MAGIC,       CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC,
        LUSTRE_SUPER_MAGIC, GPFS_SUPER_MAGIC, CODA_SUPER_MAGIC, OCFS2_SUPER_MAGIC,
        BEEGFS_SUPER_MAGIC, VBOXSF_MAGIC,     NCP_SUPER_MAGIC,
    };
    for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
        if (magic == remote[i])
            return false;
    return true;
}

/* upperdir=PATH, lowerdir=PATH:PATH; a colon or comma in a path has a backslash before it. */
bool tv_watch_next_layer(const char **at, char *layer, size_t cap)
{
    static const char *const keys[] = {"lowerdir=", "upperdir="};
    const char *p = *at;
    while (*p && *p != ':') {
        bool is_key = false;
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (strncmp(p, keys[i], strlen(keys[i])) == 0) {
                p += strlen(keys[i]);
                is_key = true;
            }
        if (is_key)
            break;
        p += strcspn(p, ",");
        p += *p == ',';
    }
    p += strspn(p, ":"); /* lowerdir=a::b has data-only layers */
    size_t len = 0;
    for (; *p && *p != ',' && *p != ':' && *p != ' ' && *p != '\n'; p++) {
        p += *p == '\\' && (p[1] == ':' || p[1] == ',' || p[1] == '\\');
        if (len + 1 < cap)
            layer[len++] = *p;
    }
    layer[len] = '\0';
    *at = *p == ',' ? p + 1 : p;
    return len > 0;
}

/* What an overlay shows of a remote directory changes unheard. Layers that cannot be looked at (in
 * a container they lie outside) are taken for local ones: the usual case, and the slow look finds
 * the rest. */
static bool overlay_works(const char *path)
{
    struct stat where;
    char *line = NULL, id[32], layer[PATH_MAX];
    size_t cap = 0;
    bool works = true;
    FILE *mounts = stat(path, &where) == 0 ? fopen("/proc/self/mountinfo", "re") : NULL;
    if (!mounts)
        return true;
    snprintf(id, sizeof id, " %u:%u ", major(where.st_dev), minor(where.st_dev));
    while (works && getline(&line, &cap, mounts) > 0) {
        const char *options = strstr(line, id) ? strstr(line, " - overlay ") : NULL;
        for (const char *p = options ? strrchr(line, ' ') + 1 : "";
             works && tv_watch_next_layer(&p, layer, sizeof layer);) {
            struct statfs info;
            works = statfs(layer, &info) != 0 || tv_watch_works_with((unsigned long)info.f_type);
        }
    }
    free(line);
    fclose(mounts);
    return works;
}

bool tv_watch_works_on(const char *path)
{
    struct statfs info;
    if (statfs(path, &info) != 0)
        return false;
    if ((unsigned long)info.f_type == OVERLAYFS_SUPER_MAGIC)
        return overlay_works(path);
    return tv_watch_works_with((unsigned long)info.f_type);
}
