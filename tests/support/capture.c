/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/capture.h"
#include "base/memory.h"
#include "support/suite.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct tv_capture *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct tv_capture *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *line = NULL;
    int n = vasprintf(&line, format, args);
    va_end(args);
    tv_check(n >= 0);
    if (c->len + (size_t)n + 1 > c->cap) {
        c->cap = (c->len + (size_t)n + 1) * 2;
        c->text = tv_xrealloc(c->text, c->cap, 1);
    }
    memcpy(c->text + c->len, line, (size_t)n + 1);
    c->len += (size_t)n;
    free(line);
}

static const char *number(char buffer[TV_NUMBER_MAX], double value)
{
    tv_format_double(buffer, value);
    return buffer;
}

static struct tv_tag *on_tag(void *ctx, struct tv_span name)
{
    struct tv_capture *c = ctx;
    for (size_t i = 0; i < c->tags_len; i++)
        if (c->tag_list[i]->len == name.len &&
            memcmp(c->tag_list[i]->name, name.data, name.len) == 0)
            return c->tag_list[i];
    c->tag_list = tv_xrealloc(c->tag_list, c->tags_len + 1, sizeof(struct tv_tag *));
    struct tv_tag *tag = tv_xcalloc(1, sizeof *tag);
    tag->name = tv_xstrndup(name.data, name.len);
    tag->len = (uint32_t)name.len;
    return c->tag_list[c->tags_len++] = tag;
}

static void on_samples(void *ctx, const struct tv_sample *batch, size_t count)
{
    struct tv_capture *c = ctx;
    char wall[TV_NUMBER_MAX], value[TV_NUMBER_MAX], tag[512];
    for (size_t i = 0; i < count; i++) {
        struct tv_span name = {batch[i].tag->name, batch[i].tag->len};
        put(c, "S %s %lld %s %s\n", tv_escape(name, tag, sizeof tag), (long long)batch[i].step,
            number(wall, batch[i].wall_time), number(value, batch[i].value));
    }
    c->samples += count;
}

static void on_fact(void *ctx, const struct tv_fact *fact)
{
    struct tv_capture *c = ctx;
    put(c, "F %.*s=%.*s%s%s source %d line %u\n", (int)fact->key.len, fact->key.data,
        (int)fact->value.len, fact->value.data, fact->is_null ? " null" : "",
        fact->is_string ? " string" : "", (int)fact->source, fact->line);
    c->facts++;
}

static void on_mark(void *ctx, const struct tv_mark *mark)
{
    struct tv_capture *c = ctx;
    char wall[TV_NUMBER_MAX];
    put(c, "M %d %lld %s\n", (int)mark->kind, (long long)mark->step, number(wall, mark->wall_time));
    c->marks++;
}

static void on_damage(void *ctx, const struct tv_damage *damage)
{
    struct tv_capture *c = ctx;
    put(c, "%s %llu %llu %u %s\n", damage->is_note ? "N" : "D", (unsigned long long)damage->offset,
        (unsigned long long)damage->length, damage->line, damage->what);
    if (damage->is_note)
        c->notes++;
    else
        c->damages++;
}

struct tv_emit tv_capture_emit(struct tv_capture *capture)
{
    return (struct tv_emit){capture, on_tag, on_samples, on_fact, on_mark, on_damage, false};
}

void tv_capture_free(struct tv_capture *capture)
{
    for (size_t i = 0; i < capture->tags_len; i++) {
        free((char *)capture->tag_list[i]->name);
        free(capture->tag_list[i]);
    }
    free(capture->tag_list);
    free(capture->text);
    *capture = (struct tv_capture){0};
}

static size_t piece(struct tv_chunking how, unsigned *seed, size_t left)
{
    size_t n = how.size == 0  ? left
               : how.size > 0 ? (size_t)how.size
                              : (size_t)(rand_r(seed) % 97 + 1);
    return n < left ? n : left;
}

enum tv_status tv_feed_all(const struct tv_parser *parser, struct tv_span bytes,
                           struct tv_chunking how, struct tv_capture *capture, size_t *ret_left,
                           struct tv_error *reterr)
{
    struct tv_emit emit = tv_capture_emit(capture);
    void *state = tv_xcalloc(1, parser->state_size);
    struct tv_feed result = {.status = TV_OK};
    size_t start = 0, end = parser->mode == TV_PARSER_SNAPSHOT ? bytes.len : 0;
    unsigned seed = how.seed;
    for (bool last = false; !last;) {
        end += piece(how, &seed, bytes.len - end);
        last = end == bytes.len;
        /* an exact copy on the heap, so that a sanitizer sees every read past the end */
        char *copy = tv_xstrndup(bytes.data + start, end - start);
        char *exact = tv_xmalloc(end - start);
        memcpy(exact, copy, end - start);
        free(copy);
        result = parser->feed(state, (struct tv_span){exact, end - start}, last, &emit, reterr);
        free(exact);
        tv_check(result.consumed <= end - start);
        tv_check(result.want <= TV_PARSER_WINDOW);
        start += result.consumed;
        if (result.status != TV_OK && result.status != TV_AGAIN)
            break;
        if (result.skip) {
            size_t skip = result.skip < bytes.len - start ? (size_t)result.skip : bytes.len - start;
            start += skip;
            end = end < start ? start : end;
            last = false;
            if (skip < result.skip)
                break;
        }
    }
    if (ret_left)
        *ret_left = bytes.len - start;
    free(state);
    return result.status;
}

struct tv_span tv_read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *data = tv_xmalloc((size_t)size + 1);
    ck_assert_uint_eq(fread(data, 1, (size_t)size, file), (size_t)size);
    data[size] = '\0';
    fclose(file);
    return (struct tv_span){data, (size_t)size};
}
