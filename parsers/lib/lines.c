/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lines.h"
#include <string.h>

size_t tv_next_line(struct tv_span *rest, bool last, struct tv_span *ret_line)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    if (!end && (!last || rest->len == 0))
        return 0;
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    size_t taken = len + (end != NULL);
    if (len && rest->data[len - 1] == '\r')
        len--;
    *ret_line = (struct tv_span){rest->data, len};
    rest->data += taken;
    rest->len -= taken;
    return taken;
}
