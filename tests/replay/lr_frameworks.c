/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lr_frameworks [FOLDER]: every framework's own learning rates, made wrong in every known way: is
 * the cause named, and is what is right left alone?
 *
 * The rates are tables that the frameworks' code computed (fixtures/schedules,
 * ../shared/schedules). A fault is either done to the table (stretched, scaled, stopped, begun
 * anew, ...), or the configuration is changed and the table left as it is. Our own formulas have no
 * part in the truth. LR_FRAMEWORKS_VERBOSE=1 prints each wrong answer. */
#include "support/lr_answer.h"
#include "support/settings.h"
#include "support/suite.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the cases every SPARSE-th is looked at: seconds instead of half a minute. */
enum { ROWS = 4000, ACCUMULATION = 4, WORLD = 8, FRAMEWORKS = 40, SPARSE = 5 };

static const char *only; /* folder that is looked at, NULL: some of the kept tables */

/* lr after n scheduler steps, as the framework has it; logged at step n + first. */
struct table {
    const char *name, *framework;
    struct json_object *config;
    int n[ROWS], len, first, resume;
    double lr[ROWS], peak;
    bool by_epoch;
};

enum done { TO_TABLE, TO_CONFIG };
enum key { NO_KEY, WARMUP_KEY, TOTAL_KEY, PEAK_KEY, KIND_KEY, SHAPE_KEY };

struct bug {
    const char *name;
    int cause;
    enum done done;
    double value; /* of a fault in the table; else what the number in the configuration is
                     multiplied by */
    enum key key;
};

static const struct bug bugs[] = {
    {"peak x 0.1", TV_LR_SCALED, TO_TABLE, 0.1, NO_KEY},
    {"peak x 2.5", TV_LR_SCALED, TO_TABLE, 2.5, NO_KEY},
    {"peak x world size", TV_LR_SCALED, TO_TABLE, WORLD, NO_KEY},
    {"peak x batch", TV_LR_SCALED, TO_TABLE, WORLD *ACCUMULATION, NO_KEY},
    {"peak x 2, the floor stays", TV_LR_SCALED, TO_CONFIG, 0.5, PEAK_KEY},
    {"stepped on micro-batches", TV_LR_RATE, TO_TABLE, ACCUMULATION, NO_KEY},
    {"stepped by every process", TV_LR_RATE, TO_TABLE, WORLD, NO_KEY},
    {"stepped every other time", TV_LR_RATE, TO_TABLE, 0.5, NO_KEY},
    {"warm-up x accumulation", TV_LR_WARMUP, TO_CONFIG, 1.0 / ACCUMULATION, WARMUP_KEY},
    {"warm-up / 2", TV_LR_WARMUP, TO_CONFIG, 2, WARMUP_KEY},
    {"warm-up nobody asked for", TV_LR_WARMUP, TO_CONFIG, 0, WARMUP_KEY},
    {"total x 0.5", TV_LR_TOTAL, TO_CONFIG, 2, TOTAL_KEY},
    {"total x 0.8", TV_LR_TOTAL, TO_CONFIG, 1.25, TOTAL_KEY},
    {"total x 2", TV_LR_TOTAL, TO_CONFIG, 0.5, TOTAL_KEY},
    {"another scheduler", TV_LR_KIND, TO_CONFIG, 0, KIND_KEY},
    {"DeepSpeed log warm-up", TV_LR_LOG_WARMUP, TO_CONFIG, 0, SHAPE_KEY},
    {"never stepped", TV_LR_FROZEN, TO_TABLE, 0, NO_KEY},
    {"stepped per epoch", TV_LR_PER_EPOCH, TO_TABLE, 0, NO_KEY},
    {"restart on resume", TV_LR_RESTARTED, TO_TABLE, 0, NO_KEY},
    {"kicked x 10", TV_LR_JUMPED, TO_TABLE, 10, NO_KEY},
    {"kicked x 0.5", TV_LR_JUMPED, TO_TABLE, 0.5, NO_KEY},
    {"stops half-way", TV_LR_STOPPED, TO_TABLE, 0, NO_KEY},
    {"scheduler of an older checkpoint", TV_LR_SHIFTED, TO_TABLE, -0.15, NO_KEY},
    {"scheduler of a later checkpoint", TV_LR_SHIFTED, TO_TABLE, 0.15, NO_KEY},
};
#define BUGS (sizeof bugs / sizeof *bugs)

struct writer {
    int every;
    enum tv_digits digits;
};

/* ---- tables ---- */

static double number_at(struct json_object *rows, size_t i, size_t column)
{
    struct json_object *row = json_object_array_get_idx(rows, i);
    return json_object_get_double(json_object_array_get_idx(row, column));
}

static const char *text_of(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : "";
}

/* NaN where the table has no row. */
static double row_at(const struct table *table, double n)
{
    if (n < 0 || n != floor(n))
        return NAN;
    int low = 0, high = table->len;
    while (low < high) {
        int middle = (low + high) / 2;
        if (table->n[middle] < (int)n)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->len && table->n[low] == (int)n ? table->lr[low] : NAN;
}

static int last_of(const struct table *table)
{
    return table->n[table->len - 1];
}

/* Steps of an epoch: a whole number of them, not far from eight, is the run. */
static int epoch_of(int last)
{
    for (int epochs = 8; epochs < 20; epochs++)
        if (last % epochs == 0)
            return last / epochs;
    return (last + 1) % 8 == 0 ? (last + 1) / 8 : last / 10;
}

/* Where something happens: half-way, at a step where the learning rate moves. */
static int resume_of(const struct table *table)
{
    int last = last_of(table);
    for (int step = (int)(0.55 * last); step < last; step++) {
        double before = row_at(table, step - 1), after = row_at(table, step + 1);
        if (fabs(after - before) > 2e-3 * table->peak)
            return step;
    }
    return last;
}

static const struct tv_schedule *open_run(struct tv_log *log, const struct table *table,
                                          struct json_object *config)
{
    tv_log_open(log, "lr_mismatch");
    struct tv_facts *facts = tv_run_facts(log->run);
    tv_settings_tree(facts, "", config, TV_FACT_USER_CONFIG);
    tv_settings_add(facts, "framework",
                    strcmp(table->framework, "seed") != 0 ? table->framework : "plain",
                    TV_FACT_COMMAND_LINE);
    enum tv_status status;
    const struct tv_schedule *schedule = tv_run_schedule(log->run, &status, NULL);
    return status == TV_OK ? schedule : NULL;
}

/* How the framework logs: 1 before the scheduler's step. */
static int offset_of(const struct table *table)
{
    struct tv_log log;
    const struct tv_schedule *promise = open_run(&log, table, table->config);
    int offset = promise ? promise->log_offset : 0;
    tv_log_close(&log);
    return offset;
}

static bool read_table(struct json_object *golden, const char *name, struct table *ret)
{
    struct json_object *rows = NULL;
    if (!json_object_object_get_ex(golden, "lr", &rows) ||
        json_object_object_get_ex(golden, "error", NULL) ||
        json_object_object_get_ex(golden, "metrics", NULL) ||
        !json_object_object_get_ex(golden, "config", &ret->config))
        return false;
    const char *semantics = text_of(golden, "lr_semantics");
    ret->name = name;
    ret->framework = text_of(golden, "framework");
    bool is_after = strstr(semantics, "AFTER") || strstr(semantics, "itself");
    ret->first = !is_after && number_at(rows, 0, 0) == 1 && offset_of(ret) == 1;
    ret->by_epoch = strstr(semantics, "in epochs") || !strcmp(ret->framework, "ultralytics");
    ret->peak = 0;
    ret->len = 0;
    for (size_t i = 0; i < json_object_array_length(rows) && ret->len < ROWS; i++) {
        ret->n[ret->len] = (int)number_at(rows, i, 0) - ret->first;
        ret->lr[ret->len] = number_at(rows, i, 1);
        ret->peak = fmax(ret->peak, ret->lr[ret->len++]);
    }
    ret->resume = ret->len > 3 && ret->n[ret->len - 1] < ROWS ? resume_of(ret) : 0;
    return ret->len >= 40 && ret->peak > 0 && ret->n[ret->len - 1] < ROWS;
}

/* The learning rate that the buggy job has after n optimizer steps. */
static double faulty(const struct table *table, const struct bug *bug, int n)
{
    int last = last_of(table), resume = table->resume, epoch = epoch_of(last);
    bool is_late = n > resume;
    if (bug->done == TO_CONFIG)
        return row_at(table, n);
    switch (bug->cause) {
    case TV_LR_SCALED:
        return bug->value * row_at(table, n);
    case TV_LR_RATE:
        return row_at(table, floor(n * bug->value));
    case TV_LR_FROZEN:
        return table->lr[0];
    case TV_LR_PER_EPOCH:
        return row_at(table, floor((double)n / epoch));
    case TV_LR_RESTARTED:
        return row_at(table, is_late ? n - resume : n);
    case TV_LR_JUMPED:
        return (is_late ? bug->value : 1) * row_at(table, n);
    case TV_LR_STOPPED:
        return row_at(table, is_late ? resume : n);
    case TV_LR_SHIFTED:
        return row_at(table, is_late ? n + floor(bug->value * last) : n);
    default:
        return row_at(table, n);
    }
}

/* ---- configurations ---- */

/* Settings by the last part of their names. */
static const char *const warmup_keys =
    " warmup_steps warmup_ratio num_warmup_steps warmup_num_steps warmup_updates lr_warmup_iters "
    "lr_warmup_fraction lr_warmup_samples t_warmup warmup warmup_epochs warmup_fraction "
    "warmup_iters ";
static const char *const total_keys =
    " max_steps num_training_steps total_num_steps max_update train_iters lr_decay_iters "
    "train_samples lr_decay_samples T_max t_max max_duration value decay_steps epochs steps "
    "max_iters ";
static const char *const peak_keys =
    " learning_rate lr warmup_max_lr cycle_max_lr peak_value max_lr lr0 eta_max ";
static const char *const kind_keys = " lr_scheduler_type lr_scheduler type lr_decay_style name "
                                     "_CLASS_ decay_type sched schedule ";

/* What stands for what: a configuration that says the first is given the second. */
static const char *const kind_swaps[][3] = {
    {"transformers", "linear", "cosine"},
    {"transformers", "cosine", "linear"},
    {"transformers", "constant_with_warmup", "linear"},
    {"transformers", "constant", "cosine"},
    {"transformers", "cosine_with_restarts", "linear"},
    {"transformers", "inverse_sqrt", "linear"},
    {"llamafactory", "linear", "cosine"},
    {"llamafactory", "cosine", "linear"},
    {"llamafactory", "inverse_sqrt", "cosine"},
    {"llamafactory", "constant", "linear"},
    {"accelerate", "linear", "cosine"},
    {"accelerate", "cosine", "linear"},
    {"megatron", "cosine", "linear"},
    {"megatron", "linear", "cosine"},
    {"megatron", "constant", "cosine"},
    {"megatron", "inverse-square-root", "cosine"},
    {"deepspeed", "WarmupLR", "WarmupDecayLR"},
    {"deepspeed", "WarmupDecayLR", "WarmupLR"},
    {"torchtitan", "cosine", "linear"},
    {"torchtitan", "sqrt", "cosine"},
    {"olmo", "cosine_with_warmup", "linear_with_warmup"},
    {"olmo", "linear_with_warmup", "cosine_with_warmup"},
    {"olmo", "constant_with_warmup", "cosine_with_warmup"},
    {"olmocore", "olmo_core.optim.scheduler.LinearWithWarmup",
     "olmo_core.optim.scheduler.CosWithWarmup"},
    {"olmocore", "olmo_core.optim.scheduler.CosWithWarmup",
     "olmo_core.optim.scheduler.LinearWithWarmup"},
    {"olmocore", "olmo_core.optim.scheduler.ConstantWithWarmup",
     "olmo_core.optim.scheduler.CosWithWarmup"},
    {"axolotl", "rex", "cosine"},
    {"nemo", "CosineAnnealing", "WarmupAnnealing"},
    {"nemo", "WarmupAnnealing", "CosineAnnealing"},
    {"nemo", "SquareRootAnnealing", "CosineAnnealing"},
    {"timm", "cosine", "poly"},
    {"timm", "poly", "cosine"},
    {"timm", "tanh", "cosine"},
    {"seed", "linear", "cosine"},
    {"seed", "cosine", "linear"},
};

static bool is_listed(const char *list, const char *key)
{
    char spaced[80];
    snprintf(spaced, sizeof spaced, " %s ", key);
    return strstr(list, spaced) != NULL;
}

/* A changed number: counts stay counts. NULL when it cannot be. */
static struct json_object *scaled(struct json_object *value, double factor)
{
    double number = json_object_get_double(value), result = number * factor;
    bool is_count = json_object_is_type(value, json_type_int) || number > 1;
    if (!(number > 0) || (is_count && result != floor(result) && number >= 1 && factor < 1 &&
                          json_object_is_type(value, json_type_int)))
        return NULL;
    if (json_object_is_type(value, json_type_int))
        return json_object_new_int64((int64_t)floor(result));
    return json_object_new_double(result);
}

struct edit {
    const struct bug *bug;
    const char *framework;
    int changed;
};

static struct json_object *swapped(const struct edit *edit, const char *key, const char *text)
{
    if (edit->bug->key == SHAPE_KEY)
        return !strcmp(key, "warmup_type") && !strcmp(text, "log")
                   ? json_object_new_string("linear")
                   : NULL;
    for (size_t i = 0; i < sizeof kind_swaps / sizeof *kind_swaps; i++)
        if (!strcmp(kind_swaps[i][0], edit->framework) && !strcmp(kind_swaps[i][1], text) &&
            is_listed(kind_keys, key))
            return json_object_new_string(kind_swaps[i][2]);
    return NULL;
}

static struct json_object *edited(struct edit *edit, const char *key, struct json_object *value)
{
    struct json_object *result = NULL;
    if (json_object_is_type(value, json_type_object)) {
        result = json_object_new_object();
        json_object_object_foreach(value, name, member)
            json_object_object_add(result, name, edited(edit, name, member));
        return result;
    }
    if (json_object_is_type(value, json_type_array)) {
        result = json_object_new_array();
        for (size_t i = 0; i < json_object_array_length(value); i++)
            json_object_array_add(result, edited(edit, key, json_object_array_get_idx(value, i)));
        return result;
    }
    const char *keys = edit->bug->key == WARMUP_KEY  ? warmup_keys
                       : edit->bug->key == TOTAL_KEY ? total_keys
                       : edit->bug->key == PEAK_KEY  ? peak_keys
                                                     : "";
    if (json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double))
        result = is_listed(keys, key) ? scaled(value, edit->bug->value) : NULL;
    else if (json_object_is_type(value, json_type_string))
        result = edit->bug->key == KIND_KEY || edit->bug->key == SHAPE_KEY
                     ? swapped(edit, key, json_object_get_string(value))
                     : NULL;
    edit->changed += result != NULL;
    return result ? result : json_object_get(value);
}

/* The table's configuration with the bug's change in it; NULL when there is nothing to change. */
static struct json_object *config_of(const struct table *table, const struct bug *bug)
{
    struct edit edit = {.bug = bug, .framework = table->framework};
    if (bug->done == TO_TABLE)
        return json_object_get(table->config);
    struct json_object *config = edited(&edit, "", table->config);
    if (edit.changed)
        return config;
    json_object_put(config);
    return NULL;
}

/* ---- runs ---- */

/* What tells a reason: with these the causes' numbers mean something. */
static void add_sizes(struct tv_log *log)
{
    char text[TV_NUMBER_MAX];
    tv_format_double(text, ACCUMULATION);
    tv_log_fact(log, "gradient_accumulation_steps", text);
    tv_format_double(text, WORLD);
    tv_log_fact(log, "world_size", text);
}

/* Where the steps follow from the size of the data set, they are other ones with more processes. */
static bool counts_data(struct json_object *config)
{
    return json_object_object_get_ex(config, "num_samples", NULL);
}

struct outcome {
    int answer;
    bool has_run, is_visible, is_ambiguous;
};

static struct outcome inject(const struct table *table, const struct bug *bug,
                             const struct writer *writer)
{
    static struct tv_lr_point points[ROWS];
    struct outcome outcome = {0};
    struct json_object *config = config_of(table, bug);
    if (!config || (table->by_epoch && bug->cause == TV_LR_PER_EPOCH)) {
        json_object_put(config);
        return outcome;
    }
    struct tv_log log;
    const struct tv_schedule *given = open_run(&log, table, config);
    if (given && strcmp(table->framework, "accelerate") != 0 && !counts_data(config))
        add_sizes(&log);
    given = given ? tv_run_schedule(log.run, NULL, NULL) : NULL;
    outcome.has_run = given != NULL;
    struct tv_schedule promise = given ? *given : (struct tv_schedule){0};
    struct tv_answer_log seen = {log.run, &promise, points, 0, ACCUMULATION, WORLD};
    for (int n = 0; given && n <= last_of(table); n++) {
        double lr = faulty(table, bug, n);
        if (isnan(lr) || (n + table->first) % writer->every)
            continue;
        double value = tv_printed(writer->digits, lr);
        points[seen.len++] = (struct tv_lr_point){n + table->first, value};
        tv_log_point(&log, "train/learning_rate", n + table->first, value);
    }
    tv_log_end(&log, NAN);
    outcome.answer = tv_answer_of(&log);
    outcome.is_visible = given && seen.len >= 8 && tv_answer_shows(&seen);
    bool is_right = tv_answer_same(outcome.answer, bug->cause);
    if (outcome.is_visible && !is_right && outcome.answer < TV_LR_CAUSES)
        outcome.is_ambiguous = tv_answer_both_fit(&seen, bug->cause, outcome.answer);
    if (outcome.is_visible && !is_right && !outcome.is_ambiguous && only) {
        const struct tv_alert *alert = tv_log_alert(&log, "lr_mismatch");
        printf("%s: %s, every %d, digits %d -> %s\n", bug->name, table->name, writer->every,
               (int)writer->digits, alert ? alert->summary : "silent");
    }
    tv_log_close(&log);
    json_object_put(config);
    return outcome;
}

/* ---- all of them ---- */

struct score {
    const char *name;
    int right, wrong, ambiguous, hidden;
};

struct scores {
    int table[BUGS][TV_ANSWERS], ambiguous[BUGS], hidden[BUGS];
    struct score framework[FRAMEWORKS];
    size_t frameworks;
};

static struct score *score_of(struct scores *scores, const char *framework)
{
    for (size_t i = 0; i < scores->frameworks; i++)
        if (!strcmp(scores->framework[i].name, framework))
            return &scores->framework[i];
    ck_assert_uint_lt(scores->frameworks, FRAMEWORKS);
    struct score *score = &scores->framework[scores->frameworks++];
    score->name = strdup(framework);
    return score;
}

static void score_one(struct scores *scores, const struct table *table, size_t bug,
                      const struct writer *writer)
{
    struct outcome outcome = inject(table, &bugs[bug], writer);
    struct score *score = score_of(scores, table->framework);
    if (!outcome.has_run)
        return;
    if (!outcome.is_visible) {
        score->hidden++;
        scores->hidden[bug]++;
    } else if (outcome.is_ambiguous) {
        score->ambiguous++;
        scores->ambiguous[bug]++;
    } else {
        scores->table[bug][outcome.answer]++;
        if (tv_answer_same(outcome.answer, bugs[bug].cause))
            score->right++;
        else
            score->wrong++;
    }
}

static int is_golden(const struct dirent *entry)
{
    return tv_span_ends(tv_span_of(entry->d_name), ".json") &&
           !tv_span_starts(tv_span_of(entry->d_name), "steps_");
}

/* Each table with each fault, written in a way that changes from one to the next. */
static void score_folder(struct scores *scores, const char *folder)
{
    static struct table table;
    const int sparse = SPARSE * 5 / tv_rounds(5);
    struct dirent **files;
    int count = scandir(folder, &files, is_golden, alphasort);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
        struct json_object *golden = json_object_from_file(path);
        const char *one = getenv("LR_FRAMEWORKS_ONE");
        if (golden && (!one || strstr(files[i]->d_name, one)) &&
            read_table(golden, files[i]->d_name, &table))
            for (size_t b = 0; b < BUGS; b++) {
                if (!only && (i + (int)b) % sparse)
                    continue;
                struct writer writer = {table.len > 90 && (i + (int)b) % 3 == 0 ? 3 : 1,
                                        (enum tv_digits)((i + 2 * (int)b) % TV_DIGITS)};
                score_one(scores, &table, b, &writer);
            }
        json_object_put(golden);
        fflush(stdout);
        free(files[i]);
    }
    if (count >= 0)
        free(files);
}

static void print_scores(const struct scores *scores)
{
    printf("%-34s %5s %5s  named (identifiable cases only)\n", "injected", "ambig", "hidden");
    for (size_t b = 0; b < BUGS; b++) {
        printf("%-34s %5d %5d ", bugs[b].name, scores->ambiguous[b], scores->hidden[b]);
        for (int a = 0; a < TV_ANSWERS; a++)
            if (scores->table[b][a])
                printf(" %s:%d", tv_answer_name(a), scores->table[b][a]);
        printf("\n");
    }
    printf("\n%-18s %6s %6s %6s %6s\n", "framework", "right", "wrong", "ambig", "hidden");
    for (size_t i = 0; i < scores->frameworks; i++) {
        const struct score *s = &scores->framework[i];
        printf("%-18s %6d %6d %6d %6d\n", s->name, s->right, s->wrong, s->ambiguous, s->hidden);
    }
}

START_TEST(the_cause_is_named_for_every_framework)
{
    static struct scores scores;
    score_folder(&scores, only ? only : TRAINVET_SOURCE_DIR "/fixtures/schedules");
    print_scores(&scores);
    int right = 0, all = 0;
    for (size_t i = 0; i < scores.frameworks; i++) {
        right += scores.framework[i].right;
        all += scores.framework[i].right + scores.framework[i].wrong;
        free((char *)scores.framework[i].name);
    }
    printf("right cause: %d of %d identifiable (%.2f %%)\n", right, all, 100.0 * right / all);
    ck_assert_int_gt(all, tv_rounds(500));
    ck_assert_int_ge(right * 100, all * 95);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("lr_frameworks");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 800);
    tcase_add_test(tc, the_cause_is_named_for_every_framework);
    suite_add_tcase(s, tc);
    return s;
}

int main(int argc, char **argv)
{
    only = argc > 1 ? argv[1] : NULL;
    return tv_test_main(suite());
}
