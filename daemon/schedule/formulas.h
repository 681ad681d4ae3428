/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_FORMULAS_H
#define SCHEDULE_FORMULAS_H
/* The formulas, by file: the learning rate after n scheduler steps. Each is written once; rows of
 * kinds.c give it a framework's constants. Upper-case words are parameters (TV_P_...). */
#include "schedule/curve.h"

/* The piece of the formula that n is in. */
struct tv_piece tv_piece_of(double (*lr)(const struct tv_curve *c, double n),
                            const struct tv_curve *curve, double n);
/* Anything that is smooth from its first step to its last, by interpolation: value(ctx, first +
 * i * stride). */
struct tv_smooth {
    double (*value)(void *ctx, double n);
    void *ctx;
    double scale; /* its largest value, about */
};
void tv_smooth_series(const struct tv_smooth *f, double first, double stride, size_t count,
                      double *ret);
/* How many of `count` steps, from n on, are in the piece: one at least. */
size_t tv_piece_steps(struct tv_piece piece, double n, double stride, size_t count);
/* lr at (first + i) * stride, i = 0 .. count - 1, into ret: within 1e-14 of the peak. */
void tv_curve_series(double (*lr)(const struct tv_curve *c, double n), const struct tv_curve *curve,
                     double first, double stride, size_t count, double *ret);

/* decay.c: warm-up, a hold at the peak, one decay, a floor. MODE 1, and a warm-up over W + 1 steps:
 * step W is still the warm-up's, even where the decay has begun before it. Without a decay
 * (TV_SHAPE_NONE), CLAMP makes it fall to the floor behind the end. */
double tv_decay_lr(const struct tv_curve *c, double n);
/* The same at max(0, n[i]) * stride. */
void tv_decay_points(const struct tv_curve *c, double stride, const double *n, size_t count,
                     double *ret);
double tv_constant_lr(const struct tv_curve *c, double n);    /* ignores the warm-up */
double tv_warmup_only_lr(const struct tv_curve *c, double n); /* stays where the warm-up ended */
/* ((n + shift) / timescale)^-power, never above the peak. MODE 1: aims at the floor; 2: is the
 * floor behind the end; 3: and may be below it before. */
double tv_power_law_lr(const struct tv_curve *c, double n);
double tv_noam_lr(const struct tv_curve *c, double n); /* the same, where step 0 is step 1 */
double tv_max_lr(const struct tv_curve *c, double n);  /* the higher of decay and power law */
/* A decay or power law that the last PERIOD steps replace by a line down to EXTRA. */
double tv_decay_tail_lr(const struct tv_curve *c, double n);
double tv_power_tail_lr(const struct tv_curve *c, double n);
/* By epochs to END, above FLOOR_RATIO; n counts epochs that ended. The warm-up is a line over EXTRA
 * batches, PERIOD of them an epoch, to where the decay would be; NaN there when PERIOD is. */
double tv_epochs_lr(const struct tv_curve *c, double n);
double tv_second_half_lr(const struct tv_curve *c, double n); /* the lower half of a cosine */
double tv_deepspeed_lr(const struct tv_curve *c,
                       double n); /* a decay one step late; EXTRA at n = 0 */

/* cycle.c: what comes back. */
double tv_hard_restarts_lr(const struct tv_curve *c,
                           double n); /* CYCLES equal cosines up to the end */
/* PERIOD, GROWTH; GAMMA scales each cycle; CYCLES: how many, then the floor; EXTRA2: exponent of
 * time; MODE + 1: cycle lengths are whole numbers, MODE + 2: the floor is scaled too, MODE + 4:
 * warm up to the value that the cycle has at the warm-up's end. */
double tv_cycles_lr(const struct tv_curve *c, double n);
/* Triangles of PERIOD steps up and DECAY steps down between floor and peak; MODE: enum tv_triangle.
 */
enum tv_triangle {
    TV_TRIANGLE_SAME,
    TV_TRIANGLE_HEIGHT_BY_CYCLE, /* the height is multiplied by GAMMA each cycle */
    TV_TRIANGLE_HEIGHT_BY_STEP,
    TV_TRIANGLE_PEAK_BY_CYCLE, /* the peak is */
    TV_TRIANGLE_BOTH_BY_CYCLE, /* peak and floor are */
    TV_TRIANGLE_ONCE /* one triangle, in CYCLES and EXTRA2 stairs, then floor / (1 + GAMMA x /
                        EXTRA) */
};
double tv_triangle_lr(const struct tv_curve *c, double n);

/* stage.c: stairs, phases, and several schedulers in one. */
/* GAMMA^k. MODE 0: k whole PERIODs, 1: with their fraction, 2: table entries not above n + EXTRA.
 */
double tv_stairs_lr(const struct tv_curve *c, double n);
double tv_range_test_lr(const struct tv_curve *c, double n); /* peak * (1 + GAMMA k), k as above */
/* Table: rows of 4: last step, from, to (parts of the peak), shape: linear, cosine, or none, which
 * stays at `from` until the end. MODE 1: the last step is still this phase's; 2: and the last phase
 * goes on for one step behind its end. */
double tv_phases_lr(const struct tv_curve *c, double n);
#define TV_PHASE_ROW 4
/* The part that has begun last, counted from its begin. MODE 1: its begin still belongs to the one
 * before. */
double tv_sequence_lr(const struct tv_curve *c, double n);
/* pytorch_warmup: the second part's factor on what the first gives. */
double tv_dampened_lr(const struct tv_curve *c, double n);
double tv_factor_lr(const struct tv_curve *c,
                    double n); /* pytorch_warmup: grows to the peak over TIMESCALE */
/* pytorch_warmup's RAdamWarmup: TIMESCALE is beta2, n counts from SHIFT. */
double tv_radam_lr(const struct tv_curve *c, double n);
/* The first part, with a short warm-up every PERIOD steps: EXTRA steps up, DECAY steps down to
 * FLOOR_RATIO. */
double tv_jagged_lr(const struct tv_curve *c, double n);

/* chain.c: all parts at work together, each changing what the others left, between its begin and
 * end. A part with EXTRA2 > 1 counts epochs of that many steps. NaN where it would take too long.
 */
double tv_chain_lr(const struct tv_curve *c, double n);
/* The same at (first + i) * stride >= 0, i = 0 .. count - 1, step by step; NaN behind a million. */
void tv_chain_series(const struct tv_curve *c, double first, double stride, size_t count,
                     double *ret);

/* Their pieces. */
struct tv_piece tv_decay_piece(const struct tv_curve *c, double n);
struct tv_piece tv_power_law_piece(const struct tv_curve *c, double n);
struct tv_piece tv_decay_tail_piece(const struct tv_curve *c, double n);
struct tv_piece tv_power_tail_piece(const struct tv_curve *c, double n);
struct tv_piece tv_warm_piece(const struct tv_curve *c, double n); /* a warm-up, one curve behind */
struct tv_piece tv_epochs_piece(const struct tv_curve *c, double n);
struct tv_piece tv_deepspeed_piece(const struct tv_curve *c, double n);
struct tv_piece tv_hard_restarts_piece(const struct tv_curve *c, double n);
struct tv_piece tv_cycles_piece(const struct tv_curve *c, double n);
struct tv_piece tv_triangle_piece(const struct tv_curve *c, double n);
struct tv_piece tv_stairs_piece(const struct tv_curve *c, double n);
struct tv_piece tv_phases_piece(const struct tv_curve *c, double n);
struct tv_piece tv_sequence_piece(const struct tv_curve *c, double n);
struct tv_piece tv_dampened_piece(const struct tv_curve *c, double n);
struct tv_piece tv_factor_piece(const struct tv_curve *c, double n);
struct tv_piece tv_jagged_piece(const struct tv_curve *c, double n);

#endif
