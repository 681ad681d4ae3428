/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/told.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/* What is told of an alert that turned out wrong; there may be one in each of 10,000 runs. */
struct tv_told_alert {
    char fingerprint[17];
    bool is_present, has_root;
    uint8_t severity, state;
    uint32_t episode;
    int64_t onset_step, step;
    double wall_time, observed, expected, confidence;
    char *texts; /* run, detector, subject, summary, root if it has one, each with its NUL */
};

static struct tv_told_alert *find(struct tv_told *told, const char *fingerprint)
{
    for (size_t i = 0; i < told->len; i++)
        if (strcmp(told->list[i].fingerprint, fingerprint) == 0)
            return &told->list[i];
    return NULL;
}

static char *pack(const char *const *texts, size_t len)
{
    size_t size = 0;
    for (size_t i = 0; i < len; i++)
        size += strlen(texts[i]) + 1;
    char *packed = tv_xmalloc(size), *at = packed;
    for (size_t i = 0; i < len; i++)
        at = stpcpy(at, texts[i]) + 1;
    return packed;
}

static const char *after(const char *text)
{
    return text + strlen(text) + 1;
}

static struct tv_told_alert *add(struct tv_told *told, const struct tv_alert *alert)
{
    const char *texts[] = {alert->run, alert->detector, alert->subject, alert->summary,
                           alert->root};
    if (told->len == told->cap) {
        told->cap = told->cap ? told->cap * 2 : 1;
        told->list = tv_xrealloc(told->list, told->cap, sizeof *told->list);
    }
    struct tv_told_alert *known = &told->list[told->len++];
    *known = (struct tv_told_alert){
        .has_root = alert->root != NULL,
        .severity = (uint8_t)alert->severity,
        .state = TV_FIRING,
        .episode = alert->episode,
        .onset_step = alert->onset_step,
        .step = alert->step,
        .wall_time = alert->wall_time,
        .observed = alert->observed,
        .expected = alert->expected,
        .confidence = alert->confidence,
        .texts = pack(texts, alert->root ? 5 : 4),
    };
    memcpy(known->fingerprint, alert->fingerprint, sizeof known->fingerprint);
    return known;
}

static void tell_resolved(const struct tv_told_alert *known,
                          void (*tell)(void *ctx, const struct tv_alert *alert), void *ctx)
{
    struct tv_alert alert = {
        .run = known->texts,
        .detector = after(known->texts),
        .episode = known->episode,
        .severity = known->severity,
        .state = TV_RESOLVED,
        .onset_step = known->onset_step,
        .step = known->step,
        .resolved_step = known->step,
        .wall_time = known->wall_time,
        .observed = known->observed,
        .expected = known->expected,
        .confidence = known->confidence,
    };
    alert.subject = after(alert.detector);
    alert.summary = after(alert.subject);
    alert.root = known->has_root ? after(alert.summary) : NULL;
    memcpy(alert.fingerprint, known->fingerprint, sizeof alert.fingerprint);
    tell(ctx, &alert);
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
        bool is_worse = alerts[i]->state == TV_FIRING && alerts[i]->severity > known->severity;
        if (is_new || is_worse || alerts[i]->state != (enum tv_alert_state)known->state)
            tell(ctx, alerts[i]);
        known->state = (uint8_t)alerts[i]->state;
        if (is_worse)
            known->severity = (uint8_t)alerts[i]->severity;
    }
    for (size_t i = 0; is_settled && i < told->len; i++) {
        struct tv_told_alert *known = &told->list[i];
        if (known->is_present || known->state == TV_RESOLVED)
            continue;
        known->state = TV_RESOLVED;
        tell_resolved(known, tell, ctx);
    }
}

void tv_told_recall(struct tv_told *told, const struct tv_alert *alert)
{
    if (!find(told, alert->fingerprint))
        add(told, alert)->state = (uint8_t)alert->state;
}

void tv_told_free(struct tv_told *told)
{
    for (size_t i = 0; i < told->len; i++)
        free(told->list[i].texts);
    free(told->list);
    *told = (struct tv_told){0};
}
