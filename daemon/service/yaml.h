/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVICE_YAML_H
#define SERVICE_YAML_H
/* A YAML document of our own (the service's configuration), whole in memory, with the line of every
 * value. Nodes are numbers above 0; 0 is no node. */
#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

struct tv_yaml {
    yaml_document_t document;
    const char *path; /* borrowed */
    bool has_document;
};

/* NULL, or the malloc'd message "FILE:LINE: sentence". An empty file has no root. */
char *tv_yaml_read(struct tv_yaml *yaml, const char *path, size_t bytes_max);
void tv_yaml_free(struct tv_yaml *yaml);

int tv_yaml_root(const struct tv_yaml *yaml);
bool tv_yaml_is_mapping(const struct tv_yaml *yaml, int node);
/* The text of a scalar, "" for anything else. */
const char *tv_yaml_text(const struct tv_yaml *yaml, int node);
/* The i-th pair of a mapping; false behind the last one and when it is no mapping. */
bool tv_yaml_pair(const struct tv_yaml *yaml, int node, size_t i, int *ret_key, int *ret_value);
int tv_yaml_get(const struct tv_yaml *yaml, int node, const char *key);
/* Items of a list; a scalar is a list of itself. */
size_t tv_yaml_items(const struct tv_yaml *yaml, int node);
int tv_yaml_item(const struct tv_yaml *yaml, int node, size_t i);
/* The items as one text with commas. Returns `buffer`. */
const char *tv_yaml_joined(const struct tv_yaml *yaml, int node, char *buffer, size_t cap);
/* The same for a command line: a scalar as it is, the items of a list in quotes, blanks between. */
const char *tv_yaml_command(const struct tv_yaml *yaml, int node, char *buffer, size_t cap);
/* malloc'd "FILE:LINE: MESSAGE". */
char *tv_yaml_message(const struct tv_yaml *yaml, int node, const char *message);

#endif
