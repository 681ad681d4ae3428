/* SPDX-License-Identifier: GPL-2.0-or-later */
/* protobufc_reader FILE: what one would write first: read a record, check both CRCs with isa-l,
 * unpack the Event with protobuf-c, take the scalars. Keeps nothing. Reads 256 KiB at a time. */
#include "bench/bench.h"
#include "lib/event.pb-c.h"
#include <fcntl.h>
#include <isa-l/crc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct totals {
    uint64_t records, points;
    double sum;
};

static uint32_t masked(unsigned char *data, size_t len)
{
    uint32_t crc = ~crc32_iscsi(data, (int)len, 0xffffffffu);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static int read_scalar(const Tvpb__Summary__Value *value, double *ret)
{
    float single;
    if (value->value_case == TVPB__SUMMARY__VALUE__VALUE_SIMPLE_VALUE) {
        *ret = value->simple_value;
        return 1;
    }
    if (value->value_case != TVPB__SUMMARY__VALUE__VALUE_TENSOR ||
        value->tensor->tensor_content.len != 4)
        return 0;
    memcpy(&single, value->tensor->tensor_content.data, 4);
    *ret = single;
    return 1;
}

static void count(const Tvpb__Event *event, struct totals *totals)
{
    if (event->what_case != TVPB__EVENT__WHAT_SUMMARY)
        return;
    for (size_t i = 0; i < event->summary->n_value; i++) {
        double value;
        if (!read_scalar(event->summary->value[i], &value))
            continue;
        totals->points++;
        totals->sum += value;
    }
}

/* Returns the bytes used, 0 when the record is not complete. */
static size_t read_record(unsigned char *at, size_t len, struct totals *totals)
{
    uint64_t length;
    uint32_t header_crc, data_crc;
    if (len < 12)
        return 0;
    memcpy(&length, at, 8);
    memcpy(&header_crc, at + 8, 4);
    if (header_crc != masked(at, 8)) {
        fprintf(stderr, "damaged header\n");
        exit(1);
    }
    if (length > len || length + 16 > len)
        return 0;
    memcpy(&data_crc, at + 12 + length, 4);
    Tvpb__Event *event =
        data_crc == masked(at + 12, length) ? tvpb__event__unpack(NULL, length, at + 12) : NULL;
    if (!event) {
        fprintf(stderr, "damaged record\n");
        exit(1);
    }
    count(event, totals);
    tvpb__event__free_unpacked(event, NULL);
    totals->records++;
    return length + 16;
}

int main(int argc, char **argv)
{
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (fd < 0) {
        fprintf(stderr, "usage: protobufc_reader FILE\n");
        return 2;
    }
    size_t cap = 2u << 20, len = 0;
    unsigned char *buffer = malloc(cap);
    struct totals totals = {0};
    double bytes = 0, cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID),
           wall = bench_clock(CLOCK_MONOTONIC);
    for (ssize_t n; buffer && (n = read(fd, buffer + len, 256u << 10)) > 0;) {
        size_t at = 0, used;
        len += (size_t)n;
        bytes += (double)n;
        while ((used = read_record(buffer + at, len - at, &totals)) > 0)
            at += used;
        len -= at;
        memmove(buffer, buffer + at, len);
    }
    cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    wall = bench_clock(CLOCK_MONOTONIC) - wall;
    bench_print("protobuf-c", bytes, totals.records, totals.points, cpu, wall);
    free(buffer);
    return totals.sum == -1;
}
