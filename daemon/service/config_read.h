/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICE_CONFIG_READ_H
#define SERVICE_CONFIG_READ_H
/* What the parts of the configuration's reader share: values out of YAML, and complaints that name
 * file and line. What is wrong is said, and reading goes on. */
#include "service/config.h"
#include "service/yaml.h"

/* Where a value goes. `target` is what the enclosing mapping describes. */
struct tv_config_key {
    const char *name; /* NULL ends the table */
    void (*take)(struct tv_config *config, const struct tv_yaml *yaml, int node, void *target);
};

void tv_config_complain(struct tv_config *config, const struct tv_yaml *yaml, int node,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Takes the malloc'd message "FILE:LINE: sentence". */
void tv_config_add_error(struct tv_config *config, char *message);

/* A mapping whose keys are all known. */
void tv_config_mapping(struct tv_config *config, const struct tv_yaml *yaml, int node,
                       const struct tv_config_key *keys, void *target);
bool tv_config_is_mapping(struct tv_config *config, const struct tv_yaml *yaml, int node);
/* How many items; what is no list, or one too long to be meant, has none. */
size_t tv_config_list_len(struct tv_config *config, const struct tv_yaml *yaml, int node);
/* A text of at least one character. */
const char *tv_config_text(struct tv_config *config, const struct tv_yaml *yaml, int node);
bool tv_config_truth(struct tv_config *config, const struct tv_yaml *yaml, int node);
/* A copy that lives as long as the configuration. */
const char *tv_config_keep(struct tv_config *config, const char *text);

/* The keys sinks, routes and silences. */
void tv_config_take_sinks(struct tv_config *config, const struct tv_yaml *yaml, int node,
                          void *target);
void tv_config_take_routes(struct tv_config *config, const struct tv_yaml *yaml, int node,
                           void *target);
void tv_config_take_silences(struct tv_config *config, const struct tv_yaml *yaml, int node,
                             void *target);
/* When every file is read: routes must name sinks that exist, and sinks that know labels and were
 * given none get those of the whole configuration. */
void tv_config_finish_routes(struct tv_config *config);
void tv_config_finish_sinks(struct tv_config *config);

#endif
