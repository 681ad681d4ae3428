/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEDULE_FRAMEWORK_H
#define SCHEDULE_FRAMEWORK_H
/* One row a framework: how its settings are recognised and how they become a schedule. */
#include "model/facts.h"
#include "schedule/kinds.h"
#include "schedule/lookup.h"
#include "trainvet/error.h"

struct tv_framework {
    const char *name;
    /* Whether these settings can only be this framework's; asked in the order of resolve.c. */
    bool (*owns)(const struct tv_facts *facts);
    /* As tv_schedule_resolve; *ret is zeroed but for its framework. */
    enum tv_status (*resolve)(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr);
};

extern const struct tv_framework tv_framework_transformers, tv_framework_llamafactory,
    tv_framework_accelerate, tv_framework_lightning, tv_framework_plain, tv_framework_axolotl,
    tv_framework_deepspeed, tv_framework_megatron, tv_framework_torch, tv_framework_pytorch_warmup,
    tv_framework_torchtitan, tv_framework_olmo, tv_framework_olmocore, tv_framework_fairseq,
    tv_framework_timm, tv_framework_mmengine, tv_framework_nemo, tv_framework_optax,
    tv_framework_ultralytics, tv_framework_nanogpt, tv_framework_trl;

/* Gives the schedule this kind with its defaults; TV_EUNSUPPORTED when the framework has none of
 * that name. */
enum tv_status tv_schedule_start(struct tv_schedule *schedule, const char *framework,
                                 const char *name, struct tv_error *reterr);
/* Sets a parameter unless the value is NaN. */
static inline void tv_set(struct tv_schedule *schedule, enum tv_schedule_param param, double value)
{
    if (!isnan(value))
        schedule->param[param] = value;
}
/* The last check: peak known, and the total where the kind needs it. */
enum tv_status tv_schedule_complete(const struct tv_schedule *schedule, struct tv_error *reterr);

/* One scheduler of several. Its peak, total and warm-up are the schedule's, 0 and NaN until set. */
enum tv_status tv_part_start(struct tv_schedule_part *part, const char *framework, const char *name,
                             struct tv_error *reterr);
/* Appends to the schedule's table what the part is to find in its own; TV_ELIMIT when it is full.
 */
enum tv_status tv_part_table(struct tv_schedule *schedule, struct tv_schedule_part *part,
                             const double *values, int len, struct tv_error *reterr);
/* The schedule is this part alone. */
void tv_schedule_take(struct tv_schedule *schedule, const struct tv_schedule_part *part);
/* Another part of the schedule, zeroed; NULL when there are too many. */
struct tv_schedule_part *tv_schedule_add_part(struct tv_schedule *schedule,
                                              struct tv_error *reterr);

/* The DeepSpeed scheduler in this scope ("type", "params"); "auto" and what is absent comes from
 * the schedule's peak, total and warm-up (deepspeed.c). */
enum tv_status tv_deepspeed_kind(const struct tv_scope *scheduler, int version,
                                 struct tv_schedule *schedule, struct tv_error *reterr);
/* A torch scheduler (torch.c) of this name with its arguments, whose lengths count `unit` steps
 * each. part->peak must be set; with part->end, what is left out comes from part's range. */
enum tv_status tv_torch_part(const struct tv_scope *args, const char *name, double unit,
                             struct tv_schedule *schedule, struct tv_schedule_part *part,
                             struct tv_error *reterr);
/* The initial learning rate that the next scheduler finds on the optimizer. */
double tv_torch_initial(const struct tv_scope *args, const struct tv_schedule_part *part,
                        bool is_first);
/* The phases of a one-cycle policy: peak is reached at pct_start of `total` steps. */
enum tv_status tv_one_cycle(const struct tv_scope *args, double total, double pct_start,
                            struct tv_schedule *schedule, struct tv_schedule_part *part,
                            struct tv_error *reterr);

/* The run's length, and how often the scheduler steps, by Lightning's rules (lightning.c): each
 * epoch unless lr_scheduler.interval is "step". */
enum tv_status tv_lightning_steps(const struct tv_facts *facts, struct tv_schedule *schedule,
                                  struct tv_error *reterr);

/* The scheduler of this name with transformers' keyword arguments (hf.c); peak, total and warm-up
 * are set. */
enum tv_status tv_hf_kind(const struct tv_facts *facts, const char *name,
                          struct tv_schedule *schedule, struct tv_error *reterr);

#endif
