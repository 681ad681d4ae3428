/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/assemble.h"
#include "trainvet/text.h"
#include <stdlib.h>
#include <string.h>

struct tv_found_run *tv_assembly_run(struct tv_assembly *work, struct tv_tree_node *dir)
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
    *copy = (struct tv_found_file){
        .path = file->path, .parser = file->parser, .size = file->size, .mtime = file->mtime};
    return copy;
}

void tv_append_file(struct tv_found *found, struct tv_found_file **list, struct tv_tree_file *file)
{
    while (*list)
        list = &(*list)->next;
    *list = copy_file(found, file);
    file->is_taken = true;
}

static struct tv_found_source *add_source(struct tv_assembly *work, struct tv_found_run *run,
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

void tv_add_log(struct tv_assembly *work, struct tv_found_run *run, struct tv_tree_file *file,
                int rank)
{
    file->is_taken = true;
    struct tv_found_source *source = add_source(work, run, "", rank);
    if (source)
        tv_append_file(work->found, &source->files, file);
}

void tv_add_table(struct tv_assembly *work, struct tv_found_run *run, struct tv_tree_file *file,
                  int rank, struct tv_found_source **last)
{
    file->is_taken = true;
    if (!*last)
        *last = add_source(work, run, "", rank);
    if (*last)
        tv_append_file(work->found, &(*last)->files, file);
}

void tv_add_configs(struct tv_assembly *work, struct tv_found_run *run, struct tv_tree_node *node)
{
    for (struct tv_tree_file *file = node->files; file; file = file->next)
        if (file->parser->is_config && !file->is_taken)
            tv_append_file(work->found, &run->configs, file);
}

void tv_collect_events(struct tv_event_list *list, struct tv_tree_node *node)
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

void tv_add_events(struct tv_assembly *work, struct tv_found_run *run, const char *prefix, int rank,
                   struct tv_event_list *list)
{
    struct tv_found_source *source = list->len ? add_source(work, run, prefix, rank) : NULL;
    if (source) {
        qsort(list->files, list->len, sizeof(struct tv_tree_file *), by_stamp);
        struct tv_found_file **end = &source->files;
        for (size_t i = 0; i < list->len; i++, end = &(*end)->next)
            *end = copy_file(work->found, list->files[i]);
    }
    free(list->files);
    *list = (struct tv_event_list){0};
}
