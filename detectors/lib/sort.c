/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sorting of windows of a few values. Noise is random, so a sort that branches on it guesses wrong
 * at every other comparison: the windows that detectors have, 9 to 32 values, are sorted without a
 * branch. They are laid out in two columns of 8 or 16 rows; the sorting network of K. E. Batcher
 * (Sorting networks and their applications, AFIPS 32 (1968) 307, as merge exchange, Algorithm M of
 * D. E. Knuth, The Art of Computer Programming 3, 5.2.2) sorts both columns at once, then they are
 * merged from both ends. tests/unit/test_statistics.c holds it against the C library's sort. */
#include "lib/robust.h"
#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { SMALL = 8, COLUMNS = 2, ROWS = 16 };

/* Two neighbours in memory, one of each column, compared at once. */
typedef double row __attribute__((vector_size(16)));
typedef int64_t choice __attribute__((vector_size(16)));

/* Rows that trade places when the upper one is the larger. */
static const uint8_t network8[][2] = {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {0, 2}, {1, 3}, {4, 6},
                                      {5, 7}, {1, 2}, {5, 6}, {0, 4}, {1, 5}, {2, 6}, {3, 7},
                                      {2, 4}, {3, 5}, {1, 2}, {3, 4}, {5, 6}};
static const uint8_t network16[][2] = {
    {0, 1},   {2, 3},   {4, 5}, {6, 7},   {8, 9},   {10, 11}, {12, 13}, {14, 15}, {0, 2},
    {1, 3},   {4, 6},   {5, 7}, {8, 10},  {9, 11},  {12, 14}, {13, 15}, {1, 2},   {5, 6},
    {9, 10},  {13, 14}, {0, 4}, {1, 5},   {2, 6},   {3, 7},   {8, 12},  {9, 13},  {10, 14},
    {11, 15}, {2, 4},   {3, 5}, {10, 12}, {11, 13}, {1, 2},   {3, 4},   {5, 6},   {9, 10},
    {11, 12}, {13, 14}, {0, 8}, {1, 9},   {2, 10},  {3, 11},  {4, 12},  {5, 13},  {6, 14},
    {7, 15},  {4, 8},   {5, 9}, {6, 10},  {7, 11},  {2, 4},   {3, 5},   {6, 8},   {7, 9},
    {10, 12}, {11, 13}, {1, 2}, {3, 4},   {5, 6},   {7, 8},   {9, 10},  {11, 12}, {13, 14}};

static inline void exchange(row *upper, row *lower)
{
#ifdef __SSE2__
    row low = _mm_min_pd(*lower, *upper);
    *lower = _mm_max_pd(*upper, *lower);
    *upper = low;
#else
    choice is_less = *lower < *upper;
    choice least = (is_less & (choice)*lower) | (~is_less & (choice)*upper);
    choice most = (is_less & (choice)*upper) | (~is_less & (choice)*lower);
    *upper = (row)least;
    *lower = (row)most;
#endif
}

/* Unrolled, so that the rows are registers. */
static void sort_8_rows(row *table)
{
#pragma GCC unroll 64
    for (size_t i = 0; i < sizeof network8 / sizeof *network8; i++)
        exchange(&table[network8[i][0]], &table[network8[i][1]]);
}

static void sort_16_rows(row *table)
{
#pragma GCC unroll 64
    for (size_t i = 0; i < sizeof network16 / sizeof *network16; i++)
        exchange(&table[network16[i][0]], &table[network16[i][1]]);
}

/* The lowest of what is left goes to the front, the highest to the back. */
static void merge(const double *columns, size_t rows, double *ret)
{
    size_t low[2] = {0, 1}, high[2] = {COLUMNS * rows - 2, COLUMNS * rows - 1};
    for (size_t i = 0; i < rows; i++) {
        double a = columns[low[0]], b = columns[low[1]];
        double c = columns[high[0]], d = columns[high[1]];
        size_t is_second = b < a, is_first = d < c;
        ret[i] = b < a ? b : a;
        ret[COLUMNS * rows - 1 - i] = d < c ? c : d;
        low[0] += COLUMNS * (1 - is_second);
        low[1] += COLUMNS * is_second;
        high[0] -= COLUMNS * is_first;
        high[1] -= COLUMNS * (1 - is_first);
    }
}

static void sort_by_network(double *values, size_t len, size_t rows)
{
    row table[ROWS];
    double columns[COLUMNS * ROWS], sorted[COLUMNS * ROWS];
    memcpy(columns, values, len * sizeof *values);
    for (size_t i = len; i < COLUMNS * rows; i++)
        columns[i] = INFINITY;
    memcpy(table, columns, rows * sizeof *table);
    if (rows == ROWS)
        sort_16_rows(table);
    else
        sort_8_rows(table);
    memcpy(columns, table, rows * sizeof *table);
    merge(columns, rows, sorted);
    memcpy(values, sorted, len * sizeof *values);
}

static void sort_by_insertion(double *values, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        double value = values[i];
        size_t k = i;
        for (; k > 0 && values[k - 1] > value; k--)
            values[k] = values[k - 1];
        values[k] = value;
    }
}

void tv_sort(double *values, size_t len)
{
    if (len <= SMALL || len > (size_t)COLUMNS * ROWS)
        sort_by_insertion(values, len);
    else
        sort_by_network(values, len, len <= (size_t)COLUMNS * ROWS / 2 ? ROWS / 2 : ROWS);
}

void tv_sorted_replace(double *sorted, size_t len, double out, double in)
{
    size_t at = 0;
    while (at + 1 < len && sorted[at] < out)
        at++;
    for (; at + 1 < len && sorted[at + 1] < in; at++)
        sorted[at] = sorted[at + 1];
    for (; at > 0 && sorted[at - 1] > in; at--)
        sorted[at] = sorted[at - 1];
    sorted[at] = in;
}
