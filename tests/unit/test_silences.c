/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --explain: each detector has either found something or says why it has not. */
#include "engine/engine.h"
#include "support/suite.h"
#include "tail/load.h"
#include <ctype.h>
#include <string.h>

enum { RUNS_MAX = 50 };

static bool has_alert(struct tv_run *run, const char *detector)
{
    const struct tv_alert *const *alerts;
    size_t len = tv_run_alerts(run, &alerts);
    for (size_t i = 0; i < len; i++)
        if (strcmp(alerts[i]->detector, detector) == 0)
            return true;
    return false;
}

static const char *silence_of(const struct tv_run_report *report, const char *detector)
{
    for (size_t i = 0; i < report->silences_len; i++)
        if (strcmp(report->silences[i].detector, detector) == 0)
            return report->silences[i].reason;
    return NULL;
}

static void check_run(const struct tv_found_run *found)
{
    struct tv_engine_options options = {.keep_silences = true};
    struct tv_run *run = tv_run_new(&options, found->name);
    struct tv_run_report report;
    tv_load_run(run, found, NULL);
    tv_run_end(run, 1.8e9);
    tv_run_report(run, &report);
    for (size_t i = 0; report.points && tv_detectors[i]; i++) {
        const char *name = tv_detectors[i]->name, *why = silence_of(&report, name);
        ck_assert_msg(!why == has_alert(run, name), "%s: %s %s", found->path, name,
                      why ? why : "says neither");
        ck_assert_msg(!why || (strlen(why) < 300 && !strchr(why, '\n') && !strstr(why, "  ") &&
                               !strstr(why, "nan") && !strstr(why, "inf ") &&
                               why[strlen(why) - 1] != '.'),
                      "%s: %s: %s", found->path, name, why);
    }
    tv_run_free(run);
}

static void check_below(const char *path)
{
    struct tv_found found = {0};
    tv_discover(&found, &path, 1);
    ck_assert_uint_gt(found.runs_len, 0);
    for (size_t i = 0; i < found.runs_len && i < RUNS_MAX; i++)
        check_run(&found.runs[i]);
    tv_found_free(&found);
}

START_TEST(every_detector_tells_or_says_why_not)
{
    check_below(TRAINVET_SOURCE_DIR "/fixtures/logs");
    check_below(TRAINVET_SOURCE_DIR "/fixtures/labelled/second");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("silences");
    TCase *tcase = tcase_create("silences");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, every_detector_tells_or_says_why_not);
    return tv_test_main(suite);
}
