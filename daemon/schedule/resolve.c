/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "schedule/resolve.h"
#include "schedule/framework.h"
#include "schedule/numbers.h"
#include "trainvet/text.h"
#include <string.h>
#include <strings.h>

/* The most peculiar keys first. */
static const struct tv_framework *const frameworks[] = {
    &tv_framework_accelerate,
    &tv_framework_llamafactory,
    &tv_framework_megatron,
    &tv_framework_mmengine,
    &tv_framework_fairseq,
    &tv_framework_nemo,
    &tv_framework_olmocore,
    &tv_framework_olmo,
    &tv_framework_optax,
    &tv_framework_torchtitan,
    &tv_framework_axolotl,
    &tv_framework_timm,
    &tv_framework_ultralytics,
    &tv_framework_nanogpt,
    &tv_framework_trl,
    &tv_framework_plain,
    &tv_framework_transformers,
    &tv_framework_deepspeed,
    &tv_framework_pytorch_warmup,
    &tv_framework_torch,
    &tv_framework_lightning,
    NULL,
};

static void without_separators(const char *from, char *to, size_t cap)
{
    size_t len = 0;
    for (; *from && len + 1 < cap; from++)
        if (!strchr("-_ ", *from))
            to[len++] = *from;
    to[len] = '\0';
}

/* "OLMo-core" is olmocore. */
static bool is_name(const char *name, const char *written)
{
    char one[64], other[64];
    without_separators(name, one, sizeof one);
    without_separators(written, other, sizeof other);
    return !strcasecmp(one, other);
}

static const struct tv_framework *find(const char *name)
{
    static const char *const other[][2] = {{"hf", "transformers"},
                                           {"huggingface", "transformers"},
                                           {"megatronlm", "megatron"},
                                           {"yolo", "ultralytics"},
                                           {"pytorch", "torch"}};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (is_name(other[i][0], name))
            name = other[i][1];
    const struct tv_framework *const *f = frameworks;
    while (*f && !is_name((*f)->name, name))
        f++;
    return *f;
}

const char *tv_framework_name(const char *written)
{
    const struct tv_framework *framework = find(written);
    return framework ? framework->name : NULL;
}

/* Not only what the log counts itself. */
static bool has_settings(const struct tv_facts *facts)
{
    for (size_t i = 0; i < facts->len; i++)
        if (strncmp(facts->entries[i]->key, "log.", 4) != 0)
            return true;
    return false;
}

/* The framework that is named if its keys are there, else the one whose keys are: a logger's file
 * (Lightning's hparams.yaml) holds settings of whatever was trained, and a log without settings
 * promises nothing. What the user says is not doubted. */
static const struct tv_framework *detect(const struct tv_facts *facts)
{
    if (!has_settings(facts))
        return NULL;
    const struct tv_fact_entry *fact = tv_facts_get(facts, "framework");
    const struct tv_framework *named = fact ? find(fact->value) : NULL;
    bool said = fact && fact->source == TV_FACT_COMMAND_LINE;
    bool guessed = named == &tv_framework_transformers && fact->source == TV_FACT_LOG;
    if (guessed && tv_framework_accelerate.owns(facts)) /* by names that both have */
        return &tv_framework_accelerate;
    if (said || (named && named->owns(facts)))
        return named;
    const struct tv_framework *const *f = frameworks;
    while (*f && !(*f)->owns(facts))
        f++;
    return *f;
}

static enum tv_status resolve_by(const struct tv_framework *framework, const struct tv_facts *facts,
                                 struct tv_schedule *ret, struct tv_error *reterr)
{
    memset(ret, 0, sizeof *ret);
    ret->peak = ret->total_steps = ret->warmup_steps = NAN;
    ret->framework = framework->name;
    return framework->resolve(facts, ret, reterr);
}

enum tv_status tv_schedule_resolve_as(const struct tv_facts *facts, const char *framework,
                                      struct tv_schedule *ret, struct tv_error *reterr)
{
    return resolve_by(find(framework), facts, ret, reterr);
}

enum tv_status tv_schedule_resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                                   struct tv_error *reterr)
{
    memset(ret, 0, sizeof *ret);
    ret->peak = ret->total_steps = ret->warmup_steps = NAN;
    const struct tv_framework *framework = detect(facts);
    const char *named = tv_get_text(facts, "framework");
    char safe[64];
    if (!framework && named && !find(named))
        return tv_fail(reterr, TV_EUNSUPPORTED, "the schedules of %s are not known",
                       tv_escape(tv_span_of(named), safe, sizeof safe));
    if (!framework)
        return tv_fail(reterr, TV_AGAIN, "no setting says which learning-rate schedule to expect");
    bool is_hf = framework == &tv_framework_transformers ||
                 framework == &tv_framework_llamafactory || framework == &tv_framework_trl;
    if (tv_numbers_check(facts, is_hf, reterr) != TV_OK) {
        bool own_loop = framework == &tv_framework_lightning ||
                        framework == &tv_framework_accelerate || framework == &tv_framework_plain;
        ret->framework = framework->name;
        return own_loop ? TV_AGAIN : TV_ECONFIG; /* who knows what a project makes of it */
    }
    return resolve_by(framework, facts, ret, reterr);
}

enum tv_status tv_schedule_start(struct tv_schedule *schedule, const char *framework,
                                 const char *name, struct tv_error *reterr)
{
    const struct tv_schedule_kind *kind = tv_kind_find(framework, name);
    char safe[64];
    bool is_closed = !strcmp(framework, "transformers") || !strcmp(framework, "megatron") ||
                     !strcmp(framework, "torchtitan"); /* they take names from a list */
    if (!kind)
        return tv_fail(reterr, is_closed ? TV_ECONFIG : TV_EUNSUPPORTED,
                       "%s has no scheduler named %s that is known", framework,
                       tv_escape(tv_span_of(name), safe, sizeof safe));
    schedule->kind = kind;
    tv_kind_defaults(kind, schedule->param);
    if (kind->flags & TV_KIND_NO_WARMUP && isnan(schedule->warmup_steps))
        schedule->warmup_steps = 0;
    return TV_OK;
}

enum tv_status tv_schedule_complete(const struct tv_schedule *schedule, struct tv_error *reterr)
{
    if (isnan(schedule->peak))
        return tv_fail(reterr, TV_AGAIN, "the learning rate is not given");
    bool total = schedule->kind->flags & TV_KIND_NEEDS_TOTAL;
    if (total && isnan(schedule->total_steps) && isnan(schedule->param[TV_P_END]))
        return tv_fail(reterr, TV_AGAIN, "the number of steps is not known");
    if (isnan(schedule->warmup_steps) && !(schedule->kind->flags & TV_KIND_NO_WARMUP))
        return tv_fail(reterr, TV_AGAIN, "the number of warm-up steps is not known");
    return TV_OK;
}

enum tv_status tv_part_start(struct tv_schedule_part *part, const char *framework, const char *name,
                             struct tv_error *reterr)
{
    struct tv_schedule alone = {0};
    enum tv_status status = tv_schedule_start(&alone, framework, name, reterr);
    part->kind = alone.kind;
    part->end = INFINITY;
    part->total_steps = NAN;
    memcpy(part->param, alone.param, sizeof part->param);
    return status;
}

enum tv_status tv_part_table(struct tv_schedule *schedule, struct tv_schedule_part *part,
                             const double *values, int len, struct tv_error *reterr)
{
    if (len < 0 || schedule->table_len + len > TV_SCHEDULE_TABLE)
        return tv_fail(reterr, TV_ELIMIT, "the schedule has more than %d milestones",
                       TV_SCHEDULE_TABLE);
    memcpy(schedule->table + schedule->table_len, values, (size_t)len * sizeof *values);
    part->table_at = schedule->table_len;
    part->table_len = len;
    schedule->table_len += len;
    return TV_OK;
}

void tv_schedule_take(struct tv_schedule *schedule, const struct tv_schedule_part *part)
{
    schedule->kind = part->kind;
    schedule->peak = part->peak;
    schedule->warmup_steps = part->warmup_steps;
    if (!isnan(part->total_steps))
        schedule->total_steps = part->total_steps;
    memcpy(schedule->param, part->param, sizeof schedule->param);
}

struct tv_schedule_part *tv_schedule_add_part(struct tv_schedule *schedule, struct tv_error *reterr)
{
    if (schedule->parts == TV_SCHEDULE_PARTS) {
        tv_fail(reterr, TV_ELIMIT, "the schedule is made of more than %d schedulers",
                TV_SCHEDULE_PARTS);
        return NULL;
    }
    return &schedule->part[schedule->parts++];
}
