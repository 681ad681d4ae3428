/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"
#include "base/memory.h"
#include "cmd/choice.h"
#include "cmd/cmd.h"
#include "cmd/notes.h"
#include "cmd/settings.h"
#include "sinks/lib/alert_json.h"
#include "tail/load.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_FORMAT, OPT_JSON, OPT_SAMPLES, OPT_WORLD, OPT_FRAMEWORK, OPT_SET, OPT_FAIL_ON };
enum { SETTINGS_MAX = 64, UNKNOWN_MAX = 16 };

static const struct tv_cli_option option_table[] = {
    {"format", 0, "FORMAT", "text (default) or json: one alert object a line"},
    {"json", 0, NULL, "short for --format json"},
    {"num-samples", 'n', "N", "samples in the training data, to compute the run's steps"},
    {"world-size", 'w', "N", "processes that train together (default 1)"},
    {"framework", 0, "NAME[@VERSION]", "whose rules hold: transformers@5.15"},
    {"set", 0, "KEY=VALUE", "a setting that the command line overrides; can be repeated"},
    {"fail-on", 0, "LEVEL",
     "exit with 1 from this severity on: info, warning (default),\ncritical or never"},
    {NULL, 0, NULL, NULL},
};

static const struct tv_cli cli = {
    .command = "lint",
    .operands = "CONFIG...",
    .intro =
        "Judges training configurations before the job starts: what the trainer itself would\n"
        "reject, and what is known to go wrong. Each finding names the line, the reason and the\n"
        "value to use. Several files are the stages of one training: a stage that starts from\n"
        "another one's output is compared with it.",
    .options = option_table,
    .examples = "  trainvet lint train.yaml\n"
                "      one configuration\n"
                "  trainvet lint -n 10000 -w 4 train.yaml\n"
                "      10,000 samples on 4 GPUs: steps and warm-up can be computed\n"
                "  trainvet lint pretrain.yaml sft.yaml dpo.yaml\n"
                "      three stages\n",
};

struct stage {
    const char *path;
    struct tv_run *run;
    struct tv_notes notes;
    bool unreadable;
    char *unknown[UNKNOWN_MAX]; /* sentences about keys that nobody knows */
    size_t unknown_len;
};

struct lint {
    struct tv_choice choice;
    bool json;
    int fail_on;
    const char *settings[SETTINGS_MAX];
    size_t settings_len;
    const char *samples, *world, *framework;
    struct stage *stages;
    size_t stages_len;
    bool unreadable;
    int worst; /* severity of the worst finding, -1: none */
};

static int set_option(struct lint *lint, int option, const char *value)
{
    switch (option) {
    case OPT_FORMAT:
        lint->json = strcmp(value, "json") == 0;
        if (!lint->json && strcmp(value, "text") != 0)
            return tv_cli_error(&cli, "--format is text or json, not \"%s\"", value);
        return TV_EXIT_OK;
    case OPT_JSON:
        lint->json = true;
        return TV_EXIT_OK;
    case OPT_SAMPLES:
        lint->samples = value;
        return TV_EXIT_OK;
    case OPT_WORLD:
        lint->world = value;
        return TV_EXIT_OK;
    case OPT_FRAMEWORK:
        lint->framework = value;
        return TV_EXIT_OK;
    case OPT_FAIL_ON:
        lint->fail_on = tv_parse_level(value);
        if (lint->fail_on < 0)
            return tv_cli_error(&cli, "--fail-on is info, warning, critical or never, not \"%s\"",
                                value);
        return TV_EXIT_OK;
    default:
        if (lint->settings_len == SETTINGS_MAX)
            return tv_cli_error(&cli, "--set can be given %d times at most", SETTINGS_MAX);
        lint->settings[lint->settings_len++] = value;
        return TV_EXIT_OK;
    }
}

static int take(void *ctx, int option, const char *value)
{
    struct lint *lint = ctx;
    if (option != TV_ARG_OPERAND)
        return set_option(lint, option, value);
    lint->stages[lint->stages_len++].path = value;
    return TV_EXIT_OK;
}

static int parse(struct lint *lint, int argc, char **argv, bool *ret_go)
{
    int status = tv_args_take(&cli, argc, argv, take, lint, ret_go);
    if (!*ret_go || lint->stages_len)
        return status;
    *ret_go = false;
    return tv_cli_error(&cli, "lint needs a CONFIG: the file that the job is started with");
}

static enum tv_status add_settings(const struct lint *lint, struct tv_facts *facts,
                                   struct tv_error *reterr)
{
    enum tv_status status = TV_OK;
    if (lint->samples)
        status =
            tv_settings_add_number(facts, "num_samples", lint->samples, "--num-samples", reterr);
    if (status == TV_OK && lint->world)
        status = tv_settings_add_number(facts, "world_size", lint->world, "--world-size", reterr);
    if (status == TV_OK && lint->framework)
        status = tv_settings_add_framework(facts, lint->framework, reterr);
    for (size_t i = 0; status == TV_OK && i < lint->settings_len; i++)
        status = tv_settings_add(facts, lint->settings[i], reterr);
    return status;
}

/* What the reader says of a file. A key that nobody knows is a finding: the trainer refuses it, or
 * ignores it. */
static void on_problem(void *ctx, const char *path, const struct tv_damage *damage)
{
    struct stage *stage = ctx;
    if (!strstr(damage->what, " is no setting of ") || stage->unknown_len == UNKNOWN_MAX) {
        tv_notes_add(&stage->notes, path, damage);
        return;
    }
    char text[640];
    int len =
        snprintf(text, sizeof text, "%s (%.100s:%" PRIu32 ")", damage->what, path, damage->line);
    stage->unknown[stage->unknown_len++] =
        tv_xstrndup(text, len < (int)sizeof text ? (size_t)len : sizeof text - 1);
}

static int load(struct lint *lint, struct stage *stage)
{
    struct tv_error error = {0};
    stage->run = tv_run_new(&lint->choice.engine, stage->path);
    tv_run_on_problem(stage->run, on_problem, stage);
    if (add_settings(lint, tv_run_facts(stage->run), &error) != TV_OK)
        return tv_cli_error(&cli, "%s", error.message);
    if (tv_load_config(stage->run, stage->path, false, &error) != TV_OK) {
        lint->unreadable = stage->unreadable = true;
        if (stage->notes.len) /* says it already */
            error.line = 0;
        else if (error.line)
            tv_log(TV_LOG_ERROR, "%s: line %" PRIu32 ": %s", stage->path, error.line,
                   error.message);
        else
            tv_log(TV_LOG_ERROR, "%s: %s", stage->path, error.message);
    }
    tv_notes_print(&stage->notes);
    tv_run_end(stage->run, NAN);
    return TV_EXIT_OK;
}

static void print_json(const struct tv_alert *alert)
{
    struct tv_json json = {0};
    tv_alert_json(&json, alert);
    puts(json.data);
    tv_json_free(&json);
}

static void print_text(const struct tv_alert *alert)
{
    printf("  %-8s  %s\n", tv_severity_name(alert->severity), alert->summary);
    for (size_t i = 0; i < alert->advice_len; i++)
        printf("            change %s\n", alert->advice[i]);
}

/* A finding of this command's own, told like the detector's. `advice` NULL: none. */
static void object(struct lint *lint, const struct stage *stage, enum tv_severity severity,
                   const char *subject, const char *summary, const char *advice)
{
    struct tv_alert alert = {.run = stage->path,
                             .detector = "config_lint",
                             .subject = subject,
                             .severity = severity,
                             .step = TV_STEP_UNKNOWN,
                             .wall_time = NAN,
                             .observed = NAN,
                             .expected = NAN,
                             .confidence = NAN,
                             .summary = summary,
                             .advice = {advice},
                             .advice_len = advice != NULL};
    lint->worst = lint->worst < (int)severity ? (int)severity : lint->worst;
    (lint->json ? print_json : print_text)(&alert);
}

/* What two stages of one training have against each other. */
struct between {
    enum tv_severity severity;
    const char *subject;
    char summary[1024], advice[256];
};

/* `stage` reads what `before` writes. */
static bool starts_from(const struct stage *stage, const char *output)
{
    static const char *const keys[] = {"model_name_or_path", "adapter_name_or_path",
                                       "resume_from_checkpoint", "reward_model", "ref_model"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *from = tv_facts_text(tv_run_facts(stage->run), keys[i]);
        size_t len = strlen(output);
        if (from && strncmp(from, output, len) == 0 && (from[len] == '\0' || from[len] == '/'))
            return true;
    }
    return false;
}

__attribute__((format(printf, 4, 5))) static bool tell(struct between *ret,
                                                       const struct stage *stage, const char *key,
                                                       const char *format, ...)
{
    char raw[1024], where[256] = "";
    const struct tv_fact_entry *entry = tv_facts_get(tv_run_facts(stage->run), key);
    va_list args;
    va_start(args, format);
    int len = vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    if (entry && len > 0 && (size_t)len < sizeof raw)
        snprintf(raw + len, sizeof raw - (size_t)len, " (%s)",
                 tv_facts_where(entry, where, sizeof where));
    tv_escape(tv_span_of(raw), ret->summary, sizeof ret->summary);
    return true;
}

static bool rate_grows(const struct stage *before, const struct stage *stage, struct between *ret)
{
    double rate, next;
    if (!tv_facts_number(tv_run_facts(before->run), "learning_rate", &rate) ||
        !tv_facts_number(tv_run_facts(stage->run), "learning_rate", &next) || next <= rate)
        return false;
    ret->subject = "learning_rate between stages";
    snprintf(ret->advice, sizeof ret->advice, "learning_rate: %g -> %g", next, rate / 2);
    return tell(ret, stage, "learning_rate",
                "%s starts from the output of %s with a higher learning_rate, %g after %g: what "
                "was learnt may be lost",
                stage->path, before->path, next, rate);
}

/* Of two stages that are named one behind the other. */
static bool is_not_continued(const struct stage *before, const struct stage *stage,
                             const char *output, struct between *ret)
{
    const char *model = tv_facts_text(tv_run_facts(stage->run), "model_name_or_path");
    const char *kind = tv_facts_text(tv_run_facts(before->run), "finetuning_type");
    bool lora = kind && strcmp(kind, "lora") == 0;
    if (!model || stage != before + 1)
        return false;
    ret->severity = TV_INFO;
    ret->subject = "start of a stage";
    snprintf(ret->advice, sizeof ret->advice, "%s: %.200s",
             lora ? "adapter_name_or_path" : "model_name_or_path", output);
    return tell(ret, stage, "model_name_or_path",
                "%s does not start from what %s writes (output_dir %s), but from %s", stage->path,
                before->path, output, model);
}

static bool compare_stages(const struct stage *before, const struct stage *stage,
                           struct between *ret)
{
    const char *output = tv_facts_text(tv_run_facts(before->run), "output_dir"),
               *own = tv_facts_text(tv_run_facts(stage->run), "output_dir");
    *ret = (struct between){.severity = TV_WARNING};
    if (!output || !*output)
        return false;
    if (own && strcmp(own, output) == 0) {
        ret->subject = "output_dir";
        snprintf(ret->advice, sizeof ret->advice, "output_dir: one for each stage");
        return tell(
            ret, stage, "output_dir",
            "%s and %s both write to output_dir %s: the later stage overwrites the earlier one",
            before->path, stage->path, output);
    }
    return starts_from(stage, output) ? rate_grows(before, stage, ret)
                                      : is_not_continued(before, stage, output, ret);
}

static void report_header(const struct stage *stage, bool silent)
{
    char safe[512];
    if (!(silent && stage->unreadable))
        printf("%s:%s\n", tv_escape(tv_span_of(stage->path), safe, sizeof safe),
               silent ? " nothing to object to" : "");
}

static void report(struct lint *lint, const struct stage *stage)
{
    const struct tv_alert *const *alerts;
    size_t len = tv_run_alerts(stage->run, &alerts), between_len = 0;
    struct between *between =
        tv_xcalloc((size_t)(stage - lint->stages) + 1, sizeof(struct between));
    for (const struct stage *before = lint->stages; before < stage; before++)
        between_len += compare_stages(before, stage, &between[between_len]);
    if (!lint->json)
        report_header(stage, len + stage->unknown_len + between_len == 0);
    for (int severity = TV_CRITICAL; severity >= TV_INFO; severity--)
        for (size_t i = 0; i < len; i++) {
            if ((int)alerts[i]->severity != severity)
                continue;
            lint->worst = severity > lint->worst ? severity : lint->worst;
            (lint->json ? print_json : print_text)(alerts[i]);
        }
    for (size_t i = 0; i < stage->unknown_len; i++)
        object(lint, stage, TV_WARNING, "unknown key", stage->unknown[i], NULL);
    for (size_t i = 0; i < between_len; i++)
        object(lint, stage, between[i].severity, between[i].subject, between[i].summary,
               between[i].advice);
    free(between);
}

static int run_lint(struct lint *lint)
{
    for (size_t i = 0; i < lint->stages_len; i++) {
        int status = load(lint, &lint->stages[i]);
        if (status != TV_EXIT_OK)
            return status;
    }
    for (size_t i = 0; i < lint->stages_len; i++)
        report(lint, &lint->stages[i]);
    return lint->unreadable               ? TV_EXIT_INPUT
           : lint->worst >= lint->fail_on ? TV_EXIT_FINDINGS
                                          : TV_EXIT_OK;
}

int tv_cmd_lint(int argc, char **argv)
{
    struct lint lint = {.fail_on = TV_WARNING,
                        .worst = -1,
                        .stages = tv_xcalloc((size_t)argc, sizeof(struct stage))};
    struct tv_error error;
    bool go;
    tv_choice_init(&lint.choice);
    tv_choice_detector(&lint.choice, "config_lint", &error);
    tv_choice_set(&lint.choice, "config_lint.least_severity=0", &error);
    int status = parse(&lint, argc, argv, &go);
    if (go)
        status = run_lint(&lint);
    for (size_t i = 0; i < lint.stages_len; i++) {
        tv_run_free(lint.stages[i].run);
        for (size_t k = 0; k < lint.stages[i].unknown_len; k++)
            free(lint.stages[i].unknown[k]);
    }
    tv_choice_free(&lint.choice);
    free(lint.stages);
    return status;
}
