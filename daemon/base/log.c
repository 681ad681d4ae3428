/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"
#include "trainvet/text.h"
#include <stdarg.h>
#include <stdio.h>

static enum tv_log_level log_level = TV_LOG_WARNING;

void tv_log_set_level(enum tv_log_level level)
{
    log_level = level;
}

void tv_log(enum tv_log_level level, const char *format, ...)
{
    if (level > log_level)
        return;
    char raw[1024], safe[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    fprintf(stderr, "trainvet: %s\n", tv_escape(tv_span_of(raw), safe, sizeof safe));
}
