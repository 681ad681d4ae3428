/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/yaml.h"
#include "base/memory.h"
#include "trainvet/text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *message_at(const char *path, size_t line, const char *what)
{
    char raw[1024], safe[2048];
    if (line)
        snprintf(raw, sizeof raw, "%.400s:%zu: %.500s", path, line, what);
    else
        snprintf(raw, sizeof raw, "%.400s: %.500s", path, what);
    tv_escape(tv_span_of(raw), safe, sizeof safe);
    return tv_xstrndup(safe, strlen(safe));
}

static char *read_bytes(const char *path, size_t bytes_max, size_t *ret_len, char **ret_error)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        *ret_error = message_at(path, 0, strerrordesc_np(errno));
        return NULL;
    }
    char *bytes = tv_xmalloc(bytes_max + 1);
    *ret_len = fread(bytes, 1, bytes_max + 1, file);
    if (ferror(file))
        *ret_error = message_at(path, 0, "cannot be read");
    else if (*ret_len > bytes_max)
        *ret_error = message_at(path, 0, "is too large for a configuration");
    fclose(file);
    return bytes;
}

char *tv_yaml_read(struct tv_yaml *yaml, const char *path, size_t bytes_max)
{
    yaml_parser_t parser;
    char *error = NULL;
    size_t len = 0;
    yaml->path = path;
    yaml->has_document = false;
    char *bytes = read_bytes(path, bytes_max, &len, &error);
    if (!error && yaml_parser_initialize(&parser)) {
        yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, len);
        yaml->has_document = yaml_parser_load(&parser, &yaml->document);
        if (!yaml->has_document)
            error = message_at(path, parser.problem_mark.line + 1,
                               parser.problem ? parser.problem : "is no YAML");
        yaml_parser_delete(&parser);
    }
    free(bytes);
    return error;
}

void tv_yaml_free(struct tv_yaml *yaml)
{
    if (yaml->has_document)
        yaml_document_delete(&yaml->document);
    yaml->has_document = false;
}

static const yaml_node_t *node_at(const struct tv_yaml *yaml, int node)
{
    return yaml_document_get_node((yaml_document_t *)&yaml->document, node);
}

int tv_yaml_root(const struct tv_yaml *yaml)
{
    return yaml_document_get_root_node((yaml_document_t *)&yaml->document) ? 1 : 0;
}

bool tv_yaml_is_mapping(const struct tv_yaml *yaml, int node)
{
    const yaml_node_t *at = node_at(yaml, node);
    return at && at->type == YAML_MAPPING_NODE;
}

const char *tv_yaml_text(const struct tv_yaml *yaml, int node)
{
    const yaml_node_t *at = node_at(yaml, node);
    return at && at->type == YAML_SCALAR_NODE ? (const char *)at->data.scalar.value : "";
}

bool tv_yaml_pair(const struct tv_yaml *yaml, int node, size_t i, int *ret_key, int *ret_value)
{
    const yaml_node_t *at = node_at(yaml, node);
    if (!at || at->type != YAML_MAPPING_NODE ||
        i >= (size_t)(at->data.mapping.pairs.top - at->data.mapping.pairs.start))
        return false;
    *ret_key = at->data.mapping.pairs.start[i].key;
    *ret_value = at->data.mapping.pairs.start[i].value;
    return true;
}

int tv_yaml_get(const struct tv_yaml *yaml, int node, const char *key)
{
    int name, value;
    for (size_t i = 0; tv_yaml_pair(yaml, node, i, &name, &value); i++)
        if (strcmp(tv_yaml_text(yaml, name), key) == 0)
            return value;
    return 0;
}

size_t tv_yaml_items(const struct tv_yaml *yaml, int node)
{
    const yaml_node_t *at = node_at(yaml, node);
    if (!at || at->type == YAML_MAPPING_NODE)
        return 0;
    if (at->type == YAML_SCALAR_NODE)
        return 1;
    return (size_t)(at->data.sequence.items.top - at->data.sequence.items.start);
}

int tv_yaml_item(const struct tv_yaml *yaml, int node, size_t i)
{
    const yaml_node_t *at = node_at(yaml, node);
    return at && at->type == YAML_SEQUENCE_NODE ? at->data.sequence.items.start[i] : node;
}

const char *tv_yaml_joined(const struct tv_yaml *yaml, int node, char *buffer, size_t cap)
{
    struct tv_text text = tv_text_in(buffer, cap);
    for (size_t i = 0; i < tv_yaml_items(yaml, node); i++)
        tv_text_add(&text, "%s%s", i ? "," : "", tv_yaml_text(yaml, tv_yaml_item(yaml, node, i)));
    return buffer;
}

const char *tv_yaml_command(const struct tv_yaml *yaml, int node, char *buffer, size_t cap)
{
    const yaml_node_t *at = node_at(yaml, node);
    struct tv_text text = tv_text_in(buffer, cap);
    if (!at || at->type != YAML_SEQUENCE_NODE)
        return tv_yaml_joined(yaml, node, buffer, cap);
    for (size_t i = 0; i < tv_yaml_items(yaml, node); i++) {
        const char *word = tv_yaml_text(yaml, tv_yaml_item(yaml, node, i));
        tv_text_add(&text, "%s'", i ? " " : "");
        for (; *word; word++)
            tv_text_add(&text, *word == '\'' ? "'\\''" : "%c", *word);
        tv_text_add(&text, "'");
    }
    return buffer;
}

char *tv_yaml_message(const struct tv_yaml *yaml, int node, const char *message)
{
    const yaml_node_t *at = node_at(yaml, node);
    return message_at(yaml->path, at ? at->start_mark.line + 1 : 0, message);
}
