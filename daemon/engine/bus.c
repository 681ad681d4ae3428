/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The alert bus of one run: identity, what is already known, firing and resolved. */
#include "engine/run.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 512 };

const char *tv_severity_name(enum tv_severity severity)
{
    static const char *const names[] = {"info", "warning", "critical"};
    return names[severity];
}

static bool is_about(const struct tv_alert *alert, const char *detector, const char *subject)
{
    return strcmp(alert->detector, detector) == 0 && strcmp(alert->subject, subject) == 0;
}

static struct tv_alert_box *find(const struct tv_run *run, const char *detector,
                                 const char *subject)
{
    for (size_t i = run->alerts_len; i-- > 0;)
        if (is_about(&run->alerts[i]->alert, detector, subject))
            return run->alerts[i];
    return NULL;
}

/* Stable over restarts and machines: hashes names, never numbers that change while it fires. */
static void fingerprint(struct tv_alert *alert)
{
    char identity[4 * TEXT_MAX];
    struct tv_text text = tv_text_in(identity, sizeof identity);
    if (alert->root)
        tv_text_add(&text, "%s\n", alert->root);
    tv_text_add(&text, "%s\n%s\n%s\n%u", alert->run, alert->detector, alert->subject,
                alert->episode);
    uint64_t hash = tv_hash((struct tv_span){identity, text.len}, 0x747261696e766574ull);
    snprintf(alert->fingerprint, sizeof alert->fingerprint, "%016" PRIx64, hash);
}

struct texts {
    char data[(1 + 2 * TV_ALERT_TEXTS) * TEXT_MAX];
    size_t len;
};

/* Where in data the escaped text begins. */
static size_t keep(struct texts *texts, const char *text)
{
    size_t at = texts->len;
    tv_escape(tv_span_of(text), texts->data + at, TEXT_MAX);
    texts->len += strlen(texts->data + at) + 1;
    return at;
}

/* All texts of an alert are in one piece of memory, in order of the alert's members. */
static void set_contents(struct tv_alert_box *box, const struct tv_finding *finding)
{
    struct tv_alert *alert = &box->alert;
    struct texts texts;
    size_t causes[TV_ALERT_TEXTS] = {0}, advice[TV_ALERT_TEXTS] = {0};
    texts.len = 0;
    keep(&texts, finding->summary);
    alert->observed = finding->observed;
    alert->expected = finding->expected;
    alert->confidence = finding->confidence;
    alert->evidence_len = alert->causes_len = alert->advice_len = 0;
    for (size_t i = 0; i < finding->evidence_len && i < TV_ALERT_EVIDENCE; i++)
        alert->evidence[alert->evidence_len++] = finding->evidence[i];
    for (size_t i = 0; i < finding->causes_len && i < TV_ALERT_TEXTS; i++)
        causes[alert->causes_len++] = keep(&texts, finding->causes[i]);
    for (size_t i = 0; i < finding->advice_len && i < TV_ALERT_TEXTS; i++)
        advice[alert->advice_len++] = keep(&texts, finding->advice[i]);
    char *kept = memcpy(tv_xmalloc(texts.len), texts.data, texts.len);
    alert->summary = kept;
    for (size_t i = 0; i < alert->causes_len; i++)
        alert->causes[i] = kept + causes[i];
    for (size_t i = 0; i < alert->advice_len; i++)
        alert->advice[i] = kept + advice[i];
    free(box->texts); /* last: the finding may quote it */
    box->texts = kept;
}

/* Logs that count seconds from their own start have no time of day. */
static double known_time(double wall_time)
{
    return wall_time > TV_ELAPSED_MAX ? wall_time : (double)NAN;
}

static struct tv_alert_box *add(struct tv_run *run, const struct tv_view *view, const char *subject,
                                uint32_t episode)
{
    if (run->alerts_len == run->alerts_cap) {
        run->alerts_cap = run->alerts_cap ? run->alerts_cap * 2 : 8;
        run->alerts = tv_xrealloc(run->alerts, run->alerts_cap, sizeof(struct tv_alert_box *));
        run->alert_list =
            tv_xrealloc(run->alert_list, run->alerts_cap, sizeof(const struct tv_alert *));
    }
    /* The place of the one that was withdrawn: many may be, in a log of many levels. */
    struct tv_alert_box *box = run->withdrawn[view->detector];
    run->withdrawn[view->detector] = NULL;
    if (!box)
        box = tv_arena_alloc(&run->arena, sizeof *box);
    char safe[TEXT_MAX];
    tv_escape(tv_span_of(subject), safe, sizeof safe);
    const char *kept = box->alert.subject;
    if (!kept || strcmp(kept, safe) != 0)
        kept = tv_arena_text(&run->arena, tv_span_of(safe));
    box->alert = (struct tv_alert){
        .run = run->name,
        .root = run->root,
        .detector = run->detectors[view->detector]->name,
        .subject = kept,
        .episode = episode,
        .step = tv_view_step(view),
        .wall_time = known_time(view->point ? view->point->wall_time : run->last_wall),
    };
    box->calm_step = TV_CALM_NEVER;
    fingerprint(&box->alert);
    run->alert_list[run->alerts_len] = &box->alert;
    run->alerts[run->alerts_len++] = box;
    return box;
}

/* The next episode of a finding; `before` is its last one, NULL: there was none. */
static struct tv_alert_box *begin_episode(struct tv_run *run, const struct tv_view *view,
                                          const struct tv_alert_box *before,
                                          const struct tv_finding *finding)
{
    unsigned often = run->options->flapping_after;
    const struct tv_alert_box *gone = run->withdrawn[view->detector];
    uint32_t episode = before ? before->alert.episode + 1 : 0;
    if (gone && gone->alert.episode >= episode)
        episode = gone->alert.episode + 1;
    struct tv_alert_box *box = add(run, view, finding->subject, episode);
    bool goes_on = before && !before->is_flapping; /* one that flapped has stayed away */
    box->alert.onset_step = finding->onset_step;
    box->alert.severity = finding->severity;
    box->times = goes_on ? before->times : 0;
    box->since = goes_on ? before->since : box->alert.step;
    box->is_flapping = box->times >= (often ? often : TV_FLAPPING_AFTER);
    return box;
}

/* What is said about a finding that comes and goes. */
static void set_flapping(struct tv_alert_box *box, const struct tv_finding *finding)
{
    char summary[TEXT_MAX];
    struct tv_evidence evidence[TV_ALERT_EVIDENCE];
    struct tv_finding whole = *finding;
    size_t len = finding->evidence_len < TV_ALERT_EVIDENCE - 1 ? finding->evidence_len
                                                               : TV_ALERT_EVIDENCE - 1;
    snprintf(summary, sizeof summary, "comes and goes, %u times since step %" PRId64 ": %.380s",
             box->times, box->since, finding->summary);
    if (len)
        memcpy(evidence, finding->evidence, len * sizeof *evidence);
    evidence[len++] = (struct tv_evidence){"times", box->times};
    whole.summary = summary;
    whole.evidence = evidence;
    whole.evidence_len = len;
    set_contents(box, &whole);
}

void tv_raise(struct tv_view *view, const struct tv_finding *finding)
{
    struct tv_run *run = view->run;
    const char *detector = run->detectors[view->detector]->name;
    struct tv_alert_box *box = find(run, detector, finding->subject);
    bool fires = box && box->alert.state == TV_FIRING, is_back = !fires;
    if (!fires) {
        if (run->alerts_len >= TV_RUN_ALERTS_MAX) {
            run->alerts_dropped++;
            return;
        }
        box = begin_episode(run, view, box, finding);
    }
    is_back = is_back || box->calm_step != TV_CALM_NEVER;
    box->calm_step = TV_CALM_NEVER;
    box->times += is_back;
    if (finding->severity > box->alert.severity)
        box->alert.severity = finding->severity;
    if (box->is_flapping)
        set_flapping(box, finding);
    else
        set_contents(box, finding);
    free(run->silences[view->detector]);
    run->silences[view->detector] = NULL;
}

static void resolve(struct tv_alert *alert, int64_t step)
{
    if (alert->state != TV_FIRING)
        return;
    alert->state = TV_RESOLVED;
    alert->resolved_step = step;
}

/* It is gone, once more. */
static void expect_calm(struct tv_run *run, struct tv_alert_box *box, int64_t step)
{
    if (box->alert.state != TV_FIRING || box->calm_step != TV_CALM_NEVER)
        return;
    double distance = (double)(step - box->since) / fmax(1, box->times - 1);
    box->calm_step = step + 1 + (int64_t)fmin(TV_CALM * fmax(0, distance), 1e15);
    if (box->calm_step < run->calm_step)
        run->calm_step = box->calm_step;
}

void tv_bus_calm(struct tv_run *run, int64_t step)
{
    run->calm_step = TV_CALM_NEVER;
    for (size_t i = 0; i < run->alerts_len; i++) {
        struct tv_alert_box *box = run->alerts[i];
        if (box->alert.state != TV_FIRING || box->calm_step == TV_CALM_NEVER)
            continue;
        if (box->calm_step <= step)
            resolve(&box->alert, step);
        else if (box->calm_step < run->calm_step)
            run->calm_step = box->calm_step;
    }
}

void tv_clear(struct tv_view *view, const char *subject)
{
    struct tv_alert_box *box = find(view->run, view->run->detectors[view->detector]->name, subject);
    if (box && box->is_flapping)
        expect_calm(view->run, box, tv_view_step(view));
    else if (box)
        resolve(&box->alert, tv_view_step(view));
}

/* No longer among the alerts; its box waits for the next one. */
static void take_out(struct tv_run *run, size_t detector, size_t at)
{
    struct tv_alert_box *box = run->alerts[at];
    run->alerts_len--;
    for (; at < run->alerts_len; at++) {
        run->alerts[at] = run->alerts[at + 1];
        run->alert_list[at] = run->alert_list[at + 1];
    }
    struct tv_alert_box **gone = &run->withdrawn[detector];
    if (*gone)
        free((*gone)->texts);
    *gone = box;
}

void tv_withdraw(struct tv_view *view, const char *subject)
{
    struct tv_run *run = view->run;
    struct tv_alert_box *box = find(run, run->detectors[view->detector]->name, subject);
    if (!box || box->alert.state != TV_FIRING || box->is_flapping) {
        tv_clear(view, subject); /* it came and went before: that stays true */
        return;
    }
    size_t at = 0;
    while (run->alerts[at] != box)
        at++;
    take_out(run, view->detector, at);
}

void tv_withdraw_all(struct tv_view *view, const char *subject)
{
    struct tv_run *run = view->run;
    const char *detector = run->detectors[view->detector]->name;
    /* The oldest first: the next one's number follows that of the last. */
    for (size_t i = 0; i < run->alerts_len;) {
        if (is_about(&run->alerts[i]->alert, detector, subject))
            take_out(run, view->detector, i);
        else
            i++;
    }
}

void tv_bus_resolve_all(struct tv_run *run, size_t detector, int64_t step)
{
    for (size_t i = 0; i < run->alerts_len; i++)
        if (strcmp(run->alerts[i]->alert.detector, run->detectors[detector]->name) == 0)
            resolve(&run->alerts[i]->alert, step);
}

bool tv_silence_is_heard(const struct tv_view *view)
{
    return view->run->options->keep_silences;
}

void tv_silent(struct tv_view *view, const char *reason)
{
    struct tv_run *run = view->run;
    if (!tv_silence_is_heard(view))
        return;
    char safe[TEXT_MAX];
    tv_escape(tv_span_of(reason), safe, sizeof safe);
    char **slot = &run->silences[view->detector];
    if (*slot && strcmp(*slot, safe) == 0)
        return;
    free(*slot);
    *slot = tv_xstrndup(safe, strlen(safe));
}

size_t tv_run_alerts(struct tv_run *run, const struct tv_alert *const **ret)
{
    tv_story_tell(run);
    *ret = run->alert_list;
    return run->alerts_len;
}
