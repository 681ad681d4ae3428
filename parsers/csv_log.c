/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Training logs as tables of separated values. What a column means is a row of a table here, so
 * that a writer more is a few rows more. Sources: ultralytics/ultralytics ultralytics/engine/
 * trainer.py save_metrics (results.csv, epochs from 1, blanks around cells before 8.1),
 * ultralytics/yolov5 utils/loggers (results.csv, epochs from 0), Lightning-AI/pytorch-lightning
 * src/lightning/fabric/loggers/csv_logs.py (metrics.csv: a row holds what was logged together, the
 * file is written anew when a column comes up), keras-team/keras keras/src/callbacks/csv_logger.py
 * (epochs from 0, separator and name as the user likes, "NA"), huggingface/pytorch-image-models
 * timm/utils/summary.py (summary.csv, epochs from 0, a header again after a restart),
 * DLR-RM/stable-baselines3 stable_baselines3/common/logger.py (progress.csv, written over itself
 * when a column comes up), openai/baselines baselines/logger.py, openai/spinningup
 * spinup/utils/logx.py (progress.txt), ray-project/ray python/ray/tune/logger/csv.py,
 * microsoft/DeepSpeed deepspeed/monitor/csv_monitor.py (a file a metric, steps are samples, a
 * header again after a restart). Steps are the writer's own. */
#include "lib/csv.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <string.h>
#include <strings.h>

enum { COLUMNS = 1024, SUMS = 2, HEAD = 4096 /* most that a probe is shown */ };

enum column_role { IGNORED, METRIC, STEP, EPOCH, CLOCK, TRAIN_PART, EVAL_PART };

/* Of several that count, the one that stands first in the table. Case does not matter. */
static const struct {
    const char *name;
    enum column_role role;
} table[] = {
    {"time/total_timesteps", STEP}, /* stable-baselines3 */
    {"misc/total_timesteps", STEP}, /* OpenAI Baselines, an algorithm each */
    {"total_timesteps", STEP},
    {"TimestepsSoFar", STEP},
    {"total/steps", STEP},
    {"timesteps_total", STEP},   /* RLlib */
    {"TotalEnvInteracts", STEP}, /* Spinning Up */
    {"trainer/global_step", STEP},
    {"global_step", STEP},
    {"_step", STEP},
    {"step", STEP},
    {"steps", STEP},
    {"iteration", STEP},
    {"iter", STEP},
    {"num_updates", STEP},
    {"epoch", EPOCH},
    {"epochs", EPOCH},
    {"timestamp", CLOCK},
    {"_timestamp", CLOCK},
    {"wall_time", CLOCK},
    {"time", IGNORED}, /* seconds since the start */
};
enum { ROWS = sizeof table / sizeof *table };

/* Ultralytics trains on the sum of its parts, which it does not log. */
static const struct {
    const char *prefix, *sum;
    enum column_role role;
} sums[SUMS] = {{"train/", "train/loss", TRAIN_PART}, {"val/", "val/loss", EVAL_PART}};

/* Names that trainers give. */
static const char *const names[] = {"results.csv",  "metrics.csv",  "summary.csv",
                                    "progress.csv", "progress.txt", "training.log"};

struct state {
    struct tv_csv csv;
    struct tv_tag *tag[COLUMNS];
    struct tv_tag *sum[SUMS];
    int64_t last_step;
    uint16_t len;  /* columns, 0 before the header */
    uint16_t step; /* the column that counts */
    uint8_t role[COLUMNS];
    uint8_t parts[SUMS];
    char separator;
    bool has_rows, is_again; /* a header came again and no row since */
    bool said_wide, said_no_header, said_long_row, said_step, said_open;
    bool said_epoch, said_samples;
};

struct pass {
    struct state *state;
    const struct tv_emit *out;
};

static bool is_name(struct tv_span cell, const char *name)
{
    return cell.len == strlen(name) && strncasecmp(cell.data, name, cell.len) == 0;
}

static size_t row_of(struct tv_span cell)
{
    size_t row = 0;
    while (row < ROWS && !is_name(cell, table[row].name))
        row++;
    return row;
}

static bool is_count(size_t row)
{
    return row < ROWS && (table[row].role == STEP || table[row].role == EPOCH);
}

/* The column that counts, `len` when there is none. */
static size_t find_step(const struct tv_span *cells, size_t len)
{
    size_t best = len, best_row = ROWS;
    for (size_t i = 0; i < len; i++) {
        size_t row = row_of(cells[i]);
        if (row < best_row && is_count(row)) {
            best = i;
            best_row = row;
        }
    }
    return best;
}

static bool is_number(struct tv_span cell)
{
    double value;
    return tv_parse_double(cell, &value);
}

/* A whole number; a part of an epoch is rounded down. */
static bool read_step(struct tv_span cell, int64_t *ret)
{
    double value;
    if (tv_parse_int64(cell, ret))
        return *ret > -(INT64_C(1) << 53) && *ret < INT64_C(1) << 53;
    if (!tv_parse_double(cell, &value) || !(fabs(value) < 0x1p53))
        return false;
    *ret = (int64_t)floor(value);
    return true;
}

static void complain(const struct pass *pass, bool *said, struct tv_damage damage)
{
    if (!*said)
        pass->out->damage(pass->out->ctx, &damage);
    *said = true;
}

static void tell_unit(const struct pass *pass, bool *said, const char *unit, uint32_t line)
{
    if (!*said)
        pass->out->fact(pass->out->ctx, &(struct tv_fact){.key = tv_span_of("log.step_unit"),
                                                          .value = tv_span_of(unit),
                                                          .is_string = true,
                                                          .source = TV_FACT_LOG,
                                                          .line = line});
    *said = true;
}

/* DeepSpeed's files have two columns, "step" and one of its own. */
static bool is_deepspeed(const struct tv_span *cells, size_t len)
{
    static const char *const metrics[] = {"train_loss", "lr", "loss_scale", "eval_loss"};
    bool found = false;
    for (size_t i = 0; len == 2 && i < sizeof metrics / sizeof *metrics; i++)
        found |= tv_span_is(cells[0], "step") && tv_span_is(cells[1], metrics[i]);
    return found;
}

static bool is_yolo(const struct tv_span *cells, size_t len)
{
    bool found = false;
    for (size_t i = 0; i < len; i++)
        found |= tv_span_is(cells[i], "lr/pg0") || tv_span_is(cells[i], "x/lr0");
    return found;
}

static bool is_part(struct tv_span cell, const char *prefix)
{
    return tv_span_starts(cell, prefix) && tv_span_ends(cell, "_loss");
}

static void find_parts(const struct pass *pass, const struct tv_span *cells)
{
    struct state *state = pass->state;
    for (size_t sum = 0; sum < SUMS; sum++) {
        bool is_there = !is_yolo(cells, state->len);
        state->parts[sum] = 0;
        state->sum[sum] = NULL;
        for (size_t i = 0; i < state->len; i++)
            is_there |= tv_span_is(cells[i], sums[sum].sum);
        for (size_t i = 0; i < state->len && !is_there; i++)
            if (state->role[i] == METRIC && is_part(cells[i], sums[sum].prefix)) {
                state->role[i] = (uint8_t)sums[sum].role;
                state->parts[sum]++;
            }
        if (state->parts[sum])
            state->sum[sum] = pass->out->tag(pass->out->ctx, tv_span_of(sums[sum].sum));
    }
}

static void take_header(const struct pass *pass, const struct tv_span *cells, size_t len,
                        uint32_t line)
{
    struct state *state = pass->state;
    if (len > COLUMNS)
        complain(pass, &state->said_wide,
                 (struct tv_damage){.line = line,
                                    .is_note = true,
                                    .what = "columns after the first 1024 are ignored"});
    state->is_again = state->has_rows;
    state->len = (uint16_t)(len < COLUMNS ? len : COLUMNS);
    state->step = (uint16_t)find_step(cells, state->len);
    for (size_t i = 0; i < state->len; i++) {
        size_t row = row_of(cells[i]);
        enum column_role role = row < ROWS ? table[row].role : METRIC;
        if (role == STEP || role == EPOCH)
            role = i == state->step ? IGNORED : METRIC;
        state->role[i] = (uint8_t)(cells[i].len ? role : IGNORED);
    }
    find_parts(pass, cells); /* the sums' tags before those of the parts */
    for (size_t i = 0; i < state->len; i++)
        state->tag[i] = state->role[i] == IGNORED || state->role[i] == CLOCK
                            ? NULL
                            : pass->out->tag(pass->out->ctx, cells[i]);
    if (table[row_of(cells[state->step])].role == EPOCH)
        tell_unit(pass, &state->said_epoch, "epoch", line);
    else if (is_deepspeed(cells, state->len))
        tell_unit(pass, &state->said_samples, "sample", line);
}

/* Names only, one of which counts. */
static bool is_header(const struct tv_span *cells, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (is_number(cells[i]))
            return false;
    return len >= 2 && find_step(cells, len) < len;
}

/* A trainer that writes its header again was started again. */
static void mark_restart(const struct pass *pass, int64_t step)
{
    struct state *state = pass->state;
    if (state->is_again && step <= state->last_step)
        pass->out->mark(pass->out->ctx,
                        &(struct tv_mark){.kind = TV_MARK_PURGE, .step = step, .wall_time = NAN});
    state->is_again = false;
    state->has_rows = true;
    state->last_step = step;
}

static double clock_of(const struct state *state, const struct tv_span *cells, size_t len)
{
    double clock = NAN;
    for (size_t i = 0; i < len; i++)
        if (state->role[i] == CLOCK)
            tv_parse_double(cells[i], &clock);
    return clock > 1e11 ? clock / 1000 : clock; /* a clock in milliseconds */
}

/* The sums stand before their parts: the first point of a role is its best one. */
static size_t add_sums(const struct state *state, const struct tv_span *cells, size_t len,
                       struct tv_sample *ret)
{
    size_t found = 0;
    for (size_t sum = 0; sum < SUMS; sum++) {
        double total = 0, value;
        unsigned parts = 0;
        for (size_t i = 0; i < len; i++)
            if (state->role[i] == sums[sum].role && tv_parse_double(cells[i], &value)) {
                total += value;
                parts++;
            }
        if (state->sum[sum] && parts == state->parts[sum])
            ret[found++] = (struct tv_sample){.tag = state->sum[sum], .value = total};
    }
    return found;
}

static void take_values(const struct pass *pass, const struct tv_span *cells, size_t len,
                        int64_t step)
{
    struct state *state = pass->state;
    struct tv_sample samples[COLUMNS + SUMS];
    len = len < state->len ? len : state->len;
    double value, wall = clock_of(state, cells, len);
    size_t count = add_sums(state, cells, len, samples);
    for (size_t i = 0; i < len; i++)
        if (state->tag[i] && tv_parse_double(cells[i], &value))
            samples[count++] = (struct tv_sample){.tag = state->tag[i], .value = value};
    for (size_t i = 0; i < count; i++) {
        samples[i].step = step;
        samples[i].wall_time = wall;
    }
    mark_restart(pass, step);
    if (count)
        pass->out->samples(pass->out->ctx, samples, count);
}

static bool has_number(const struct tv_span *cells, size_t len)
{
    bool found = false;
    for (size_t i = 0; i < len; i++)
        found |= is_number(cells[i]);
    return found;
}

static void take_row(const struct pass *pass, const struct tv_span *cells, size_t len,
                     struct tv_damage where)
{
    struct state *state = pass->state;
    int64_t step;
    if (len > state->len && state->len < COLUMNS) {
        where.what = "a row has more cells than the header has names";
        complain(pass, &state->said_long_row, where);
    } else if (state->step >= len || !read_step(cells[state->step], &step)) {
        where.what = "a row does not say its step: it is left out, and others like it";
        if (has_number(cells, len < COLUMNS ? len : COLUMNS))
            complain(pass, &state->said_step, where);
    } else {
        take_values(pass, cells, len, step);
    }
}

/* What a machine that lost its power leaves in a file. */
static struct tv_span without_zeros(struct tv_span row)
{
    while (row.len && row.data[0] == '\0')
        row = (struct tv_span){row.data + 1, row.len - 1};
    return row;
}

static void on_row(void *ctx, struct tv_span row, uint32_t line, uint64_t offset)
{
    const struct pass *pass = ctx;
    struct state *state = pass->state;
    struct tv_span cells[COLUMNS];
    struct tv_damage where = {.offset = offset, .length = row.len, .line = line};
    bool open;
    row = without_zeros(row);
    if (tv_span_trim(row).len == 0 || row.data[0] == '#')
        return;
    char separator = state->len ? state->separator : tv_csv_separator(row);
    size_t len = tv_csv_cells(row, separator, cells, COLUMNS, &open);
    size_t kept = len < COLUMNS ? len : COLUMNS;
    if (open) {
        where.what = "a quote is never closed";
        complain(pass, &state->said_open, where);
    } else if (is_header(cells, kept)) {
        state->separator = separator;
        take_header(pass, cells, len, line);
    } else if (state->len == 0) {
        where.what = "a row stands before any header that names a step or an epoch";
        complain(pass, &state->said_no_header, where);
    } else {
        take_row(pass, cells, len, where);
    }
}

static struct tv_feed feed(void *ctx, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)reterr;
    struct state *state = ctx;
    struct pass pass = {state, out};
    return tv_csv_feed(&state->csv, in, last, &(struct tv_csv_reader){&pass, out, on_row});
}

/* "lr", "lr-AdamW", "lr/pg0", "x/lr0", but not "lrf" or "color". */
static bool is_rate(struct tv_span cell)
{
    for (const char *at = cell.data, *end = cell.data + cell.len;
         at < end && (at = memmem(at, (size_t)(end - at), "lr", 2)); at += 2) {
        bool begins = at == cell.data || strchr("/_- .", at[-1]);
        if (begins && (at + 2 == end || strchr("/_- .0", at[2])))
            return true;
    }
    return tv_span_holds(cell, "learning_rate") || tv_span_holds(cell, "LearningRate");
}

static bool is_telling(struct tv_span cell, bool is_known)
{
    static const char *const words[] = {"metrics/",
                                        "rollout/",
                                        "val_",
                                        "val/",
                                        "eval_",
                                        "eval/",
                                        "train_",
                                        "train/",
                                        "valid_",
                                        "valid/",
                                        "ep_reward_mean",
                                        "eprewmean",
                                        "EpRewMean",
                                        "AverageEpRet",
                                        "episode_reward_mean",
                                        "mean 100 episode reward"};
    bool found = tv_span_holds(cell, "loss") || tv_span_holds(cell, "Loss") || is_rate(cell);
    for (size_t i = 0; is_known && i < sizeof words / sizeof *words; i++)
        found |= tv_span_starts(cell, words[i]);
    return found;
}

/* "Train_Samples_lr.csv": DeepSpeed. */
static bool is_known_name(struct tv_span basename)
{
    bool found = tv_span_starts(basename, "Train_Samples_");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        found |= tv_span_is(basename, names[i]);
    return found;
}

/* The first row must fit the header: a step, and numbers or nothing where a loss is promised. */
static bool fits(const struct tv_span *header, const struct tv_span *cells, size_t len,
                 bool is_known)
{
    size_t at = find_step(header, len);
    int64_t step;
    if (!read_step(cells[at], &step))
        return false;
    for (size_t i = 0; i < len; i++)
        if (is_telling(header[i], is_known) && cells[i].len && !is_number(cells[i]) &&
            !is_name(cells[i], "NA") && !is_name(cells[i], "None") &&
            !strchr("[\"", cells[i].data[0]))
            return false;
    return true;
}

static struct tv_span without_bom(struct tv_span head)
{
    return tv_span_starts(head, "\xEF\xBB\xBF") ? (struct tv_span){head.data + 3, head.len - 3}
                                                : head;
}

/* The first line is a header with a step and something told of a training. `head` may end anywhere:
 * then the last name counts only when it was cut by us. */
static bool is_table(struct tv_span head, bool is_known)
{
    struct tv_span header[COLUMNS], cells[COLUMNS], row, rest = without_bom(head);
    bool is_cut = !memchr(head.data, '\n', head.len), open, told = false;
    if (tv_next_line(&rest, head.len >= HEAD, &row) == 0)
        return false;
    char separator = tv_csv_separator(row);
    size_t len = tv_csv_cells(row, separator, header, COLUMNS, &open);
    len = len > COLUMNS ? COLUMNS : len - is_cut;
    if (!is_header(header, len))
        return false;
    for (size_t i = 0; i < len; i++)
        told |= is_telling(header[i], is_known);
    if (!told || tv_next_line(&rest, false, &row) == 0)
        return told;
    size_t found = tv_csv_cells(row, separator, cells, COLUMNS, &open);
    return found >= len && (open || fits(header, cells, len, is_known));
}

static bool is_table_name(struct tv_span basename)
{
    return tv_span_ends(basename, ".csv") || tv_span_ends(basename, ".tsv") ||
           tv_span_ends(basename, ".log") || tv_span_ends(basename, ".txt");
}

static int probe(struct tv_span basename, struct tv_span head)
{
    bool is_known = is_known_name(basename);
    if (!is_table_name(basename) || !is_table(head, is_known))
        return 0;
    return is_known ? 85 : 45;
}

const struct tv_parser tv_parser_csv_log = {
    .name = "csv_log",
    .summary = "CSV logs of Ultralytics, Lightning, Keras, timm, stable-baselines3, DeepSpeed and "
               "others",
    .mode = TV_PARSER_STREAM,
    .state_size = sizeof(struct state),
    .probe = probe,
    .feed = feed,
};
