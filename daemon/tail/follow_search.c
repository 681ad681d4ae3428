/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "tail/follow_parts.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 512 };  /* of an escaped name, as the engine has it */
enum { HEAD_BYTES = 256 };  /* of an event file: its first two records have begun */
#define DISCOVER_MIN  0.2   /* seconds between two searches for new runs */
#define DISCOVER_COST 50.0  /* and at least so many times what the last one took */
#define SURE_COST     200.0 /* the same where every directory is watched and nothing was told */
#define GONE_PATIENCE 30.0  /* seconds that a run whose files are gone is waited for */

void tv_followed_free(struct tv_followed *run)
{
    tv_live_free(run->live);
    tv_live_free(run->incoming);
    tv_told_free(&run->told);
    free(run->dirs);
    free(run->path);
    free(run);
}

static void recall(void *ctx, const struct tv_alert *alert)
{
    struct tv_followed *run = ctx;
    tv_told_recall(&run->told, alert);
}

static void recall_run(const struct tv_follow *follow, const struct tv_found_run *found,
                       struct tv_followed *run)
{
    char name[NAME_BYTES], root[NAME_BYTES];
    if (!follow->options->recall)
        return;
    tv_escape(tv_span_of(found->name), name, sizeof name);
    if (found->root)
        tv_escape(tv_span_of(found->root), root, sizeof root);
    follow->options->recall(follow->options->ctx, found->root ? root : NULL, name, recall, run);
}

static struct tv_followed *add_run(struct tv_follow *follow, const struct tv_found_run *found,
                                   double now)
{
    struct tv_followed *run = tv_xcalloc(1, sizeof *run);
    run->path = tv_xstrndup(found->path, strlen(found->path));
    run->number = ++follow->numbers;
    run->last_news = run->moved = now;
    run->next_tick = -INFINITY; /* once it is read */
    run->torn_since = NAN;
    recall_run(follow, found, run);
    *(follow->newest ? &follow->newest->next : &follow->runs) = run;
    follow->newest = run;
    follow->runs_len++;
    tv_map_set(&follow->by_path, tv_span_of(run->path), run);
    return run;
}

static bool is_done(const struct tv_follow *follow, const struct tv_found_run *found)
{
    char digest[17];
    if (!follow->options->is_done)
        return false;
    tv_found_digest(found, digest);
    return follow->options->is_done(follow->options->ctx, found->path, digest);
}

/* The first records of an event file say who writes it, and with that which directory is the run.
 */
static bool is_young(const struct tv_found_run *found)
{
    for (const struct tv_found_source *source = found->sources; source; source = source->next)
        for (const struct tv_found_file *file = source->files; file; file = file->next)
            if (file->size < HEAD_BYTES && strcmp(file->parser->name, "tfevents") == 0)
                return true;
    return false;
}

/* A run that was found, for the first time or again. `may_lack`: what is missing now may be there
 * the next time. */
static void take_run(struct tv_follow *follow, struct tv_followed *run,
                     const struct tv_found_run *found, bool may_lack, double now)
{
    struct tv_live *newest = run->incoming ? run->incoming : run->live;
    enum tv_live_match match = newest ? tv_live_extend(newest, found) : TV_LIVE_OTHER;
    run->missing_since = NAN;
    run->found_at = now;
    run->is_young = is_young(found);
    if (match == TV_LIVE_STILL)
        return;
    tv_agenda_put(&follow->agenda, run, now);
    if (newest && match == TV_LIVE_OTHER && may_lack)
        return;
    tv_follow_remember(follow, run, found);
    if (match == TV_LIVE_MOVED)
        return;
    tv_live_free(run->incoming);
    run->incoming =
        tv_live_new(follow->options->engine, found, follow->options->problem, follow->options->ctx);
    if (!run->live) {
        run->live = run->incoming;
        run->incoming = NULL;
    }
}

static void take_runs(struct tv_follow *follow, const struct tv_found *found, double now)
{
    for (size_t i = 0; i < found->runs_len; i++) {
        const struct tv_found_run *one = &found->runs[i];
        struct tv_followed *run = tv_map_get(&follow->by_path, tv_span_of(one->path));
        if (!run && is_done(follow, one)) {
            tv_follow_remember(follow, NULL, one);
            continue;
        }
        if (!run)
            run = add_run(follow, one, now);
        take_run(follow, run, one, found->is_incomplete, now);
    }
}

/* Runs whose files are gone leave; what they told stays told, and is recalled when they come back.
 * Where nothing is recalled they are kept for a while. */
static void drop_runs(struct tv_follow *follow, double now)
{
    struct tv_followed **at = &follow->runs, *run;
    size_t before = follow->runs_len;
    double patience = follow->options->recall ? 0 : GONE_PATIENCE;
    follow->newest = NULL;
    while ((run = *at)) {
        if (run->found_at != now && isnan(run->missing_since))
            run->missing_since = now;
        if (now - run->missing_since >= patience) {
            *at = run->next;
            tv_follow_let_go(follow, run);
            tv_followed_free(run);
            follow->runs_len--;
            continue;
        }
        follow->newest = run;
        at = &run->next;
    }
    if (follow->runs_len == before)
        return;
    tv_map_free(&follow->by_path);
    for (run = follow->runs; run; run = run->next)
        tv_map_set(&follow->by_path, tv_span_of(run->path), run);
}

static void tell_problems(const struct tv_follow *follow, const struct tv_found *found)
{
    for (size_t i = 0; !follow->started && i < found->problems_len; i++) {
        struct tv_damage damage = {.is_note = true, .what = found->problems[i].what};
        follow->options->problem(follow->options->ctx, found->problems[i].path, &damage);
    }
}

/* Searching opens new files and looks at all: how often it is done depends on what it costs, which
 * the caller's next call tells. */
static void discover(struct tv_follow *follow, double now)
{
    struct tv_found found = {.by_root = follow->options->by_root,
                             .probed = &follow->probed,
                             .is_ending = follow->options->is_ending,
                             .ctx = follow->options->ctx};
    follow->entries_changed = false;
    tv_discover(&found, follow->options->paths, follow->options->paths_len);
    tv_probed_next(&follow->probed);
    if (found.is_cut) {
        tv_found_free(&found);
        return;
    }
    tell_problems(follow, &found);
    if (!found.is_incomplete)
        follow->incomplete_since = NAN;
    else if (isnan(follow->incomplete_since))
        follow->incomplete_since = now;
    bool complete = !found.is_incomplete;
    found.is_incomplete = now - follow->incomplete_since < TV_TORN_PATIENCE;
    follow->entries_changed = found.is_incomplete; /* again, soon */
    tv_follow_watch(follow, &found);
    take_runs(follow, &found, now);
    if (!found.is_incomplete) {
        drop_runs(follow, now);
        tv_follow_drop_dirs(follow);
    }
    if (follow->options->searched)
        follow->options->searched(follow->options->ctx, &found, complete, now);
    tv_found_free(&found);
    if (!follow->started)
        follow->last_news = now;
    follow->started = true;
    follow->searched_at = now;
}

/* When to search again: soon after names came or went, but never so often that searching is all
 * that is done. */
static bool must_discover(struct tv_follow *follow, double now)
{
    if (!follow->started)
        return true;
    if (follow->search_cost < 0) {
        /* The first call after a search: the time between is what it took. The cheaper of the last
         * two counts, since one may have met a machine that stood still or slept. */
        double took = now - follow->searched_at;
        follow->search_cost = fmin(took, follow->search_took);
        follow->search_took = took;
        double pause = follow->search_cost * DISCOVER_COST;
        follow->next_discover = now + fmax(pause, DISCOVER_MIN);
        follow->next_reconcile =
            now + (follow->must_poll
                       ? fmax(pause, follow->options->active_poll)
                       : fmax(follow->search_cost * SURE_COST, follow->options->idle_poll));
    }
    return (follow->entries_changed && now >= follow->next_discover) ||
           now >= follow->next_reconcile;
}

void tv_follow_search(struct tv_follow *follow, double now)
{
    if (!must_discover(follow, now))
        return;
    discover(follow, now);
    follow->search_cost = -1;
}
