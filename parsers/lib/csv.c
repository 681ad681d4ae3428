/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/csv.h"
#include "trainvet/text.h"
#include <string.h>

static bool is_separator(char c)
{
    return c == ',' || c == ';' || c == '\t';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && *at == ' ')
        at++;
    return at;
}

/* Behind the quote that closes the one before `at`; NULL when there is none. */
static const char *close_quote(const char *at, const char *end)
{
    while ((at = at < end ? memchr(at, '"', (size_t)(end - at)) : NULL)) {
        if (at + 1 == end || at[1] != '"')
            return at + 1;
        at += 2;
    }
    return NULL;
}

/* The LF that ends the row, NULL when the text ends before; *ret_open: inside quotes. A quote opens
 * only where a cell begins. */
static const char *row_end(struct tv_span text, bool *ret_open)
{
    const char *at = text.data, *end = text.data + text.len;
    bool at_start = true;
    *ret_open = false;
    for (; at && at < end && *at != '\n'; at++) {
        if (at_start && *at == '"') {
            at = close_quote(at + 1, end);
            *ret_open = at == NULL;
            if (!at)
                return NULL;
            at--;
        }
        at_start = is_separator(*at) || (at_start && *at == ' ');
    }
    return at < end ? at : NULL;
}

/* Length of the next row with its line end, 0 when there is none yet. */
static size_t next_row(struct tv_csv *csv, struct tv_span rest, bool last)
{
    const char *end = rest.len ? memchr(rest.data, '\n', rest.len) : NULL;
    if (!end)
        return 0;
    size_t first = (size_t)(end - rest.data) + 1;
    if (csv->is_by_line || first >= TV_CSV_QUOTED_MAX || !memchr(rest.data, '"', first))
        return first;
    struct tv_span seen = {rest.data, rest.len < TV_CSV_QUOTED_MAX ? rest.len : TV_CSV_QUOTED_MAX};
    bool open;
    end = row_end(seen, &open);
    if (end)
        return (size_t)(end - rest.data) + 1;
    if (seen.len < TV_CSV_QUOTED_MAX && !last)
        return 0;
    csv->is_by_line = true;
    return first;
}

static void add_lines(struct tv_csv *csv, struct tv_span text)
{
    const char *at = text.data, *end = text.data + text.len;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
        csv->line++;
        at++;
    }
}

/* Takes what belongs to a too long row off `rest`; true when its end was seen. */
static bool pass_long_row(struct tv_csv *csv, struct tv_span *rest, bool last,
                          const struct tv_emit *out)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    size_t taken = end ? (size_t)(end - rest->data) : rest->len;
    bool is_over = end || last;
    csv->offset += taken;
    if (is_over) {
        csv->in_long = false;
        csv->line++;
        out->damage(out->ctx, &(struct tv_damage){.offset = csv->long_at,
                                                  .length = csv->offset - csv->long_at,
                                                  .line = csv->line,
                                                  .what = "a row is longer than 1 MiB"});
    }
    taken += end != NULL;
    csv->offset += end != NULL;
    *rest = (struct tv_span){rest->data + taken, rest->len - taken};
    return is_over;
}

static void read_row(struct tv_csv *csv, struct tv_span row, const struct tv_csv_reader *reader)
{
    uint32_t line = csv->line + 1;
    uint64_t offset = csv->offset;
    add_lines(csv, row);
    csv->offset += row.len;
    row.len--;
    if (row.len && row.data[row.len - 1] == '\r')
        row.len--;
    if (offset == 0 && tv_span_starts(row, "\xEF\xBB\xBF"))
        row = (struct tv_span){row.data + 3, row.len - 3};
    reader->row(reader->ctx, row, line, offset);
}

struct tv_feed tv_csv_feed(struct tv_csv *csv, struct tv_span in, bool last,
                           const struct tv_csv_reader *reader)
{
    struct tv_feed feed = {.status = TV_OK};
    struct tv_span rest = in;
    for (;;) {
        if (csv->in_long && !pass_long_row(csv, &rest, last, reader->out))
            break;
        size_t len = next_row(csv, rest, last);
        if ((len ? len - 1 : rest.len) >= TV_LINE_MAX) {
            csv->in_long = true;
            csv->long_at = csv->offset;
            continue;
        }
        if (len == 0)
            break;
        read_row(csv, (struct tv_span){rest.data, len}, reader);
        rest = (struct tv_span){rest.data + len, rest.len - len};
        feed.records++;
    }
    feed.consumed = in.len - rest.len;
    if (rest.len) {
        feed.status = TV_AGAIN;
        feed.want = rest.len + 1;
    }
    return feed;
}

/* The cell at `at`; *ret_next: the separator behind it, or the end. */
static struct tv_span read_cell(const char *at, const char *end, char separator,
                                const char **ret_next, bool *ret_open)
{
    at = skip_blanks(at, end);
    const char *begin = at, *stop = NULL;
    *ret_open = false;
    if (at < end && *at == '"') {
        begin = at + 1;
        at = close_quote(begin, end);
        *ret_open = at == NULL;
        at = at ? at : end;
        stop = *ret_open ? end : at - 1;
    }
    const char *next = at < end ? memchr(at, separator, (size_t)(end - at)) : NULL;
    *ret_next = next ? next : end;
    stop = stop ? stop : *ret_next;
    return tv_span_trim((struct tv_span){begin, (size_t)(stop - begin)});
}

size_t tv_csv_cells(struct tv_span row, char separator, struct tv_span *ret, size_t cap,
                    bool *ret_open)
{
    const char *at = row.data, *end = row.data + row.len;
    size_t len = 0;
    *ret_open = false;
    if (row.len == 0)
        return 0;
    for (;; at++) {
        struct tv_span cell = read_cell(at, end, separator, &at, ret_open);
        if (len < cap)
            ret[len] = cell;
        len++;
        if (at == end)
            return len;
    }
}

char tv_csv_separator(struct tv_span header)
{
    size_t commas = 0, semicolons = 0, tabs = 0;
    for (size_t i = 0; i < header.len; i++) {
        commas += header.data[i] == ',';
        semicolons += header.data[i] == ';';
        tabs += header.data[i] == '\t';
    }
    if (commas >= semicolons && commas >= tabs)
        return ',';
    return semicolons >= tabs ? ';' : '\t';
}
