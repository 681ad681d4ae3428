/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps per epoch from logged epochs: a trainer that was told epochs and not steps has no other
 * place that says it. transformers logs (micro-batches done) / (micro-batches an epoch), rounded to
 * two decimals before 4.40. */
#include "engine/run.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define DECIMALS_MAX 5
#define SURE         0.05 /* relative width of the estimate that is told */
#define STEPS_MAX    1e15 /* of an epoch; more is no count */
#define TELLINGS_MAX 200  /* a series that changes its mind so often does not count epochs */

/* Decimals that a value needs, at least `known`, DECIMALS_MAX + 1 for more; event files hold
 * float32. */
static int decimals_of(double epoch, int known)
{
    static const double scales[DECIMALS_MAX + 1] = {1, 1e1, 1e2, 1e3, 1e4, 1e5};
    int decimals = known;
    for (; decimals <= DECIMALS_MAX; decimals++) {
        double scaled = epoch * scales[decimals];
        if (fabs(scaled - round(scaled)) <= 1.2e-7 * scaled)
            break;
    }
    return decimals;
}

static void tell(struct tv_run *run, double length, double width)
{
    struct tv_epoch_length *epoch = &run->epoch;
    epoch->told_width = width;
    if (length == epoch->told || epoch->tellings == TELLINGS_MAX || !(length < STEPS_MAX))
        return;
    epoch->tellings++;
    char text[32];
    int len = snprintf(text, sizeof text, "%" PRId64, (int64_t)length);
    struct tv_fact fact = {.key = tv_span_of("log.steps_per_epoch"),
                           .value = {text, (size_t)len},
                           .source = TV_FACT_LOG};
    tv_facts_add(tv_run_facts(run), &fact, "logged epochs");
    epoch->told = length;
}

/* Epochs that nobody rounded all give the same whole number. */
static bool is_exact(struct tv_epoch_length *length, double ratio)
{
    if (length->points > 0 && length->exact == 0)
        return false;
    bool is_whole = fabs(ratio - round(ratio)) <= 3e-7 * ratio;
    if (length->points++ == 0)
        length->exact = is_whole ? round(ratio) : 0;
    else if (!is_whole || round(ratio) != length->exact)
        length->exact = 0;
    return length->exact > 0 && length->points >= 3;
}

/* What every epoch so far allows, if it was rounded to the most decimals seen. */
static void narrow(struct tv_epoch_length *length, double step, double epoch)
{
    static const double half_of[DECIMALS_MAX + 1] = {0.5, 0.5e-1, 0.5e-2, 0.5e-3, 0.5e-4, 0.5e-5};
    double half = length->decimals > DECIMALS_MAX
                      ? 2e-7 * epoch
                      : half_of[length->decimals < 2 ? 2 : length->decimals];
    double low = step / (epoch + half), high = epoch > half ? step / (epoch - half) : INFINITY;
    bool agrees = length->high > 0 && low <= length->high && high >= length->low;
    length->low = agrees ? fmax(low, length->low) : low;
    length->high = agrees ? fmin(high, length->high) : high;
}

void tv_epoch_forget(struct tv_run *run)
{
    if (run->epoch.told) {
        struct tv_fact fact = {.key = tv_span_of("log.steps_per_epoch"),
                               .value = tv_span_of(""),
                               .is_null = true,
                               .source = TV_FACT_LOG};
        tv_facts_add(tv_run_facts(run), &fact, "logged epochs");
    }
    run->epoch = (struct tv_epoch_length){.tellings = run->epoch.tellings};
}

void tv_epoch_watch(struct tv_run *run, const struct tv_point *point)
{
    struct tv_epoch_length *length = &run->epoch;
    double epoch = point->value, step = (double)point->step;
    if (!(epoch > 0 && epoch < 1e9 && step > 0))
        return;
    length->decimals = decimals_of(epoch, length->decimals);
    bool exact = is_exact(length, step / epoch);
    if (length->decimals == 0)
        return; /* whole numbers count epochs, they do not measure them */
    narrow(length, step, epoch);
    if (exact) {
        tell(run, length->exact, 0);
        return;
    }
    double middle = (length->low + length->high) / 2, width = length->high - length->low;
    bool is_wrong = length->told < floor(length->low) || length->told > ceil(length->high);
    bool is_better = width < length->told_width / 2;
    if (!(width <= SURE * middle) || !(is_wrong || is_better))
        return;
    double whole = round(middle);
    bool has_whole = whole >= length->low - 1e-6 * whole && whole <= length->high + 1e-6 * whole;
    tell(run, fmax(1, has_whole ? whole : ceil(middle)), width);
}
