/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H
/* What the configuration of a run says, from all the files that say something, with where each value stands.
 *
 * Precedence when sources disagree: the order of enum tv_fact_source; within one source the later value wins
 * (command lines override files). A real contradiction (different values, compared as numbers where both are
 * numbers) is kept and can be listed. Keys are those of the writer; canonical names come from aliases(). */
#include "base/map.h"
#include "base/memory.h"
#include "trainvet/sample.h"

#define TV_FACTS_MAX 4096       /* entries a run; more are dropped and counted */
#define TV_FACT_VALUE_MAX 4096  /* bytes of one value; longer ones are cut */

struct tv_fact_entry {
    const char *key;   /* as written, raw bytes */
    const char *value; /* as written, raw bytes */
    bool is_null, is_string;
    enum tv_fact_source source;
    uint32_t line;
    const char *path;             /* for messages, escaped: "train.yaml" or "events...: args/text_summary" */
    struct tv_fact_entry *weaker; /* the next entry of the same key, by falling precedence */
};

struct tv_facts {
    struct tv_arena arena;
    struct tv_map by_key; /* key -> strongest tv_fact_entry */
    struct tv_fact_entry **entries;
    size_t len, cap;
    size_t dropped;
    uint32_t version; /* +1 at every change that can matter */
};

/* Copies the fact. `path` is copied too. */
void tv_facts_add(struct tv_facts *facts, const struct tv_fact *fact, const char *path);
/* The strongest entry of this key that is not null; NULL when there is none. */
const struct tv_fact_entry *tv_facts_get(const struct tv_facts *facts, const char *key);
/* The same as text or number; NULL / false when absent or (number) not a number. */
const char *tv_facts_text(const struct tv_facts *facts, const char *key);
bool tv_facts_number(const struct tv_facts *facts, const char *key, double *ret);
bool tv_facts_true(const struct tv_facts *facts, const char *key); /* true, True, 1, yes */
/* Where an entry stands, for people: "train.yaml:12". Returns `buffer`. */
const char *tv_facts_where(const struct tv_fact_entry *entry, char *buffer, size_t cap);
void tv_facts_free(struct tv_facts *facts);

#endif
