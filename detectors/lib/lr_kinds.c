/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another scheduler, or the promised one with another parameter. */
#include "lib/lr_work.h"
#include <math.h>
#include <string.h>

/* Where a framework's schedulers begin, end and stop is said beside their name. */
static void keep_shared(struct tv_schedule *schedule, const struct tv_schedule *promise)
{
    static const enum tv_schedule_param shared[] = {TV_P_END,   TV_P_FLOOR,       TV_P_FLOOR_RATIO,
                                                    TV_P_START, TV_P_START_RATIO, TV_P_STRIDE,
                                                    TV_P_EVERY, TV_P_WARM_SHAPE};
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        schedule->param[shared[i]] = promise->param[shared[i]];
}

/* Its parameters at their defaults or, where it has one that is often changed, at `value`. */
static void try_kind(struct tv_lr_work *work, const char *name, enum tv_schedule_param param,
                     double value, bool is_shared)
{
    struct tv_lr_model model = tv_lr_promised(work);
    if (!tv_schedule_set_kind(&model.schedule, name))
        return;
    if (is_shared)
        keep_shared(&model.schedule, work->input->promise);
    if (!isnan(value))
        model.schedule.param[param] = value;
    bool is_promised = strcmp(name, tv_schedule_name(work->input->promise)) == 0;
    struct tv_lr_verdict verdict = {.cause = is_promised ? TV_LR_PARAMETER : TV_LR_KIND,
                                    .kind = name,
                                    .param = param,
                                    .value = value};
    tv_lr_judge(work, &model, verdict, &work->all, NULL);
}

static void try_own(struct tv_lr_work *work)
{
    const struct tv_schedule *promise = work->input->promise;
    const char *name;
    if (!promise->framework || strcmp(promise->framework, "transformers") == 0)
        return;
    for (size_t i = 0; (name = tv_schedule_kind_name(promise->framework, i)); i++)
        if (strcmp(name, tv_schedule_name(promise)) != 0)
            try_kind(work, name, TV_P_END, NAN, true);
}

void tv_lr_try_kinds(struct tv_lr_work *work)
{
    static const char *const names[] = {"linear",
                                        "cosine",
                                        "constant",
                                        "constant_with_warmup",
                                        "polynomial",
                                        "inverse_sqrt",
                                        "cosine_with_restarts",
                                        "cosine_with_min_lr"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        try_kind(work, names[i], TV_P_END, NAN, false);
    try_own(work);
    for (int cycles = 2; cycles <= 10; cycles++)
        try_kind(work, "cosine_with_restarts", TV_P_CYCLES, cycles, false);
    static const double powers[] = {0.5, 1.5, 2, 3, 4};
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++)
        try_kind(work, "polynomial", TV_P_POWER, powers[i], false);
    double rest = work->input->promise->total_steps - work->input->promise->warmup_steps;
    static const double decays[] = {0.1, 0.2, 0.25, 0.5};
    for (size_t i = 0; i < sizeof decays / sizeof *decays && rest > 0; i++)
        try_kind(work, "warmup_stable_decay", TV_P_DECAY, round(decays[i] * rest), false);
}
