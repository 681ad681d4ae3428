/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_LOG_H
#define SUPPORT_LOG_H
/* A run fed by hand: points in, alerts out, through the real engine. */
#include "engine/engine.h"

struct tv_log {
    struct tv_engine_options options;
    struct tv_run *run;
    struct tv_source *source;
    struct tv_emit emit;
};

/* A run with one source and one file; only `detector` is enabled, or all when NULL. */
void tv_log_open(struct tv_log *log, const char *detector);
/* A further source of the same run, and the emit of its first file. */
struct tv_source *tv_log_source(struct tv_log *log, const char *prefix, int rank,
                                struct tv_emit *ret);
/* The next file of the first source. */
void tv_log_next_file(struct tv_log *log);
void tv_emit_point(const struct tv_emit *emit, const char *tag, int64_t step, double wall_time,
                   double value);
void tv_log_point(struct tv_log *log, const char *tag, int64_t step,
                  double value); /* wall time = 1e9 + step */
void tv_log_timed(struct tv_log *log, const char *tag, int64_t step, double wall_time,
                  double value);
void tv_log_fact(struct tv_log *log, const char *key, const char *value);
void tv_log_mark(struct tv_log *log, enum tv_mark_kind kind, int64_t step);
/* Ends the run as seen at `now` (NaN: no clock). */
void tv_log_end(struct tv_log *log, double now);
/* The first alert of this detector, NULL when it is silent. */
const struct tv_alert *tv_log_alert(const struct tv_log *log, const char *detector);
void tv_log_close(struct tv_log *log);

#endif
