/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"
#include "cmd/cmd.h"
#include "service/paths.h"
#include "service/service.h"
#include <stdio.h>

enum { OPT_CONFIG, OPT_CHECK, OPT_VERBOSE };

static const struct tv_cli_option option_table[] = {
    {"config", 'c', "FILE",
     "the configuration (default " TV_CONFIG_PATH "),\nand the files in its .d directory"},
    {"check-config", 0, NULL, "say what is wrong with the configuration, and end"},
    {"verbose", 'v', NULL, "also say when runs end and what was odd in their logs"},
    {NULL, 0, NULL, NULL},
};

static const struct tv_cli cli = {
    .command = "daemon",
    .operands = "",
    .intro =
        "The service: follows every run below the configured roots, keeps what it has told in its\n"
        "state directory, sends findings to the configured sinks, and serves metrics over HTTP.\n"
        "SIGHUP reads the configuration again.",
    .options = option_table,
    .examples = "  trainvet daemon --check-config --config trainvet.yaml\n"
                "      before it is installed\n"
                "  systemctl start trainvet\n"
                "      on a node, with the unit that comes with it\n",
};

static void print(void *ctx, const char *message, bool is_note)
{
    (void)ctx;
    printf("%s%s\n", is_note ? "note: " : "", message);
}

static int check(const char *path)
{
    struct tv_config config;
    bool ok = tv_config_read(&config, path);
    for (size_t i = 0; i < config.errors_len; i++)
        printf("%s\n", config.errors[i]);
    if (config.errors_more)
        printf("and %zu more\n", config.errors_more);
    ok = ok && tv_config_check(&config, print, NULL);
    if (ok)
        printf("%s: %zu roots, nothing wrong\n", path, config.roots_len);
    tv_config_free(&config);
    return ok ? TV_EXIT_OK : TV_EXIT_USAGE;
}

struct request {
    const char *path;
    bool only_check;
};

static int take(void *ctx, int option, const char *value)
{
    struct request *request = ctx;
    if (option == TV_ARG_OPERAND)
        return tv_cli_error(&cli, "daemon takes no PATH: roots stand in the configuration");
    if (option == OPT_CONFIG)
        request->path = value;
    else if (option == OPT_CHECK)
        request->only_check = true;
    else
        tv_log_set_level(TV_LOG_INFO);
    return TV_EXIT_OK;
}

int tv_cmd_daemon(int argc, char **argv)
{
    struct request request = {.path = TV_CONFIG_PATH};
    bool go;
    int status = tv_args_take(&cli, argc, argv, take, &request, &go);
    if (!go)
        return status;
    return request.only_check ? check(request.path) : tv_service_run(request.path);
}
