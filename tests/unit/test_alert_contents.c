/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever is said about the bundled logs says also why, how surely, and what to do. (config_lint,
 * which needs no log, has tests of its own.) */
#include "cmd/cmd.h"
#include "support/capture.h"
#include "support/folder.h"
#include "support/suite.h"
#include "trainvet/detector.h"
#include <fcntl.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DETECTORS = 32 };

/* The lines of `trainvet scan --json` about all bundled logs; the caller frees them. */
static char *scan_all(void)
{
    struct tv_folder folder = tv_folder_new();
    const char *argv[] = {"trainvet", "scan", "--json", TRAINVET_SOURCE_DIR "/fixtures/logs",
                          TRAINVET_SOURCE_DIR "/fixtures/labelled/first/runs"};
    fflush(NULL);
    int saved = dup(STDOUT_FILENO);
    ck_assert_ptr_nonnull(freopen(tv_folder_path(&folder, "out"), "w+", stdout));
    tv_main(sizeof argv / sizeof *argv, (char **)argv);
    fflush(NULL);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    char *text = (char *)tv_read_file(tv_folder_path(&folder, "out")).data;
    tv_folder_remove(&folder);
    return text;
}

static const char *string_of(struct json_object *alert, const char *key)
{
    return json_object_get_string(json_object_object_get(alert, key));
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);
    return len >= n && strcmp(text + len - n, end) == 0;
}

/* What a promise or a rule asked for. */
static bool is_limit(const char *name)
{
    return ends_with(name, "_threshold") || strcmp(name, "patience_seconds") == 0 ||
           strncmp(name, "promised_", 9) == 0;
}

static void check_evidence(struct json_object *alert, const char *who)
{
    struct json_object *evidence = json_object_object_get(alert, "evidence");
    size_t limits = 0;
    ck_assert_msg(json_object_is_type(evidence, json_type_object), "%s has no evidence", who);
    json_object_object_foreach(evidence, name, value)
    {
        limits += is_limit(name);
        if (!ends_with(name, "_threshold"))
            continue;
        /* A threshold stands beside the number that it is for. */
        char of[64];
        snprintf(of, sizeof of, "%.*s", (int)(strlen(name) - strlen("_threshold")), name);
        bool has_number = json_object_object_get_ex(evidence, of, NULL);
        ck_assert_msg(has_number, "%s: %s has no %s beside it", who, name, of);
        ck_assert_msg(value != NULL || strcmp(name, "fall_threshold") == 0, "%s: %s is null", who,
                      name);
    }
    ck_assert_msg(limits > 0, "%s: no threshold among its evidence: %s", who,
                  json_object_to_json_string(evidence));
}

static void check_alert(struct json_object *alert)
{
    char who[256];
    snprintf(who, sizeof who, "%s about %s of %s", string_of(alert, "detector"),
             string_of(alert, "subject"), string_of(alert, "run"));
    struct json_object *confidence = json_object_object_get(alert, "confidence");
    ck_assert_msg(confidence != NULL, "%s has no confidence", who);
    double sure = json_object_get_double(confidence);
    ck_assert_msg(sure >= 0.5 && sure <= 1, "%s: confidence %g", who, sure);
    ck_assert_msg(json_object_array_length(json_object_object_get(alert, "causes")) > 0,
                  "%s has no cause", who);
    ck_assert_msg(json_object_array_length(json_object_object_get(alert, "advice")) > 0,
                  "%s has no advice", who);
    check_evidence(alert, who);
}

static size_t index_of(const char *detector)
{
    size_t i = 0;
    while (tv_detectors[i] && strcmp(tv_detectors[i]->name, detector) != 0)
        i++;
    return i;
}

START_TEST(every_alert_has_numbers_thresholds_causes_advice_and_confidence)
{
    size_t seen[DETECTORS] = {0};
    char *text = scan_all(), *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        struct json_object *alert = json_tokener_parse(line);
        ck_assert_ptr_nonnull(alert);
        if (strcmp(string_of(alert, "type"), "alert") == 0) {
            check_alert(alert);
            seen[index_of(string_of(alert, "detector"))]++;
        }
        json_object_put(alert);
    }
    free(text);
    for (size_t i = 0; tv_detectors[i]; i++)
        ck_assert_msg(seen[i] > 0 || strcmp(tv_detectors[i]->name, "config_lint") == 0,
                      "no bundled log shows %s", tv_detectors[i]->name);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("alert_contents");
    TCase *tcase = tcase_create("alert_contents");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, every_alert_has_numbers_thresholds_causes_advice_and_confidence);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
