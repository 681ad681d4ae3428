/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/watch.h"
#include <linux/magic.h>
#include <stddef.h>
#include <sys/vfs.h>

#ifndef LUSTRE_SUPER_MAGIC
#define LUSTRE_SUPER_MAGIC 0x0BD00BD0
#endif
#define GPFS_SUPER_MAGIC   0x47504653
#define BEEGFS_SUPER_MAGIC 0x19830326
#define VBOXSF_MAGIC       0x786F4256

bool tv_watch_works_on(const char *path)
{
    static const unsigned long remote[] = {
        NFS_SUPER_MAGIC,    SMB_SUPER_MAGIC,  CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
        FUSE_SUPER_MAGIC,   V9FS_MAGIC,       CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC,
        LUSTRE_SUPER_MAGIC, GPFS_SUPER_MAGIC, CODA_SUPER_MAGIC, OCFS2_SUPER_MAGIC,
        BEEGFS_SUPER_MAGIC, VBOXSF_MAGIC,     NCP_SUPER_MAGIC,
    };
    struct statfs info;
    if (statfs(path, &info) != 0)
        return false;
    for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
        if ((unsigned long)info.f_type == remote[i])
            return false;
    return true;
}
