/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_EVALS_H
#define DETECTORS_LIB_EVALS_H
/* The course of an evaluation loss: its best, how long ago that was, how far it rose since, and how
 * much of that is noise. Stopping criteria GL and UP: L. Prechelt, Early Stopping - But When?, in
 * Neural Networks: Tricks of the Trade, LNCS 1524 (1998) 55. */
#include <stdbool.h>
#include <stdint.h>

#define TV_EVALS_RECENT 9

struct tv_evals {
    uint64_t count; /* evaluations, repeated ones of a resumed run not counted twice */
    double first, best, worst;
    int64_t first_step, best_step, last_step;
    uint64_t since_best;            /* evaluations after the best one */
    double noise_at_best;           /* of those up to the best; 0 for fewer than 4 */
    double bends;                   /* sum of their distances to the middle of their neighbours */
    int64_t after_best[2];          /* steps of the first two of them */
    double recent[TV_EVALS_RECENT]; /* newest last */
    double levels[TV_EVALS_RECENT]; /* of the training loss before each of them */
    uint32_t recent_len;
    double train_sum, train_last, train_now, train_best;     /* level of the training loss */
    uint32_t train_count, train_now_count, train_best_count; /* points in these levels */
    double train_variance; /* of a point, from the differences of neighbours */
    uint32_t train_differences;
    double train_recent[2];
    uint32_t train_len;
    bool best_awaits_train; /* no training point was seen up to the best evaluation */
};

/* A zeroed struct is empty. Points must be finite. */
void tv_evals_train(struct tv_evals *evals, double loss);
/* False when the step was evaluated before: nothing changes. */
bool tv_evals_add(struct tv_evals *evals, int64_t step, double loss);
/* Other evaluations come from now on: only the training loss is kept. */
void tv_evals_forget(struct tv_evals *evals);
/* Standard deviation of the noise from the distances of the last evaluations to the middle of
 * their neighbours; 0 for fewer than 4. */
double tv_evals_noise(const struct tv_evals *evals);
/* How smooth the evaluations after step `since` run: largest distance of one to the middle of its
 * neighbours, as a part of their size; NaN while there are fewer than 3 (of those still known). */
double tv_evals_bend(const struct tv_evals *evals, int64_t since);
/* What a rise is measured against: the size of the best, or the whole way that the loss has come
 * where that is larger (losses near or below zero). */
double tv_evals_scale(const struct tv_evals *evals);
/* Lowest of the last `n` evaluations minus the best: a rise that has lasted. */
double tv_evals_rise(const struct tv_evals *evals, uint32_t n);

/* How far evaluation and training loss have come apart since the best evaluation, in the unit of
 * the loss and in standard errors. Either number of errors is NaN when its noise is not known. */
struct tv_evals_gap {
    double noise;       /* deviation of an evaluation */
    double rise;        /* lowest of the last evaluations minus the best */
    double rise_sigmas; /* of an evaluation, beyond what the best was lower by luck */
    double fall;        /* of the training loss between the intervals before the two evaluations */
    double fall_sigmas; /* over its standard error */
    double climb; /* of the last evaluation above the best, over the deviation of a training point;
                     NaN unless the last two climb one above the other */
};
struct tv_evals_gap tv_evals_gap(const struct tv_evals *evals, uint32_t n);
/* The gap opens: the training loss fell by at least as much as the evaluation loss rose, neither is
 * noise (1 and 2 sigmas), and both together are beyond `sigmas` (root of the sum of squares; two
 * independent normal deviates exceed 4.5 once in 25,000 times). With fewer than 4 evaluations the
 * training loss alone must be so sure. */
bool tv_evals_opens(const struct tv_evals *evals, const struct tv_evals_gap *gap, double sigmas);
/* The same before the noise of the evaluations is known: two in a row climb from the best by more
 * than `points` deviations of a logged training loss, which averages over no more data than an
 * evaluation, while the training loss fell by more than `sigmas` standard errors (UP2 of Prechelt
 * with the gap opening), by twice as many where the first evaluation is the best: none fell to it.
 * It need not fall by as much: a memorised loss cannot, near zero. From the seventh evaluation on
 * the rise must be beyond one deviation of their own noise. */
bool tv_evals_climbs(const struct tv_evals *evals, const struct tv_evals_gap *gap, double points,
                     double sigmas);
/* The evaluations since the best one climb on the whole and the training loss falls: Mann-Kendall
 * of those still known beyond 1.64, and of the levels before them beyond `trend`. It needs no idea
 * of either noise, which a rise of its own makes look large. */
bool tv_evals_widens(const struct tv_evals *evals, double trend);
/* Steps between two evaluations on average. */
double tv_evals_interval(const struct tv_evals *evals);

#endif
