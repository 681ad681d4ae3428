/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares our learning rates with tables that the frameworks' own code made.
 *
 *   schedules DIR     reads every *.json in DIR; prints a line per framework, then "N passed, N
 * failed"
 *
 * A file: {"framework", "config", "lr": [[step, lr], ...], "error"?, "metrics"?: [[step, value],
 * ...]} or, with "kind": "step_count", {"config", "by_version": {version: {"steps_per_epoch",
 * "total_steps", "warmup_steps"} or
 * {"error"}}}. The configuration becomes facts as a file of settings does. With "error", the
 * configuration must be rejected for that reason. Exit status 0 when all pass, 1 when some fail, 2
 * when DIR cannot be read. */
#include "schedule/follow.h"
#include "schedule/resolve.h"
#include "support/settings.h"
#include "trainvet/text.h"
#include <dirent.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE      1e-12 /* of the table's largest value */
#define FRAMEWORKS_MAX 64

struct tally {
    char framework[64];
    int cases, passed;
    double worst;
};

static struct tally tallies[FRAMEWORKS_MAX];
static int tallies_len;

static struct tally *tally_of(const char *framework)
{
    for (int i = 0; i < tallies_len; i++) {
        if (!strcmp(tallies[i].framework, framework))
            return &tallies[i];
    }
    if (tallies_len == FRAMEWORKS_MAX)
        return &tallies[FRAMEWORKS_MAX - 1];
    struct tally *tally = &tallies[tallies_len++];
    snprintf(tally->framework, sizeof tally->framework, "%s", framework);
    return tally;
}

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(object, name, &value);
    return value;
}

static double number(struct json_object *value)
{
    return value ? json_object_get_double(value) : NAN;
}

static bool same(double ours, double golden)
{
    return ours == golden || (isnan(ours) && isnan(golden));
}

/* The framework's own error names settings ("lr_end", "max_steps") or says what went wrong; so must
 * ours. Calls ("get_wsd_schedule()") are no settings, and what follows in parentheses tells where.
 */
static bool is_same_reason(const char *theirs, const char *ours)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
    bool names_settings = false;
    const char *aside = strstr(theirs, " (");
    for (const char *at = theirs; *at && at != aside;) {
        size_t len = strspn(at, letters);
        char word[64] = "";
        if (len > 0 && len < sizeof word && at[len] != '(' && at[len] != '.')
            memcpy(word, at, len);
        at += len ? len : 1;
        if (!strchr(word, '_'))
            continue;
        names_settings = true;
        if (strstr(ours, word))
            return true;
    }
    return !names_settings && (!strstr(theirs, "zero") || strstr(ours, "zero"));
}

/* The golden's "error" wants a rejection, for the same reason. */
static bool check_rejection(struct json_object *expected, enum tv_status status,
                            const struct tv_error *error, char *why, size_t cap)
{
    const char *reason = json_object_get_string(member(expected, "error"));
    if (status != TV_ECONFIG) {
        snprintf(why, cap, "not rejected");
        return false;
    }
    snprintf(why, cap, "rejected for another reason: \"%s\", not \"%s\"", error->message, reason);
    return is_same_reason(reason, error->message);
}

/* The named version's numbers, or its error. */
static bool check_version(struct json_object *config, const char *version,
                          struct json_object *expected, char *why, size_t cap)
{
    struct tv_facts facts = {0};
    struct tv_schedule schedule;
    struct tv_error error = {0};
    tv_settings_tree(&facts, "", config, TV_FACT_USER_CONFIG);
    tv_settings_add(&facts, "framework", "transformers", TV_FACT_COMMAND_LINE);
    tv_settings_add(&facts, "transformers_version", version, TV_FACT_COMMAND_LINE);
    enum tv_status status = tv_schedule_resolve(&facts, &schedule, &error);
    tv_facts_free(&facts);
    if (member(expected, "error"))
        return check_rejection(expected, status, &error, why, cap);
    snprintf(why, cap, "%s: %g steps, warm-up %g, %g per epoch (%s)", version, schedule.total_steps,
             schedule.warmup_steps, (double)schedule.steps_per_epoch,
             status == TV_OK ? "" : error.message);
    return status == TV_OK && same(schedule.total_steps, number(member(expected, "total_steps"))) &&
           same(schedule.warmup_steps, number(member(expected, "warmup_steps"))) &&
           same((double)schedule.steps_per_epoch, number(member(expected, "steps_per_epoch")));
}

static bool check_steps(struct json_object *golden, char *why, size_t cap)
{
    bool good = true;
    json_object_object_foreach(member(golden, "by_version"), version, expected)
    {
        if (good)
            good = check_version(member(golden, "config"), version, expected, why, cap);
    }
    return good;
}

static double pair(struct json_object *table, size_t i, size_t column)
{
    return number(json_object_array_get_idx(json_object_array_get_idx(table, i), column));
}

static double largest(struct json_object *table)
{
    double peak = 0;
    for (size_t i = 0; i < json_object_array_length(table); i++)
        peak = fmax(peak, fabs(pair(table, i, 1)));
    return peak > 0 ? peak : 1;
}

struct comparison {
    double peak, worst;
    bool good;
    char *why;
    size_t cap;
};

static void compare(struct comparison *c, double step, double ours, double expected)
{
    double miss = fabs(ours - expected) / c->peak;
    if (!(miss <= TOLERANCE) && c->good) {
        snprintf(c->why, c->cap, "step %.0f: %.17g, expected %.17g", step, ours, expected);
        c->good = false;
    }
    if (!(miss <= c->worst))
        c->worst = miss;
}

/* Many steps in a row cost less than each alone, and are the same. */
static void compare_series(struct comparison *c, const struct tv_schedule *schedule, double last)
{
    enum { STEPS = 20000 };
    static double series[STEPS];
    size_t count = last < STEPS - 100 ? (size_t)fmax(0, last) + 100 : STEPS;
    tv_schedule_series(schedule, 0, count, series);
    double peak = fmax(c->peak, fabs(schedule->peak));
    for (size_t n = 0; n < count && c->good; n++) {
        double alone = tv_schedule_lr(schedule, (double)n);
        if (!same(series[n], alone) && !(fabs(series[n] - alone) <= 1e-14 * peak)) {
            snprintf(c->why, c->cap, "step %zu is %.17g in a row, %.17g alone", n, series[n],
                     alone);
            c->good = false;
        }
    }
}

static void compare_table(struct comparison *c, const struct tv_schedule *schedule,
                          struct json_object *table)
{
    for (size_t i = 0; i < json_object_array_length(table); i++) {
        double step = pair(table, i, 0);
        compare(c, step, tv_schedule_lr(schedule, step - schedule->log_offset), pair(table, i, 1));
    }
    size_t len = json_object_array_length(table);
    compare_series(c, schedule, len > 0 ? pair(table, len - 1, 0) : 0);
}

/* The table holds the learning rate at the start and after each evaluation. */
static void compare_following(struct comparison *c, const struct tv_schedule *schedule,
                              struct json_object *table, struct json_object *metrics)
{
    static struct tv_follow follow;
    memset(&follow, 0, sizeof follow);
    double lr = tv_follow_start(&follow, schedule) ? follow.lr : NAN;
    size_t next = 0, len = metrics ? json_object_array_length(metrics) : 0;
    for (size_t i = 0; i < json_object_array_length(table); i++) {
        double step = pair(table, i, 0);
        for (; next < len && pair(metrics, next, 0) <= step; next++)
            lr = tv_follow_step(&follow, pair(metrics, next, 1));
        compare(c, step, lr, pair(table, i, 1));
    }
}

static bool check_rates(struct json_object *golden, const char *framework, double *worst, char *why,
                        size_t cap)
{
    struct tv_facts facts = {0};
    struct tv_schedule schedule;
    struct tv_error error = {0};
    tv_settings_tree(&facts, "", member(golden, "config"), TV_FACT_USER_CONFIG);
    tv_settings_add(&facts, "framework", strcmp(framework, "seed") != 0 ? framework : "plain",
                    TV_FACT_COMMAND_LINE);
    enum tv_status status = tv_schedule_resolve(&facts, &schedule, &error);
    tv_facts_free(&facts);
    if (member(golden, "error"))
        return check_rejection(golden, status, &error, why, cap);
    if (status != TV_OK) {
        *worst = INFINITY;
        snprintf(why, cap, "%s", error.message);
        return false;
    }
    struct json_object *table = member(golden, "lr");
    struct comparison comparison = {.peak = largest(table), .good = true, .why = why, .cap = cap};
    if (tv_schedule_follows_metric(&schedule))
        compare_following(&comparison, &schedule, table, member(golden, "metrics"));
    else
        compare_table(&comparison, &schedule, table);
    *worst = comparison.worst;
    return comparison.good;
}

static void check_file(const char *folder, const char *name)
{
    char path[4096], why[512] = "";
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct json_object *golden = json_object_from_file(path);
    if (!golden) {
        printf("FAILED %s: %s\n", name, json_util_get_last_err());
        tally_of("unreadable")->cases++;
        return;
    }
    const char *framework = json_object_get_string(member(golden, "framework"));
    const char *kind = json_object_get_string(member(golden, "kind"));
    bool steps = kind && !strcmp(kind, "step_count");
    struct tally *tally = tally_of(steps ? "step counts" : framework ? framework : "?");
    double worst = 0;
    bool good = steps ? check_steps(golden, why, sizeof why)
                      : check_rates(golden, framework ? framework : "?", &worst, why, sizeof why);
    tally->cases++;
    tally->passed += good;
    tally->worst = worst <= tally->worst ? tally->worst : worst;
    if (!good)
        printf("FAILED %s: %s\n", name, why);
    json_object_put(golden);
}

static int is_golden(const struct dirent *entry)
{
    return tv_span_ends(tv_span_of(entry->d_name), ".json");
}

int main(int argc, char **argv)
{
    struct dirent **files;
    int count = argc == 2 ? scandir(argv[1], &files, is_golden, alphasort) : -1;
    if (count < 0) {
        fprintf(stderr, argc == 2 ? "schedules: cannot read %s\n" : "usage: schedules DIR\n",
                argv[1]);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        check_file(argv[1], files[i]->d_name);
        free(files[i]);
    }
    free(files);
    int passed = 0, cases = 0;
    for (int i = 0; i < tallies_len; i++) {
        struct tally *tally = &tallies[i];
        printf("%-16s %4d cases %4d passed   worst error %.2g of peak\n", tally->framework,
               tally->cases, tally->passed, tally->worst);
        passed += tally->passed;
        cases += tally->cases;
    }
    printf("%d passed, %d failed\n", passed, cases - passed);
    return passed != cases;
}
