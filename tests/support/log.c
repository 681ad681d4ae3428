/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/log.h"
#include "base/memory.h"
#include "trainvet/text.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct tv_parser by_hand = {.name = "by_hand", .summary = "points from a test"};

void tv_log_open(struct tv_log *log, const char *detector)
{
    memset(log, 0, sizeof *log);
    size_t len = 0;
    while (tv_detectors[len])
        len++;
    bool *enabled = tv_xcalloc(len + 1, sizeof *enabled);
    bool found = !detector;
    for (size_t i = 0; i < len; i++) {
        enabled[i] = !detector || strcmp(tv_detectors[i]->name, detector) == 0;
        found = found || enabled[i];
    }
    ck_assert_msg(found, "no detector %s", detector);
    log->options = (struct tv_engine_options){.enabled = enabled, .keep_silences = true};
    log->run = tv_run_new(&log->options, "test");
    log->source = tv_log_source(log, "", 0, &log->emit);
}

struct tv_source *tv_log_source(struct tv_log *log, const char *prefix, int rank,
                                struct tv_emit *ret)
{
    struct tv_source *source = tv_run_source(log->run, &(struct tv_source_info){prefix, rank});
    *ret = tv_source_file(source, "log", &by_hand);
    return source;
}

void tv_log_next_file(struct tv_log *log)
{
    log->emit = tv_source_file(log->source, "log2", &by_hand);
}

void tv_emit_point(const struct tv_emit *emit, const char *tag, int64_t step, double wall_time,
                   double value)
{
    struct tv_sample sample = {emit->tag(emit->ctx, tv_span_of(tag)), step, wall_time, value};
    emit->samples(emit->ctx, &sample, 1);
}

void tv_log_timed(struct tv_log *log, const char *tag, int64_t step, double wall_time, double value)
{
    tv_emit_point(&log->emit, tag, step, wall_time, value);
}

void tv_log_point(struct tv_log *log, const char *tag, int64_t step, double value)
{
    tv_log_timed(log, tag, step, 1e9 + (double)step, value);
}

void tv_log_fact(struct tv_log *log, const char *key, const char *value)
{
    struct tv_fact fact = {.key = tv_span_of(key),
                           .value = tv_span_of(value),
                           .source = TV_FACT_USER_CONFIG,
                           .line = 1};
    log->emit.fact(log->emit.ctx, &fact);
}

void tv_log_mark(struct tv_log *log, enum tv_mark_kind kind, int64_t step)
{
    log->emit.mark(log->emit.ctx, &(struct tv_mark){.kind = kind, .step = step});
}

void tv_log_end(struct tv_log *log, double now)
{
    tv_source_done(log->source);
    tv_run_end(log->run, now);
}

const struct tv_alert *tv_log_alert(const struct tv_log *log, const char *detector)
{
    const struct tv_alert *const *alerts;
    size_t len = tv_run_alerts(log->run, &alerts);
    for (size_t i = 0; i < len; i++)
        if (strcmp(alerts[i]->detector, detector) == 0)
            return alerts[i];
    return NULL;
}

void tv_log_close(struct tv_log *log)
{
    tv_run_free(log->run);
    free((void *)log->options.enabled);
}
