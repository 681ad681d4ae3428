/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/tree.h"
#include "tail/probed.h"
#include "tail/reader.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROBLEMS_MAX = 100, DIRECTORY_MAX = 100000, TAIL_BYTES = 64 };

struct walk {
    struct tv_found *found;
    size_t entries;
    bool said_full, said_deep;
    dev_t dev[TV_DISCOVER_DEPTH + 1]; /* the directories that are open, from the root on */
    ino_t ino[TV_DISCOVER_DEPTH + 1];
};

struct entry {
    char *name;
    mode_t mode; /* type bits; of a link itself */
};

struct entries {
    struct entry *list;
    size_t len, cap;
};

void tv_found_problem(struct tv_found *found, const char *path, bool is_note, const char *format,
                      ...)
{
    if (found->problems_len >= PROBLEMS_MAX) {
        found->problems_dropped++;
        return;
    }
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (found->problems_len == found->problems_cap) {
        found->problems_cap = found->problems_cap ? found->problems_cap * 2 : 8;
        found->problems =
            tv_xrealloc(found->problems, found->problems_cap, sizeof *found->problems);
    }
    found->problems[found->problems_len++] = (struct tv_found_problem){
        .path = tv_arena_text(&found->arena, tv_span_of(path)),
        .what = tv_arena_text(&found->arena, tv_span_of(what)),
        .is_note = is_note,
    };
}

/* Files that no trainer logs to: large, many, and not worth opening. */
static bool is_never_a_log(struct tv_span name)
{
    static const char *const suffixes[] = {
        ".safetensors", ".pt",      ".pth",   ".ckpt",    ".npz",  ".npy",    ".h5",
        ".hdf5",        ".parquet", ".arrow", ".tar",     ".zip",  ".xz",     ".zst",
        ".png",         ".jpg",     ".jpeg",  ".gif",     ".webp", ".svg",    ".pdf",
        ".mp4",         ".wav",     ".so",    ".o",       ".a",    ".c",      ".h",
        ".cpp",         ".py",      ".pyc",   ".sh",      ".html", ".js",     ".css",
        ".model",       ".gguf",    ".onnx",  ".msgpack", ".pkl",  ".pickle",
    };
    if (name.len == 0 || name.data[0] == '.' || tv_span_ends(name, ".lock") ||
        tv_span_ends(name, ".swp") || tv_span_ends(name, ".tmp"))
        return true;
    if (tv_span_starts(name, "events.out.tfevents."))
        return false; /* ends in the name of a host, which may be "node.sh" */
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (tv_span_ends(name, suffixes[i]))
            return true;
    return false;
}

static bool is_never_logs(const char *name)
{
    static const char *const names[] = {"__pycache__", "node_modules", "site-packages", "venv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return name[0] == '.';
}

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
                                  const char *path, bool required)
{
    struct tv_input input;
    struct tv_error error = {0};
    char buffer[TV_PROBE_BYTES];
    struct tv_tree_file *file = NULL;
    if (recall(found, dirfd, name, path, &file))
        return file;
    if (tv_input_open(&input, dirfd, name, &error) != TV_OK) {
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

static void add_entry(struct entries *entries, const char *name, mode_t mode)
{
    if (entries->len == entries->cap) {
        entries->cap = entries->cap ? entries->cap * 2 : 32;
        entries->list = tv_xrealloc(entries->list, entries->cap, sizeof *entries->list);
    }
    entries->list[entries->len++] = (struct entry){tv_xstrndup(name, strlen(name)), mode};
}

static int by_name(const void *a, const void *b)
{
    return strverscmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* malloc'd: most entries of a tree are none of ours. */
static char *join(const char *dir, const char *name)
{
    size_t len = strlen(dir), size = len + strlen(name) + 2;
    char *path = tv_xmalloc(size);
    snprintf(path, size, "%s%s%s", dir, len && dir[len - 1] == '/' ? "" : "/", name);
    return path;
}

/* True when the symbolic link leads to a file that is to be read. A directory behind it is not
 * entered. */
static bool check_link(struct walk *walk, int fd, const char *name, const char *full, int depth)
{
    struct stat target;
    if (fstatat(fd, name, &target, 0) != 0) {
        if (errno == ELOOP)
            tv_found_problem(walk->found, full, false,
                             "is a symbolic link that leads to itself and was not followed");
        else if (tv_probe(tv_input_name(name), (struct tv_span){"", 0}))
            tv_found_problem(walk->found, full, true, "is a symbolic link to nothing");
        return false;
    }
    for (int i = 0; S_ISDIR(target.st_mode) && i <= depth; i++)
        if (walk->dev[i] == target.st_dev && walk->ino[i] == target.st_ino)
            tv_found_problem(
                walk->found, full, false,
                "is a symbolic link back to a directory above it and was not followed");
    return !S_ISDIR(target.st_mode); /* what else it is, opening it will tell */
}

static mode_t type_of(int fd, const struct dirent *item)
{
    struct stat stat;
    if (item->d_type != DT_UNKNOWN)
        return DTTOIF(item->d_type);
    return fstatat(fd, item->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0 ? stat.st_mode & S_IFMT
                                                                      : (mode_t)S_IFREG;
}

static bool is_wanted(const char *name, mode_t mode)
{
    if (S_ISDIR(mode))
        return !is_never_logs(name);
    return !is_never_a_log(tv_input_name(name));
}

static void list_directory(struct walk *walk, struct entries *entries, DIR *stream,
                           const char *path)
{
    for (struct dirent *item; (item = readdir(stream));) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        if (++walk->entries > TV_DISCOVER_ENTRIES || entries->len >= DIRECTORY_MAX) {
            if (!walk->said_full)
                tv_found_problem(walk->found, path, false,
                                 "holds too many files: not all of them were looked at");
            walk->said_full = true;
            break;
        }
        mode_t mode = type_of(dirfd(stream), item);
        if (is_wanted(item->d_name, mode))
            add_entry(entries, item->d_name, mode);
    }
    if (entries->len)
        qsort(entries->list, entries->len, sizeof *entries->list, by_name);
}

static struct tv_tree_node *walk_directory(struct walk *walk, int parent_fd, const char *name,
                                           const char *path, int depth);

/* The ends of a directory's lists while it is visited. */
struct lists {
    struct tv_tree_file **files;
    struct tv_tree_node **children;
};

static void visit_entry(struct walk *walk, struct tv_tree_node *node, int fd,
                        const struct entry *entry, int depth, struct lists *ends)
{
    char *full = join(node->path, entry->name);
    if (S_ISDIR(entry->mode)) {
        if (depth < TV_DISCOVER_DEPTH) {
            *ends->children = walk_directory(walk, fd, entry->name, full, depth + 1);
        } else if (!walk->said_deep) {
            walk->said_deep = true;
            tv_found_problem(walk->found, full, false,
                             "is nested more than %d directories deep and was not entered",
                             TV_DISCOVER_DEPTH);
        }
    } else if (!S_ISLNK(entry->mode) || check_link(walk, fd, entry->name, full, depth)) {
        *ends->files = tv_tree_file(walk->found, fd, entry->name, full, false);
    }
    free(full);
    if (*ends->children) {
        (*ends->children)->parent = node;
        ends->children = &(*ends->children)->next;
    }
    if (*ends->files)
        ends->files = &(*ends->files)->next;
}

static void cannot_read(struct walk *walk, const char *path)
{
    walk->found->is_incomplete = walk->found->is_incomplete || tv_is_passing(errno);
    char reason[128];
    tv_found_problem(walk->found, path, false, "cannot be read: %s",
                     strerror_r(errno, reason, sizeof reason));
}

static bool is_cut(struct tv_found *found)
{
    found->is_cut = found->is_cut || (found->is_ending && found->is_ending(found->ctx));
    return found->is_cut;
}

static struct tv_tree_node *walk_directory(struct walk *walk, int parent_fd, const char *name,
                                           const char *path, int depth)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC | (depth ? O_NOFOLLOW : 0);
    int fd = openat(parent_fd, name, flags);
    if (fd < 0) {
        cannot_read(walk, path);
        return NULL;
    }
    struct stat stat;
    DIR *stream = fstat(fd, &stat) == 0 ? fdopendir(fd) : NULL;
    if (!stream) {
        cannot_read(walk, path);
        close(fd);
        return NULL;
    }
    walk->dev[depth] = stat.st_dev;
    walk->ino[depth] = stat.st_ino;
    struct tv_tree_node *node = tv_arena_alloc(&walk->found->arena, sizeof *node);
    node->name = tv_arena_text(&walk->found->arena, tv_span_of(name));
    node->path = tv_arena_text(&walk->found->arena, tv_span_of(path));
    tv_found_dir(walk->found, node->path);
    struct entries entries = {0};
    list_directory(walk, &entries, stream, path);
    struct lists ends = {&node->files, &node->child};
    for (size_t i = 0; i < entries.len; i++) {
        if (!is_cut(walk->found))
            visit_entry(walk, node, fd, &entries.list[i], depth, &ends);
        free(entries.list[i].name);
    }
    free(entries.list);
    closedir(stream);
    return node;
}

struct tv_tree_node *tv_tree_walk(struct tv_found *found, const char *path)
{
    struct walk walk = {.found = found};
    return walk_directory(&walk, AT_FDCWD, path, path, 0);
}
