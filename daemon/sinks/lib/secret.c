/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/secret.h"
#include "trainvet/text.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum tv_status read_file(const char *option, const char *path, char *buffer, size_t cap,
                                struct tv_error *reterr)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return tv_fail(reterr, TV_EIO, "the secret %s cannot be read: %s", option,
                       strerrordesc_np(errno));
    ssize_t n = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? read(fd, buffer, cap) : -1;
    close(fd);
    if (n < 0)
        return tv_fail(reterr, TV_EIO, "the secret %s is not a readable file", option);
    if ((size_t)n == cap)
        return tv_fail(reterr, TV_ECONFIG, "the secret %s is longer than %zu bytes", option,
                       cap - 1);
    struct tv_span secret = tv_span_trim((struct tv_span){buffer, (size_t)n});
    if (secret.len == 0)
        return tv_fail(reterr, TV_ECONFIG, "the secret %s is empty", option);
    for (size_t i = 0; i < secret.len; i++)
        if ((unsigned char)secret.data[i] < ' ' || secret.data[i] == 0x7F)
            return tv_fail(reterr, TV_ECONFIG, "the secret %s must be one line of text", option);
    memmove(buffer, secret.data, secret.len);
    buffer[secret.len] = '\0';
    return TV_OK;
}

static enum tv_status find(const char *option, const char *file, const char *credential,
                           char path[PATH_MAX], struct tv_error *reterr)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (*file && *credential)
        return tv_fail(reterr, TV_ECONFIG, "set %s_file or %s_credential, not both", option,
                       option);
    if (*credential && (strchr(credential, '/') || *credential == '.'))
        return tv_fail(reterr, TV_ECONFIG, "%s_credential is a name, not a path", option);
    if (*credential && !folder)
        return tv_fail(reterr, TV_AGAIN,
                       "%s_credential is set, but systemd handed over no credentials", option);
    int n = *credential ? snprintf(path, PATH_MAX, "%s/%s", folder, credential)
                        : snprintf(path, PATH_MAX, "%s", file);
    return n < PATH_MAX ? TV_OK : tv_fail(reterr, TV_ECONFIG, "%s_file is too long", option);
}

enum tv_status tv_secret_read(const char *option, const char *file, const char *credential,
                              char *buffer, size_t cap, struct tv_error *reterr)
{
    char path[PATH_MAX];
    buffer[0] = '\0';
    file = file ? file : "";
    credential = credential ? credential : "";
    if (!*file && !*credential)
        return TV_OK;
    enum tv_status status = find(option, file, credential, path, reterr);
    if (status == TV_OK)
        status = read_file(option, path, buffer, cap, reterr);
    if (status != TV_OK)
        buffer[0] = '\0';
    return status;
}

enum tv_status tv_ca_check(const char *file, struct tv_error *reterr)
{
    return !file || !*file || access(file, R_OK) == 0
               ? TV_OK
               : tv_fail(reterr, TV_EIO, "ca_file cannot be read: %s", strerrordesc_np(errno));
}
