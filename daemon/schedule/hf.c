/* SPDX-License-Identifier: GPL-2.0-or-later */
/* transformers (get_scheduler, Trainer), and who passes everything on to it: LLaMA Factory, custom
 * Accelerate loops, small Lightning modules. Source: transformers/optimization.py and trainer.py
 * v4.0.0 to v5.15.0, LLaMA-Factory train/trainer_utils.py ff6d4d12, accelerate/scheduler.py
 * 16cb6eb8. */
#include "schedule/follow.h"
#include "schedule/framework.h"
#include "schedule/steps.h"
#include "schedule/version.h"
#include "trainvet/text.h"
#include <ctype.h>
#include <string.h>

#define NAME_MAX_BYTES 64
#define TAKES_NOT      "lr_scheduler_kwargs holds %s, which the scheduler %s does not take"

/* Lower case, without the enum's name: "SchedulerType.COSINE" is "cosine". */
static void scheduler_name(const char *text, char name[NAME_MAX_BYTES])
{
    const char *dot = strrchr(text, '.');
    struct tv_span span = tv_span_trim(tv_span_of(dot ? dot + 1 : text));
    if (!tv_span_copy(span, name, NAME_MAX_BYTES))
        memcpy(name, "?", 2);
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
}

struct hf_case {
    struct tv_schedule *s;
    const struct tv_scope *kwargs;
    struct tv_versions versions;
    bool fills_stable_decay; /* LLaMA Factory gives warmup_stable_decay its lengths */
};

static double kwarg(const struct hf_case *hf, const char *name)
{
    return tv_in_number(hf->kwargs, name, NAN);
}

static enum tv_status polynomial(const struct hf_case *hf, struct tv_error *reterr)
{
    struct tv_schedule *s = hf->s;
    tv_set(s, TV_P_POWER, kwarg(hf, "power"));
    tv_set(s, TV_P_FLOOR, kwarg(hf, "lr_end"));
    if (s->peak <= s->param[TV_P_FLOOR])
        return tv_fail(reterr, TV_ECONFIG,
                       "lr_end (%g) must be smaller than the initial learning rate (%g)",
                       s->param[TV_P_FLOOR], s->peak);
    if (s->total_steps == s->warmup_steps && s->total_steps > 0)
        return tv_fail(reterr, TV_ECONFIG,
                       "the run dies at step %.0f: the polynomial scheduler divides by total minus "
                       "warm-up steps, "
                       "which is zero",
                       s->total_steps);
    return TV_OK;
}

static enum tv_status min_lr(const struct hf_case *hf, struct tv_error *reterr)
{
    struct tv_schedule *s = hf->s;
    double absolute = kwarg(hf, "min_lr"), rate = kwarg(hf, "min_lr_rate");
    if (!isnan(absolute) && !isnan(rate))
        return tv_fail(reterr, TV_ECONFIG,
                       "only one of min_lr and min_lr_rate may be set in lr_scheduler_kwargs");
    if (isnan(absolute) && isnan(rate))
        return tv_fail(reterr, TV_ECONFIG,
                       "one of min_lr or min_lr_rate must be set in lr_scheduler_kwargs");
    tv_set(s, TV_P_FLOOR, absolute);
    tv_set(s, TV_P_FLOOR_RATIO, rate);
    tv_set(s, TV_P_CYCLES, kwarg(hf, "num_cycles"));
    double first = kwarg(hf, "warmup_lr_rate");
    if (!isnan(first) && !strcmp(s->kind->name, "cosine_warmup_with_min_lr")) {
        s->param[TV_P_START_RATIO] = first;
        s->param[TV_P_WARM_SHIFT] = 0;
        s->param[TV_P_WARM_SPAN] = -1;
    }
    return TV_OK;
}

static enum tv_status inverse_sqrt(const struct hf_case *hf, struct tv_error *reterr)
{
    struct tv_schedule *s = hf->s;
    double timescale = kwarg(hf, "timescale");
    enum tv_answer used = tv_since(hf->versions, TV_VERSION(5, 4, 0));
    char unknown[NAME_MAX_BYTES];
    const char *const known[] = {"timescale", NULL};
    if (used == TV_YES && tv_in_unknown(hf->kwargs, known, unknown, sizeof unknown))
        return tv_fail(reterr, TV_ECONFIG, TAKES_NOT, unknown, "inverse_sqrt");
    if (!isnan(timescale) && used == TV_YES)
        s->param[TV_P_TIMESCALE] = timescale;
    else if (!isnan(timescale))
        tv_schedule_note(s, "lr_scheduler_kwargs.timescale has no effect before transformers 5.4%s",
                         used == TV_MAYBE ? " (version not known, an older one assumed)" : "");
    if (s->warmup_steps == 0 && isnan(s->param[TV_P_TIMESCALE]) &&
        tv_since(hf->versions, TV_VERSION(4, 39, 0)) == TV_NO)
        return tv_fail(reterr, TV_ECONFIG,
                       "inverse_sqrt without warm-up divides by zero in this version of "
                       "transformers (before 4.39)");
    return TV_OK;
}

static double shape_of(const struct hf_case *hf, const char *name, double otherwise)
{
    const char *text = tv_in_text(hf->kwargs, name);
    if (!text)
        return otherwise;
    if (!strcmp(text, "linear"))
        return TV_SHAPE_LINEAR;
    if (!strcmp(text, "cosine"))
        return TV_SHAPE_COSINE;
    return !strcmp(text, "1-sqrt") ? TV_SHAPE_SQRT : NAN;
}

/* Since 4.49 num_stable_steps is what remains, num_decay_steps is required and there are
 * shapes; 4.41 to 4.48 wanted both and warmed up from zero. */
static enum tv_status stable_decay(const struct hf_case *hf, struct tv_error *reterr)
{
    struct tv_schedule *s = hf->s;
    double stable = kwarg(hf, "num_stable_steps"), decay = kwarg(hf, "num_decay_steps");
    if (hf->fills_stable_decay) {
        double remaining = s->total_steps - s->warmup_steps;
        stable = isnan(stable) ? floor(remaining / 3) : stable;
        decay = isnan(decay) ? remaining - floor(remaining / 3) : decay;
    }
    bool old = tv_since(hf->versions, TV_VERSION(4, 49, 0)) == TV_NO;
    if (isnan(decay) && !hf->fills_stable_decay)
        return tv_fail(reterr, TV_ECONFIG,
                       "warmup_stable_decay needs num_decay_steps in lr_scheduler_kwargs");
    if (isnan(stable) && old)
        return tv_fail(reterr, TV_ECONFIG,
                       "warmup_stable_decay needs num_stable_steps in lr_scheduler_kwargs before "
                       "transformers 4.49");
    s->param[TV_P_HOLD] = stable;
    s->param[TV_P_DECAY] = decay;
    tv_set(s, TV_P_FLOOR_RATIO, kwarg(hf, "min_lr_ratio"));
    tv_set(s, TV_P_CYCLES, kwarg(hf, "num_cycles"));
    if (old)
        return TV_OK;
    s->param[TV_P_START_RATIO] = s->param[TV_P_FLOOR_RATIO];
    s->param[TV_P_WARM_SHAPE] = shape_of(hf, "warmup_type", TV_SHAPE_LINEAR);
    s->param[TV_P_SHAPE] = shape_of(hf, "decay_type", TV_SHAPE_COSINE);
    if (isnan(s->param[TV_P_WARM_SHAPE]) || isnan(s->param[TV_P_SHAPE]))
        return tv_fail(
            reterr, TV_ECONFIG,
            "warmup_type and decay_type of warmup_stable_decay must be linear, cosine or 1-sqrt");
    return TV_OK;
}

static enum tv_status cycles(const struct hf_case *hf, struct tv_error *reterr)
{
    (void)reterr;
    tv_set(hf->s, TV_P_CYCLES, kwarg(hf, "num_cycles"));
    return TV_OK;
}

static enum tv_status plateau(const struct hf_case *hf, struct tv_error *reterr)
{
    return tv_follow_settings(hf->kwargs, TV_FOLLOW_PLATEAU, hf->s, reterr);
}

static enum tv_status greedy(const struct hf_case *hf, struct tv_error *reterr)
{
    return tv_follow_settings(hf->kwargs, TV_FOLLOW_GREEDY, hf->s, reterr);
}

#define STABLE_DECAY_KEYS                                                                          \
    "num_stable_steps", "num_decay_steps", "warmup_type", "decay_type", "min_lr_ratio", "num_cycles"

/* The keyword arguments that each function takes; others raise a TypeError. No list: kwargs are not
 * passed on. */
static const struct {
    const char *name;
    enum tv_status (*apply)(const struct hf_case *hf, struct tv_error *reterr);
    const char *const *known;
} arguments[] = {
    {"linear", NULL, (const char *const[]){NULL}},
    {"cosine", cycles, (const char *const[]){"num_cycles", NULL}},
    {"cosine_with_restarts", cycles, (const char *const[]){"num_cycles", NULL}},
    {"polynomial", polynomial, (const char *const[]){"lr_end", "power", NULL}},
    {"inverse_sqrt", inverse_sqrt, NULL},
    {"cosine_with_min_lr", min_lr,
     (const char *const[]){"num_cycles", "min_lr", "min_lr_rate", NULL}},
    {"cosine_warmup_with_min_lr", min_lr,
     (const char *const[]){"num_cycles", "min_lr", "min_lr_rate", "warmup_lr_rate", NULL}},
    {"reduce_lr_on_plateau", plateau, NULL},
    {"greedy", greedy, NULL},
    {"warmup_stable_decay", stable_decay, (const char *const[]){STABLE_DECAY_KEYS, NULL}},
};

static enum tv_status apply_arguments(const struct hf_case *hf, const char *name,
                                      struct tv_error *reterr)
{
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
        char unknown[NAME_MAX_BYTES];
        if (strcmp(arguments[i].name, name) != 0)
            continue;
        if (arguments[i].known &&
            tv_in_unknown(hf->kwargs, arguments[i].known, unknown, sizeof unknown))
            return tv_fail(reterr, TV_ECONFIG, TAKES_NOT, unknown, name);
        return arguments[i].apply ? arguments[i].apply(hf, reterr) : TV_OK;
    }
    return TV_OK;
}

/* Source: SchedulerType in transformers/trainer_utils.py, by tag. */
static enum tv_status check_age(const char *name, struct tv_versions versions, bool has_kwargs,
                                struct tv_error *reterr)
{
    static const struct {
        const char *name;
        int since, major, minor;
    } ages[] = {{"inverse_sqrt", TV_VERSION(4, 27, 0), 4, 27},
                {"reduce_lr_on_plateau", TV_VERSION(4, 29, 0), 4, 29},
                {"cosine_with_min_lr", TV_VERSION(4, 40, 0), 4, 40},
                {"warmup_stable_decay", TV_VERSION(4, 41, 0), 4, 41},
                {"cosine_warmup_with_min_lr", TV_VERSION(4, 54, 0), 4, 54},
                {"greedy", TV_VERSION(5, 4, 0), 5, 4}};
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++)
        if (!strcmp(ages[i].name, name) && tv_since(versions, ages[i].since) == TV_NO)
            return tv_fail(reterr, TV_ECONFIG,
                           "lr_scheduler_type %s exists from transformers %d.%d on", name,
                           ages[i].major, ages[i].minor);
    if (has_kwargs && tv_since(versions, TV_VERSION(4, 36, 0)) == TV_NO)
        return tv_fail(reterr, TV_ECONFIG, "lr_scheduler_kwargs exists from transformers 4.36 on");
    return TV_OK;
}

enum tv_status tv_hf_kind(const struct tv_facts *facts, const char *name,
                          struct tv_schedule *schedule, struct tv_error *reterr)
{
    enum tv_status status = tv_schedule_start(schedule, "transformers", name, reterr);
    if (status != TV_OK)
        return status;
    struct tv_kwargs kwargs = tv_kwargs_open(facts, "lr_scheduler_kwargs");
    struct hf_case hf = {.s = schedule,
                         .kwargs = &kwargs.in,
                         .versions = tv_transformers_versions(facts),
                         .fills_stable_decay = !strcmp(schedule->framework, "llamafactory")};
    status = check_age(name, hf.versions, tv_in_any(&kwargs.in), reterr);
    if (status == TV_OK)
        status = apply_arguments(&hf, name, reterr);
    tv_kwargs_close(&kwargs);
    return status;
}

static bool uses_deepspeed(const struct tv_facts *facts)
{
    return tv_has(facts, "deepspeed") || tv_has_prefix(facts, "deepspeed.");
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A DeepSpeed file that lies beside the run is the run's only when the arguments name it, or stand
 * in it. */
static bool is_named_file(const struct tv_facts *facts, const char *key)
{
    const struct tv_fact_entry *entry = tv_facts_get(facts, key);
    const struct tv_fact_entry *name = tv_facts_get(facts, "deepspeed");
    const struct tv_fact_entry *args = tv_facts_get(facts, "lr_scheduler_type");
    if (!args)
        args = tv_facts_get(facts, "learning_rate");
    if (!entry)
        return false;
    if (name)
        return !strcmp(base_name(name->value), base_name(entry->path)) ||
               !strcmp(name->path, entry->path);
    return args && !strcmp(args->path, entry->path);
}

/* Logged before scheduler.step() since 4.51.0; the DeepSpeed engine has stepped already in all
 * versions. */
static void decide_offset(const struct tv_facts *facts, struct tv_versions versions,
                          struct tv_schedule *s)
{
    enum tv_answer before = tv_since(versions, TV_VERSION(4, 51, 0));
    if (uses_deepspeed(facts) || is_named_file(facts, "scheduler.type")) {
        s->offset_known = true;
        return;
    }
    s->log_offset = before != TV_NO;
    s->offset_known = before != TV_MAYBE;
    if (!s->offset_known)
        tv_schedule_note(s, "the version of transformers is not known: the learning rate logged at "
                            "a step may be the "
                            "one before or behind it");
}

/* A "scheduler" block of DeepSpeed replaces lr_scheduler_type. */
static enum tv_status kind_of(const struct tv_facts *facts, const char *name, struct tv_schedule *s,
                              struct tv_error *reterr)
{
    struct tv_scope top = tv_scope_top(facts), inside = tv_scope_in(&top, "deepspeed");
    bool is_inline = tv_has(facts, "deepspeed.scheduler.type");
    struct tv_scope scheduler = tv_scope_in(is_inline ? &inside : &top, "scheduler");
    const struct tv_fact_entry *stray = tv_facts_get(facts, "scheduler.type");
    if (!is_inline && !is_named_file(facts, "scheduler.type")) {
        if (stray)
            tv_schedule_note(s, "%.60s is not used: no setting `deepspeed` names it",
                             base_name(stray->path));
        return tv_hf_kind(facts, name, s, reterr);
    }
    tv_schedule_note(s, "the scheduler of the DeepSpeed configuration replaces lr_scheduler_type");
    return tv_deepspeed_kind(&scheduler, TV_VERSION(0, 17, 1), s, reterr);
}

static void note_steps(const struct tv_steps *steps, struct tv_schedule *s)
{
    if (steps->rounding_assumed && !strcmp(steps->total_from, "num_train_epochs"))
        tv_schedule_note(s, "an epoch's last partial accumulation group counts as a step "
                            "(transformers 4.52 and later)");
    if (isnan(steps->world) && !strcmp(steps->total_from, "num_train_epochs"))
        tv_schedule_note(s, "world_size is not given: one process");
}

static bool owns_transformers(const struct tv_facts *facts)
{
    return tv_has(
        facts,
        "lr_scheduler_type|per_device_train_batch_size|num_train_epochs|lr_scheduler_warmup_ratio|"
        "lr_scheduler_warmup_steps");
}

static bool owns_llamafactory(const struct tv_facts *facts)
{
    return tv_has(facts, "finetuning_type|cutoff_len|train.lr_scheduler_type");
}

/* TRL's configurations, by keys that only one of them has, and their default learning rates.
 * Source: huggingface/trl trl/trainer and trl/experimental, f2cd5771. */
static const struct {
    const char *keys, *name;
    double rate;
} trl_trainers[] = {
    {"num_ppo_epochs|whiten_rewards", "PPO", 3e-6},
    {"rloo_k", "RLOO", 1e-6},
    {"num_generations|steps_per_generation|num_generations_eval", "GRPO", 1e-6},
    {"desirable_weight|undesirable_weight", "KTO", 1e-6},
    {"center_rewards_coefficient", "Reward", 1e-4},
    {"reference_free|precompute_ref_log_probs|label_smoothing|rpo_alpha|ld_alpha|max_prompt_length|"
     "f_divergence_type|sync_ref_model",
     "DPO", 1e-6},
    {"completion_only_loss|assistant_only_loss|dataset_text_field|packing_strategy|eval_packing|"
     "dataset_kwargs",
     "SFT", 2e-5},
};

/* NULL: no key of TRL. */
static const char *trl_trainer(const struct tv_facts *facts, double *rate)
{
    for (size_t i = 0; i < sizeof trl_trainers / sizeof *trl_trainers; i++) {
        if (tv_has(facts, trl_trainers[i].keys)) {
            *rate = trl_trainers[i].rate;
            return trl_trainers[i].name;
        }
    }
    return NULL;
}

static void find_peak(const struct tv_facts *facts, struct tv_schedule *s)
{
    const char *text = tv_get_text(facts, "learning_rate|train.learning_rate");
    const char *trainer =
        strcmp(s->framework, "llamafactory") ? trl_trainer(facts, &s->peak) : NULL;
    double rate = tv_get_number(facts, "learning_rate|train.learning_rate");
    if (!text && !trainer)
        s->peak = 5e-5;
    if (text) /* "auto" and the like: not known */
        s->peak = rate;
    else if (trainer)
        tv_schedule_note(s, "learning_rate is not given: %g is the default of TRL's %sConfig",
                         s->peak, trainer);
    else
        tv_schedule_note(s, "learning_rate is not given: 5e-05 is the default");
}

static bool owns_trl(const struct tv_facts *facts)
{
    double rate;
    return trl_trainer(facts, &rate) &&
           tv_has(facts, "model_name_or_path|dataset_name|per_device_train_batch_size|"
                         "lr_scheduler_type|num_train_epochs|max_steps|learning_rate") &&
           !owns_llamafactory(facts);
}

static enum tv_status resolve_hf(const struct tv_facts *facts, struct tv_schedule *ret,
                                 struct tv_error *reterr)
{
    char name[NAME_MAX_BYTES];
    const char *text = tv_get_text(facts, "lr_scheduler_type|train.lr_scheduler_type");
    scheduler_name(text ? text : "linear", name);
    if (!owns_transformers(facts) && !owns_llamafactory(facts) && !owns_trl(facts))
        return tv_fail(reterr, TV_AGAIN, "no setting says which learning-rate schedule to expect");
    find_peak(facts, ret);
    struct tv_steps steps;
    enum tv_status counted = tv_steps_resolve(facts, &steps, reterr);
    if (counted == TV_ECONFIG)
        return counted;
    ret->total_steps = steps.total;
    ret->warmup_steps = steps.warmup;
    if (steps.steps_per_epoch >= 1 && steps.steps_per_epoch < 1e15)
        ret->steps_per_epoch = (int64_t)steps.steps_per_epoch;
    decide_offset(facts, steps.versions, ret);
    struct tv_error missing;
    if (counted == TV_AGAIN && reterr)
        missing = *reterr;
    enum tv_status status = kind_of(facts, name, ret, reterr);
    if (status != TV_OK)
        return status;
    status = tv_schedule_complete(ret, reterr);
    if (status == TV_AGAIN && counted == TV_AGAIN && reterr)
        *reterr = missing;
    if (counted == TV_OK)
        note_steps(&steps, ret);
    if (!strcmp(name, "constant") && steps.warmup > 0)
        tv_schedule_note(
            ret, "the constant scheduler ignores the warm-up (constant_with_warmup does not)");
    return status;
}

const struct tv_framework tv_framework_trl = {"trl", owns_trl, resolve_hf};
const struct tv_framework tv_framework_transformers = {"transformers", owns_transformers,
                                                       resolve_hf};
const struct tv_framework tv_framework_llamafactory = {"llamafactory", owns_llamafactory,
                                                       resolve_hf};
