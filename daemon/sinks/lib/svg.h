/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_SVG_H
#define SINKS_LIB_SVG_H
/* A line plot over steps as inline SVG; colours come from the page's style by class. Every value
 * may be anything a log can hold: what is not finite is marked at the top edge, not drawn. */
#include "trainvet/sink.h"
#include <stdio.h>

#define TV_SVG_LINES 3
#define TV_SVG_MARKS 16

struct tv_svg_line {
    const char *name, *css; /* for the key and the style */
    const struct tv_plot_point *points;
    size_t len;
    bool expected; /* draw what was promised instead of what was logged */
};

struct tv_svg_mark {
    int64_t step;
    const char *css, *text; /* the text shows under the pointer */
};

struct tv_svg {
    const char *title;
    bool may_be_log; /* logarithmic where the values are positive and span a factor of 30 */
    struct tv_svg_line lines[TV_SVG_LINES];
    size_t lines_len;
    const struct tv_svg_mark *marks;
    size_t marks_len;
};

/* A <figure> with key and plot; nothing when no line has a finite value. */
void tv_svg_write(FILE *out, const struct tv_svg *svg);
/* Text between tags or in a quoted attribute. */
void tv_html_text(FILE *out, const char *text);

#endif
