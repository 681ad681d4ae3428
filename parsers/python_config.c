/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations written in Python: MMEngine's dump (<work_dir>/<name>.py, vis_data/config.py) and
 * nanoGPT's files in config/. Read, never run. Sources: open-mmlab/mmengine
 * mmengine/config/config.py (Config.dump) 25434293; karpathy/nanoGPT configurator.py 3adf61e. */
#include "lib/py_config.h"
#include "trainvet/text.h"
#include <string.h>

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    struct tv_config config = tv_config_begin(out, TV_FACT_USER_CONFIG, "");
    enum tv_status status = tv_py_config(&config, in, reterr);
    tv_config_end(&config);
    return tv_config_feed(&config, status, in);
}

static bool has_line(struct tv_span text, const char *begin)
{
    size_t len = strlen(begin);
    for (size_t i = 0; i + len <= text.len; i++)
        if ((i == 0 || text.data[i - 1] == '\n') && memcmp(text.data + i, begin, len) == 0)
            return true;
    return false;
}

/* A program that has defaults of the same names is no configuration. */
static int probe(struct tv_span basename, struct tv_span head)
{
    static const char *const openmmlab[] = {
        "param_scheduler", "optim_wrapper",    "train_cfg", "default_hooks",
        "log_processor",   "train_dataloader", NULL};
    static const char *const nanogpt[] = {
        "max_iters", "learning_rate", "lr_decay_iters", "warmup_iters", "min_lr", "decay_lr",
        "out_dir",   "eval_interval", "batch_size",     "n_layer",      NULL};
    if (!tv_span_ends(basename, ".py") || has_line(head, "def ") || has_line(head, "class "))
        return 0;
    if (tv_py_count_names(head, openmmlab) >= 2)
        return 88;
    return tv_py_count_names(head, nanogpt) >= 3 ? 80 : 0;
}

const struct tv_parser tv_parser_python_config = {
    .name = "python_config",
    .summary = "MMEngine and nanoGPT configurations (Python)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
