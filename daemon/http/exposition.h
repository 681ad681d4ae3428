/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HTTP_EXPOSITION_H
#define HTTP_EXPOSITION_H
/* Prometheus text exposition format 0.0.4, as it is written. */
#include <stddef.h>

/* Zero-initialise to create. */
struct tv_exposition {
    char *data; /* malloc'd, ends with a NUL behind `len` */
    size_t len, cap;
};

void tv_put_bytes(struct tv_exposition *text, const char *bytes, size_t len);
void tv_put(struct tv_exposition *text, const char *bytes);
/* name="value"; NULL: "" */
void tv_put_label(struct tv_exposition *text, const char *name, const char *value);
void tv_put_value(struct tv_exposition *text, double value); /* and the end of the line */
/* The lines before a family's samples; `type`: "gauge" or "counter". */
void tv_put_family(struct tv_exposition *text, const char *name, const char *type,
                   const char *help);
/* A family of one sample without labels. */
void tv_put_single(struct tv_exposition *text, const char *name, const char *type, const char *help,
                   double value);
void tv_exposition_free(struct tv_exposition *text);

#endif
