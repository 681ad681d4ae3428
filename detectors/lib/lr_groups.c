/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is the logged learning rate that of another parameter group than the one that the configuration
 * speaks of? */
#include "lib/lr_cause.h"
#include "lib/lr_setting.h"
#include "lib/lr_work.h"
#include <math.h>
#include <string.h>

#define SAME     1e-3 /* relative, of a value with four digits */
#define SETTINGS 8    /* of one name that are looked at */
#define LAYERS   64

static bool is_about(double value, double wanted)
{
    return wanted > 0 && fabs(value - wanted) <= SAME * wanted;
}

/* timm logs the mean of all groups, and the others log the first: some power of the decay. */
static bool is_decayed(const struct tv_setting *setting, double factor)
{
    bool is_decay = strstr(setting->key, "decay") || strstr(setting->key, "llrd");
    return is_decay && setting->number > 0 && setting->number < 1 && factor < 1 &&
           factor >= pow(setting->number, LAYERS);
}

bool tv_lr_group_setting(const struct tv_lr_case *input, double factor, struct tv_setting *ret)
{
    if (!input->view)
        return false;
    for (size_t i = 0;
         i < SETTINGS && tv_view_setting_named(input->view, TV_LR_GROUP_FACTORS, i, ret); i++)
        if (is_about(factor, ret->number) || is_decayed(ret, factor))
            return true;
    for (size_t i = 0;
         i < SETTINGS && tv_view_setting_named(input->view, TV_LR_GROUP_RATES, i, ret); i++)
        if (is_about(factor * input->promise->peak, ret->number))
            return true;
    return false;
}

/* Whether this point is what the promise says, however the log is written. */
static bool is_promised(const struct tv_schedule *promise, struct tv_point point)
{
    for (int offset = -1; offset <= 1; offset++) {
        double n = fmax(0, (double)(point.step - offset));
        if (is_about(point.value, tv_schedule_lr(promise, n)))
            return true;
    }
    return false;
}

const char *tv_lr_promised_group(const struct tv_lr_case *input,
                                 const struct tv_lr_verdict *verdict)
{
    struct tv_point point;
    const char *tag;
    bool is_group = verdict->is_exact && (verdict->cause == TV_LR_SCALED ||
                                          (verdict->cause == TV_LR_FROZEN && verdict->value == 0));
    for (size_t i = 0; is_group && tv_view_other_rate(input->view, i, &point, &tag); i++)
        if (is_promised(input->promise, point))
            return tag;
    return NULL;
}
