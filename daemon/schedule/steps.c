/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "schedule/steps.h"
#include "schedule/lookup.h"
#include "schedule/version.h"
#include <math.h>
#include <string.h>

enum tv_answer tv_since(struct tv_versions versions, int version)
{
    if (versions.low >= version)
        return TV_YES;
    return versions.high < version ? TV_NO : TV_MAYBE;
}

static bool wrote(const struct tv_facts *facts, const char *key)
{
    const struct tv_fact_entry *entry = tv_facts_get(facts, key);
    for (; entry; entry = entry->weaker) {
        if (entry->source == TV_FACT_RUN_ARGS)
            return true;
    }
    return false;
}

struct tv_versions tv_transformers_versions(const struct tv_facts *facts)
{
    int exact = tv_version_parse(tv_get_text(facts, "transformers_version|Transformers"));
    const struct tv_fact_entry *version = tv_facts_get(facts, "framework_version");
    const char *framework = tv_get_text(facts, "framework");
    /* what stands in a file is the version of transformers; a person means the framework named */
    bool of_other = version && version->source == TV_FACT_COMMAND_LINE && framework &&
                    strcmp(framework, "transformers") != 0;
    if (exact == TV_VERSION_UNKNOWN && version && !of_other)
        exact = tv_version_parse(version->value);
    if (exact != TV_VERSION_UNKNOWN)
        return (struct tv_versions){exact, exact};
    struct tv_versions range = {0, TV_VERSION_HEAD};
    /* trainer_state.json has best_global_step since 4.50. TrainingArguments.to_dict() holds all
     * fields: evaluation_strategy up to 4.50, overwrite_output_dir up to 4.57. */
    if (tv_get_true(facts, "trainer_state.has_best_global_step", false))
        range.low = TV_VERSION(4, 50, 0);
    if (!wrote(facts, "prediction_loss_only"))
        return range;
    if (wrote(facts, "evaluation_strategy"))
        range.high = TV_VERSION(4, 50, 999);
    else if (wrote(facts, "eval_strategy"))
        range.low = TV_VERSION(4, 51, 0);
    if (wrote(facts, "overwrite_output_dir") && range.high > TV_VERSION(4, 999, 999))
        range.high = TV_VERSION(4, 999, 999);
    return range;
}

static void read_settings(const struct tv_facts *facts, struct tv_steps *s)
{
    s->versions = tv_transformers_versions(facts);
    s->samples = tv_get_number(facts, "num_samples|num_examples");
    s->batch = tv_get_number_or(
        facts,
        "per_device_train_batch_size|train_batch_size|per_gpu_train_batch_size|train.batch_size",
        8);
    s->gpus = fmax(1, tv_get_number_or(facts, "n_gpu", 1));
    s->accumulation =
        tv_get_number_or(facts, "gradient_accumulation_steps|train.gradient_accumulation_steps", 1);
    s->world = tv_get_number(facts, "world_size|num_devices|num_processes");
    s->epochs = tv_get_number_or(facts, "num_train_epochs|num_epochs|train.num_train_epochs", 3);
    s->drop_last = tv_get_true(facts, "dataloader_drop_last", false);
    s->max_steps = tv_get_number_or(facts, "max_steps|training_steps", -1);
    s->warmup_steps =
        tv_get_number_or(facts, "warmup_steps|lr_scheduler_warmup_steps|train.warmup_steps", 0);
    s->warmup_ratio =
        tv_get_number(facts, "warmup_ratio|lr_scheduler_warmup_ratio|train.warmup_ratio");
}

static enum tv_status check_settings(const struct tv_steps *s, struct tv_error *reterr)
{
    if (!(s->batch >= 1 && s->batch == floor(s->batch)))
        return tv_fail(reterr, TV_ECONFIG,
                       "per_device_train_batch_size must be a positive integer");
    if (!(s->accumulation >= 1 && s->accumulation == floor(s->accumulation)))
        return tv_fail(reterr, TV_ECONFIG,
                       "gradient_accumulation_steps must be a positive integer");
    if (s->warmup_ratio < 0 || s->warmup_ratio > 1)
        return tv_fail(reterr, TV_ECONFIG, "warmup_ratio must lie in range [0,1]");
    if (s->warmup_steps < 0)
        return tv_fail(reterr, TV_ECONFIG, "warmup_steps must not be negative");
    return TV_OK;
}

/* len(dataloader) of one process, schedules 4.31: the batches are dealt out; before: the samples
 * were. */
static double dataloader_length(const struct tv_steps *s, double world)
{
    double batch = s->batch * s->gpus;
    if (tv_since(s->versions, TV_VERSION(4, 31, 0)) == TV_NO) {
        double share = world > 1 ? ceil(s->samples / world) : s->samples;
        return s->drop_last ? floor(share / batch) : ceil(share / batch);
    }
    double batches = s->drop_last ? floor(s->samples / batch) : ceil(s->samples / batch);
    return s->drop_last ? floor(batches / world) : ceil(batches / world);
}

static enum tv_status steps_from_samples(struct tv_steps *s, struct tv_error *reterr)
{
    double world = isnan(s->world) ? 1 : s->world;
    s->len_dataloader = dataloader_length(s, world);
    if (s->len_dataloader == 0 && tv_since(s->versions, TV_VERSION(4, 49, 0)) != TV_NO) {
        if (s->max_steps <= 0)
            return tv_fail(reterr, TV_ECONFIG,
                           "the dataloader is empty (%.0f samples, batches of %.0f, %.0f "
                           "processes), so that max_steps "
                           "must be set to a positive value",
                           s->samples, s->batch * s->gpus, world);
        s->steps_per_epoch = s->max_steps;
        return TV_OK;
    }
    enum tv_answer partial = tv_since(s->versions, TV_VERSION(4, 52, 0));
    double groups = s->len_dataloader / s->accumulation;
    s->rounding_assumed = partial == TV_MAYBE && groups != floor(groups);
    s->steps_per_epoch = fmax(1, partial == TV_NO ? floor(groups) : ceil(groups));
    return TV_OK;
}

static void decide_total(const struct tv_facts *facts, struct tv_steps *s)
{
    double counted = tv_get_number(facts, "trainer_state.max_steps|log.total_steps");
    double epoch_length = tv_get_number(facts, "log.steps_per_epoch");
    bool zero_is_given = s->max_steps == 0 && tv_since(s->versions, TV_VERSION(4, 49, 0)) != TV_NO;
    if (s->max_steps > 0 || zero_is_given) {
        s->total = s->max_steps;
        s->total_from = "max_steps";
    } else if (counted > 0) {
        s->total = counted;
        s->total_from = tv_has(facts, "trainer_state.max_steps") ? "trainer_state.max_steps"
                                                                 : "log.total_steps";
    } else if (!isnan(s->steps_per_epoch)) {
        s->total = ceil(s->epochs * s->steps_per_epoch);
        s->total_from = "num_train_epochs";
    } else if (epoch_length >= 1) {
        s->total = ceil(s->epochs * epoch_length);
        s->total_from = "log.steps_per_epoch";
    }
    if (isinf(s->total))
        s->total = NAN;
    if (isnan(s->steps_per_epoch) && epoch_length >= 1)
        s->steps_per_epoch = epoch_length;
}

/* Up to 4.57 positive warmup_steps win over warmup_ratio. From 5.0 on a ratio replaces
 * warmup_steps, and warmup_steps below 1 is itself a ratio. The product is rounded up as a double:
 * 100 * 0.07 gives 8. */
static void decide_warmup(struct tv_steps *s)
{
    bool v5 = tv_since(s->versions, TV_VERSION(5, 0, 0)) == TV_YES;
    bool maybe_v5 = tv_since(s->versions, TV_VERSION(5, 0, 0)) != TV_NO;
    double steps = s->warmup_steps;
    s->warmup_from = steps > 0 ? "warmup_steps" : "default";
    if (!isnan(s->warmup_ratio) && (v5 || steps <= 0)) {
        s->warmup_from = "warmup_ratio";
        if (!v5) {
            s->warmup = s->warmup_ratio == 0 ? 0 : ceil(s->total * s->warmup_ratio);
            return;
        }
        steps = s->warmup_ratio;
    }
    if (steps >= 1)
        s->warmup = maybe_v5 ? floor(steps) : steps;
    else
        s->warmup = maybe_v5 && steps > 0 ? ceil(s->total * steps) : steps;
}

enum tv_status tv_steps_resolve(const struct tv_facts *facts, struct tv_steps *ret,
                                struct tv_error *reterr)
{
    *ret = (struct tv_steps){
        .len_dataloader = NAN, .steps_per_epoch = NAN, .total = NAN, .warmup = NAN};
    read_settings(facts, ret);
    enum tv_status status = check_settings(ret, reterr);
    if (status == TV_OK && ret->samples >= 0)
        status = steps_from_samples(ret, reterr);
    if (status != TV_OK)
        return status;
    decide_total(facts, ret);
    decide_warmup(ret);
    if (isnan(ret->total))
        return tv_fail(reterr, TV_AGAIN,
                       "the number of steps is not known: neither max_steps nor the number of "
                       "samples is given, and "
                       "no log says it");
    return TV_OK;
}
