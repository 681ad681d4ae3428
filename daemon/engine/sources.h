/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_SOURCES_H
#define ENGINE_SOURCES_H
/* What parsers emit, from a source's series to the one that has a role. Inside engine/ only:
 *   source.c   tags, queues, facts, damage                        -> tv_merge
 *   merge.c    several sources into one order by step             -> tv_deliver
 *   deliver.c  roles, attempts, steps that go back                -> detectors
 *   beside.c   learning rates beside the one that has the role: are they of the same job? */
#include "engine/engine.h"

#define TV_RUN_TAGS_MAX   4096 /* series a run; no user may fill the node's memory with tags */
#define TV_TAG_LENGTH_MAX 1024 /* bytes; longer ones are dropped and counted */

struct tv_series {
    struct tv_tag tag; /* first member: a tag handed to a parser is the series */
    struct tv_source *source;
    struct tv_series_count *count; /* NULL: nobody will ask */
    int rank;
    uint8_t role;   /* enum tv_role */
    bool has_come;  /* a point, of one that gets its role with the second */
    bool tells_end; /* the trainer logs it once, when it has finished */
    char name[];    /* of the tag */
};

/* What is known of the points of a series that has a role, or that is counted for inspect. */
struct tv_series_count {
    const char *shown; /* the tag with the prefix, escaped for detectors; NULL: nobody has asked */
    uint64_t points, non_finite;
    int64_t first_step, last_step;
    double min, max, last;
};

/* Tags of a source, by name: open addressing, each slot an index + 1 into the run's series. */
struct tv_tag_table {
    uint16_t *slots;
    uint32_t len, cap;
};

#define TV_FIRST_RATES 16

/* The first learning rates of a source that has not that role (beside.c). */
struct tv_first_rates {
    int64_t step[TV_FIRST_RATES];
    double rate[TV_FIRST_RATES];
    uint32_t len;
    bool is_known; /* whether it is of the same job as this attempt */
    bool said;
};

struct tv_source {
    struct tv_run *run;
    struct tv_source *next;
    char *prefix;
    int rank;
    bool done;
    struct tv_tag_table tags;
    /* the file being read */
    const struct tv_parser *parser;
    struct tv_input_report *input;
    uint32_t file_index;    /* +1 for each file */
    uint32_t restart_marks; /* +1 for each file begun and each purge mark */
    double last_wall_time;  /* of the previous file, to see two writers */
    bool checked_overlap;
    int64_t flushed_to;           /* highest step delivered before its turn was certain */
    int64_t reached;              /* highest step that the merge has delivered */
    bool is_back;                 /* it has gone back and not come there again */
    struct tv_first_rates *rates; /* NULL: none */
    /* samples that wait for the other sources */
    struct tv_sample *queue;
    size_t head, len, cap;
};

/* The series that has a role, and where it stands. */
struct tv_role_slot {
    struct tv_series *owner;
    struct tv_point last;
    uint64_t count;
    uint32_t seen_marks; /* the owner's source's restart_marks when `last` came */
    bool taken_over;     /* another series had the role before: skip what it already told */
    bool contested;      /* the owner is one of several evaluation sets */
    bool may_go_back;    /* the run was restarted through another role */
    bool has_pending;    /* a point that went back; the next one tells jitter from a restart */
    struct tv_point pending;
};

/* A sentence for people about the file that it reads. */
void tv_source_note(struct tv_source *source, const char *what);
/* All of the log, those included that nobody asked for. */
uint64_t tv_run_points(const struct tv_run *run);
void tv_merge(struct tv_run *run, bool flush);
void tv_deliver(struct tv_run *run, const struct tv_sample *sample);
/* Of an attempt behind the first steps the next point has come, at `step`. When the first lies no
 * farther from the start than from this one, it was not resumed: it logs at longer intervals. */
void tv_settle_attempt(struct tv_run *run, int64_t step);

bool tv_beside_is_doubtful(const struct tv_source *source); /* a state that may be another job's */
/* A learning rate that has no role, one that has. */
void tv_beside_add(struct tv_run *run, struct tv_source *source, const struct tv_sample *sample);
void tv_beside_check(struct tv_run *run, struct tv_source *own, const struct tv_point *point);
/* Another attempt. `is_anew`: from the first steps on, so what lies beside must show that it is of
 * this attempt. */
void tv_beside_forget(struct tv_run *run, bool is_anew);

#endif
