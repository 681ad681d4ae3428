/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/config.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <stdlib.h>
#include <string.h>

extern const struct tv_parser tv_parser_python_config, tv_parser_pretrain_json;

static struct tv_config_run run;

static void read_text(const char *text)
{
    tv_config_run_text(&run, &tv_parser_python_config, text);
}

static int probe(const char *name, const char *text)
{
    return tv_parser_python_config.probe(tv_span_of(name), tv_span_of(text));
}

START_TEST(mmengine_dump_is_read)
{
    const char *text = "auto_scale_lr = dict(base_batch_size=16, enable=False)\n"
                       "launcher = 'none'\n"
                       "load_from = None\n"
                       "optim_wrapper = dict(\n"
                       "    optimizer=dict(lr=0.02, type='SGD', weight_decay=0.0001),\n"
                       "    type='OptimWrapper')\n"
                       "param_scheduler = [\n"
                       "    dict(\n"
                       "        begin=0, by_epoch=False, end=500, type='LinearLR'),\n"
                       "    dict(milestones=[\n"
                       "        8,\n"
                       "        11,\n"
                       "    ], type='MultiStepLR'),\n"
                       "]\n";
    ck_assert_int_gt(probe("config.py", text), 80);
    read_text(text);
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F auto_scale_lr.enable=false source 2 line 1\n");
    tv_config_has(&run, "F launcher=none string source 2 line 2\n");
    tv_config_has(&run, "F optim_wrapper.optimizer.lr=0.02 source 2 line 5\n");
    tv_config_has(&run, "F param_scheduler.0.end=500 source 2 line 9\n");
    tv_config_has(&run, "F param_scheduler.1.milestones.1=11 source 2 line 12\n");
    tv_config_has(&run, "F param_scheduler.1.type=MultiStepLR string source 2 line 13\n");
}
END_TEST

START_TEST(arithmetic_and_names_of_numbers_have_values)
{
    read_text("\"\"\"a text\nlearning_rate = 9\n\"\"\"\n"
              "import os\n"
              "max_iters = 5 * (8 + 2) # steps\n"
              "learning_rate: float = 6e-4 / 2\n"
              "rate = 2 ** -2\n"
              "lr_decay_iters = max_iters\n"
              "big = 1_000\n"
              "seed = int(os.environ['SEED'], (1, 2))\n"
              "betas = (0.9, 0.95)\n"
              "table = {'a': 1, 2: [True], **other, 'f': f(x)[1:2], 'z': 'q' 'r'}\n"
              "x == 3\n"
              "if True: y = 4\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F max_iters=50 source 2 line 5\n");
    tv_config_has(&run, "F learning_rate=0.0003 source 2 line 6\n");
    tv_config_has(&run, "F rate=0.25 source 2 line 7\n");
    tv_config_has(&run, "F lr_decay_iters=50 source 2 line 8\n");
    tv_config_has(&run, "F big=1000 ");
    tv_config_has(&run, "F betas.1=0.95 ");
    tv_config_has(&run, "F table.a=1 ");
    tv_config_has(&run, "F table.2.0=true ");
    tv_config_has(&run, "F table.z=qr string ");
    tv_config_lacks(&run, "seed");
    tv_config_lacks(&run, "F x=");
    tv_config_lacks(&run, "table.f");
    tv_config_lacks(&run, "F y=");
    tv_config_lacks(&run, "=9");
}
END_TEST

START_TEST(programs_are_no_configurations)
{
    ck_assert_int_gt(probe("train_gpt2.py", "max_iters = 1\nbatch_size = 12\nout_dir='x'\n"), 70);
    ck_assert_int_eq(probe("train.py", "max_iters = 1\nbatch_size = 12\nout_dir='x'\ndef f():\n"),
                     0);
    ck_assert_int_eq(probe("train.txt", "max_iters = 1\nbatch_size = 12\nout_dir='x'\n"), 0);
}
END_TEST

START_TEST(hostile_sources_end_with_one_sentence)
{
    read_text("a = [1, 2");
    ck_assert_int_eq(run.status, TV_ECORRUPT);
    ck_assert_str_eq(run.error.message, "a bracket is never closed");
    tv_config_has(&run, "F a.1=2 ");
    read_text("a = 'x\nb = 2\n");
    ck_assert_int_eq(run.status, TV_ECORRUPT);
    ck_assert_str_eq(run.error.message, "a text is never closed");
    char *deep = tv_repeated("a = ", "[", 100000, "");
    read_text(deep);
    ck_assert_int_eq(run.status, TV_ELIMIT);
    free(deep);
    char *wide = tv_repeated("a = [", "1,", 100000, "]");
    read_text(wide);
    ck_assert_int_eq(run.status, TV_ELIMIT);
    free(wide);
    read_text("a = ((((1e999)))) * 10 ** 400\nb = 1 // 0\nc = -dict(x=1)\nd = f(g[h(\n1)])\n= 4\n"
              "e = \\\n 5\nf = ):\ng = {1:2}[0]\nh = 3 +\ni = [*x, 1 for y in z]\nk = lambda: 3\n");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F e=5 ");
    const char *pieces[] = {"a = dict(", "[",  "{",  "'", "\"\"\"", "\\",   "(",
                            ")",         "]",  "}",  ",", ":",      "=",    "-",
                            "**",        "1e", "\n", "#", "x = ",   "dict", "None"};
    char text[256];
    for (unsigned seed = 1; seed < 4000; seed++) {
        unsigned state = seed;
        text[0] = '\0';
        for (int i = 0; i < 12; i++) {
            state = state * 1103515245u + 12345u;
            strcat(text, pieces[state / 65536 % (sizeof pieces / sizeof *pieces)]);
        }
        read_text(text);
    }
}
END_TEST

START_TEST(olmo_core_config_is_read)
{
    const char *text = "{\"run_name\": \"x\", \"train_module\": {\"optim\": {\"lr\": 0.0004}, "
                       "\"scheduler\": {\"warmup\": 2000, \"t_max\": null, \"_CLASS_\": "
                       "\"olmo_core.optim.scheduler.CosWithWarmup\"}}}";
    struct tv_span name = tv_span_of("config.json");
    ck_assert_int_gt(tv_parser_pretrain_json.probe(name, tv_span_of(text)), 80);
    ck_assert_int_eq(
        tv_parser_pretrain_json.probe(name, tv_span_of("{\"architectures\": [\"OlmoModel\"]}")), 0);
    tv_config_run_text(&run, &tv_parser_pretrain_json, text);
    tv_config_has(&run, "F train_module.scheduler.warmup=2000 source 1");
    tv_config_has(&run, "F framework=olmocore string source 1");
}
END_TEST

static void free_run(void)
{
    tv_config_run_free(&run);
}

static Suite *suite(void)
{
    Suite *suite = suite_create("python_config");
    TCase *t = tcase_create("python_config");
    tcase_add_checked_fixture(t, NULL, free_run);
    tcase_add_test(t, mmengine_dump_is_read);
    tcase_add_test(t, arithmetic_and_names_of_numbers_have_values);
    tcase_add_test(t, programs_are_no_configurations);
    tcase_add_test(t, hostile_sources_end_with_one_sentence);
    tcase_add_test(t, olmo_core_config_is_read);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
