/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "tail/follow_parts.h"
#include <math.h>
#include <stdlib.h>

enum { SLICE = 4 << 20 };    /* bytes of one run before the others get their turn */
enum { TURN = 64 };          /* runs that are merely due, before hints are asked for again */
#define TICK           20.0  /* seconds */
#define TICK_SHARE     0.2   /* of a silence: a long one is looked at ever more rarely */
#define FINISH_SILENCE 5.0   /* seconds without news after which a finished run has ended */
#define REREAD_MIN     1.0   /* seconds between two readings of a run from the start */
#define RECENT         120.0 /* seconds; a run with news since then moves */
#define QUIET          30.0  /* seconds since the logs grew: what comes next may take longer */
#define KEEP_ENDED     600.0 /* seconds that the numbers of a run that has ended are kept */

struct tv_follow *tv_follow_new(const struct tv_follow_options *options, struct tv_watch *watch)
{
    struct tv_follow *follow = tv_xcalloc(1, sizeof *follow);
    follow->options = options;
    follow->watch = watch;
    follow->entries_changed = true;
    follow->incomplete_since = NAN;
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
    tv_map_free(&follow->by_path);
    tv_probed_free(&follow->probed);
    free(follow);
}

/* When the silence has grown by TICK_SHARE since the last tick. */
static double next_tick(const struct tv_followed *run, double now)
{
    double next = fmax(run->last_tick + TICK,
                       (run->last_tick - TICK_SHARE * run->last_news) / (1 - TICK_SHARE));
    return fmax(next, now + 1);
}

static void schedule(const struct tv_follow *follow, struct tv_followed *run, double now)
{
    bool moves = now - run->last_news < RECENT && !run->ended;
    run->next_look = now + (moves && !tv_followed_is_watched(run) ? follow->options->active_poll
                                                                  : follow->options->idle_poll);
    if (tv_live_is_waiting(run->live) && run->last_news + follow->options->hold < run->next_look)
        run->next_look = run->last_news + follow->options->hold;
    if (!run->ended && tv_run_is_finished(tv_live_run(run->live)) &&
        run->last_news + FINISH_SILENCE < run->next_look)
        run->next_look = run->last_news + FINISH_SILENCE;
    if (!run->ended && run->next_look > next_tick(run, now))
        run->next_look = next_tick(run, now);
    if (run->is_blocked && run->next_look > now + follow->options->active_poll)
        run->next_look = now + follow->options->active_poll;
    if ((run->incoming || run->must_reread) && run->next_look > run->next_reread)
        run->next_look = run->next_reread > now ? run->next_reread : now;
    if (run->next_look > now + TICK / 2)
        run->next_look = ceil(run->next_look); /* thousands at rest wake the loop once a second */
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
    run->last_tick = -INFINITY;
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

/* One look. True when there is more to be read at once. */
static bool look(struct tv_follow *follow, struct tv_followed *run, struct tv_moment moment)
{
    double now = moment.boot;
    if (run->must_reread && now >= run->next_reread)
        begin_again(run, now);
    struct tv_live *live = run->incoming ? run->incoming : run->live;
    bool flush = now - run->last_news >= follow->options->hold;
    enum tv_live_news news = tv_live_look(live, SLICE, flush);
    struct tv_read_counts read = tv_live_take_counts(live);
    follow->read.bytes += read.bytes;
    follow->read.records += read.records;
    if (news == TV_LIVE_REREAD)
        begin_again(run, now);
    else if (run->incoming && news != TV_LIVE_MORE && news != TV_LIVE_BLOCKED)
        take_over(run, now);
    run->is_blocked = news == TV_LIVE_BLOCKED;
    if (news != TV_LIVE_NOTHING && news != TV_LIVE_BLOCKED) {
        run->last_news = follow->last_news = now;
        run->news_wall = moment.wall;
        run->written = run->caught_up ? moment.wall : fmin(tv_live_written(live), moment.wall);
    }
    run->caught_up = run->caught_up || news == TV_LIVE_READ;
    return news == TV_LIVE_MORE || (news == TV_LIVE_REREAD && !run->must_reread);
}

static void tell(struct tv_follow *follow, struct tv_followed *run, double now)
{
    const struct tv_alert *const *alerts;
    if (!tv_live_run(run->live))
        return;
    size_t len = tv_run_alerts(tv_live_run(run->live), &alerts);
    bool settled = !run->incoming && !run->must_reread && !run->is_blocked &&
                   now - run->last_news >= follow->options->hold;
    tv_told_update(&run->told, alerts, len, settled || run->ended, follow->options->alert,
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

static bool is_over(const struct tv_follow *follow, const struct tv_followed *run, double silence)
{
    if (run->ended)
        return false;
    return silence >= follow->options->end_after ||
           (!run->is_blocked && silence >= FINISH_SILENCE &&
            tv_run_is_finished(tv_live_run(run->live)));
}

static bool serve(struct tv_follow *follow, struct tv_followed *run, struct tv_moment now)
{
    bool more = look(follow, run, now);
    double silence = now.boot - run->last_news;
    if (!run->ended && !more && now.boot - run->last_tick >= fmax(TICK, silence * TICK_SHARE)) {
        run->last_tick = now.boot; /* a clock that is set makes no silence, nor ends one */
        tv_run_written(tv_live_run(run->live), run->written);
        tv_run_tick(tv_live_run(run->live), run->news_wall + silence);
    }
    if (!more && !run->incoming && !run->must_reread && is_over(follow, run, silence))
        end_run(follow, run, now);
    else
        tell(follow, run, now.boot);
    if (run->ended && !run->incoming && now.boot - run->ended_at >= KEEP_ENDED)
        tv_live_shed(run->live);
    schedule(follow, run, now.boot);
    tv_live_rest(run->live, now.wall - run->written >= QUIET);
    if (run->incoming)
        tv_live_rest(run->incoming, false);
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
    struct tv_followed *from = follow->turn;
    double next = INFINITY;
    size_t looks = 0;
    bool late = false;
    follow->is_behind = false;
    follow->turn = NULL;
    for (struct tv_followed *run = follow->runs; run; run = run->next) {
        bool is_due = now.boot >= run->next_look,
             is_hinted = follow->has_hints && tv_followed_is_hinted_at(run);
        from = run == from ? NULL : from;
        if (is_hinted && late) { /* the hint is gone by the next call */
            run->next_look = now.boot;
            follow->turn = follow->turn ? follow->turn : run;
        } else if (is_hinted || (is_due && !from && looks < TURN && !late)) {
            if (is_ending(follow))
                break;
            looks += !is_hinted;
            if (serve(follow, run, now))
                run->next_look = now.boot;
            late = is_late(follow);
        } else if (is_due && !from && !follow->turn) {
            follow->turn = run;
        }
        follow->is_behind = follow->is_behind || run->next_look <= now.boot;
        next = run->next_look < next ? run->next_look : next;
    }
    return next;
}

double tv_follow_work(struct tv_follow *follow, struct tv_moment now)
{
    tv_follow_drain(follow);
    tv_follow_search(follow, now.boot);
    double next = follow->next_reconcile;
    if (follow->entries_changed && follow->next_discover < next)
        next = follow->next_discover;
    bool more = follow->search_cost < 0;
    double look = look_round(follow, now);
    next = look < next ? look : next;
    tv_follow_clean(follow);
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
