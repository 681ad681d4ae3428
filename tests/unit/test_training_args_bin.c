/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "lib/pickle.h"
#include "lib/zip_entry.h"
#include "support/config.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct tv_parser tv_parser_training_args_bin;

static struct tv_config_run run;

static void close_run(void)
{
    tv_config_run_free(&run);
}

static struct tv_span fixture(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/fixtures/configs/%s", TRAINVET_SOURCE_DIR, name);
    return tv_read_file(path);
}

static void read_fixture(const char *name)
{
    struct tv_span bytes = fixture(name);
    ck_assert_int_gt(tv_parser_training_args_bin.probe(tv_span_of("training_args.bin"), bytes), 80);
    tv_config_run(&run, &tv_parser_training_args_bin, bytes);
    free((char *)bytes.data);
}

static void check_arguments(void)
{
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F learning_rate=5e-05 source 1 line 0\n");
    tv_config_has(&run, "F num_train_epochs=3 source 1 ");
    tv_config_has(&run, "F max_steps=-1 source 1 ");
    tv_config_has(&run, "F lr_scheduler_kwargs.num_cycles=3 source 1 ");
    tv_config_has(&run, "F eval_strategy=steps string source 1 ");
    tv_config_has(&run, "F bf16=true source 1 ");
    tv_config_has(&run, "F tf32=null null source 1 ");
    tv_config_has(&run, "F report_to.1=wandb string source 1 ");
    tv_config_has(&run, "F hub_token=<masked> string source 1 ");
    tv_config_has(&run, "F big=1099511627776 source 1 ");
    tv_config_has(&run, "F negative=-3 source 1 ");
    tv_config_has(&run, "F accelerator_config.even_batches=true source 1 ");
    tv_config_has(&run, "F fsdp_config.min_num_params=0 source 1 ");
    tv_config_has(&run, "F world_size=2 source 1 ");
    tv_config_lacks(&run, "hf_secret");
    tv_config_lacks(&run, "__cached__");
}

START_TEST(settings_of_all_plain_types_are_read)
{
    read_fixture("enum_by_name.bin");
    check_arguments();
    tv_config_has(&run, "F lr_scheduler_type=cosine string source 1 ");
    tv_config_has(&run, "F framework=transformers string source 5 ");
}
END_TEST

START_TEST(enum_pickled_by_value_is_read_and_the_class_tells_the_framework)
{
    read_fixture("enum_by_value.bin");
    check_arguments();
    tv_config_has(&run, "F lr_scheduler_type=reduce_lr_on_plateau string source 1 ");
    tv_config_has(&run, "F framework=llamafactory string source 1 ");
}
END_TEST

START_TEST(newer_pickle_protocols_are_read)
{
    read_fixture("protocol4.bin");
    check_arguments();
}
END_TEST

START_TEST(calls_are_never_made_and_have_no_value)
{
    read_fixture("calls_a_command.bin");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F learning_rate=0.5 source 1 ");
    tv_config_has(&run, "F seed=1 source 1 ");
    tv_config_lacks(&run, "evil");
    tv_config_lacks(&run, "exit");
}
END_TEST

START_TEST(what_torch_wrote_before_1_6_is_read)
{
    read_fixture("before_torch_1.6.bin");
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_has(&run, "F learning_rate=5e-05 source 1 ");
    tv_config_has(&run, "F lr_scheduler_type=cosine string source 1 ");
    tv_config_has(&run, "F world_size=2 source 1 ");
    struct tv_span bytes = fixture("before_torch_1.6.bin");
    for (size_t len = 0; len + 6 < bytes.len; len += 7) { /* the last pickle is an empty list */
        tv_config_run(&run, &tv_parser_training_args_bin, (struct tv_span){bytes.data, len});
        ck_assert_int_eq(run.status, TV_ECORRUPT);
    }
    free((char *)bytes.data);
}
END_TEST

START_TEST(every_cut_and_every_flipped_bit_is_survived)
{
    struct tv_span bytes = fixture("enum_by_name.bin");
    for (size_t len = 0; len < bytes.len; len += 7) {
        tv_config_run(&run, &tv_parser_training_args_bin, (struct tv_span){bytes.data, len});
        ck_assert_int_eq(run.status, TV_ECORRUPT);
        ck_assert_uint_gt(strlen(run.error.message), 0);
    }
    char *copy = (char *)bytes.data;
    for (size_t i = 0; i < bytes.len; i++) {
        copy[i] ^= (char)(1 << (i % 8));
        tv_config_run(&run, &tv_parser_training_args_bin, bytes);
        copy[i] ^= (char)(1 << (i % 8));
    }
    tv_config_run(&run, &tv_parser_training_args_bin, bytes);
    ck_assert_int_eq(run.status, TV_OK);
    free(copy);
}
END_TEST

static enum tv_status read_pickle(const char *bytes, size_t len, struct tv_error *error)
{
    struct tv_pickle *pickle = tv_xcalloc(1, sizeof *pickle);
    char *exact = tv_xmalloc(len);
    memcpy(exact, bytes, len);
    struct tv_span whole = {exact, len};
    enum tv_status status = tv_pickle_read(pickle, &whole, error);
    free(exact);
    free(pickle);
    return status;
}

#define PICKLE(text) read_pickle(text, sizeof text - 1, &error)

START_TEST(senseless_opcodes_are_refused)
{
    struct tv_error error;
    ck_assert_int_eq(PICKLE(""), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("NN."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("N"), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("u."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("(u."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("}(Nu."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("N(NNu."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("s."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("a."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("R."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("NNR."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("b."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("\x81."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("\x87."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("0."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("1."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("h\5."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("q\1."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("\x93."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("cos\nsystem"), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("X\xff\xff\xff\xff."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("\x8d\xff\xff\xff\xff\xff\xff\xff\xff."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("\x8b\xff\xff\xff\xff."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("i."), TV_EUNSUPPORTED); /* INST of protocol 0 */
    ck_assert_int_eq(PICKLE("\0."), TV_ECORRUPT);
    ck_assert_int_eq(PICKLE("N."), TV_OK);
}
END_TEST

static enum tv_status repeated(const char *head, const char *unit, size_t count, const char *tail)
{
    struct tv_error error;
    char *text = tv_repeated(head, unit, count, tail);
    enum tv_status status = read_pickle(text, strlen(text), &error);
    free(text);
    return status;
}

START_TEST(every_table_has_a_limit)
{
    struct tv_error error;
    ck_assert_int_eq(repeated("", "N", TV_PICKLE_STACK + 1, "."), TV_ELIMIT);
    ck_assert_int_eq(repeated("", "(", TV_PICKLE_STACK + 1, "."), TV_ELIMIT);
    ck_assert_int_eq(repeated("", "]0", TV_PICKLE_BOXES + 1, "."), TV_ELIMIT);
    ck_assert_int_eq(repeated("]", "Na", TV_PICKLE_NODES + 1, "."), TV_ELIMIT);
    ck_assert_int_eq(repeated("}", "NNs", TV_PICKLE_NODES + 1, "."), TV_ELIMIT);
    ck_assert_int_eq(PICKLE("Nr\xff\xff\xff\xff."), TV_ELIMIT);
    ck_assert_int_eq(repeated("N", "\x94", TV_PICKLE_MEMO + 1, "."), TV_ELIMIT);
    ck_assert_int_eq(repeated("]", "Na", TV_PICKLE_NODES, "."), TV_OK);
}
END_TEST

/* A zip archive with one stored entry. */
static struct tv_span zipped(struct tv_span pickle)
{
    static const char name[] = "x/data.pkl";
    size_t n = sizeof name - 1, len = 30 + n + pickle.len + 46 + n + 22;
    char *zip = tv_xcalloc(1, len), *p = zip;
    memcpy(p, "PK\3\4", 4);
    p[26] = (char)n;
    memcpy(p + 30, name, n);
    memcpy(p + 30 + n, pickle.data, pickle.len);
    p += 30 + n + pickle.len;
    memcpy(p, "PK\1\2", 4);
    for (int i = 0; i < 4; i++)
        p[20 + i] = p[24 + i] = (char)(pickle.len >> 8 * i);
    p[28] = (char)n;
    memcpy(p + 46, name, n);
    size_t central = (size_t)(p - zip);
    p += 46 + n;
    memcpy(p, "PK\5\6", 4);
    p[8] = p[10] = 1;
    for (int i = 0; i < 4; i++)
        p[16 + i] = (char)(central >> 8 * i);
    return (struct tv_span){zip, len};
}

static void read_zipped(struct tv_span pickle)
{
    struct tv_span zip = zipped(pickle);
    tv_config_run(&run, &tv_parser_training_args_bin, zip);
    free((char *)zip.data);
}

START_TEST(dictionary_that_holds_itself_ends)
{
    /* d = {}; d['a'] = d, many times over */
    static const char head[] = "}q\0";
    static const char unit[] = "X\1\0\0\0ah\0s";
    size_t units = 500, len = 3 + units * 9 + 1;
    char *pickle = tv_xmalloc(len);
    memcpy(pickle, head, 3);
    for (size_t i = 0; i < units; i++)
        memcpy(pickle + 3 + i * 9, unit, 9);
    pickle[len - 1] = '.';
    read_zipped((struct tv_span){pickle, len});
    ck_assert_int_eq(run.status, TV_OK);
    ck_assert_uint_eq(run.capture.facts, 0);
    free(pickle);
}
END_TEST

START_TEST(pickle_of_something_else_is_refused)
{
    read_zipped(tv_span_of("N."));
    ck_assert_int_eq(run.status, TV_EUNSUPPORTED);
    read_zipped(tv_span_of("]."));
    ck_assert_int_eq(run.status, TV_EUNSUPPORTED);
    read_zipped(tv_span_of("}."));
    ck_assert_int_eq(run.status, TV_OK);
    tv_config_run_text(&run, &tv_parser_training_args_bin, "PK\3\4 but no archive, really none");
    ck_assert_int_eq(run.status, TV_ECORRUPT);
    ck_assert_int_eq(
        tv_parser_training_args_bin.probe(tv_span_of("model.bin"), tv_span_of("PK\3\4")), 0);
    ck_assert_int_eq(
        tv_parser_training_args_bin.probe(tv_span_of("training_args.bin"), tv_span_of("\x80\2")),
        0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("training_args_bin");
    TCase *t = tcase_create("training_args_bin");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, NULL, close_run);
    tcase_add_test(t, settings_of_all_plain_types_are_read);
    tcase_add_test(t, enum_pickled_by_value_is_read_and_the_class_tells_the_framework);
    tcase_add_test(t, newer_pickle_protocols_are_read);
    tcase_add_test(t, calls_are_never_made_and_have_no_value);
    tcase_add_test(t, what_torch_wrote_before_1_6_is_read);
    tcase_add_test(t, every_cut_and_every_flipped_bit_is_survived);
    tcase_add_test(t, senseless_opcodes_are_refused);
    tcase_add_test(t, every_table_has_a_limit);
    tcase_add_test(t, dictionary_that_holds_itself_ends);
    tcase_add_test(t, pickle_of_something_else_is_refused);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tv_test_main(suite());
}
