/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CMD_LR_SHOW_H
#define CMD_LR_SHOW_H
/* An expected schedule for people and programs. */
#include "schedule/resolve.h"

/* Which steps are shown: a list, or every so many up to the end. */
struct tv_lr_choice {
    const double *steps; /* NULL: by `every` */
    size_t steps_len;
    double every; /* 0: what suits the form of output */
};

struct tv_lr_shown {
    const char *path; /* escaped */
    const struct tv_schedule *schedule;
    const struct tv_facts *facts;
    struct tv_lr_choice choice;
    const struct tv_identity *identity; /* the schedule is what the log shows; NULL: promised */
    int64_t skipped;                    /* steps that the log lags behind, -1 unknown */
    double planned;                     /* steps of the run as its trainer counts, NaN */
    bool plot;
};

void tv_lr_show_json(const struct tv_lr_shown *shown);
void tv_lr_show_csv(const struct tv_lr_shown *shown);
void tv_lr_show_text(const struct tv_lr_shown *shown);

#endif
