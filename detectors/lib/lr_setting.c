/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_setting.h"
#include "trainvet/text.h"
#include <string.h>

bool tv_lr_setting(const struct tv_view *view, const char *keys, struct tv_setting *ret)
{
    while (*keys) {
        char name[64];
        size_t len = strcspn(keys, "|");
        if (tv_span_copy((struct tv_span){keys, len}, name, sizeof name) &&
            tv_view_setting(view, name, ret))
            return true;
        keys += len;
        keys += *keys == '|';
    }
    return false;
}
