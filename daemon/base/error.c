/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trainvet/error.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum tv_status tv_fail(struct tv_error *reterr, enum tv_status status, const char *format, ...)
{
    if (!reterr)
        return status;
    memset(reterr, 0, sizeof *reterr);
    reterr->status = status;
    va_list args;
    va_start(args, format);
    vsnprintf(reterr->message, sizeof reterr->message, format, args);
    va_end(args);
    return status;
}
