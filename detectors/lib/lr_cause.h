/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_LR_CAUSE_H
#define DETECTORS_LIB_LR_CAUSE_H
/* Why does the logged learning rate break the promise? Each cause is a model with at most one free
 * parameter (and, when nothing simpler fits, a free factor); those that meet the log up to rounding
 * are given first, the simplest before the others. A parameter that equals a number of the run
 * (gradient_accumulation_steps, world size) makes a cause likelier. */
#include "lib/lr_fit.h"
#include "lib/lr_model.h"
#include "trainvet/run.h"

enum tv_lr_cause {
    TV_LR_KIND,        /* another scheduler: see kind, and param = value unless value is NaN */
    TV_LR_SCALED,      /* value = factor */
    TV_LR_RATE,        /* value = scheduler steps per optimizer step */
    TV_LR_WARMUP,      /* value = warm-up steps */
    TV_LR_TOTAL,       /* value = total steps; the warm-up keeps its length */
    TV_LR_TOTAL_RATIO, /* value = total steps; the warm-up keeps its share */
    TV_LR_PARAMETER,   /* the promised scheduler with another parameter: param = value, or all
                          defaults (value NaN) */
    TV_LR_FLOOR,       /* value = lowest learning rate, share of the peak */
    TV_LR_LOG_WARMUP,  /* DeepSpeed's logarithmic warm-up */
    TV_LR_PER_EPOCH,   /* value = steps between two scheduler steps */
    TV_LR_FROZEN,      /* value = the constant learning rate, from the first step */
    TV_LR_RESTARTED,   /* value = step at which the schedule began anew */
    TV_LR_JUMPED,      /* value = factor since the onset */
    TV_LR_STOPPED,     /* value = the learning rate that it kept since the onset */
    TV_LR_SHIFTED,     /* value = scheduler steps that it is ahead since the onset */
    TV_LR_NEW_TOTAL,   /* value = total steps since the onset */
    TV_LR_CAUSES
};

struct tv_lr_case {
    const struct tv_schedule *promise;
    const struct tv_lr_points *points;
    struct tv_lr_fit fit; /* how the promise was kept until fit.fail_step */
    double accumulation;  /* gradient_accumulation_steps, 0 when unknown */
    double world_size;    /* 0 when unknown */
    bool warmup_is_ratio;
    const struct tv_view *view; /* for other values of the settings; NULL: none are tried */
};

struct tv_lr_verdict {
    enum tv_lr_cause cause;
    enum tv_schedule_param param; /* only for TV_LR_KIND and TV_LR_PARAMETER */
    const char *kind;             /* the same; static */
    const char *setting;          /* its key, when another value of a setting explains it */
    double set_to;                /* what that setting would have to be */
    double promised;              /* the counterpart of value, when a setting does; else NaN or 0 */
    double value;
    double scale;    /* besides: everything times this; 1 mostly */
    double residual; /* root mean square of the differences, relative to the highest logged value */
    double rank;     /* lower is likelier among the exact ones */
    bool is_exact;   /* every difference is rounding */
};

#define TV_LR_VERDICTS 8

/* The likeliest causes, best first; returns how many. 0: nothing explains the log to a per cent. */
size_t tv_lr_causes(const struct tv_lr_case *input, struct tv_lr_verdict ret[TV_LR_VERDICTS]);

/* The setting that gives a parameter group of its own this factor of the promised learning rate. */
bool tv_lr_group_setting(const struct tv_lr_case *input, double factor, struct tv_setting *ret);
/* The log has a learning rate beside this one that keeps the promise, and the verdict says that
 * this one is a constant part or multiple of it: its tag. NULL: no. */
const char *tv_lr_promised_group(const struct tv_lr_case *input,
                                 const struct tv_lr_verdict *verdict);

#endif
