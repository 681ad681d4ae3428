/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parsers of YAML files share around tv_yaml_config(). */
#include "lib/lines.h"
#include "lib/yaml_config.h"
#include "trainvet/text.h"
#include <string.h>

struct tv_feed tv_yaml_feed(enum tv_fact_source source, const char *framework, struct tv_span in,
                            const struct tv_emit *out, struct tv_error *reterr)
{
    struct tv_config config = tv_config_begin(out, source, "");
    struct tv_yaml_reader reader = {&config, NULL, NULL};
    enum tv_status status = TV_OK;
    if (tv_span_trim(tv_config_without_bom(in)).len)
        status = tv_yaml_config(&reader, in, reterr);
    if (framework && config.facts && !tv_config_is_sure(&config))
        tv_config_fact(&config, "framework", tv_span_of(framework), TV_CONFIG_TEXT, 0);
    else
        tv_config_end(&config);
    return tv_config_feed(&config, status, in);
}

bool tv_yaml_name(struct tv_span basename)
{
    return tv_span_ends(basename, ".yaml") || tv_span_ends(basename, ".yml");
}

/* The key at the start of a line; empty when there is none. */
static struct tv_span key_of(struct tv_span line)
{
    const char *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
    struct tv_span key = {line.data, colon ? (size_t)(colon - line.data) : 0};
    while (key.len && key.data[key.len - 1] == ' ')
        key.len--;
    if (key.len > 2 && (key.data[0] == '"' || key.data[0] == '\'') &&
        key.data[key.len - 1] == key.data[0])
        key = (struct tv_span){key.data + 1, key.len - 2};
    return key;
}

static int count(struct tv_span key, const char *const *keys)
{
    int found = 0;
    for (size_t i = 0; key.len && keys[i]; i++)
        found += tv_span_is(key, keys[i]);
    return found;
}

/* The members of a line of `{key: value, "key": value}`. */
static int count_in_flow(struct tv_span line, const char *const *keys)
{
    int found = 0;
    while (line.len) {
        const char *comma = memchr(line.data, ',', line.len);
        struct tv_span member = {line.data, comma ? (size_t)(comma - line.data) : line.len};
        line.data += member.len + (comma != NULL);
        line.len -= member.len + (comma != NULL);
        while (member.len && (*member.data == ' ' || *member.data == '{')) {
            member.data++;
            member.len--;
        }
        found += count(key_of(member), keys);
    }
    return found;
}

int tv_yaml_count_keys(struct tv_span head, const char *const *keys)
{
    int found = 0;
    struct tv_span line;
    head = tv_span_trim(tv_config_without_bom(head));
    bool is_flow = tv_span_starts(head, "{");
    while (tv_next_line(&head, true, &line))
        found += is_flow ? count_in_flow(line, keys) : count(key_of(line), keys);
    return found;
}
