/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/layout.h"
#include "trainvet/text.h"
#include <string.h>

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

bool tv_is_log_folder(const char *name)
{
    static const char *const names[] = {"runs",        "logs", "log",     "logging",
                                        "tensorboard", "tb",   "tb_logs", "tensorboard_logs",
                                        "events",      NULL};
    return is_one_of(name, names);
}

bool tv_is_table(const struct tv_tree_file *file)
{
    return strcmp(file->parser->name, "csv_log") == 0;
}

/* "Train_Samples_lr.csv": one metric of DeepSpeed's CSV monitor. */
static bool is_deepspeed_table(const struct tv_tree_file *file)
{
    return tv_is_table(file) && strncmp(file->name, "Train_Samples_", 14) == 0;
}

bool tv_is_table_of_events(const struct tv_tree_file *file)
{
    static const char *const names[] = {"results.csv", "metrics.csv", "progress.csv", NULL};
    return tv_is_table(file) && (is_one_of(file->name, names) || is_deepspeed_table(file));
}

static bool has_trainer_name(const struct tv_tree_file *file)
{
    return tv_is_table_of_events(file) || strcmp(file->name, "summary.csv") == 0;
}

bool tv_is_split_folder(const struct tv_tree_node *node)
{
    static const char *const names[] = {"train", "train_inner", "training",   "validation", "valid",
                                        "val",   "eval",        "evaluation", "test",       NULL};
    for (const struct tv_tree_file *file = node->files; file; file = file->next)
        if (tv_is_table(file))
            return false;
    return is_one_of(node->name, names);
}

static bool has_prefix_and_number(const char *name, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(name, prefix, len) == 0 && name[len] &&
           name[len + strspn(name + len, "0123456789")] == '\0';
}

bool tv_is_time_folder(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    return digits >= 9 && digits <= 11 &&
           (!name[digits] || (name[digits] == '.' && strspn(name + digits + 1, "0123456789") ==
                                                         strlen(name + digits + 1)));
}

/* torch's default: "Jan02_03-04-05_host". */
static bool is_torch_folder(const char *name)
{
    for (const char *pattern = "aaa00_00-00-00_"; *pattern; pattern++, name++) {
        bool fits = *pattern == 'a'   ? (*name | 32) >= 'a' && (*name | 32) <= 'z'
                    : *pattern == '0' ? *name >= '0' && *name <= '9'
                                      : *name == *pattern;
        if (!fits)
            return false;
    }
    return true;
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

bool tv_is_lightning_version(const char *name)
{
    return has_prefix_and_number(name, "version_");
}

bool tv_is_checkpoint(const char *name)
{
    return has_prefix_and_number(name, "checkpoint-");
}

/* MMEngine: "20260102_030405". */
static bool is_mmengine_folder(const char *name)
{
    return strspn(name, "0123456789") == 8 && name[8] == '_' &&
           strspn(name + 9, "0123456789") == 6 && !name[15];
}

bool tv_is_technical(const char *name)
{
    return strcmp(name, "vis_data") == 0 || is_mmengine_folder(name) ||
           tv_is_lightning_version(name) || strcmp(name, "lightning_logs") == 0 ||
           tv_is_log_folder(name) || is_torch_folder(name) || is_sb3_folder(name) ||
           has_prefix_and_number(name, "checkpoint-");
}

bool tv_has_events(const struct tv_tree_node *node)
{
    for (const struct tv_tree_file *file = node->files; file; file = file->next)
        if (file->is_events && !file->is_taken)
            return true;
    return false;
}

struct tv_tree_file *tv_named_file(const struct tv_tree_node *node, const char *name)
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

bool tv_is_hf_output(const struct tv_tree_node *node)
{
    if (tv_named_file(node, "trainer_state.json") || tv_named_file(node, "trainer_log.jsonl"))
        return true;
    for (const struct tv_tree_node *child = node->child; child; child = child->next) {
        if (tv_is_checkpoint(child->name) && tv_named_file(child, "trainer_state.json"))
            return true;
        if (strcmp(child->name, "runs") == 0 && has_hf_events(child))
            return true;
    }
    return false;
}

bool tv_has_own_run(const struct tv_tree_node *node)
{
    if (tv_is_hf_output(node))
        return true;
    for (const struct tv_tree_node *child = node->child; child; child = child->next)
        if (tv_has_own_run(child))
            return true;
    return false;
}

/* torch's add_scalars("a/b", {"key": ..}) writes its points, all of tag "a/b", into the folder
 * "a_b_key". */
bool tv_is_add_scalars_folder(const struct tv_tree_node *child, const char *writer)
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

/* Several logs of one kind in one directory are several runs, unless one has the name that the
 * trainer gives. */
bool tv_is_alone_of_its_kind(const struct tv_tree_node *node, const struct tv_tree_file *file)
{
    bool is_named = tv_is_table(file) && has_trainer_name(file);
    for (const struct tv_tree_file *other = node->files; other; other = other->next) {
        if (other == file || other->is_taken || other->parser != file->parser)
            continue;
        bool together = is_deepspeed_table(file) && is_deepspeed_table(other);
        if (!together && !(is_named && !has_trainer_name(other)))
            return false;
    }
    return true;
}

bool tv_has_version_log(const struct tv_tree_node *node)
{
    return tv_has_events(node) || tv_named_file(node, "metrics.csv");
}

bool tv_has_log(const struct tv_tree_node *node)
{
    for (const struct tv_tree_file *file = node->files; file; file = file->next)
        if (!file->is_taken && !file->parser->is_config &&
            (file->is_events || tv_is_alone_of_its_kind(node, file)))
            return true;
    return false;
}

/* train/ with event files, beside validation/ or alone as Keras writes it before the first
 * evaluation. */
bool tv_is_split_parent(const struct tv_tree_node *node)
{
    bool train = false, other_split = false, other_runs = false;
    for (const struct tv_tree_node *child = node->child; child; child = child->next) {
        bool events = tv_has_events(child);
        if (!tv_is_split_folder(child))
            other_runs = other_runs || events;
        else if (events && strncmp(child->name, "train", 5) == 0)
            train = true;
        else
            other_split = other_split || events;
    }
    return train && (other_split || !other_runs);
}

static const struct tv_tree_file *first_log(const struct tv_tree_node *node)
{
    const struct tv_tree_file *best = NULL;
    for (const struct tv_tree_file *file = node->files; file; file = file->next)
        if (file->is_events && !file->is_taken && (!best || file->stamp < best->stamp))
            best = file;
    return best ? best : tv_named_file(node, "metrics.csv");
}

/* A fresh run logs its first point no later than one logging interval after its start. */
bool tv_begins_in_the_middle(const struct tv_tree_node *node)
{
    const struct tv_tree_file *file = first_log(node);
    struct tv_peek peek = {.interval = 0};
    if (file)
        peek = tv_peek(file);
    return peek.interval > 0 && peek.first_step > peek.interval;
}
