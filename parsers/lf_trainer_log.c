/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LLaMA Factory's trainer_log.jsonl, one JSON object a line. Source: hiyouga/LLaMA-Factory
 * src/llamafactory/train/callbacks.py, v0.1 to v0.9.5, and src/llamafactory/v1/utils/callbacks/
 * logging_callback.py. Dialects: A (to v0.8.0) writes null for what is absent and `learning_rate`;
 * B (v0.8.3) leaves absent keys out, throughput is a string; C (v0.9.0) has it as a number; D
 * (v0.9.1) has `lr`; v1 has `step` for `current_steps`.
 *
 * The log has no clock, only the time since the job began. wall_time is seconds since the first
 * attempt began, pauses between attempts left out: differences between points are right, a date it
 * is not. */
#include "lib/jsonl.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <string.h>

#define RETURNS_PROOF 2 /* a single one may be a line that a thread wrote late */

enum key_role {
    KEY_NEW, /* not looked at yet */
    KEY_IGNORED,
    KEY_STEP,
    KEY_TOTAL,
    KEY_ELAPSED,
    KEY_EPOCH,
    KEY_LOSS,
    KEY_METRIC,
    KEY_COUNTER /* a number that every kind of line may carry */
};

/* Where one writer stands. A job that is resumed stops being the old one and never comes back; when
 * it does, two jobs write into this file. */
struct writer {
    int64_t step, total;
    double elapsed; /* seconds since this job began, NaN when not known */
    double base;    /* seconds of the attempts before it */
    bool is_used;
};

struct state {
    struct tv_jsonl jsonl;
    struct writer writer[2];
    uint8_t last;     /* writer of the last line */
    uint8_t kept;     /* the one that began first */
    uint8_t returns;  /* how often the other one came back */
    int64_t total;    /* of the training; 0 before its first line */
    int64_t reported; /* the total that was reported last */
    bool has_loss;    /* a line with a loss was seen: this is a training log */
    bool may_be_end;  /* the last line is a final one, unless more follows */
    struct tv_mark end;
};

struct pass {
    struct state *state;
    const struct tv_emit *out;
};

/* What one line says. */
struct entry {
    int64_t step, total;
    double elapsed;
    bool has_step, has_loss, has_metric, has_epoch;
    size_t len;
    struct tv_sample *samples; /* room for TV_JSONL_FIELDS */
};

static enum key_role role_of(struct tv_span key)
{
    static const struct {
        const char *key;
        enum key_role role;
    } table[] = {
        {"current_steps", KEY_STEP},
        {"step", KEY_STEP},
        {"total_steps", KEY_TOTAL},
        {"percentage", KEY_IGNORED},
        {"elapsed_time", KEY_ELAPSED},
        {"remaining_time", KEY_IGNORED},
        {"epoch", KEY_EPOCH},
        {"loss", KEY_LOSS},
        {"throughput", KEY_COUNTER},
        {"total_tokens", KEY_COUNTER},
        {"vram_allocated", KEY_COUNTER},
        {"vram_reserved", KEY_COUNTER},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (tv_span_is(key, table[i].key))
            return table[i].role;
    return KEY_METRIC;
}

/* Digits at *at, moved behind them; false when there are none. */
static bool take_number(struct tv_span *at, double *ret)
{
    size_t n = 0;
    double value = 0;
    while (n < at->len && at->data[n] >= '0' && at->data[n] <= '9')
        value = value * 10 + (at->data[n++] - '0');
    at->data += n;
    at->len -= n;
    *ret = value;
    return n > 0;
}

static bool take_text(struct tv_span *at, const char *text)
{
    if (!tv_span_starts(*at, text))
        return false;
    at->data += strlen(text);
    at->len -= strlen(text);
    return true;
}

/* str(timedelta): "0:01:02", "1 day, 2:03:04", "12 days, 2:03:04"; NaN for anything else. */
static double duration(struct tv_span text)
{
    double first, days = 0, hours, minutes, seconds;
    if (!take_number(&text, &first))
        return NAN;
    hours = first;
    if (take_text(&text, " day")) {
        take_text(&text, "s");
        days = first;
        if (!take_text(&text, ", ") || !take_number(&text, &hours))
            return NAN;
    }
    if (!take_text(&text, ":") || !take_number(&text, &minutes) || !take_text(&text, ":") ||
        !take_number(&text, &seconds))
        return NAN;
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

static void add_sample(const struct pass *pass, const struct tv_json_field *field, double value,
                       struct entry *entry)
{
    struct tv_tag *tag = tv_json_tag(field, pass->out);
    if (tag)
        entry->samples[entry->len++] = (struct tv_sample){.tag = tag, .value = value};
}

static void take_field(const struct pass *pass, const struct tv_json_field *field,
                       struct entry *entry)
{
    struct tv_json_key *slot = field->slot;
    enum key_role role = slot && slot->role ? (enum key_role)slot->role : role_of(field->key);
    double value;
    if (slot)
        slot->role = (uint8_t)role;
    switch (role) {
    case KEY_IGNORED:
    case KEY_NEW:
        return;
    case KEY_STEP:
        entry->has_step = tv_json_integer(&field->value, &entry->step);
        return;
    case KEY_TOTAL:
        tv_json_integer(&field->value, &entry->total);
        return;
    case KEY_ELAPSED:
        if (field->value.type == TV_JSON_STRING)
            entry->elapsed = duration(field->value.text);
        return;
    default:
        break;
    }
    if (!tv_json_number(&field->value, &value))
        return;
    entry->has_epoch |= role == KEY_EPOCH;
    entry->has_loss |= role == KEY_LOSS;
    entry->has_metric |= role == KEY_LOSS || role == KEY_METRIC;
    add_sample(pass, field, value, entry);
}

/* Prediction and evaluation jobs report their progress in the same file: without an epoch and a
 * metric, or with a loss of evaluation over batches of their own ("current_steps": 2,
 * "total_steps": 2). */
static bool is_of_another_job(const struct state *state, const struct entry *entry)
{
    if (!entry->has_metric && !entry->has_epoch)
        return true;
    return !entry->has_loss && state->has_loss && entry->total != state->total;
}

static void add_fact(const struct pass *pass, const char *key, struct tv_span value, uint32_t line)
{
    pass->out->fact(pass->out->ctx, &(struct tv_fact){.key = tv_span_of(key),
                                                      .value = value,
                                                      .source = TV_FACT_LOG,
                                                      .line = line});
}

static void report_total(const struct pass *pass, struct entry *entry, uint32_t line)
{
    struct state *state = pass->state;
    char text[TV_NUMBER_MAX];
    if (entry->has_loss) {
        state->has_loss = true;
        state->total = entry->total;
    }
    if (entry->total <= 0 || entry->total == state->reported || !entry->has_epoch)
        return;
    if (state->reported == 0)
        add_fact(pass, "framework", tv_span_of("llamafactory"), line);
    state->reported = entry->total;
    struct tv_text value = tv_text_in(text, sizeof text);
    tv_text_add(&value, "%lld", (long long)entry->total);
    add_fact(pass, "log.total_steps", (struct tv_span){text, value.len}, line);
}

static bool goes_on(const struct writer *writer, const struct entry *entry)
{
    return writer->is_used && entry->total == writer->total && entry->step >= writer->step &&
           !(entry->elapsed < writer->elapsed);
}

/* A second process of the same job writes the step again, with its own clock a moment behind. */
static bool is_twin(const struct writer *writer, const struct entry *entry)
{
    return writer->is_used && entry->step == writer->step && entry->total == writer->total &&
           2 * entry->elapsed > writer->elapsed;
}

/* Whose line it is: that of the nearer one when both could have written it, a new job's when
 * neither could. */
static uint8_t writer_of(struct state *state, const struct entry *entry)
{
    uint8_t last = state->last, other = !last;
    bool is_last = goes_on(&state->writer[last], entry);
    if (goes_on(&state->writer[other], entry)) {
        if (is_last && state->writer[last].step >= state->writer[other].step)
            return last;
        state->returns += !is_last && state->returns < RETURNS_PROOF;
        return other;
    }
    if (is_last)
        return last;
    const struct writer *before = &state->writer[last];
    double base = before->base;
    if (!isnan(before->elapsed) && !is_twin(before, entry))
        base += before->elapsed;
    uint8_t begun = before->is_used ? other : last;
    state->writer[begun] = (struct writer){.base = base, .is_used = true};
    state->kept = last;
    state->returns = 0;
    return begun;
}

/* False when the line is the second writer's. */
static bool follow_writer(const struct pass *pass, const struct entry *entry, uint32_t line)
{
    struct state *state = pass->state;
    bool was_proven = state->returns == RETURNS_PROOF;
    uint8_t index = writer_of(state, entry);
    struct writer *writer = &state->writer[index];
    bool is_proven = state->returns == RETURNS_PROOF;
    writer->step = entry->step;
    writer->total = entry->total;
    if (!isnan(entry->elapsed))
        writer->elapsed = entry->elapsed;
    state->last = index;
    if (is_proven && !was_proven)
        pass->out->damage(pass->out->ctx,
                          &(struct tv_damage){.offset = state->jsonl.offset,
                                              .line = line,
                                              .is_note = true,
                                              .what = "two jobs write into this file: from here on "
                                                      "only the lines of the first one are used"});
    return !is_proven || index == state->kept;
}

static void on_object(void *ctx, const struct tv_json_field *fields, size_t len, uint32_t line)
{
    const struct pass *pass = ctx;
    struct state *state = pass->state;
    struct tv_sample samples[TV_JSONL_FIELDS];
    struct entry entry = {.elapsed = NAN, .samples = samples};
    for (size_t i = 0; i < len; i++)
        take_field(pass, &fields[i], &entry);
    if (is_of_another_job(state, &entry))
        return;
    if (!entry.has_step) {
        tv_jsonl_leave_out(&state->jsonl, pass->out, "a whole number as \"current_steps\"");
        return;
    }
    if (!follow_writer(pass, &entry, line))
        return;
    report_total(pass, &entry, line);
    double wall = state->writer[state->last].base + entry.elapsed;
    for (size_t i = 0; i < entry.len; i++) {
        samples[i].step = entry.step;
        samples[i].wall_time = wall;
    }
    if (entry.len)
        pass->out->samples(pass->out->ctx, samples, entry.len);
    /* the line behind HF's final summary: an epoch and nothing else */
    state->may_be_end = !entry.has_metric;
    state->end = (struct tv_mark){.kind = TV_MARK_END, .step = entry.step, .wall_time = wall};
}

static struct tv_feed feed(void *ctx, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)reterr;
    struct state *state = ctx;
    struct pass pass = {state, out};
    struct tv_feed result =
        tv_jsonl_feed(&state->jsonl, in, last, out, &(struct tv_jsonl_reader){&pass, on_object});
    if (last && state->may_be_end)
        out->mark(out->ctx, &state->end);
    return result;
}

static int probe(struct tv_span basename, struct tv_span head)
{
    bool named = tv_span_is(basename, "trainer_log.jsonl");
    const char *end = head.len ? memchr(head.data, '\n', head.len) : NULL;
    struct tv_span line = {head.data, end ? (size_t)(end - head.data) : head.len};
    if (tv_span_starts(tv_span_trim(line), "{") && tv_span_holds(line, "\"current_steps\"") &&
        tv_span_holds(line, "\"total_steps\""))
        return named ? 95 : 75;
    return named ? 40 : 0;
}

const struct tv_parser tv_parser_lf_trainer_log = {
    .name = "lf_trainer_log",
    .summary = "LLaMA Factory's trainer_log.jsonl",
    .mode = TV_PARSER_STREAM,
    .state_size = sizeof(struct state),
    .probe = probe,
    .feed = feed,
};
