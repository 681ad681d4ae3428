/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fairseq: fairseq/optim/lr_scheduler/ 3d262bb2. Settings lie below lr_scheduler (hydra) or at the
 * top (argparse). */
#include "schedule/follow.h"
#include "schedule/framework.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <string.h>

struct fs_case {
    struct tv_scope in;
    double max_update;
    struct tv_schedule *s;
};

static double get(const struct fs_case *fs, const char *name, double otherwise)
{
    return tv_in_number(&fs->in, name, otherwise);
}

static enum tv_status fixed(const struct fs_case *fs, struct tv_error *reterr)
{
    (void)reterr;
    if (tv_in_has(&fs->in, "force_anneal"))
        tv_schedule_note(fs->s, "force_anneal is ignored: it shrinks the learning rate by epochs");
    return TV_OK;
}

static enum tv_status cosine(const struct fs_case *fs, struct tv_error *reterr)
{
    struct tv_schedule *s = fs->s;
    double low = fmin(get(fs, "min_lr", 0), s->peak), start = get(fs, "warmup_init_lr", -1),
           period = get(fs, "lr_period_updates", -1);
    s->param[TV_P_FLOOR] = low;
    s->param[TV_P_START] = start < 0 ? low : start;
    s->param[TV_P_PERIOD] = period > 0 ? period : fs->max_update - s->warmup_steps;
    s->param[TV_P_GROWTH] = get(fs, "t_mult", 1);
    s->param[TV_P_SHIFT] = -s->warmup_steps;
    tv_set(s, TV_P_GAMMA, get(fs, "lr_shrink", NAN));
    if (isnan(s->param[TV_P_PERIOD]))
        return tv_fail(reterr, TV_AGAIN, "either max_update or lr_period_updates must be known");
    if (s->param[TV_P_PERIOD] == 0)
        return tv_fail(reterr, TV_ECONFIG,
                       "cosine divides by max_update less warmup_updates, which is zero");
    return TV_OK;
}

static enum tv_status inverse_sqrt(const struct fs_case *fs, struct tv_error *reterr)
{
    if (fs->s->warmup_steps == 0)
        return tv_fail(reterr, TV_ECONFIG, "inverse_sqrt divides by warmup_updates, which is zero");
    fs->s->param[TV_P_START] = fmax(0, get(fs, "warmup_init_lr", 0));
    return TV_OK;
}

static enum tv_status polynomial(const struct fs_case *fs, struct tv_error *reterr)
{
    struct tv_schedule *s = fs->s;
    s->param[TV_P_END] = get(fs, "total_num_update", fs->max_update);
    s->param[TV_P_FLOOR] = get(fs, "end_learning_rate", 0);
    s->param[TV_P_POWER] = get(fs, "power", 1);
    if (s->param[TV_P_END] <= 0)
        return tv_fail(reterr, TV_ECONFIG, "total_num_update must be positive");
    return TV_OK;
}

static enum tv_status step(const struct fs_case *fs, struct tv_error *reterr)
{
    struct tv_schedule *s = fs->s;
    double low = get(fs, "min_lr", 0), start = get(fs, "warmup_init_lr", -1);
    s->param[TV_P_FLOOR] = low;
    s->param[TV_P_START] = start < 0 ? low : start;
    s->param[TV_P_SHIFT] = -s->warmup_steps;
    tv_set(s, TV_P_PERIOD, get(fs, "lr_deacy_period", NAN)); /* fairseq's own spelling */
    tv_set(s, TV_P_GAMMA, get(fs, "lr_decay", NAN));
    if (!(s->param[TV_P_PERIOD] > 0) || s->param[TV_P_GAMMA] > 1 || low < 0 || !(s->peak > low))
        return tv_fail(reterr, TV_ECONFIG,
                       "step needs lr_deacy_period > 0, lr_decay <= 1 and 0 <= min_lr < lr");
    return TV_OK;
}

static enum tv_status tri_stage(const struct fs_case *fs, struct tv_error *reterr)
{
    struct tv_schedule *s = fs->s;
    double ratio[3], length[3] = {get(fs, "warmup_steps", 0), get(fs, "hold_steps", 0),
                                  get(fs, "decay_steps", 0)};
    if (tv_in_list(&fs->in, "phase_ratio", ratio, 3) == 3) {
        if (ratio[0] + ratio[1] + ratio[2] != 1)
            return tv_fail(reterr, TV_ECONFIG, "phase ratios must add up to 1");
        if (isnan(fs->max_update))
            return tv_fail(reterr, TV_AGAIN, "max_update is not known");
        for (int i = 0; i < 3; i++)
            length[i] = trunc(fs->max_update * ratio[i]);
    }
    if (length[0] + length[1] + length[2] == 0)
        return tv_fail(reterr, TV_ECONFIG, "tri_stage needs steps or phase_ratio");
    if (!(length[2] > 0))
        return tv_fail(reterr, TV_ECONFIG, "tri_stage divides by decay_steps, which is zero");
    s->warmup_steps = length[0];
    s->param[TV_P_HOLD] = length[1];
    s->param[TV_P_DECAY] = length[2];
    tv_set(s, TV_P_START_RATIO, get(fs, "init_lr_scale", NAN));
    tv_set(s, TV_P_FLOOR_RATIO, get(fs, "final_lr_scale", NAN));
    return TV_OK;
}

static enum tv_status triangular(const struct fs_case *fs, struct tv_error *reterr)
{
    struct tv_schedule *s = fs->s;
    s->param[TV_P_FLOOR] = s->peak;
    s->peak = get(fs, "max_lr", NAN);
    s->param[TV_P_PERIOD] = s->param[TV_P_DECAY] = floor(get(fs, "lr_period_updates", 5000) / 2);
    tv_set(s, TV_P_GAMMA, get(fs, "lr_shrink", NAN));
    if (tv_in_true(&fs->in, "shrink_min", false))
        s->param[TV_P_MODE] = TV_TRIANGLE_BOTH_BY_CYCLE;
    if (!(s->peak > s->param[TV_P_FLOOR]))
        return tv_fail(reterr, TV_ECONFIG, "max_lr must be more than lr");
    return TV_OK;
}

/* update2lr: a Python dictionary from updates to learning rates, "{'1': 1e-3, '5000': 1e-4}". */
static enum tv_status manual(const struct fs_case *fs, struct tv_error *reterr)
{
    struct tv_schedule *s = fs->s;
    double at[TV_SCHEDULE_TABLE], lr[TV_SCHEDULE_TABLE];
    struct tv_kwargs text = tv_kwargs_open(fs->in.facts, "lr_scheduler.update2lr");
    if (!text.own)
        text = tv_kwargs_open(fs->in.facts, "update2lr");
    int len = text.own ? tv_in_map(&text.in, "", at, lr, TV_SCHEDULE_TABLE / TV_PHASE_ROW) : 0;
    tv_kwargs_close(&text);
    if (len <= 0)
        return tv_fail(reterr, TV_EUNSUPPORTED,
                       "a manual schedule is known from a plain update2lr only");
    for (int i = 0; i < len; i++) {
        double row[TV_PHASE_ROW] = {at[i], i > 0 ? lr[i - 1] / s->peak : 1, lr[i] / s->peak,
                                    TV_SHAPE_NONE};
        memcpy(s->table + (ptrdiff_t)i * TV_PHASE_ROW, row, sizeof row);
    }
    s->table_len = len * TV_PHASE_ROW;
    return TV_OK;
}

static enum tv_status plateau(const struct fs_case *fs, struct tv_error *reterr)
{
    struct tv_schedule *s = fs->s;
    enum tv_status status = tv_follow_settings(&fs->in, TV_FOLLOW_PLATEAU, s, reterr);
    s->table[TV_FOLLOW_FACTOR] = get(fs, "lr_shrink", 0.1);
    s->table[TV_FOLLOW_PATIENCE] = get(fs, "lr_patience", 0);
    s->table[TV_FOLLOW_THRESHOLD] = get(fs, "lr_threshold", 1e-4);
    s->table[TV_FOLLOW_MAXIMISE] = tv_get_true(
        fs->in.facts,
        "checkpoint.maximize_best_checkpoint_metric|lr_scheduler.maximize_best_checkpoint_metric|"
        "maximize_best_checkpoint_metric",
        false);
    if (s->warmup_steps > 0)
        tv_schedule_note(s, "the warm-up before reduce_lr_on_plateau is not followed");
    return status;
}

static const struct {
    const char *name;
    enum tv_status (*apply)(const struct fs_case *fs, struct tv_error *reterr);
} kinds[] = {{"fixed", fixed},
             {"cosine", cosine},
             {"inverse_sqrt", inverse_sqrt},
             {"polynomial_decay", polynomial},
             {"step", step},
             {"tri_stage", tri_stage},
             {"triangular", triangular},
             {"manual", manual},
             {"reduce_lr_on_plateau", plateau}};

static enum tv_status resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr)
{
    struct tv_scope top = tv_scope_top(facts), hydra = tv_scope_in(&top, "lr_scheduler");
    struct tv_scope optimization = tv_scope_in(&top, "optimization");
    bool nested = tv_in_has(&hydra, "_name");
    const char *name = nested ? tv_in_text(&hydra, "_name") : tv_get_text(facts, "lr_scheduler");
    double rates[TV_SCHEDULE_TABLE];
    struct fs_case fs = {
        .in = nested ? hydra : top,
        .max_update = tv_get_number(facts, "optimization.max_update|max_update|log.total_steps"),
        .s = ret};
    int len = tv_in_list(&optimization, "lr", rates, TV_SCHEDULE_TABLE);
    if (len == 0)
        len = tv_in_list(&top, "lr", rates, TV_SCHEDULE_TABLE);
    ret->peak = len > 0 ? rates[0] : NAN;
    ret->total_steps = fs.max_update;
    ret->offset_known = true;
    enum tv_status status = tv_schedule_start(ret, "fairseq", name ? name : "fixed", reterr);
    if (status != TV_OK)
        return status;
    if (len > 1 && strcmp(name ? name : "fixed", "fixed") != 0 &&
        strcmp(ret->kind->name, "polynomial_decay") != 0)
        return tv_fail(reterr, TV_ECONFIG,
                       "only the fixed schedule takes more than one learning rate");
    if (isnan(ret->peak))
        return tv_fail(reterr, TV_AGAIN, "the learning rate is not given");
    ret->warmup_steps =
        get(&fs, "warmup_updates", !strcmp(ret->kind->name, "inverse_sqrt") ? 4000 : 0);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && status == TV_OK; i++) {
        if (!strcmp(kinds[i].name, ret->kind->name))
            status = kinds[i].apply(&fs, reterr);
    }
    return status == TV_OK ? tv_schedule_complete(ret, reterr) : status;
}

static bool owns(const struct tv_facts *facts)
{
    return tv_has(facts, "lr_scheduler._name") ||
           (tv_has(facts, "lr_scheduler") && tv_has(facts, "max_update|warmup_updates"));
}

const struct tv_framework tv_framework_fairseq = {"fairseq", owns, resolve};
