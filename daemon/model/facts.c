/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/facts.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct tv_span until_nul(struct tv_span span, size_t max)
{
    span.len = span.len < max ? span.len : max;
    const char *nul = span.len ? memchr(span.data, 0, span.len) : NULL;
    if (nul)
        span.len = (size_t)(nul - span.data);
    return span;
}

static const char *keep_path(struct tv_facts *facts, const char *path)
{
    struct tv_span span = tv_span_of(path ? path : "");
    char *kept = tv_map_get(&facts->paths, span);
    if (!kept) {
        kept = tv_arena_text(&facts->arena, span);
        tv_map_set(&facts->paths, tv_span_of(kept), kept);
    }
    return kept;
}

/* Powers of two, so that a value that keeps growing costs at most twice its last size. */
static size_t room_for(size_t len)
{
    size_t room = 16;
    while (room < len + 1)
        room *= 2;
    return room;
}

static bool has_room(const struct tv_facts *facts, size_t bytes)
{
    return facts->arena.used + bytes <= TV_FACTS_BYTES_MAX;
}

static void set_value(struct tv_facts *facts, struct tv_fact_entry *entry,
                      const struct tv_fact *fact, struct tv_span value)
{
    if (value.len >= entry->room) {
        entry->room = room_for(value.len);
        entry->value = tv_arena_alloc(&facts->arena, entry->room);
    }
    char *to = (char *)entry->value;
    if (value.len)
        memcpy(to, value.data, value.len);
    to[value.len] = '\0';
    entry->is_null = fact->is_null;
    entry->is_string = fact->is_string;
    entry->line = fact->line;
}

static bool says_the_same(const struct tv_fact_entry *entry, const struct tv_fact *fact,
                          struct tv_span value)
{
    return entry->is_null == fact->is_null && entry->is_string == fact->is_string &&
           tv_span_is(value, entry->value);
}

/* The strongest entry of this key that `fact` may replace: of the same source and file. */
static struct tv_fact_entry *same_file(struct tv_fact_entry *chain, const struct tv_fact *fact,
                                       const char *path)
{
    while (chain && (chain->source != fact->source || chain->path != path))
        chain = chain->weaker;
    return chain;
}

static struct tv_fact_entry *same_source(struct tv_fact_entry *chain, const struct tv_fact *fact)
{
    while (chain && chain->source != fact->source)
        chain = chain->weaker;
    return chain;
}

/* Puts the entry before all others of its source. */
static void link_entry(struct tv_facts *facts, struct tv_fact_entry *entry)
{
    struct tv_span key = tv_span_of(entry->key);
    struct tv_fact_entry *first = tv_map_get(&facts->by_key, key);
    if (!first || entry->source <= first->source) {
        entry->weaker = first;
        tv_map_set(&facts->by_key, key, entry);
        return;
    }
    while (first->weaker && first->weaker->source < entry->source)
        first = first->weaker;
    entry->weaker = first->weaker;
    first->weaker = entry;
}

/* `entry` is not the strongest of its key. */
static void unlink_entry(struct tv_facts *facts, struct tv_fact_entry *entry)
{
    struct tv_fact_entry *at = tv_map_get(&facts->by_key, tv_span_of(entry->key));
    while (at->weaker != entry)
        at = at->weaker;
    at->weaker = entry->weaker;
}

static struct tv_fact_entry *new_entry(struct tv_facts *facts, struct tv_span key,
                                       const struct tv_fact *fact)
{
    if (facts->len == facts->cap) {
        facts->cap = facts->cap ? facts->cap * 2 : 32;
        facts->entries = tv_xrealloc(facts->entries, facts->cap, sizeof(struct tv_fact_entry *));
    }
    struct tv_fact_entry *entry = tv_arena_alloc(&facts->arena, sizeof *entry);
    entry->key = tv_arena_text(&facts->arena, key);
    entry->source = fact->source;
    facts->entries[facts->len++] = entry;
    return entry;
}

void tv_facts_add(struct tv_facts *facts, const struct tv_fact *fact, const char *path)
{
    struct tv_span key = until_nul(fact->key, SIZE_MAX);
    struct tv_span value = until_nul(fact->value, TV_FACT_VALUE_MAX);
    size_t cost = sizeof(struct tv_fact_entry) + key.len + room_for(value.len) +
                  (path ? strlen(path) : 0) + 64;
    if (key.len == 0 || key.len > TV_FACT_KEY_MAX || !has_room(facts, cost)) {
        facts->dropped++;
        return;
    }
    path = keep_path(facts, path);
    struct tv_fact_entry *chain = tv_map_get(&facts->by_key, key);
    struct tv_fact_entry *entry = same_file(chain, fact, path);
    struct tv_fact_entry *first = same_source(chain, fact);
    /* A full table still lets the newest value win. */
    if (!entry && facts->len == TV_FACTS_MAX)
        entry = first;
    if (!entry && facts->len == TV_FACTS_MAX) {
        facts->dropped++;
        return;
    }
    if (entry && entry == first && entry->path == path && says_the_same(entry, fact, value)) {
        facts->is_changed |= entry->line != fact->line;
        entry->line = fact->line;
        return;
    }
    facts->is_changed = true;
    if (!entry)
        entry = new_entry(facts, key, fact);
    else if (entry != first)
        unlink_entry(facts, entry);
    entry->path = path;
    set_value(facts, entry, fact, value);
    if (entry != first)
        link_entry(facts, entry);
    facts->version++;
}

/* The first of this source, and at this path unless NULL. */
static double number_from(const struct tv_facts *facts, const char *key, enum tv_fact_source source,
                          const char *path)
{
    const struct tv_fact_entry *entry = tv_map_get(&facts->by_key, tv_span_of(key));
    double value;
    while (entry && (entry->source != source || (path && entry->path != path)))
        entry = entry->weaker;
    return entry && tv_fact_number(entry, &value) ? value : NAN;
}

/* transformers trainer.py: state.num_train_epochs is the arguments' one, rounded up, unless
 * max_steps counts. */
static bool args_differ(const struct tv_facts *facts, const char *path, double *ret_args,
                        double *ret_log)
{
    if (number_from(facts, "max_steps", TV_FACT_RUN_ARGS, path) > 0)
        return false;
    *ret_args = ceil(number_from(facts, "num_train_epochs", TV_FACT_RUN_ARGS, path));
    *ret_log = number_from(facts, "trainer_state.num_train_epochs", TV_FACT_LOG, NULL);
    return *ret_args > 0 && *ret_log > 0 && *ret_args != *ret_log;
}

static bool is_masked(const struct tv_facts *facts, const struct tv_fact_entry *entry)
{
    double args, log;
    if (entry->source == TV_FACT_RUN_ARGS)
        return facts->hides_args && args_differ(facts, entry->path, &args, &log);
    return facts->masked && entry->source == TV_FACT_LOG && strcmp(entry->path, facts->masked) == 0;
}

static const struct tv_fact_entry *strongest(const struct tv_facts *facts, struct tv_span key)
{
    const struct tv_fact_entry *entry = tv_map_get(&facts->by_key, key);
    while (entry && (entry->is_null || is_masked(facts, entry)))
        entry = entry->weaker;
    return entry;
}

void tv_facts_mask(struct tv_facts *facts, const char *path)
{
    if (path == facts->masked)
        return;
    facts->masked = path;
    facts->version++;
}

void tv_facts_hide_args(struct tv_facts *facts, bool hide)
{
    if (hide == facts->hides_args)
        return;
    facts->hides_args = hide;
    facts->version++;
}

bool tv_facts_args_differ(const struct tv_facts *facts, double *ret_args, double *ret_log)
{
    return args_differ(facts, NULL, ret_args, ret_log);
}

/* The key that OmegaConf's "${trainer.max_steps}" names; one dot in front is the entry's own level,
 * each further one a level up (omegaconf.readthedocs.io, "Variable interpolation"). Empty: none. */
static struct tv_span referred(const struct tv_fact_entry *entry, char buffer[TV_FACT_KEY_MAX])
{
    size_t len = strlen(entry->value), up = 0, level = strlen(entry->key);
    const char *name = entry->value + 2;
    if (len < 4 || entry->value[0] != '$' || entry->value[1] != '{' || entry->value[len - 1] != '}')
        return (struct tv_span){"", 0};
    for (; *name == '.'; name++, up++)
        while (level > 0 && entry->key[--level] != '.')
            ;
    size_t rest = (size_t)(entry->value + len - 1 - name);
    level += up && level ? 1 : 0;
    if (!up)
        level = 0;
    if (level + rest > TV_FACT_KEY_MAX || strcspn(name, "${:") < rest)
        return (struct tv_span){"", 0};
    memcpy(buffer, entry->key, level);
    memcpy(buffer + level, name, rest);
    return (struct tv_span){buffer, level + rest};
}

const struct tv_fact_entry *tv_facts_get(const struct tv_facts *facts, const char *key)
{
    const struct tv_fact_entry *entry = strongest(facts, tv_span_of(key)), *next = entry;
    for (int hops = 0; next && next->value[0] == '$' && hops < 8; hops++) {
        char buffer[TV_FACT_KEY_MAX];
        struct tv_span name = referred(next, buffer);
        next = name.len ? strongest(facts, name) : NULL;
    }
    return next && next->value[0] != '$' ? next : entry;
}

const char *tv_facts_text(const struct tv_facts *facts, const char *key)
{
    const struct tv_fact_entry *entry = tv_facts_get(facts, key);
    return entry ? entry->value : NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "10_000" as Python and YAML 1.1 write it, without the separators; false when there are none. */
static bool without_separators(struct tv_span text, char *buffer, size_t cap, struct tv_span *ret)
{
    size_t len = 0;
    if (text.len >= cap)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '_')
            buffer[len++] = text.data[i];
        else if (i == 0 || !is_digit(text.data[i - 1]) || i + 1 == text.len ||
                 !is_digit(text.data[i + 1]))
            return false;
    }
    *ret = (struct tv_span){buffer, len};
    return len < text.len;
}

bool tv_fact_number(const struct tv_fact_entry *entry, double *ret)
{
    char buffer[64];
    if (!entry || entry->is_null)
        return false;
    struct tv_span text = tv_span_trim(tv_span_of(entry->value)), plain;
    if (tv_parse_double(text, ret))
        return true;
    return without_separators(text, buffer, sizeof buffer, &plain) && tv_parse_double(plain, ret);
}

bool tv_facts_number(const struct tv_facts *facts, const char *key, double *ret)
{
    return tv_fact_number(tv_facts_get(facts, key), ret);
}

bool tv_facts_true(const struct tv_facts *facts, const char *key)
{
    const char *text = tv_facts_text(facts, key);
    return text && (strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 ||
                    strcasecmp(text, "on") == 0 || strcmp(text, "1") == 0);
}

const char *tv_facts_where(const struct tv_fact_entry *entry, char *buffer, size_t cap)
{
    struct tv_text text = tv_text_in(buffer, cap);
    const char *slash = strrchr(entry->path, '/');
    const char *name = slash ? slash + 1 : entry->path;
    if (tv_span_starts(tv_span_of(name), "events.out.tfevents."))
        tv_text_add(&text, "%s in the event file",
                    entry->source == TV_FACT_HPARAMS ? "hyperparameters" : "args/text_summary");
    else if (entry->line)
        tv_text_add(&text, "%s:%u", name, entry->line);
    else
        tv_text_add(&text, "%s", name);
    return buffer;
}

void tv_facts_free(struct tv_facts *facts)
{
    tv_map_free(&facts->by_key);
    tv_map_free(&facts->paths);
    free(facts->entries);
    free(facts->folded);
    tv_arena_free(&facts->arena);
    *facts = (struct tv_facts){0};
}
