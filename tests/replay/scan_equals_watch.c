/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scan_equals_watch [--seed N] [--rounds N] [--inotify] DIR: every run below DIR is written again,
 * piece by piece, its files in random interleaving, while it is followed on a simulated clock and
 * the follower is now and then started anew. What it tells in the end must be what one scan of the
 * whole tells. Prints what it did and "N passed, N failed". */
#include "base/map.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "tail/follow.h"
#include "tail/load.h"
#include "trainvet/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 64, ALERTS_MAX = 64 };
#define END_OF_TIME 2e9

struct file {
    char *from, *to;
    size_t size, written;
};

static struct {
    struct file files[FILES_MAX];
    size_t len;
    const char *from_root;
    char to_root[64];
} copy;

/* The alerts of one run as lines "detector subject fingerprint state", sorted. The step at which
 * one was noticed is not part of it: a configuration that appears late makes itself heard late. */
struct outcome {
    char lines[ALERTS_MAX][256];
    size_t len;
};

static unsigned seed = 1;

static size_t random_below(size_t n)
{
    return n ? (size_t)rand_r(&seed) % n : 0;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

static int collect(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)walk;
    char to[4096];
    snprintf(to, sizeof to, "%s%s", copy.to_root, path + strlen(copy.from_root));
    if (type == FTW_D)
        mkdir(to, 0700);
    if (type != FTW_F || copy.len == FILES_MAX)
        return 0;
    copy.files[copy.len++] = (struct file){tv_xstrndup(path, strlen(path)),
                                           tv_xstrndup(to, strlen(to)), (size_t)stat->st_size, 0};
    return 0;
}

static char *contents(const struct file *file, size_t from, size_t len)
{
    char *bytes = tv_xmalloc(len);
    int fd = open(file->from, O_RDONLY);
    if (fd < 0 || pread(fd, bytes, len, (off_t)from) != (ssize_t)len)
        exit(2);
    close(fd);
    return bytes;
}

/* A trainer writes configuration at once, before the logs; snapshots appear by rename, as a careful
 * writer does it. */
static bool is_rewritten(const struct file *file)
{
    struct tv_span name = tv_span_of(file->to);
    return tv_span_ends(name, ".yaml") || tv_span_ends(name, ".json") ||
           tv_span_ends(name, ".md") || tv_span_ends(name, ".bin");
}

static void write_piece(struct file *file)
{
    size_t left = file->size - file->written;
    size_t len = is_rewritten(file) ? left : 1 + random_below(file->size / 12 + 64);
    len = len < left ? len : left;
    char *bytes = contents(file, file->written, len);
    char part[4200];
    snprintf(part, sizeof part, "%s.part", file->to);
    const char *target = is_rewritten(file) ? part : file->to;
    int fd = open(target, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        exit(2);
    close(fd);
    if (is_rewritten(file))
        rename(part, file->to);
    free(bytes);
    file->written += len;
}

/* Event files of one stream are written one after the other: no trainer goes back to an older one.
 */
static struct file *next_file(void)
{
    struct file *open_files[FILES_MAX];
    size_t len = 0;
    for (size_t i = 0; i < copy.len; i++) {
        struct file *file = &copy.files[i];
        if (file->written == file->size)
            continue;
        bool first = true;
        for (size_t k = 0; k < copy.len; k++)
            first = first &&
                    !(strstr(file->from, "tfevents") && strstr(copy.files[k].from, "tfevents") &&
                      copy.files[k].written < copy.files[k].size &&
                      strcmp(copy.files[k].to, file->to) < 0 &&
                      strrchr(copy.files[k].to, '/') - copy.files[k].to ==
                          strrchr(file->to, '/') - file->to &&
                      strncmp(copy.files[k].to, file->to,
                              (size_t)(strrchr(file->to, '/') - file->to)) == 0);
        if (first)
            open_files[len++] = file;
    }
    return len ? open_files[random_below(len)] : NULL;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void add_line(struct outcome *outcome, const struct tv_alert *alert)
{
    if (outcome->len < ALERTS_MAX)
        snprintf(outcome->lines[outcome->len++], sizeof outcome->lines[0], "%s %s %s %s",
                 alert->detector, alert->subject, alert->fingerprint,
                 alert->state == TV_FIRING ? "firing" : "resolved");
}

static struct outcome scan(const char *path)
{
    struct tv_found found = {0};
    struct tv_engine_options options = {0};
    struct outcome outcome = {0};
    tv_discover(&found, &path, 1);
    for (size_t i = 0; i < found.runs_len; i++) {
        const struct tv_alert *const *alerts;
        struct tv_run *run = tv_run_new(&options, found.runs[i].name);
        tv_load_run(run, &found.runs[i], NULL);
        tv_run_end(run, END_OF_TIME);
        size_t len = tv_run_alerts(run, &alerts);
        for (size_t a = 0; a < len; a++)
            add_line(&outcome, alerts[a]);
        tv_run_free(run);
    }
    tv_found_free(&found);
    qsort(outcome.lines, outcome.len, sizeof outcome.lines[0], compare_lines);
    return outcome;
}

/* The last state told of each alert. */
static void on_alert(void *ctx, const struct tv_alert *alert)
{
    struct outcome *outcome = ctx, one = {0};
    add_line(&one, alert);
    size_t key = (size_t)(strrchr(one.lines[0], ' ') - one.lines[0]);
    for (size_t i = 0; i < outcome->len; i++)
        if (strncmp(outcome->lines[i], one.lines[0], key + 1) == 0) {
            memcpy(outcome->lines[i], one.lines[0], sizeof one.lines[0]);
            return;
        }
    add_line(outcome, alert);
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

struct session {
    struct tv_engine_options engine;
    struct tv_follow_options options;
    struct tv_watch *watch;
    struct tv_follow *follow;
    struct outcome told;
    struct tv_moment now;
};

static void start(struct session *s)
{
    memset(&s->told, 0, sizeof s->told);
    s->follow = tv_follow_new(&s->options, s->watch);
}

/* Works until nothing is left to be done at this moment. */
static void settle(struct session *s, double seconds)
{
    double until = s->now.boot + seconds;
    while (s->now.boot < until) {
        s->now.wall =
            fmod(s->now.boot, 5) < 2 ? 0 : 60; /* now and then the run has long been quiet */
        double wait = tv_follow_work(s->follow, s->now);
        wait = wait < 0.01 ? 0.01 : wait > until - s->now.boot ? until - s->now.boot + 1e-9 : wait;
        s->now.boot += wait;
    }
}

static struct outcome watch(const char *path, bool with_inotify)
{
    static double boot = 1000;
    struct session s = {.now = {boot, 0}};
    s.watch = with_inotify ? tv_watch_open() : NULL;
    s.options = (struct tv_follow_options){.paths = &path,
                                           .paths_len = 1,
                                           .engine = &s.engine,
                                           .active_poll = 2,
                                           .idle_poll = 60,
                                           .hold = 5,
                                           .end_after = 1e9,
                                           .ctx = &s.told,
                                           .alert = on_alert,
                                           .run = on_run,
                                           .problem = on_problem};
    start(&s);
    for (struct file *file; (file = next_file());) {
        write_piece(file);
        if (random_below(3) == 0)
            settle(&s, (double)random_below(8));
        if (random_below(40) == 0) {
            tv_follow_free(s.follow);
            start(&s);
        }
    }
    settle(&s, 200);
    s.now.wall = END_OF_TIME;
    tv_follow_end(s.follow, s.now);
    tv_follow_free(s.follow);
    tv_watch_close(s.watch);
    boot = s.now.boot;
    qsort(s.told.lines, s.told.len, sizeof s.told.lines[0], compare_lines);
    return s.told;
}

/* What was told and taken back counts as never told. */
static void drop_withdrawn(struct outcome *told, const struct outcome *expected)
{
    size_t kept = 0;
    for (size_t i = 0; i < told->len; i++) {
        bool known = false, over = tv_span_ends(tv_span_of(told->lines[i]), " resolved");
        for (size_t k = 0; k < expected->len; k++)
            known = known || strcmp(told->lines[i], expected->lines[k]) == 0;
        if (known || !over)
            memmove(told->lines[kept++], told->lines[i], sizeof told->lines[i]);
    }
    told->len = kept;
}

static bool same(const struct outcome *a, const struct outcome *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (strcmp(a->lines[i], b->lines[i]) != 0)
            return false;
    return true;
}

static bool replay(const char *path, bool with_inotify)
{
    memset(&copy, 0, sizeof copy);
    copy.from_root = path;
    strcpy(copy.to_root, "/tmp/trainvet-replay-XXXXXX");
    if (!mkdtemp(copy.to_root))
        exit(2);
    unsigned used = seed;
    nftw(path, collect, 16, FTW_PHYS);
    struct outcome expected = scan(path), told = watch(copy.to_root, with_inotify);
    size_t all = told.len;
    drop_withdrawn(&told, &expected);
    bool ok = same(&expected, &told);
    if (!ok || told.len != all)
        printf("%s %s (seed %u): %zu alerts expected, %zu told, %zu of them withdrawn\n",
               ok ? "note" : "FAILED", path, used, expected.len, all, all - told.len);
    for (size_t i = 0; !ok && i < expected.len; i++)
        printf("  scan   %s\n", expected.lines[i]);
    for (size_t i = 0; !ok && i < told.len; i++)
        printf("  watch  %s\n", told.lines[i]);
    for (size_t i = 0; i < copy.len; i++) {
        free(copy.files[i].from);
        free(copy.files[i].to);
    }
    nftw(copy.to_root, remove_one, 16, FTW_PHYS | FTW_DEPTH);
    return ok;
}

int main(int argc, char **argv)
{
    size_t passed = 0, failed = 0;
    long rounds = 1;
    bool with_inotify = false;
    const char *root = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = (unsigned)atoi(argv[++i]);
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = atol(argv[++i]);
        else if (strcmp(argv[i], "--inotify") == 0)
            with_inotify = true;
        else
            root = argv[i];
    }
    struct dirent **names;
    int count = root ? scandir(root, &names, NULL, alphasort) : -1;
    if (count < 0) {
        fprintf(stderr, "usage: scan_equals_watch [--seed N] [--rounds N] [--inotify] DIR\n");
        return 2;
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        struct stat stat_;
        snprintf(path, sizeof path, "%s/%s", root, names[i]->d_name);
        for (long round = 0; names[i]->d_name[0] != '.' && stat(path, &stat_) == 0 &&
                             S_ISDIR(stat_.st_mode) && round < rounds;
             round++)
            *(replay(path, with_inotify) ? &passed : &failed) += 1;
        free(names[i]);
    }
    free(names);
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed != 0;
}
