/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CMD_LR_FOLLOW_H
#define CMD_LR_FOLLOW_H
/* The learning rate of a scheduler that follows a metric, as it must have been by the evaluations
 * that the run logged (trainvet/follow.h), beside what was logged. */
#include "trainvet/detector.h"
#include "trainvet/follow.h"

#define TV_LR_CHANGES 256 /* of the learning rate; later ones are only counted */

struct tv_lr_change {
    int64_t step; /* of the evaluation; the learning rate holds from the next step on */
    double lr;
    double logged; /* the first one logged behind that step and before the next change, NaN: none */
};

/* Zero-initialise. */
struct tv_lr_followed {
    char metric[128];                           /* the tag, escaped */
    int64_t last_step;                          /* of an evaluation */
    uint64_t evaluations;                       /* that the log has, */
    uint64_t looked;                            /* and that the changes are by */
    struct tv_lr_change changes[TV_LR_CHANGES]; /* the first: the peak, before any evaluation */
    size_t len, left_out;
};

/* Collects in place of the detectors: it is the engine's only one, and its options are a pointer to
 * a struct tv_lr_followed. */
extern const struct tv_detector tv_lr_follower;

/* `path` is escaped; only the text shows it. */
void tv_lr_follow_text(const struct tv_lr_followed *followed, const struct tv_schedule *schedule,
                       const char *path);
void tv_lr_follow_json(const struct tv_lr_followed *followed, const struct tv_schedule *schedule,
                       const char *path);
void tv_lr_follow_csv(const struct tv_lr_followed *followed, const struct tv_schedule *schedule,
                      const char *path);

#endif
