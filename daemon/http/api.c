/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The API's answers: arrays of the objects that --format json prints. */
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "http/pages.h"
#include "sinks/lib/alert_json.h"
#include <string.h>
#include <time.h>

#define STUCK 300.0 /* seconds without a look at the logs: something hangs */

struct listing {
    struct tv_json json;
    struct tv_page_part *part;
};

static bool is_wanted(struct tv_page_part *part)
{
    size_t at = part->total++;
    return at >= part->offset && at - part->offset < part->limit;
}

static void add_run(void *ctx, struct tv_run *run, bool ended)
{
    (void)ended;
    struct listing *listing = ctx;
    struct tv_run_report report;
    if (!is_wanted(listing->part))
        return;
    tv_run_report(run, &report);
    tv_run_json(&listing->json, &report);
}

char *tv_page_runs(const struct tv_service *service, struct tv_page_part *part, size_t *ret_len)
{
    struct listing listing = {.part = part};
    tv_json_open(&listing.json, NULL, '[');
    tv_follow_each(tv_service_follow(service), add_run, &listing);
    tv_json_close(&listing.json, ']');
    *ret_len = listing.json.len;
    return listing.json.data;
}

static bool add_alert(void *ctx, const struct tv_alert *alert)
{
    tv_alert_json(ctx, alert);
    return true;
}

char *tv_page_alerts(const struct tv_service *service, struct tv_page_part *part, size_t *ret_len)
{
    struct tv_json json = {0};
    tv_json_open(&json, NULL, '[');
    part->total = tv_store_part(tv_service_store(service), part->state, part->offset, part->limit,
                                add_alert, &json);
    tv_json_close(&json, ']');
    *ret_len = json.len;
    return json.data;
}

char *tv_page_health(const struct tv_service *service, size_t *ret_len, bool *ret_well)
{
    struct tv_service_health health = tv_service_health(service);
    const char *text = "ok\n";
    if (tv_clock_seconds(CLOCK_BOOTTIME) - health.last_work_boot > STUCK)
        text = "the logs have not been looked at for five minutes\n";
    else if (health.backlog)
        text = "alerts cannot be recorded in the state directory\n";
    *ret_well = strcmp(text, "ok\n") == 0;
    *ret_len = strlen(text);
    return tv_xstrndup(text, *ret_len);
}
