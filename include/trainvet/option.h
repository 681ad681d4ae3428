/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAINVET_OPTION_H
#define TRAINVET_OPTION_H
/* Option tables: configuration files, `trainvet list`, `trainvet explain` and the manual are made
 * from them. */
#include "trainvet/error.h"
#include <stddef.h>

enum tv_option_type {
    TV_OPTION_DOUBLE, /* field is double */
    TV_OPTION_INT,    /* field is int64_t */
    TV_OPTION_BOOL,   /* field is bool */
    TV_OPTION_STRING  /* field is const char *, default in default_text */
};

struct tv_option {
    const char *name; /* NULL ends the table */
    enum tv_option_type type;
    size_t offset; /* of the field in the plug-in's options struct */
    double default_value;
    double min, max; /* inclusive */
    const char *default_text;
    const char *help; /* one line: what it does, its unit */
};

/* One row: TV_OPTION_ROW(struct my_options, field, DOUBLE, 3.0, 0.0, 10.0, "help") */
#define TV_OPTION_ROW(type_, field_, kind_, default_, min_, max_, help_)                           \
    {                                                                                              \
        .name = #field_, .type = TV_OPTION_##kind_, .offset = offsetof(type_, field_),             \
        .default_value = (default_), .min = (min_), .max = (max_), .help = (help_)                 \
    }
/* The same for a member of a struct in there: (struct my_options, part, field, DOUBLE, ...) */
#define TV_OPTION_PART_ROW(type_, part_, field_, kind_, default_, min_, max_, help_)               \
    {                                                                                              \
        .name = #field_, .type = TV_OPTION_##kind_,                                                \
        .offset = offsetof(type_, part_.field_), /* NOLINT: names cannot be bracketed */           \
            .default_value = (default_), .min = (min_), .max = (max_), .help = (help_)             \
    }
/* The same for text: TV_OPTION_TEXT_ROW(struct my_options, field, "default", "help") */
#define TV_OPTION_TEXT_ROW(type_, field_, default_, help_)                                         \
    {                                                                                              \
        .name = #field_, .type = TV_OPTION_STRING, .offset = offsetof(type_, field_),              \
        .default_text = (default_), .help = (help_)                                                \
    }
#define TV_OPTION_END                                                                              \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* Writes every default into the options struct at `target`. `table` may be NULL. */
void tv_option_defaults(const struct tv_option *table, void *target);
/* Sets one option from text; TV_ECONFIG with the reason (unknown name, not a number, out of range).
 */
enum tv_status tv_option_set(const struct tv_option *table, void *target, const char *name,
                             const char *value, struct tv_error *reterr);

#endif
