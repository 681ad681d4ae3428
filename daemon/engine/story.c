/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One cause, one story: which alert is a consequence of which. A NaN after a divergence after a
 * warm-up that was too short is one trouble with three dates. Every alert stays an alert; it only
 * learns who leads it. */
#include "engine/run.h"
#include <stdlib.h>
#include <string.h>

/* Causes before their consequences; `leads` lists what each can bring about. A leader always stands
 * above its followers, so there are no cycles. */
static const struct {
    const char *detector;
    const char *leads[10];
} causes[] = {
    {"config_lint", {"slow_warmup", "warmup_divergence"}},
    {"lr_mismatch",
     {"warmup_divergence", "gradient_explosion", "divergence", "non_finite", "loss_spike",
      "loss_plateau", "oscillation", "undertraining", "slow_warmup"}},
    {"slow_warmup", {"undertraining"}},
    {"warmup_divergence",
     {"gradient_explosion", "divergence", "non_finite", "loss_spike", "loss_plateau", "oscillation",
      "gradient_vanishing", "early_stop_advised"}},
    {"gradient_explosion",
     {"divergence", "non_finite", "loss_spike", "loss_plateau", "gradient_vanishing"}},
    {"gradient_vanishing", {"loss_plateau", "undertraining"}},
    {"divergence",
     {"non_finite", "loss_spike", "loss_plateau", "oscillation", "overfitting",
      "early_stop_advised"}},
    {"non_finite", {"loss_plateau", "gradient_vanishing", "early_stop_advised", "stall"}},
    {"oscillation", {"loss_spike", "loss_plateau"}},
    {"overfitting", {"early_stop_advised"}},
    {"loss_plateau", {"early_stop_advised"}},
};
enum { CAUSES = sizeof causes / sizeof *causes };

static size_t cause_index(const char *detector)
{
    for (size_t i = 0; i < CAUSES; i++)
        if (strcmp(causes[i].detector, detector) == 0)
            return i;
    return CAUSES;
}

static bool can_lead(const struct tv_alert *cause, const struct tv_alert *effect, double slack)
{
    size_t at = cause_index(cause->detector);
    if (at == CAUSES || (double)cause->onset_step > (double)effect->onset_step + slack)
        return false;
    if (cause->state == TV_RESOLVED &&
        (double)cause->resolved_step + slack < (double)effect->onset_step)
        return false;
    for (size_t i = 0;
         i < sizeof causes[at].leads / sizeof *causes[at].leads && causes[at].leads[i]; i++)
        if (strcmp(causes[at].leads[i], effect->detector) == 0)
            return true;
    return false;
}

/* Onsets are estimates, some of them as coarse as the evaluations: two within 4 % of the run count
 * as together. */
void tv_story_tell(struct tv_run *run)
{
    double slack = run->first_step == TV_STEP_UNKNOWN
                       ? 0
                       : ((double)run->last_step - (double)run->first_step) / 25 + 1;
    for (size_t i = 0; i < run->alerts_len; i++) {
        struct tv_alert *effect = &run->alerts[i]->alert;
        size_t best = CAUSES;
        effect->leader = NULL;
        for (size_t k = 0; k < run->alerts_len; k++) {
            const struct tv_alert *cause = &run->alerts[k]->alert;
            if (k != i && cause_index(cause->detector) < best && can_lead(cause, effect, slack)) {
                best = cause_index(cause->detector);
                effect->leader = cause;
            }
        }
    }
    for (size_t i = 0; i < run->alerts_len; i++) {
        struct tv_alert *effect = &run->alerts[i]->alert;
        while (effect->leader && effect->leader->leader)
            effect->leader = effect->leader->leader;
    }
}

static const struct tv_alert *root_of(const struct tv_alert *alert)
{
    return alert->leader ? alert->leader : alert;
}

static int sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* The worst story first, then the earliest; in a story its leader first, then by onset. */
static int compare(const void *a, const void *b)
{
    const struct tv_alert *one = *(const struct tv_alert *const *)a,
                          *other = *(const struct tv_alert *const *)b;
    const struct tv_alert *root = root_of(one), *other_root = root_of(other);
    int order = sign(other_root->severity, root->severity);
    order = order ? order : sign(root->onset_step, other_root->onset_step);
    order = order ? order : strcmp(root->fingerprint, other_root->fingerprint);
    order = order ? order : sign(one != root, other != other_root);
    order = order ? order : sign(one->onset_step, other->onset_step);
    return order ? order : strcmp(one->fingerprint, other->fingerprint);
}

size_t tv_run_stories(struct tv_run *run, const struct tv_alert *const **ret)
{
    const struct tv_alert *const *alerts;
    size_t len = tv_run_alerts(run, &alerts);
    run->story_list = tv_xrealloc(run->story_list, len, sizeof(void *));
    if (len) {
        memcpy(run->story_list, alerts, len * sizeof(void *));
        qsort(run->story_list, len, sizeof(void *), compare);
    }
    *ret = run->story_list;
    return len;
}
