/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/jobs.h"
#include "base/memory.h"
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

enum { IDLE_NS = 100 * 1000 * 1000, AHEAD = 64 };

struct piece {
    uint64_t size;
    bool begun, finished;
};

struct pool {
    const struct tv_jobs *jobs;
    pthread_mutex_t lock;
    pthread_cond_t finished_one, has_room;
    struct piece *pieces;
    size_t next;     /* the first that has not begun */
    uint64_t left;   /* size of all that have not */
    size_t reported; /* done() was called for those before; that one is waited for */
    unsigned held;   /* workers that wait for room */
};

unsigned tv_jobs_default(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (unsigned)count : 1;
}

/* Results of those up to this one may wait for their turn. */
static size_t last_allowed(const struct pool *pool)
{
    return pool->reported + AHEAD + 4 * (size_t)pool->jobs->threads;
}

/* In order, but for a large one that would end alone, the other threads having nothing left. */
static size_t begin_one(struct pool *pool)
{
    struct piece *pieces = pool->pieces;
    size_t mine = pool->next, last = last_allowed(pool);
    for (size_t i = mine; i < pool->jobs->count && i <= last; i++)
        if (!pieces[i].begun && pieces[i].size > pieces[mine].size)
            mine = i;
    if (pieces[mine].size < pool->left / pool->jobs->threads)
        mine = pool->next;
    pieces[mine].begun = true;
    pool->left -= pieces[mine].size;
    while (pool->next < pool->jobs->count && pieces[pool->next].begun)
        pool->next++;
    return mine;
}

static void *worker(void *arg)
{
    struct pool *pool = arg;
    const struct tv_jobs *jobs = pool->jobs;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->next < jobs->count && pool->next > last_allowed(pool)) {
            pool->held++;
            pthread_cond_wait(&pool->has_room, &pool->lock);
            pool->held--;
        }
        if (pool->next >= jobs->count)
            break;
        size_t mine = begin_one(pool);
        pthread_mutex_unlock(&pool->lock);
        jobs->work(jobs->ctx, mine);
        pthread_mutex_lock(&pool->lock);
        pool->pieces[mine].finished = true;
        if (mine == pool->reported)
            pthread_cond_signal(&pool->finished_one);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void wait_for(struct pool *pool, size_t i)
{
    pthread_mutex_lock(&pool->lock);
    while (!pool->pieces[i].finished) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += IDLE_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_cond_timedwait(&pool->finished_one, &pool->lock, &until) != 0 &&
            pool->jobs->idle) {
            pthread_mutex_unlock(&pool->lock);
            pool->jobs->idle(pool->jobs->ctx);
            pthread_mutex_lock(&pool->lock);
        }
    }
    pthread_mutex_unlock(&pool->lock);
}

void tv_jobs_run(const struct tv_jobs *jobs)
{
    struct pool pool = {.jobs = jobs, .pieces = tv_xcalloc(jobs->count, sizeof *pool.pieces)};
    for (size_t i = 0; jobs->size && i < jobs->count; i++)
        pool.left += pool.pieces[i].size = jobs->size(jobs->ctx, i);
    pthread_t *threads = tv_xcalloc(jobs->threads, sizeof *threads);
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.finished_one, NULL);
    pthread_cond_init(&pool.has_room, NULL);
    unsigned started = 0;
    bool need_threads = jobs->threads > 1 || jobs->idle;
    while (need_threads && started < jobs->threads && started < jobs->count &&
           pthread_create(&threads[started], NULL, worker, &pool) == 0)
        started++;
    for (size_t i = 0; i < jobs->count; i++) {
        if (started == 0)
            jobs->work(jobs->ctx, i);
        else
            wait_for(&pool, i);
        jobs->done(jobs->ctx, i);
        pthread_mutex_lock(&pool.lock);
        pool.reported = i + 1;
        if (pool.held)
            pthread_cond_broadcast(&pool.has_room);
        pthread_mutex_unlock(&pool.lock);
    }
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_cond_destroy(&pool.finished_one);
    pthread_cond_destroy(&pool.has_room);
    pthread_mutex_destroy(&pool.lock);
    free(threads);
    free(pool.pieces);
}
