/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/config.h"
#include "support/folder.h"
#include "support/suite.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct tv_folder folder;
static struct tv_config config;

static void setup(void)
{
    folder = tv_folder_new();
}

static void teardown(void)
{
    tv_config_free(&config);
    tv_folder_remove(&folder);
}

static bool read_text(const char *text)
{
    tv_folder_text(&folder, "trainvet.yaml", text);
    return tv_config_read(&config, tv_folder_path(&folder, "trainvet.yaml"));
}

static struct tv_alert alert_of(const char *run, const char *detector, enum tv_severity severity)
{
    return (struct tv_alert){.run = run, .detector = detector, .severity = severity};
}

/* The names that it goes to, joined by blanks. */
static const char *route_of(const struct tv_alert *alert, double now)
{
    static char joined[256];
    const char *names[9];
    size_t len = tv_config_route(&config, alert, now, names, 8);
    joined[0] = '\0';
    for (size_t i = 0; i < len; i++)
        snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", i ? " " : "",
                 names[i]);
    return joined;
}

static double plateau_effort(void)
{
    size_t i = 0;
    while (strcmp(tv_detectors[i]->name, "loss_plateau") != 0)
        i++;
    const struct tv_option *option = tv_detectors[i]->options;
    while (strcmp(option->name, "effort") != 0)
        option++;
    double value;
    memcpy(&value, (const char *)config.choice.options[i] + option->offset, sizeof value);
    return value;
}

START_TEST(a_preset_holds_where_nothing_else_is_said)
{
    ck_assert(read_text("roots: [/a]\n"));
    double usual = plateau_effort();
    tv_config_free(&config);
    ck_assert(read_text("roots: [/a]\npreset: quiet\n"));
    ck_assert_double_gt(plateau_effort(), usual);
    tv_config_free(&config);
    ck_assert(read_text("roots: [/a]\ndetectors: {loss_plateau: {effort: 0.17}}\npreset: quiet\n"));
    ck_assert_double_eq(plateau_effort(), 0.17);
}
END_TEST

START_TEST(every_key_is_taken)
{
    ck_assert_msg(read_text("roots: [/data/runs, /scratch]\n"
                            "poll: true\n"
                            "active_poll: 0.5\n"
                            "idle_poll: 30\n"
                            "end_after: 3600\n"
                            "state_dir: /var/lib/x\n"
                            "listen: unix:/run/x.sock\n"
                            "labels: {cluster: a100, rack: '7'}\n"
                            "detectors:\n"
                            "  stall: {enabled: false}\n"
                            "  overfitting: {}\n"
                            "sinks:\n"
                            "  file: {type: jsonl, file: /tmp/x}\n"
                            "  term: {type: text}\n"
                            "routes:\n"
                            "  - {severity: critical, run: 'a/*', detector: lr_*, sinks: [file], "
                            "continue: true}\n"
                            "  - {sinks: term}\n"
                            "silences:\n"
                            "  - {run: 'test-*', detector: stall, until: 2026-01-02T00:00:00Z}\n"),
                  "%s", config.errors_len ? config.errors[0] : "");
    ck_assert_uint_eq(config.roots_len, 2);
    ck_assert_str_eq(config.roots[1], "/scratch");
    ck_assert(config.poll);
    ck_assert_double_eq(config.active_poll, 0.5);
    ck_assert_double_eq(config.idle_poll, 30);
    ck_assert_double_eq(config.end_after, 3600);
    ck_assert_str_eq(config.state_dir, "/var/lib/x");
    ck_assert_str_eq(config.listen, "unix:/run/x.sock");
    ck_assert_uint_eq(config.labels_len, 4);
    ck_assert_str_eq(config.labels[2], "rack");
    ck_assert_str_eq(config.labels[3], "7");
    ck_assert_str_eq(config.sinks->name, "file");
    ck_assert_str_eq(config.sinks->sink->name, "jsonl");
    ck_assert_str_eq(config.sinks->next->name, "term");
    ck_assert_str_eq(config.routes->run, "a/*");
    ck_assert(config.routes->go_on);
    ck_assert_double_eq(config.silences->until, 1767312000);
}
END_TEST

static const struct {
    const char *text, *line, *says;
} wrong[] = {
    {"root: [/a]\n", ":1: ", "did you mean \"roots\"?"},
    {"roots: [/a]\npol: true\n", ":2: ", "did you mean \"poll\"?"},
    {"roots: [/a]\npoll: yes\n", ":2: ", "expected true or false, not \"yes\""},
    {"roots:\n  - /a\n  - b/c\n", ":3: ", "absolute path, not \"b/c\""},
    {"roots: [/a]\npreset: quite\n", ":2: ", "did you mean quiet"},
    {"roots: {a: /b}\n", ":1: ", "expected a list"},
    {"roots: [/a]\nactive_poll: -1\n", ":2: ", "above 0, not \"-1\""},
    {"roots: [/a]\nidle_poll: nan\n", ":2: ", "above 0"},
    {"roots: [/a]\nend_after: soon\n", ":2: ", "not \"soon\""},
    {"roots: [/a]\nlisten: []\n", ":2: ", "expected a text"},
    {"roots: [/a]\nstate_dir: ''\n", ":2: ", "expected a text"},
    {"roots: [/a]\nlabels:\n  a-b: c\n", ":3: ", "letters, digits and _, not \"a-b\""},
    {"roots: [/a]\nlabels: {run_id: c}\n", ":2: ", "is there already"},
    {"roots: [/a]\nlabels: {a: c, b: d, a: e}\n", ":2: ", "is there already"},
    {"roots: [/a]\nlabels: [a]\n", ":2: ", "expected settings"},
    {"roots: [/a]\ndetectors: {stal: {enabled: true}}\n", ":2: ", "stall"},
    {"roots: [/a]\ndetectors:\n  stall:\n    nonsense: 3\n", ":4: ", "nonsense"},
    {"roots: [/a]\ndetectors:\n  stall: off\n", ":3: ", "expected settings"},
    {"roots: [/a]\nsinks:\n  x: {type: jsnl}\n", ":3: ", "did you mean \"jsonl\"?"},
    {"roots: [/a]\nsinks:\n  x: {path: /a}\n", ":3: ", "needs a type"},
    {"roots: [/a]\nsinks:\n  x:\n    type: jsonl\n    fil: /b\n", ":5: ", "did you mean \"file\"?"},
    {"roots: [/a]\nsinks:\n  x: {type: text}\n  x: {type: text}\n", ":4: ", "two sinks \"x\""},
    {"roots: [/a]\nsinks:\n  x: {type: text, limit: many}\n", ":3: ", "limit: expected a number"},
    {"roots: [/a]\nsinks:\n  x: {type: text, period: 0}\n", ":3: ", "period: expected seconds"},
    {"roots: [/a]\nflapping_after: -1\n", ":2: ", "comes and goes"},
    {"roots: [/a]\nsinks: text\n", ":2: ", "expected settings"},
    {"roots: [/a]\nroutes:\n  - sinks: [ops]\n", ":3: ", "no sink \"ops\""},
    {"roots: [/a]\nroutes:\n  - sinks:\n      - opps\nsinks:\n  ops: {type: text}\n",
     ":4: ", "there is no sink \"opps\"; did you mean \"ops\"?"},
    {"roots: [/a]\nroutes:\n  - detector: stal\n", ":3: ", "did you mean \"stall\"?"},
    {"roots: [/a]\nsilences:\n  - detector: 'x*'\n", ":3: ", "no detector matches \"x*\""},
    {"roots: [/a]\nlabels: {a: 'b,c'}\n", ":2: ", "without commas, not \"b,c\""},
    {"roots: [/a]\nsinks:\n  x:\n    type: webhook\n    labels: {a: 'b,c'}\n",
     ":5: ", "without commas"},
    {"roots: [/a]\nsinks:\n  x:\n    type: jsonl\n    file: {a: b}\n",
     ":5: ", "expected a value, not settings"},
    {"roots: [/a]\nlisten: localhost\n", ":2: ", "expected ADDRESS:PORT or unix:/PATH"},
    {"roots:\n  - /a\n  - /a/b/\n", ":3: ", "share runs"},
    {"roots: [/a]\nroutes:\n  - severty: info\n", ":3: ", "did you mean \"severity\"?"},
    {"roots: [/a]\nroutes:\n  - severity: never\n", ":3: ", "info, warning or critical"},
    {"roots: [/a]\nroutes: {severity: info}\n", ":2: ", "expected a list"},
    {"roots: [/a]\nsilences:\n  - until: tomorrow\n", ":3: ", "2026-01-02T03:04:05Z"},
    {"roots: [/a]\nsilences: {run: a}\n", ":2: ", "expected a list"},
    {"- a\n", ":1: ", "expected settings"},
    {"roots: [/a\n", ":2: ", ""},
    {"poll: true\n", ": ", "no roots"},
    {"", ": ", "no roots"},
};

START_TEST(an_error_names_file_line_and_the_right_word)
{
    ck_assert(!read_text(wrong[_i].text));
    const char *message = config.errors[0];
    char start[512];
    snprintf(start, sizeof start, "%s%s", tv_folder_path(&folder, "trainvet.yaml"), wrong[_i].line);
    ck_assert_msg(strncmp(message, start, strlen(start)) == 0, "%s", message);
    ck_assert_msg(strstr(message, wrong[_i].says) != NULL, "%s: not in: %s", wrong[_i].says,
                  message);
}
END_TEST

START_TEST(chats_have_a_limit_unless_told_otherwise)
{
    ck_assert(read_text("roots: [/a]\nflapping_after: 0\nsinks:\n"
                        "  a: {type: slack, url_file: /x}\n"
                        "  b: {type: slack, url_file: /x, limit: 0}\n"
                        "  c: {type: text}\n  d: {type: text, limit: 5, period: 60}\n"));
    const struct tv_config_sink *sink = config.sinks;
    const double limits[] = {20, 0, 0, 5}, periods[] = {600, 600, 600, 60};
    for (size_t i = 0; i < 4; i++, sink = sink->next) {
        ck_assert_double_eq(sink->limit, limits[i]);
        ck_assert_double_eq(sink->period, periods[i]);
    }
    ck_assert_uint_eq(config.choice.engine.flapping_after, UINT_MAX);
}
END_TEST

START_TEST(sinks_may_stand_behind_the_routes_that_name_them)
{
    tv_folder_text(&folder, "trainvet.d/sinks.yaml", "sinks:\n  late: {type: text}\n");
    ck_assert_msg(read_text("roots: [/a, /ab]\n"
                            "routes:\n  - sinks: [later, late]\n"
                            "sinks:\n  later: {type: text}\n"),
                  "%s", config.errors[0]);
    struct tv_alert alert = alert_of("a", "stall", TV_INFO);
    ck_assert_str_eq(route_of(&alert, 0), "later late");
}
END_TEST

START_TEST(labels_of_a_sink_are_a_mapping_or_a_list)
{
    static const char *const ways[] = {"{team: a, rack: 7}", "[team=a, rack=7]", "'team=a,rack=7'"};
    char text[256];
    snprintf(text, sizeof text, "roots: [/a]\nsinks:\n  x: {type: webhook, labels: %s}\n",
             ways[_i]);
    ck_assert(read_text(text));
    for (const struct tv_option *row = config.sinks->sink->options; row->name; row++) {
        const char *value;
        memcpy(&value, (char *)config.sinks->options + row->offset, sizeof value);
        if (strcmp(row->name, "labels") == 0)
            ck_assert_str_eq(value, "team=a,rack=7");
    }
}
END_TEST

static char said[4096];

static void note(void *ctx, const char *message, bool is_note)
{
    (void)ctx;
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s%s\n", is_note ? "note " : "",
             message);
}

START_TEST(a_check_looks_at_files_and_addresses_and_leaves_no_trace)
{
    tv_folder_text(&folder, "url", "http://127.0.0.1:1/\n");
    char text[4096];
    snprintf(text, sizeof text,
             "roots: [%s]\nstate_dir: %s/state\nsinks:\n"
             "  well: {type: jsonl, file: %s/new.jsonl}\n"
             "  lost: {type: jsonl, file: %s/nowhere/x.jsonl}\n"
             "  chat: {type: slack, url_file: %s/url}\n"
             "  mute: {type: slack, url_file: %s/url2}\n"
             "  hook: {type: webhook, url: 'ftp://a/'}\n"
             "  good: {type: exec, command: [sh, -c, 'true']}\n"
             "  bad: {type: exec, command: no-such-program}\n"
             "  cred: {type: slack, url_credential: url}\n",
             folder.path, folder.path, folder.path, folder.path, folder.path, folder.path);
    ck_assert(read_text(text));
    unsetenv("CREDENTIALS_DIRECTORY");
    ck_assert(!tv_config_check(&config, note, NULL));
    static const char *const expected[] = {":5: sink lost: ",
                                           "nowhere: No such file",
                                           ":7: sink mute: the secret url cannot be read",
                                           ":8: sink hook: url must begin with http",
                                           ":10: sink bad: there is no program no-such-program",
                                           ":11: sink cred: url_credential is set"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        ck_assert_msg(strstr(said, expected[i]) != NULL, "%s: not in %s", expected[i], said);
    ck_assert_ptr_nonnull(strstr(said, "note "));
    ck_assert_ptr_null(strstr(said, "sink well"));
    ck_assert_ptr_null(strstr(said, "sink good"));
    ck_assert_ptr_null(strstr(said, "sink chat"));
    ck_assert_int_ne(access(tv_folder_path(&folder, "new.jsonl"), F_OK), 0);
}
END_TEST

START_TEST(all_errors_come_in_one_reading)
{
    char text[4096] = "roots: [/a]\n";
    for (int i = 0; i < 20; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "wrong%d: 1\n", i);
    ck_assert(!read_text(text));
    ck_assert_uint_eq(config.errors_len, TV_CONFIG_ERRORS);
    ck_assert_uint_eq(config.errors_more, 20 - TV_CONFIG_ERRORS);
}
END_TEST

START_TEST(files_of_the_directory_come_after_in_the_order_of_their_names)
{
    tv_folder_text(&folder, "trainvet.d/20.yaml", "idle_poll: 20\nroots: [/c]\n");
    tv_folder_text(&folder, "trainvet.d/10.yml", "idle_poll: 10\nroots: /b\n");
    tv_folder_text(&folder, "trainvet.d/30.yaml.bak", "idle_poll: 30\n");
    tv_folder_text(&folder, "trainvet.d/.40.yaml", "idle_poll: 40\n");
    ck_assert(read_text("roots: [/a]\nidle_poll: 5\n"));
    ck_assert_double_eq(config.idle_poll, 20);
    ck_assert_uint_eq(config.roots_len, 3);
    ck_assert_str_eq(config.roots[1], "/b");
    ck_assert_str_eq(config.roots[2], "/c");
}
END_TEST

START_TEST(an_error_in_the_directory_names_that_file)
{
    tv_folder_text(&folder, "trainvet.d/x.yaml", "\n\nidle_pol: 20\n");
    ck_assert(!read_text("roots: [/a]\n"));
    ck_assert_ptr_nonnull(strstr(config.errors[0], "trainvet.d/x.yaml:3: "));
}
END_TEST

START_TEST(a_file_of_more_than_a_mebibyte_is_refused)
{
    size_t len = TV_CONFIG_BYTES_MAX + 1;
    char *text = malloc(len + 1);
    memset(text, '#', len);
    text[len] = '\0';
    ck_assert(!read_text(text));
    ck_assert_ptr_nonnull(strstr(config.errors[0], "too large"));
    free(text);
}
END_TEST

START_TEST(a_missing_file_is_said)
{
    ck_assert(!tv_config_read(&config, tv_folder_path(&folder, "nothing.yaml")));
    ck_assert_ptr_nonnull(strstr(config.errors[0], "No such file"));
}
END_TEST

/* a: [x], b: [*a, *a ...], ... nine levels of nine would be 387 million items. */
START_TEST(an_alias_bomb_is_refused_at_once)
{
    char text[2048] = "roots: [/a]\nlabels:\n  a: &a [x,x,x,x,x,x,x,x,x]\n";
    for (char c = 'b'; c <= 'i'; c++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "  %c: &%c [", c, c);
        for (int i = 0; i < 9; i++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s*%c", i ? "," : "", c - 1);
        snprintf(text + strlen(text), sizeof text - strlen(text), "]\n");
    }
    snprintf(text + strlen(text), sizeof text - strlen(text), "routes: *i\n");
    clock_t begin = clock();
    ck_assert(!read_text(text));
    ck_assert_double_lt((double)(clock() - begin) / CLOCKS_PER_SEC, 1);
}
END_TEST

START_TEST(a_list_of_aliases_to_long_lists_is_refused_at_once)
{
    char *text = malloc(TV_CONFIG_BYTES_MAX), *at = text;
    at += sprintf(at, "roots: [/a]\nsinks: {x: {type: text}}\nroutes:\n  - &r {sinks: [");
    for (int i = 0; i < 100000; i++)
        at += sprintf(at, "x,");
    at += sprintf(at, "]}\n");
    for (int i = 0; i < 50000; i++)
        at += sprintf(at, "  - *r\n");
    clock_t begin = clock();
    ck_assert(!read_text(text));
    ck_assert_double_lt((double)(clock() - begin) / CLOCKS_PER_SEC, 10);
    free(text);
}
END_TEST

START_TEST(an_alert_takes_the_first_route_that_it_matches)
{
    ck_assert(read_text("roots: [/a]\n"
                        "sinks: {a: {type: text}, b: {type: text}, c: {type: text}}\n"
                        "routes:\n"
                        "  - {detector: stall}\n"
                        "  - {severity: critical, sinks: [a, b], continue: true}\n"
                        "  - {run: 'prod/*', sinks: [b, c]}\n"
                        "  - {severity: warning, sinks: [c]}\n"));
    struct tv_alert alert = alert_of("prod/x", "stall", TV_CRITICAL);
    ck_assert_str_eq(route_of(&alert, 0), "");
    alert = alert_of("prod/x", "divergence", TV_CRITICAL);
    ck_assert_str_eq(route_of(&alert, 0), "a b c"); /* b once */
    alert = alert_of("prod/x", "divergence", TV_INFO);
    ck_assert_str_eq(route_of(&alert, 0), "b c");
    alert = alert_of("test", "divergence", TV_INFO);
    ck_assert_str_eq(route_of(&alert, 0), "");
}
END_TEST

START_TEST(without_routes_every_sink_gets_everything)
{
    ck_assert(read_text("roots: [/a]\nsinks: {a: {type: text}, b: {type: text}}\n"));
    struct tv_alert alert = alert_of("x", "divergence", TV_INFO);
    ck_assert_str_eq(route_of(&alert, 0), "a b");
}
END_TEST

START_TEST(a_silence_holds_until_its_time)
{
    ck_assert(read_text("roots: [/a]\nsinks: {a: {type: text}}\n"
                        "silences: [{run: 'test-*', until: 2026-01-02T00:00:00Z}, "
                        "{detector: stall}]\n"));
    struct tv_alert alert = alert_of("test-1", "divergence", TV_CRITICAL);
    ck_assert_str_eq(route_of(&alert, 1767311999), "");
    ck_assert_str_eq(route_of(&alert, 1767312001), "a");
    alert = alert_of("prod", "stall", TV_CRITICAL);
    ck_assert_str_eq(route_of(&alert, 4e9), "");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("config");
    TCase *c = tcase_create("read");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 30);
    tcase_add_test(c, every_key_is_taken);
    tcase_add_test(c, a_preset_holds_where_nothing_else_is_said);
    tcase_add_loop_test(c, an_error_names_file_line_and_the_right_word, 0,
                        sizeof wrong / sizeof *wrong);
    tcase_add_test(c, all_errors_come_in_one_reading);
    tcase_add_test(c, chats_have_a_limit_unless_told_otherwise);
    tcase_add_test(c, sinks_may_stand_behind_the_routes_that_name_them);
    tcase_add_loop_test(c, labels_of_a_sink_are_a_mapping_or_a_list, 0, 3);
    tcase_add_test(c, a_check_looks_at_files_and_addresses_and_leaves_no_trace);
    tcase_add_test(c, files_of_the_directory_come_after_in_the_order_of_their_names);
    tcase_add_test(c, an_error_in_the_directory_names_that_file);
    tcase_add_test(c, a_file_of_more_than_a_mebibyte_is_refused);
    tcase_add_test(c, a_missing_file_is_said);
    tcase_add_test(c, an_alias_bomb_is_refused_at_once);
    tcase_add_test(c, a_list_of_aliases_to_long_lists_is_refused_at_once);
    tcase_add_test(c, an_alert_takes_the_first_route_that_it_matches);
    tcase_add_test(c, without_routes_every_sink_gets_everything);
    tcase_add_test(c, a_silence_holds_until_its_time);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
