/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parser of a source's current file emits. */
#include "engine/run.h"
#include "model/tags.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_START = 64, TABLE_START = 16 };

static void problem(struct tv_source *source, const struct tv_damage *damage)
{
    struct tv_run *run = source->run;
    if (run->on_problem)
        run->on_problem(run->on_problem_ctx, source->input->path, damage);
}

void tv_source_note(struct tv_source *source, const char *what)
{
    problem(source, &(struct tv_damage){.is_note = true, .what = what});
}

/* The slot that holds the tag, or where it belongs. There is always a free one. */
static uint16_t *slot_of(const struct tv_source *source, struct tv_span name)
{
    const struct tv_tag_table *table = &source->tags;
    size_t i = tv_map_hash(name) & (table->cap - 1);
    for (; table->slots[i]; i = (i + 1) & (table->cap - 1)) {
        const struct tv_tag *tag = &source->run->series[table->slots[i] - 1]->tag;
        if (tag->len == name.len && (name.len == 0 || memcmp(tag->name, name.data, name.len) == 0))
            break;
    }
    return &table->slots[i];
}

/* An index into the run's series fits: there are at most TV_RUN_TAGS_MAX. */
static void remember_tag(struct tv_source *source, size_t index)
{
    struct tv_tag_table old = source->tags, *table = &source->tags;
    struct tv_series *const *series = source->run->series;
    if (old.len * 4 >= old.cap * 3) {
        table->cap = old.cap ? old.cap * 2 : TABLE_START;
        table->slots = tv_xcalloc(table->cap, sizeof *table->slots);
        for (size_t i = 0; i < old.cap; i++)
            if (old.slots[i]) {
                const struct tv_tag *tag = &series[old.slots[i] - 1]->tag;
                *slot_of(source, (struct tv_span){tag->name, tag->len}) = old.slots[i];
            }
        free(old.slots);
    }
    const struct tv_tag *tag = &series[index]->tag;
    *slot_of(source, (struct tv_span){tag->name, tag->len}) = (uint16_t)(index + 1);
    table->len++;
}

static struct tv_series *new_series(struct tv_source *source, struct tv_span name)
{
    struct tv_run *run = source->run;
    struct tv_series *series = tv_arena_alloc(&run->arena, sizeof *series + name.len + 1);
    struct tv_role_match match = tv_tag_role(source->prefix, source->parser->name, name);
    if (name.len)
        memcpy(series->name, name.data, name.len);
    series->tag = (struct tv_tag){.name = series->name, .len = (uint32_t)name.len};
    series->role = (uint8_t)match.role;
    series->rank = source->rank * 100 + match.rank;
    series->source = source;
    /* transformers trainer_utils.py, speed_metrics("train", ...), as its TensorBoard callback names
     * it */
    series->tells_end = tv_span_is(name, "train/train_runtime");
    if (match.role != TV_ROLE_OTHER || run->options->only_count) {
        series->count = tv_arena_alloc(&run->arena, sizeof *series->count);
        *series->count = (struct tv_series_count){.min = NAN, .max = NAN, .last = NAN};
    }
    series->tag.is_unwanted = !series->count && !series->tells_end;
    if (match.role == TV_ROLE_REWARD || tv_span_starts(name, "rollout/"))
        run->is_rl = true;
    if (run->series_len == run->series_cap) {
        run->series_cap = run->series_cap ? run->series_cap * 2 : 16;
        run->series = tv_xrealloc(run->series, run->series_cap, sizeof(struct tv_series *));
    }
    run->series[run->series_len++] = series;
    remember_tag(source, run->series_len - 1);
    return series;
}

static struct tv_tag *on_tag(void *ctx, struct tv_span name)
{
    struct tv_source *source = ctx;
    uint16_t known = source->tags.len ? *slot_of(source, name) : 0;
    if (known)
        return &source->run->series[known - 1]->tag;
    if (name.len > TV_TAG_LENGTH_MAX || source->run->series_len >= TV_RUN_TAGS_MAX) {
        if (!source->run->said_tags_full)
            tv_source_note(source, name.len > TV_TAG_LENGTH_MAX
                                       ? "a tag of more than 1024 bytes is ignored"
                                       : "more than 4096 tags: new ones are ignored");
        source->run->said_tags_full = true;
        return NULL;
    }
    return &new_series(source, name)->tag;
}

static inline void count(struct tv_series_count *series, const struct tv_sample *sample)
{
    if (series->points++ == 0)
        series->first_step = sample->step;
    series->last_step = sample->step;
    double value = sample->value;
    series->last = value;
    if (!isfinite(value)) {
        series->non_finite++;
        return;
    }
    if (!(value >= series->min))
        series->min = value;
    if (!(value <= series->max))
        series->max = value;
}

static void enqueue(struct tv_source *source, const struct tv_sample *sample)
{
    if (source->head == source->len)
        source->head = source->len = 0;
    if (source->len == source->cap) {
        source->cap = source->cap ? source->cap * 2 : QUEUE_START;
        source->queue = tv_xrealloc(source->queue, source->cap, sizeof *source->queue);
    }
    source->queue[source->len++] = *sample;
}

/* A second writer in the same directory: its file starts before the previous one has ended. */
static void check_overlap(struct tv_source *source, double wall_time)
{
    source->checked_overlap = true;
    if (source->file_index > 1 && wall_time < source->last_wall_time - 1.0)
        tv_source_note(source,
                       "its records begin before those of the previous file end: two writers log "
                       "into one directory");
}

/* Nobody else has anything to say before or beside this source: its samples are in order already.
 */
static bool is_alone(const struct tv_source *source)
{
    const struct tv_run *run = source->run;
    if (source->head != source->len)
        return false;
    for (const struct tv_source *other = run->sources; other; other = other->next)
        if (other != source && (!other->done || other->head != other->len))
            return false;
    return true;
}

static void note_end(struct tv_source *source, int64_t step)
{
    struct tv_run *run = source->run;
    run->end_mark = true;
    run->end_told = source;
    run->end_step = step;
}

static void on_samples(void *ctx, const struct tv_sample *batch, size_t len)
{
    struct tv_source *source = ctx;
    struct tv_run *run = source->run;
    run->knows_stands = false;
    bool alone = is_alone(source), only_count = run->options->only_count;
    if (len && !source->checked_overlap)
        check_overlap(source, batch[0].wall_time);
    for (size_t i = 0; i < len; i++) {
        struct tv_series *series = (struct tv_series *)batch[i].tag;
        if (series->tells_end)
            note_end(source, batch[i].step);
        if (!series->count) /* no role either */
            continue;
        count(series->count, &batch[i]);
        if (series->role == TV_ROLE_OTHER || (only_count && series->role != TV_ROLE_EPOCH))
            continue;
        if (alone)
            tv_deliver(run, &batch[i]);
        else
            enqueue(source, &batch[i]);
    }
    run->points += len;
    if (len && batch[len - 1].wall_time > source->last_wall_time)
        source->last_wall_time = batch[len - 1].wall_time;
}

static void on_fact(void *ctx, const struct tv_fact *fact)
{
    struct tv_source *source = ctx;
    source->run->knows_stands = false;
    tv_facts_add(tv_run_facts(source->run), fact, source->input->path);
}

static void on_mark(void *ctx, const struct tv_mark *mark)
{
    struct tv_source *source = ctx;
    if (mark->kind == TV_MARK_PURGE)
        source->restart_marks++;
    if (mark->kind == TV_MARK_END && mark->epoch > 0)
        source->run->end_epoch = mark->epoch;
    else if (mark->kind == TV_MARK_END)
        note_end(source, mark->step);
}

static void on_damage(void *ctx, const struct tv_damage *damage)
{
    struct tv_source *source = ctx;
    if (!damage->is_note) {
        source->input->damaged++;
        source->input->skipped_bytes += damage->length;
    }
    problem(source, damage);
}

struct tv_emit tv_source_file(struct tv_source *source, const char *path,
                              const struct tv_parser *parser)
{
    struct tv_run *run = source->run;
    struct tv_input_report *input = tv_arena_alloc(&run->arena, sizeof *input);
    char safe[1024];
    input->path =
        tv_arena_text(&run->arena, tv_span_of(tv_escape(tv_span_of(path), safe, sizeof safe)));
    input->parser = parser->name;
    if (run->inputs_len == run->inputs_cap) {
        run->inputs_cap = run->inputs_cap ? run->inputs_cap * 2 : 8;
        run->input_list =
            tv_xrealloc(run->input_list, run->inputs_cap, sizeof(struct tv_input_report *));
    }
    run->input_list[run->inputs_len++] = input;
    source->input = input;
    source->parser = parser;
    source->file_index++;
    source->restart_marks++;
    source->checked_overlap = false;
    return (struct tv_emit){
        source, on_tag, on_samples, on_fact, on_mark, on_damage, run->options->trusts_data};
}

void tv_source_file_end(struct tv_source *source, const struct tv_file_result *result)
{
    source->input->records = result->records;
    if (result->dead) {
        struct tv_damage damage = {.offset = result->dead->offset,
                                   .line = result->dead->line,
                                   .length = result->bytes > result->dead->offset
                                                 ? result->bytes - result->dead->offset
                                                 : 0,
                                   .what = result->dead->message};
        on_damage(source, &damage);
    } else if (result->tail_bytes) {
        char what[96];
        snprintf(what, sizeof what, "the last %" PRIu64 " bytes are an incomplete record",
                 result->tail_bytes);
        source->input->truncated_tail = true;
        problem(source, &(struct tv_damage){.offset = result->bytes - result->tail_bytes,
                                            .is_note = true,
                                            .what = what});
    }
}
