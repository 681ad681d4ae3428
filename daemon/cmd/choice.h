/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CMD_CHOICE_H
#define CMD_CHOICE_H
/* Which detectors run, and with which options: --detector ID, --set ID.OPTION=VALUE, --preset NAME.
 */
#include "engine/engine.h"

/* Zero-initialise, then tv_choice_init(); the engine options point into it. */
struct tv_choice {
    struct tv_engine_options engine;
    bool *enabled;
    void **options;
    uint64_t *said; /* by detector, a bit for each option that tv_choice_set() has set */
    size_t len;
    bool some; /* a --detector was given: only those run */
};

void tv_choice_init(struct tv_choice *choice);
/* Errors: TV_ECONFIG with a sentence that names the nearest right word. */
enum tv_status tv_choice_detector(struct tv_choice *choice, const char *id,
                                  struct tv_error *reterr);
enum tv_status tv_choice_set(struct tv_choice *choice, const char *setting,
                             struct tv_error *reterr);
/* "default", or a name in detectors/presets.def. What is set by itself wins, before or after. */
enum tv_status tv_choice_preset(struct tv_choice *choice, const char *name,
                                struct tv_error *reterr);
/* Switches one detector on or off, whatever else was chosen. */
enum tv_status tv_choice_enable(struct tv_choice *choice, const char *id, bool enabled,
                                struct tv_error *reterr);
void tv_choice_free(struct tv_choice *choice);

#define TV_LEVEL_NEVER (TV_CRITICAL + 1)
/* The severity of that name, TV_LEVEL_NEVER for "never", -1 for anything else. */
int tv_parse_level(const char *text);

#endif
