/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAINVET_SAMPLE_H
#define TRAINVET_SAMPLE_H
/* What a parser hands over: samples, facts, marks and damage. Everything is borrowed for the call.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tv_span {
    const char *data; /* not NUL-terminated; may hold any byte */
    size_t len;
};

/* A tag as the log spells it, interned by the receiver. The pointer is stable until the file is
 * closed. `kind` and `likely_next` belong to the parser (zero at first): the event-file reader
 * remembers the tag's plugin in the one and predicts the next record's tag with the other. Where
 * the receiver has set `is_unwanted` a parser may count a sample in `passed` instead of handing it
 * over: most series of a log are asked for by nobody. */
struct tv_tag {
    const char *name; /* raw bytes of the log, NUL-terminated copy: escape before printing */
    uint32_t len;
    uint32_t kind;
    struct tv_tag *likely_next;
    uint64_t passed;
    bool is_unwanted;
};

#define TV_STEP_UNKNOWN INT64_MIN

struct tv_sample {
    struct tv_tag *tag;
    int64_t step;     /* the writer's step, TV_STEP_UNKNOWN when the format has none */
    double wall_time; /* unix seconds, NaN when unknown */
    double value;     /* NaN and infinities are data */
};

/* Where a configuration value was read. Order = precedence, highest first (see
 * daemon/model/facts.h). */
enum tv_fact_source {
    TV_FACT_COMMAND_LINE, /* --config FILE: the user says so */
    TV_FACT_RUN_ARGS,     /* arguments that the trainer itself wrote when it started */
    TV_FACT_USER_CONFIG,  /* the file that the user started the job with */
    TV_FACT_HPARAMS,      /* hyperparameters saved by a logger */
    TV_FACT_MODEL_CARD,   /* written at the end */
    TV_FACT_LOG           /* what the trainer counted while it ran (total_steps, epoch length) */
};

/* One configuration value in the writer's own words. Nested keys are joined by '.'; list items are
 * "key.0", "key.1". A null is the text "null" with is_null set. */
struct tv_fact {
    struct tv_span key;
    struct tv_span value; /* text as written, quotes removed */
    bool is_null;
    bool is_string; /* the writer quoted it, or its type is text: "1e-4" may be a mistake */
    enum tv_fact_source source;
    uint32_t line; /* 1-based, 0 when unknown */
};

enum tv_mark_kind {
    TV_MARK_START, /* a writer opened a log here */
    TV_MARK_PURGE, /* points with step >= `step` belong to an abandoned attempt */
    TV_MARK_END    /* the trainer says that it finished */
};

struct tv_mark {
    enum tv_mark_kind kind;
    int64_t step;
    double wall_time;
    double epoch; /* TV_MARK_END of unknown step: the epoch that the log comes to then; 0: untold */
};

/* Bytes that could not be used. Reading goes on behind them. */
struct tv_damage {
    uint64_t offset;  /* first unusable byte, from the start of what the parser was fed */
    uint64_t length;  /* bytes skipped, 0 when a single value was refused */
    uint32_t line;    /* 1-based, 0 when the format has none */
    bool is_note;     /* odd but harmless: printed, never counted as damage */
    const char *what; /* one sentence without a full stop: what was found and what was expected */
};

/* The receiver of one file. All calls are synchronous; nothing borrowed is kept by the receiver.
 * tag() returns NULL when the run has too many tags (the receiver says so once): drop the sample.
 */
struct tv_emit {
    void *ctx;
    struct tv_tag *(*tag)(void *ctx, struct tv_span name);
    void (*samples)(void *ctx, const struct tv_sample *batch, size_t count);
    void (*fact)(void *ctx, const struct tv_fact *fact);
    void (*mark)(void *ctx, const struct tv_mark *mark);
    void (*damage)(void *ctx, const struct tv_damage *damage);
    bool trusts_data; /* checksums of data need not be looked at: whoever reads wants speed */
};

#endif
