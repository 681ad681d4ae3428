/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/yaml_config.h"
#include "lib/key_set.h"
#include "lib/lines.h"
#include "lib/yaml_types.h"
#include "trainvet/text.h"
#include <string.h>
#include <yaml.h>

enum { REREAD_MAX = 16 << 20 };

struct reading {
    const struct tv_yaml_reader *reader;
    struct tv_config *config;
    struct tv_span text;
    struct tv_error *reterr;
    size_t nodes, expansions;
    size_t reread; /* bytes, to follow aliases */
    int depth;
    struct tv_key_set seen;   /* what the file states itself */
    struct tv_key_set merged; /* and what it merges: the first of several mappings wins */
};

/* One pass over the text: the document itself, or an anchor's node once more. */
struct pass {
    struct reading *r;
    yaml_parser_t parser;
    size_t offset; /* bytes given to libyaml */
};

/* How a mapping's members are taken: its own, or below `<<` those that are not there yet. A mapping
 * behind an alias is read twice then, as its own members go before what it merges itself. */
enum merge { MERGE_NONE, MERGE_ALL, MERGE_OWN, MERGE_INHERITED };

static enum tv_status read_node(struct pass *pass, yaml_event_t *event, enum merge merge);

/* libyaml stops at the first byte that is no text; a comment in another encoding must not hide the
 * whole configuration. */
static int give_bytes(void *data, unsigned char *buffer, size_t size, size_t *ret_size)
{
    struct pass *pass = data;
    struct tv_span text = pass->r->text;
    size_t len = 0;
    while (len + 4 <= size && pass->offset < text.len) {
        struct tv_span rest = {text.data + pass->offset, text.len - pass->offset};
        size_t n = tv_yaml_char_length(rest);
        memcpy(buffer + len, n ? rest.data : "?", n ? n : 1);
        len += n ? n : 1;
        pass->offset += n ? n : 1;
    }
    *ret_size = len;
    return 1;
}

static enum tv_status begin_pass(struct pass *pass)
{
    if (!yaml_parser_initialize(&pass->parser))
        return tv_fail(pass->r->reterr, TV_ELIMIT, "out of memory");
    yaml_parser_set_encoding(&pass->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input(&pass->parser, give_bytes, pass);
    return TV_OK;
}

static enum tv_status fail_at(struct reading *r, size_t line, enum tv_status status,
                              const char *message)
{
    tv_fail(r->reterr, status, "%s", message);
    if (r->reterr)
        r->reterr->line = (uint32_t)line;
    return status;
}

static bool line_has_leading_tab(struct tv_span text, size_t line)
{
    const char *p = text.data, *end = text.data + text.len;
    for (size_t at = 1; at < line && p; at++) {
        p = memchr(p, '\n', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    while (p && p < end && *p == ' ')
        p++;
    return p && p < end && *p == '\t';
}

static enum tv_status syntax_error(struct pass *pass)
{
    const yaml_parser_t *parser = &pass->parser;
    size_t line = parser->problem_mark.line + 1;
    if (parser->error == YAML_MEMORY_ERROR)
        return tv_fail(pass->r->reterr, TV_ELIMIT, "out of memory");
    if (line_has_leading_tab(pass->r->text, line))
        return fail_at(pass->r, line, TV_ECORRUPT,
                       "not valid YAML: this line is indented with a tab, which must be blanks");
    char message[200];
    struct tv_text text = tv_text_in(message, sizeof message);
    tv_text_add(&text, "not valid YAML: %s",
                parser->problem ? parser->problem : "unexpected content");
    return fail_at(pass->r, line, TV_ECORRUPT, message);
}

/* The caller deletes the event when this is TV_OK. */
static enum tv_status next_event(struct pass *pass, yaml_event_t *event)
{
    if (!yaml_parser_parse(&pass->parser, event))
        return syntax_error(pass);
    return TV_OK;
}

static uint32_t line_of(const yaml_event_t *event)
{
    return (uint32_t)event->start_mark.line + 1;
}

static struct tv_span scalar_text(const yaml_event_t *event)
{
    return (struct tv_span){(const char *)event->data.scalar.value, event->data.scalar.length};
}

/* Whether the current key is in the set. */
static bool is_in(struct reading *r, struct tv_key_set *set, bool remember)
{
    const struct tv_config *config = r->config;
    struct tv_span key = {config->key, config->key_len};
    return config->key_len <= sizeof config->key &&
           tv_key_set_has(set, tv_key_hash(TV_KEY_HASH, key), remember);
}

/* The limits of read_node() hold here too: libyaml's time grows with the square of the depth. */
static enum tv_status count_node(struct reading *r, const yaml_event_t *event, int depth)
{
    if (++r->nodes > TV_CONFIG_NODES_MAX)
        return fail_at(r, line_of(event), TV_ELIMIT, "the YAML has over 10000 values");
    if (depth >= TV_CONFIG_DEPTH_MAX)
        return fail_at(r, line_of(event), TV_ELIMIT, "the YAML is nested deeper than 64 levels");
    return TV_OK;
}

static enum tv_status skip_node(struct pass *pass, const yaml_event_t *first)
{
    int depth = first->type == YAML_MAPPING_START_EVENT || first->type == YAML_SEQUENCE_START_EVENT;
    while (depth > 0) {
        yaml_event_t event;
        enum tv_status status = next_event(pass, &event);
        if (status != TV_OK)
            return status;
        depth += event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;
        depth -= event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
        status = count_node(pass->r, &event, pass->r->depth + depth);
        yaml_event_delete(&event);
        if (status != TV_OK)
            return status;
    }
    return TV_OK;
}

/* The value behind a key that has been entered. */
static enum tv_status read_value(struct pass *pass, enum merge merge)
{
    yaml_event_t event;
    enum tv_status status = next_event(pass, &event);
    if (status != TV_OK)
        return status;
    status = read_node(pass, &event, merge);
    yaml_event_delete(&event);
    return status;
}

static enum tv_status skip_value(struct pass *pass)
{
    yaml_event_t event;
    enum tv_status status = next_event(pass, &event);
    if (status != TV_OK)
        return status;
    status = skip_node(pass, &event);
    yaml_event_delete(&event);
    return status;
}

static enum tv_status read_member(struct pass *pass, struct tv_span key, uint32_t line,
                                  enum merge merge)
{
    struct reading *r = pass->r;
    if (r->depth == 1 && r->reader->top_key)
        key = r->reader->top_key(r->reader->ctx, key, line);
    size_t mark = tv_config_enter(r->config, key);
    bool seen = is_in(r, &r->seen, merge == MERGE_NONE);
    if (seen && merge == MERGE_NONE)
        tv_config_note(r->config, line,
                       "%.*s is written twice; the last value is used (some readers refuse such a "
                       "file)",
                       (int)key.len, key.data);
    bool is_taken = merge == MERGE_NONE || (!seen && !is_in(r, &r->merged, true));
    enum tv_status status = is_taken ? read_value(pass, MERGE_NONE) : skip_value(pass);
    tv_config_leave(r->config, mark);
    return status;
}

static enum tv_status read_mapping(struct pass *pass, enum merge merge)
{
    for (;;) {
        yaml_event_t key;
        enum tv_status status = next_event(pass, &key);
        if (status != TV_OK)
            return status;
        if (key.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&key);
            return TV_OK;
        }
        if (key.type != YAML_SCALAR_EVENT) {
            tv_config_note(pass->r->config, line_of(&key), "a key that is not text is left out");
            status = skip_node(pass, &key);
            yaml_event_delete(&key);
            if (status == TV_OK && (status = next_event(pass, &key)) == TV_OK) {
                status = skip_node(pass, &key);
                yaml_event_delete(&key);
            }
        } else {
            bool inherits = tv_span_is(scalar_text(&key), "<<");
            if (merge == (inherits ? MERGE_OWN : MERGE_INHERITED))
                status = skip_value(pass);
            else if (inherits)
                status = read_value(pass, MERGE_ALL);
            else
                status = read_member(pass, scalar_text(&key), line_of(&key), merge);
            yaml_event_delete(&key);
        }
        if (status != TV_OK)
            return status;
    }
}

static enum tv_status read_sequence(struct pass *pass, enum merge merge)
{
    for (size_t i = 0;; i++) {
        yaml_event_t item;
        enum tv_status status = next_event(pass, &item);
        if (status != TV_OK)
            return status;
        if (item.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&item);
            return TV_OK;
        }
        size_t mark = merge != MERGE_NONE ? pass->r->config->key_len
                                          : tv_config_enter_index(pass->r->config, i);
        if (merge == MERGE_INHERITED) /* each of them was read whole already */
            status = skip_node(pass, &item);
        else
            status = read_node(pass, &item, merge == MERGE_NONE ? MERGE_NONE : MERGE_ALL);
        yaml_event_delete(&item);
        tv_config_leave(pass->r->config, mark);
        if (status != TV_OK)
            return status;
    }
}

static const char *anchor_of(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return (const char *)event->data.scalar.anchor;
    case YAML_MAPPING_START_EVENT:
        return (const char *)event->data.mapping_start.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return (const char *)event->data.sequence_start.anchor;
    default:
        return NULL;
    }
}

/* Reads the last node before `until` that has this anchor, as another pass over the text. */
static enum tv_status replay(struct pass *again, const char *anchor, size_t until, enum merge merge)
{
    size_t count = 0;
    for (bool counting = true;;) {
        yaml_event_t event;
        enum tv_status status = next_event(again, &event);
        if (status != TV_OK)
            return status;
        bool at_end = event.type == YAML_STREAM_END_EVENT || event.start_mark.index >= until;
        const char *name = anchor_of(&event);
        bool is_it = !at_end && name && strcmp(name, anchor) == 0;
        if (counting) {
            count += is_it;
        } else if (is_it && --count == 0) {
            status = read_node(again, &event, merge);
            at_end = true;
        }
        yaml_event_delete(&event);
        if (!at_end)
            continue;
        if (!counting || count == 0)
            return status;
        counting = false;
        yaml_parser_delete(&again->parser);
        again->offset = 0;
        status = begin_pass(again);
        if (status != TV_OK)
            return status;
    }
}

static enum tv_status read_anchored(struct reading *r, const yaml_event_t *alias, enum merge merge)
{
    struct pass again = {.r = r};
    r->reread += 2 * r->text.len;
    if (++r->expansions > TV_YAML_EXPANSIONS_MAX || r->reread > REREAD_MAX)
        return fail_at(r, line_of(alias), TV_ELIMIT,
                       "the YAML has more aliases to follow than a configuration needs");
    enum tv_status status = begin_pass(&again);
    if (status == TV_OK)
        status =
            replay(&again, (const char *)alias->data.alias.anchor, alias->start_mark.index, merge);
    yaml_parser_delete(&again.parser);
    return status;
}

static enum tv_status read_alias(struct reading *r, const yaml_event_t *alias, enum merge merge)
{
    if (merge == MERGE_NONE)
        return read_anchored(r, alias, merge);
    enum tv_status status = read_anchored(r, alias, MERGE_OWN);
    return status == TV_OK ? read_anchored(r, alias, MERGE_INHERITED) : status;
}

static void tell_scalar(struct reading *r, const yaml_event_t *event)
{
    char digits[TV_YAML_NUMBER_MAX];
    struct tv_span text = scalar_text(event);
    bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    enum tv_config_type type = tv_yaml_type(text, is_plain, (const char *)event->data.scalar.tag);
    if (type == TV_CONFIG_NUMBER && is_plain)
        text = tv_yaml_number(text, digits);
    tv_config_value(r->config, text, type, line_of(event));
}

/* Recursion is bounded by TV_CONFIG_DEPTH_MAX, that of merges by TV_YAML_EXPANSIONS_MAX. */
static enum tv_status read_node(struct pass *pass, yaml_event_t *event, enum merge merge)
{
    struct reading *r = pass->r;
    enum tv_status status = count_node(r, event, r->depth);
    if (status != TV_OK)
        return status;
    bool is_container =
        event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT;
    bool is_alias = event->type == YAML_ALIAS_EVENT;
    int deeper = (is_container || is_alias) && merge == MERGE_NONE;
    r->depth += deeper;
    if (event->type == YAML_MAPPING_START_EVENT)
        status = read_mapping(pass, merge);
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        status = read_sequence(pass, merge);
    else if (is_alias)
        status = read_alias(r, event, merge);
    else if (event->type == YAML_SCALAR_EVENT && merge == MERGE_NONE)
        tell_scalar(r, event);
    r->depth -= deeper;
    return status;
}

/* The document's root has been read. */
static void look_behind(struct pass *pass)
{
    yaml_event_t event;
    for (bool done = false; !done;) {
        if (!yaml_parser_parse(&pass->parser, &event))
            return; /* of no interest: what we use was read */
        if (event.type == YAML_DOCUMENT_START_EVENT)
            tv_config_note(pass->r->config, line_of(&event),
                           "only the first of several YAML documents is read");
        done = event.type == YAML_DOCUMENT_START_EVENT || event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
}

static enum tv_status read_document(struct pass *pass)
{
    for (;;) {
        yaml_event_t event;
        enum tv_status status = next_event(pass, &event);
        if (status != TV_OK)
            return status;
        yaml_event_type_t type = event.type;
        if (type == YAML_MAPPING_START_EVENT) {
            status = read_node(pass, &event, MERGE_NONE);
            if (status == TV_OK)
                look_behind(pass);
        }
        uint32_t line = line_of(&event);
        yaml_event_delete(&event);
        if (type == YAML_MAPPING_START_EVENT)
            return status;
        if (type == YAML_STREAM_END_EVENT)
            return fail_at(pass->r, 0, TV_EUNSUPPORTED, "a YAML file without any value");
        if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT)
            return fail_at(pass->r, line, TV_EUNSUPPORTED, "not a YAML mapping of keys to values");
    }
}

/* libyaml takes a tab behind the colon, PyYAML stops at it. Only keys of the outermost level: what
 * is indented may be text. */
static void look_for_tabs(const struct tv_config *config, struct tv_span text)
{
    struct tv_span line;
    for (uint32_t number = 1; tv_next_line(&text, true, &line); number++) {
        const char *colon = memchr(line.data, ':', line.len);
        if (!colon || *line.data == ' ' || *line.data == '#')
            continue;
        struct tv_span rest = {colon + 1, line.len - (size_t)(colon + 1 - line.data)};
        size_t blanks = 0;
        while (blanks < rest.len && rest.data[blanks] == ' ')
            blanks++;
        if (blanks == rest.len || rest.data[blanks] != '\t')
            continue;
        tv_config_note(config, number, "a tab stands behind %.*s, which PyYAML refuses; it is read",
                       (int)(colon - line.data), line.data);
        return;
    }
}

enum tv_status tv_yaml_config(const struct tv_yaml_reader *reader, struct tv_span yaml,
                              struct tv_error *reterr)
{
    if (yaml.len > TV_CONFIG_BYTES_MAX)
        return tv_fail(reterr, TV_ELIMIT, "a YAML configuration over %u MiB is not read",
                       TV_CONFIG_BYTES_MAX >> 20);
    struct reading reading = {.reader = reader,
                              .config = reader->config,
                              .text = tv_config_without_bom(yaml),
                              .reterr = reterr};
    struct pass pass = {.r = &reading};
    tv_config_check_text(reader->config, reading.text);
    look_for_tabs(reader->config, reading.text);
    enum tv_status status = begin_pass(&pass);
    if (status == TV_OK)
        status = read_document(&pass);
    yaml_parser_delete(&pass.parser);
    return status;
}
