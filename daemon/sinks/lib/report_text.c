/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/report_text.h"
#include "lib/message.h"
#include <inttypes.h>
#include <math.h>

static void add_progress(struct tv_text *text, const struct tv_run_report *report)
{
    if (report->steps >= 0 && report->total_steps > 0)
        tv_text_add(text, ", step %" PRId64 "/%" PRId64, report->steps, report->total_steps);
    else if (report->steps >= 0)
        tv_text_add(text, ", step %" PRId64, report->steps);
}

static void add_value(struct tv_text *text, const char *name, double value)
{
    if (isnan(value))
        return;
    tv_text_add(text, ", %s ", name);
    tv_text_add_number(text, value);
}

const char *tv_run_facts_text(char *buffer, size_t cap, const struct tv_run_report *report)
{
    char facts[256];
    struct tv_text text = tv_text_in(facts, sizeof facts);
    if (report->alerts)
        tv_text_add(&text, ", %zu finding%s", report->alerts, report->alerts == 1 ? "" : "s");
    add_progress(&text, report);
    add_value(&text, "loss", report->final_loss);
    add_value(&text, "eval", report->final_eval_loss);
    if (report->attempts > 1)
        tv_text_add(&text, ", %" PRIu32 " attempts", report->attempts);
    struct tv_text out = tv_text_in(buffer, cap);
    tv_text_add(&out, "%s", text.len ? facts + 2 : "nothing has been logged yet");
    return buffer;
}

const char *tv_alert_when(char *buffer, size_t cap, const struct tv_alert *alert)
{
    struct tv_text text = tv_text_in(buffer, cap);
    tv_text_add(&text, "step %" PRId64, alert->onset_step);
    if (alert->step > alert->onset_step)
        tv_text_add(&text, ", noticed at step %" PRId64, alert->step);
    if (alert->state == TV_RESOLVED)
        tv_text_add(&text, ", over at step %" PRId64, alert->resolved_step);
    tv_text_add(&text, " (%s)", alert->subject);
    return buffer;
}

/* "grad_norm" as "grad norm ". */
static void add_name(struct tv_text *text, const char *name)
{
    size_t at = text->len;
    tv_text_add_span(text, tv_span_of(name));
    for (; at < text->len; at++)
        if (text->data[at] == '_')
            text->data[at] = ' ';
    tv_text_add_span(text, tv_span_of(" "));
}

const char *tv_alert_numbers(char *buffer, size_t cap, const struct tv_alert *alert)
{
    struct tv_text text = tv_text_in(buffer, cap);
    if (!isnan(alert->observed) || !isnan(alert->expected)) {
        tv_text_add(&text, "observed ");
        tv_text_add_number(&text, alert->observed);
        if (!isnan(alert->expected)) {
            tv_text_add(&text, ", expected ");
            tv_text_add_number(&text, alert->expected);
        }
    }
    for (size_t i = 0; i < alert->evidence_len; i++) {
        if (isnan(alert->evidence[i].value))
            continue;
        tv_text_add_span(&text, tv_span_of(text.len ? ", " : ""));
        add_name(&text, alert->evidence[i].name);
        tv_text_add_number(&text, alert->evidence[i].value);
    }
    return buffer;
}
