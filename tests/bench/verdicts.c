/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdicts [--detector ID | --set ID.OPTION=VALUE | --preset NAME | FACTOR]... < RUNS: what each
 * detector says about each run, and what it says with one of its options at FACTOR times its
 * default. RUNS has a line "NOW PATH" a run, NOW in unix seconds or "-"; the other words are those
 * of `trainvet scan`, which says the same about the same run. Prints JSON, one object a line:
 * {"variant":3,"detector":"stall","option":"floor","factor":0.5,"value":150} for each option and
 * factor that give another value within the option's range (without "option": the detector as it
 * is chosen), then {"run":0,"variant":3,"steps":[120]} with the steps of its alerts, for a changed
 * option only where they are others.
 *
 * A copy of the detector with other options is a detector: all copies look at one reading of the
 * run, which costs as much as all of them together. */
#include "base/memory.h"
#include "cmd/choice.h"
#include "cmd/jobs.h"
#include "engine/engine.h"
#include "tail/load.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FACTORS_MAX = 16,
    AT_ONCE = 128,    /* detectors of one engine: it numbers them with a byte */
    ALERTS_MAX = 256, /* alerts that one engine keeps (TV_RUN_ALERTS_MAX) */
};

struct variant {
    struct tv_detector detector; /* a copy, under a name of its own */
    char name[96];
    size_t plain;   /* the variant of the same detector with no option changed */
    const char *id; /* the detector's own name */
    const char *option;
    double factor, value;
    void *options;
};

struct steps {
    int64_t *at;
    size_t len;
};

struct job {
    char *path;
    double now;
    struct steps *told; /* by variant */
};

static struct {
    struct variant *variants;
    size_t len;
    struct job *jobs;
    size_t jobs_len;
} all;

static void add_variant(const struct tv_detector *detector, const void *chosen, size_t plain,
                        const struct tv_option *option, double factor, double value)
{
    all.variants = tv_xrealloc(all.variants, all.len + 1, sizeof *all.variants);
    struct variant *variant = &all.variants[all.len++];
    *variant = (struct variant){.detector = *detector,
                                .plain = plain,
                                .id = detector->name,
                                .option = option ? option->name : NULL,
                                .factor = factor,
                                .value = value,
                                .options = tv_xcalloc(1, detector->options_size + 1)};
    memcpy(variant->options, chosen, detector->options_size);
    if (!option)
        return;
    char text[TV_NUMBER_MAX];
    tv_format_double(text, value);
    if (tv_option_set(detector->options, variant->options, option->name, text, NULL) != TV_OK) {
        fprintf(stderr, "verdicts: %s.%s=%s is refused\n", detector->name, option->name, text);
        exit(2);
    }
}

static void add_detector(const struct tv_detector *detector, const void *chosen,
                         const double *factors, size_t count)
{
    size_t plain = all.len;
    add_variant(detector, chosen, plain, NULL, 1, 0);
    for (const struct tv_option *option = detector->options; option && option->name; option++) {
        double before = option->default_value;
        for (size_t i = 0; i < count; i++) {
            double value = fmin(fmax(option->default_value * factors[i], option->min), option->max);
            if (option->type == TV_OPTION_INT)
                value = round(value);
            if (option->type == TV_OPTION_BOOL || option->type == TV_OPTION_STRING ||
                value == option->default_value || value == before)
                continue; /* small whole numbers: several factors give the same one */
            add_variant(detector, chosen, plain, option, factors[i], value);
            before = value;
        }
    }
}

/* The variants stay where they are from now on. */
static void name_variants(void)
{
    for (size_t i = 0; i < all.len; i++) {
        struct variant *variant = &all.variants[i];
        snprintf(variant->name, sizeof variant->name, "%s#%zu", variant->id, i);
        variant->detector.name = variant->name;
    }
}

static void keep_steps(struct tv_run *run, struct steps *told, size_t first, size_t count)
{
    const struct tv_alert *const *alerts;
    size_t len = tv_run_alerts(run, &alerts);
    for (size_t a = 0; a < len; a++)
        for (size_t i = first; i < first + count; i++)
            if (strcmp(alerts[a]->detector, all.variants[i].name) == 0) {
                told[i].at = tv_xrealloc(told[i].at, told[i].len + 1, sizeof *told[i].at);
                told[i].at[told[i].len++] = alerts[a]->step;
            }
}

/* Where one engine would have to leave out alerts, two look at half of the variants each. */
static void look(const struct tv_found_run *found, struct job *job, size_t first, size_t count)
{
    const struct tv_detector *detectors[AT_ONCE + 1] = {NULL};
    const void *options[AT_ONCE];
    for (size_t i = 0; i < count; i++) {
        detectors[i] = &all.variants[first + i].detector;
        options[i] = all.variants[first + i].options;
    }
    struct tv_engine_options engine = {.detectors = detectors, .options = options};
    struct tv_run *run = tv_run_new(&engine, found->name);
    const struct tv_alert *const *alerts;
    tv_load_run(run, found, NULL);
    tv_run_end(run, job->now);
    bool is_full = tv_run_alerts(run, &alerts) >= ALERTS_MAX && count > 1;
    if (!is_full)
        keep_steps(run, job->told, first, count);
    tv_run_free(run);
    if (is_full) {
        look(found, job, first, count / 2);
        look(found, job, first + count / 2, count - count / 2);
    }
}

static void work(void *ctx, size_t i)
{
    (void)ctx;
    struct job *job = &all.jobs[i];
    struct tv_found found = {0};
    const char *path = job->path;
    job->told = tv_xcalloc(all.len, sizeof *job->told);
    tv_discover(&found, &path, 1);
    for (size_t r = 0; r < found.runs_len; r++)
        for (size_t first = 0; first < all.len; first += AT_ONCE)
            look(&found.runs[r], job, first, all.len - first < AT_ONCE ? all.len - first : AT_ONCE);
    tv_found_free(&found);
}

static bool same(const struct steps *a, const struct steps *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->at, b->at, a->len * sizeof *a->at) == 0);
}

static void print_job(void *ctx, size_t i)
{
    (void)ctx;
    struct job *job = &all.jobs[i];
    for (size_t v = 0; v < all.len; v++) {
        const struct steps *told = &job->told[v];
        size_t plain = all.variants[v].plain;
        if (v == plain ? told->len == 0 : same(told, &job->told[plain]))
            continue;
        printf("{\"run\":%zu,\"variant\":%zu,\"steps\":[", i, v);
        for (size_t s = 0; s < told->len; s++)
            printf("%s%" PRId64, s ? "," : "", told->at[s]);
        puts("]}");
    }
    for (size_t v = 0; v < all.len; v++)
        free(job->told[v].at);
    free(job->told);
    free(job->path);
}

static void print_variants(void)
{
    char factor[TV_NUMBER_MAX], value[TV_NUMBER_MAX];
    for (size_t i = 0; i < all.len; i++) {
        const struct variant *variant = &all.variants[i];
        printf("{\"variant\":%zu,\"detector\":\"%s\"", i, variant->id);
        tv_format_double(factor, variant->factor);
        tv_format_double(value, variant->value);
        if (variant->option)
            printf(",\"option\":\"%s\",\"factor\":%s,\"value\":%s", variant->option, factor, value);
        puts("}");
    }
}

static void read_jobs(void)
{
    char *line = NULL;
    size_t cap = 0;
    for (ssize_t len; (len = getline(&line, &cap, stdin)) > 0;) {
        line[len - (line[len - 1] == '\n')] = '\0';
        char *path = strchr(line, ' ');
        double now = (double)time(NULL);
        if (!path || !path[1])
            continue;
        *path++ = '\0';
        if (strcmp(line, "-") != 0 && !tv_parse_double(tv_span_of(line), &now)) {
            fprintf(stderr, "verdicts: \"%s\" is no time\n", line);
            exit(2);
        }
        all.jobs = tv_xrealloc(all.jobs, all.jobs_len + 1, sizeof *all.jobs);
        all.jobs[all.jobs_len++] =
            (struct job){.path = tv_xstrndup(path, strlen(path)), .now = now};
    }
    free(line);
}

/* Whether `word` was a choice as `trainvet scan` has it; `value` is the word behind it or NULL. */
static bool choose(struct tv_choice *choice, const char *word, const char *value)
{
    static const struct {
        const char *word;
        enum tv_status (*take)(struct tv_choice *, const char *, struct tv_error *);
    } choices[] = {{"--detector", tv_choice_detector},
                   {"--set", tv_choice_set},
                   {"--preset", tv_choice_preset}};
    for (size_t i = 0; value && i < sizeof choices / sizeof *choices; i++) {
        struct tv_error error = {0};
        if (strcmp(word, choices[i].word) != 0)
            continue;
        if (choices[i].take(choice, value, &error) != TV_OK) {
            fprintf(stderr, "verdicts: %s\n", error.message);
            exit(2);
        }
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    double factors[FACTORS_MAX];
    size_t len = 0;
    struct tv_choice choice = {0};
    tv_choice_init(&choice);
    for (int i = 1; i < argc; i++) {
        if (choose(&choice, argv[i], argv[i + 1])) {
            i++;
        } else if (len == FACTORS_MAX || !tv_parse_double(tv_span_of(argv[i]), &factors[len++])) {
            fprintf(stderr, "usage: verdicts [--detector ID | --set ID.OPTION=VALUE | "
                            "--preset NAME | FACTOR]... < RUNS\n");
            return 2;
        }
    }
    for (size_t i = 0; i < choice.len; i++)
        if (choice.enabled[i])
            add_detector(tv_detectors[i], choice.options[i], factors, len);
    name_variants();
    print_variants();
    read_jobs();
    tv_jobs_run(&(struct tv_jobs){
        .count = all.jobs_len, .threads = tv_jobs_default(), .work = work, .done = print_job});
    for (size_t i = 0; i < all.len; i++)
        free(all.variants[i].options);
    free(all.variants);
    free(all.jobs);
    tv_choice_free(&choice);
    return 0;
}
