/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/silence.h"
#include <stdarg.h>
#include <stdio.h>

void tv_silent_because(struct tv_view *view, const char *format, ...)
{
    char text[320];
    va_list args;
    if (!tv_silence_is_heard(view))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    tv_silent(view, text);
}

bool tv_silent_about_loss(struct tv_view *view)
{
    if (tv_view_is_rl(view))
        tv_silent(view, "rewards are logged: the loss of reinforcement learning has no direction");
    else if (tv_view_count(view, TV_ROLE_TRAIN_LOSS) == 0)
        tv_silent(view, "no training loss is logged");
    else
        return false;
    return true;
}
