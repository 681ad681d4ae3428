/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/learning.h"
#include <math.h>
#include <string.h>

enum {
    MANY_POINTS = 30, /* of which none is below the first one by chance */
    MANY_EVALS = 10   /* from so many on their lowest is low by chance */
};

/* A median of TV_LEARNING_START values has about this part of their deviation. */
#define MEDIAN_ERROR 0.54

double tv_learning_size(const struct tv_learning *learning)
{
    double size = fabs(learning->start_level);
    bool has_sign = learning->start_level <= 0 || learning->low <= 0;
    return has_sign ? tv_most(size, (learning->level_high - learning->level_low) / 2) : size;
}

static bool has_fallen(const struct tv_learning *learning, double drop)
{
    const struct tv_change *change = &learning->change;
    double start = learning->start_level, enough = drop * tv_learning_size(learning);
    double single = learning->swing / ((double)learning->points - 1) / 1.128;
    double start_error = MEDIAN_ERROR * tv_least(change->point_noise, single);
    double lowest = tv_least(change->last, change->middle); /* it may have risen again since */
    return start - lowest > tv_most(enough, 2 * start_error) ||
           change->fall > enough + 1.5 * change->error;
}

/* What was learnt for certain stays learnt when it is lost again: that is a divergence, whose noise
 * must not hide it. */
static bool has_learnt(const struct tv_learning *learning, double drop, uint64_t points)
{
    const struct tv_change *change = &learning->change;
    return learning->points >= points &&
           change->fall > 2 * drop * tv_learning_size(learning) + 4 * change->error;
}

/* The first point, as long a mean as the others, lies clearly below all that came after it. */
static bool was_never_better(const struct tv_learning *learning)
{
    double first = learning->start[0];
    return learning->later_low > first * 1.05 && first > 0 && learning->points >= MANY_POINTS &&
           learning->first_step + 1 >= learning->second_step - learning->first_step &&
           learning->later_low > first + 3 * learning->change.point_noise;
}

void tv_learning_add(struct tv_learning *learning, int64_t step, double value, double drop,
                     uint64_t points)
{
    if (learning->points == 0) {
        learning->first_step = step;
        learning->low = learning->high = value;
    }
    if (learning->points == 1) {
        learning->second_step = step;
        learning->later_low = value;
    }
    learning->later_low = tv_least(learning->later_low, value);
    learning->low = tv_least(learning->low, value);
    learning->high = tv_most(learning->high, value);
    if (learning->start_len < TV_LEARNING_START) {
        learning->start[learning->start_len++] = value;
        learning->start_level = tv_median_of(learning->start, learning->start_len);
    }
    if (learning->points)
        learning->swing += fabs(value - learning->recent[TV_LEARNING_START - 1]);
    memmove(learning->recent, learning->recent + 1,
            sizeof learning->recent - sizeof *learning->recent);
    learning->recent[TV_LEARNING_START - 1] = value;
    learning->last_step = step;
    learning->points++;
    double level = tv_learning_level(learning);
    bool has_level = learning->points > TV_LEARNING_START;
    learning->level_low = has_level ? tv_least(learning->level_low, level) : level;
    learning->level_high = has_level ? tv_most(learning->level_high, level) : level;
    if (tv_thin_add(&learning->means, step, value))
        learning->change = tv_change_of(&learning->means);
    learning->never_again = was_never_better(learning);
    learning->has_learnt = learning->has_learnt || has_learnt(learning, drop, points);
    learning->has_fallen =
        !learning->never_again && (learning->has_learnt || has_fallen(learning, drop));
}

/* A spike hides in the mean of the last third how far the loss has come, not in a median; two of
 * these differ by about 0.76 of the deviation of single points. */
bool tv_learning_is_below(const struct tv_learning *learning, double start, double drop)
{
    return start - tv_learning_level(learning) >
           fmax(2 * drop * tv_learning_size(learning), 4 * 0.76 * learning->change.point_noise);
}

bool tv_learning_will_fall(struct tv_learning *learning, double drop, double left)
{
    struct tv_change *change = &learning->change;
    double enough = drop * tv_learning_size(learning);
    if (tv_change_z(&learning->means, change) >= -2.5)
        return false;
    double ahead = -tv_change_slope(&learning->means, change) * left;
    if (learning->never_again)
        return ahead > tv_learning_level(learning) - learning->start[0] + enough;
    return change->fall + ahead > 2 * enough;
}

void tv_eval_learning_add(struct tv_eval_learning *evals, int64_t step, double value)
{
    if (!evals->points)
        evals->first = evals->lowest = value;
    evals->lowest = fmin(evals->lowest, value);
    if (tv_thin_add(&evals->means, step, value))
        evals->change = tv_change_of(&evals->means);
    double noise = evals->change.point_noise;
    if (evals->points >= MANY_EVALS / 2 && (evals->noise == 0 || noise < evals->noise))
        evals->noise = noise;
    evals->points++;
}

bool tv_eval_learning_will_fall(struct tv_eval_learning *evals, double drop, double left)
{
    double enough = drop * fabs(evals->first);
    double fall = evals->first - evals->lowest, chance = 0;
    if (evals->points < 2)
        return false;
    if (evals->points >= MANY_EVALS) /* about what the lowest of so many is below their level */
        chance = evals->noise * sqrt(2 * log((double)evals->points));
    if (fall > enough + tv_most(chance, 0))
        return true;
    const struct tv_thin *means = &evals->means;
    double slope = tv_change_slope(means, &evals->change);
    if (means->len == 2)
        slope =
            (means->value[1] - means->value[0]) / ((double)means->step[1] - (double)means->step[0]);
    return fall - slope * left > 2 * enough;
}
