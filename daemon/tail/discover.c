/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/discover.h"
#include "tail/tree.h"
#include "trainvet/text.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Which source tells a role when several do: lower is better. Event files are written live and hold
 * every point; the state beside them may be a checkpoint's, older than trainer_log.jsonl. */
enum { RANK_EVENTS, RANK_STATE, RANK_LOG, RANK_CHECKPOINT, RANK_SIDE };

struct work {
    struct tv_found *found;
    struct tv_tree_node *root;
    struct tv_tree_node *
        *dirs; /* of each run found below this root, parallel to found->runs from `first` on */
    size_t first, dirs_cap;
    const char *path;
    bool is_one_of_many; /* several PATHs were given */
    bool said_full;
};

/* ---- putting a run together ---- */

static struct tv_found_run *new_run(struct work *work, struct tv_tree_node *dir)
{
    struct tv_found *found = work->found;
    if (found->runs_len >= TV_DISCOVER_RUNS) {
        if (!work->said_full)
            tv_found_problem(found, work->path, false,
                             "holds more than %d runs: the others were left out", TV_DISCOVER_RUNS);
        work->said_full = true;
        return NULL;
    }
    if (found->runs_len == found->runs_cap) {
        found->runs_cap = found->runs_cap ? found->runs_cap * 2 : 16;
        found->runs = tv_xrealloc(found->runs, found->runs_cap, sizeof *found->runs);
    }
    size_t index = found->runs_len - work->first;
    if (index == work->dirs_cap) {
        work->dirs_cap = work->dirs_cap ? work->dirs_cap * 2 : 16;
        work->dirs = tv_xrealloc(work->dirs, work->dirs_cap, sizeof(struct tv_tree_node *));
    }
    work->dirs[index] = dir;
    for (struct tv_tree_node *node = dir; node; node = node->parent)
        node->runs++;
    struct tv_found_run *run = &found->runs[found->runs_len++];
    *run = (struct tv_found_run){.path = dir ? dir->path : work->path};
    return run;
}

static struct tv_found_file *copy_file(struct tv_found *found, const struct tv_tree_file *file)
{
    struct tv_found_file *copy = tv_arena_alloc(&found->arena, sizeof *copy);
    *copy = (struct tv_found_file){.path = file->path, .parser = file->parser, .size = file->size};
    return copy;
}

static void append_file(struct tv_found *found, struct tv_found_file **list,
                        struct tv_tree_file *file)
{
    while (*list)
        list = &(*list)->next;
    *list = copy_file(found, file);
    file->is_taken = true;
}

static struct tv_found_source *add_source(struct work *work, struct tv_found_run *run,
                                          const char *prefix, int rank)
{
    struct tv_found_source **end = &run->sources;
    size_t count = 0;
    for (; *end; end = &(*end)->next)
        count++;
    if (count == TV_DISCOVER_SOURCES) {
        tv_found_problem(work->found, run->path, false,
                         "has more than %d separate logs: the others were left out",
                         TV_DISCOVER_SOURCES);
        return NULL;
    }
    *end = tv_arena_alloc(&work->found->arena, sizeof **end);
    (*end)->prefix = tv_arena_text(&work->found->arena, tv_span_of(prefix));
    (*end)->rank = rank;
    return *end;
}

static void add_log(struct work *work, struct tv_found_run *run, struct tv_tree_file *file,
                    int rank)
{
    file->is_taken = true;
    struct tv_found_source *source = add_source(work, run, "", rank);
    if (source)
        append_file(work->found, &source->files, file);
}

static void add_configs(struct work *work, struct tv_found_run *run, struct tv_tree_node *node)
{
    for (struct tv_tree_file *file = node->files; file; file = file->next)
        if (file->parser->is_config && !file->is_taken)
            append_file(work->found, &run->configs, file);
}

/* Event files that are to become one source. */
struct event_list {
    struct tv_tree_file **files;
    size_t len, cap;
};

static void collect_events(struct event_list *list, struct tv_tree_node *node)
{
    for (struct tv_tree_file *file = node->files; file; file = file->next) {
        if (!file->is_events || file->is_taken)
            continue;
        if (list->len == list->cap) {
            list->cap = list->cap ? list->cap * 2 : 16;
            list->files = tv_xrealloc(list->files, list->cap, sizeof(struct tv_tree_file *));
        }
        list->files[list->len++] = file;
        file->is_taken = true;
    }
}

static int by_stamp(const void *a, const void *b)
{
    const struct tv_tree_file *one = *(struct tv_tree_file *const *)a;
    const struct tv_tree_file *two = *(struct tv_tree_file *const *)b;
    if (one->stamp != two->stamp)
        return one->stamp < two->stamp ? -1 : 1;
    int order = strverscmp(one->name, two->name);
    return order ? order : strverscmp(one->path, two->path);
}

static void add_events(struct work *work, struct tv_found_run *run, const char *prefix, int rank,
                       struct event_list *list)
{
    struct tv_found_source *source = list->len ? add_source(work, run, prefix, rank) : NULL;
    if (source) {
        qsort(list->files, list->len, sizeof(struct tv_tree_file *), by_stamp);
        struct tv_found_file **end = &source->files;
        for (size_t i = 0; i < list->len; i++, end = &(*end)->next)
            *end = copy_file(work->found, list->files[i]);
    }
    free(list->files);
    *list = (struct event_list){0};
}

/* ---- what directories are ---- */

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

static bool is_log_folder(const char *name)
{
    static const char *const names[] = {"runs",        "logs", "log",     "logging",
                                        "tensorboard", "tb",   "tb_logs", "tensorboard_logs",
                                        "events",      NULL};
    return is_one_of(name, names);
}

static bool is_split_folder(const char *name)
{
    static const char *const names[] = {"train", "train_inner", "training",   "validation", "valid",
                                        "val",   "eval",        "evaluation", "test",       NULL};
    return is_one_of(name, names);
}

static bool has_prefix_and_number(const char *name, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(name, prefix, len) == 0 && name[len] &&
           name[len + strspn(name + len, "0123456789")] == '\0';
}

/* torch's add_hparams: the unix time, "1700000000.123". */
static bool is_time_folder(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    return digits >= 9 && digits <= 11 &&
           (!name[digits] || (name[digits] == '.' && strspn(name + digits + 1, "0123456789") ==
                                                         strlen(name + digits + 1)));
}

/* torch's default: "Jan02_03-04-05_host". */
static bool is_torch_folder(const char *name)
{
    int day, hour, minute, second, end = 0;
    return sscanf(name, "%*3[A-Za-z]%2d_%2d-%2d-%2d_%n", &day, &hour, &minute, &second, &end) ==
               4 &&
           end > 0;
}

/* Stable-Baselines3: "PPO_1", "QR-DQN_2", "RecurrentPPO_1". */
static bool is_sb3_folder(const char *name)
{
    size_t letters =
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
    size_t capitals = 0;
    for (size_t i = 0; i < letters; i++)
        capitals += name[i] >= 'A' && name[i] <= 'Z';
    return capitals >= 2 && name[letters] == '_' && has_prefix_and_number(name + letters, "_");
}

static bool is_lightning_version(const char *name)
{
    return has_prefix_and_number(name, "version_");
}

/* A level that tools put between the user's directory and the log: no part of a run's name when it
 * holds one run. */
static bool is_technical(const char *name)
{
    return is_lightning_version(name) || strcmp(name, "lightning_logs") == 0 ||
           is_log_folder(name) || is_torch_folder(name) || is_sb3_folder(name) ||
           has_prefix_and_number(name, "checkpoint-");
}

static bool has_events(const struct tv_tree_node *node)
{
    for (const struct tv_tree_file *file = node->files; file; file = file->next)
        if (file->is_events && !file->is_taken)
            return true;
    return false;
}

static struct tv_tree_file *named_file(const struct tv_tree_node *node, const char *name)
{
    for (struct tv_tree_file *file = node->files; file; file = file->next) {
        struct tv_span base = tv_span_of(file->name);
        if (tv_span_ends(base, ".gz"))
            base.len -= 3;
        if (tv_span_is(base, name) && !file->parser->is_config && !file->is_taken)
            return file;
    }
    return NULL;
}

/* runs/<torch's default name>/ with the arguments that the HF Trainer writes first. */
static bool has_hf_events(const struct tv_tree_node *runs)
{
    for (const struct tv_tree_node *child = runs->child; child; child = child->next)
        for (const struct tv_tree_file *file = child->files; file; file = file->next)
            if (file->has_hf_args && is_torch_folder(child->name))
                return true;
    return false;
}

static bool is_hf_output(const struct tv_tree_node *node)
{
    if (named_file(node, "trainer_state.json") || named_file(node, "trainer_log.jsonl"))
        return true;
    for (const struct tv_tree_node *child = node->child; child; child = child->next) {
        if (has_prefix_and_number(child->name, "checkpoint-") &&
            named_file(child, "trainer_state.json"))
            return true;
        if (strcmp(child->name, "runs") == 0 && has_hf_events(child))
            return true;
    }
    return false;
}

/* ---- HF output directory ---- */

static bool is_better_state(const struct tv_tree_file *a, const struct tv_tree_file *b)
{
    if (a->is_complete != b->is_complete)
        return a->is_complete;
    if (a->global_step != b->global_step)
        return a->global_step > b->global_step;
    return a->mtime > b->mtime;
}

/* Every checkpoint repeats the whole history: the fullest one that is complete is read. */
static void add_state(struct work *work, struct tv_found_run *run, struct tv_tree_node *node)
{
    struct tv_tree_file *top = named_file(node, "trainer_state.json"), *best = top, *torn = NULL;
    for (struct tv_tree_node *child = node->child; child; child = child->next) {
        if (!has_prefix_and_number(child->name, "checkpoint-"))
            continue;
        child->is_taken = true;
        struct tv_tree_file *state = named_file(child, "trainer_state.json");
        if (!state)
            continue;
        if (!best || is_better_state(state, best))
            best = state;
        if (!state->is_complete)
            torn = state;
        state->is_taken = true;
    }
    if (top && top != best && !top->is_complete)
        torn = top;
    if (torn && torn != best)
        tv_found_problem(work->found, torn->path, false,
                         "ends before its last brace: %s was read instead", best->path);
    if (top)
        top->is_taken = true;
    if (best)
        add_log(work, run, best, best == top ? RANK_STATE : RANK_CHECKPOINT);
}

static bool has_own_run(const struct tv_tree_node *node)
{
    if (is_hf_output(node))
        return true;
    for (const struct tv_tree_node *child = node->child; child; child = child->next)
        if (has_own_run(child))
            return true;
    return false;
}

/* Event files below a log folder; those of add_hparams are a source of their own. */
static void collect_below(struct event_list *main, struct event_list *side,
                          struct tv_tree_node *node)
{
    collect_events(is_time_folder(node->name) ? side : main, node);
    for (struct tv_tree_node *child = node->child; child; child = child->next)
        collect_below(main, side, child);
    node->is_taken = true;
}

static void take_hf_output(struct work *work, struct tv_tree_node *node)
{
    struct tv_found_run *run = new_run(work, node);
    if (!run)
        return;
    struct event_list main = {0}, side = {0};
    collect_events(&main, node);
    for (struct tv_tree_node *child = node->child; child; child = child->next) {
        if (is_time_folder(child->name) || (is_log_folder(child->name) && !has_own_run(child)))
            collect_below(&main, &side, child);
    }
    add_events(work, run, "", RANK_EVENTS, &main);
    add_events(work, run, "", RANK_SIDE, &side);
    add_state(work, run, node);
    struct tv_tree_file *log = named_file(node, "trainer_log.jsonl");
    if (log)
        add_log(work, run, log, RANK_LOG);
    add_configs(work, run, node);
}

/* ---- other directories ---- */

/* torch's add_scalars("a/b", {"key": ..}) writes its points, all of tag "a/b", into the folder
 * "a_b_key". */
static bool is_add_scalars_folder(const struct tv_tree_node *child, const char *writer)
{
    const struct tv_tree_file *file = child->files;
    if (!writer || !file || !file->is_events || !file->writer || strcmp(writer, file->writer) != 0)
        return false;
    struct tv_peek peek = tv_peek(file);
    for (char *p = peek.tag; *p; p++)
        *p = *p == '/' ? '_' : *p;
    size_t len = strlen(peek.tag);
    return len && strncmp(child->name, peek.tag, len) == 0 && child->name[len] == '_';
}

static void take_split(struct work *work, struct tv_found_run *run, struct tv_tree_node *child)
{
    char prefix[300];
    struct event_list list = {0};
    collect_events(&list, child);
    snprintf(prefix, sizeof prefix, "%s/", child->name);
    add_events(work, run, prefix, RANK_EVENTS, &list);
    add_configs(work, run, child);
}

/* Folders that belong to the run of the directory above them. */
static void take_side_folders(struct work *work, struct tv_found_run *run,
                              struct tv_tree_node *node, const char *writer)
{
    for (struct tv_tree_node *child = node->child; child; child = child->next) {
        if (!has_events(child))
            continue;
        if (is_split_folder(child->name) || is_add_scalars_folder(child, writer)) {
            take_split(work, run, child);
        } else if (is_time_folder(child->name)) {
            struct event_list list = {0};
            collect_events(&list, child);
            add_events(work, run, "", RANK_SIDE, &list);
        }
    }
}

/* Several logs of one kind in one directory are several runs, unless one has the name that the
 * trainer gives. */
static bool is_alone(const struct tv_tree_node *node, const struct tv_tree_file *file)
{
    for (const struct tv_tree_file *other = node->files; other; other = other->next)
        if (other != file && other->parser == file->parser)
            return false;
    return true;
}

static bool has_log(const struct tv_tree_node *node)
{
    for (const struct tv_tree_file *file = node->files; file; file = file->next)
        if (!file->is_taken && !file->parser->is_config &&
            (file->is_events || is_alone(node, file)))
            return true;
    return false;
}

static void take_directory(struct work *work, struct tv_tree_node *node)
{
    struct tv_found_run *run = new_run(work, node);
    if (!run)
        return;
    struct event_list events = {0};
    const char *writer = NULL;
    for (struct tv_tree_file *file = node->files; file && !writer; file = file->next)
        writer = file->writer;
    collect_events(&events, node);
    add_events(work, run, "", RANK_EVENTS, &events);
    for (struct tv_tree_file *file = node->files; file; file = file->next)
        if (!file->is_taken && !file->parser->is_config && is_alone(node, file))
            add_log(work, run, file, RANK_LOG);
    take_side_folders(work, run, node, writer);
    add_configs(work, run, node);
}

/* train/ with event files, beside validation/ or alone as Keras writes it before the first
 * evaluation. */
static bool is_split_parent(const struct tv_tree_node *node)
{
    bool train = false, other_split = false, other_runs = false;
    for (const struct tv_tree_node *child = node->child; child; child = child->next) {
        bool events = has_events(child);
        if (!is_split_folder(child->name))
            other_runs = other_runs || events;
        else if (events && strncmp(child->name, "train", 5) == 0)
            train = true;
        else
            other_split = other_split || events;
    }
    return train && (other_split || !other_runs);
}

static void take_split_parent(struct work *work, struct tv_tree_node *node)
{
    struct tv_found_run *run = new_run(work, node);
    if (!run)
        return;
    for (struct tv_tree_node *child = node->child; child; child = child->next)
        if (is_split_folder(child->name))
            take_split(work, run, child);
    add_configs(work, run, node);
}

/* Logs that lie beside others of their kind: a run each. */
static void take_single_files(struct work *work, struct tv_tree_node *node)
{
    for (struct tv_tree_file *file = node->files; file; file = file->next) {
        if (file->is_taken || file->parser->is_config)
            continue;
        struct tv_found_run *run = new_run(work, node);
        if (!run)
            return;
        run->path = file->path;
        add_log(work, run, file, RANK_LOG);
    }
}

static const struct tv_tree_file *first_events(const struct tv_tree_node *node)
{
    const struct tv_tree_file *best = NULL;
    for (const struct tv_tree_file *file = node->files; file; file = file->next)
        if (file->is_events && !file->is_taken && (!best || file->stamp < best->stamp))
            best = file;
    return best;
}

/* A fresh run logs its first point no later than one logging interval after its start. */
static bool begins_in_the_middle(const struct tv_tree_node *node)
{
    const struct tv_tree_file *file = first_events(node);
    struct tv_peek peek = {.interval = 0};
    if (file)
        peek = tv_peek(file);
    return peek.interval > 0 && peek.first_step > peek.interval;
}

/* lightning_logs/: a version that was resumed from a checkpoint continues the version before it. */
static void take_versions(struct work *work, struct tv_tree_node *node)
{
    struct tv_tree_node *child = node->child;
    while (child) {
        if (!is_lightning_version(child->name) || !has_events(child)) {
            child = child->next;
            continue;
        }
        struct tv_found_run *run = new_run(work, child);
        if (!run)
            return;
        struct event_list events = {0};
        do {
            collect_events(&events, child);
            add_configs(work, run, child);
            for (child = child->next; child; child = child->next)
                if (is_lightning_version(child->name) && has_events(child))
                    break;
        } while (child && begins_in_the_middle(child));
        add_events(work, run, "", RANK_EVENTS, &events);
    }
}

static void group(struct work *work, struct tv_tree_node *node)
{
    if (is_hf_output(node))
        take_hf_output(work, node);
    else if (has_log(node))
        take_directory(work, node);
    else if (is_split_parent(node))
        take_split_parent(work, node);
    take_single_files(work, node);
    take_versions(work, node);
    for (struct tv_tree_node *child = node->child; child; child = child->next)
        if (!child->is_taken)
            group(work, child);
}

/* ---- names ---- */

static const char *relative(struct work *work, const char *path)
{
    size_t len = strlen(work->path);
    const char *rest = path + len;
    while (*rest == '/')
        rest++;
    if (!*rest)
        return work->is_one_of_many ? work->path : ".";
    if (!work->is_one_of_many)
        return rest;
    return path;
}

/* The run's directory, without the levels that tools put between it and the log. */
static void name_run(struct work *work, struct tv_found_run *run, struct tv_tree_node *dir)
{
    if (strcmp(run->path, dir->path) == 0) {
        while (dir->parent && dir->parent->runs == 1 && is_technical(dir->name)) {
            dir = dir->parent;
            add_configs(work, run, dir);
        }
        run->path = dir->path;
    }
    run->name = relative(work, run->path);
}

static void discover_directory(struct work *work)
{
    work->root = tv_tree_walk(work->found, work->path);
    if (!work->root)
        return;
    size_t problems = work->found->problems_len;
    group(work, work->root);
    for (size_t i = work->first; i < work->found->runs_len; i++)
        name_run(work, &work->found->runs[i], work->dirs[i - work->first]);
    if (work->found->runs_len == work->first && work->found->problems_len == problems)
        tv_found_problem(work->found, work->path, false,
                         "holds no training log that trainvet can read (trainvet list names the "
                         "formats)");
}

static char *without_slashes(struct tv_arena *arena, const char *path)
{
    char *copy = tv_arena_text(arena, tv_span_of(path));
    for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
        copy[len - 1] = '\0';
    return copy;
}

static bool same_directory(const char *a, const char *b)
{
    const char *slash_a = strrchr(a, '/'), *slash_b = strrchr(b, '/');
    size_t len_a = slash_a ? (size_t)(slash_a - a) : 0, len_b = slash_b ? (size_t)(slash_b - b) : 0;
    return len_a == len_b && memcmp(a, b, len_a) == 0;
}

/* Event files of one directory are one run, as for TensorBoard. */
static bool joins_events(struct work *work, struct tv_tree_file *file)
{
    for (size_t i = 0; file->is_events && i < work->found->runs_len; i++) {
        struct tv_found_run *run = &work->found->runs[i];
        if (run->is_file && run->sources->files->parser == file->parser &&
            same_directory(run->path, file->path)) {
            append_file(work->found, &run->sources->files, file);
            return true;
        }
    }
    return false;
}

/* A configuration that is given as a PATH belongs to the logs given from the same directory. */
static void discover_config(struct tv_found *found, struct tv_tree_file *file)
{
    bool used = false;
    for (size_t i = 0; i < found->runs_len; i++) {
        struct tv_found_run *run = &found->runs[i];
        if (run->is_file && same_directory(run->path, file->path)) {
            append_file(found, &run->configs, file);
            used = true;
        }
    }
    if (!used)
        tv_found_problem(
            found, file->path, found->runs_len > 0,
            "is configuration, not a log: give it as --config FILE, or see trainvet lr");
}

static void file_run(struct work *work, struct tv_tree_file *file)
{
    struct tv_found_run *run = new_run(work, NULL);
    if (!run)
        return;
    run->is_file = true;
    run->name = work->is_one_of_many ? run->path : ".";
    add_log(work, run, file, RANK_LOG);
}

static bool is_directory(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

static void discover(struct tv_found *found, const char *const *paths, size_t count, bool join)
{
    struct tv_tree_file *configs = NULL, **end = &configs;
    for (size_t i = 0; i < count; i++) {
        struct work work = {.found = found,
                            .path = without_slashes(&found->arena, paths[i]),
                            .first = found->runs_len,
                            .is_one_of_many = count > 1};
        if (is_directory(work.path)) {
            discover_directory(&work);
            free(work.dirs);
            continue;
        }
        struct tv_tree_file *file = tv_tree_file(found, AT_FDCWD, work.path, work.path, true);
        if (!file)
            continue;
        if (join && file->parser->is_config) {
            *end = file;
            end = &file->next;
        } else if (!join || !joins_events(&work, file)) {
            file_run(&work, file);
        }
        free(work.dirs);
    }
    while (configs) {
        struct tv_tree_file *file = configs;
        configs = configs->next;
        discover_config(found, file);
    }
}

void tv_discover(struct tv_found *found, const char *const *paths, size_t count)
{
    discover(found, paths, count, true);
}

void tv_discover_files(struct tv_found *found, const char *const *paths, size_t count)
{
    discover(found, paths, count, false);
}

void tv_found_free(struct tv_found *found)
{
    free(found->runs);
    free(found->problems);
    tv_arena_free(&found->arena);
    *found = (struct tv_found){0};
}
