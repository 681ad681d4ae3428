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

struct request {
    const char *dir;
    bool firing, json;
};

static int list(const struct request *request)
{
    struct listing listing = {.json = request->json};
    struct tv_store *store;
    struct tv_error error;
    if (tv_store_open_to_read(request->dir, &store, &error) != TV_OK) {
        fprintf(stderr, "trainvet: %s\n", error.message);
        return TV_EXIT_INPUT;
    }
    tv_store_each(store, request->firing, show_alert, &listing);
    tv_store_each_owed(store, show_owed, &listing);
    tv_store_close(store);
    if (!request->json && listing.alerts == 0)
        puts(request->firing ? "nothing fires" : "nothing is recorded");
    return TV_EXIT_OK;
}

static int take(void *ctx, int option, const char *value)
{
    struct request *request = ctx;
    if (option == TV_ARG_OPERAND)
        return tv_cli_error(&cli, "alerts takes no PATH; --state-dir DIR says where to look");
    if (option == OPT_STATE_DIR)
        request->dir = value;
    else if (option == OPT_FIRING)
        request->firing = true;
    else if (option == OPT_JSON || strcmp(value, "json") == 0)
        request->json = true;
    else if (strcmp(value, "text") == 0)
        request->json = false;
    else
        return tv_cli_error(&cli, "--format is text or json, not \"%s\"", value);
    return TV_EXIT_OK;
}

int tv_cmd_alerts(int argc, char **argv)
{
    struct request request = {.dir = TV_STATE_PATH};
    bool go;
    int status = tv_args_take(&cli, argc, argv, take, &request, &go);
    return go ? list(&request) : status;
}
