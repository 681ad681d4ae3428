/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "schedule/numbers.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const names[] = {
    /* transformers and its heirs */
    "learning_rate", "num_train_epochs", "max_steps", "per_device_train_batch_size",
    "gradient_accumulation_steps", "num_epochs", "warmup_steps", "warmup_ratio", "micro_batch_size",
    "lr_scheduler_kwargs.num_cycles", "lr_scheduler_kwargs.power", "lr_scheduler_kwargs.lr_end",
    "lr_scheduler_kwargs.min_lr", "lr_scheduler_kwargs.min_lr_rate",
    "lr_scheduler_kwargs.min_lr_ratio", "lr_scheduler_kwargs.num_decay_steps",
    "lr_scheduler_kwargs.num_stable_steps", "lr_scheduler_kwargs.warmup_lr_rate",
    "lr_scheduler_kwargs.timescale", "cosine_min_lr_ratio", "cosine_constant_lr_ratio",
    /* loops around Accelerate */
    "max_train_steps", "num_training_steps", "num_warmup_steps", "lr_warmup_steps",
    /* DeepSpeed */
    "scheduler.params.warmup_num_steps", "scheduler.params.total_num_steps",
    "scheduler.params.warmup_min_lr", "scheduler.params.warmup_max_lr",
    "scheduler.params.cycle_min_lr", "scheduler.params.cycle_max_lr", "optimizer.params.lr",
    "train_micro_batch_size_per_gpu",
    /* Megatron-LM, nanoGPT, timm, Ultralytics */
    "lr", "min_lr", "train_iters", "lr_decay_iters", "lr_warmup_iters", "lr_warmup_fraction",
    "lr_wsd_decay_iters", "global_batch_size", "warmup_iters", "epochs", "warmup_epochs",
    "warmup_lr", "lr0", "lrf", "warmup_bias_lr", "nbs",
    /* torchtitan, Lightning, NeMo */
    "optimizer.lr", "lr_scheduler.warmup_steps", "lr_scheduler.decay_ratio",
    "lr_scheduler.min_lr_factor", "training.steps", "trainer.max_steps", "trainer.max_epochs",
    "optim.lr", "optim.sched.warmup_steps", "optim.sched.warmup_ratio", "optim.sched.min_lr",
    "optim.sched.max_steps"};

static bool stands_for_one(const char *value)
{
    static const char *const words[] = {"", "auto", "none", "null", "~", "???", "true", "false"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(words[i], value))
            return true;
    return strstr(value, "${") != NULL;
}

/* Counts of steps and samples. */
static bool is_whole(const char *name)
{
    static const char *const whole[] = {"max_steps",
                                        "per_device_train_batch_size",
                                        "gradient_accumulation_steps",
                                        "micro_batch_size",
                                        "max_train_steps",
                                        "train_micro_batch_size_per_gpu",
                                        "train_iters",
                                        "lr_decay_iters",
                                        "lr_warmup_iters",
                                        "lr_wsd_decay_iters",
                                        "global_batch_size",
                                        "training.steps",
                                        "lr_scheduler.warmup_steps",
                                        "trainer.max_steps",
                                        "trainer.max_epochs",
                                        "optim.sched.max_steps"};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (!strcmp(whole[i], name))
            return true;
    return false;
}

enum { NEVER_NULL = 5 };  /* so many names at the start, in TrainingArguments */
enum { NEVER_LISTS = 9 }; /* so many names at the start; others may be lists of one a group */

/* What stands there instead of a number; false when nothing is wrong. */
static bool is_wrong(const struct tv_facts *facts, size_t name, bool is_hf,
                     const struct tv_fact_entry **ret, char *what, size_t cap)
{
    char first[TV_FACT_KEY_MAX];
    double number;
    const struct tv_fact_entry *entry = tv_facts_get(facts, names[name]);
    const struct tv_fact_entry *any = tv_map_get(&facts->by_key, tv_span_of(names[name]));
    snprintf(first, sizeof first, "%s.0", names[name]);
    *ret = entry || name >= NEVER_LISTS ? entry : tv_facts_get(facts, first);
    if (!*ret && is_hf && name < NEVER_NULL && any && any->is_null &&
        any->source == TV_FACT_USER_CONFIG) {
        *ret = any;
        snprintf(what, cap, "null, which is no number");
        return true;
    }
    if (entry && tv_fact_number(entry, &number) && isfinite(number)) {
        snprintf(what, cap, "%.40s, which is no whole number", entry->value);
        return is_whole(names[name]) && number != floor(number);
    }
    if (!*ret || (entry && stands_for_one(entry->value)))
        return false;
    if (entry)
        snprintf(what, cap, "\"%.40s\", which is no number", entry->value);
    else
        snprintf(what, cap, "a list, where one number is needed");
    return true;
}

enum tv_status tv_numbers_check(const struct tv_facts *facts, bool is_hf, struct tv_error *reterr)
{
    const struct tv_fact_entry *entry;
    char raw[sizeof reterr->message] = "", safe[sizeof raw], what[96], where[256];
    size_t len = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!is_wrong(facts, i, is_hf, &entry, what, sizeof what))
            continue;
        int more = snprintf(raw + len, sizeof raw - len, "%s%s is %s (%.80s)", len ? "; " : "",
                            names[i], what, tv_facts_where(entry, where, sizeof where));
        if (more < 0 || (size_t)more >= sizeof raw - len) {
            raw[len] = '\0'; /* the next time, then */
            break;
        }
        len += (size_t)more;
    }
    return len ? tv_fail(reterr, TV_ECONFIG, "%s", tv_escape(tv_span_of(raw), safe, sizeof safe))
               : TV_OK;
}
