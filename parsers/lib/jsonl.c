/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/jsonl.h"
#include "lib/lines.h"
#include "trainvet/text.h"
#include <string.h>

struct pass {
    struct tv_jsonl *jsonl;
    const struct tv_emit *out;
    const struct tv_jsonl_reader *reader;
    uint64_t records;
    struct tv_json_field *fields; /* room for TV_JSONL_FIELDS */
};

static void damage(struct pass *pass, uint64_t offset, size_t length, const char *why)
{
    char what[160];
    struct tv_text text = tv_text_in(what, sizeof what);
    tv_text_add(&text, "a line is no JSON object: %s", why);
    pass->out->damage(pass->out->ctx, &(struct tv_damage){.offset = offset,
                                                          .length = length,
                                                          .line = pass->jsonl->line,
                                                          .what = what});
}

static enum tv_status read_object(struct pass *pass, struct tv_json *json)
{
    size_t len = 0;
    enum tv_status status =
        tv_json_object(json, &pass->jsonl->keys, pass->fields, TV_JSONL_FIELDS, &len);
    if (status != TV_OK)
        return status;
    pass->records++;
    pass->reader->object(pass->reader->ctx, pass->fields,
                         len < TV_JSONL_FIELDS ? len : TV_JSONL_FIELDS, pass->jsonl->line);
    return TV_OK;
}

/* Where an object begins that reaches to the end of the line, behind the damage at `from`; NULL
 * when there is none. */
static const char *find_whole_object(struct pass *pass, const char *from, const char *end)
{
    const char *start = from + 1 < end ? memrchr(from + 1, '{', (size_t)(end - from - 1)) : NULL;
    struct tv_json json = {.at = start, .end = end};
    size_t len;
    if (!start ||
        tv_json_object(&json, &pass->jsonl->keys, pass->fields, TV_JSONL_FIELDS, &len) != TV_OK)
        return NULL;
    tv_json_skip_blank(&json);
    return json.at == end ? start : NULL;
}

/* Returns the bytes of the line that are done with: all, unless it is unfinished. */
static size_t read_line(struct pass *pass, struct tv_span line, bool unfinished)
{
    struct tv_json json = {.at = line.data, .end = line.data + line.len};
    if (pass->jsonl->line == 1 && tv_span_starts(line, "\xEF\xBB\xBF"))
        json.at += 3;
    for (;;) {
        tv_json_skip_blank(&json);
        if (json.at == json.end)
            return line.len;
        const char *start = json.at;
        enum tv_status status = read_object(pass, &json);
        if (status == TV_OK)
            continue;
        const char *why = status == TV_AGAIN ? "it ends in the middle" : json.why;
        const char *whole = find_whole_object(pass, start, json.end);
        size_t before = (size_t)(start - line.data);
        if (!whole && unfinished && status == TV_AGAIN)
            return before;
        damage(pass, pass->jsonl->offset + before, (size_t)((whole ? whole : json.end) - start),
               why);
        if (!whole)
            return line.len;
        json.at = whole;
    }
}

static void end_long_line(struct pass *pass, uint64_t end)
{
    struct tv_jsonl *jsonl = pass->jsonl;
    jsonl->in_long = false;
    jsonl->line++;
    damage(pass, jsonl->long_at, end - jsonl->long_at, "it is longer than 1 MiB");
}

/* Takes what belongs to a too long line off `rest`; true when its end was seen. */
static bool pass_long_line(struct pass *pass, struct tv_span *rest, bool last)
{
    struct tv_jsonl *jsonl = pass->jsonl;
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    size_t taken = end ? (size_t)(end - rest->data) : rest->len;
    if (end || last)
        end_long_line(pass, jsonl->offset + taken);
    taken += end != NULL;
    jsonl->offset += taken;
    *rest = (struct tv_span){rest->data + taken, rest->len - taken};
    return end || last;
}

void tv_jsonl_leave_out(struct tv_jsonl *jsonl, const struct tv_emit *out, const char *expected)
{
    char what[160];
    struct tv_text text = tv_text_in(what, sizeof what);
    if (jsonl->left_out++)
        return;
    tv_text_add(&text, "a line is left out: %s was expected", expected);
    out->damage(out->ctx,
                &(struct tv_damage){.offset = jsonl->offset, .line = jsonl->line, .what = what});
}

static void say_left_out(const struct tv_jsonl *jsonl, const struct tv_emit *out)
{
    char what[160];
    struct tv_text text = tv_text_in(what, sizeof what);
    if (jsonl->left_out < 2)
        return;
    tv_text_add(&text, "%u lines were left out, all for want of a step", jsonl->left_out);
    out->damage(out->ctx,
                &(struct tv_damage){
                    .offset = jsonl->offset, .line = jsonl->line, .is_note = true, .what = what});
}

struct tv_feed tv_jsonl_feed(struct tv_jsonl *jsonl, struct tv_span in, bool last,
                             const struct tv_emit *out, const struct tv_jsonl_reader *reader)
{
    struct tv_json_field fields[TV_JSONL_FIELDS];
    struct pass pass = {.jsonl = jsonl, .out = out, .reader = reader, .fields = fields};
    struct tv_feed feed = {.status = TV_OK};
    struct tv_span rest = in, line;
    for (;;) {
        if (jsonl->in_long && !pass_long_line(&pass, &rest, last))
            break;
        const char *start = rest.data;
        size_t taken = tv_next_line(&rest, last, &line);
        bool ended = taken && start[taken - 1] == '\n';
        if ((taken ? taken - ended : rest.len) >= TV_LINE_MAX) {
            rest = (struct tv_span){start, rest.len + taken};
            jsonl->in_long = true;
            jsonl->long_at = jsonl->offset;
            continue;
        }
        if (!taken)
            break;
        jsonl->line++;
        size_t done = read_line(&pass, line, !ended);
        if (done < line.len) {
            jsonl->offset += done;
            rest = (struct tv_span){start + done, taken - done};
            break;
        }
        jsonl->offset += taken;
    }
    if (last)
        say_left_out(jsonl, out);
    feed.consumed = in.len - rest.len;
    feed.records = pass.records;
    if (rest.len) {
        feed.status = TV_AGAIN;
        feed.want = rest.len + 1;
    }
    return feed;
}
