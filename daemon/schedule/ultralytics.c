/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ultralytics: by epochs; results.csv and the event files hold, under the number of the epoch that
 * ended, what its last batch had. Source: ultralytics/engine/trainer.py, v8.0 to v8.4. */
#include "schedule/framework.h"
#include "schedule/version.h"
#include <string.h>

/* build_optimizer(): "auto" takes no notice of lr0. */
static enum tv_status peak_of(const struct tv_facts *facts, struct tv_schedule *s,
                              struct tv_error *reterr)
{
    const char *optimizer = tv_get_text(facts, "optimizer");
    s->peak = tv_get_number_or(facts, "lr0", 0.01);
    if (optimizer && strcmp(optimizer, "auto") != 0)
        return TV_OK;
    double classes = tv_get_number(facts, "nc"), samples = tv_get_number(facts, "num_samples");
    double batch = fmax(tv_get_number_or(facts, "batch", 16), tv_get_number_or(facts, "nbs", 64));
    double steps = ceil(samples / batch) * tv_get_number_or(facts, "epochs", 100);
    if (!(steps > 10000) && (isnan(classes) || isnan(steps)))
        return tv_fail(reterr, TV_AGAIN,
                       "optimizer: auto chooses the learning rate itself and ignores lr0 (from the "
                       "number of images and of classes: --num-samples N --set nc=N)");
    s->peak = steps > 10000 ? 0.01 : nearbyint(0.002 * 5 / (4 + classes) * 1e6) / 1e6;
    tv_schedule_note(s, "optimizer: auto ignores lr0 and takes %g", s->peak);
    return TV_OK;
}

/* Up to 8.3 parameter group 0 held the biases, which begin at warmup_bias_lr, and a warm-up took
 * 100 batches at least. */
static void warm_up(const struct tv_facts *facts, struct tv_schedule *s)
{
    int version = tv_version_parse(tv_get_text(facts, "framework_version"));
    bool is_auto = !tv_has(facts, "optimizer") || !strcmp(tv_get_text(facts, "optimizer"), "auto");
    double bias = is_auto ? 0 : tv_get_number_or(facts, "warmup_bias_lr", 0.1);
    double batches =
        ceil(tv_get_number(facts, "num_samples") / tv_get_number_or(facts, "batch", 16));
    if (isnan(batches))
        batches = tv_get_number(facts, "log.batches_per_epoch");
    double epochs = tv_get_number_or(facts, "warmup_epochs", 3);
    bool is_new = version >= TV_VERSION(8, 4, 0);
    if (is_new)
        epochs = fmin(epochs, fmax(0, s->total_steps - 1));
    double length = nearbyint(epochs * batches);
    if (!is_new && epochs > 0)
        length = fmax(length, 100);
    s->warmup_steps = isnan(batches) ? epochs : fmax(epochs, ceil(length / batches));
    s->param[TV_P_START] = is_new ? 0 : bias;
    s->param[TV_P_EXTRA] = length;
    s->param[TV_P_PERIOD] = version == TV_VERSION_UNKNOWN ? NAN : batches;
    if (epochs > 0 && isnan(s->param[TV_P_PERIOD]))
        tv_schedule_note(s, "the warm-up goes by batches and differs by version: name both "
                            "(--num-samples N --framework ultralytics@8.3)");
}

static enum tv_status resolve(const struct tv_facts *facts, struct tv_schedule *ret,
                              struct tv_error *reterr)
{
    bool cosine = tv_get_true(facts, "cos_lr", false);
    enum tv_status status =
        tv_schedule_start(ret, "ultralytics", cosine ? "cosine" : "linear", reterr);
    if (status == TV_OK)
        status = peak_of(facts, ret, reterr);
    if (status != TV_OK)
        return status;
    ret->total_steps = tv_get_number_or(facts, "epochs", 100);
    if (!(ret->total_steps >= 1))
        return tv_fail(reterr, TV_ECONFIG, "epochs must be positive");
    ret->param[TV_P_FLOOR_RATIO] = tv_get_number_or(facts, "lrf", 0.01);
    ret->log_offset = 1;
    ret->offset_known = true;
    ret->by_epoch = true;
    warm_up(facts, ret);
    if (tv_get_number(facts, "time") > 0)
        tv_schedule_note(ret, "time: the number of epochs is adjusted while it trains");
    tv_schedule_note(ret, "steps are epochs here");
    return tv_schedule_complete(ret, reterr);
}

static bool owns(const struct tv_facts *facts)
{
    return tv_has(facts, "lr0") && tv_has(facts, "lrf|epochs");
}

const struct tv_framework tv_framework_ultralytics = {"ultralytics", owns, resolve};
