/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H
/* What the readers in this folder share: processor time and the line that they print. */
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

static inline double bench_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline void bench_print(const char *name, double bytes, uint64_t records, uint64_t points,
                               double cpu, double wall)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "%-18s %8.1f MB  %10llu records  %10llu points  cpu %7.3f s  %7.0f MB/s  %6.1f ns/record  "
        "wall %7.3f s  rss %6.1f MiB\n",
        name, bytes / 1e6, (unsigned long long)records, (unsigned long long)points, cpu,
        bytes / 1e6 / cpu, cpu * 1e9 / (double)(records ? records : 1), wall,
        (double)usage.ru_maxrss / 1024);
}

#endif
