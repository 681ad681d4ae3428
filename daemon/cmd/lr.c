/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"
#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/lr_follow.h"
#include "cmd/lr_show.h"
#include "cmd/notes.h"
#include "cmd/settings.h"
#include "engine/engine.h"
#include "engine/identify.h"
#include "tail/load.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OPT_FORMAT,
    OPT_JSON,
    OPT_CSV,
    OPT_STEPS,
    OPT_EVERY,
    OPT_PLOT,
    OPT_SAMPLES,
    OPT_WORLD,
    OPT_FRAMEWORK,
    OPT_SET
};
enum form { TEXT, JSON, CSV };
enum { SETTINGS_MAX = 64, STEPS_MAX = 10000 };

static const struct tv_cli_option option_table[] = {
    {"format", 0, "FORMAT", "text (default), json or csv"},
    {"json", 0, NULL, "short for --format json"},
    {"csv", 0, NULL, "short for --format csv"},
    {"steps", 0, "A,B,C", "the learning rate at these steps only"},
    {"every", 0, "N", "at every N-th step (json and csv: 1)"},
    {"plot", 0, NULL, "draw the curve, also when the output is no terminal"},
    {"num-samples", 'n', "N", "samples in the training data"},
    {"world-size", 'w', "N", "processes that train together (default 1)"},
    {"framework", 0, "NAME[@VERSION]", "whose rules hold: transformers@4.51"},
    {"set", 0, "KEY=VALUE", "a setting that the command line overrides; can be repeated"},
    {NULL, 0, NULL, NULL},
};

static const struct tv_cli cli = {
    .command = "lr",
    .operands = "CONFIG|RUN",
    .intro =
        "Shows the learning-rate schedule that a configuration promises: how many steps, how many\n"
        "of them warm-up and how that was computed, the learning rate at chosen steps, the curve.\n"
        "CONFIG is the file that a job is started with; RUN is the directory of a run or one of "
        "its\n"
        "logs: then the settings in it are used, and what the trainer counted. Without any "
        "settings\n"
        "the schedule is identified from the logged learning rate.",
    .options = option_table,
    .examples = "  trainvet lr -n 10000 -w 4 train.yaml\n"
                "      10,000 samples on 4 GPUs\n"
                "  trainvet lr --steps 0,47,468 --json train.yaml\n"
                "      the learning rate after so many scheduler steps\n"
                "  trainvet lr --set warmup_ratio=0.03 --plot train.yaml\n"
                "      what another warm-up would do\n",
};

struct request {
    const char *path;
    enum form form;
    bool plot;
    double steps[STEPS_MAX];
    size_t steps_len;
    bool has_steps;
    double every;
    const char *samples, *world, *framework;
    const char *settings[SETTINGS_MAX];
    size_t settings_len;
};

static int set_form(struct request *request, const char *name)
{
    static const char *const names[] = {[TEXT] = "text", [JSON] = "json", [CSV] = "csv"};
    for (int i = TEXT; i <= CSV; i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        request->form = (enum form)i;
        return TV_EXIT_OK;
    }
    return tv_cli_error(&cli, "--format is text, json or csv, not \"%s\"", name);
}

static bool parse_step(struct tv_span text, double *ret)
{
    int64_t step;
    if (!tv_parse_int64(tv_span_trim(text), &step) || step < 0 || step > 1000000000000000)
        return false;
    *ret = (double)step;
    return true;
}

static int set_steps(struct request *request, const char *list)
{
    request->has_steps = true;
    while (*list) {
        size_t len = strcspn(list, ",");
        if (request->steps_len == STEPS_MAX)
            return tv_cli_error(&cli, "--steps takes %d steps at most", STEPS_MAX);
        if (!parse_step((struct tv_span){list, len}, &request->steps[request->steps_len++]))
            return tv_cli_error(&cli, "--steps wants whole numbers separated by commas: 0,100,468");
        list += len;
        list += *list == ',';
    }
    return request->steps_len ? TV_EXIT_OK : tv_cli_error(&cli, "--steps wants at least one step");
}

static int set_option(struct request *request, int option, const char *value)
{
    switch (option) {
    case OPT_FORMAT:
        return set_form(request, value);
    case OPT_JSON:
        return set_form(request, "json");
    case OPT_CSV:
        return set_form(request, "csv");
    case OPT_STEPS:
        return set_steps(request, value);
    case OPT_EVERY:
        if (parse_step(tv_span_of(value), &request->every) && request->every >= 1)
            return TV_EXIT_OK;
        return tv_cli_error(&cli, "--every wants a whole number from 1 on, not \"%s\"", value);
    case OPT_PLOT:
        request->plot = true;
        return TV_EXIT_OK;
    case OPT_SAMPLES:
        request->samples = value;
        return TV_EXIT_OK;
    case OPT_WORLD:
        request->world = value;
        return TV_EXIT_OK;
    case OPT_FRAMEWORK:
        request->framework = value;
        return TV_EXIT_OK;
    default:
        if (request->settings_len == SETTINGS_MAX)
            return tv_cli_error(&cli, "--set can be given %d times at most", SETTINGS_MAX);
        request->settings[request->settings_len++] = value;
        return TV_EXIT_OK;
    }
}

static int take(void *ctx, int option, const char *value)
{
    struct request *request = ctx;
    if (option != TV_ARG_OPERAND)
        return set_option(request, option, value);
    if (request->path)
        return tv_cli_error(&cli, "lr takes one CONFIG or RUN at a time");
    request->path = value;
    return TV_EXIT_OK;
}

static int parse(struct request *request, int argc, char **argv, bool *ret_go)
{
    int status = tv_args_take(&cli, argc, argv, take, request, ret_go);
    if (!*ret_go || request->path)
        return status;
    *ret_go = false;
    return tv_cli_error(&cli, "lr needs a CONFIG or a RUN");
}

static enum tv_status add_settings(const struct request *request, struct tv_facts *facts,
                                   struct tv_error *reterr)
{
    enum tv_status status = TV_OK;
    if (request->samples)
        status =
            tv_settings_add_number(facts, "num_samples", request->samples, "--num-samples", reterr);
    if (status == TV_OK && request->world)
        status =
            tv_settings_add_number(facts, "world_size", request->world, "--world-size", reterr);
    if (status == TV_OK && request->framework)
        status = tv_settings_add_framework(facts, request->framework, reterr);
    for (size_t i = 0; status == TV_OK && i < request->settings_len; i++)
        status = tv_settings_add(facts, request->settings[i], reterr);
    return status;
}

/* A run, or a log given by itself. */
static bool load_found(struct tv_run *run, const char *path, const char *safe)
{
    struct tv_found found = {0};
    tv_discover(&found, &path, 1);
    for (size_t i = 0; i < found.problems_len; i++)
        tv_log(TV_LOG_WARNING, "%s: %s", found.problems[i].path, found.problems[i].what);
    if (found.runs_len > 1)
        tv_log(TV_LOG_ERROR, "%s holds %zu runs: give one of them, such as %s", safe,
               found.runs_len, found.runs[0].path);
    else if (found.runs_len == 1)
        tv_load_run(run, &found.runs[0], NULL);
    else if (found.problems_len == 0) /* they say it already */
        tv_log(TV_LOG_ERROR, "%s: no run and no configuration here", safe);
    bool good = found.runs_len == 1;
    tv_found_free(&found);
    return good;
}

/* `notes`: what is told of the file anyway. */
static bool load(struct tv_run *run, const char *path, const char *safe,
                 const struct tv_notes *notes)
{
    struct tv_error error = {0};
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return load_found(run, path, safe);
    enum tv_status status = tv_load_config(run, path, false, &error);
    if (status == TV_EUNSUPPORTED)
        return load_found(run, path, safe);
    if (status == TV_OK || notes->len)
        return status == TV_OK;
    if (error.line)
        tv_log(TV_LOG_ERROR, "%s: line %" PRIu32 ": %s", safe, error.line, error.message);
    else
        tv_log(TV_LOG_ERROR, "%s: %s", safe, error.message);
    return false;
}

/* Why there is nothing to show, and what would help. */
static int explain(const char *safe, enum tv_status status, const struct tv_error *error,
                   const struct tv_schedule *schedule)
{
    tv_log(TV_LOG_ERROR, "%s: %s", safe, error->message);
    if (status != TV_AGAIN)
        return TV_EXIT_USAGE;
    if (!schedule->kind)
        fputs("          name it: --set learning_rate=5e-5 --set lr_scheduler_type=cosine --set "
              "max_steps=1000\n",
              stderr);
    else if (isnan(schedule->peak))
        fputs("          add it: --set learning_rate=5e-5\n", stderr);
    else if (isnan(schedule->total_steps))
        fputs("          give the size of the data: --num-samples N (and --world-size N), or the "
              "steps: "
              "--set max_steps=N\n",
              stderr);
    return TV_EXIT_USAGE;
}

static double planned_steps(struct tv_run *run)
{
    double total = NAN;
    if (!tv_facts_number(tv_run_facts(run), "log.total_steps", &total))
        tv_facts_number(tv_run_facts(run), "max_steps", &total);
    return total;
}

static int show_followed(const struct request *request, const struct tv_lr_followed *followed,
                         const struct tv_schedule *schedule, const char *safe)
{
    static void (*const forms[])(const struct tv_lr_followed *, const struct tv_schedule *,
                                 const char *) = {
        [TEXT] = tv_lr_follow_text, [JSON] = tv_lr_follow_json, [CSV] = tv_lr_follow_csv};
    if (followed->evaluations == 0) {
        tv_log(TV_LOG_ERROR,
               "%s: the learning rate of %s follows the evaluations, not the steps: give a RUN "
               "whose log has some",
               safe, tv_schedule_name(schedule));
        return TV_EXIT_USAGE;
    }
    forms[request->form](followed, schedule, safe);
    return TV_EXIT_OK;
}

static int show(const struct request *request, struct tv_run *run,
                const struct tv_lr_followed *followed, const char *safe)
{
    const struct tv_identity *identity;
    enum tv_status status;
    struct tv_error error = {0};
    const struct tv_schedule *schedule = tv_run_schedule(run, &status, &error);
    identity = tv_run_identity(run);
    bool is_identified = status == TV_AGAIN && identity && identity->schedule.kind;
    if (is_identified)
        schedule = &identity->schedule;
    else if (status == TV_AGAIN && identity && identity->open[0])
        tv_log(TV_LOG_WARNING, "%s: the logged learning rate does not tell its schedule: %s", safe,
               identity->open);
    if (status != TV_OK && !is_identified)
        return explain(safe, status, &error, schedule);
    if (tv_schedule_follows_metric(schedule))
        return show_followed(request, followed, schedule, safe);
    struct tv_lr_shown shown = {
        .path = safe,
        .schedule = schedule,
        .facts = tv_run_facts(run),
        .identity = is_identified ? identity : NULL,
        .skipped = tv_run_skipped(run),
        .planned = planned_steps(run),
        .choice = {request->has_steps ? request->steps : NULL, request->steps_len, request->every},
        .plot = request->plot || isatty(STDOUT_FILENO)};
    static void (*const forms[])(const struct tv_lr_shown *shown) = {
        [TEXT] = tv_lr_show_text, [JSON] = tv_lr_show_json, [CSV] = tv_lr_show_csv};
    forms[request->form](&shown);
    return TV_EXIT_OK;
}

static int run_lr(const struct request *request)
{
    static const struct tv_detector *const only[] = {&tv_lr_follower, NULL};
    struct tv_lr_followed *followed = tv_xcalloc(1, sizeof *followed);
    const void *const follower_options[] = {&followed};
    struct tv_engine_options options = {.detectors = only, .options = follower_options};
    struct tv_notes notes = {0};
    struct tv_error error = {0};
    char safe[512];
    tv_escape(tv_span_of(request->path), safe, sizeof safe);
    struct tv_run *run = tv_run_new(&options, ".");
    tv_run_on_problem(run, tv_notes_add, &notes);
    int status;
    if (add_settings(request, tv_run_facts(run), &error) != TV_OK)
        status = tv_cli_error(&cli, "%s", error.message);
    else if (!load(run, request->path, safe, &notes))
        status = TV_EXIT_INPUT;
    else {
        tv_run_end(run, NAN);
        status = show(request, run, followed, safe);
    }
    tv_notes_print(&notes);
    tv_run_free(run);
    free(followed);
    return status;
}

int tv_cmd_lr(int argc, char **argv)
{
    struct request *request = tv_xcalloc(1, sizeof *request);
    bool go;
    int status = parse(request, argc, argv, &go);
    if (go)
        status = run_lr(request);
    free(request);
    return status;
}
