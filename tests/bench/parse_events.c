/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse_events [--memory] FILE: the tfevents parser alone, with a receiver that only counts. Reads
 * 256 KiB at a time; with --memory the file is in memory before the clock starts. */
#include "base/memory.h"
#include "bench/bench.h"
#include "support/counter.h"
#include "trainvet/parser.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct tv_parser tv_parser_tfevents;

static uint64_t read_file(int fd, void *state, const struct tv_emit *emit)
{
    size_t cap = (256u << 10) + TV_PARSER_WINDOW, len = 0;
    char *buffer = tv_xmalloc(cap);
    uint64_t records = 0;
    struct tv_feed fed = {.status = TV_AGAIN};
    for (ssize_t n = 1; n > 0;) {
        n = read(fd, buffer + len, 256u << 10);
        len += n > 0 ? (size_t)n : 0;
        fed = tv_parser_tfevents.feed(state, (struct tv_span){buffer, len}, n <= 0, emit, NULL);
        records += fed.records;
        len -= fed.consumed;
        memmove(buffer, buffer + fed.consumed, len);
        if (fed.skip) {
            lseek(fd, (off_t)(fed.skip - len), SEEK_CUR);
            len = 0;
        }
    }
    free(buffer);
    return records;
}

static uint64_t read_memory(const char *data, size_t size, void *state, const struct tv_emit *emit)
{
    return tv_parser_tfevents.feed(state, (struct tv_span){data, size}, true, emit, NULL).records;
}

int main(int argc, char **argv)
{
    int memory = argc > 1 && strcmp(argv[1], "--memory") == 0;
    int fd = argc == 2 + memory ? open(argv[1 + memory], O_RDONLY) : -1;
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        fprintf(stderr, "usage: parse_events [--memory] FILE\n");
        return 2;
    }
    struct tv_counter counter = {0};
    struct tv_emit emit = tv_counter_emit(&counter);
    size_t size = (size_t)info.st_size;
    char *data = memory ? mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0) : NULL;
    void *state = tv_xcalloc(1, tv_parser_tfevents.state_size);
    double cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID), wall = bench_clock(CLOCK_MONOTONIC);
    uint64_t records = memory ? read_memory(data, size, state, &emit) : read_file(fd, state, &emit);
    cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    wall = bench_clock(CLOCK_MONOTONIC) - wall;
    bench_print(memory ? "tfevents, memory" : "tfevents, read()", (double)size, records,
                counter.points, cpu, wall);
    if (counter.damages)
        printf("%llu damaged places\n", (unsigned long long)counter.damages);
    return counter.sum == -1; /* keeps the sum alive */
}
