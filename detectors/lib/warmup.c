/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/warmup.h"

int64_t tv_warmup_end(const struct tv_view *view)
{
    int64_t total = tv_view_total_steps(view), warmup = tv_view_warmup_steps(view);
    int64_t first = tv_view_first_step(view), now = tv_view_step(view);
    if (first == TV_STEP_UNKNOWN)
        return now;
    if (warmup < 0 && tv_view_count(view, TV_ROLE_LEARNING_RATE) > 0)
        return now;
    if (warmup < 0)
        warmup = 0;
    int64_t after = warmup;
    if (total > 0 && after > total / 10)
        after = total / 10;
    int64_t begin = first > 0 && warmup < first ? first : 0;
    int64_t length = warmup > INT64_MAX / 4 ? INT64_MAX / 4 : warmup + after;
    if (length < total / 20)
        length = total / 20;
    return begin > INT64_MAX - length ? INT64_MAX : begin + length;
}
