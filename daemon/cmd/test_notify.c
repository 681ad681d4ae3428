/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"
#include "base/memory.h"
#include "cmd/cmd.h"
#include "service/config.h"
#include "service/host.h"
#include "trainvet/text.h"
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OPT_CONFIG, OPT_OPTION };

static const struct tv_cli_option option_table[] = {
    {"config", 'c', "FILE", "take SINK from this configuration, by its name there"},
    {"option", 'o', "KEY=VALUE", "set an option of the sink; may be repeated, overrides --config"},
    {NULL, 0, NULL, NULL},
};

static const struct tv_cli cli = {
    .command = "test-notify",
    .operands = "SINK",
    .intro =
        "Sends a test alert through a sink, firing and then resolved, and says what the other\n"
        "side answered. SINK is a kind of sink (trainvet list) or, with --config, the name of\n"
        "a configured one. Exit status: 0 both were taken, 1 one was not, 2 wrong usage.",
    .options = option_table,
    .examples = "  trainvet test-notify webhook -o url=http://127.0.0.1:8080/\n"
                "      posts to that address\n"
                "  trainvet test-notify slack -o url_file=/etc/trainvet/slack-url\n"
                "      the address is a secret and stands in a file\n"
                "  trainvet test-notify --config /etc/trainvet/trainvet.yaml on-call\n"
                "      the sink \"on-call\" of the service\n",
};

struct notifying {
    sd_event *loop;
    const struct tv_sink *sink;
    void *options, *state;
    struct tv_host *host;
    const char *name, *phase; /* "firing", "resolved" */
    bool failed;
};

static const char *sink_name(const void *ctx, size_t i)
{
    (void)ctx;
    return tv_sinks[i]->name;
}

static int find_kind(struct notifying *n, const char *name)
{
    size_t count = 0;
    for (; tv_sinks[count]; count++)
        if (strcmp(tv_sinks[count]->name, name) == 0)
            n->sink = tv_sinks[count];
    if (n->sink) {
        n->options = tv_xcalloc(1, n->sink->options_size ? n->sink->options_size : 1);
        tv_option_defaults(n->sink->options, n->options);
        return TV_EXIT_OK;
    }
    const char *near = tv_nearest(name, count, sink_name, NULL);
    return near ? tv_cli_error(&cli, "there is no sink \"%s\"; did you mean %s?", name, near)
                : tv_cli_error(&cli, "there is no sink \"%s\"; trainvet list names them", name);
}

static int find_configured(struct notifying *n, struct tv_config *config, const char *path,
                           const char *name)
{
    if (!tv_config_read(config, path)) {
        for (size_t i = 0; i < config->errors_len && i < TV_CONFIG_ERRORS; i++)
            tv_log(TV_LOG_ERROR, "%s", config->errors[i]);
        return TV_EXIT_USAGE;
    }
    for (const struct tv_config_sink *sink = config->sinks; sink; sink = sink->next) {
        if (strcmp(sink->name, name) != 0)
            continue;
        n->sink = sink->sink;
        n->options = tv_xcalloc(1, sink->sink->options_size ? sink->sink->options_size : 1);
        if (sink->sink->options_size)
            memcpy(n->options, sink->options, sink->sink->options_size);
        return TV_EXIT_OK;
    }
    return tv_cli_error(&cli, "%s configures no sink \"%s\"", path, name);
}

static int set_option(struct notifying *n, char *setting)
{
    struct tv_error error = {0};
    char *equals = strchr(setting, '=');
    if (!equals)
        return tv_cli_error(&cli, "--option takes KEY=VALUE, not \"%s\"", setting);
    *equals = '\0';
    if (tv_option_set(n->sink->options, n->options, setting, equals + 1, &error) != TV_OK)
        return tv_cli_error(&cli, "%s: %s", n->sink->name, error.message);
    return TV_EXIT_OK;
}

static void say(struct notifying *n, enum tv_outcome outcome, const char *reason)
{
    static const char *const words[] = {"delivered", "REFUSED", "FAILED"};
    n->failed = n->failed || outcome != TV_DELIVERED;
    printf("%s, %s: %s%s%s\n", n->name, n->phase, words[outcome], *reason ? ": " : "", reason);
    fflush(stdout);
}

static void on_done(void *ctx, int64_t ticket, enum tv_outcome outcome, const char *reason)
{
    (void)ticket;
    say(ctx, outcome, reason);
}

/* Each test is an alert of its own; its end bears the same fingerprint. */
static struct tv_alert test_alert(enum tv_alert_state state, double started)
{
    struct tv_alert alert = {
        .run = "test-notify",
        .detector = "test",
        .subject = "test",
        .severity = TV_INFO,
        .state = state,
        .wall_time = started,
        .observed = (double)NAN,
        .expected = (double)NAN,
        .confidence = (double)NAN,
        .summary = "this is a test of trainvet's notifications, no run is affected",
        .advice = {"nothing: somebody ran trainvet test-notify"},
        .advice_len = 1,
    };
    snprintf(alert.fingerprint, sizeof alert.fingerprint, "7e57%012llx",
             (unsigned long long)started & 0xffffffffffffULL);
    return alert;
}

static void deliver(struct notifying *n, enum tv_alert_state state, double started)
{
    struct tv_error error = {0};
    struct tv_alert alert = test_alert(state, started);
    n->phase = state == TV_FIRING ? "firing" : "resolved";
    enum tv_status status = n->sink->deliver(n->options, n->state, &alert, &error);
    if (status != TV_AGAIN)
        say(n, status == TV_OK ? TV_DELIVERED : TV_FAILED, error.message);
    while (tv_host_under_way(n->host) > 0)
        if (sd_event_run(n->loop, UINT64_MAX) < 0)
            break;
}

static int notify(struct notifying *n)
{
    struct tv_error error = {0};
    double started = (double)time(NULL);
    n->state = tv_xcalloc(1, n->sink->state_size ? n->sink->state_size : 1);
    enum tv_status status =
        n->sink->open(n->options, n->state, stdout, tv_host_interface(n->host), &error);
    if (status != TV_OK) {
        tv_log(TV_LOG_ERROR, "%s: %s", n->name, error.message);
        return TV_EXIT_USAGE;
    }
    deliver(n, TV_FIRING, started);
    deliver(n, TV_RESOLVED, started);
    if (n->sink->close && n->sink->close(n->options, n->state, &error) != TV_OK)
        say(n, TV_FAILED, error.message);
    return n->failed ? TV_EXIT_FINDINGS : TV_EXIT_OK;
}

static int run(struct notifying *n)
{
    struct tv_error error = {0};
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL); /* as sd_event_add_child() wants it */
    signal(SIGPIPE, SIG_IGN);
    int status = TV_EXIT_USAGE;
    if (sd_event_new(&n->loop) >= 0)
        n->host = tv_host_new(n->loop, on_done, n, &error);
    if (n->host)
        status = notify(n);
    else
        tv_log(TV_LOG_ERROR, "%s", error.message);
    tv_host_free(n->host);
    sd_event_unref(n->loop);
    return status;
}

struct request {
    const char *name, *config;
    char **settings; /* in argv's order, borrowed */
    size_t settings_len;
};

static int take(void *ctx, int option, const char *value)
{
    struct request *request = ctx;
    if (option == TV_ARG_OPERAND && request->name)
        return tv_cli_error(&cli, "test-notify takes one sink, not also \"%s\"", value);
    if (option == TV_ARG_OPERAND)
        request->name = value;
    else if (option == OPT_CONFIG)
        request->config = value;
    else
        request->settings[request->settings_len++] = (char *)value;
    return TV_EXIT_OK;
}

int tv_cmd_test_notify(int argc, char **argv)
{
    struct notifying n = {0};
    struct tv_config config = {0};
    struct request request = {.settings = tv_xcalloc((size_t)argc, sizeof(char *))};
    bool go;
    int status = tv_args_take(&cli, argc, argv, take, &request, &go);
    n.name = request.name;
    if (go && !n.name) {
        go = false;
        status = tv_cli_error(&cli, "test-notify needs a sink; trainvet list names them");
    } else if (go) {
        status = request.config ? find_configured(&n, &config, request.config, n.name)
                                : find_kind(&n, n.name);
    }
    for (size_t i = 0; go && n.sink && status == TV_EXIT_OK && i < request.settings_len; i++)
        status = set_option(&n, request.settings[i]);
    if (go && status == TV_EXIT_OK)
        status = run(&n);
    if (request.config)
        tv_config_free(&config);
    free(request.settings);
    free(n.options);
    free(n.state);
    return status;
}
