/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The facts of a run that nobody asks: the fixed part of each entry, then all texts, deflated. A
 * training script's 130 arguments take 26 KiB awake and 1.6 KiB folded. Runs of one script differ
 * in a few of them: the first that are folded are the model that the next ones are told against,
 * which leaves a quarter of a KiB. A model is never changed and never freed, so it needs no owner.
 */
#include "base/squeeze.h"
#include "model/facts.h"
#include "trainvet/text.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct folded_entry {
    uint32_t line_step;    /* from the entry before: mostly 1, which deflates well */
    uint16_t weaker, path; /* 1 + index, 0: none; index into the paths */
    uint8_t source, is_null, is_string, unused;
};

enum { MODELS = 16, MODEL_MAX = 8 * 1024, MODEL_MIN = 512 };

struct tv_facts_model {
    size_t len;
    char data[];
};

/* By what the facts begin with, which tells one program that writes settings from another. */
static _Atomic(struct tv_facts_model *) models[MODELS];

struct texts {
    char *at;
};

static void put(struct texts *texts, const char *text)
{
    size_t size = strlen(text) + 1;
    memcpy(texts->at, text, size);
    texts->at += size;
}

static const char *take(struct texts *texts)
{
    const char *text = texts->at;
    texts->at += strlen(text) + 1;
    return text;
}

static size_t paths_of(const struct tv_facts *facts, const char **paths)
{
    size_t len = 0;
    for (size_t i = 0; i < facts->len; i++) {
        size_t path = 0;
        while (path < len && paths[path] != facts->entries[i]->path)
            path++;
        if (path == len)
            paths[len++] = facts->entries[i]->path;
        facts->entries[i]->path_place = (uint16_t)path;
    }
    return len;
}

static size_t size_of(const struct tv_facts *facts, const char *const *paths, size_t paths_len)
{
    size_t size = facts->len * sizeof(struct folded_entry);
    for (size_t i = 0; i < facts->len; i++)
        size += strlen(facts->entries[i]->key) + strlen(facts->entries[i]->value) + 2;
    for (size_t i = 0; i < paths_len; i++)
        size += strlen(paths[i]) + 1;
    return size;
}

static void number_entries(const struct tv_facts *facts)
{
    for (size_t i = 0; i < facts->len; i++)
        facts->entries[i]->place = (uint16_t)(i + 1);
}

static struct tv_span text_of(const struct tv_facts_model *model)
{
    return model ? (struct tv_span){model->data, model->len} : (struct tv_span){NULL, 0};
}

/* NULL: these facts are too few to have one, or too many to be one. */
static const struct tv_facts_model *model_of(const struct tv_facts *facts, const char *plain,
                                             size_t size)
{
    const char *first = facts->entries[0]->key;
    _Atomic(struct tv_facts_model *) *place = &models[tv_map_hash(tv_span_of(first)) % MODELS];
    struct tv_facts_model *known = atomic_load(place), *mine;
    if (known || size < MODEL_MIN || size > MODEL_MAX)
        return known;
    mine = tv_xmalloc(sizeof *mine + size);
    mine->len = size;
    memcpy(mine->data, plain, size);
    if (atomic_compare_exchange_strong(place, &known, mine))
        return mine;
    free(mine);
    return known;
}

static void fold(struct tv_facts *facts)
{
    const char **paths = tv_xmalloc(facts->len * sizeof *paths);
    size_t paths_len = paths_of(facts, paths);
    size_t size = size_of(facts, paths, paths_len);
    char *plain = tv_xmalloc(size);
    struct texts texts = {plain + facts->len * sizeof(struct folded_entry)};
    uint32_t line = 0;
    number_entries(facts);
    for (size_t i = 0; i < paths_len; i++)
        put(&texts, paths[i]);
    for (size_t i = 0; i < facts->len; i++) {
        const struct tv_fact_entry *entry = facts->entries[i];
        struct folded_entry folded = {
            .line_step = entry->line - line,
            .weaker = entry->weaker ? entry->weaker->place : 0,
            .path = entry->path_place,
            .source = (uint8_t)entry->source,
            .is_null = entry->is_null,
            .is_string = entry->is_string,
        };
        line = entry->line;
        memcpy(plain + i * sizeof folded, &folded, sizeof folded);
        put(&texts, entry->key);
        put(&texts, entry->value);
    }
    free(facts->folded);
    facts->folded_with = model_of(facts, plain, size);
    facts->folded =
        tv_squeeze((struct tv_span){plain, size}, text_of(facts->folded_with), &facts->folded_len);
    facts->plain_len = size;
    facts->folded_paths = (uint16_t)paths_len;
    free(plain);
    free(paths);
}

static void unfold_entry(struct tv_facts *facts, struct tv_fact_entry *entry,
                         const struct folded_entry *folded, const char *const *paths,
                         struct texts *texts)
{
    struct tv_span key = tv_span_of(take(texts)), value = tv_span_of(take(texts));
    entry->key = tv_arena_text(&facts->arena, key);
    entry->value = tv_arena_text(&facts->arena, value);
    entry->room = value.len + 1;
    entry->path = paths[folded->path];
    entry->source = folded->source;
    entry->is_null = folded->is_null;
    entry->is_string = folded->is_string;
    if (folded->weaker) {
        entry->weaker = facts->entries[folded->weaker - 1];
        entry->weaker->place = 0;
    }
}

/* Nobody's weaker entry is the strongest of its key. */
static void index_keys(struct tv_facts *facts)
{
    for (size_t i = 0; i < facts->len; i++)
        if (facts->entries[i]->place)
            tv_map_set(&facts->by_key, tv_span_of(facts->entries[i]->key), facts->entries[i]);
}

static void unfold(struct tv_facts *facts, char *plain)
{
    const char **paths = tv_xmalloc(facts->folded_paths * sizeof *paths);
    struct texts texts = {plain + facts->len * sizeof(struct folded_entry)};
    uint32_t line = 0;
    for (size_t i = 0; i < facts->folded_paths; i++) {
        char *path = tv_arena_text(&facts->arena, tv_span_of(take(&texts)));
        tv_map_set(&facts->paths, tv_span_of(path), path);
        paths[i] = path;
    }
    facts->cap = facts->len;
    facts->entries = tv_xmalloc(facts->cap * sizeof(struct tv_fact_entry *));
    for (size_t i = 0; i < facts->len; i++)
        facts->entries[i] = tv_arena_alloc(&facts->arena, sizeof(struct tv_fact_entry));
    number_entries(facts);
    for (size_t i = 0; i < facts->len; i++) {
        struct folded_entry folded;
        memcpy(&folded, plain + i * sizeof folded, sizeof folded);
        unfold_entry(facts, facts->entries[i], &folded, paths, &texts);
        facts->entries[i]->line = line += folded.line_step;
    }
    index_keys(facts);
    free(paths);
}

void tv_facts_fold(struct tv_facts *facts)
{
    if (!facts->entries)
        return;
    if (!facts->folded || facts->is_changed)
        fold(facts);
    facts->is_changed = false;
    facts->used = facts->arena.used;
    tv_map_free(&facts->by_key);
    tv_map_free(&facts->paths);
    free(facts->entries);
    facts->entries = NULL;
    facts->cap = 0;
    tv_arena_free(&facts->arena);
}

void tv_facts_unfold(struct tv_facts *facts)
{
    if (facts->entries || !facts->folded)
        return;
    char *plain = tv_xmalloc(facts->plain_len);
    struct tv_span folded = {facts->folded, facts->folded_len};
    tv_unsqueeze(folded, text_of(facts->folded_with), plain, facts->plain_len);
    unfold(facts, plain);
    facts->arena.used = facts->used; /* what the limit counts */
    free(plain);
}
