/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MODEL_TAGS_H
#define MODEL_TAGS_H
/* What a tag means: the one table of spellings. */
#include "trainvet/run.h"

struct tv_role_match {
    enum tv_role role;
    int rank; /* among the tags that claim the same role, the lowest is used */
};

/* Rank of "eval_<dataset>_loss" where the name of the set does not tell its purpose. When two of
 * them claim the role, nothing says which one the run is to be judged by, and neither has it. */
#define TV_RANK_ONE_OF_SEVERAL 6
/* The same of "val_<name>_loss", which may also be a part of a loss that is logged behind it: it
 * has the role from its second point on. */
#define TV_RANK_NAMED_LOSS 9

/* `prefix` is the source's ("train/", "validation/", ""), `parser` the name of the parser that saw
 * the tag. */
struct tv_role_match tv_tag_role(const char *prefix, const char *parser, struct tv_span tag);
/* Is this the tag that `metric_for_best_model` means? "loss", "eval_loss" and "eval/loss" are the
 * same. */
bool tv_tag_is_metric(const char *prefix, struct tv_span tag, const char *metric);
/* The parameter group, from 0, whose learning rate a tag holds by its name ("lr/pg2"); -1: it does
 * not say. */
int tv_tag_group(const char *prefix, struct tv_span tag);
/* 1: larger is better, -1: smaller is better, 0: the name does not tell. */
int tv_tag_direction(const char *prefix, struct tv_span tag);

#endif
