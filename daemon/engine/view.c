/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a detector may ask about its run. */
#include "engine/identify.h"
#include "engine/run.h"
#include "model/tags.h"
#include "schedule/resolve.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

bool tv_view_last(const struct tv_view *view, enum tv_role role, struct tv_point *ret)
{
    const struct tv_role_slot *slot = &view->run->roles[role];
    if (slot->count)
        *ret = slot->last;
    return slot->count != 0;
}

uint64_t tv_view_count(const struct tv_view *view, enum tv_role role)
{
    return view->run->roles[role].count;
}

/* The same text is stored once. */
static const char *keep_escaped(struct tv_run *run, struct tv_span raw, size_t max)
{
    char safe[TV_FACT_VALUE_MAX + 4];
    tv_escape(raw, safe, max < sizeof safe ? max : sizeof safe);
    const char *kept = tv_map_get(&run->texts, tv_span_of(safe));
    if (!kept) {
        kept = tv_arena_text(&run->texts_arena, tv_span_of(safe));
        tv_map_set(&run->texts, tv_span_of(kept), (void *)kept);
    }
    return kept;
}

bool tv_view_is_one_log(const struct tv_view *view, enum tv_role role, enum tv_role other)
{
    const struct tv_series *one = view->run->roles[role].owner,
                           *two = view->run->roles[other].owner;
    return one && two && one->source == two->source;
}

static const char *shown(struct tv_run *run, struct tv_series *series)
{
    if (series->count->shown)
        return series->count->shown;
    char full[TV_TAG_LENGTH_MAX + 64], safe[128];
    struct tv_text text = tv_text_in(full, sizeof full);
    tv_text_add(&text, "%s", series->source->prefix);
    tv_text_add_span(&text, (struct tv_span){series->tag.name, series->tag.len});
    tv_escape((struct tv_span){full, text.len}, safe, sizeof safe);
    series->count->shown = tv_arena_text(&run->arena, tv_span_of(safe));
    return series->count->shown;
}

const char *tv_view_tag(const struct tv_view *view, enum tv_role role)
{
    struct tv_series *owner = view->run->roles[role].owner;
    return owner ? shown(view->run, owner) : NULL;
}

bool tv_view_other_rate(const struct tv_view *view, size_t index, struct tv_point *ret,
                        const char **ret_tag)
{
    struct tv_run *run = view->run;
    for (size_t i = 0; i < run->series_len; i++) {
        struct tv_series *series = run->series[i];
        if (series->role != TV_ROLE_LEARNING_RATE ||
            series == run->roles[TV_ROLE_LEARNING_RATE].owner || series->count->points == 0 ||
            index-- > 0)
            continue;
        *ret = (struct tv_point){.step = series->count->last_step,
                                 .wall_time = NAN,
                                 .value = series->count->last,
                                 .role = TV_ROLE_LEARNING_RATE};
        *ret_tag = shown(run, series);
        return true;
    }
    return false;
}

int tv_view_rate_group(const struct tv_view *view)
{
    const struct tv_series *owner = view->run->roles[TV_ROLE_LEARNING_RATE].owner;
    return owner ? tv_tag_group(owner->source->prefix,
                                (struct tv_span){owner->tag.name, owner->tag.len})
                 : -1;
}

bool tv_view_metric_is_chosen(const struct tv_view *view)
{
    const struct tv_series *owner = view->run->roles[TV_ROLE_EVAL_METRIC].owner;
    const char *chosen = tv_facts_text(tv_run_facts(view->run), "metric_for_best_model");
    return owner && chosen &&
           tv_tag_is_metric(owner->source->prefix,
                            (struct tv_span){owner->tag.name, owner->tag.len}, chosen);
}

int tv_view_metric_direction(const struct tv_view *view)
{
    const struct tv_series *owner = view->run->roles[TV_ROLE_EVAL_METRIC].owner;
    if (!owner)
        return 0;
    if (tv_view_metric_is_chosen(view) &&
        tv_facts_text(tv_run_facts(view->run), "greater_is_better"))
        return tv_facts_true(tv_run_facts(view->run), "greater_is_better") ? 1 : -1;
    return tv_tag_direction(owner->source->prefix,
                            (struct tv_span){owner->tag.name, owner->tag.len});
}

bool tv_view_is_contested(const struct tv_view *view, enum tv_role role)
{
    return view->run->roles[role].contested;
}

static void describe(const struct tv_view *view, const struct tv_fact_entry *entry,
                     struct tv_setting *ret)
{
    char where[512];
    ret->key = keep_escaped(view->run, tv_span_of(entry->key), 128);
    ret->value = keep_escaped(view->run, tv_span_of(entry->value), 256);
    ret->source =
        keep_escaped(view->run, tv_span_of(tv_facts_where(entry, where, sizeof where)), 256);
    ret->is_text = entry->is_string;
    ret->number = NAN;
    tv_parse_double(tv_span_of(entry->value), &ret->number);
}

bool tv_view_setting(const struct tv_view *view, const char *name, struct tv_setting *ret)
{
    const struct tv_fact_entry *entry = tv_facts_get(tv_run_facts(view->run), name);
    if (entry)
        describe(view, entry, ret);
    return entry != NULL;
}

/* What stands behind the last '.' of a key that is not an index. */
static struct tv_span last_name(const char *key)
{
    size_t end = strlen(key), begin;
    for (;;) {
        begin = end;
        while (begin > 0 && key[begin - 1] != '.')
            begin--;
        bool is_index = end > begin && strspn(key + begin, "0123456789") == end - begin;
        if (!is_index || begin == 0)
            return (struct tv_span){key + begin, end - begin};
        end = begin - 1;
    }
}

static bool is_one_of(struct tv_span name, const char *names)
{
    while (*names) {
        size_t len = strcspn(names, "|");
        if (len == name.len && memcmp(names, name.data, len) == 0)
            return true;
        names += len;
        names += *names == '|';
    }
    return false;
}

bool tv_view_setting_named(const struct tv_view *view, const char *names, size_t index,
                           struct tv_setting *ret)
{
    const struct tv_facts *facts = tv_run_facts(view->run);
    for (size_t i = 0; i < facts->len; i++) {
        const char *key = facts->entries[i]->key;
        const struct tv_fact_entry *entry =
            is_one_of(last_name(key), names) ? tv_facts_get(facts, key) : NULL;
        if (entry != facts->entries[i] || index-- > 0)
            continue;
        describe(view, entry, ret);
        return true;
    }
    return false;
}

uint32_t tv_view_settings_version(const struct tv_view *view)
{
    return view->run->resting_facts.version;
}

static bool is_count(double steps)
{
    return steps >= 1 && steps < 1e15;
}

struct tv_promise *tv_run_promise(struct tv_run *run)
{
    return tv_block_open(&run->promise, sizeof(struct tv_promise));
}

/* A log that counts epochs or samples cannot be held against a plan in optimizer steps. */
static bool counts_otherwise(struct tv_run *run, const struct tv_schedule *schedule)
{
    const char *unit = tv_facts_text(tv_run_facts(run), "log.step_unit");
    return unit && !(strcmp(unit, "epoch") == 0 && schedule->by_epoch);
}

static int64_t planned_steps(struct tv_run *run, const struct tv_schedule *schedule)
{
    double total;
    if (counts_otherwise(run, schedule))
        return 0;
    if (tv_facts_number(tv_run_facts(run), "log.total_steps", &total) && is_count(total))
        return (int64_t)total;
    if (is_count(schedule->total_steps))
        return (int64_t)schedule->total_steps;
    if (tv_facts_number(tv_run_facts(run), "max_steps", &total) && is_count(total))
        return (int64_t)total;
    return 0;
}

void tv_run_resolve_again(struct tv_run *run)
{
    struct tv_promise *promise = tv_run_promise(run);
    struct tv_schedule before = promise->schedule;
    run->resolved_facts = run->resting_facts.version + 1;
    run->schedule_status =
        tv_schedule_resolve(tv_run_facts(run), &promise->schedule, &promise->error);
    if (run->schedule_status == TV_OK && counts_otherwise(run, &promise->schedule))
        run->schedule_status =
            tv_fail(&promise->error, TV_AGAIN, "the log counts %ss, the schedule optimizer steps",
                    tv_facts_text(tv_run_facts(run), "log.step_unit"));
    /* zeroed by tv_schedule_resolve() before it is filled: its bytes can be compared */
    if (memcmp(&before, &promise->schedule, sizeof before) != 0) /* NOLINT */
        run->schedule_version++;
    run->total_steps = planned_steps(run, &promise->schedule);
}

const struct tv_schedule *tv_view_schedule(const struct tv_view *view)
{
    tv_run_resolve_schedule(view->run);
    return view->run->schedule_status == TV_OK ? &tv_run_promise(view->run)->schedule : NULL;
}

uint32_t tv_view_schedule_version(const struct tv_view *view)
{
    tv_run_resolve_schedule(view->run);
    return view->run->schedule_version;
}

bool tv_view_schedule_if(const struct tv_view *view, const char *key, const char *value,
                         struct tv_schedule *ret)
{
    struct tv_facts *facts = tv_run_facts(view->run);
    const struct tv_fact_entry *entry = tv_facts_get(facts, key);
    const struct tv_schedule *promise = tv_view_schedule(view);
    if (!entry || !promise)
        return false;
    void *strongest = tv_map_get(&facts->by_key, tv_span_of(key));
    struct tv_fact_entry other = *entry;
    struct tv_error error;
    other.value = value;
    tv_map_set(&facts->by_key, tv_span_of(entry->key), &other);
    bool is_promise = tv_schedule_resolve_as(facts, promise->framework, ret, &error) == TV_OK;
    tv_map_set(&facts->by_key, tv_span_of(entry->key), strongest);
    return is_promise && !counts_otherwise(view->run, ret);
}

const char *tv_view_rejection(const struct tv_view *view)
{
    tv_run_resolve_schedule(view->run);
    return view->run->schedule_status == TV_ECONFIG ? tv_run_promise(view->run)->error.message
                                                    : NULL;
}

int64_t tv_view_total_steps(const struct tv_view *view)
{
    tv_run_resolve_schedule(view->run);
    if (view->run->total_steps)
        return view->run->total_steps;
    double total = tv_rate_identified_total(view->run);
    return is_count(total) ? (int64_t)total : 0;
}

/* The identified schedule when its beginning is certain. */
static const struct tv_schedule *identified(struct tv_run *run)
{
    const struct tv_identity *identity = tv_run_identity(run);
    bool usable = identity && identity->schedule.kind && identity->start_known;
    return usable ? &identity->schedule : NULL;
}

int64_t tv_view_warmup_steps(const struct tv_view *view)
{
    struct tv_run *run = view->run;
    tv_run_resolve_schedule(run);
    double warmup =
        run->schedule_status == TV_OK ? tv_run_promise(run)->schedule.warmup_steps : (double)NAN;
    if (warmup >= 0 && warmup < 1e15)
        return (int64_t)warmup;
    const struct tv_schedule *known = identified(run);
    if (known && known->warmup_steps >= 0 && known->warmup_steps < 1e15)
        return (int64_t)known->warmup_steps;
    if (run->rise.over)
        return run->rise.max_step > run->rise.first_step ? run->rise.max_step : 0;
    return -1;
}

double tv_view_peak_lr(const struct tv_view *view)
{
    struct tv_run *run = view->run;
    tv_run_resolve_schedule(run);
    if (run->schedule_status == TV_OK)
        return tv_run_promise(run)->schedule.peak;
    const struct tv_schedule *known = identified(run);
    if (known)
        return known->peak;
    const struct tv_role_slot *rate = &run->roles[TV_ROLE_LEARNING_RATE];
    return rate->count ? rate->owner->count->max : (double)NAN;
}

int64_t tv_view_first_step(const struct tv_view *view)
{
    return view->run->first_step;
}

int64_t tv_view_step(const struct tv_view *view)
{
    return view->point ? view->point->step : view->run->last_step;
}

uint32_t tv_view_attempt(const struct tv_view *view)
{
    return view->run->attempt;
}

uint32_t tv_view_writer(const struct tv_view *view)
{
    return view->run->roles[view->point->role].seen_marks;
}

int64_t tv_view_resume_step(const struct tv_view *view)
{
    return view->run->attempt ? view->run->resume_step : TV_STEP_UNKNOWN;
}

/* Where results lie beside a log, they are of this training when the log has come to their epoch.
 * transformers rounds epochs to two decimals before 4.40, LLaMA Factory to four; event files hold
 * float32. */
static bool is_at_its_end(const struct tv_run *run)
{
    const struct tv_role_slot *epoch = &run->roles[TV_ROLE_EPOCH];
    double hundredths = run->end_epoch * 100;
    double off = fabs(hundredths - round(hundredths)) < 1e-6 ? 0.00501 : 0.6e-4;
    return run->end_epoch > 0 && epoch->count &&
           fabs(epoch->last.value - run->end_epoch) <= off + 1e-6 * run->end_epoch;
}

bool tv_view_finished(const struct tv_view *view)
{
    int64_t total = tv_view_total_steps(view);
    const struct tv_run *run = view->run;
    bool is_marked = run->end_mark && !(run->foreign && run->end_told == run->foreign);
    return is_marked || is_at_its_end(view->run) ||
           (total > 0 && view->run->last_step != TV_STEP_UNKNOWN && view->run->last_step >= total);
}

bool tv_run_is_finished(struct tv_run *run)
{
    return tv_view_finished(&(struct tv_view){.run = run});
}

double tv_view_now(const struct tv_view *view)
{
    return view->has_now ? view->run->now : NAN;
}

bool tv_view_is_rl(const struct tv_view *view)
{
    return view->run->is_rl;
}
