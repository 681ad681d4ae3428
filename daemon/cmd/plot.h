/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CMD_PLOT_H
#define CMD_PLOT_H
/* A curve in a terminal: Braille dots, or plain characters where the terminal has no UTF-8. */
#include <stdbool.h>
#include <stdio.h>

struct tv_plot_mark {
    double x;
    char letter; /* stands below the axis */
};

struct tv_plot {
    double (*y)(const void *ctx, double x);
    const void *ctx;
    double first, last; /* x at the left and right end */
    int columns, rows;  /* of characters, axes included */
    bool ascii;
    const struct tv_plot_mark *marks;
    size_t marks_len;
};

/* Points where y is not finite stay empty. */
void tv_plot_print(FILE *out, const struct tv_plot *plot);
/* Does the locale that the environment names take UTF-8, and is the terminal more than dumb? */
bool tv_plot_has_utf8(void);

#endif
