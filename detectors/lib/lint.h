/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LINT_H
#define DETECTORS_LIB_LINT_H
/* What can be said about a configuration alone. A rule looks at the settings and, when it is
 * broken, writes the finding. Thresholds come from config_lint's options. */
#include "lib/note.h"

struct tv_lint_options {
    double least_severity;   /* 0 info, 1 warning, 2 critical: less is not reported */
    double warmup_share;     /* of the run; more is too much */
    int64_t short_run;       /* optimizer steps; schedules with restarts or phases need more */
    double full_lr, lora_lr; /* learning rates above these are out of the usual range */
    double small_lora_lr;    /* and below this for LoRA */
    int64_t small_data;      /* samples */
    int64_t many_epochs;     /* on small data */
    int64_t least_warmup;    /* steps that a large learning rate needs */
    double large_lr_share;   /* of the usual maximum: from there a learning rate is large */
};

struct tv_lint_rule {
    const char *setting; /* the finding's subject */
    enum tv_severity severity;
    /* True when the rule is broken; then the note holds summary, evidence, causes and advice. */
    bool (*broken)(struct tv_view *view, const struct tv_lint_options *options,
                   struct tv_note *note);
};

/* Each ended by a NULL setting; tv_lint_rules, ended by NULL, has them all. */
extern const struct tv_lint_rule tv_lint_refused[], tv_lint_warmup[], tv_lint_rate[], tv_lint_run[],
    tv_lint_schedule[];
extern const struct tv_lint_rule *const tv_lint_rules[];

/* The setting if it is a number. */
bool tv_lint_number(const struct tv_view *view, const char *name, struct tv_setting *ret);
double tv_lint_value_or(const struct tv_view *view, const char *name, double otherwise);
/* The setting is given and has this value; case does not matter. */
bool tv_lint_says(const struct tv_view *view, const char *name, const char *value);
/* The setting is there and not null. */
bool tv_lint_given(const struct tv_view *view, const char *name, struct tv_setting *ret);
/* What the schedule refuses, with the place and the remedy (lint_reason.c). */
void tv_lint_refusal(const struct tv_view *view, const char *reason, struct tv_note *note);
/* Nothing has been logged: a run that has was evidently not refused. */
bool tv_lint_is_before_start(const struct tv_view *view);
/* And it is read by transformers' own parser, or LLaMA Factory's, which builds on it. */
bool tv_lint_is_hf(const struct tv_view *view);
/* transformers is known to be of this version or newer. */
bool tv_lint_since(const struct tv_view *view, int major, int minor);
/* "eval_strategy", "save_strategy" or "logging_strategy" in transformers' words (no, steps, epoch,
 * best; case as written), by its old name and with its default too. Dumps write an enumeration by
 * its value ("steps") or as "IntervalStrategy.STEPS". Valid as long as the setting. */
const char *tv_lint_strategy(const struct tv_view *view, const char *name);

#endif
