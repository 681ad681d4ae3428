/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAINVET_SCHEDULE_H
#define TRAINVET_SCHEDULE_H
/* The learning rate that a configuration promises.
 * A schedule is a row of the kinds table (daemon/schedule/kinds.c) plus its parameters. It is a
 * plain value without pointers to anything that can go away: copy it, change a field, evaluate it
 * again; that is how lr_mismatch tries its hypotheses. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TV_SCHEDULE_NOTES 8
#define TV_SCHEDULE_TABLE 48 /* numbers of milestones, periods, phases */
#define TV_SCHEDULE_PARTS 5  /* schedulers that follow each other or are multiplied */

/* The parameters of all kinds. NaN = not given: the rule in brackets holds. */
enum tv_schedule_param {
    TV_P_END,         /* step where the decay ends (total_steps) */
    TV_P_FLOOR,       /* lowest learning rate, absolute */
    TV_P_FLOOR_RATIO, /* the same as a part of the peak (TV_P_FLOOR) */
    TV_P_CLAMP,       /* 1: the decay aims at 0 and stops at the floor; 0: it aims at the floor */
    TV_P_START,       /* learning rate where warm-up begins, absolute */
    TV_P_START_RATIO, /* the same as a part of the peak (TV_P_START) */
    TV_P_WARM_SHAPE,  /* enum tv_shape */
    TV_P_WARM_SHIFT,  /* warm-up is at (n + shift) / (warmup_steps + span) */
    TV_P_WARM_SPAN,
    TV_P_SHAPE,     /* enum tv_shape of the decay */
    TV_P_HOLD,      /* steps at the peak behind the warm-up (end - warm-up - decay) */
    TV_P_DECAY,     /* length of the decay in steps (end - warm-up - hold) */
    TV_P_SHIFT,     /* added to n in the decay */
    TV_P_PERIODIC,  /* 1: the cosine goes on behind the decay, a polynomial falls again, over twice
                       the length, thrice, ..., up to END; 0: the floor */
    TV_P_POWER,     /* exponent of the decay */
    TV_P_CYCLES,    /* waves or restarts: num_cycles */
    TV_P_TIMESCALE, /* of power laws (warmup_steps, or 10000 without warm-up) */
    TV_P_GAMMA,     /* factor of step-wise decays and of each cycle; exponent of a cosine */
    TV_P_PERIOD,    /* steps between two drops; the first cycle's length */
    TV_P_GROWTH,    /* factor by which cycles get longer */
    TV_P_STRIDE,    /* scheduler steps that a counted step makes: Accelerate's num_processes */
    TV_P_EVERY,     /* counted steps that one scheduler step takes: an epoch's length; 0: one */
    TV_P_RAMP,      /* Megatron's batch grows until so many full batches are consumed, */
    TV_P_RAMP_FROM, /* from this part of the full batch */
    TV_P_RAMP_STEP, /* by this part */
    TV_P_MODE,      /* by kind, see daemon/schedule/curve.h */
    TV_P_EXTRA,
    TV_P_EXTRA2,
    TV_SCHEDULE_PARAMS
};

enum tv_shape {
    TV_SHAPE_LINEAR,
    TV_SHAPE_COSINE,
    TV_SHAPE_SQRT,          /* 1 - sqrt(p); as warm-up 1 - sqrt(1 - p) */
    TV_SHAPE_POLYNOMIAL,    /* (1 - p)^power; as warm-up p^2 */
    TV_SHAPE_EXPONENTIAL,   /* warm-up: 1 - e^-p */
    TV_SHAPE_LOG,           /* warm-up: ln(n + shift) / ln(warmup_steps) */
    TV_SHAPE_HALVING,       /* 2 * 0.5^p - 1 */
    TV_SHAPE_GEOMETRIC,     /* from the peak to the floor by a constant factor */
    TV_SHAPE_COSINE_LINEAR, /* cosine times linear */
    TV_SHAPE_TANH,          /* (1 - tanh(-7 + 10 p)) / 2 */
    TV_SHAPE_REX,           /* (1 - p) / (0.1 + 0.9 (1 - p)) */
    TV_SHAPE_NONE           /* stays at the peak */
};

struct tv_schedule_kind; /* private row: name, formula */

/* One scheduler of several; what its fields mean is the composite kind's (daemon/schedule/stage.c).
 */
struct tv_schedule_part {
    const struct tv_schedule_kind *kind;
    double begin, end; /* steps of the whole schedule; its own count starts at begin */
    double peak, total_steps, warmup_steps;
    double base; /* the optimizer's initial learning rate, as this scheduler finds it */
    double param[TV_SCHEDULE_PARAMS];
    int table_at, table_len; /* its piece of the schedule's table */
};

struct tv_schedule {
    const struct tv_schedule_kind *kind; /* NULL: nothing known */
    const char *framework;               /* "transformers", "llamafactory", ... static string */
    double peak;                         /* base learning rate of parameter group 0 */
    double total_steps; /* optimizer steps planned; NaN when the kind needs none and none is known.
                           May have a fraction: Megatron counts samples, OLMo tokens. */
    double warmup_steps;
    int64_t steps_per_epoch; /* 0 when unknown */
    double param[TV_SCHEDULE_PARAMS];
    double table[TV_SCHEDULE_TABLE]; /* milestones or the like */
    int table_len;
    struct tv_schedule_part part[TV_SCHEDULE_PARTS];
    int parts;
    /* Logged at global_step g is lr(g - log_offset). 0: read after scheduler.step() (transformers
     * < 4.51, DeepSpeed); 1: read before it. offset_known is false when the version is not known:
     * fit it. */
    int log_offset;
    bool offset_known;
    bool by_epoch; /* what stands as steps here are epochs, in the log as well */
    char notes[TV_SCHEDULE_NOTES][160]; /* what was assumed, one sentence each */
    int notes_len;
};

/* Learning rate after n calls of scheduler.step(), n >= 0. NaN when kind is NULL or the kind
 * follows a metric. */
double tv_schedule_lr(const struct tv_schedule *schedule, double n);

/* The same at each of n[count]. */
void tv_schedule_points(const struct tv_schedule *schedule, const double *n, size_t count,
                        double *ret);

/* lr(first), lr(first + 1), ... into ret[count], within 1e-14 of the peak. */
void tv_schedule_series(const struct tv_schedule *schedule, double first, size_t count,
                        double *ret);

/* Name as the framework spells it ("cosine_with_restarts"), "unknown" when kind is NULL. */
const char *tv_schedule_name(const struct tv_schedule *schedule);

/* The index-th scheduler of a framework; NULL behind the last. */
const char *tv_schedule_kind_name(const char *framework, size_t index);

/* True when the learning rate depends on a logged metric (daemon/schedule/follow.h), not on the
 * step. */
bool tv_schedule_follows_metric(const struct tv_schedule *schedule);

/* Replaces the kind by the one of this name, the schedule's own framework first, then transformers,
 * then any; peak, total and warm-up stay, the parameters get the kind's defaults. False (nothing
 * changed) when no such kind exists. For hypotheses. */
bool tv_schedule_set_kind(struct tv_schedule *schedule, const char *name);

#endif
