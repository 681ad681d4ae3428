/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "schedule/kinds.h"
#include <string.h>

#define SHAPE(shape)                                                                               \
    {                                                                                              \
        TV_P_SHAPE, TV_SHAPE_##shape                                                               \
    }
#define WAVES                                                                                      \
    {                                                                                              \
        TV_P_PERIODIC, 1                                                                           \
    }
#define UP_TO_END                                                                                  \
    {                                                                                              \
        TV_P_HOLD, NAN                                                                             \
    } /* the decay's length is given, the hold is what remains */
#define ROOT                                                                                       \
    {                                                                                              \
        TV_P_POWER, 0.5                                                                            \
    }
#define FROM_ONE                                                                                   \
    {                                                                                              \
        TV_P_WARM_SHIFT, 1                                                                         \
    } /* the first step has 1/W of the peak */
#define FROM_ONE_1                                                                                 \
    {TV_P_WARM_SHIFT, 1},                                                                          \
    {                                                                                              \
        TV_P_WARM_SPAN, 1                                                                          \
    }
#define LAST_WARM                                                                                  \
    {                                                                                              \
        TV_P_MODE, 1                                                                               \
    } /* step W is still the warm-up's */
#define TOTAL     TV_KIND_NEEDS_TOTAL
#define NO_WARMUP TV_KIND_NO_WARMUP
#define METRIC    (TV_KIND_FOLLOWS_METRIC | TV_KIND_NO_WARMUP)
#define NOTHING                                                                                    \
    {                                                                                              \
        0                                                                                          \
    }

static const struct tv_schedule_kind kinds[] = {
    /* transformers/optimization.py v4.0.0 to v5.15.0 */
    {"transformers", "constant", tv_constant_lr, NO_WARMUP, {NOTHING}},
    {"transformers", "constant_with_warmup", tv_decay_lr, 0, {SHAPE(NONE)}},
    {"transformers", "linear", tv_decay_lr, TOTAL, {NOTHING}},
    {"transformers", "cosine", tv_decay_lr, TOTAL, {SHAPE(COSINE), WAVES}},
    {"transformers", "cosine_with_restarts", tv_hard_restarts_lr, TOTAL, {{TV_P_CYCLES, 1}}},
    {"transformers", "polynomial", tv_decay_lr, TOTAL, {SHAPE(POLYNOMIAL), {TV_P_FLOOR, 1e-7}}},
    {"transformers", "inverse_sqrt", tv_power_law_lr, 0, {ROOT, {TV_P_SHIFT, NAN}}},
    {"transformers", "cosine_with_min_lr", tv_decay_lr, TOTAL, {SHAPE(COSINE), WAVES}},
    {"transformers",
     "cosine_warmup_with_min_lr",
     tv_decay_lr,
     TOTAL,
     {SHAPE(COSINE), WAVES, FROM_ONE, {TV_P_SHIFT, 1}}},
    {"transformers", "warmup_stable_decay", tv_decay_lr, TOTAL, {SHAPE(COSINE), UP_TO_END}},
    {"transformers", "reduce_lr_on_plateau", NULL, METRIC, {NOTHING}},
    {"transformers", "greedy", NULL, METRIC, {NOTHING}},

    /* formulas of guides: the constant rate warms up */
    {"plain", "constant", tv_decay_lr, 0, {SHAPE(NONE)}},
    {"plain", "linear", tv_decay_lr, TOTAL, {NOTHING}},
    {"plain", "cosine", tv_decay_lr, TOTAL, {SHAPE(COSINE), WAVES}},
    {"plain", "warmup", tv_warmup_only_lr, 0, {NOTHING}},

    /* axolotl/utils/schedulers.py 067b021c */
    {"axolotl", "cosine", tv_decay_lr, TOTAL, {SHAPE(COSINE), WAVES}},
    {"axolotl",
     "cosine_quadratic_warmup",
     tv_decay_lr,
     TOTAL,
     {SHAPE(COSINE), WAVES, {TV_P_WARM_SHAPE, TV_SHAPE_POLYNOMIAL}}},
    {"axolotl", "cosine_constant", tv_decay_lr, TOTAL, {SHAPE(COSINE)}},
    {"axolotl", "rex", tv_decay_lr, TOTAL, {SHAPE(REX)}},
    {"axolotl", "one_cycle", tv_phases_lr, TOTAL | NO_WARMUP, {{TV_P_MODE, 2}}},
    {"axolotl", "jagged", tv_jagged_lr, TOTAL, {NOTHING}},

    /* deepspeed/runtime/lr_schedules.py 38327e07, edaa7221 */
    {"deepspeed", "WarmupLR", tv_deepspeed_lr, 0, {SHAPE(NONE)}},
    {"deepspeed", "WarmupDecayLR", tv_deepspeed_lr, TOTAL, {NOTHING}},
    {"deepspeed", "WarmupCosineLR", tv_deepspeed_lr, TOTAL, {SHAPE(COSINE), {TV_P_SHIFT, 1}}},
    {"deepspeed",
     "OneCycle",
     tv_triangle_lr,
     NO_WARMUP,
     {{TV_P_MODE, TV_TRIANGLE_ONCE}, {TV_P_CYCLES, 0}, {TV_P_EXTRA2, 0}, {TV_P_GAMMA, 0}}},
    {"deepspeed", "LRRangeTest", tv_range_test_lr, NO_WARMUP, {{TV_P_MODE, 1}}},

    /* megatron/core/optimizer_param_scheduler.py d98e8a64 */
    {"megatron", "constant", tv_decay_lr, 0, {SHAPE(NONE)}},
    {"megatron", "linear", tv_decay_lr, TOTAL, {LAST_WARM}},
    {"megatron", "cosine", tv_decay_lr, TOTAL, {SHAPE(COSINE), LAST_WARM}},
    {"megatron", "inverse-square-root", tv_power_law_lr, TOTAL, {ROOT, {TV_P_MODE, 2}}},
    {"megatron", "WSD", tv_decay_lr, TOTAL, {SHAPE(HALVING), UP_TO_END, LAST_WARM}},

    /* torch/optim/lr_scheduler.py 1.13.0 */
    {"torch", "StepLR", tv_stairs_lr, NO_WARMUP, {{TV_P_GAMMA, 0.1}}},
    {"torch", "MultiStepLR", tv_stairs_lr, NO_WARMUP, {{TV_P_GAMMA, 0.1}, {TV_P_MODE, 2}}},
    {"torch", "ExponentialLR", tv_stairs_lr, NO_WARMUP, {{TV_P_MODE, 1}, {TV_P_PERIOD, 1}}},
    {"torch", "ConstantLR", tv_phases_lr, NO_WARMUP, {NOTHING}},
    {"torch", "LinearLR", tv_phases_lr, NO_WARMUP, {NOTHING}},
    {"torch", "OneCycleLR", tv_phases_lr, NO_WARMUP, {{TV_P_MODE, 2}}},
    {"torch", "PolynomialLR", tv_decay_lr, NO_WARMUP, {SHAPE(POLYNOMIAL), {TV_P_END, 5}}},
    {"torch", "CosineAnnealingLR", tv_decay_lr, NO_WARMUP, {SHAPE(COSINE), WAVES}},
    {"torch",
     "CosineAnnealingWarmRestarts",
     tv_cycles_lr,
     NO_WARMUP,
     {SHAPE(COSINE), {TV_P_MODE, 1}, {TV_P_CYCLES, INFINITY}}},
    {"torch", "CyclicLR", tv_triangle_lr, NO_WARMUP, {NOTHING}},
    {"torch", "SequentialLR", tv_sequence_lr, NO_WARMUP, {NOTHING}},
    {"torch", "ChainedScheduler", tv_chain_lr, NO_WARMUP, {NOTHING}},
    {"torch", "ReduceLROnPlateau", NULL, METRIC, {NOTHING}},

    /* pytorch_warmup/base.py ed598d3a */
    {"pytorch_warmup", "LinearWarmup", tv_factor_lr, NO_WARMUP, {NOTHING}},
    {"pytorch_warmup", "ExponentialWarmup", tv_factor_lr, NO_WARMUP, {SHAPE(EXPONENTIAL)}},
    {"pytorch_warmup", "RAdamWarmup", tv_radam_lr, NO_WARMUP, {NOTHING}},
    {"pytorch_warmup", "warmup", tv_dampened_lr, NO_WARMUP, {NOTHING}},

    /* torchtitan/components/lr_scheduler.py b5bcd76c */
    {"torchtitan", "linear", tv_decay_lr, TOTAL, {FROM_ONE, UP_TO_END, WAVES}},
    {"torchtitan", "sqrt", tv_decay_lr, TOTAL, {SHAPE(SQRT), FROM_ONE, UP_TO_END, WAVES}},
    {"torchtitan", "cosine", tv_decay_lr, TOTAL, {SHAPE(COSINE), FROM_ONE, UP_TO_END, WAVES}},

    /* olmo/optim.py 59a53e3f */
    {"olmo", "constant", tv_constant_lr, NO_WARMUP, {NOTHING}},
    {"olmo", "constant_with_warmup", tv_decay_lr, 0, {SHAPE(NONE), {TV_P_START_RATIO, 0.1}}},
    {"olmo",
     "cosine_with_warmup",
     tv_decay_lr,
     TOTAL,
     {SHAPE(COSINE), {TV_P_START_RATIO, 0.1}, {TV_P_FLOOR_RATIO, 0.1}}},
    {"olmo",
     "linear_with_warmup",
     tv_decay_lr,
     TOTAL,
     {{TV_P_START_RATIO, 0.1}, {TV_P_FLOOR_RATIO, 0.1}}},
    {"olmo",
     "cosine_linear_envelope",
     tv_decay_lr,
     TOTAL,
     {SHAPE(COSINE_LINEAR), {TV_P_START_RATIO, 0.1}, {TV_P_FLOOR_RATIO, 0.1}}},
    {"olmo", "inverse_sqrt_with_warmup", tv_power_law_lr, 0, {ROOT, {TV_P_START_RATIO, 0.1}}},
    {"olmo",
     "max_scheduler",
     tv_max_lr,
     TOTAL,
     {SHAPE(COSINE), ROOT, {TV_P_START_RATIO, 0.1}, {TV_P_FLOOR_RATIO, 0.1}}},

    /* olmo_core/optim/scheduler.py fa6c5014 */
    {"olmocore", "ConstantScheduler", tv_constant_lr, NO_WARMUP, {NOTHING}},
    {"olmocore", "ConstantWithWarmup", tv_decay_lr, 0, {SHAPE(NONE)}},
    {"olmocore", "WSD", tv_decay_lr, TOTAL, {UP_TO_END, LAST_WARM}},
    {"olmocore", "PowerLR", tv_power_tail_lr, TOTAL, {{TV_P_POWER, 0.51}}},
    {"olmocore", "LinearWithWarmup", tv_decay_lr, TOTAL, {{TV_P_FLOOR_RATIO, 0.1}}},
    {"olmocore",
     "InvSqrtWithWarmup",
     tv_power_law_lr,
     0,
     {ROOT, {TV_P_MODE, 1}, {TV_P_FLOOR_RATIO, 0.1}}},
    {"olmocore", "CosWithWarmup", tv_decay_lr, TOTAL, {SHAPE(COSINE), {TV_P_FLOOR_RATIO, 0.1}}},
    {"olmocore", "HalfCosWithWarmup", tv_second_half_lr, TOTAL, {{TV_P_FLOOR_RATIO, 0.1}}},
    {"olmocore",
     "CosWithWarmupAndLinearDecay",
     tv_decay_tail_lr,
     TOTAL,
     {SHAPE(COSINE), {TV_P_FLOOR_RATIO, 0.1}}},
    {"olmocore", "ExponentialScheduler", tv_decay_lr, TOTAL, {SHAPE(GEOMETRIC)}},
    {"olmocore", "WSDS", tv_phases_lr, NO_WARMUP, {{TV_P_MODE, 1}}},
    {"olmocore", "ComposableScheduler", tv_phases_lr, NO_WARMUP, {NOTHING}},
    {"olmocore", "SequentialScheduler", tv_sequence_lr, NO_WARMUP, {{TV_P_MODE, 1}}},

    /* fairseq/optim/lr_scheduler/ 3d262bb2 */
    {"fairseq", "fixed", tv_decay_lr, 0, {SHAPE(NONE), FROM_ONE}},
    {"fairseq",
     "cosine",
     tv_cycles_lr,
     0,
     {SHAPE(COSINE), {TV_P_MODE, 2}, {TV_P_CYCLES, INFINITY}, {TV_P_GAMMA, 0.1}}},
    {"fairseq", "inverse_sqrt", tv_power_law_lr, 0, {ROOT}},
    {"fairseq", "polynomial_decay", tv_decay_lr, TOTAL, {SHAPE(POLYNOMIAL), LAST_WARM}},
    {"fairseq", "step", tv_stairs_lr, 0, {{TV_P_GAMMA, 0.5}, {TV_P_PERIOD, 25000}}},
    {"fairseq",
     "tri_stage",
     tv_decay_lr,
     0,
     {SHAPE(GEOMETRIC), {TV_P_START_RATIO, 0.01}, {TV_P_FLOOR_RATIO, 0.01}}},
    {"fairseq",
     "triangular",
     tv_triangle_lr,
     NO_WARMUP,
     {{TV_P_MODE, TV_TRIANGLE_PEAK_BY_CYCLE}, {TV_P_GAMMA, 0.1}}},
    {"fairseq", "manual", tv_phases_lr, NO_WARMUP, {NOTHING}},
    {"fairseq", "reduce_lr_on_plateau", NULL, METRIC, {NOTHING}},

    /* timm/scheduler/ aa4b5850 */
    {"timm", "cosine", tv_cycles_lr, 0, {SHAPE(COSINE), {TV_P_CYCLES, 1}, {TV_P_GAMMA, 0.1}}},
    {"timm",
     "tanh",
     tv_cycles_lr,
     0,
     {SHAPE(TANH), {TV_P_CYCLES, 1}, {TV_P_GAMMA, 0.1}, {TV_P_MODE, 4}}},
    {"timm", "poly", tv_cycles_lr, 0, {SHAPE(POLYNOMIAL), {TV_P_CYCLES, 1}, {TV_P_GAMMA, 0.1}}},
    {"timm", "step", tv_stairs_lr, 0, {{TV_P_GAMMA, 0.1}}},
    {"timm", "multistep", tv_stairs_lr, 0, {{TV_P_GAMMA, 0.1}, {TV_P_MODE, 2}, {TV_P_EXTRA, 1}}},
    {"timm", "plateau", NULL, METRIC, {NOTHING}},

    /* mmengine/optim/scheduler/param_scheduler.py 25434293: the parts are torch's kinds */
    {"mmengine", "param_scheduler", tv_chain_lr, NO_WARMUP, {NOTHING}},
    {"mmengine", "CosineRestartLR", tv_phases_lr, NO_WARMUP, {NOTHING}},
    {"mmengine", "ReduceOnPlateauLR", NULL, METRIC, {NOTHING}},

    /* nemo/core/optim/lr_scheduler.py 8cfedd72 */
    {"nemo", "WarmupPolicy", tv_decay_lr, 0, {SHAPE(NONE), FROM_ONE_1, {TV_P_CLAMP, 1}}},
    {"nemo", "WarmupHoldPolicy", tv_decay_lr, 0, {SHAPE(NONE), FROM_ONE_1, {TV_P_CLAMP, 1}}},
    {"nemo", "CosineAnnealing", tv_decay_lr, TOTAL, {SHAPE(COSINE), FROM_ONE_1}},
    {"nemo",
     "SquareAnnealing",
     tv_decay_lr,
     TOTAL,
     {SHAPE(POLYNOMIAL), FROM_ONE_1, {TV_P_POWER, 2}, {TV_P_CLAMP, 1}, {TV_P_FLOOR, 1e-5}}},
    {"nemo",
     "SquareRootAnnealing",
     tv_decay_lr,
     TOTAL,
     {SHAPE(POLYNOMIAL), FROM_ONE_1, ROOT, {TV_P_CLAMP, 1}}},
    {"nemo", "WarmupAnnealing", tv_decay_lr, TOTAL, {FROM_ONE_1}},
    {"nemo",
     "InverseSquareRootAnnealing",
     tv_power_law_lr,
     0,
     {ROOT, FROM_ONE_1, {TV_P_SHIFT, 1}, {TV_P_MODE, 3}}},
    {"nemo", "T5InverseSquareRootAnnealing", tv_power_law_lr, NO_WARMUP, {ROOT, {TV_P_MODE, 3}}},
    {"nemo", "NoamAnnealing", tv_noam_lr, 0, {ROOT}},
    {"nemo", "NoamHoldAnnealing", tv_power_law_lr, 0, {ROOT, FROM_ONE_1, {TV_P_MODE, 2}}},
    {"nemo", "PolynomialDecayAnnealing", tv_decay_lr, TOTAL, {SHAPE(POLYNOMIAL), FROM_ONE_1}},
    {"nemo", "PolynomialHoldDecayAnnealing", tv_decay_lr, TOTAL, {SHAPE(POLYNOMIAL), FROM_ONE_1}},
    {"nemo", "WarmupHoldAnnealLinear", tv_decay_lr, TOTAL, {FROM_ONE_1}},
    {"nemo",
     "WarmupHoldAnnealOneMinusSquareRoot",
     tv_decay_lr,
     TOTAL,
     {SHAPE(SQRT), FROM_ONE_1, {TV_P_CLAMP, 1}}},

    /* ultralytics/engine/trainer.py, v8.0 to 8.4: by epoch, the warm-up by batch */
    {"ultralytics", "linear", tv_epochs_lr, TOTAL, {NOTHING}},
    {"ultralytics", "cosine", tv_epochs_lr, TOTAL, {SHAPE(COSINE)}},

    /* karpathy/nanoGPT train.py 3adf61e */
    {"nanogpt", "cosine", tv_decay_lr, TOTAL, {SHAPE(COSINE), FROM_ONE_1}},
    {"nanogpt", "constant", tv_constant_lr, NO_WARMUP, {NOTHING}},

    /* optax/schedules/_schedule.py 2edbcbe2 */
    {"optax", "constant_schedule", tv_constant_lr, NO_WARMUP, {NOTHING}},
    {"optax", "linear_schedule", tv_decay_lr, NO_WARMUP, {NOTHING}},
    {"optax", "polynomial_schedule", tv_decay_lr, NO_WARMUP, {SHAPE(POLYNOMIAL)}},
    {"optax", "cosine_decay_schedule", tv_decay_lr, NO_WARMUP, {SHAPE(COSINE)}},
    {"optax", "exponential_decay", tv_stairs_lr, NO_WARMUP, {{TV_P_MODE, 1}}},
    {"optax", "warmup_constant_schedule", tv_decay_lr, 0, {SHAPE(NONE)}},
    {"optax", "warmup_cosine_decay_schedule", tv_decay_lr, 0, {SHAPE(COSINE)}},
    {"optax", "warmup_exponential_decay_schedule", tv_stairs_lr, 0, {{TV_P_MODE, 1}}},
    {"optax", "linear_onecycle_schedule", tv_phases_lr, NO_WARMUP, {NOTHING}},
    {"optax", "cosine_onecycle_schedule", tv_phases_lr, NO_WARMUP, {NOTHING}},
    {"optax", "piecewise_constant_schedule", tv_phases_lr, NO_WARMUP, {NOTHING}},
    {"optax", "piecewise_interpolate_schedule", tv_phases_lr, NO_WARMUP, {NOTHING}},
    {"optax", "join_schedules", tv_sequence_lr, NO_WARMUP, {NOTHING}},
    {"optax", "sgdr_schedule", tv_sequence_lr, NO_WARMUP, {NOTHING}},
};

#define KINDS (sizeof kinds / sizeof *kinds)

const struct tv_schedule_kind *tv_kind_find(const char *framework, const char *name)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (!strcmp(kinds[i].framework, framework) && !strcmp(kinds[i].name, name))
            return &kinds[i];
    }
    return NULL;
}

void tv_kind_defaults(const struct tv_schedule_kind *kind, double param[TV_SCHEDULE_PARAMS])
{
    static const enum tv_schedule_param open[] = {TV_P_END, TV_P_FLOOR, TV_P_START, TV_P_DECAY,
                                                  TV_P_TIMESCALE};
    static const enum tv_schedule_param one[] = {TV_P_POWER, TV_P_GAMMA, TV_P_GROWTH, TV_P_STRIDE,
                                                 TV_P_EXTRA2};
    memset(param, 0, TV_SCHEDULE_PARAMS * sizeof *param);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        param[open[i]] = NAN;
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        param[one[i]] = 1.0;
    param[TV_P_CYCLES] = 0.5;
    for (size_t i = 0; i < TV_KIND_FIXED; i++) {
        if (kind->fixed[i].param != 0 || kind->fixed[i].value != 0.0)
            param[kind->fixed[i].param] = kind->fixed[i].value;
    }
}

const char *tv_schedule_name(const struct tv_schedule *schedule)
{
    return schedule->kind ? schedule->kind->name : "unknown";
}

const char *tv_schedule_kind_name(const char *framework, size_t index)
{
    for (size_t i = 0; i < KINDS; i++)
        if (!strcmp(kinds[i].framework, framework) && index-- == 0)
            return kinds[i].name;
    return NULL;
}

bool tv_schedule_follows_metric(const struct tv_schedule *schedule)
{
    return schedule->kind && (schedule->kind->flags & TV_KIND_FOLLOWS_METRIC);
}

bool tv_schedule_set_kind(struct tv_schedule *schedule, const char *name)
{
    const struct tv_schedule_kind *kind =
        schedule->framework ? tv_kind_find(schedule->framework, name) : NULL;
    if (!kind)
        kind = tv_kind_find("transformers", name);
    for (size_t i = 0; !kind && i < KINDS; i++) {
        if (!strcmp(kinds[i].name, name))
            kind = &kinds[i];
    }
    if (!kind)
        return false;
    schedule->kind = kind;
    tv_kind_defaults(kind, schedule->param);
    schedule->table_len = 0;
    schedule->parts = 0;
    return true;
}
