/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_TELLING_H
#define DETECTORS_LIB_LR_TELLING_H
/* What the sentences about a verdict share. */
#include "lib/lr_text.h"

struct tv_lr_telling {
    struct tv_note *note;
    const struct tv_view *view;
    const struct tv_lr_case *input;
    const struct tv_lr_verdict *verdict;
    int64_t onset;
    const char *promised; /* name of the scheduler */
    const char *unit;     /* "steps", or "epochs" where the schedule counts these */
};

/* Texts in rotation, so that several fit one format. */
struct tv_lr_words {
    char text[16][96];
    unsigned next;
};

const char *tv_lr_number(struct tv_lr_words *words, double value);
/* The setting as the user's file spells it: that of the verdict, else the first of `keys` or, by
 * its last name, of `names`; else the first key. */
const char *tv_lr_key(const struct tv_lr_telling *t, struct tv_lr_words *words, const char *keys,
                      const char *names);
/* " (train.yaml:12)", or nothing. */
const char *tv_lr_place(const struct tv_lr_telling *t, struct tv_lr_words *words, const char *keys);
bool tv_lr_is_about(double value, double wanted);
/* "gradient_accumulation_steps" where the ratio is that number, and so on; NULL: it means nothing.
 */
const char *tv_lr_meaning(const struct tv_lr_telling *t, struct tv_lr_words *words, double ratio);
/* How to have the scheduler stepped rightly: the user's own loop, or a trainer that does it. */
void tv_lr_advise_stepping(const struct tv_lr_telling *t);
const char *tv_lr_argument(enum tv_schedule_param param);

typedef void tv_lr_teller(const struct tv_lr_telling *t);
tv_lr_teller tv_lr_tell_kind, tv_lr_tell_parameter, tv_lr_tell_scaled, tv_lr_tell_rate,
    tv_lr_tell_warmup, tv_lr_tell_total, tv_lr_tell_floor, tv_lr_tell_log_warmup,
    tv_lr_tell_per_epoch, tv_lr_tell_frozen; /* lr_text_whole.c */
tv_lr_teller tv_lr_tell_restarted, tv_lr_tell_jumped, tv_lr_tell_stopped, tv_lr_tell_shifted,
    tv_lr_tell_new_total; /* lr_text_late.c */

#endif
