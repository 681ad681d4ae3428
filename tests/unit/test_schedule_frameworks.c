/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every framework's settings are recognised, odd ones are refused with a reason, and no number in
 * them does harm. The values themselves are compared with the frameworks' own in tests/golden. */
#include "schedule/resolve.h"
#include "support/settings.h"
#include "support/suite.h"
#include "trainvet/text.h"
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tv_schedule s;
static struct tv_error error;

static enum tv_status resolve(const char *json)
{
    struct tv_facts facts = {0};
    tv_settings_text(&facts, json, TV_FACT_USER_CONFIG);
    enum tv_status status = tv_schedule_resolve(&facts, &s, &error);
    tv_facts_free(&facts);
    return status;
}

static void resolved(const char *framework, const char *json)
{
    enum tv_status status = resolve(json);
    ck_assert_msg(status == TV_OK, "%s: %s", json, error.message);
    ck_assert_str_eq(s.framework, framework);
}

static void refused(enum tv_status expected, const char *json, const char *reason)
{
    enum tv_status status = resolve(json);
    ck_assert_msg(status == expected, "%s: status %d (%s)", json, status, error.message);
    ck_assert_msg(strstr(error.message, reason) != NULL, "%s: %s", json, error.message);
}

static void expect_lr(double n, double expected)
{
    double lr = tv_schedule_lr(&s, n);
    ck_assert_msg(fabs(lr - expected) <= 1e-12 * s.peak, "lr(%g) = %.17g, expected %.17g", n, lr,
                  expected);
}

/* Calls visit with each table in fixtures/schedules that holds a configuration of a named
 * framework. */
static int each_golden(void (*visit)(const char *name, struct json_object *golden))
{
    const char *folder = TRAINVET_SOURCE_DIR "/fixtures/schedules";
    DIR *dir = opendir(folder);
    int count = 0;
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[1024];
        if (!strstr(entry->d_name, ".json"))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        struct json_object *golden = json_object_from_file(path);
        ck_assert_ptr_nonnull(golden);
        visit(entry->d_name, golden);
        json_object_put(golden);
        count++;
    }
    closedir(dir);
    return count;
}

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(object, name, &value);
    return value;
}

static void expect_detected(const char *name, struct json_object *golden)
{
    struct tv_facts facts = {0};
    const char *framework = json_object_get_string(member(golden, "framework"));
    tv_settings_tree(&facts, "", member(golden, "config"), TV_FACT_USER_CONFIG);
    enum tv_status status = tv_schedule_resolve(&facts, &s, &error);
    /* plain formulas have no key of their own unless they name a warm-up shape */
    if (strcmp(framework, "seed") != 0) {
        ck_assert_msg(!strcmp(s.framework, framework), "%s: %s", name, s.framework);
        ck_assert_msg(status == TV_OK || member(golden, "error") || member(golden, "by_version"),
                      "%s: %s", name, error.message);
    }
    tv_facts_free(&facts);
}

START_TEST(framework_shows_in_its_keys)
{
    ck_assert_int_gt(each_golden(expect_detected), 100);
}
END_TEST

static void try_value(struct json_object *golden, const char *key, const char *value)
{
    static double series[64];
    struct tv_facts facts = {0};
    tv_settings_tree(&facts, "", member(golden, "config"), TV_FACT_USER_CONFIG);
    tv_settings_add(&facts, key, value, TV_FACT_COMMAND_LINE);
    if (tv_schedule_resolve(&facts, &s, &error) == TV_OK)
        tv_schedule_series(&s, 0, 64, series);
    tv_schedule_lr(&s, 1e6);
    tv_schedule_lr(&s, 9e15);
    tv_check(s.table_len >= 0 && s.table_len <= TV_SCHEDULE_TABLE);
    tv_check(s.parts >= 0 && s.parts <= TV_SCHEDULE_PARTS);
    tv_facts_free(&facts);
}

static void expect_harmless(const char *name, struct json_object *golden)
{
    static const char *const values[] = {"0",    "-1",     "1e308", "-1e308",    "nan",
                                         "inf",  "1e-308", "0.5",   "1.0000001", "9007199254740993",
                                         "null", "yes",    ""};
    struct tv_facts facts = {0};
    (void)name;
    tv_settings_tree(&facts, "", member(golden, "config"), TV_FACT_USER_CONFIG);
    for (size_t i = 0; i < facts.len; i++) {
        for (size_t k = 0; k < sizeof values / sizeof *values; k++)
            try_value(golden, facts.entries[i]->key, values[k]);
    }
    tv_facts_free(&facts);
}

START_TEST(no_number_does_harm)
{
    each_golden(expect_harmless);
}
END_TEST

START_TEST(more_than_fits_is_refused)
{
    char json[4096] = "{'optimizer': {'lr': 1}, 'lr_scheduler': {'class_path': "
                      "'torch.optim.lr_scheduler.MultiStepLR', "
                      "'init_args': {'milestones': [1";
    for (int i = 2; i <= TV_SCHEDULE_TABLE + 1; i++)
        snprintf(json + strlen(json), sizeof json - strlen(json), ", %d", i);
    snprintf(json + strlen(json), sizeof json - strlen(json), "]}}}");
    refused(TV_ELIMIT, json, "milestones");

    snprintf(json, sizeof json, "{'optim_wrapper': {'optimizer': {'lr': 1}}, 'param_scheduler': [");
    for (int i = 0; i <= TV_SCHEDULE_PARTS; i++)
        snprintf(json + strlen(json), sizeof json - strlen(json),
                 "%s{'type': 'StepLR', 'step_size': 9, 'by_epoch': false}", i ? ", " : "");
    snprintf(json + strlen(json), sizeof json - strlen(json), "]}");
    refused(TV_ELIMIT, json, "schedulers");
}
END_TEST

START_TEST(label_of_a_logger_does_not_hide_the_framework)
{
    resolved(
        "nemo",
        "{'framework': 'lightning', 'optim': {'lr': 1e-4, 'sched': {'name': 'CosineAnnealing', "
        "'warmup_steps': 10}}, 'trainer': {'max_steps': 100}}");
    resolved("lightning",
             "{'framework': 'lightning', 'lr': 1e-3, 'lr_scheduler': 'cosine', 'max_steps': 100, "
             "'warmup_steps': 10}");
    expect_lr(10, 1e-3);
    ck_assert_int_eq(s.log_offset, 0);
}
END_TEST

START_TEST(what_the_user_names_is_not_doubted)
{
    struct tv_facts facts = {0};
    tv_settings_text(&facts,
                     "{'learning_rate': 1e-4, 'lr_scheduler_type': 'constant', 'warmup_steps': 10}",
                     TV_FACT_USER_CONFIG);
    tv_settings_add(&facts, "framework", "plain", TV_FACT_COMMAND_LINE);
    ck_assert_int_eq(tv_schedule_resolve(&facts, &s, &error), TV_OK);
    ck_assert_str_eq(s.framework, "plain");
    expect_lr(5, 5e-5);
    tv_settings_add(&facts, "framework", "no such thing", TV_FACT_COMMAND_LINE);
    ck_assert_int_eq(tv_schedule_resolve(&facts, &s, &error), TV_EUNSUPPORTED);
    tv_facts_free(&facts);
}
END_TEST

#define DS_AUTO                                                                                    \
    "'scheduler': {'type': 'WarmupDecayLR', 'params': {'total_num_steps': 'auto', "                \
    "'warmup_min_lr': "                                                                            \
    "'auto', 'warmup_max_lr': 'auto', 'warmup_num_steps': 'auto'}}"

START_TEST(deepspeed_scheduler_replaces_that_of_transformers)
{
    resolved("transformers",
             "{'learning_rate': 1e-4, 'lr_scheduler_type': 'cosine', 'max_steps': 1000, "
             "'warmup_steps': 100, 'per_device_train_batch_size': 8, " DS_AUTO "}");
    ck_assert_str_eq(tv_schedule_name(&s), "WarmupDecayLR");
    ck_assert(s.offset_known && s.log_offset == 0);
    expect_lr(1, 0);
    expect_lr(11, 1e-4 * log(11) /
                      log(100)); /* the logarithm, since "auto" does not fill warmup_type */
    expect_lr(101, 1e-4);
    expect_lr(551, 1e-4 * 450 / 900);
}
END_TEST

START_TEST(accelerate_steps_as_often_as_there_are_processes)
{
    const char *json =
        "{'num_processes': 4, 'learning_rate': 1.0, 'lr_scheduler_type': 'linear', "
        "'num_warmup_steps': 0, 'num_training_steps': 100, 'batches_per_process': 100}";
    resolved("accelerate", json);
    expect_lr(25, 0);
    expect_lr(10, 0.6);
    ck_assert_double_eq(s.total_steps, 100);
}
END_TEST

START_TEST(megatron_checks_its_warmup)
{
    refused(TV_ECONFIG,
            "{'lr': 1e-4, 'lr_decay_style': 'cosine', 'train_iters': 50, 'lr_warmup_iters': 50, "
            "'global_batch_size': 8}",
            "must be shorter");
    refused(TV_ECONFIG,
            "{'lr': 1e-4, 'lr_decay_style': 'cosine', 'train_iters': 50, 'lr_warmup_iters': 5, "
            "'lr_warmup_fraction': 0.1, 'global_batch_size': 8}",
            "lr_warmup_fraction");
    refused(TV_ECONFIG,
            "{'lr': 1e-5, 'min_lr': 1e-4, 'lr_decay_style': 'cosine', 'train_iters': 50, "
            "'global_batch_size': 8}",
            "min_lr");
    refused(TV_AGAIN, "{'lr': 1e-4, 'lr_decay_style': 'cosine', 'train_iters': 50}",
            "global_batch_size");
}
END_TEST

START_TEST(mmengine_counts_epochs_when_it_knows_their_length)
{
#define EPOCHS                                                                                     \
    "{'optim_wrapper': {'optimizer': {'lr': 0.1}}, 'train_cfg': {'max_epochs': 12}, "              \
    "'param_scheduler': [{'type': 'LinearLR', 'start_factor': 0.001, 'by_epoch': false, 'begin': " \
    "0, "                                                                                          \
    "'end': 500}, {'type': 'MultiStepLR', 'milestones': [8, 11], 'begin': 0, 'end': 12, "          \
    "'by_epoch': true}]"
    refused(TV_AGAIN, EPOCHS "}", "length of an epoch");
    refused(TV_AGAIN, EPOCHS ", 'auto_scale_lr': {'enable': true, 'base_batch_size': 16}}",
            "auto_scale_lr");
    resolved("mmengine", EPOCHS ", 'auto_scale_lr': {'enable': true, 'base_batch_size': 16}, "
                                "'train_dataloader': {'batch_size': 4}, 'world_size': 2, "
                                "'num_samples': 8000}");
    ck_assert_double_eq(s.total_steps, 12000);
    expect_lr(499, 0.05);
    resolved("mmengine", EPOCHS ", 'log.steps_per_epoch': 1000}");
    ck_assert_double_eq(s.total_steps, 12000);
    expect_lr(0, 0.0001);
    expect_lr(499, 0.1);
    expect_lr(7999, 0.1);
    expect_lr(8000, 0.01);
    expect_lr(11000, 0.001);
}
END_TEST

/* Values of the recursions in plain Python. */
START_TEST(mmengine_schedulers_work_side_by_side)
{
    resolved("mmengine",
             "{'optim_wrapper': {'optimizer': {'lr': 0.1}}, 'param_scheduler': [{'type': "
             "'LinearLR', 'by_epoch': false, 'end': 20}, {'type': 'CosineAnnealingLR', 'T_max': "
             "100, 'eta_min': 0.01, 'by_epoch': false, 'end': 100}]}");
    expect_lr(0, 0.03333333333333333);
    expect_lr(10, 0.06703941361513535);
    expect_lr(50, 0.055146439599349006);
    expect_lr(99, 0.010022277042644424);
    resolved("mmengine",
             "{'optim_wrapper': {'optimizer': {'lr': 0.1}}, 'steps_per_epoch': 1000, "
             "'param_scheduler': [{'type': 'CosineAnnealingLR', 'T_max': 12000, 'eta_min': 0.001, "
             "'by_epoch': false}, {'type': 'MultiStepLR', 'milestones': [8, 11], 'gamma': 0.1}]}");
    expect_lr(9000, 0.0019226136392623669);
    expect_lr(11999, 0.000999999105636803);
    refused(TV_EUNSUPPORTED,
            "{'optim_wrapper': {'optimizer': {'lr': 0.1}}, 'param_scheduler': [{'type': "
            "'LinearLR', 'by_epoch': false, 'end': 20}, {'type': 'ReduceOnPlateauLR'}]}",
            "beside other schedulers");
}
END_TEST

#define TORCH(name, args)                                                                          \
    "{'optimizer': {'lr': 0.001}, 'lr_scheduler': {'class_path': 'torch.optim.lr_scheduler." name  \
    "', 'init_args': {" args "}}}"

/* Long pieces, which are interpolated. */
START_TEST(long_rows_are_what_each_step_is_alone)
{
    static const char *const configs[] = {
        TORCH("OneCycleLR", "'max_lr': 0.1, 'total_steps': 30001, 'three_phase': true"),
        TORCH("CyclicLR", "'base_lr': 0.001, 'max_lr': 0.1, 'step_size_up': 1700, 'mode': "
                          "'exp_range', 'gamma': 0.9999"),
        TORCH("CosineAnnealingWarmRestarts", "'T_0': 333, 'T_mult': 2"),
        TORCH("ChainedScheduler",
              "'schedulers': [{'class_path': 'LinearLR', 'init_args': {'total_iters': 5000}}, "
              "{'class_path': 'StepLR', 'init_args': {'step_size': 77, 'gamma': 0.99}}]"),
        TORCH("SequentialLR",
              "'milestones': [900.0], 'schedulers': [{'class_path': 'LinearLR', 'init_args': "
              "{'total_iters': 900}}, {'class_path': 'CosineAnnealingLR', 'init_args': {'T_max': "
              "7000, 'eta_min': 1e-5}}]"),
        ("{'lr': 0.001, 'warmup': {'class': 'pytorch_warmup.ExponentialWarmup', 'warmup_period': "
         "2000}, 'lr_scheduler': {'class': 'torch.optim.lr_scheduler.CosineAnnealingLR', 'T_max': "
         "20000}}"),
        ("{'learning_rate': 1e-4, 'max_steps': 25000, 'lr_scheduler_type': 'polynomial', "
         "'warmup_steps': 700, 'lr_scheduler_kwargs': {'power': 0.7}}"),
    };
    static double series[30000];
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        ck_assert_msg(resolve(configs[i]) == TV_OK, "%s: %s", configs[i], error.message);
        tv_schedule_series(&s, 0, 30000, series);
        double peak = s.peak;
        for (int n = 0; n < 30000; n++)
            peak = fmax(peak, series[n]);
        for (int n = 0; n < 30000; n++)
            ck_assert_msg(fabs(series[n] - tv_schedule_lr(&s, n)) <= 1e-14 * peak,
                          "%s at %d: %.17g", configs[i], n, series[n]);
    }
}
END_TEST

START_TEST(chain_that_takes_too_long_is_not_known)
{
    resolved("torch", "{'optimizer': {'lr': 0.1}, 'lr_scheduler': {'class_path': "
                      "'torch.optim.lr_scheduler.ChainedScheduler', 'init_args': {'schedulers': "
                      "[{'class_path': 'CosineAnnealingLR', 'init_args': {'T_max': 1e6, 'eta_min': "
                      "0.01}}, {'class_path': 'ExponentialLR', 'init_args': {'gamma': 0.999}}]}}}");
    ck_assert(tv_schedule_lr(&s, 3000) > 0);
    ck_assert(isnan(tv_schedule_lr(&s, 1e6)));
    ck_assert(isnan(tv_schedule_lr(&s, 1e300)));
    double series[3001], far;
    tv_schedule_series(&s, 0, 3001, series); /* goes on from step to step */
    for (int n = 0; n <= 3000; n += 500)
        ck_assert_double_eq_tol(series[n], tv_schedule_lr(&s, n), 1e-12);
    tv_schedule_series(&s, 20000, 1, &far);
    ck_assert(far > 0 && far < 0.0101);
    tv_schedule_series(&s, 1e300, 1, &far);
    ck_assert(isnan(far));
}
END_TEST

START_TEST(olmo_core_sequence_goes_on_from_where_it_was)
{
    resolved(
        "olmocore",
        "{'optim': {'lr': 1.0}, 'max_duration': {'value': 300, 'unit': 'steps'}, 'scheduler': "
        "{'_CLASS_': "
        "'olmo_core.optim.scheduler.SequentialScheduler', 'schedulers_max': [100], 'schedulers': ["
        "{'_CLASS_': 'olmo_core.optim.scheduler.LinearWithWarmup', 'warmup': 10, 'alpha_f': 0.5}, "
        "{'_CLASS_': 'olmo_core.optim.scheduler.CosWithWarmup', 'warmup': 0, 'alpha_f': 0.0}]}}");
    expect_lr(10, 1);
    expect_lr(100, 0.5);
    expect_lr(101, 0.25 * (1 + cos(M_PI / 200)));
    expect_lr(200, 0.25);
    expect_lr(300, 0);
}
END_TEST

START_TEST(olmo_core_wants_one_length_of_each_kind)
{
    refused(TV_ECONFIG,
            "{'optim': {'lr': 1.0}, 'max_duration': {'value': 300}, 'scheduler': {'_CLASS_': "
            "'olmo_core.optim.scheduler.WSD', 'warmup': 10, 'decay': 20}}",
            "never both");
    resolved(
        "olmocore",
        "{'optim': {'lr': 1.0}, 'max_duration': {'value': 300}, 'scheduler': {'_CLASS_': "
        "'olmo_core.optim.scheduler.WSD', 'warmup': 10, 'decay': 20, 'decay_fraction': null}}");
    expect_lr(280, 1);
    expect_lr(290, 0.5);
    refused(TV_ECONFIG,
            "{'optim': {'lr': 1.0}, 'max_duration': {'value': 300}, 'scheduler': {'_CLASS_': "
            "'olmo_core.optim.scheduler.CosWithWarmup'}}",
            "warmup");
}
END_TEST

START_TEST(olmo_core_composes_stages)
{
    resolved("olmocore",
             "{'optim': {'lr': 2.0}, 'max_duration': {'value': 100}, 'scheduler': {'_CLASS_': "
             "'olmo_core.optim.scheduler.ComposableScheduler', 'stages': [{'duration': 10, "
             "'start_lr': 0.0, "
             "'end_lr_fraction': 1.0}, {'duration': 20, 'end_lr': 2.0}, {'duration': 20, 'shape': "
             "'cosine', "
             "'end_lr': 1.0}]}}");
    expect_lr(5, 1);
    expect_lr(20, 2);
    expect_lr(40, 1.5);
    expect_lr(90, 1);
}
END_TEST

START_TEST(olmo_counts_tokens_and_token_durations)
{
    resolved(
        "olmo",
        "{'optimizer': {'learning_rate': 1.0}, 'scheduler': {'name': 'linear_with_warmup', "
        "'units': "
        "'tokens', 't_warmup': 4000, 't_max': 40000, 'alpha_f': 0}, 'global_train_batch_size': 10, "
        "'model': {'max_sequence_length': 40}, 'max_duration': '4e4T'}");
    ck_assert_double_eq(s.total_steps, 100);
    ck_assert_double_eq(s.warmup_steps, 10);
    expect_lr(10, 1);
    expect_lr(55, 0.5);
}
END_TEST

START_TEST(optax_joins_schedules_at_boundaries)
{
    resolved("optax", "{'schedule': 'optax.join_schedules', 'kwargs': {'boundaries': [10], "
                      "'schedules': [{'schedule': "
                      "'optax.linear_schedule', 'kwargs': {'init_value': 0.0, 'end_value': 1.0, "
                      "'transition_steps': 10}}, "
                      "{'schedule': 'optax.exponential_decay', 'kwargs': {'init_value': 1.0, "
                      "'transition_steps': 10, "
                      "'decay_rate': 0.5}}]}}");
    expect_lr(5, 0.5);
    expect_lr(10, 1);
    expect_lr(20, 0.5);
    resolved("optax",
             "{'schedule': 'optax.piecewise_constant_schedule', 'kwargs': {'init_value': 1.0, "
             "'boundaries_and_scales': {'20': 0.1, '10': 0.5}}}");
    expect_lr(9, 1);
    expect_lr(10, 0.5);
    expect_lr(19, 0.5);
    expect_lr(20, 0.05);
}
END_TEST

START_TEST(chained_schedulers_multiply)
{
    resolved(
        "torch",
        "{'optimizer': {'lr': 1.0}, 'lr_scheduler': {'class_path': "
        "'torch.optim.lr_scheduler.ChainedScheduler', 'init_args': {'schedulers': ["
        "{'class_path': 'torch.optim.lr_scheduler.ConstantLR', 'init_args': {'factor': 0.1, "
        "'total_iters': 2}}, {'class_path': 'torch.optim.lr_scheduler.ExponentialLR', 'init_args': "
        "{'gamma': 0.9}}]}}}");
    expect_lr(0, 0.1);
    expect_lr(1, 0.09);
    expect_lr(2, 0.81);
}
END_TEST

START_TEST(lightning_steps_by_epochs)
{
#define LIGHTNING                                                                                  \
    "{'trainer': {'max_epochs': 9}, 'optimizer': {'class_path': 'torch.optim.SGD', 'init_args': "  \
    "{'lr': "                                                                                      \
    "1.0}}, 'lr_scheduler': {'class_path': 'torch.optim.lr_scheduler.StepLR', 'init_args': "       \
    "{'step_size': 2}}"
    refused(TV_AGAIN, LIGHTNING "}", "each epoch");
    resolved("torch", LIGHTNING ", 'log.steps_per_epoch': 50}");
    expect_lr(99, 1);
    expect_lr(100, 0.1);
    expect_lr(200, 0.01);
    ck_assert_double_eq(s.total_steps, 450);
    resolved("torch", "{'trainer': {'max_epochs': 8, 'max_steps': -1}, 'steps_per_epoch': 10, "
                      "'optimizer': {'lr': 1.0}, 'lr_scheduler': {'class_path': "
                      "'torch.optim.lr_scheduler.SequentialLR', 'init_args': {'milestones': [2], "
                      "'schedulers': [{'class_path': 'LinearLR', 'init_args': {'start_factor': "
                      "0.5, 'total_iters': 2}}, {'class_path': 'StepLR', 'init_args': "
                      "{'step_size': 3}}]}}}");
    ck_assert_double_eq(s.total_steps, 80);
    ck_assert_double_eq(s.warmup_steps, 20);
    expect_lr(9, 0.5);
    expect_lr(10, 0.75);
    expect_lr(20, 1);
    expect_lr(50, 0.1);
}
END_TEST

START_TEST(fairseq_reads_a_manual_schedule)
{
    resolved("fairseq", "{'lr_scheduler': 'manual', 'lr': [1.0], 'max_update': 100, "
                        "'update2lr': \"{'1': 0.5, '50': 0.25}\"}");
    expect_lr(1, 0.5);
    expect_lr(49, 0.5);
    expect_lr(50, 0.25);
}
END_TEST

/* Each of these was once wrong here, and is what the frameworks' own code gives. */
START_TEST(corners_are_those_of_the_real_code)
{
    resolved("torch", "{'optimizer': {'lr': 1.0}, 'lr_scheduler': {'class_path': "
                      "'torch.optim.lr_scheduler.ConstantLR', "
                      "'init_args': {'factor': 0.1, 'total_iters': 0}}}");
    expect_lr(5, 0.1); /* the factor is never undone */
    resolved("torch", "{'optimizer': {'lr': 1.0}, 'lr_scheduler': {'class_path': "
                      "'torch.optim.lr_scheduler.OneCycleLR', "
                      "'init_args': {'max_lr': 1.0, 'total_steps': 100, 'pct_start': 1.0}}}");
    expect_lr(99, 1);
    resolved(
        "olmo",
        "{'optimizer': {'learning_rate': 1.0}, 'scheduler': {'name': 'inverse_sqrt_with_warmup', "
        "'t_warmup': 25, 't_max': 40}, 'max_duration': 200}");
    expect_lr(100, 0.5); /* t_max is not this scheduler's */
    resolved("olmocore",
             "{'optim': {'lr': 1.0}, 'max_duration': {'value': 90}, 'scheduler': {'_CLASS_': "
             "'olmo_core.optim.scheduler.WSDS', 'period_lengths': [50, 40], 'warmup': 10, 'decay': "
             "10}}");
    expect_lr(50, 0); /* a period's last step is still its own */
    expect_lr(51, 1);
    resolved("nemo",
             "{'optim': {'lr': 1.0, 'sched': {'name': 'SquareRootAnnealing', 'warmup_steps': 36}}, "
             "'trainer': {'max_steps': 100}}");
    expect_lr(36, 1);
    expect_lr(64, 0.6); /* counted from step 0 */
    resolved("timm",
             "{'lr': 1.0, 'sched': 'tanh', 'epochs': 10, 'warmup_epochs': 0, 'lr_k_decay': 2.0}");
    expect_lr(7, 0.5); /* k-decay does not reach tanh */
    resolved("torchtitan",
             "{'optimizer': {'lr': 1.0}, 'lr_scheduler': {'warmup_steps': 0, 'total_steps': 10}, "
             "'training': {'steps': 20}}");
    expect_lr(15, -0.5); /* it goes on behind its end */
}
END_TEST

START_TEST(llamaboard_names_are_understood)
{
    resolved("llamafactory",
             "{'train.learning_rate': '5e-5', 'train.lr_scheduler_type': 'cosine', "
             "'train.warmup_steps': 10, 'train.batch_size': 2, 'log.total_steps': 100}");
    ck_assert_double_eq(s.warmup_steps, 10);
    expect_lr(10, 5e-5);
}
END_TEST

/* Values of an integer simulation of Megatron's calculator. */
START_TEST(megatron_batch_ramps_up)
{
#define RAMP                                                                                       \
    "{'lr': 1e-3, 'min_lr': 1e-5, 'lr_decay_style': 'linear', 'train_samples': 120000, "           \
    "'lr_decay_samples': 100000, 'lr_warmup_samples': 5000, 'global_batch_size': 64, "             \
    "'rampup_batch_size': \"['16', '8', '%s']\"}"
    char json[512];
    snprintf(json, sizeof json, RAMP, "30000");
    resolved("megatron", json);
    expect_lr(100, 0.00032);
    expect_lr(313, 0.0009999166315789473);
    expect_lr(600, 0.0009215503157894737);
    expect_lr(2000, 6.985852631578952e-05);
    ck_assert_double_eq(s.total_steps, 2402);
    refused(TV_ECONFIG,
            "{'lr': 1e-3, 'lr_decay_style': 'linear', 'train_iters': 100, 'global_batch_size': 64, "
            "'rampup_batch_size': [16, 8, 30000]}",
            "train_samples");
    refused(TV_ECONFIG,
            "{'lr': 1e-3, 'lr_decay_style': 'linear', 'train_samples': 9e5, 'global_batch_size': "
            "64, 'rampup_batch_size': [16, 7, 30000]}",
            "whole increments");
}
END_TEST

START_TEST(ultralytics_goes_by_epochs_and_warms_up_by_batches)
{
#define YOLO                                                                                       \
    "{'lr0': 0.01, 'lrf': 0.01, 'epochs': 100, 'batch': 16, 'nbs': 64, 'warmup_epochs': 3.0, "     \
    "'warmup_bias_lr': 0.1, 'cos_lr': false, "
    resolved("ultralytics", YOLO "'optimizer': 'SGD', 'num_samples': 2000, 'framework_version': "
                                 "'8.3.40'}");
    expect_lr(0, 0.07024); /* group 0 are the biases */
    expect_lr(1, 0.040174264);
    expect_lr(3, 0.009703);
    expect_lr(99, 0.000199);
    ck_assert_int_eq(s.log_offset, 1);
    resolved("ultralytics", YOLO "'optimizer': 'SGD'}");
    ck_assert(isnan(tv_schedule_lr(&s, 2))); /* by a number of batches that is not known */
    expect_lr(3, 0.009703);
    refused(TV_AGAIN, YOLO "'optimizer': 'auto'}", "ignores lr0");
    resolved("ultralytics", YOLO "'optimizer': 'auto', 'num_samples': 2000, 'nc': 80}");
    ck_assert_double_eq(s.peak, 0.000119);
}
END_TEST

START_TEST(nanogpt_has_defaults_and_two_warmups)
{
    resolved("nanogpt", "{'max_iters': 5000, 'lr_decay_iters': 5000, 'learning_rate': 1e-3, "
                        "'min_lr': 1e-4, 'warmup_iters': 99, 'block_size': 256}");
    expect_lr(0, 1e-5);
    expect_lr(98, 99e-5);
    expect_lr(99, 1e-3);
    expect_lr(5000, 1e-4);
    expect_lr(2549.5, 5.5e-4);
    resolved("nanogpt", "{'max_iters': 5000, 'lr_decay_iters': 5000, 'learning_rate': 1e-3, "
                        "'min_lr': 1e-4, 'warmup_iters': 100, 'framework_version': '0'}");
    expect_lr(0, 0);
    expect_lr(50, 5e-4);
    resolved("nanogpt", "{'max_iters': 600000, 'block_size': 1024}");
    ck_assert_double_eq(s.peak, 6e-4);
    ck_assert_double_eq(s.warmup_steps, 2000);
}
END_TEST

START_TEST(trl_has_learning_rates_of_its_own)
{
#define TRL_SOME "'max_steps': 100, 'lr_scheduler_type': 'constant', "
    resolved("trl", "{" TRL_SOME "'completion_only_loss': true}");
    ck_assert_double_eq(s.peak, 2e-5);
    resolved("trl", "{" TRL_SOME "'num_generations': 8}");
    ck_assert_double_eq(s.peak, 1e-6);
    resolved("trl", "{" TRL_SOME "'center_rewards_coefficient': 0.01}");
    ck_assert_double_eq(s.peak, 1e-4);
    resolved("transformers", "{" TRL_SOME "'seed': 1}");
    ck_assert_double_eq(s.peak, 5e-5);
    refused(TV_ECONFIG, "{" TRL_SOME "'learning_rate': 'fast'}", "which is no number");
}
END_TEST

START_TEST(deepspeed_looks_a_scheduler_up_in_torch)
{
    resolved("deepspeed", "{'optimizer': {'params': {'lr': 0.01}}, 'scheduler': {'type': 'StepLR', "
                          "'params': {'step_size': 10, 'gamma': 0.5}}}");
    expect_lr(9, 0.01);
    expect_lr(20, 0.0025);
    refused(
        TV_ECONFIG,
        "{'optimizer': {'params': {'lr': 0.01}}, 'scheduler': {'type': 'WarmupDecay', 'params': "
        "{'warmup_num_steps': 10}}}",
        "DeepSpeed does not recognize LR scheduler WarmupDecay");
}
END_TEST

START_TEST(stray_deepspeed_file_is_not_believed)
{
    struct tv_facts facts = {0};
    static const char *const mine[][2] = {{"learning_rate", "1e-4"},
                                          {"lr_scheduler_type", "cosine"},
                                          {"max_steps", "1000"},
                                          {"finetuning_type", "lora"}};
    for (size_t i = 0; i < sizeof mine / sizeof *mine; i++) {
        struct tv_fact fact = {.key = tv_span_of(mine[i][0]),
                               .value = tv_span_of(mine[i][1]),
                               .source = TV_FACT_USER_CONFIG};
        tv_facts_add(&facts, &fact, "a/train.yaml");
    }
    struct tv_fact fact = {.key = tv_span_of("scheduler.type"),
                           .value = tv_span_of("WarmupLR"),
                           .source = TV_FACT_USER_CONFIG};
    tv_facts_add(&facts, &fact, "a/ds_config.json");
    ck_assert_int_eq(tv_schedule_resolve(&facts, &s, &error), TV_OK);
    ck_assert_str_eq(tv_schedule_name(&s), "cosine");
    ck_assert(!s.offset_known);
    fact = (struct tv_fact){.key = tv_span_of("deepspeed"),
                            .value = tv_span_of("../configs/ds_config.json"),
                            .source = TV_FACT_USER_CONFIG};
    tv_facts_add(&facts, &fact, "a/train.yaml");
    ck_assert_int_eq(tv_schedule_resolve(&facts, &s, &error), TV_OK);
    ck_assert_str_eq(tv_schedule_name(&s), "WarmupLR");
    tv_facts_free(&facts);
}
END_TEST

START_TEST(own_code_is_said_to_be_unknown)
{
    refused(TV_EUNSUPPORTED,
            "{'optimizer': {'lr': 1.0}, 'lr_scheduler': {'class_path': "
            "'torch.optim.lr_scheduler.LambdaLR', 'init_args': {}}}",
            "own code");
    resolved("torch",
             "{'optimizer': {'lr': 1.0}, 'lr_scheduler': {'class_path': "
             "'torch.optim.lr_scheduler.SequentialLR', 'init_args': {'milestones': [10], "
             "'schedulers': [{'class_path': 'ConstantLR', 'init_args': {'factor': 0.5}}, "
             "{'class_path': 'ConstantLR', 'init_args': {'factor': 0.5, 'total_iters': 0}}]}}}");
    expect_lr(0, 0.5);
    expect_lr(5, 1);
    expect_lr(10, 1); /* the closed form that begins it knows no factor any more */
}
END_TEST

START_TEST(frameworks_have_other_names)
{
    ck_assert_str_eq(tv_framework_name("OLMo-core"), "olmocore");
    ck_assert_str_eq(tv_framework_name("HF"), "transformers");
    ck_assert_str_eq(tv_framework_name("pytorch-warmup"), "pytorch_warmup");
    ck_assert_str_eq(tv_framework_name("LLaMA-Factory"), "llamafactory");
    ck_assert_str_eq(tv_framework_name("yolo"), "ultralytics");
    ck_assert_ptr_null(tv_framework_name("olm"));
    ck_assert_ptr_null(tv_framework_name(""));
}
END_TEST

START_TEST(what_is_no_number_is_not_taken_for_absent)
{
    static const char *const bad[][2] = {
        {"'learning_rate': 1e-4, 'max_steps': 100, 'lr_scheduler_type': 'cosine', "
         "'warmup_steps': 'ten'",
         "warmup_steps is \"ten\", which is no number"},
        {"'learning_rate': 1e-4, 'max_steps': 100, 'lr_scheduler_type': 'cosine', "
         "'warmup_ratio': '5%', 'gradient_accumulation_steps': 'four'",
         "gradient_accumulation_steps is \"four\""},
        {"'per_device_train_batch_size': [1, 2], 'num_train_epochs': 1, 'lr_scheduler_type': "
         "'linear'",
         "per_device_train_batch_size is a list"},
        {"'optimizer': {'lr': 1e-4}, 'lr_scheduler': {'decay_type': 'linear', 'warmup_steps': "
         "'few'}, 'training': {'steps': 100}",
         "lr_scheduler.warmup_steps is \"few\""},
        {"'lr_decay_style': 'cosine', 'lr': 1e-4, 'train_iters': 'many', 'global_batch_size': 8",
         "train_iters is \"many\""},
        {"'optimizer': {'lr': 1e-4}, 'lr_scheduler': {'decay_type': 'linear'}, 'training': "
         "{'steps': 100.5}",
         "training.steps is 100.5, which is no whole number"},
        {"'learning_rate': null, 'max_steps': 100, 'lr_scheduler_type': 'cosine'",
         "learning_rate is null, which is no number"},
    };
    char json[512];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(json, sizeof json, "{%s}", bad[i][0]);
        refused(TV_ECONFIG, json, bad[i][1]);
    }
    refused(TV_AGAIN, "{'lr': 'low', 'lr_scheduler': 'cosine', 'max_steps': 10}", "lr is \"low\"");
    resolved("transformers", "{'learning_rate': '1e-4', 'max_steps': '1_000', 'lr_scheduler_type': "
                             "'cosine', 'warmup_ratio': null, 'warmup_steps': ' 10 '}");
    ck_assert_double_eq(s.total_steps, 1000);
    ck_assert_double_eq(s.warmup_steps, 10);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("schedule frameworks");
    TCase *t = tcase_create("detect");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, framework_shows_in_its_keys);
    tcase_add_test(t, label_of_a_logger_does_not_hide_the_framework);
    tcase_add_test(t, what_the_user_names_is_not_doubted);
    tcase_add_test(t, no_number_does_harm);
    tcase_add_test(t, more_than_fits_is_refused);
    suite_add_tcase(suite, t);
    t = tcase_create("frameworks");
    tcase_add_test(t, deepspeed_scheduler_replaces_that_of_transformers);
    tcase_add_test(t, deepspeed_looks_a_scheduler_up_in_torch);
    tcase_add_test(t, accelerate_steps_as_often_as_there_are_processes);
    tcase_add_test(t, megatron_checks_its_warmup);
    tcase_add_test(t, megatron_batch_ramps_up);
    tcase_add_test(t, ultralytics_goes_by_epochs_and_warms_up_by_batches);
    tcase_add_test(t, nanogpt_has_defaults_and_two_warmups);
    tcase_add_test(t, trl_has_learning_rates_of_its_own);
    tcase_add_test(t, stray_deepspeed_file_is_not_believed);
    tcase_add_test(t, own_code_is_said_to_be_unknown);
    tcase_add_test(t, frameworks_have_other_names);
    tcase_add_test(t, mmengine_counts_epochs_when_it_knows_their_length);
    tcase_add_test(t, mmengine_schedulers_work_side_by_side);
    tcase_add_test(t, chain_that_takes_too_long_is_not_known);
    tcase_add_test(t, long_rows_are_what_each_step_is_alone);
    tcase_add_test(t, olmo_core_sequence_goes_on_from_where_it_was);
    tcase_add_test(t, olmo_core_wants_one_length_of_each_kind);
    tcase_add_test(t, olmo_core_composes_stages);
    tcase_add_test(t, olmo_counts_tokens_and_token_durations);
    tcase_add_test(t, optax_joins_schedules_at_boundaries);
    tcase_add_test(t, chained_schedulers_multiply);
    tcase_add_test(t, lightning_steps_by_epochs);
    tcase_add_test(t, fairseq_reads_a_manual_schedule);
    tcase_add_test(t, corners_are_those_of_the_real_code);
    tcase_add_test(t, llamaboard_names_are_understood);
    tcase_add_test(t, what_is_no_number_is_not_taken_for_absent);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
