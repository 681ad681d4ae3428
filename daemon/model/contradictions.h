/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MODEL_CONTRADICTIONS_H
#define MODEL_CONTRADICTIONS_H
/* Sources that disagree about a setting of the schedule, for people to look at. */
#include "model/facts.h"

struct tv_contradiction {
    const char *setting;                      /* its canonical name */
    const struct tv_fact_entry *used, *other; /* the value that counts, and the one that does not */
};

/* Fills `list` with the settings about which two kinds of source state different values, each once
 * per kind of source; returns how many. Compared as numbers where both are numbers. Not a
 * contradiction: what is null, "auto" or "not given" (max_steps of -1), what the trainer counted
 * itself, and what several files of one kind say (a restart with other arguments). */
size_t tv_facts_contradictions(const struct tv_facts *facts, struct tv_contradiction *list,
                               size_t cap);
/* "learning_rate is 5e-05 (args.json:4), but 1e-4 in train.yaml:12"; escaped. Returns `buffer`. */
const char *tv_contradiction_text(const struct tv_contradiction *contradiction, char *buffer,
                                  size_t cap);

#endif
