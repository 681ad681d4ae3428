/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "lib/config.h"
#include "support/config.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <stdlib.h>
#include <string.h>

extern const struct tv_parser tv_parser_torchtitan_toml;

static struct tv_config_run run;

static void close_run(void)
{
    tv_config_run_free(&run);
}

static void read_toml(const char *text)
{
    tv_config_run_text(&run, &tv_parser_torchtitan_toml, text);
}

static const char job[] =
    "# torchtitan Config.toml\n\n[job]\ndump_folder = \"./outputs\"\n"
    "description = 'Llama 3 \"debug\"'\n\n[optimizer]\nname = \"AdamW\"\n"
    "lr = 8e-4\neps = 1e-8\n\n[lr_scheduler]\nwarmup_steps = 2  # lr warm up\n"
    "decay_ratio = 0.8\ndecay_type = \"linear\"\nmin_lr_factor = 0.0\n\n"
    "[training]\nsteps = 1_000\nlocal_batch_size = 8\n"
    "mixed = true\n[parallelism]\nmesh = [1, -1,\n  2, # two\n]\n";

START_TEST(tables_become_dotted_keys_with_lines)
{
    ck_assert_int_gt(tv_parser_torchtitan_toml.probe(tv_span_of("debug.toml"), tv_span_of(job)), 0);
    read_toml(job);
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F job.description=Llama 3 \"debug\" string source 2 line 5\n");
    tv_config_has(&run, "F optimizer.lr=8e-4 source 2 line 9\n");
    tv_config_has(&run, "F lr_scheduler.warmup_steps=2 source 2 line 13\n");
    tv_config_has(&run, "F lr_scheduler.decay_type=linear string source 2 line 15\n");
    tv_config_has(&run, "F training.steps=1000 source 2 line 19\n");
    tv_config_has(&run, "F training.mixed=true source 2 line 21\n");
    tv_config_has(&run, "F parallelism.mesh.0=1 source 2 line 23\n");
    tv_config_has(&run, "F parallelism.mesh.1=-1 source 2 line 23\n");
    tv_config_has(&run, "F parallelism.mesh.2=2 source 2 line 24\n");
    tv_config_has(&run, "F framework=torchtitan string source 2");
    ck_assert_uint_eq(run.capture.damages + run.capture.notes, 0);
}
END_TEST

START_TEST(keys_and_strings_have_all_their_forms)
{
    read_toml(
        "a.b = 1\n\"c d\".e = 'x\\n'\nf = \"t\\tab \\\"q\\\"\"\n[g.'h']\ni = {j = 1, k.l = [2]}\n"
        "m = \"\"\"two\nlines\"\"\"\nn = '''it's'''\no = 2024-01-02T03:04:05Z\np = inf\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F a.b=1 source 2 line 1\n");
    tv_config_has(&run, "F c d.e=x\\n string source 2 line 2\n");
    tv_config_has(&run, "F f=t\tab \"q\" string source 2 line 3\n");
    tv_config_has(&run, "F g.h.i.j=1 source 2 line 5\n");
    tv_config_has(&run, "F g.h.i.k.l.0=2 source 2 line 5\n");
    tv_config_has(&run, "F g.h.m=two\nlines string source 2 line 6\n");
    tv_config_has(&run, "F g.h.n=it's string source 2 line 8\n");
    tv_config_has(&run, "F g.h.o=2024-01-02T03:04:05Z string source 2 line 9\n");
    tv_config_has(&run, "F g.h.p=inf source 2 line 10\n");
    ck_assert_uint_eq(run.capture.damages, 0);
}
END_TEST

START_TEST(broken_line_is_left_out_and_the_rest_read)
{
    read_toml("[training]\nsteps 5\nx = \n= 3\n[broken\ny = [1, 2\n[optimizer]\nlr = 0.1 junk\n"
              "eps = 1\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "D 0 0 2 not valid TOML");
    tv_config_has(&run, "F optimizer.eps=1 source");
    ck_assert_uint_gt(run.capture.damages, 3);
}
END_TEST

START_TEST(what_is_written_twice_is_said_and_the_last_counts)
{
    read_toml("[training]\nsteps = 5\nsteps = 6\n[[a]]\nx = 1\n[[a]]\nx = 2\n[training]\n# \xff\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "training.steps is written twice");
    tv_config_has(&run, "training is written twice");
    tv_config_has(&run, "bytes that are not UTF-8 text");
    ck_assert_uint_eq(run.capture.notes, 3);
}
END_TEST

START_TEST(hostile_toml_is_bounded)
{
    char *text = tv_repeated("a = ", "[", 100000, "");
    read_toml(text);
    ck_assert_int_eq(run.status, TV_OK);
    ck_assert_uint_eq(run.capture.facts, 0);
    free(text);
    text = tv_repeated("a = ", "{b = ", 10000, "");
    read_toml(text);
    ck_assert_uint_eq(run.capture.facts, 0);
    free(text);
    text = tv_repeated("a = [", "1,", 20000, "]\n");
    read_toml(text);
    ck_assert_int_eq(run.status, TV_ELIMIT);
    free(text);
    text = tv_repeated("a = \"", "x", TV_CONFIG_BYTES_MAX, "\"\n");
    read_toml(text);
    ck_assert_int_eq(run.status, TV_ELIMIT);
    free(text);
    text = tv_repeated("a = \"", "x", TV_CONFIG_BYTES_MAX - 100, "\"\nb = 1\n");
    read_toml(text);
    tv_config_has(&run, "F b=1 source 2 line 2\n");
    free(text);
    text = tv_repeated("", "a.", 10000, "b = 1\nc = 2\n");
    read_toml(text);
    tv_config_has(&run, "F c=2 source");
    free(text);
}
END_TEST

START_TEST(every_cut_of_a_file_is_survived)
{
    for (size_t len = 0; len < sizeof job; len++)
        tv_config_run(&run, &tv_parser_torchtitan_toml, (struct tv_span){job, len});
    static const char bytes[] = "a = \"\0\xff\"\nb\0 = 1\n[\xff]\nc = 1\n";
    tv_config_run(&run, &tv_parser_torchtitan_toml, (struct tv_span){bytes, sizeof bytes - 1});
    ck_assert_int_eq(run.status, TV_OK);
}
END_TEST

START_TEST(other_toml_is_not_ours)
{
    ck_assert_int_eq(tv_parser_torchtitan_toml.probe(tv_span_of("pyproject.toml"),
                                                     tv_span_of("[project]\nname = \"x\"\n")),
                     0);
    ck_assert_int_eq(tv_parser_torchtitan_toml.probe(tv_span_of("x.yaml"), tv_span_of(job)), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("torchtitan_toml");
    TCase *t = tcase_create("torchtitan_toml");
    tcase_add_checked_fixture(t, NULL, close_run);
    tcase_add_test(t, tables_become_dotted_keys_with_lines);
    tcase_add_test(t, keys_and_strings_have_all_their_forms);
    tcase_add_test(t, broken_line_is_left_out_and_the_rest_read);
    tcase_add_test(t, what_is_written_twice_is_said_and_the_last_counts);
    tcase_add_test(t, hostile_toml_is_bounded);
    tcase_add_test(t, every_cut_of_a_file_is_survived);
    tcase_add_test(t, other_toml_is_not_ours);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
