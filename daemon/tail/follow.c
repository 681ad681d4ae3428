/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/follow.h"
#include "base/map.h"
#include "base/memory.h"
#include "tail/live.h"
#include "tail/probed.h"
#include "tail/told.h"
#include "trainvet/text.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 512 };   /* of an escaped name, as the engine has it */
enum { SLICE = 4 << 20 };    /* bytes of one run before the others get their turn */
enum { TURN = 64 };          /* runs that are merely due, before hints are asked for again */
#define DISCOVER_MIN   0.2   /* seconds between two searches for new runs */
#define DISCOVER_COST  50.0  /* and at least so many times what the last one took */
#define TICK           10.0  /* seconds */
#define TICK_SHARE     0.1   /* of a silence: a long one is looked at ever more rarely */
#define FINISH_SILENCE 5.0   /* seconds without news after which a finished run has ended */
#define REREAD_MIN     1.0   /* seconds between two readings of a run from the start */
#define TORN_PATIENCE  30.0  /* seconds that a half-written file is waited for */
#define RECENT         120.0 /* seconds; a run with news since then moves */
#define KEEP_ENDED     600.0 /* seconds that the numbers of a run that has ended are kept */
#define GONE_PATIENCE  30.0  /* seconds that a run whose files are gone is waited for */

struct directory {
    char *path;
    bool is_watched, is_dirty, is_found, has_run;
    struct directory *next;
};

struct followed {
    char *path;
    struct tv_live *live; /* what is known */
    struct tv_live
        *incoming; /* the same run being read from the start; takes over when it is complete */
    struct tv_told told;
    struct directory **dirs;
    size_t dirs_len;
    double last_news, next_look, last_tick, next_reread, torn_since, ended_at, found_at,
        missing_since;
    double news_wall; /* the time of day at last_news: silence is counted from there */
    double written; /* when the logs grew last: seen here, or what the files said at first sight */
    bool ended, must_reread;
    bool caught_up;  /* what was there at first sight is read */
    bool is_blocked; /* a file could not be opened at the last look */
    struct followed *next;
};

struct tv_follow {
    const struct tv_follow_options *options;
    struct tv_watch *watch;
    struct followed *runs, *newest;
    struct followed *turn; /* the first of those that were due and had to wait; NULL: none */
    struct tv_map by_path, dirs_by_path;
    struct directory *dirs;
    struct tv_probed probed;
    size_t runs_len;
    uint64_t overflows;
    bool entries_changed, started, is_behind;
    bool said_full;
    bool must_poll;          /* some directory cannot be watched */
    double incomplete_since; /* NaN: everything could be opened at the last search */
    double searched_at, search_cost, next_discover, next_reconcile, last_news;
};

struct tv_follow *tv_follow_new(const struct tv_follow_options *options, struct tv_watch *watch)
{
    struct tv_follow *follow = tv_xcalloc(1, sizeof *follow);
    follow->options = options;
    follow->watch = watch;
    follow->entries_changed = true;
    follow->incomplete_since = NAN;
    return follow;
}

static void free_run(struct followed *run)
{
    tv_live_free(run->live);
    tv_live_free(run->incoming);
    tv_told_free(&run->told);
    free(run->dirs);
    free(run->path);
    free(run);
}

void tv_follow_free(struct tv_follow *follow)
{
    while (follow->runs) {
        struct followed *next = follow->runs->next;
        free_run(follow->runs);
        follow->runs = next;
    }
    while (follow->dirs) {
        struct directory *next = follow->dirs->next;
        if (follow->dirs->is_watched)
            tv_watch_remove(follow->watch, follow->dirs->path);
        free(follow->dirs->path);
        free(follow->dirs);
        follow->dirs = next;
    }
    tv_map_free(&follow->by_path);
    tv_map_free(&follow->dirs_by_path);
    tv_probed_free(&follow->probed);
    free(follow);
}

static struct directory *directory_at(struct tv_follow *follow, const char *path, size_t len)
{
    struct directory *dir = tv_map_get(&follow->dirs_by_path, (struct tv_span){path, len});
    if (dir)
        return dir;
    dir = tv_xcalloc(1, sizeof *dir);
    dir->path = tv_xstrndup(path, len);
    dir->next = follow->dirs;
    follow->dirs = dir;
    tv_map_set(&follow->dirs_by_path, (struct tv_span){dir->path, len}, dir);
    return dir;
}

static void tell_full(struct tv_follow *follow, const char *path)
{
    struct tv_damage damage = {
        .what = "inotify has no watch left (fs.inotify.max_user_watches): this directory and those "
                "after it are looked at from time to time instead"};
    if (!follow->said_full)
        follow->options->problem(follow->options->ctx, path, &damage);
    follow->said_full = true;
}

static void watch_directories(struct tv_follow *follow, const struct tv_found *found)
{
    follow->must_poll = false;
    for (struct directory *dir = follow->dirs; dir; dir = dir->next)
        dir->is_found = false;
    bool is_full = false;
    for (size_t i = 0; i < found->dirs_len; i++) {
        struct directory *dir = directory_at(follow, found->dirs[i], strlen(found->dirs[i]));
        dir->is_found = true;
        dir->is_watched = dir->is_watched && tv_watch_has(follow->watch, dir->path);
        if (follow->watch && !is_full && !dir->is_watched && tv_watch_works_on(dir->path)) {
            dir->is_watched = tv_watch_add(follow->watch, dir->path, dir);
            is_full = !dir->is_watched && errno == ENOSPC;
            if (is_full)
                tell_full(follow, dir->path);
        }
        follow->must_poll = follow->must_poll || !dir->is_watched;
    }
    for (struct directory *dir = follow->dirs; dir; dir = dir->next)
        if (!dir->is_found && dir->is_watched && !found->is_incomplete) {
            tv_watch_remove(follow->watch, dir->path);
            dir->is_watched = false;
        }
}

static void remember_directory(struct tv_follow *follow, struct followed *run, const char *file)
{
    const char *slash = strrchr(file, '/');
    struct directory *dir =
        slash ? directory_at(follow, file, slash == file ? 1 : (size_t)(slash - file))
              : directory_at(follow, ".", 1);
    dir->has_run = true;
    for (size_t i = 0; i < run->dirs_len; i++)
        if (run->dirs[i] == dir)
            return;
    if (run->dirs_len == TV_DISCOVER_SOURCES)
        return;
    run->dirs = tv_xrealloc(run->dirs, run->dirs_len + 1, sizeof(struct directory *));
    run->dirs[run->dirs_len++] = dir;
}

static void remember_directories(struct tv_follow *follow, struct followed *run,
                                 const struct tv_found_run *found)
{
    run->dirs_len = 0;
    for (const struct tv_found_file *file = found->configs; file; file = file->next)
        remember_directory(follow, run, file->path);
    for (const struct tv_found_source *source = found->sources; source; source = source->next)
        for (const struct tv_found_file *file = source->files; file; file = file->next)
            remember_directory(follow, run, file->path);
}

/* A run that is done moves nowhere, but its directories are known ones. */
static void note_directories(struct tv_follow *follow, const struct tv_found_run *found)
{
    struct followed nobody = {0};
    remember_directories(follow, &nobody, found);
    free(nobody.dirs);
}

static void recall(void *ctx, const struct tv_alert *alert)
{
    struct followed *run = ctx;
    tv_told_recall(&run->told, alert);
}

static void recall_run(const struct tv_follow *follow, const struct tv_found_run *found,
                       struct followed *run)
{
    char name[NAME_BYTES], root[NAME_BYTES];
    if (!follow->options->recall)
        return;
    tv_escape(tv_span_of(found->name), name, sizeof name);
    if (found->root)
        tv_escape(tv_span_of(found->root), root, sizeof root);
    follow->options->recall(follow->options->ctx, found->root ? root : NULL, name, recall, run);
}

static struct followed *add_run(struct tv_follow *follow, const struct tv_found_run *found,
                                double now)
{
    struct followed *run = tv_xcalloc(1, sizeof *run);
    run->path = tv_xstrndup(found->path, strlen(found->path));
    run->last_news = now;
    run->last_tick = -INFINITY; /* once it is read */
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

static void take_runs(struct tv_follow *follow, const struct tv_found *found, double now)
{
    for (size_t i = 0; i < found->runs_len; i++) {
        const struct tv_found_run *one = &found->runs[i];
        struct followed *run = tv_map_get(&follow->by_path, tv_span_of(one->path));
        if (!run && is_done(follow, one)) {
            note_directories(follow, one);
            continue;
        }
        if (!run)
            run = add_run(follow, one, now);
        remember_directories(follow, run, one);
        run->missing_since = NAN;
        run->found_at = now;
        run->next_look = now;
        struct tv_live *newest = run->incoming ? run->incoming : run->live;
        if (newest && tv_live_extend(newest, one))
            continue;
        if (newest && found->is_incomplete)
            continue; /* what is missing now may be there the next time */
        tv_live_free(run->incoming);
        run->incoming = tv_live_new(follow->options->engine, one, follow->options->problem,
                                    follow->options->ctx);
        if (!run->live) {
            run->live = run->incoming;
            run->incoming = NULL;
        }
    }
}

/* Runs whose files are gone leave; what they told stays told, and is recalled when they come back.
 * Where nothing is recalled they are kept for a while. */
static void drop_runs(struct tv_follow *follow, double now)
{
    struct followed **at = &follow->runs, *run;
    size_t before = follow->runs_len;
    double patience = follow->options->recall ? 0 : GONE_PATIENCE;
    follow->newest = NULL;
    while ((run = *at)) {
        if (run->found_at != now && isnan(run->missing_since))
            run->missing_since = now;
        if (now - run->missing_since >= patience) {
            *at = run->next;
            follow->turn = follow->turn == run ? run->next : follow->turn;
            free_run(run);
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

/* And so do directories that no run needs. */
static void drop_directories(struct tv_follow *follow)
{
    struct directory **at = &follow->dirs, *dir;
    bool dropped = false;
    for (struct followed *run = follow->runs; run; run = run->next)
        for (size_t i = 0; i < run->dirs_len; i++)
            run->dirs[i]->is_found = true;
    while ((dir = *at)) {
        if (dir->is_found || dir->is_watched) {
            at = &dir->next;
            continue;
        }
        *at = dir->next;
        free(dir->path);
        free(dir);
        dropped = true;
    }
    if (!dropped)
        return;
    tv_map_free(&follow->dirs_by_path);
    for (dir = follow->dirs; dir; dir = dir->next)
        tv_map_set(&follow->dirs_by_path, tv_span_of(dir->path), dir);
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
    found.is_incomplete = now - follow->incomplete_since < TORN_PATIENCE;
    follow->entries_changed = found.is_incomplete; /* again, soon */
    watch_directories(follow, &found);
    take_runs(follow, &found, now);
    if (!found.is_incomplete) {
        drop_runs(follow, now);
        drop_directories(follow);
    }
    if (follow->options->searched)
        follow->options->searched(follow->options->ctx, &found, complete, now);
    tv_found_free(&found);
    if (!follow->started)
        follow->last_news = now;
    follow->started = true;
    follow->searched_at = now;
}

static void on_dirty(void *ctx, void *cookie, bool entries)
{
    struct tv_follow *follow = ctx;
    struct directory *one = cookie;
    /* what grows where no run is known may have become one: an empty file is no log yet */
    follow->entries_changed = follow->entries_changed || entries || (one && !one->has_run);
    if (one)
        one->is_dirty = true;
    follow->overflows += !one;
    for (struct directory *dir = follow->dirs; !one && dir; dir = dir->next)
        dir->is_dirty = true;
}

static bool is_hinted_at(const struct followed *run)
{
    for (size_t i = 0; i < run->dirs_len; i++)
        if (run->dirs[i]->is_dirty)
            return true;
    return false;
}

static bool is_watched(const struct followed *run)
{
    for (size_t i = 0; i < run->dirs_len; i++)
        if (!run->dirs[i]->is_watched)
            return false;
    return true;
}

static void schedule(const struct tv_follow *follow, struct followed *run, double now)
{
    bool moves = now - run->last_news < RECENT && !run->ended;
    run->next_look = now + (moves && !is_watched(run) ? follow->options->active_poll
                                                      : follow->options->idle_poll);
    if (tv_live_is_waiting(run->live) && run->last_news + follow->options->hold < run->next_look)
        run->next_look = run->last_news + follow->options->hold;
    if (!run->ended && tv_run_is_finished(tv_live_run(run->live)) &&
        run->last_news + FINISH_SILENCE < run->next_look)
        run->next_look = run->last_news + FINISH_SILENCE;
    if (!run->ended && run->next_look > now + TICK)
        run->next_look = now + TICK;
    if (run->is_blocked && run->next_look > now + follow->options->active_poll)
        run->next_look = now + follow->options->active_poll;
    if ((run->incoming || run->must_reread) && run->next_look > run->next_reread)
        run->next_look = run->next_reread > now ? run->next_reread : now;
}

/* The run is complete as read from the start, unless a file of it is half written: then it is read
 * again soon, and what was known stays known. */
static void take_over(struct followed *run, double now)
{
    if (tv_live_is_torn(run->incoming)) {
        run->torn_since = isnan(run->torn_since) ? now : run->torn_since;
        if (now - run->torn_since < TORN_PATIENCE) {
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

static void begin_again(struct followed *run, double now)
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
static bool look(struct tv_follow *follow, struct followed *run, struct tv_moment moment)
{
    double now = moment.boot;
    if (run->must_reread && now >= run->next_reread)
        begin_again(run, now);
    struct tv_live *live = run->incoming ? run->incoming : run->live;
    bool flush = now - run->last_news >= follow->options->hold;
    enum tv_live_news news = tv_live_look(live, SLICE, flush);
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

static void tell(struct tv_follow *follow, struct followed *run, double now)
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

static void end_run(struct tv_follow *follow, struct followed *run, struct tv_moment now)
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
    for (const struct followed *run = follow->runs; run; run = run->next)
        if (tv_live_run(run->live)) {
            visit(ctx, tv_live_run(run->live), run->ended);
            tv_live_rest(run->live);
        }
}

static bool is_over(const struct tv_follow *follow, const struct followed *run, double silence)
{
    if (run->ended)
        return false;
    return silence >= follow->options->end_after ||
           (!run->is_blocked && silence >= FINISH_SILENCE &&
            tv_run_is_finished(tv_live_run(run->live)));
}

static bool serve(struct tv_follow *follow, struct followed *run, struct tv_moment now)
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
    tv_live_rest(run->live);
    if (run->incoming)
        tv_live_rest(run->incoming);
    return more;
}

/* When to search again: soon after names came or went, but never so often that searching is all
 * that is done. */
static bool must_discover(struct tv_follow *follow, double now)
{
    if (!follow->started)
        return true;
    if (follow->search_cost <
        0) { /* the first call after a search: the time between is what it took */
        follow->search_cost = now - follow->searched_at;
        double pause = follow->search_cost * DISCOVER_COST;
        follow->next_discover = now + (pause > DISCOVER_MIN ? pause : DISCOVER_MIN);
        double usual =
            follow->must_poll ? follow->options->active_poll : follow->options->idle_poll;
        follow->next_reconcile = now + (pause > usual ? pause : usual);
    }
    return (follow->entries_changed && now >= follow->next_discover) ||
           now >= follow->next_reconcile;
}

static bool is_ending(const struct tv_follow *follow)
{
    return follow->options->is_ending && follow->options->is_ending(follow->options->ctx);
}

/* All runs with a hint, and some of those whose time has come: all of them at once would keep a
 * hint waiting. Returns when the next look is due. */
static double look_round(struct tv_follow *follow, struct tv_moment now)
{
    struct followed *from = follow->turn;
    double next = INFINITY;
    size_t looks = 0;
    follow->is_behind = false;
    follow->turn = NULL;
    for (struct followed *run = follow->runs; run; run = run->next) {
        bool is_due = now.boot >= run->next_look, is_hinted = is_hinted_at(run);
        from = run == from ? NULL : from;
        if (is_hinted || (is_due && !from && looks < TURN)) {
            if (is_ending(follow))
                break;
            looks += !is_hinted;
            if (serve(follow, run, now))
                run->next_look = now.boot;
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
    if (follow->watch)
        tv_watch_drain(follow->watch, on_dirty, follow);
    if (must_discover(follow, now.boot)) {
        discover(follow, now.boot);
        follow->search_cost = -1;
    }
    double next = follow->next_reconcile;
    if (follow->entries_changed && follow->next_discover < next)
        next = follow->next_discover;
    bool more = follow->search_cost < 0;
    double look = look_round(follow, now);
    next = look < next ? look : next;
    for (struct directory *dir = follow->dirs; dir; dir = dir->next)
        dir->is_dirty = false;
    more = more || follow->is_behind;
    return more || next <= now.boot ? 0 : next - now.boot;
}

double tv_follow_idle(const struct tv_follow *follow, struct tv_moment now)
{
    if (follow->is_behind || !follow->started)
        return 0;
    for (const struct followed *run = follow->runs; run; run = run->next)
        if (run->incoming || run->must_reread)
            return 0;
    return now.boot - follow->last_news;
}

void tv_follow_end(struct tv_follow *follow, struct tv_moment now)
{
    for (struct followed *run = follow->runs; run; run = run->next)
        if (!run->ended)
            end_run(follow, run, now);
}

size_t tv_follow_runs(const struct tv_follow *follow)
{
    return follow->runs_len;
}

uint64_t tv_follow_overflows(const struct tv_follow *follow)
{
    return follow->overflows;
}
