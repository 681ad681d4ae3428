/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "tail/follow_parts.h"
#include <math.h>
#include <stdlib.h>

enum { SLICE = 4 << 20 };    /* bytes of one run before the others get their turn */
enum { TURN = 64 };          /* runs that are merely due, before hints are asked for again */
#define POLL_SHARE     0.1   /* of a silence: where nothing is watched, it is looked at that late */
#define FINISH_SILENCE 5.0   /* seconds without news after which a finished run has ended */
#define REREAD_MIN     1.0   /* seconds between two readings of a run from the start */
#define QUIET          30.0  /* seconds since the logs grew: what comes next may take longer */
#define KEEP_ENDED     600.0 /* seconds that the numbers of a run that has ended are kept */
#define RETRY          1.0   /* seconds; what was due and could not be done is tried then */
#define TOGETHER       10.0  /* seconds: what is later is done once a second, for all runs */

struct tv_follow *tv_follow_new(const struct tv_follow_options *options, struct tv_watch *watch)
{
    struct tv_follow *follow = tv_xcalloc(1, sizeof *follow);
    follow->options = options;
    follow->watch = watch;
    follow->entries_changed = true;
    follow->incomplete_since = NAN;
    follow->hinted_end = &follow->hinted;
    return follow;
}

void tv_follow_free(struct tv_follow *follow)
{
    while (follow->runs) {
        struct tv_followed *next = follow->runs->next;
        tv_followed_free(follow->runs);
        follow->runs = next;
    }
    tv_follow_free_dirs(follow);
    tv_agenda_free(&follow->agenda);
    tv_map_free(&follow->by_path);
    tv_probed_free(&follow->probed);
    free(follow);
}

void tv_follow_hint(struct tv_follow *follow, struct tv_followed *run)
{
    if (run->is_hinted)
        return;
    run->is_hinted = true;
    run->next_hinted = NULL;
    *follow->hinted_end = run;
    follow->hinted_end = &run->next_hinted;
}

static struct tv_followed *take_hint(struct tv_follow *follow)
{
    struct tv_followed *run = follow->hinted;
    if (!run)
        return NULL;
    run->is_hinted = false;
    follow->hinted = run->next_hinted;
    if (!follow->hinted)
        follow->hinted_end = &follow->hinted;
    return run;
}

void tv_follow_let_go(struct tv_follow *follow, struct tv_followed *run)
{
    struct tv_followed **at = &follow->hinted;
    while (run->is_hinted && *at != run)
        at = &(*at)->next_hinted;
    if (run->is_hinted && !(*at = run->next_hinted))
        follow->hinted_end = at;
    tv_agenda_remove(&follow->agenda, run);
    tv_follow_leave_dirs(run);
}

/* When its files are to be looked at, if nobody says that they have changed. */
static double next_poll(const struct tv_follow *follow, const struct tv_followed *run, double now)
{
    const struct tv_follow_options *options = follow->options;
    double wait = options->idle_poll;
    if (run->is_blocked)
        wait = options->active_poll;
    else if (!run->ended && !tv_followed_is_watched(run))
        wait = fmin(wait, fmax(options->active_poll, POLL_SHARE * (now - run->moved)));
    return now + wait;
}

/* When anything else is to be done for it, were nothing to happen to its files. */
static double next_duty(const struct tv_follow *follow, const struct tv_followed *run, double now)
{
    double next = run->is_quiet ? INFINITY : run->moved + QUIET;
    if (!run->is_settled)
        next = fmin(next, run->last_news + follow->options->hold);
    if (!run->ended) {
        next = fmin(next, fmin(run->next_tick, run->last_news + follow->options->end_after));
        if (tv_run_is_finished(tv_live_run(run->live)))
            next = fmin(next, run->last_news + FINISH_SILENCE);
    } else if (tv_live_run(run->live)) {
        next = fmin(next, run->ended_at + KEEP_ENDED);
    }
    if (run->incoming || run->must_reread)
        next = fmin(next, run->next_reread);
    return next > now ? next : now + RETRY;
}

static void schedule(struct tv_follow *follow, struct tv_followed *run, double now)
{
    double next = fmin(next_poll(follow, run, now), run->next_duty);
    tv_agenda_put(&follow->agenda, run, next > now + TOGETHER ? ceil(next) : next);
}

/* The run is complete as read from the start, unless a file of it is half written: then it is read
 * again soon, and what was known stays known. */
static void take_over(struct tv_followed *run, double now)
{
    if (tv_live_is_torn(run->incoming)) {
        run->torn_since = isnan(run->torn_since) ? now : run->torn_since;
        if (now - run->torn_since < TV_TORN_PATIENCE) {
            tv_live_free(run->incoming);
            run->incoming = NULL;
            run->must_reread = true;
            run->next_reread = now + REREAD_MIN;
            return;
        }
    }
    run->torn_since = NAN;
    tv_live_free(run->live);
    run->live = run->incoming;
    run->incoming = NULL;
    run->ended = false;
    run->next_tick = run->next_duty = -INFINITY;
}

static void begin_again(struct tv_followed *run, double now)
{
    if (now < run->next_reread) {
        run->must_reread = true;
        return;
    }
    struct tv_live *again = tv_live_again(run->incoming ? run->incoming : run->live);
    tv_live_free(run->incoming);
    run->incoming = again;
    run->must_reread = false;
    run->next_reread = now + REREAD_MIN;
}

static void note_news(struct tv_follow *follow, struct tv_followed *run, struct tv_moment now)
{
    run->last_news = follow->last_news = now.boot;
    run->news_wall = run->written = now.wall;
    if (!run->caught_up)
        run->written = fmin(tv_live_written(run->incoming ? run->incoming : run->live), now.wall);
    run->moved = now.boot - (now.wall - run->written);
    run->next_tick = -INFINITY;
    run->is_settled = run->is_quiet = false;
    follow->entries_changed = follow->entries_changed || run->is_young;
}

/* One look. *ret_more: there is more to be read at once. */
static enum tv_live_news look(struct tv_follow *follow, struct tv_followed *run,
                              struct tv_moment now, bool *ret_more)
{
    if (run->must_reread && now.boot >= run->next_reread)
        begin_again(run, now.boot);
    struct tv_live *live = run->incoming ? run->incoming : run->live;
    bool flush = now.boot >= run->last_news + follow->options->hold;
    enum tv_live_news news = tv_live_look(live, SLICE, flush);
    struct tv_read_counts read = tv_live_take_counts(live);
    follow->read.bytes += read.bytes;
    follow->read.records += read.records;
    if (flush && !run->is_settled)
        run->next_tick = -INFINITY; /* what was held back is delivered */
    if (news == TV_LIVE_REREAD)
        begin_again(run, now.boot);
    else if (run->incoming && news != TV_LIVE_MORE && news != TV_LIVE_BLOCKED)
        take_over(run, now.boot);
    run->is_blocked = news == TV_LIVE_BLOCKED;
    if (news != TV_LIVE_NOTHING && news != TV_LIVE_BLOCKED)
        note_news(follow, run, now);
    run->caught_up = run->caught_up || news == TV_LIVE_READ;
    *ret_more = news == TV_LIVE_MORE || (news == TV_LIVE_REREAD && !run->must_reread);
    return news;
}

/* It may get another name by the search that its first news have brought about. */
static bool is_nameless(const struct tv_followed *run)
{
    return run->is_young && run->found_at < run->last_news;
}

static void tell(struct tv_follow *follow, struct tv_followed *run, double now)
{
    const struct tv_alert *const *alerts;
    run->is_settled = run->ended || (!run->incoming && !run->must_reread && !run->is_blocked &&
                                     now >= run->last_news + follow->options->hold);
    if (!tv_live_run(run->live))
        return;
    if (is_nameless(run) && !run->ended) {
        run->is_settled = false;
        return;
    }
    size_t len = tv_run_alerts(tv_live_run(run->live), &alerts);
    tv_told_update(&run->told, alerts, len, run->is_settled, follow->options->alert,
                   follow->options->ctx);
}

static void end_run(struct tv_follow *follow, struct tv_followed *run, struct tv_moment now)
{
    struct tv_run_report report;
    tv_run_written(tv_live_run(run->live), run->written);
    tv_live_end(run->live, run->news_wall + (now.boot - run->last_news));
    run->ended = true;
    run->ended_at = now.boot;
    tell(follow, run, now.boot);
    tv_run_report(tv_live_run(run->live), &report);
    follow->options->run(follow->options->ctx, &report);
    if (follow->options->done) {
        char digest[17];
        tv_live_digest(run->live, digest);
        follow->options->done(follow->options->ctx, run->path, digest, &report);
    }
}

void tv_follow_each(const struct tv_follow *follow,
                    void (*visit)(void *ctx, struct tv_run *run, bool ended), void *ctx)
{
    for (const struct tv_followed *run = follow->runs; run; run = run->next)
        if (tv_live_run(run->live)) {
            visit(ctx, tv_live_run(run->live), run->ended);
            tv_live_rest(run->live, false);
        }
}

bool tv_follow_some(const struct tv_follow *follow, struct tv_follow_place *place,
                    bool (*visit)(void *ctx, struct tv_run *run, bool ended), void *ctx)
{
    const struct tv_followed *run = follow->runs;
    if (!place->end)
        place->end = follow->numbers;
    while (run && run->number <= place->at)
        run = run->next;
    for (; run && run->number <= place->end; run = run->next) {
        place->at = run->number;
        if (!tv_live_run(run->live))
            continue;
        bool more = visit(ctx, tv_live_run(run->live), run->ended);
        tv_live_rest(run->live, false);
        if (!more)
            return true;
    }
    return false;
}

static bool is_over(const struct tv_follow *follow, const struct tv_followed *run, double now)
{
    if (run->ended || run->incoming || run->must_reread || is_nameless(run))
        return false;
    return now >= run->last_news + follow->options->end_after ||
           (!run->is_blocked && now >= run->last_news + FINISH_SILENCE &&
            tv_run_is_finished(tv_live_run(run->live)));
}

/* A clock that is set makes no silence, nor ends one. */
static void tick(struct tv_followed *run, double now)
{
    tv_run_written(tv_live_run(run->live), run->written);
    double silence = now - run->last_news;
    run->next_tick = now + fmax(tv_run_tick(tv_live_run(run->live), run->news_wall + silence), 1);
}

/* True when there is more to be read at once. */
static bool serve(struct tv_follow *follow, struct tv_followed *run, struct tv_moment now)
{
    bool more;
    if (look(follow, run, now, &more) == TV_LIVE_NOTHING && now.boot < run->next_duty) {
        schedule(follow, run, now.boot);
        return false;
    }
    if (!run->ended && !more && now.boot >= run->next_tick)
        tick(run, now.boot);
    if (!more && is_over(follow, run, now.boot))
        end_run(follow, run, now);
    else
        tell(follow, run, now.boot);
    if (run->ended && !run->incoming && now.boot >= run->ended_at + KEEP_ENDED)
        tv_live_shed(run->live);
    run->next_duty = next_duty(follow, run, now.boot);
    run->is_quiet = now.boot >= run->moved + QUIET;
    tv_live_rest(run->live, run->is_quiet);
    if (run->incoming)
        tv_live_rest(run->incoming, false);
    schedule(follow, run, now.boot);
    if (more) /* in the next round */
        tv_agenda_put(&follow->agenda, run, nextafter(now.boot, INFINITY));
    return more;
}

static bool is_ending(const struct tv_follow *follow)
{
    return follow->options->is_ending && follow->options->is_ending(follow->options->ctx);
}

static bool is_late(const struct tv_follow *follow)
{
    return follow->options->is_late && follow->options->is_late(follow->options->ctx);
}

/* All runs with a hint, and some of those whose time has come: all of them at once would keep a
 * hint waiting. Returns when the next look is due. */
static double look_round(struct tv_follow *follow, struct tv_moment now)
{
    struct tv_followed *run;
    bool more = false, stop = is_ending(follow);
    while (!stop && (run = take_hint(follow))) {
        more = serve(follow, run, now) || more;
        stop = is_late(follow) || is_ending(follow);
    }
    for (size_t looks = 0; looks < TURN && !is_ending(follow); looks++) {
        run = tv_agenda_first(&follow->agenda);
        if (!run || run->next_look > now.boot || (stop && looks > 0))
            break;
        more = serve(follow, run, now) || more;
        stop = is_late(follow);
    }
    run = tv_agenda_first(&follow->agenda);
    follow->is_behind = more || follow->hinted || (run && run->next_look <= now.boot);
    return run ? run->next_look : INFINITY;
}

double tv_follow_work(struct tv_follow *follow, struct tv_moment now)
{
    tv_follow_drain(follow);
    tv_follow_search(follow, now.boot);
    double next = follow->next_reconcile;
    if (follow->entries_changed && follow->next_discover < next)
        next = follow->next_discover;
    bool more = follow->search_cost < 0;
    next = fmin(next, look_round(follow, now));
    more = more || follow->is_behind;
    return more || next <= now.boot ? 0 : next - now.boot;
}

double tv_follow_idle(const struct tv_follow *follow, struct tv_moment now)
{
    if (follow->is_behind || !follow->started)
        return 0;
    for (const struct tv_followed *run = follow->runs; run; run = run->next)
        if (run->incoming || run->must_reread)
            return 0;
    return now.boot - follow->last_news;
}

void tv_follow_end(struct tv_follow *follow, struct tv_moment now)
{
    for (struct tv_followed *run = follow->runs; run; run = run->next)
        if (!run->ended)
            end_run(follow, run, now);
}

size_t tv_follow_runs(const struct tv_follow *follow)
{
    return follow->runs_len;
}

struct tv_read_counts tv_follow_read(const struct tv_follow *follow)
{
    return follow->read;
}

uint64_t tv_follow_overflows(const struct tv_follow *follow)
{
    return follow->overflows;
}
