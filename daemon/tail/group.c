/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which directories and files make a run. */
#include "tail/assemble.h"
#include "tail/layout.h"
#include <stdio.h>
#include <string.h>

static bool is_better_state(const struct tv_tree_file *a, const struct tv_tree_file *b)
{
    if (a->is_complete != b->is_complete)
        return a->is_complete;
    if (a->global_step != b->global_step)
        return a->global_step > b->global_step;
    return a->mtime > b->mtime;
}

/* Every checkpoint repeats the whole history: the fullest one that is complete is read. */
static void add_state(struct tv_assembly *work, struct tv_found_run *run, struct tv_tree_node *node)
{
    struct tv_tree_file *top = tv_named_file(node, "trainer_state.json"), *best = top, *torn = NULL;
    for (struct tv_tree_node *child = node->child; child; child = child->next) {
        if (!tv_is_checkpoint(child->name))
            continue;
        child->is_taken = true;
        struct tv_tree_file *state = tv_named_file(child, "trainer_state.json");
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
        tv_add_log(work, run, best, best == top ? TV_RANK_STATE : TV_RANK_CHECKPOINT);
}

/* Event files below a log folder; those of add_hparams are a source of their own. */
static void collect_below(struct tv_event_list *main, struct tv_event_list *side,
                          struct tv_tree_node *node)
{
    tv_collect_events(tv_is_time_folder(node->name) ? side : main, node);
    for (struct tv_tree_node *child = node->child; child; child = child->next)
        collect_below(main, side, child);
    node->is_taken = true;
}

static void add_other_logs(struct tv_assembly *work, struct tv_found_run *run,
                           struct tv_tree_node *node)
{
    for (struct tv_tree_file *file = node->files; file; file = file->next)
        if (!file->is_taken && !file->parser->is_config && !tv_is_table(file) &&
            tv_is_alone_of_its_kind(node, file))
            tv_add_log(work, run, file, TV_RANK_LOG);
}

/* The HF Trainer writes none: what lies there is the user's own, and may count otherwise. */
static void drop_tables(struct tv_tree_node *node)
{
    for (struct tv_tree_file *file = node->files; file; file = file->next)
        file->is_taken = file->is_taken || tv_is_table(file);
}

/* YOLOv5 and its like write opt.yaml, later versions args.yaml. */
static bool is_ultralytics(const struct tv_tree_node *node, const struct tv_tree_file *table)
{
    bool found = false;
    for (const struct tv_tree_file *file = node->files; file; file = file->next)
        found =
            found || strcmp(file->name, "args.yaml") == 0 || strcmp(file->name, "opt.yaml") == 0;
    return found && strcmp(table->name, "results.csv") == 0;
}

/* After all other logs. Where there are some, a CSV log counts only when it is known to count the
 * same steps: one of the user's own may count epochs beside event files by step. */
static void add_tables(struct tv_assembly *work, struct tv_found_run *run,
                       struct tv_tree_node *node)
{
    bool has_others = run->sources != NULL;
    for (struct tv_tree_file *file = node->files; file; file = file->next) {
        struct tv_found_source *own = NULL;
        if (file->is_taken || !tv_is_table(file))
            continue;
        if (has_others && !tv_is_table_of_events(file))
            file->is_taken = true;
        else if (tv_is_alone_of_its_kind(node, file))
            tv_add_table(work, run, file,
                         is_ultralytics(node, file) ? TV_RANK_EPOCHS : TV_RANK_TABLE, &own);
    }
}

static void take_hf_output(struct tv_assembly *work, struct tv_tree_node *node)
{
    struct tv_found_run *run = tv_assembly_run(work, node);
    if (!run)
        return;
    struct tv_event_list main = {0}, side = {0};
    tv_collect_events(&main, node);
    for (struct tv_tree_node *child = node->child; child; child = child->next) {
        if (tv_is_time_folder(child->name) ||
            (tv_is_log_folder(child->name) && !tv_has_own_run(child)))
            collect_below(&main, &side, child);
    }
    tv_add_events(work, run, "", TV_RANK_EVENTS, &main);
    tv_add_events(work, run, "", TV_RANK_SIDE, &side);
    add_state(work, run, node);
    struct tv_tree_file *log = tv_named_file(node, "trainer_log.jsonl");
    if (log)
        tv_add_log(work, run, log, TV_RANK_LOG);
    add_other_logs(work, run, node);
    drop_tables(node);
    tv_add_configs(work, run, node);
}

static void take_split(struct tv_assembly *work, struct tv_found_run *run,
                       struct tv_tree_node *child)
{
    char prefix[300];
    struct tv_event_list list = {0};
    tv_collect_events(&list, child);
    snprintf(prefix, sizeof prefix, "%s/", child->name);
    tv_add_events(work, run, prefix, TV_RANK_EVENTS, &list);
    tv_add_configs(work, run, child);
}

/* Folders that belong to the run of the directory above them. */
static void take_side_folders(struct tv_assembly *work, struct tv_found_run *run,
                              struct tv_tree_node *node, const char *writer)
{
    for (struct tv_tree_node *child = node->child; child; child = child->next) {
        if (!tv_has_events(child))
            continue;
        if (tv_is_split_folder(child) || tv_is_add_scalars_folder(child, writer)) {
            take_split(work, run, child);
        } else if (tv_is_time_folder(child->name)) {
            struct tv_event_list list = {0};
            tv_collect_events(&list, child);
            tv_add_events(work, run, "", TV_RANK_SIDE, &list);
        }
    }
}

/* The process whose event files lie directly in the directory. */
static const char *writer_of(const struct tv_tree_node *node)
{
    for (const struct tv_tree_file *file = node->files; file; file = file->next)
        if (file->writer)
            return file->writer;
    return NULL;
}

static void take_directory(struct tv_assembly *work, struct tv_tree_node *node)
{
    struct tv_found_run *run = tv_assembly_run(work, node);
    if (!run)
        return;
    struct tv_event_list events = {0};
    const char *writer = writer_of(node);
    tv_collect_events(&events, node);
    tv_add_events(work, run, "", TV_RANK_EVENTS, &events);
    add_other_logs(work, run, node);
    take_side_folders(work, run, node, writer);
    add_tables(work, run, node);
    tv_add_configs(work, run, node);
}

static void take_split_parent(struct tv_assembly *work, struct tv_tree_node *node)
{
    struct tv_found_run *run = tv_assembly_run(work, node);
    if (!run)
        return;
    for (struct tv_tree_node *child = node->child; child; child = child->next)
        if (tv_is_split_folder(child))
            take_split(work, run, child);
    tv_add_configs(work, run, node);
}

/* Logs that lie beside others of their kind: a run each. */
static void take_single_files(struct tv_assembly *work, struct tv_tree_node *node)
{
    for (struct tv_tree_file *file = node->files; file; file = file->next) {
        if (file->is_taken || file->parser->is_config)
            continue;
        struct tv_found_run *run = tv_assembly_run(work, node);
        if (!run)
            return;
        run->path = file->path;
        tv_add_log(work, run, file, TV_RANK_LOG);
    }
}

/* lightning_logs/: a version that was resumed from a checkpoint continues the version before it. */
static void take_versions(struct tv_assembly *work, struct tv_tree_node *node)
{
    struct tv_tree_node *child = node->child;
    while (child) {
        if (!tv_is_lightning_version(child->name) || !tv_has_version_log(child)) {
            child = child->next;
            continue;
        }
        struct tv_found_run *run = tv_assembly_run(work, child);
        if (!run)
            return;
        struct tv_event_list events = {0};
        struct tv_found_source *tables = NULL;
        do {
            struct tv_tree_file *table = tv_named_file(child, "metrics.csv");
            tv_collect_events(&events, child);
            if (table)
                tv_add_table(work, run, table, TV_RANK_TABLE, &tables);
            tv_add_configs(work, run, child);
            take_side_folders(work, run, child, writer_of(child));
            for (child = child->next; child; child = child->next)
                if (tv_is_lightning_version(child->name) && tv_has_version_log(child))
                    break;
        } while (child && tv_begins_in_the_middle(child));
        tv_add_events(work, run, "", TV_RANK_EVENTS, &events);
    }
}

/* MMEngine writes the same lines to vis_data/scalars.json and vis_data/<time>.json: one is read. */
static void drop_copy_of_mmengine(struct tv_tree_node *node)
{
    struct tv_tree_file *copy = tv_named_file(node, "scalars.json");
    if (!copy || strcmp(copy->parser->name, "mmengine_log") != 0)
        return;
    for (struct tv_tree_file *file = node->files; file; file = file->next)
        if (file != copy && file->parser == copy->parser)
            copy->is_taken = true;
}

void tv_group(struct tv_assembly *work, struct tv_tree_node *node)
{
    drop_copy_of_mmengine(node);
    if (tv_is_hf_output(node))
        take_hf_output(work, node);
    else if (tv_has_log(node))
        take_directory(work, node);
    else if (tv_is_split_parent(node))
        take_split_parent(work, node);
    take_single_files(work, node);
    take_versions(work, node);
    for (struct tv_tree_node *child = node->child; child; child = child->next)
        if (!child->is_taken)
            tv_group(work, child);
}
