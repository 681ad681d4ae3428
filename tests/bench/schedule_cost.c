/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schedule_cost DIR...: what a million steps of each schedule cost. Reads the tables of
 * tests/golden/schedules; prints a line a kind: the slowest of its configurations, all of its
 * times stretched so that its table's length becomes a million steps, and how far a step in that
 * row is from the same step alone, in parts of the peak. */
#include "base/memory.h"
#include "schedule/kinds.h"
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
    double milliseconds, apart;
} rows[KINDS_MAX];
static int rows_len;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void stretch_curve(double by, const struct tv_schedule_kind *kind, double *total,
                          double *warmup, double *param, double *table, int table_len)
{
    static const enum tv_schedule_param steps[] = {TV_P_END,       TV_P_HOLD,   TV_P_DECAY,
                                                   TV_P_TIMESCALE, TV_P_PERIOD, TV_P_RAMP};
    *total = floor(*total * by);
    *warmup = floor(*warmup * by);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        param[steps[i]] = floor(param[steps[i]] * by);
    for (int i = 0; i < table_len; i += kind->lr == tv_phases_lr ? TV_PHASE_ROW : 1)
        table[i] = floor(table[i] * by);
}

static void stretch(double by, struct tv_schedule *s)
{
    stretch_curve(by, s->kind, &s->total_steps, &s->warmup_steps, s->param, s->table,
                  s->parts == 0 ? s->table_len : 0);
    for (struct tv_schedule_part *part = s->part; part < s->part + s->parts; part++) {
        part->begin = floor(part->begin * by);
        part->end = floor(part->end * by);
        if (part->kind)
            stretch_curve(by, part->kind, &part->total_steps, &part->warmup_steps, part->param,
                          s->table + part->table_at, part->table_len);
    }
}

/* The best of three: others use the machine too. */
static double cost(const struct tv_schedule *schedule, double *ret)
{
    double best = INFINITY;
    for (int round = 0; round < 3; round++) {
        double begin = seconds();
        tv_schedule_series(schedule, 0, STEPS, ret);
        best = fmin(best, (seconds() - begin) * 1e3);
    }
    return best;
}

/* At every 97th step and those beside it. */
static double apart(const struct tv_schedule *schedule, const double *ret)
{
    double worst = 0, peak = fabs(schedule->peak);
    for (int n = 0; n < STEPS; n++)
        peak = fmax(peak, fabs(ret[n]));
    for (int n = 0; n < STEPS; n += n % 97 < 2 ? 1 : 95) {
        double alone = tv_schedule_lr(schedule, n);
        worst = isnan(alone) ? worst : fmax(worst, fabs(ret[n] - alone));
    }
    return worst / peak;
}

static double last_step(struct json_object *golden)
{
    struct json_object *table;
    if (!json_object_object_get_ex(golden, "lr", &table) || json_object_array_length(table) == 0)
        return NAN;
    size_t last = json_object_array_length(table) - 1;
    struct json_object *row = json_object_array_get_idx(table, last);
    return json_object_get_double(json_object_array_get_idx(row, 0));
}

static void keep(const char *framework, const char *kind, const char *file, double milliseconds,
                 double apart)
{
    char name[96];
    int i = 0;
    snprintf(name, sizeof name, "%s %s", framework, kind);
    while (i < rows_len && strcmp(rows[i].name, name) != 0)
        i++;
    if (i == KINDS_MAX)
        return;
    rows_len = i == rows_len ? i + 1 : rows_len;
    rows[i].apart = fmax(rows[i].apart, apart);
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
        double by = STEPS / last_step(golden);
        if (by > 0 && tv_schedule_resolve(&facts, &schedule, NULL) == TV_OK &&
            !tv_schedule_follows_metric(&schedule)) {
            stretch(by, &schedule);
            double milliseconds = cost(&schedule, ret);
            keep(known, tv_schedule_name(&schedule), name, milliseconds, apart(&schedule, ret));
        }
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
    printf("%8s  %8s  %-48s %s\n", "ms", "apart", "a million steps of", "slowest configuration");
    for (int i = 0; i < rows_len; i++)
        printf("%8.1f  %8.1g  %-48s %s\n", rows[i].milliseconds, rows[i].apart, rows[i].name,
               rows[i].file);
    free(ret);
    return 0;
}
