/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_HTML_PAGE_H
#define SINKS_LIB_HTML_PAGE_H
/* Beginning and end of the report's page; its style is daemon/web/report.css. */
#include <stddef.h>
#include <stdio.h>

void tv_html_page_begin(FILE *out, const char *title);
/* The table of runs, its rows copied from `rows`, and the end. `max`: so many rows it may have. */
void tv_html_page_end(FILE *out, FILE *rows, size_t runs, size_t max);
/* Four digits, whole numbers whole; nothing for NaN. */
void tv_html_number(FILE *out, double value);

#endif
