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

int tv_yaml_count_keys(struct tv_span head, const char *const *keys)
{
    int count = 0;
    struct tv_span line;
    head = tv_config_without_bom(head);
    while (tv_next_line(&head, true, &line)) {
        struct tv_span key = key_of(line);
        for (size_t i = 0; key.len && keys[i]; i++)
            count += tv_span_is(key, keys[i]);
    }
    return count;
}
