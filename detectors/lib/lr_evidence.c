/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_evidence.h"
#include "lib/lr_text.h"
#include <math.h>

/* The point since the onset where log and promise are farthest apart. */
static struct tv_lr_point worst_point(const struct tv_lr_case *input, double *ret_expected)
{
    struct tv_lr_point all[TV_LR_POINTS], worst = {0};
    size_t len = tv_lr_points_get(input->points, all);
    double most = -1;
    bool is_late = false;
    *ret_expected = NAN;
    for (size_t i = 0; i < len; i++) {
        is_late |= all[i].step == input->fit.fail_step;
        double expected = tv_lr_fit_expected(&input->fit, input->promise, all[i].step);
        if (!is_late || !(fabs(all[i].value - expected) > most))
            continue;
        most = fabs(all[i].value - expected);
        worst = all[i];
        *ret_expected = expected;
    }
    return worst;
}

static double confidence_of(const struct tv_lr_verdict *verdicts, size_t len)
{
    if (len == 0)
        return 0.5;
    if (!verdicts[0].is_exact)
        return 0.7;
    return len > 1 && verdicts[1].is_exact ? 0.9 : 0.98;
}

void tv_lr_add_evidence(struct tv_note *note, const struct tv_lr_case *input,
                        const struct tv_lr_verdict *verdicts, size_t len)
{
    const struct tv_schedule *promise = input->promise;
    struct tv_finding *finding = note->finding;
    struct tv_lr_point worst = worst_point(input, &finding->expected);
    finding->observed = worst.value;
    finding->confidence = confidence_of(verdicts, len);
    if (worst.value > 5 * promise->peak)
        finding->severity = TV_CRITICAL;
    tv_note_evidence(note, "onset_expected",
                     tv_lr_fit_expected(&input->fit, promise, input->fit.fail_step));
    tv_note_evidence(note, "largest_difference_step", (double)worst.step);
    tv_note_evidence(note, "largest_difference_of_peak",
                     fabs(finding->observed - finding->expected) / promise->peak);
    tv_note_evidence(note, "largest_difference_of_peak_threshold",
                     tv_lr_exactness(input->points, finding->expected, promise->peak) /
                         promise->peak);
    tv_note_evidence(note, "promised_peak", promise->peak);
    if (isfinite(promise->total_steps))
        tv_note_evidence(note, "promised_total_steps", promise->total_steps);
    if (isfinite(promise->warmup_steps))
        tv_note_evidence(note, "promised_warmup_steps", promise->warmup_steps);
    tv_note_evidence(note, "points_compared", (double)input->points->seen);
    if (len == 0)
        return;
    if (isfinite(verdicts[0].value))
        tv_note_evidence(note, tv_lr_value_name(&verdicts[0]), verdicts[0].value);
    tv_note_evidence(note, "residual_best", verdicts[0].residual);
    if (len > 1)
        tv_note_evidence(note, "residual_second", verdicts[1].residual);
}
