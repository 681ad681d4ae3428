/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay DIR: what libFuzzer would call, once for each file of a corpus. */
#include "base/memory.h"
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    enum { CAP = 1 << 20 };
    uint8_t *data = tv_xmalloc(CAP);
    size_t size = fread(data, 1, CAP, file);
    fclose(file);
    /* an exact copy, so that a sanitizer sees a read beyond the end */
    data = tv_xrealloc(data, size + !size, 1);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "usage: replay DIR\n");
        return 2;
    }
    int count = 0, failed = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        failed += replay(argv[1], entry->d_name);
        count++;
    }
    closedir(folder);
    printf("%d inputs replayed\n", count);
    return failed || count == 0;
}
