/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_EVALS_H
#define DETECTORS_LIB_EVALS_H
/* The course of an evaluation loss: its best, how long ago that was, how far it rose since, and how
 * much of that is noise. Stopping criteria GL and UP: L. Prechelt, Early Stopping - But When?, in
 * Neural Networks: Tricks of the Trade, LNCS 1524 (1998) 55. */
#include "trainvet/detector.h"

#define TV_EVALS_RECENT 9

struct tv_evals {
    uint64_t count; /* evaluations, repeated ones of a resumed run not counted twice */
    double first, best, worst;
    int64_t first_step, best_step, last_step;
    uint64_t since_best;            /* evaluations after the best one */
    int64_t after_best[2];          /* steps of the first two of them */
    double recent[TV_EVALS_RECENT]; /* newest last */
    uint32_t recent_len;
    double train_sum, train_last, train_now, train_best; /* level of the training loss */
    uint32_t train_count;
    double train_recent[2];
    uint32_t train_len;
    bool best_awaits_train; /* no training point was seen up to the best evaluation */
};

/* A zeroed struct is empty. Points must be finite. */
void tv_evals_train(struct tv_evals *evals, double loss);
/* False when the step was evaluated before: nothing changes. */
bool tv_evals_add(struct tv_evals *evals, int64_t step, double loss);
/* Standard deviation of the noise from the distances of the last evaluations to the middle of
 * their neighbours; 0 for fewer than 4. */
double tv_evals_noise(const struct tv_evals *evals);
/* What a rise is measured against: the size of the best, or the whole way that the loss has come
 * where that is larger (losses near or below zero). */
double tv_evals_scale(const struct tv_evals *evals);
/* Lowest of the last `n` evaluations minus the best: a rise that has lasted. */
double tv_evals_rise(const struct tv_evals *evals, uint32_t n);
/* Steps between two evaluations on average. */
double tv_evals_interval(const struct tv_evals *evals);

#endif
