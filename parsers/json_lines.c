/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics as JSON lines, of trainers that have no parser of their own. What a key means is a row of
 * one table, so that a trainer more is a few rows more. Sources: modelscope/ms-swift
 * swift/trainers/patcher.py (logging.jsonl), facebookresearch/detectron2 detectron2/utils/events.py
 * JSONWriter (metrics.json), DLR-RM/stable-baselines3 stable_baselines3/common/logger.py
 * (progress.json), pytorch/torchtune torchtune/training/metric_logging.py (log_<time>.jsonl), wandb
 * run.scan_history() (_step, _timestamp). */
#include "lib/jsonl.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <string.h>

enum key_role {
    KEY_NEW, /* not looked at yet */
    KEY_IGNORED,
    KEY_STEP,    /* the row that stands first in the table counts when a line has several */
    KEY_TOTAL,   /* steps planned */
    KEY_CLOCK,   /* unix time */
    KEY_SUMMARY, /* only the line at the end of a training has it */
    KEY_MEAN,    /* a mean over the whole training in that line, no point of the loss */
    KEY_METRIC
};

static const struct {
    const char *key;
    enum key_role role;
    const char *file; /* its usual name; NULL: none */
} table[] = {
    {"global_step/max_steps", KEY_STEP, "logging.jsonl"}, /* ms-swift: "10/100" */
    {"iteration", KEY_STEP, "metrics.json"},              /* Detectron2; Megatron-SWIFT: "10/100" */
    {"time/total_timesteps", KEY_STEP, "progress.json"},  /* stable-baselines3 */
    {"global_step", KEY_STEP, NULL},
    {"_step", KEY_STEP, NULL}, /* W&B */
    {"step", KEY_STEP, NULL},  /* torchtune and loops of one's own */
    {"iter", KEY_STEP, NULL},
    {"num_updates", KEY_STEP, NULL}, /* fairseq */
    {"max_steps", KEY_TOTAL, NULL},
    {"total_steps", KEY_TOTAL, NULL},
    {"_timestamp", KEY_CLOCK, NULL}, /* W&B */
    {"timestamp", KEY_CLOCK, NULL},
    {"train_runtime", KEY_SUMMARY, NULL}, /* HF Trainer, in ms-swift's last line */
    {"train_loss", KEY_MEAN, NULL},
    {"percentage", KEY_IGNORED, NULL},
    {"eta_seconds", KEY_IGNORED, NULL},
};
enum { ROWS = sizeof table / sizeof *table };

struct state {
    struct tv_jsonl jsonl;
    uint8_t row[TV_JSON_KEYS]; /* of the table, by slot; ROWS: not in it */
    int64_t total;             /* reported last */
    struct tv_mark end;
    bool may_be_end; /* the last line is a training's summary */
};

struct pass {
    struct state *state;
    const struct tv_emit *out;
};

struct entry {
    const struct tv_json_value *step; /* of the best row */
    const struct tv_json_field *mean;
    size_t step_row;
    int64_t total;
    double clock;
    bool is_summary;
    size_t len;
    struct tv_sample *samples; /* room for TV_JSONL_FIELDS */
};

static size_t row_of(struct tv_span key)
{
    size_t row = 0;
    while (row < ROWS && !tv_span_is(key, table[row].key))
        row++;
    return row;
}

/* "10/100": both numbers; a number alone: the step, with *ret_total as it was. */
static bool read_step(const struct tv_json_value *value, int64_t *ret_step, int64_t *ret_total)
{
    if (tv_json_integer(value, ret_step))
        return true;
    struct tv_span text = value->text;
    const char *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
    if (value->type != TV_JSON_STRING || !slash)
        return false;
    struct tv_span total = {slash + 1, (size_t)(text.data + text.len - slash) - 1};
    text.len = (size_t)(slash - text.data);
    return tv_parse_int64(text, ret_step) && tv_parse_int64(total, ret_total);
}

static size_t known_row(struct state *state, const struct tv_json_field *field)
{
    struct tv_json_key *slot = field->slot;
    if (!slot)
        return row_of(field->key);
    uint8_t *row = &state->row[slot - state->jsonl.keys.slot];
    if (slot->role == KEY_NEW) {
        *row = (uint8_t)row_of(field->key);
        slot->role = KEY_METRIC;
    }
    return *row;
}

static void add_sample(const struct pass *pass, const struct tv_json_field *field,
                       struct entry *entry)
{
    double value;
    struct tv_tag *tag =
        tv_json_number(&field->value, &value) ? tv_json_tag(field, pass->out) : NULL;
    if (tag)
        entry->samples[entry->len++] = (struct tv_sample){.tag = tag, .value = value};
}

static void take_field(const struct pass *pass, const struct tv_json_field *field,
                       struct entry *entry)
{
    size_t row = known_row(pass->state, field);
    switch (row < ROWS ? table[row].role : KEY_METRIC) {
    case KEY_STEP:
        if (row < entry->step_row) {
            entry->step_row = row;
            entry->step = &field->value;
        }
        return;
    case KEY_TOTAL:
        tv_json_integer(&field->value, &entry->total);
        return;
    case KEY_CLOCK:
        tv_json_number(&field->value, &entry->clock);
        return;
    case KEY_MEAN:
        entry->mean = field;
        return;
    case KEY_SUMMARY:
        entry->is_summary = true;
        break;
    case KEY_METRIC:
        break;
    default:
        return;
    }
    add_sample(pass, field, entry);
}

static void report_total(const struct pass *pass, int64_t total, uint32_t line)
{
    char text[TV_NUMBER_MAX];
    struct tv_text value = tv_text_in(text, sizeof text);
    if (total <= 0 || total == pass->state->total)
        return;
    pass->state->total = total;
    tv_text_add(&value, "%lld", (long long)total);
    pass->out->fact(pass->out->ctx, &(struct tv_fact){.key = tv_span_of("log.total_steps"),
                                                      .value = {text, value.len},
                                                      .source = TV_FACT_LOG,
                                                      .line = line});
}

static void on_object(void *ctx, const struct tv_json_field *fields, size_t len, uint32_t line)
{
    const struct pass *pass = ctx;
    struct tv_sample samples[TV_JSONL_FIELDS];
    struct entry entry = {.step_row = ROWS, .clock = NAN, .samples = samples};
    int64_t step;
    for (size_t i = 0; i < len; i++)
        take_field(pass, &fields[i], &entry);
    if (!entry.step || !read_step(entry.step, &step, &entry.total)) {
        if (entry.step && (entry.len || entry.mean))
            tv_jsonl_leave_out(&pass->state->jsonl, pass->out, "a whole number as its step");
        return;
    }
    if (entry.mean && !entry.is_summary)
        add_sample(pass, entry.mean, &entry);
    report_total(pass, entry.total, line);
    /* a clock in milliseconds, or seconds since the start */
    double wall = entry.clock > 1e11 ? entry.clock / 1000 : entry.clock;
    for (size_t i = 0; i < entry.len; i++) {
        samples[i].step = step;
        samples[i].wall_time = wall;
    }
    if (entry.len)
        pass->out->samples(pass->out->ctx, samples, entry.len);
    pass->state->may_be_end = entry.is_summary;
    pass->state->end = (struct tv_mark){.kind = TV_MARK_END, .step = step, .wall_time = wall};
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

static bool is_telling(struct tv_span key)
{
    static const char *const words[] = {"loss", "lr", "learning_rate", "reward", "grad_norm"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (memmem(key.data, key.len, words[i], strlen(words[i])))
            return true;
    return false;
}

/* One line: 0, or how sure it makes us. */
static int judge_line(struct tv_span basename, struct tv_span line)
{
    struct tv_json_keys keys = {.len = 0};
    struct tv_json_field fields[64];
    struct tv_json json = {.at = line.data, .end = line.data + line.len};
    size_t len = 0, best = ROWS;
    bool telling = false;
    if (tv_json_object(&json, &keys, fields, 64, &len) != TV_OK)
        return 0;
    for (size_t i = 0; i < len && i < 64; i++) {
        int64_t step, total;
        double number;
        size_t row = row_of(fields[i].key);
        if (row < best && table[row].role == KEY_STEP && read_step(&fields[i].value, &step, &total))
            best = row;
        telling |= is_telling(fields[i].key) && tv_json_number(&fields[i].value, &number);
    }
    if (best == ROWS)
        return 0;
    if (table[best].file && tv_span_is(basename, table[best].file))
        return 85;
    return telling ? 50 : 0;
}

/* Any other file must at least have lines: a single object is a summary ("wandb-summary.json"). */
static bool has_lines(struct tv_span basename, struct tv_span head)
{
    return tv_span_ends(basename, ".jsonl") || memmem(head.data, head.len, "}\n{", 3) ||
           memmem(head.data, head.len, "}\r\n{", 4);
}

static int probe(struct tv_span basename, struct tv_span head)
{
    int sure = 0;
    const char *p = head.data, *end = head.data + head.len;
    for (int i = 0; i < 3 && sure == 0 && p < end; i++) { /* the first may be a configuration */
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop : end;
        sure = judge_line(basename, (struct tv_span){p, (size_t)(stop - p)});
        p = stop + (stop < end);
    }
    return sure == 0 || sure > 50 || has_lines(basename, head) ? sure : 0;
}

const struct tv_parser tv_parser_json_lines = {
    .name = "json_lines",
    .summary = "JSON lines of ms-swift, Detectron2, stable-baselines3, torchtune, W&B and others",
    .mode = TV_PARSER_STREAM,
    .state_size = sizeof(struct state),
    .probe = probe,
    .feed = feed,
};
