/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/contradictions.h"
#include "trainvet/text.h"
#include <math.h>
#include <string.h>
#include <strings.h>

enum rule {
    ANY,
    NAME,      /* text, without case: "SchedulerType.COSINE" is "cosine" */
    POSITIVE,  /* zero and less means "not given" */
    RATIO_TOO, /* since transformers 5 a value below 1 is a ratio that replaced a 0 */
    BATCH      /* saved by loggers and cards as the product with the GPUs of one process */
};

/* Only what decides about the schedule, in the spellings that mean exactly the same. */
static const struct {
    const char *keys[4];
    enum rule rule;
} settings[] = {
    {{"learning_rate", "lr"}, ANY},
    {{"lr_scheduler_type", "lr_scheduler"}, NAME},
    {{"warmup_steps", "num_warmup_steps"}, RATIO_TOO},
    {{"warmup_ratio"}, ANY},
    {{"max_steps", "num_training_steps"}, POSITIVE},
    {{"num_train_epochs"}, ANY},
    {{"per_device_train_batch_size"}, BATCH},
    {{"gradient_accumulation_steps"}, ANY},
    {{"world_size", "num_processes"}, ANY},
    {{"max_grad_norm"}, ANY},
    {{"weight_decay"}, ANY},
    {{"lr_scheduler_kwargs.num_cycles"}, ANY},
    {{"lr_scheduler_kwargs.power"}, ANY},
    {{"lr_scheduler_kwargs.lr_end"}, ANY},
    {{"lr_scheduler_kwargs.min_lr"}, ANY},
    {{"lr_scheduler_kwargs.min_lr_rate"}, ANY},
    {{"lr_scheduler_kwargs.num_stable_steps"}, ANY},
    {{"lr_scheduler_kwargs.num_decay_steps"}, ANY},
};

static const char *scheduler_name(const char *text)
{
    const char *dot = strrchr(text, '.');
    return dot ? dot + 1 : text;
}

static bool is_stated(const struct tv_fact_entry *entry, enum rule rule)
{
    double value;
    if (entry->is_null || entry->source == TV_FACT_LOG || entry->value[0] == '\0' ||
        strcasecmp(entry->value, "auto") == 0 || strcasecmp(entry->value, "none") == 0)
        return false;
    return rule != POSITIVE || !tv_fact_number(entry, &value) || value > 0;
}

static bool is_multiple(double a, double b)
{
    double large = fmax(a, b), small = fmin(a, b);
    return small > 0 && fmod(large, small) == 0;
}

static bool is_saved_copy(const struct tv_fact_entry *entry)
{
    return entry->source == TV_FACT_HPARAMS || entry->source == TV_FACT_MODEL_CARD;
}

static bool agree(const struct tv_fact_entry *a, const struct tv_fact_entry *b, enum rule rule)
{
    double x, y;
    if (rule == NAME)
        return strcasecmp(scheduler_name(a->value), scheduler_name(b->value)) == 0;
    if (!tv_fact_number(a, &x) || !tv_fact_number(b, &y))
        return strcmp(a->value, b->value) == 0;
    if (rule == RATIO_TOO && (x == 0 || y == 0) && fmax(x, y) < 1)
        return true;
    if (rule == BATCH && (is_saved_copy(a) || is_saved_copy(b)) && is_multiple(x, y))
        return true;
    /* cards and text summaries may have been printed with fewer digits */
    return fabs(x - y) <= 1e-6 * fmax(fabs(x), fabs(y)) || (isnan(x) && isnan(y));
}

/* The newest stated value of each kind of source, over all spellings. */
static void collect(const struct tv_facts *facts, const char *const *keys, enum rule rule,
                    const struct tv_fact_entry *by_source[TV_FACT_LOG])
{
    for (size_t i = 0; i < 4 && keys[i]; i++) {
        const struct tv_fact_entry *entry = tv_map_get(&facts->by_key, tv_span_of(keys[i]));
        for (; entry; entry = entry->weaker)
            if (is_stated(entry, rule) && !by_source[entry->source])
                by_source[entry->source] = entry;
    }
}

size_t tv_facts_contradictions(const struct tv_facts *facts, struct tv_contradiction *list,
                               size_t cap)
{
    size_t len = 0;
    double steps;
    bool counts_steps = tv_facts_number(facts, "max_steps", &steps) && steps > 0;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const struct tv_fact_entry *by_source[TV_FACT_LOG] = {NULL}, *used = NULL;
        if (counts_steps && strcmp(settings[i].keys[0], "num_train_epochs") == 0)
            continue;
        collect(facts, settings[i].keys, settings[i].rule, by_source);
        for (int source = 0; source < TV_FACT_LOG; source++) {
            const struct tv_fact_entry *entry = by_source[source];
            if (entry && used && len < cap && !agree(used, entry, settings[i].rule))
                list[len++] = (struct tv_contradiction){settings[i].keys[0], used, entry};
            used = used ? used : entry;
        }
    }
    return len;
}

const char *tv_contradiction_text(const struct tv_contradiction *contradiction, char *buffer,
                                  size_t cap)
{
    const struct tv_fact_entry *used = contradiction->used, *other = contradiction->other;
    char raw[1024], where[300];
    struct tv_text text = tv_text_in(raw, sizeof raw);
    tv_text_add(&text, "%s is %.64s in %.200s, which counts,", contradiction->setting, used->value,
                tv_facts_where(used, where, sizeof where));
    tv_text_add(&text, " but %.64s in %.200s", other->value,
                tv_facts_where(other, where, sizeof where));
    return tv_escape((struct tv_span){raw, text.len}, buffer, cap);
}
