/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Megatron-LM counts samples; here everything is divided by the global batch, so that a step is an
 * iteration. Source: megatron/core/optimizer_param_scheduler.py and megatron/training/training.py
 * d98e8a64. */
#include "schedule/framework.h"
#include "trainvet/number.h"
#include <string.h>

struct samples {
    double batch, train, decay, warmup;
};

static enum tv_status count(const struct tv_facts *facts, struct samples *n,
                            struct tv_error *reterr)
{
    double micro = tv_get_number(facts, "micro_batch_size"),
           parallel = tv_get_number(facts, "data_parallel_size");
    double iterations = tv_get_number(facts, "train_iters"),
           fraction = tv_get_number(facts, "lr_warmup_fraction");
    n->batch = tv_get_number_or(facts, "global_batch_size", micro * parallel);
    if (!(n->batch >= 1))
        return tv_fail(reterr, TV_AGAIN, "global_batch_size is not given");
    bool by_iteration = iterations > 0 && !tv_has(facts, "train_samples");
    if (by_iteration) {
        n->train = iterations * n->batch;
        n->decay = tv_get_number_or(facts, "lr_decay_iters", iterations) * n->batch;
        n->warmup = tv_get_number_or(facts, "lr_warmup_iters", 0) * n->batch;
    } else {
        n->train = tv_get_number(facts, "train_samples");
        n->decay = tv_get_number_or(facts, "lr_decay_samples", n->train);
        n->warmup = tv_get_number_or(facts, "lr_warmup_samples", 0);
    }
    if (isnan(n->train))
        return tv_fail(reterr, TV_AGAIN, "neither train_iters nor train_samples is given");
    if (!isnan(fraction)) {
        if (n->warmup > 0)
            return tv_fail(reterr, TV_ECONFIG,
                           "lr_warmup_fraction cannot be given with a warm-up in %s",
                           by_iteration ? "iterations" : "samples");
        n->warmup = fraction * n->decay;
    }
    return TV_OK;
}

static enum tv_status check(const struct tv_schedule *s, const struct samples *n,
                            struct tv_error *reterr)
{
    double low = s->param[TV_P_FLOOR], start = s->param[TV_P_START];
    if (low < 0 || s->peak < low)
        return tv_fail(reterr, TV_ECONFIG, "min_lr (%g) must lie between 0 and lr (%g)", low,
                       s->peak);
    if (start < 0 || s->peak < start)
        return tv_fail(reterr, TV_ECONFIG, "lr_warmup_init (%g) must lie between 0 and lr (%g)",
                       start, s->peak);
    if (!(n->decay > 0))
        return tv_fail(reterr, TV_ECONFIG, "the decay must take more than 0 samples");
    if (n->warmup >= n->decay)
        return tv_fail(reterr, TV_ECONFIG,
                       "the warm-up (%.10g samples) must be shorter than the decay (%.10g samples)",
                       n->warmup, n->decay);
    return TV_OK;
}

static enum tv_status stable_decay(const struct tv_facts *facts, const struct samples *n,
                                   struct tv_schedule *s, struct tv_error *reterr)
{
    static const struct {
        const char *name;
        enum tv_shape shape;
    } styles[] = {{"exponential", TV_SHAPE_HALVING},
                  {"linear", TV_SHAPE_LINEAR},
                  {"cosine", TV_SHAPE_COSINE},
                  {"minus_sqrt", TV_SHAPE_SQRT}};
    const char *style = tv_get_text(facts, "lr_wsd_decay_style");
    double length = tv_get_number(facts, "lr_wsd_decay_iters");
    s->param[TV_P_DECAY] = tv_has(facts, "train_samples")
                               ? tv_get_number(facts, "lr_wsd_decay_samples") / n->batch
                               : length;
    if (isnan(s->param[TV_P_DECAY]))
        return tv_fail(reterr, TV_ECONFIG,
                       "lr_decay_style WSD needs lr_wsd_decay_iters or lr_wsd_decay_samples");
    for (size_t i = 0; style && i < sizeof styles / sizeof *styles; i++) {
        if (!strcmp(styles[i].name, style)) {
            s->param[TV_P_SHAPE] = styles[i].shape;
            return TV_OK;
        }
    }
    return style ? tv_fail(reterr, TV_ECONFIG,
                           "lr_wsd_decay_style must be exponential, linear, cosine or minus_sqrt")
                 : TV_OK;
}

/* "['16', '8', '3000000']", as str() writes the list, or its members: start, increment, samples. */
static bool ramp_of(const struct tv_facts *facts, double ramp[3])
{
    struct tv_scope top = tv_scope_top(facts);
    const char *text = tv_get_text(facts, "rampup_batch_size");
    if (!text)
        return tv_in_list(&top, "rampup_batch_size", ramp, 3) == 3;
    for (int i = 0; i < 3; i++) {
        text += strcspn(text, "0123456789");
        struct tv_span digits = {text, strspn(text, "0123456789")};
        if (!tv_parse_double(digits, &ramp[i]))
            return false;
        text += digits.len;
    }
    return true;
}

/* The last iteration with which no more than so many full batches are consumed. */
static double iterations_until(const struct tv_schedule *s, double batches)
{
    double low = 0, high = ceil(batches / s->param[TV_P_RAMP_FROM]) + 1;
    while (high - low > 1) {
        double middle = floor((low + high) / 2);
        if (middle == low || middle == high)
            break;
        if (tv_schedule_consumed(s, middle) <= batches + 1e-9)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static enum tv_status ramp_up(const struct tv_facts *facts, const struct samples *n,
                              struct tv_schedule *s, struct tv_error *reterr)
{
    double ramp[3];
    if (!tv_has(facts, "rampup_batch_size") && !tv_has_prefix(facts, "rampup_batch_size."))
        return TV_OK;
    if (!ramp_of(facts, ramp))
        return tv_fail(reterr, TV_ECONFIG,
                       "rampup_batch_size takes three numbers: start, increment and samples");
    if (tv_get_number(facts, "train_iters") > 0 && !tv_has(facts, "train_samples"))
        return tv_fail(
            reterr, TV_ECONFIG,
            "rampup_batch_size needs train_samples: Megatron refuses it with train_iters");
    double steps = (n->batch - ramp[0]) / ramp[1];
    if (ramp[0] == n->batch || ramp[2] == 0)
        return TV_OK;
    if (!(ramp[0] >= 1 && ramp[1] >= 1 && steps >= 1 && steps == floor(steps)))
        return tv_fail(reterr, TV_ECONFIG,
                       "rampup_batch_size must lead from its start (%g) to global_batch_size (%g) "
                       "in whole increments (%g)",
                       ramp[0], n->batch, ramp[1]);
    s->param[TV_P_RAMP] = ramp[2] / n->batch;
    s->param[TV_P_RAMP_FROM] = ramp[0] / n->batch;
    s->param[TV_P_RAMP_STEP] = ramp[1] / n->batch;
    s->total_steps = iterations_until(s, n->train / n->batch);
    if (s->warmup_steps > 0)
        tv_schedule_note(s,
                         "while the batch grows, the warm-up of %.10g samples ends with step %.0f",
                         n->warmup, iterations_until(s, s->warmup_steps));
    return TV_OK;
}

static enum tv_status resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr)
{
    const char *style = tv_get_text(facts, "lr_decay_style");
    struct samples n = {0};
    ret->peak = tv_get_number(facts, "lr");
    ret->offset_known = true;
    enum tv_status status = tv_schedule_start(ret, "megatron", style ? style : "linear", reterr);
    if (status == TV_OK)
        status = count(facts, &n, reterr);
    if (status != TV_OK)
        return status;
    ret->param[TV_P_FLOOR] = tv_get_number_or(facts, "min_lr", 0);
    ret->param[TV_P_START] = tv_get_number_or(facts, "lr_warmup_init", 0);
    status = check(ret, &n, reterr);
    if (status != TV_OK)
        return status;
    ret->total_steps = floor(n.train / n.batch);
    ret->warmup_steps = n.warmup / n.batch;
    ret->param[TV_P_END] = n.decay / n.batch;
    ret->param[TV_P_TIMESCALE] = fmax(n.warmup, 1) / n.batch;
    if (!strcmp(ret->kind->name, "WSD"))
        status = stable_decay(facts, &n, ret, reterr);
    if (status == TV_OK)
        status = ramp_up(facts, &n, ret, reterr);
    return status == TV_OK ? tv_schedule_complete(ret, reterr) : status;
}

static bool owns(const struct tv_facts *facts)
{
    return tv_has(facts, "lr_decay_style") ||
           (tv_has(facts, "train_iters|train_samples") && tv_has(facts, "lr"));
}

const struct tv_framework tv_framework_megatron = {"megatron", owns, resolve};
