/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of a training under any name, in YAML or JSON: told by the names of learning-rate
 * schedules in them. Where it is: Megatron-LM --yaml-cfg (megatron/training/yaml_arguments.py,
 * d98e8a64), timm's --config (train.py aa4b5850), hydra files of fairseq and NeMo without their
 * other sections, mmengine's config.json dump, Lightning modules with a lr_scheduler of their own,
 * projects' own files around optax. */
#include "lib/json_config.h"
#include "lib/yaml_config.h"
#include "trainvet/text.h"
#include <string.h>

static bool is_json(struct tv_span text)
{
    text = tv_span_trim(tv_config_without_bom(text));
    return text.len && text.data[0] == '{';
}

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    if (!is_json(in))
        return tv_yaml_feed(TV_FACT_USER_CONFIG, NULL, in, out, reterr);
    return tv_json_feed(TV_FACT_USER_CONFIG, in, out, reterr);
}

/* Words that stand together in a configuration and hardly anywhere else. */
static bool is_told(struct tv_span head)
{
    static const char *const together[][2] = {
        {"lr_decay_style", "lr"},
        {"lr_scheduler", "class_path"},
        {"lr_scheduler", "_target_"},
        {"lr_scheduler", "_name"},
        {"lr_scheduler", "max_update"},
        {"lr_scheduler", "num_training_steps"},
        {"sched", "warmup_steps"},
        {"sched", "Annealing"},
        {"sched", "Policy"},
        {"param_scheduler", "optim_wrapper"},
        {"schedule", "optax."},
        {"warmup", "pytorch_warmup."},
        {"global_batch_size", "min_lr"},
        {"lr_scheduler", "torch.optim"},
        {"sched", "epochs"},
        {"lr0", "epochs"},
        {"scheduler", "t_warmup"},
        {"scheduler", "warmup_num_steps"},
        {"scheduler", "olmo_core."},
        {"warmup_iters", "lr_decay_iters"},
    };
    for (size_t i = 0; i < sizeof together / sizeof *together; i++)
        if (tv_span_holds(head, together[i][0]) && tv_span_holds(head, together[i][1]))
            return true;
    return false;
}

static int probe(struct tv_span basename, struct tv_span head)
{
    bool by_name = tv_span_ends(basename, ".json") || tv_yaml_name(basename);
    return by_name && is_json(head) == tv_span_ends(basename, ".json") && is_told(head) ? 30 : 0;
}

const struct tv_parser tv_parser_settings = {
    .name = "settings",
    .summary = "settings with a learning-rate schedule under any name (YAML, JSON)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
