/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/ending.h"
#include "base/log.h"
#include "base/memory.h"
#include "cmd/choice.h"
#include "cmd/cmd.h"
#include "service/paths.h"
#include "store/store.h"
#include "tail/follow.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

enum {
    OPT_FORMAT,
    OPT_JSON,
    OPT_POLL,
    OPT_UNTIL_IDLE,
    OPT_DETECTOR,
    OPT_SET,
    OPT_PRESET,
    OPT_FAIL_ON,
    OPT_STATE_DIR
};

static const struct tv_cli_option option_table[] = {
    {"format", 0, "FORMAT", "text (default) or json: one object a line, written at once"},
    {"json", 0, NULL, "short for --format json"},
    {"poll", 0, NULL,
     "look at the files now and then instead of being told\n(network file systems are always "
     "polled)"},
    {"until-idle", 0, "SECONDS", "end when nothing has moved for that long"},
    {"detector", 'd', "ID", "run this detector only; can be repeated"},
    {"set", 0, "ID.OPTION=VALUE", "set a detector's option (trainvet explain ID names them)"},
    {"preset", 0, "NAME",
     "strict: also what may be nothing; quiet: only what is\ncertain; default"},
    {"fail-on", 0, "LEVEL",
     "exit with 1 from this severity on: info, warning (default),\ncritical or never"},
    {"state-dir", 0, "DIR", "keep what was said there, so that a restart does not say it again"},
    {NULL, 0, NULL, NULL},
};

static const struct tv_cli cli = {
    .command = "watch",
    .operands = "PATH...",
    .intro =
        "Follows the training runs at PATH while they are written: what is already there is read\n"
        "first, new runs are found as they appear, and each finding is told once, when it is\n"
        "noticed, and again when it gets more severe or is over. Ends with Ctrl-C, or with\n"
        "--until-idle. Nothing is ever written into a run's directory.",
    .options = option_table,
    .examples = "  trainvet watch saves/\n"
                "      beside the jobs that write there\n"
                "  trainvet watch --json --until-idle 600 saves/llama3-lora >> findings.jsonl\n"
                "      for a script; ends ten minutes after the last sign of life\n",
};

struct watching {
    struct tv_choice choice;
    struct tv_follow_options follow_options;
    struct tv_follow *follow;
    struct tv_watch *watch;
    const char *format, *state_dir;
    bool poll_only;
    double until_idle;
    int fail_on;
    const char **paths;
    const struct tv_sink *sink;
    void *sink_options, *sink_state;
    sd_event *loop;
    sd_event_source *timer;
    struct tv_store *store; /* NULL: nothing is kept */
    bool findings, sink_failed, store_failed;
};

static int take(void *ctx, int option, const char *value)
{
    struct watching *w = ctx;
    struct tv_error error;
    switch (option) {
    case TV_ARG_OPERAND:
        if (access(value, R_OK) != 0)
            return tv_cli_error(&cli, "%s cannot be read: %s", value, strerrordesc_np(errno));
        w->paths[w->follow_options.paths_len++] = value;
        return TV_EXIT_OK;
    case OPT_FORMAT:
        w->format = value;
        if (strcmp(value, "text") != 0 && strcmp(value, "json") != 0)
            return tv_cli_error(&cli, "--format is text or json, not \"%s\"", value);
        return TV_EXIT_OK;
    case OPT_JSON:
        w->format = "json";
        return TV_EXIT_OK;
    case OPT_POLL:
        w->poll_only = true;
        return TV_EXIT_OK;
    case OPT_STATE_DIR:
        w->state_dir = value;
        return TV_EXIT_OK;
    case OPT_UNTIL_IDLE:
        if (!tv_parse_double(tv_span_of(value), &w->until_idle) || !(w->until_idle > 0))
            return tv_cli_error(&cli, "--until-idle takes a number of seconds above 0, not \"%s\"",
                                value);
        return TV_EXIT_OK;
    case OPT_DETECTOR:
        return tv_choice_detector(&w->choice, value, &error) == TV_OK
                   ? TV_EXIT_OK
                   : tv_cli_error(&cli, "%s", error.message);
    case OPT_PRESET:
        return tv_choice_preset(&w->choice, value, &error) == TV_OK
                   ? TV_EXIT_OK
                   : tv_cli_error(&cli, "%s", error.message);
    case OPT_SET:
        return tv_choice_set(&w->choice, value, &error) == TV_OK
                   ? TV_EXIT_OK
                   : tv_cli_error(&cli, "%s", error.message);
    default:
        w->fail_on = tv_parse_level(value);
        if (w->fail_on < 0)
            return tv_cli_error(&cli, "--fail-on is info, warning, critical or never, not \"%s\"",
                                value);
        return TV_EXIT_OK;
    }
}

static int parse(struct watching *w, int argc, char **argv, bool *ret_go)
{
    int status = tv_args_take(&cli, argc, argv, take, w, ret_go);
    if (!*ret_go || w->follow_options.paths_len > 0)
        return status;
    *ret_go = false;
    return tv_cli_error(&cli, "watch needs a PATH: an output directory or a log file");
}

static void check_sink(struct watching *w, enum tv_status status, const struct tv_error *error)
{
    if (status != TV_OK && !w->sink_failed)
        tv_log(TV_LOG_ERROR, "standard output: %s", error->message);
    w->sink_failed = w->sink_failed || status != TV_OK;
    fflush(stdout);
}

/* Said first, recorded then: what is cut off in between is said again. */
static void record(struct watching *w, const struct tv_alert *alert)
{
    struct tv_error error = {0};
    bool is_new;
    if (tv_store_alert(w->store, alert, NULL, tv_clock_seconds(CLOCK_REALTIME), &is_new, &error) ==
            TV_OK ||
        w->store_failed)
        return;
    tv_log(TV_LOG_WARNING, "%s; a restart may say things again", error.message);
    w->store_failed = true;
}

static void on_alert(void *ctx, const struct tv_alert *alert)
{
    struct watching *w = ctx;
    struct tv_error error = {0};
    w->findings = w->findings || (int)alert->severity >= w->fail_on;
    check_sink(w, w->sink->deliver(w->sink_options, w->sink_state, alert, &error), &error);
    if (w->store && !w->sink_failed)
        record(w, alert);
}

static void recall(void *ctx, const char *root, const char *run,
                   void (*visit)(void *visit_ctx, const struct tv_alert *alert), void *visit_ctx)
{
    tv_store_each_of(((struct watching *)ctx)->store, root, run, visit, visit_ctx);
}

static void on_run(void *ctx, const struct tv_run_report *report)
{
    struct watching *w = ctx;
    struct tv_error error = {0};
    check_sink(w, w->sink->run(w->sink_options, w->sink_state, report, &error), &error);
}

static void on_problem(void *ctx, const char *path, const struct tv_damage *damage)
{
    (void)ctx;
    tv_log(damage->is_note ? TV_LOG_INFO : TV_LOG_WARNING, "%s: %s", path, damage->what);
}

static void work(struct watching *w)
{
    double wait = tv_follow_work(w->follow, tv_clock_moment());
    double idle = w->until_idle > 0 ? tv_follow_idle(w->follow, tv_clock_moment()) : 0;
    if (w->sink_failed || (w->until_idle > 0 && idle >= w->until_idle)) {
        sd_event_exit(w->loop, 0);
        return;
    }
    if (w->until_idle > 0 && w->until_idle - idle < wait)
        wait = w->until_idle - idle;
    sd_event_source_set_time_relative(w->timer, (uint64_t)(wait * 1e6));
    sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
    (void)source;
    (void)usec;
    work(ctx);
    return 0;
}

static int on_hint(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    (void)source;
    (void)fd;
    (void)events;
    work(ctx);
    return 0;
}

static int run_loop(struct watching *w)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int r = sd_event_new(&w->loop);
    if (r >= 0)
        r = sd_event_add_signal(w->loop, NULL, SIGINT, NULL, NULL); /* no handler: the loop ends */
    if (r >= 0)
        r = sd_event_add_signal(w->loop, NULL, SIGTERM, NULL, NULL);
    if (r >= 0)
        r = sd_event_add_time_relative(w->loop, &w->timer, CLOCK_BOOTTIME, 0, 1000, on_timer, w);
    if (r >= 0 && w->watch)
        r = sd_event_add_io(w->loop, NULL, tv_watch_fd(w->watch), EPOLLIN, on_hint, w);
    if (r >= 0)
        r = sd_event_loop(w->loop);
    sd_event_source_unref(w->timer);
    sd_event_unref(w->loop);
    return r;
}

static bool open_store(struct watching *w)
{
    struct tv_error error = {0};
    char note[512], dir[TV_STATE_PATH_MAX];
    if (!w->state_dir)
        return true;
    if (!tv_state_directory(w->state_dir, dir)) {
        tv_log(TV_LOG_ERROR, "the path of the state directory is too long");
        return false;
    }
    if (tv_store_open(dir, &w->store, note, &error) != TV_OK) {
        tv_log(TV_LOG_ERROR, "%s", error.message);
        return false;
    }
    if (*note)
        tv_log(TV_LOG_WARNING, "%s", note);
    w->follow_options.recall = recall;
    return true;
}

static int run_watch(struct watching *w)
{
    struct tv_error error = {0};
    if (!open_store(w))
        return TV_EXIT_USAGE;
    w->watch = w->poll_only ? NULL : tv_watch_open();
    if (!w->watch && !w->poll_only)
        tv_log(TV_LOG_WARNING, "no inotify instance is left: polling instead");
    for (size_t i = 0; tv_sinks[i]; i++)
        if (strcmp(tv_sinks[i]->name, w->format) == 0)
            w->sink = tv_sinks[i];
    w->sink_options = tv_xcalloc(1, w->sink->options_size);
    w->sink_state = tv_xcalloc(1, w->sink->state_size);
    tv_option_defaults(w->sink->options, w->sink_options);
    check_sink(w, w->sink->open(w->sink_options, w->sink_state, stdout, NULL, &error), &error);
    w->follow = tv_follow_new(&w->follow_options, w->watch);
    int r = run_loop(w);
    if (r < 0)
        tv_log(TV_LOG_ERROR, "the event loop failed: %s", strerrordesc_np(-r));
    tv_follow_end(w->follow, tv_clock_moment());
    check_sink(w, w->sink->close(w->sink_options, w->sink_state, &error), &error);
    tv_follow_free(w->follow);
    tv_watch_close(w->watch);
    tv_store_close(w->store);
    free(w->sink_options);
    free(w->sink_state);
    return r < 0            ? TV_EXIT_INPUT
           : w->sink_failed ? TV_EXIT_USAGE
           : w->findings    ? TV_EXIT_FINDINGS
                            : TV_EXIT_OK;
}

int tv_cmd_watch(int argc, char **argv)
{
    struct watching w = {
        .format = "text", .fail_on = TV_WARNING, .paths = tv_xcalloc((size_t)argc, sizeof(char *))};
    tv_choice_init(&w.choice);
    w.follow_options = (struct tv_follow_options){
        .paths = w.paths,
        .engine = &w.choice.engine,
        .active_poll = 2,
        .idle_poll = 60,
        .hold = 5,
        .end_after = INFINITY,
        .ctx = &w,
        .is_ending = tv_is_ending,
        .alert = on_alert,
        .run = on_run,
        .problem = on_problem,
    };
    bool go;
    int status = parse(&w, argc, argv, &go);
    if (go)
        status = run_watch(&w);
    tv_choice_free(&w.choice);
    free(w.paths);
    return status;
}
