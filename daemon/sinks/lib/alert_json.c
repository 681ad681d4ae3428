/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/alert_json.h"
#include "base/clock.h"

static void texts(struct tv_json *json, const char *key, const char *const *list, size_t len)
{
    tv_json_open(json, key, '[');
    for (size_t i = 0; i < len; i++)
        tv_json_text(json, NULL, list[i]);
    tv_json_close(json, ']');
}

void tv_alert_json(struct tv_json *json, const struct tv_alert *alert)
{
    char when[TV_TIME_TEXT];
    tv_json_open(json, NULL, '{');
    tv_json_int(json, "schema_version", 1);
    tv_json_text(json, "type", "alert");
    tv_json_text(json, "run", alert->run);
    if (alert->root)
        tv_json_text(json, "root", alert->root);
    tv_json_text(json, "detector", alert->detector);
    tv_json_text(json, "subject", alert->subject);
    tv_json_text(json, "severity", tv_severity_name(alert->severity));
    tv_json_text(json, "state", alert->state == TV_FIRING ? "firing" : "resolved");
    tv_json_int(json, "onset_step", alert->onset_step);
    if (alert->step == TV_STEP_UNKNOWN) /* judged before the first step */
        tv_json_text(json, "step", NULL);
    else
        tv_json_int(json, "step", alert->step);
    if (alert->state == TV_RESOLVED)
        tv_json_int(json, "resolved_step", alert->resolved_step);
    const char *time = tv_format_time(when, alert->wall_time);
    tv_json_text(json, "wall_time", *time ? time : NULL);
    tv_json_double(json, "observed", alert->observed);
    tv_json_double(json, "expected", alert->expected);
    if (alert->confidence == alert->confidence)
        tv_json_double(json, "confidence", alert->confidence);
    tv_json_text(json, "fingerprint", alert->fingerprint);
    tv_json_text(json, "follows", alert->leader ? alert->leader->fingerprint : NULL);
    tv_json_text(json, "summary", alert->summary);
    tv_json_open(json, "evidence", '{');
    for (size_t i = 0; i < alert->evidence_len; i++)
        tv_json_double(json, alert->evidence[i].name, alert->evidence[i].value);
    tv_json_close(json, '}');
    texts(json, "causes", alert->causes, alert->causes_len);
    texts(json, "advice", alert->advice, alert->advice_len);
    tv_json_close(json, '}');
}

static void optional_int(struct tv_json *json, const char *key, int64_t value)
{
    if (value >= 0)
        tv_json_int(json, key, value);
    else
        tv_json_text(json, key, NULL);
}

static void inputs(struct tv_json *json, const struct tv_run_report *run)
{
    tv_json_open(json, "inputs", '[');
    for (size_t i = 0; i < run->inputs_len; i++) {
        const struct tv_input_report *input = &run->inputs[i];
        tv_json_open(json, NULL, '{');
        tv_json_text(json, "path", input->path);
        tv_json_text(json, "parser", input->parser);
        tv_json_int(json, "records", (int64_t)input->records);
        tv_json_int(json, "damaged", (int64_t)input->damaged);
        tv_json_int(json, "skipped_bytes", (int64_t)input->skipped_bytes);
        tv_json_bool(json, "truncated_tail", input->truncated_tail);
        tv_json_close(json, '}');
    }
    tv_json_close(json, ']');
}

void tv_run_json(struct tv_json *json, const struct tv_run_report *run)
{
    tv_json_open(json, NULL, '{');
    tv_json_int(json, "schema_version", 1);
    tv_json_text(json, "type", "run");
    tv_json_text(json, "run", run->run);
    if (run->root)
        tv_json_text(json, "root", run->root);
    tv_json_text(json, "framework", run->framework);
    tv_json_text(json, "status", run->status);
    optional_int(json, "first_step", run->first_step);
    optional_int(json, "steps", run->steps);
    optional_int(json, "total_steps", run->total_steps);
    optional_int(json, "warmup_steps", run->warmup_steps);
    tv_json_text(json, "scheduler", run->scheduler);
    tv_json_text(json, "scheduler_source", run->scheduler_source);
    if (run->schedule_note)
        tv_json_text(json, "schedule_note", run->schedule_note);
    optional_int(json, "skipped_steps", run->skipped_steps);
    tv_json_int(json, "points", (int64_t)run->points);
    tv_json_int(json, "attempts", run->attempts);
    tv_json_double(json, "final_loss", run->final_loss);
    tv_json_double(json, "final_eval_loss", run->final_eval_loss);
    tv_json_int(json, "alerts", (int64_t)run->alerts);
    inputs(json, run);
    if (run->silences_len) {
        tv_json_open(json, "silent", '{');
        for (size_t i = 0; i < run->silences_len; i++)
            tv_json_text(json, run->silences[i].detector, run->silences[i].reason);
        tv_json_close(json, '}');
    }
    tv_json_close(json, '}');
}
