/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H
/* What the configuration of a run says, from all the files that say something, with where each
 * value stands.
 *
 * Precedence when sources disagree: the order of enum tv_fact_source; within one source the later
 * value wins (command lines override files). Within one file the later value replaces the earlier
 * one; across files both are kept, so that contradictions can be listed. Keys are those of the
 * writer. */
#include "base/map.h"
#include "base/memory.h"
#include "trainvet/sample.h"

#define TV_FACTS_MAX      4096 /* entries a run; more are dropped and counted */
#define TV_FACT_KEY_MAX   256  /* bytes; longer keys are dropped and counted */
#define TV_FACT_VALUE_MAX 4096 /* bytes of one value; longer ones are cut */
#define TV_FACTS_BYTES_MAX                                                                         \
    (2 << 20) /* of one run's keys and values; more are dropped and counted                        \
               */

struct tv_fact_entry {
    const char *key;   /* as written, raw bytes up to the first NUL */
    const char *value; /* as written, raw bytes up to the first NUL */
    bool is_null, is_string;
    enum tv_fact_source source;
    uint32_t line;
    uint16_t place, path_place;   /* for folding */
    const char *path;             /* "train.yaml", escaped where it is printed */
    struct tv_fact_entry *weaker; /* the next entry of the same key, by falling precedence */
    size_t room;                  /* bytes that value's memory has */
};

struct tv_facts {
    struct tv_arena arena;
    struct tv_map by_key; /* key -> strongest tv_fact_entry, which may be a null */
    struct tv_map paths;
    struct tv_fact_entry **entries; /* each entry once, in order of first appearance */
    size_t len, cap;
    size_t dropped;
    uint32_t version; /* +1 at every change that can matter */
    void *folded; /* as they were when last folded, NULL: never; `entries` is NULL while they are */
    size_t folded_len, plain_len, used;
    const struct tv_facts_model *folded_with; /* NULL: with none */
    uint16_t folded_paths;
    bool is_changed;    /* since then */
    const char *masked; /* what the log at this path says of itself is not asked; NULL: none */
    bool hides_args;    /* nor arguments of another number of epochs */
};

/* Copies the fact and the path. Zero-initialise *facts to create. */
void tv_facts_add(struct tv_facts *facts, const struct tv_fact *fact, const char *path);
/* The strongest entry of this key that is not null, or the one that its "${other.key}" names; NULL
 * when there is none. */
const struct tv_fact_entry *tv_facts_get(const struct tv_facts *facts, const char *key);
/* The same as text or number; NULL / false when absent or (number) not a number. */
const char *tv_facts_text(const struct tv_facts *facts, const char *key);
bool tv_facts_number(const struct tv_facts *facts, const char *key, double *ret);
bool tv_facts_true(const struct tv_facts *facts, const char *key); /* true, yes, on, 1 */
/* The entry's value as a number: blanks around it and YAML's "10_000" are understood, whether it
 * was quoted or not. False when null or not a number. */
bool tv_fact_number(const struct tv_fact_entry *entry, double *ret);
/* From now on nothing that the log at `path` says of itself (TV_FACT_LOG) is found; NULL: all is.
 * The text is borrowed for as long. */
void tv_facts_mask(struct tv_facts *facts, const char *path);
/* Whether the newest of the arguments that a trainer wrote (TV_FACT_RUN_ARGS) count other epochs
 * than the trainer of the log did; these are then returned. */
bool tv_facts_args_differ(const struct tv_facts *facts, double *ret_args, double *ret_log);
/* From now on no arguments are found that differ so, or again all are. */
void tv_facts_hide_args(struct tv_facts *facts, bool hide);
/* Where an entry stands, for people: "train.yaml:12", "args/text_summary in the event file".
 * Returns `buffer`. */
const char *tv_facts_where(const struct tv_fact_entry *entry, char *buffer, size_t cap);
/* Makes them small while nobody asks: only `len`, `dropped` and `version` may be read until they
 * are unfolded. Pointers that were got before are invalid. */
void tv_facts_fold(struct tv_facts *facts);
void tv_facts_unfold(struct tv_facts *facts); /* nothing to do when they are not folded */
void tv_facts_free(struct tv_facts *facts);

#endif
