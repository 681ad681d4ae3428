/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/told.h"
#include "base/memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct tv_told_alert {
    struct tv_alert alert; /* texts: owned copies, NULL where they are not needed */
    bool is_present;
};

static char *copy(const char *text)
{
    return tv_xstrndup(text, strlen(text));
}

static struct tv_told_alert *find(struct tv_told *told, const char *fingerprint)
{
    for (size_t i = 0; i < told->len; i++)
        if (strcmp(told->list[i].alert.fingerprint, fingerprint) == 0)
            return &told->list[i];
    return NULL;
}

static struct tv_told_alert *add(struct tv_told *told, const struct tv_alert *alert)
{
    if (told->len == told->cap) {
        told->cap = told->cap ? told->cap * 2 : 1;
        told->list = tv_xrealloc(told->list, told->cap, sizeof *told->list);
    }
    struct tv_told_alert *known = &told->list[told->len++];
    *known = (struct tv_told_alert){.alert = *alert};
    known->alert.run = copy(alert->run);
    known->alert.root = alert->root ? copy(alert->root) : NULL;
    known->alert.detector = copy(alert->detector);
    known->alert.subject = copy(alert->subject);
    known->alert.summary = copy(alert->summary);
    known->alert.state = TV_FIRING;
    known->alert.evidence_len = known->alert.causes_len = known->alert.advice_len = 0;
    known->alert.leader = NULL;
    return known;
}

void tv_told_update(struct tv_told *told, const struct tv_alert *const *alerts, size_t len,
                    bool is_settled, void (*tell)(void *ctx, const struct tv_alert *alert),
                    void *ctx)
{
    for (size_t i = 0; i < told->len; i++)
        told->list[i].is_present = false;
    for (size_t i = 0; i < len; i++) {
        struct tv_told_alert *known = find(told, alerts[i]->fingerprint);
        bool is_new = !known;
        if (is_new)
            known = add(told, alerts[i]);
        known->is_present = true;
        if (!is_new && !is_settled && alerts[i]->state == TV_FIRING)
            continue;
        if (is_new || alerts[i]->state != known->alert.state)
            tell(ctx, alerts[i]);
        known->alert.state = alerts[i]->state;
    }
    for (size_t i = 0; is_settled && i < told->len; i++) {
        struct tv_told_alert *known = &told->list[i];
        if (known->is_present || known->alert.state == TV_RESOLVED)
            continue;
        known->alert.state = TV_RESOLVED;
        known->alert.resolved_step = known->alert.step;
        tell(ctx, &known->alert);
    }
}

void tv_told_recall(struct tv_told *told, const struct tv_alert *alert)
{
    if (!find(told, alert->fingerprint))
        add(told, alert)->alert.state = alert->state;
}

void tv_told_free(struct tv_told *told)
{
    for (size_t i = 0; i < told->len; i++) {
        free((char *)told->list[i].alert.run);
        free((char *)told->list[i].alert.root);
        free((char *)told->list[i].alert.detector);
        free((char *)told->list[i].alert.subject);
        free((char *)told->list[i].alert.summary);
    }
    free(told->list);
    *told = (struct tv_told){0};
}
