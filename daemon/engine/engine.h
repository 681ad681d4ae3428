/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H
/* The engine: what parsers emit goes in, alerts come out. No I/O, no clock, no globals; a run never
 * crosses threads.
 *
 *   run = tv_run_new(options, name)
 *   source = tv_run_source(run, ...)            one for each sequential stream of samples (see
 * tv_source_info) tv_source_file(source, ...) -> emit         begins the next file of that source;
 * hand emit to its parser tv_run_pump(run)                            after feeding: delivers what
 * is in order tv_source_done(source)                      nothing more will come from it (scan: end
 * of its last file) tv_run_tick(run, now)                       live: time passed tv_run_end(run,
 * now)                        once tv_run_alerts / tv_run_report               then
 *   tv_run_free(run)
 *
 * Samples of several sources are merged by step: pump() delivers the lowest step among the sources'
 * heads and stops as soon as a source that is not done has nothing queued, unless told to flush. A
 * single source is delivered at once. */
#include "model/buckets.h"
#include "model/facts.h"
#include "trainvet/detector.h"
#include "trainvet/parser.h"
#include "trainvet/sink.h"

#define TV_FLAPPING_AFTER 5

struct tv_engine_options {
    const struct tv_detector *const *detectors; /* NULL-terminated; NULL: all that are registered */
    const bool *enabled;                        /* by index into the detectors, NULL: all */
    const void *const
        *options; /* by index into the detectors: its options struct, NULL: defaults */
    /* So often a finding of one detector about one subject is told when it comes and goes. The next
     * time it is told as one that does; that alert ends when it has stayed away for a while. 0:
     * TV_FLAPPING_AFTER, UINT_MAX: it is told each time. */
    unsigned flapping_after;
    bool keep_silences; /* for --explain */
    bool only_count;    /* for inspect: points are counted by series, only epochs are delivered */
    bool trusts_data;   /* for --no-checksum: see struct tv_emit */
    unsigned plot_buckets; /* most that each role keeps for tv_run_plot(), at least 2; 0: nothing is
                              kept */
};

struct tv_run;
struct tv_source;

/* `options` and what it points to must outlive the run; `name` is copied. */
struct tv_run *tv_run_new(const struct tv_engine_options *options, const char *name);
/* Makes the PATH below which it was found a part of the run's identity. Before anything is fed. */
void tv_run_set_root(struct tv_run *run, const char *root);
void tv_run_free(struct tv_run *run);

struct tv_source_info {
    const char *prefix; /* put before every tag: "train/", "validation/" of Keras; "" mostly */
    int rank;           /* when two sources give the same role, the lower rank is used */
};
struct tv_source *tv_run_source(struct tv_run *run, const struct tv_source_info *info);
/* `path` names the file in messages and reports, `parser` is the one that will be fed. The emit
 * stays valid until the source's next file begins. */
struct tv_emit tv_source_file(struct tv_source *source, const char *path,
                              const struct tv_parser *parser);
/* What the reader knows at the file's end. */
struct tv_file_result {
    uint64_t records;    /* sum of tv_feed.records */
    uint64_t bytes;      /* bytes read */
    uint64_t tail_bytes; /* bytes at the end that were never understood: a truncated tail */
    const struct tv_error
        *dead; /* NULL: read to the end; else why and from which offset it was not */
};
void tv_source_file_end(struct tv_source *source, const struct tv_file_result *result);
void tv_source_done(struct tv_source *source);
/* Who is told about damage and notes, at once and in order; NULL (at first): nobody. `path` as
 * given, escaped. */
void tv_run_on_problem(struct tv_run *run,
                       void (*say)(void *ctx, const char *path, const struct tv_damage *damage),
                       void *ctx);
/* True when the merge cannot go on without more samples from this source. */
bool tv_source_is_hungry(const struct tv_source *source);

void tv_run_pump(struct tv_run *run, bool flush);
/* True once a flushed sample turned out to have been too early: another source had a lower step to
 * tell. What the detectors saw differs from what a scan shows them; read the run again. */
bool tv_run_is_disordered(const struct tv_run *run);
/* The trainer wrote that it finished, or the planned steps were reached. */
bool tv_run_is_finished(struct tv_run *run);
/* Returns the seconds after which time alone may change what is told, INFINITY: never. */
double tv_run_tick(struct tv_run *run, double now);
/* Live: the time of day at which the log grew last, unix seconds. Logs that tell elapsed time only
 * find their place in the day by it, so that their silence can be measured. */
void tv_run_written(struct tv_run *run, double wall_time);
/* Nothing will be fed for a while: the run gets along with less memory until something is. What was
 * got from it is invalid then, but for its alerts. `is_quiet`: for so long that the next piece may
 * cost a fifth of a millisecond more. */
void tv_run_rest(struct tv_run *run, bool is_quiet);
/* A configuration without any point ends too: that is what `trainvet lint` judges. */
void tv_run_end(struct tv_run *run, double now);

/* Facts can also be added by hand (--config). */
struct tv_facts *tv_run_facts(struct tv_run *run);
/* The promised schedule as resolved so far (kind NULL when none); the status and error of
 * tv_schedule_resolve say why it is incomplete. Both outputs may be NULL. */
const struct tv_schedule *tv_run_schedule(struct tv_run *run, enum tv_status *ret_status,
                                          struct tv_error *reterr);

/* Which schedule the logged learning rate is (engine/identify.h); NULL where the configuration
 * promises one or nothing is logged. Looked at as points double and at the end. */
struct tv_identity;
const struct tv_identity *tv_run_identity(struct tv_run *run);
/* Optimizer steps that were skipped (fp16 overflow), as the learning rate's lag shows; -1 unknown.
 */
int64_t tv_run_skipped(struct tv_run *run);

/* Alerts in order of noticing; valid until the next call on this run. */
size_t tv_run_alerts(struct tv_run *run, const struct tv_alert *const **ret);
/* The same alerts, each consequence behind its cause, the worst story first. */
size_t tv_run_stories(struct tv_run *run, const struct tv_alert *const **ret);
/* The report's pointers stay valid until the run is freed. */
void tv_run_report(struct tv_run *run, struct tv_run_report *ret);

/* Where the run stands, for metrics. NaN where nothing is known. */
struct tv_run_now {
    const char *run, *root, *framework, *scheduler; /* as in struct tv_run_report */
    int64_t step;                                   /* TV_STEP_UNKNOWN before the first point */
    int64_t total_steps;                            /* -1 when unknown */
    double last_time;                               /* unix seconds of the last record */
    double loss, eval_loss, grad_norm;
    double learning_rate, expected_learning_rate; /* at the step of the last logged learning rate */
};
/* Cheap where nothing has happened since the last call. Valid until the run is fed or freed. */
const struct tv_run_now *tv_run_now(struct tv_run *run);

/* The points of a role as the detectors saw them, since the run last began from its first steps;
 * NULL when there are none or options->plot_buckets is 0. Valid until the next call on this run. */
const struct tv_buckets *tv_run_plot(const struct tv_run *run, enum tv_role role);

/* The run's tags, those with a role unless only_count is set. NULL `visit` results end nothing. */
struct tv_series_info {
    const char *tag; /* escaped */
    enum tv_role role;
    uint64_t points, non_finite;
    int64_t first_step, last_step;
    double min, max, last; /* of finite values; NaN when there are none */
};
void tv_run_each_series(const struct tv_run *run,
                        void (*visit)(void *ctx, const struct tv_series_info *info), void *ctx);

#endif
