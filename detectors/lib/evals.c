/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/evals.h"
#include "lib/robust.h"
#include "lib/trend.h"
#include <math.h>
#include <string.h>

#define DIFFERENCES 32 /* that the variance of the training loss remembers */

/* Half the mean square of the differences of neighbours: blind to a slow trend. */
static void learn_variance(struct tv_evals *evals, double difference)
{
    double change = difference * difference / 2 - evals->train_variance;
    evals->train_differences += evals->train_differences < DIFFERENCES;
    if (evals->train_differences == DIFFERENCES)
        evals->train_variance += change / DIFFERENCES; /* a power of two: no division */
    else
        evals->train_variance += change / (double)evals->train_differences;
}

void tv_evals_train(struct tv_evals *evals, double loss)
{
    if (evals->train_len)
        learn_variance(evals, loss - evals->train_recent[0]);
    const double *recent = evals->train_recent;
    double level = evals->train_len < 2 ? loss : tv_median_of_three(loss, recent[0], recent[1]);
    evals->train_recent[1] = evals->train_recent[0];
    evals->train_recent[0] = loss;
    evals->train_len += evals->train_len < 2;
    evals->train_sum += level;
    evals->train_last = level;
    if (evals->best_awaits_train) {
        evals->train_best = level;
        evals->train_best_count = 1;
        evals->best_awaits_train = false;
    }
    evals->train_count++;
}

static void close_train_interval(struct tv_evals *evals)
{
    evals->train_now =
        evals->train_count ? evals->train_sum / evals->train_count : evals->train_last;
    evals->train_now_count = evals->train_count ? evals->train_count : 1;
    evals->train_sum = 0;
    evals->train_count = 0;
}

static double bend_at(const struct tv_evals *evals, uint32_t i)
{
    const double *at = evals->recent + i;
    return fabs(at[0] - (at[-1] + at[1]) / 2);
}

bool tv_evals_add(struct tv_evals *evals, int64_t step, double loss)
{
    if (evals->count && step <= evals->last_step)
        return false;
    close_train_interval(evals);
    if (evals->recent_len == TV_EVALS_RECENT) {
        memmove(evals->recent, evals->recent + 1, sizeof evals->recent - sizeof *evals->recent);
        memmove(evals->levels, evals->levels + 1, sizeof evals->levels - sizeof *evals->levels);
        evals->recent_len--;
    }
    evals->levels[evals->recent_len] = evals->train_now;
    evals->recent[evals->recent_len++] = loss;
    if (!evals->count) {
        evals->first = evals->worst = loss;
        evals->first_step = step;
    }
    if (!evals->count || loss < evals->best) {
        evals->best = loss;
        evals->best_step = step;
        evals->since_best = 0;
        evals->bends = 0;
        evals->noise_at_best = tv_evals_noise(evals);
        evals->train_best = evals->train_now;
        evals->train_best_count = evals->train_now_count;
        evals->best_awaits_train = evals->train_len == 0;
    } else {
        if (evals->since_best < 2)
            evals->after_best[evals->since_best] = step;
        evals->since_best++;
        evals->bends += evals->recent_len < 3 ? 0 : bend_at(evals, evals->recent_len - 2);
    }
    if (loss > evals->worst)
        evals->worst = loss;
    evals->count++;
    evals->last_step = step;
    return true;
}

void tv_evals_forget(struct tv_evals *evals)
{
    evals->count = evals->since_best = 0;
    evals->recent_len = 0;
    evals->best_awaits_train = false;
}

double tv_evals_noise(const struct tv_evals *evals)
{
    double bends[TV_EVALS_RECENT];
    size_t len = 0;
    for (uint32_t i = 1; i + 1 < evals->recent_len; i++)
        bends[len++] = bend_at(evals, i);
    /* 1.4826 as in the MAD; the bend of white noise has sqrt(1.5) of its deviation. */
    return len < 2 ? 0 : 1.4826 * tv_median(bends, len) / 1.2247448713915890;
}

double tv_evals_bend(const struct tv_evals *evals, int64_t since)
{
    double interval = tv_evals_interval(evals), widest = NAN;
    double after = interval > 0 ? ((double)evals->last_step - (double)since) / interval : 0;
    size_t len = after > 0 ? (size_t)fmin(ceil(after), evals->recent_len) : 0;
    const double *recent = evals->recent + evals->recent_len - len;
    for (size_t i = 1; i + 1 < len; i++) {
        double middle = (recent[i - 1] + recent[i + 1]) / 2;
        widest = fmax(widest, fabs(recent[i] - middle) / fmax(fabs(recent[i]), fabs(middle)));
    }
    return widest;
}

double tv_evals_scale(const struct tv_evals *evals)
{
    double way = evals->first - evals->best, size = fabs(evals->best);
    if (evals->best > 0)
        return size;
    return way > size ? way : size;
}

double tv_evals_rise(const struct tv_evals *evals, uint32_t n)
{
    double lowest = INFINITY;
    for (uint32_t i = 0; i < n && i < evals->recent_len; i++)
        lowest = fmin(lowest, evals->recent[evals->recent_len - 1 - i]);
    return lowest - evals->best;
}

/* That of the last evaluations is rough itself: in a long row of them it is too low now and then.
 * 1.0233: what the mean bend of white noise is short of its deviation. */
static double noise_since_best(const struct tv_evals *evals)
{
    double noise = tv_evals_noise(evals);
    if (evals->since_best <= TV_EVALS_RECENT)
        return noise;
    return fmax(noise, 1.0233 * evals->bends / (double)evals->since_best);
}

/* The best of k evaluations around one level lies 0.68 ln k deviations below it (within 0.1 up to
 * k = 9, at most 0.6 more than that up to 100: order statistics of the normal distribution). What
 * was forgotten since the best is taken to lie as the last ones do. */
static double luck_of_best(const struct tv_evals *evals, double noise)
{
    uint32_t near = 0;
    for (uint32_t i = 0; i < evals->recent_len; i++)
        near += evals->recent[i] <= evals->best + 3 * noise;
    double k = near * fmax(1, (double)evals->since_best / evals->recent_len);
    return near ? 0.68 * log(k) * noise : 0;
}

static double climb_of(const struct tv_evals *evals)
{
    const double *last = evals->recent + evals->recent_len - 1;
    if (evals->since_best < 2 || evals->since_best > 4 || !(last[0] > last[-1]) ||
        !(last[-1] > evals->best))
        return NAN;
    return (last[0] - evals->best) / sqrt(evals->train_variance);
}

struct tv_evals_gap tv_evals_gap(const struct tv_evals *evals, uint32_t n)
{
    double noise = noise_since_best(evals);
    struct tv_evals_gap gap = {.noise = noise,
                               .rise = tv_evals_rise(evals, n),
                               .fall = evals->train_best - evals->train_now,
                               .climb = NAN};
    double beyond = gap.rise - luck_of_best(evals, noise);
    gap.rise_sigmas = evals->count < 4 ? NAN : noise > 0 ? beyond / noise : INFINITY;
    if (evals->train_differences < 2) {
        gap.fall_sigmas = NAN;
        return gap;
    }
    /* Fewer bend as much by their course as by noise. */
    bool is_noise = evals->count >= 7 && gap.rise_sigmas < 1;
    gap.climb = is_noise ? NAN : climb_of(evals);
    double error = sqrt(evals->train_variance *
                        (1 / (double)evals->train_best_count + 1 / (double)evals->train_now_count));
    gap.fall_sigmas = error > 0 ? gap.fall / error : gap.fall > 0 ? INFINITY : 0;
    return gap;
}

bool tv_evals_opens(const struct tv_evals *evals, const struct tv_evals_gap *gap, double sigmas)
{
    if (evals->train_len == 0 || !(gap->rise > 0) || !(gap->fall >= gap->rise))
        return false;
    if (isnan(gap->rise_sigmas))
        return gap->fall_sigmas > sigmas;
    /* The largest of n normal deviates is near sqrt(2 ln n). */
    double largest = sqrt(2 * log((double)evals->since_best));
    return gap->rise_sigmas > fmax(1, largest) && gap->fall_sigmas > 2 &&
           hypot(gap->rise_sigmas, gap->fall_sigmas) > sigmas;
}

bool tv_evals_climbs(const struct tv_evals *evals, const struct tv_evals_gap *gap, double points,
                     double sigmas)
{
    double needed = evals->best_step == evals->first_step ? 2 * sigmas : sigmas;
    return gap->climb > points && gap->fall_sigmas > needed;
}

bool tv_evals_widens(const struct tv_evals *evals, double trend)
{
    size_t len = evals->since_best < evals->recent_len ? evals->since_best : evals->recent_len;
    size_t from = evals->recent_len - len;
    return tv_mann_kendall(evals->recent + from, len) > 1.64 &&
           tv_mann_kendall(evals->levels + from, len) < -trend;
}

double tv_evals_interval(const struct tv_evals *evals)
{
    if (evals->count < 2)
        return 0;
    return ((double)evals->last_step - (double)evals->first_step) / (double)(evals->count - 1);
}
