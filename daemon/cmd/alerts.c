/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"
#include "cmd/cmd.h"
#include "service/paths.h"
#include "sinks/lib/alert_json.h"
#include "store/store.h"
#include "trainvet/text.h"
#include <stdio.h>
#include <string.h>

enum { OPT_STATE_DIR, OPT_FIRING, OPT_FORMAT, OPT_JSON };

static const struct tv_cli_option option_table[] = {
    {"state-dir", 0, "DIR", "where the service keeps its state (default " TV_STATE_PATH ")"},
    {"firing", 0, NULL, "only what is not over"},
    {"format", 0, "FORMAT", "text (default) or json: one object a line"},
    {"json", 0, NULL, "short for --format json"},
    {NULL, 0, NULL, NULL},
};

static const struct tv_cli cli = {
    .command = "alerts",
    .operands = "",
    .intro =
        "The findings that the service has recorded, newest first, and the deliveries that it\n"
        "still owes to its sinks, with the reason why the last attempt failed. Only reads.",
    .options = option_table,
    .examples = "  trainvet alerts --firing\n"
                "      what is wrong now\n"
                "  trainvet alerts --json --state-dir ~/.local/state/trainvet\n"
                "      of the user's own service, for a script\n",
};

struct listing {
    bool json;
    size_t alerts, owed;
};

static void put_json(struct tv_json *json)
{
    puts(json->data);
    tv_json_free(json);
}

static bool show_alert(void *ctx, const struct tv_alert *alert)
{
    struct listing *listing = ctx;
    listing->alerts++;
    if (listing->json) {
        struct tv_json json = {0};
        tv_alert_json(&json, alert);
        put_json(&json);
        return true;
    }
    printf("%s  %-8s  %-8s  %s  %s\n    %s\n", alert->fingerprint,
           alert->state == TV_FIRING ? "firing" : "resolved", tv_severity_name(alert->severity),
           alert->run, alert->detector, alert->summary);
    return true;
}

static void show_owed(void *ctx, const struct tv_owed *owed)
{
    struct listing *listing = ctx;
    const char *state = owed->state == TV_FIRING ? "firing" : "resolved";
    char reason[512], sink[128];
    tv_escape(tv_span_of(owed->reason), reason, sizeof reason);
    tv_escape(tv_span_of(owed->sink), sink, sizeof sink);
    if (listing->json) {
        struct tv_json json = {0};
        tv_json_open(&json, NULL, '{');
        tv_json_int(&json, "schema_version", 1);
        tv_json_text(&json, "type", "owed");
        tv_json_text(&json, "sink", sink);
        tv_json_text(&json, "fingerprint", owed->fingerprint);
        tv_json_text(&json, "state", state);
        tv_json_int(&json, "attempts", owed->attempts);
        tv_json_text(&json, "reason", reason);
        tv_json_close(&json, '}');
        put_json(&json);
    } else {
        printf("%sowed to %s: %s (%s), %d attempts%s%s\n", listing->owed ? "" : "\n", sink,
               owed->fingerprint, state, owed->attempts, *reason ? ": " : "", reason);
    }
    listing->owed++;
}

static int list(const char *dir, bool firing, bool as_json)
{
    struct listing listing = {.json = as_json};
    struct tv_store *store;
    struct tv_error error;
    if (tv_store_open_to_read(dir, &store, &error) != TV_OK) {
        fprintf(stderr, "trainvet: %s\n", error.message);
        return TV_EXIT_INPUT;
    }
    tv_store_each(store, firing, show_alert, &listing);
    tv_store_each_owed(store, show_owed, &listing);
    tv_store_close(store);
    if (!as_json && listing.alerts == 0)
        puts(firing ? "nothing fires" : "nothing is recorded");
    return TV_EXIT_OK;
}

int tv_cmd_alerts(int argc, char **argv)
{
    const char *dir = TV_STATE_PATH;
    bool firing = false, json = false;
    struct tv_args args = tv_args(&cli, argc, argv);
    for (int option; (option = tv_args_next(&args)) != TV_ARG_END;) {
        if (option == TV_ARG_HELP)
            return TV_EXIT_OK;
        if (option == TV_ARG_ERROR)
            return TV_EXIT_USAGE;
        if (option == TV_ARG_OPERAND)
            return tv_cli_error(&cli, "alerts takes no PATH; --state-dir DIR says where to look");
        if (option == OPT_STATE_DIR)
            dir = args.value;
        else if (option == OPT_FIRING)
            firing = true;
        else if (option == OPT_JSON || strcmp(args.value, "json") == 0)
            json = true;
        else if (strcmp(args.value, "text") == 0)
            json = false;
        else
            return tv_cli_error(&cli, "--format is text or json, not \"%s\"", args.value);
    }
    return list(dir, firing, json);
}
