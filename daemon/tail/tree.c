/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/tree.h"
#include "tail/reader.h"
#include "trainvet/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROBLEMS_MAX = 100, DIRECTORY_MAX = 100000 };

struct walk {
    struct tv_found *found;
    size_t entries;
    bool said_full, said_deep;
    int open[TV_DISCOVER_DEPTH + 1];                /* the directories down to this one */
    alignas(struct dirent64) char items[32 * 1024]; /* of the directory that is listed */
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
    struct stat target, above;
    if (fstatat(fd, name, &target, 0) != 0) {
        if (errno == ELOOP)
            tv_found_problem(walk->found, full, false,
                             "is a symbolic link that leads to itself and was not followed");
        else if (tv_probe(tv_input_name(name), (struct tv_span){"", 0}))
            tv_found_problem(walk->found, full, true, "is a symbolic link to nothing");
        return false;
    }
    for (int i = 0; S_ISDIR(target.st_mode) && i <= depth; i++)
        if (fstat(walk->open[i], &above) == 0 && above.st_dev == target.st_dev &&
            above.st_ino == target.st_ino)
            tv_found_problem(
                walk->found, full, false,
                "is a symbolic link back to a directory above it and was not followed");
    return !S_ISDIR(target.st_mode); /* what else it is, opening it will tell */
}

static mode_t type_of(int fd, const struct dirent64 *item)
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

/* False: there are too many. */
static bool list_item(struct walk *walk, struct entries *entries, int fd, const char *path,
                      const struct dirent64 *item)
{
    if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
        return true;
    if (++walk->entries > TV_DISCOVER_ENTRIES || entries->len >= DIRECTORY_MAX) {
        if (!walk->said_full)
            tv_found_problem(walk->found, path, false,
                             "holds too many files: not all of them were looked at");
        walk->said_full = true;
        return false;
    }
    mode_t mode = type_of(fd, item);
    if (is_wanted(item->d_name, mode))
        add_entry(entries, item->d_name, mode);
    return true;
}

/* What readdir() does, without its memory and system calls for each directory. */
static void list_directory(struct walk *walk, struct entries *entries, int fd, const char *path)
{
    bool goes_on = true;
    for (ssize_t len; goes_on && (len = getdents64(fd, walk->items, sizeof walk->items)) > 0;)
        for (ssize_t at = 0; goes_on && at < len;) {
            const struct dirent64 *item = (const void *)(walk->items + at);
            at += item->d_reclen;
            goes_on = list_item(walk, entries, fd, path, item);
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
        *ends->files =
            tv_tree_file(walk->found, fd, entry->name, full, S_ISREG(entry->mode), false);
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
    walk->open[depth] = fd;
    struct tv_tree_node *node = tv_arena_alloc(&walk->found->arena, sizeof *node);
    node->name = tv_arena_text(&walk->found->arena, tv_span_of(name));
    node->path = tv_arena_text(&walk->found->arena, tv_span_of(path));
    tv_found_dir(walk->found, node->path);
    struct entries entries = {0};
    list_directory(walk, &entries, fd, path);
    struct lists ends = {&node->files, &node->child};
    for (size_t i = 0; i < entries.len; i++) {
        if (!is_cut(walk->found))
            visit_entry(walk, node, fd, &entries.list[i], depth, &ends);
        free(entries.list[i].name);
    }
    free(entries.list);
    close(fd);
    return node;
}

struct tv_tree_node *tv_tree_walk(struct tv_found *found, const char *path)
{
    struct walk walk = {.found = found};
    return walk_directory(&walk, AT_FDCWD, path, path, 0);
}
