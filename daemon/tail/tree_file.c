/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one file of a tree is, by its name and its first bytes. */
#include "tail/probed.h"
#include "tail/reader.h"
#include "tail/tree.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <string.h>
#include <unistd.h>

enum { TAIL_BYTES = 64 };

/* events.out.tfevents.<time>.<host>.<pid>.<uid>[suffix]; older writers stop at the host. */
static void read_event_name(struct tv_arena *arena, struct tv_tree_file *file)
{
    const char *p = strstr(file->name, "tfevents.");
    if (!p)
        return;
    p += strlen("tfevents.");
    double stamp;
    size_t digits = strspn(p, "0123456789");
    if (tv_parse_double((struct tv_span){p, digits}, &stamp))
        file->stamp = stamp;
    if (p[digits] != '.')
        return;
    struct tv_span rest = tv_span_of(p + digits + 1);
    static const char *const suffixes[] = {".gz", ".v2", ".profile-empty"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (tv_span_ends(rest, suffixes[i]))
            rest.len -= strlen(suffixes[i]);
    size_t end = rest.len;
    unsigned numbers = 0;
    while (numbers < 2) { /* from the end: uid, then pid */
        size_t start = end;
        while (start > 0 && rest.data[start - 1] >= '0' && rest.data[start - 1] <= '9')
            start--;
        if (start == end || start < 2 || rest.data[start - 1] != '.')
            return;
        if (++numbers == 2)
            break;
        end = rest.len = start - 1;
    }
    file->writer = tv_arena_text(arena, rest);
}

static int64_t find_global_step(struct tv_span head)
{
    static const char key[] = "\"global_step\"";
    const char *p = memmem(head.data, head.len, key, sizeof key - 1);
    double step;
    if (!p)
        return -1;
    struct tv_span rest = {p + sizeof key - 1, head.len - (size_t)(p + sizeof key - 1 - head.data)};
    rest = tv_span_trim(rest);
    if (rest.len == 0 || rest.data[0] != ':')
        return -1;
    rest = tv_span_trim((struct tv_span){rest.data + 1, rest.len - 1});
    return tv_scan_double(rest, &step) && step >= 0 && step < 9e15 ? (int64_t)step : -1;
}

static bool ends_as_object(const struct tv_input *input)
{
    char tail[TAIL_BYTES];
    off_t from = input->stat.st_size > TAIL_BYTES ? input->stat.st_size - TAIL_BYTES : 0;
    ssize_t n = pread(input->fd, tail, sizeof tail, from);
    struct tv_span text = tv_span_trim((struct tv_span){tail, n > 0 ? (size_t)n : 0});
    return text.len && text.data[text.len - 1] == '}';
}

/* The first bytes, inflated; fewer at the end of the file or where it cannot be read. */
static struct tv_span read_head(struct tv_input *input, char *buffer, struct tv_error *reterr)
{
    size_t len = 0, n = 1;
    enum tv_status status = TV_OK;
    while (status == TV_OK && n && len < TV_PROBE_BYTES) {
        status = tv_input_read(input, buffer + len, TV_PROBE_BYTES - len, &n, reterr);
        len += n;
    }
    return (struct tv_span){buffer, len};
}

/* What the beginning of a file tells. */
static struct tv_probed_file examine(const struct tv_input *input, struct tv_span head,
                                     const struct tv_parser *parser)
{
    static const char args[] = "args/text_summary";
    struct tv_probed_file file = {
        .parser = parser, .global_step = -1, .is_empty = parser && head.len == 0};
    if (parser && strcmp(parser->name, "tfevents") == 0) {
        file.has_hf_args = memmem(head.data, head.len, args, sizeof args - 1) != NULL;
    } else if (parser && strcmp(parser->name, "hf_trainer_state") == 0) {
        file.global_step = find_global_step(head);
        file.is_complete = input->gz || ends_as_object(input);
    }
    return file;
}

/* NULL for a file that nobody reads, or that is empty. */
static struct tv_tree_file *describe(struct tv_found *found, const char *path,
                                     const struct stat *stat, const struct tv_probed_file *probed)
{
    const char *slash = strrchr(path, '/');
    if (probed->is_empty)
        tv_found_problem(found, path, false, "is empty: nothing has been logged yet");
    if (probed->is_empty || !probed->parser)
        return NULL;
    struct tv_tree_file *file = tv_arena_alloc(&found->arena, sizeof *file);
    file->path = tv_arena_text(&found->arena, tv_span_of(path));
    file->name = file->path + (slash ? slash + 1 - path : 0);
    file->parser = probed->parser;
    file->size = (uint64_t)stat->st_size;
    file->mtime = file->stamp = (double)stat->st_mtim.tv_sec + 1e-9 * (double)stat->st_mtim.tv_nsec;
    file->is_events = strcmp(probed->parser->name, "tfevents") == 0;
    file->has_hf_args = probed->has_hf_args;
    file->global_step = probed->global_step;
    file->is_complete = probed->is_complete;
    if (file->is_events)
        read_event_name(&found->arena, file);
    return file;
}

/* Whether the last search has seen the file as it is now: then it need not be opened. */
static bool recall(struct tv_found *found, int dirfd, const char *name, const char *path,
                   struct tv_tree_file **ret)
{
    struct stat stat;
    if (!found->probed || fstatat(dirfd, name, &stat, 0) != 0)
        return false;
    const struct tv_probed_file *probed = tv_probed_get(found->probed, tv_probed_key(path, &stat));
    if (probed)
        *ret = describe(found, path, &stat, probed);
    return probed != NULL;
}

struct tv_tree_file *tv_tree_file(struct tv_found *found, int dirfd, const char *name,
                                  const char *path, bool seen, bool required)
{
    struct tv_input input;
    struct tv_error error = {0};
    char buffer[TV_PROBE_BYTES];
    struct tv_tree_file *file = NULL;
    if (recall(found, dirfd, name, path, &file))
        return file;
    if (tv_input_open(&input, dirfd, name, seen, &error) != TV_OK) {
        found->is_incomplete = found->is_incomplete || tv_is_passing(error.sys_errno);
        tv_found_problem(found, path, false, "%s", error.message);
        return NULL;
    }
    struct tv_span head = read_head(&input, buffer, &error);
    const struct tv_parser *parser = tv_probe(tv_input_name(path), head);
    struct tv_probed_file what = examine(&input, head, parser);
    if (error.status != TV_OK)
        what.is_empty = false; /* it could not be read */
    file = describe(found, path, &input.stat, &what);
    if (!parser && required)
        tv_found_problem(found, path, false, "%s",
                         error.status != TV_OK ? error.message
                         : head.len == 0
                             ? "is empty"
                             : "is no log or configuration that trainvet can read (trainvet list "
                               "names the formats)");
    what.key = tv_probed_key(path, &input.stat);
    if (found->probed && error.status == TV_OK && !required)
        tv_probed_add(found->probed, &what);
    tv_input_close(&input);
    return file;
}
