/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happened in the middle of the run: asked only when nothing explains the whole. */
#include "lib/lr_work.h"
#include <math.h>

static void apply_shift(struct tv_lr_model *model, double value)
{
    model->shift = value;
}

static void apply_restart(struct tv_lr_model *model, double value)
{
    model->shift = -value;
}

/* A schedule that comes back to where it was can go on as promised for a while after it began
 * anew. */
#define UNNOTICED 0.15 /* share of the steps so far */

static void try_restart(struct tv_lr_work *work, double first, double gap)
{
    struct tv_lr_search search = {.apply = apply_restart,
                                  .low = fmax(1, first - fmax(3 * gap + 1, UNNOTICED * first)),
                                  .high = first,
                                  .is_integer = true};
    tv_lr_try_search(work, TV_LR_RESTARTED, &work->late, &search);
}

void tv_lr_try_late(struct tv_lr_work *work)
{
    if (work->early_len < 2 || work->late.len < TV_LR_FAILS)
        return;
    double first = (double)work->late.at[0].step;
    double gap = fmax(1, first - (double)work->all.at[work->early_len - 1].step);
    double total = work->input->promise->total_steps;
    try_restart(work, first, gap);
    struct tv_lr_search search = {.apply = apply_shift,
                                  .low = -first,
                                  .high = isfinite(total) ? total : 4 * first,
                                  .is_integer = true};
    if (!work->found[0].is_exact)
        tv_lr_try_search(work, TV_LR_SHIFTED, &work->late, &search);
    search = (struct tv_lr_search){.apply = tv_lr_apply_total,
                                   .low = fmax(1, total / 50),
                                   .high = total * 50,
                                   .is_log = true,
                                   .is_integer = true};
    if (isfinite(total) && total > 0)
        tv_lr_try_search(work, TV_LR_NEW_TOTAL, &work->late, &search);
    tv_lr_try_scaled(work, TV_LR_JUMPED, &work->late);
    tv_lr_try_constant(work, TV_LR_STOPPED, &work->late);
}
