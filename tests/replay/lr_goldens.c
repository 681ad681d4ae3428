/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Learning rates that the frameworks' own code computed are never a mismatch with the configuration
 * that they were computed from, however sparsely and with however few digits they are logged; a
 * third of them always is. */
#include "support/log.h"
#include "support/settings.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writing {
    size_t every;
    double factor;
    bool is_float;
};

static double at(struct json_object *table, size_t i, size_t column)
{
    struct json_object *row = json_object_array_get_idx(table, i);
    return json_object_get_double(json_object_array_get_idx(row, column));
}

/* Whether an alert came; *ret_points: how many learning rates above zero were logged. */
static bool is_raised(struct json_object *golden, const char *framework,
                      const struct writing *writing, size_t *ret_points)
{
    struct tv_log log;
    struct json_object *config = NULL, *table = NULL;
    json_object_object_get_ex(golden, "config", &config);
    json_object_object_get_ex(golden, "lr", &table);
    tv_log_open(&log, "lr_mismatch");
    tv_settings_tree(tv_run_facts(log.run), "", config, TV_FACT_USER_CONFIG);
    tv_settings_add(tv_run_facts(log.run), "framework",
                    strcmp(framework, "seed") != 0 ? framework : "plain", TV_FACT_COMMAND_LINE);
    *ret_points = 0;
    for (size_t i = 0; table && i < json_object_array_length(table); i += writing->every) {
        double lr = writing->factor * at(table, i, 1);
        tv_log_point(&log, "train/learning_rate", (int64_t)at(table, i, 0),
                     writing->is_float ? (double)(float)lr : lr);
        *ret_points += lr > 0;
    }
    tv_log_end(&log, NAN);
    const struct tv_alert *alert = tv_log_alert(&log, "lr_mismatch");
    if (alert && writing->factor == 1)
        printf("  %s\n", alert->summary);
    bool raised = alert != NULL;
    tv_log_close(&log);
    return raised;
}

static int check(const char *path, const char *name)
{
    static const struct writing clean[] = {
        {1, 1, false}, {1, 1, true}, {7, 1, true}, {23, 1, false}};
    static const struct writing broken = {1, 1.0 / 3, true};
    struct json_object *golden = json_object_from_file(path), *value = NULL;
    const char *framework = "?";
    int failed = 0;
    size_t points;
    if (!golden) {
        printf("FAILED %s: cannot be read\n", name);
        return 1;
    }
    if (json_object_object_get_ex(golden, "framework", &value))
        framework = json_object_get_string(value);
    if (json_object_object_get_ex(golden, "lr", &value) &&
        !json_object_object_get_ex(golden, "error", NULL)) {
        for (size_t i = 0; i < sizeof clean / sizeof *clean; i++)
            failed |= is_raised(golden, framework, &clean[i], &points);
        if (failed)
            printf("FAILED %s: an alarm on the framework's own numbers\n", name);
        else if (!json_object_object_get_ex(golden, "metrics", NULL) &&
                 !is_raised(golden, framework, &broken, &points) && points > 20) {
            printf("FAILED %s: a third of the learning rate is not noticed\n", name);
            failed = 1;
        }
    }
    json_object_put(golden);
    return failed;
}

static int is_golden(const struct dirent *entry)
{
    return tv_span_ends(tv_span_of(entry->d_name), ".json");
}

static void check_folder(const char *folder)
{
    struct dirent **files;
    int count = scandir(folder, &files, is_golden, alphasort);
    if (count < 0)
        return; /* not in every checkout */
    int failed = 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
        failed += check(path, files[i]->d_name);
        free(files[i]);
    }
    free(files);
    printf("%d passed, %d failed\n", count - failed, failed);
    ck_assert_int_eq(failed, 0);
    ck_assert_int_gt(count, 0);
}

START_TEST(the_tables_kept_here_are_left_alone)
{
    check_folder(TRAINVET_SOURCE_DIR "/fixtures/schedules");
}
END_TEST

START_TEST(all_tables_are_left_alone)
{
    check_folder(TRAINVET_SOURCE_DIR "/../shared/schedules");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("lr_goldens");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 800);
    tcase_add_test(tc, the_tables_kept_here_are_left_alone);
    tcase_add_test(tc, all_tables_are_left_alone);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
