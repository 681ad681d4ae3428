/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model [--seed N] [--actions N]: random things happen to the files of a few runs while they are
 * followed on a simulated clock: whole and partial lines, renames, copytruncate, rewriting in
 * place, unlink and create, holes, new files and runs, lost hints, restarts, a clock that is set.
 * After every round the follower must have told what a scan of the files as they then are tells, no
 * state of an alert twice in a row. */
#include "base/memory.h"
#include "engine/engine.h"
#include "support/event_writer.h"
#include "tail/follow.h"
#include "tail/load.h"
#include "trainvet/text.h"
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUNS = 4, TOLD_MAX = 4096, PATH_LEN = 160, ROUND = 120 };
#define DAY 86400.0

/* A run writes one log; which kind is drawn. */
enum kind { LINES, EVENTS, STATE, KINDS };

struct model_run {
    char dir[PATH_LEN - 60], log[PATH_LEN];
    enum kind kind;
    int64_t step;
    int files;             /* event files so far */
    struct tv_bytes half;  /* the rest of a record whose beginning is written */
    struct tv_bytes state; /* the entries of log_history */
    bool is_there, is_away;
};

struct told {
    char fingerprint[20], text[128];
    bool fires, expected;
    enum tv_severity severity;
};

static struct {
    unsigned seed;
    char root[64];
    struct model_run runs[RUNS];
    struct told told[TOLD_MAX];
    size_t told_len, actions, alerts, failed;
    struct tv_engine_options engine;
    struct tv_follow_options options;
    struct tv_follow *follow;
    struct tv_watch *watch;
    struct tv_moment now;
} m;

static size_t below(size_t n)
{
    return (size_t)rand_r(&m.seed) % n;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

static void fail(const char *what, const char *text)
{
    m.failed++;
    printf("FAILED: %s: %s\n", what, text);
}

/* ---- files ---- */

static void append(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || write(fd, data, len) != (ssize_t)len)
        exit(2);
    close(fd);
}

static void put(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, data, len) != (ssize_t)len)
        exit(2);
    close(fd);
}

/* Losses that are worth an alert now and then. */
static double next_loss(void)
{
    return below(40) == 0 ? (double)NAN : below(60) == 0 ? 90.0 : 2.0 + (double)below(100) * 0.001;
}

static struct tv_bytes record(struct model_run *run)
{
    struct tv_bytes bytes = {0};
    int64_t step = ++run->step;
    double loss = next_loss();
    if (run->kind == EVENTS) {
        tv_write_scalar(&bytes, step, "train/loss", (float)loss);
        return bytes;
    }
    char line[160];
    bool in_list = run->kind == STATE && run->state.len > 0;
    int len = snprintf(line, sizeof line,
                       run->kind == LINES
                           ? "%s{\"current_steps\": %lld, \"total_steps\": 100000, \"loss\": %s, "
                             "\"lr\": 0.0001}\n"
                           : "%s{\"step\": %lld, \"loss\": %s, \"learning_rate\": 0.0001}",
                       in_list ? ", " : "", (long long)step,
                       isnan(loss) ? "NaN"
                       : loss > 50 ? "90.5"
                                   : "2.04");
    tv_bytes_add(&bytes, line, (size_t)len);
    return bytes;
}

static void write_state(struct model_run *run, size_t cut)
{
    struct tv_bytes bytes = {0};
    char head[96];
    int len = snprintf(head, sizeof head, "{\"global_step\": %lld, \"log_history\": [",
                       (long long)run->step);
    tv_bytes_add(&bytes, head, (size_t)len);
    tv_bytes_add(&bytes, run->state.data, run->state.len);
    tv_bytes_add(&bytes, "]}\n", 3);
    put(run->log, bytes.data, bytes.len > cut ? bytes.len - cut : 0);
    tv_bytes_free(&bytes);
}

static void name_log(struct model_run *run)
{
    if (run->kind == EVENTS)
        snprintf(run->log, sizeof run->log, "%s/events.out.tfevents.%d.host", run->dir,
                 1700000000 + run->files++);
    else
        snprintf(run->log, sizeof run->log, "%s/%s", run->dir,
                 run->kind == LINES ? "trainer_log.jsonl" : "trainer_state.json");
}

static void flush_half(struct model_run *run)
{
    if (run->half.len)
        append(run->log, run->half.data, run->half.len);
    tv_bytes_free(&run->half);
    run->half = (struct tv_bytes){0};
}

static void append_record(struct model_run *run)
{
    struct tv_bytes bytes = record(run);
    if (run->kind == STATE) {
        tv_bytes_add(&run->state, bytes.data, bytes.len);
        write_state(run, 0);
    } else {
        flush_half(run);
        append(run->log, bytes.data, bytes.len);
    }
    tv_bytes_free(&bytes);
}

static void append_part(struct model_run *run)
{
    if (run->kind == STATE) { /* rewritten in place, half of it so far */
        write_state(run, 1 + below(8));
        return;
    }
    flush_half(run);
    struct tv_bytes bytes = record(run);
    size_t cut = below(bytes.len);
    append(run->log, bytes.data, cut);
    tv_bytes_add(&run->half, bytes.data + cut, bytes.len - cut);
    tv_bytes_free(&bytes);
}

static void complete(struct model_run *run)
{
    if (run->kind == STATE)
        write_state(run, 0);
    else
        flush_half(run);
}

static void begin_log(struct model_run *run)
{
    run->step = 0;
    if (run->kind == EVENTS) {
        struct tv_bytes bytes = {0};
        tv_write_version(&bytes);
        append(run->log, bytes.data, bytes.len);
        tv_bytes_free(&bytes);
    }
}

static void forget_records(struct model_run *run)
{
    tv_bytes_free(&run->half);
    tv_bytes_free(&run->state);
    run->half = run->state = (struct tv_bytes){0};
}

static void new_run(struct model_run *run)
{
    static int number;
    forget_records(run);
    *run = (struct model_run){.kind = (enum kind)below(KINDS), .is_there = true};
    snprintf(run->dir, sizeof run->dir, "%s/run-%d", m.root, number++);
    mkdir(run->dir, 0700);
    name_log(run);
    begin_log(run);
    for (size_t i = below(6); i < 6; i++)
        append_record(run);
}

/* ---- what happens to them ---- */

static void copytruncate(struct model_run *run)
{
    forget_records(run);
    if (truncate(run->log, 0) != 0)
        exit(2);
    begin_log(run);
}

static void regrow(struct model_run *run)
{
    struct stat before, after;
    stat(run->log, &before);
    copytruncate(run);
    do
        append_record(run);
    while (stat(run->log, &after) == 0 && after.st_size <= before.st_size);
}

static void create_again(struct model_run *run)
{
    forget_records(run);
    unlink(run->log);
    begin_log(run);
    append_record(run);
}

/* What rsync does: a copy under another name in the same directory takes the place of the log, or
 * (--inplace) the same bytes are written over it. */
static void copy_over(struct model_run *run, bool in_place)
{
    char data[1 << 16], other[PATH_LEN + 16];
    snprintf(other, sizeof other, "%s/.%s.x7Qa2b", run->dir, strrchr(run->log, '/') + 1);
    FILE *from = fopen(run->log, "r");
    FILE *to = from ? fopen(in_place ? run->log : other, in_place ? "r+" : "w") : NULL;
    if (!to)
        exit(2);
    for (size_t n; (n = fread(data, 1, sizeof data, from)) > 0;)
        if (fwrite(data, 1, n, to) != n)
            exit(2);
    fclose(from);
    if (fclose(to) != 0 || (!in_place && rename(other, run->log) != 0))
        exit(2);
}

static void replace(struct model_run *run)
{
    copy_over(run, false);
    append_record(run);
}

static void rewrite(struct model_run *run)
{
    copy_over(run, true);
    append_record(run);
}

/* A writer that does not append leaves a hole when its file was truncated. */
static void hole(struct model_run *run)
{
    struct stat now;
    if (run->kind != LINES || stat(run->log, &now) != 0)
        return;
    copytruncate(run);
    if (truncate(run->log, now.st_size) != 0)
        exit(2);
    append_record(run);
}

static void move_away_and_back(struct model_run *run)
{
    char away[PATH_LEN + 8];
    snprintf(away, sizeof away, "%s.away", run->log);
    if (rename(run->is_away ? away : run->log, run->is_away ? run->log : away) == 0)
        run->is_away = !run->is_away;
}

static void next_event_file(struct model_run *run)
{
    if (run->kind != EVENTS)
        return;
    flush_half(run);
    int64_t step = run->step;
    name_log(run);
    begin_log(run);
    run->step = step;
    append_record(run);
}

static void delete_run(struct model_run *run)
{
    nftw(run->dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
    forget_records(run);
    run->is_there = false;
}

/* ---- the follower ---- */

static struct told *told_of(const char *fingerprint)
{
    for (size_t i = 0; i < m.told_len; i++)
        if (strcmp(m.told[i].fingerprint, fingerprint) == 0)
            return &m.told[i];
    if (m.told_len == TOLD_MAX)
        exit(2);
    struct told *told = &m.told[m.told_len++];
    *told = (struct told){0};
    snprintf(told->fingerprint, sizeof told->fingerprint, "%s", fingerprint);
    return told;
}

static void on_alert(void *ctx, const struct tv_alert *alert)
{
    (void)ctx;
    bool is_new = true, fires = alert->state == TV_FIRING;
    for (size_t i = 0; i < m.told_len; i++)
        is_new = is_new && strcmp(m.told[i].fingerprint, alert->fingerprint) != 0;
    struct told *told = told_of(alert->fingerprint);
    snprintf(told->text, sizeof told->text, "%s %s %s", alert->run, alert->detector,
             alert->subject);
    if (!is_new && told->fires == fires && alert->severity <= told->severity)
        fail("told twice", told->text);
    told->fires = fires;
    told->severity = alert->severity;
    m.alerts++;
}

/* What a store would know after a restart. */
static void recall(void *ctx, const char *root, const char *run,
                   void (*visit)(void *visit_ctx, const struct tv_alert *alert), void *visit_ctx)
{
    (void)ctx;
    (void)root;
    for (size_t i = 0; i < m.told_len; i++) {
        struct tv_alert alert = {.run = run,
                                 .detector = "",
                                 .subject = "",
                                 .summary = "",
                                 .severity = m.told[i].severity,
                                 .state = m.told[i].fires ? TV_FIRING : TV_RESOLVED};
        size_t len = strlen(run);
        if (strncmp(m.told[i].text, run, len) != 0 || m.told[i].text[len] != ' ')
            continue;
        snprintf(alert.fingerprint, sizeof alert.fingerprint, "%s", m.told[i].fingerprint);
        visit(visit_ctx, &alert);
    }
}

static void on_run(void *ctx, const struct tv_run_report *report)
{
    (void)ctx;
    (void)report;
}

static void on_problem(void *ctx, const char *path, const struct tv_damage *damage)
{
    (void)ctx;
    (void)path;
    (void)damage;
}

static void settle(double seconds)
{
    double until = m.now.boot + seconds;
    while (m.now.boot < until) {
        double wait = tv_follow_work(m.follow, m.now);
        wait = wait < 0.01 ? 0.01 : wait > until - m.now.boot ? until - m.now.boot + 1e-9 : wait;
        m.now.boot += wait;
        m.now.wall += wait;
    }
}

static void restart(void)
{
    tv_follow_free(m.follow);
    m.follow = tv_follow_new(&m.options, m.watch);
}

/* ---- a round ---- */

static void act_on(struct model_run *run)
{
    static const struct {
        const char *name;
        void (*act)(struct model_run *run);
        unsigned weight;
    } acts[] = {
        {"append a record", append_record, 40},
        {"append half a record", append_part, 12},
        {"complete it", complete, 12},
        {"copytruncate", copytruncate, 2},
        {"truncate and regrow", regrow, 1},
        {"unlink and create", create_again, 2},
        {"hole", hole, 1},
        {"move away or back", move_away_and_back, 3},
        {"next event file", next_event_file, 2},
        {"replace as rsync does", replace, 2},
        {"rewrite as rsync --inplace does", rewrite, 2},
        {"delete the run", delete_run, 1},
    };
    unsigned all = 0;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        all += acts[i].weight;
    size_t drawn = below(all), i = 0;
    for (; drawn >= acts[i].weight; i++)
        drawn -= acts[i].weight;
    if (run->is_away && acts[i].act != delete_run)
        i = 7;
    if (getenv("MODEL_TRACE"))
        printf("%10.2f %s: %s\n", m.now.boot, run->dir, acts[i].name);
    acts[i].act(run);
}

static void act(void)
{
    struct model_run *run = &m.runs[below(RUNS)];
    m.actions++;
    if (!run->is_there)
        new_run(run);
    else
        act_on(run);
    size_t other = below(30);
    if (other == 0) {
        if (getenv("MODEL_TRACE"))
            printf("%10.2f restart\n", m.now.boot);
        restart();
    } else if (other == 1) {
        m.now.wall += below(2) ? DAY : -DAY;
    } else if (other < 16) {
        settle((double)below(80) * 0.1);
    }
}

static void expect(const char *path)
{
    struct tv_found found = {0};
    tv_discover(&found, &path, 1);
    for (size_t i = 0; i < found.runs_len; i++) {
        const struct tv_alert *const *alerts;
        struct tv_run *run = tv_run_new(&m.engine, found.runs[i].name);
        tv_load_run(run, &found.runs[i], NULL);
        tv_run_end(run, m.now.wall);
        size_t len = tv_run_alerts(run, &alerts);
        for (size_t a = 0; a < len; a++) {
            struct told *told = told_of(alerts[a]->fingerprint);
            told->expected = alerts[a]->state == TV_FIRING;
            snprintf(told->text, sizeof told->text, "%s %s %s", alerts[a]->run, alerts[a]->detector,
                     alerts[a]->subject);
        }
        tv_run_free(run);
    }
    tv_found_free(&found);
}

/* Where nothing is logged there is no run, and what was told of it before a restart stays told. */
static bool is_gone(const struct told *told)
{
    char path[PATH_LEN + 64];
    struct stat info;
    snprintf(path, sizeof path, "%s/%.*s", m.root, (int)strcspn(told->text, " "), told->text);
    for (size_t i = 0; i < RUNS; i++)
        if (strcmp(m.runs[i].dir, path) == 0)
            return stat(m.runs[i].log, &info) != 0 || info.st_size == 0;
    return true;
}

static void round_of(size_t actions)
{
    unsigned seed = m.seed;
    size_t failed = m.failed;
    strcpy(m.root, "/tmp/trainvet-model-XXXXXX");
    if (!mkdtemp(m.root))
        exit(2);
    m.told_len = 0;
    const char *root = m.root;
    m.options.paths = &root;
    m.options.paths_len = 1;
    for (size_t i = 0; i < RUNS; i++)
        new_run(&m.runs[i]);
    m.follow = tv_follow_new(&m.options, m.watch);
    while (actions--)
        act();
    for (size_t i = 0; i < RUNS; i++) {
        if (m.runs[i].is_there && m.runs[i].is_away)
            move_away_and_back(&m.runs[i]);
        if (m.runs[i].is_there)
            complete(&m.runs[i]);
    }
    settle(200);
    tv_follow_end(m.follow, m.now);
    tv_follow_free(m.follow);
    expect(m.root);
    for (size_t i = 0; i < m.told_len; i++)
        if (m.told[i].expected != m.told[i].fires && !is_gone(&m.told[i]))
            fail(m.told[i].expected ? "lost" : "fires for ever", m.told[i].text);
    if (m.failed != failed)
        printf("  in the round that --seed %u --actions %d repeats\n", seed, ROUND);
    for (size_t i = 0; i < RUNS; i++)
        forget_records(&m.runs[i]);
    nftw(m.root, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

int main(int argc, char **argv)
{
    size_t actions = 10000;
    bool with_inotify = false;
    m.seed = (unsigned)getpid();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            m.seed = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--actions") == 0 && i + 1 < argc)
            actions = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--inotify") == 0)
            with_inotify = true;
    }
    printf("seed %u\n", m.seed);
    m.now = (struct tv_moment){1000, 1.8e9};
    m.watch = with_inotify ? tv_watch_open() : NULL;
    m.options = (struct tv_follow_options){.engine = &m.engine,
                                           .active_poll = 2,
                                           .idle_poll = 60,
                                           .hold = 5,
                                           .end_after = 1e9,
                                           .alert = on_alert,
                                           .recall = recall,
                                           .run = on_run,
                                           .problem = on_problem};
    while (m.actions < actions)
        round_of(ROUND);
    tv_watch_close(m.watch);
    printf("%zu actions, %zu alerts told, %zu failed\n", m.actions, m.alerts, m.failed);
    return m.failed != 0;
}
