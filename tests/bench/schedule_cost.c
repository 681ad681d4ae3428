/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schedule_cost DIR...: what a million steps of each schedule cost. Reads the tables of
 * tests/golden/schedules; prints a line a kind: the slowest of its configurations, evaluated over
 * its own length as often as makes a million steps. */
#include "base/memory.h"
#include "schedule/resolve.h"
#include "support/settings.h"
#include "trainvet/text.h"
#include <dirent.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS = 1000000, KINDS_MAX = 256 };

static struct row {
    char name[96], file[96];
    double milliseconds;
} rows[KINDS_MAX];
static int rows_len;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The best of three: others use the machine too. */
static double cost(const struct tv_schedule *schedule, double *ret)
{
    double best = INFINITY, total = schedule->total_steps;
    size_t length = total >= 1000 && total < STEPS ? (size_t)total : total < 1000 ? 1000 : STEPS;
    for (int round = 0; round < 3; round++) {
        double begin = seconds();
        for (size_t done = 0; done + length <= STEPS; done += length)
            tv_schedule_series(schedule, 0, length, ret);
        best = fmin(best, (seconds() - begin) * 1e3);
    }
    return best;
}

static void keep(const char *framework, const char *kind, const char *file, double milliseconds)
{
    char name[96];
    int i = 0;
    snprintf(name, sizeof name, "%s %s", framework, kind);
    while (i < rows_len && strcmp(rows[i].name, name) != 0)
        i++;
    if (i == KINDS_MAX)
        return;
    rows_len = i == rows_len ? i + 1 : rows_len;
    if (milliseconds <= rows[i].milliseconds)
        return;
    snprintf(rows[i].name, sizeof rows[i].name, "%s", name);
    snprintf(rows[i].file, sizeof rows[i].file, "%s", file);
    rows[i].milliseconds = milliseconds;
}

static void measure(const char *folder, const char *name, double *ret)
{
    char path[4096];
    struct json_object *config, *framework;
    struct tv_facts facts = {0};
    struct tv_schedule schedule;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct json_object *golden = json_object_from_file(path);
    if (golden && json_object_object_get_ex(golden, "config", &config) &&
        json_object_object_get_ex(golden, "framework", &framework)) {
        const char *known = json_object_get_string(framework);
        tv_settings_tree(&facts, "", config, TV_FACT_USER_CONFIG);
        tv_settings_add(&facts, "framework", strcmp(known, "seed") != 0 ? known : "plain",
                        TV_FACT_COMMAND_LINE);
        if (tv_schedule_resolve(&facts, &schedule, NULL) == TV_OK &&
            !tv_schedule_follows_metric(&schedule))
            keep(known, tv_schedule_name(&schedule), name, cost(&schedule, ret));
        tv_facts_free(&facts);
    }
    json_object_put(golden);
}

static int is_table(const struct dirent *entry)
{
    return tv_span_ends(tv_span_of(entry->d_name), ".json");
}

static int by_cost(const void *a, const void *b)
{
    double x = ((const struct row *)a)->milliseconds, y = ((const struct row *)b)->milliseconds;
    return (x < y) - (x > y);
}

int main(int argc, char **argv)
{
    double *ret = tv_xcalloc(STEPS, sizeof *ret);
    for (int i = 1; i < argc; i++) {
        struct dirent **files;
        int count = scandir(argv[i], &files, is_table, alphasort);
        if (count < 0) {
            fprintf(stderr, "schedule_cost: cannot read %s\n", argv[i]);
            return 2;
        }
        for (int j = 0; j < count; j++) {
            measure(argv[i], files[j]->d_name, ret);
            free(files[j]);
        }
        free(files);
    }
    qsort(rows, (size_t)rows_len, sizeof *rows, by_cost);
    printf("%8s  %-48s %s\n", "ms", "a million steps of", "slowest configuration");
    for (int i = 0; i < rows_len; i++)
        printf("%8.1f  %-48s %s\n", rows[i].milliseconds, rows[i].name, rows[i].file);
    free(ret);
    return 0;
}
