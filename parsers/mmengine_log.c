/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON lines of OpenMMLab's trainers.
 * MMEngine: <time>/vis_data/scalars.json, and the same lines in <time>/vis_data/<time>.json
 * (open-mmlab/mmengine mmengine/hooks/logger_hook.py, visualization/vis_backend.py). A training
 * line has `iter` and `step`, the global iteration; the line of an evaluation has neither `iter`
 * nor `lr`, and its `step` is the epoch when evaluation goes by epochs. mmcv 1.x: <time>.log.json
 * (open-mmlab/mmcv mmcv/runner/hooks/logger/text.py): a line about the environment, then lines with
 * `mode`; `iter` begins anew in each epoch when training goes by epochs, and nothing says how long
 * an epoch is: the last iteration logged in the first one stands for it. `iter` of an evaluation
 * counts its own batches. Values of an evaluation get the tag "val/<key>". No clock: wall_time is
 * NaN. */
#include "lib/jsonl.h"
#include "trainvet/text.h"
#include <math.h>
#include <string.h>

enum key_role {
    KEY_NEW, /* not looked at yet */
    KEY_STEP,
    KEY_ITER,
    KEY_EPOCH,
    KEY_MODE,
    KEY_LR,
    KEY_TIME, /* duration of a step: a metric of training only */
    KEY_METRIC
};

struct state {
    struct tv_jsonl jsonl;
    struct tv_tag *val_tag[TV_JSON_KEYS];         /* by slot */
    int64_t last_step, last_epoch;                /* of the last training line */
    int64_t last_iter, first_epoch, epoch_length; /* mmcv */
    bool has_train;
};

struct pass {
    struct state *state;
    const struct tv_emit *out;
};

struct entry {
    const struct tv_json_field **metrics; /* room for TV_JSONL_FIELDS */
    size_t len;
    int64_t step, iter, epoch;
    bool has_step, has_iter, has_epoch, has_lr, has_mode, is_val_mode;
};

static enum key_role role_of(struct tv_span key)
{
    static const struct {
        const char *key;
        enum key_role role;
    } table[] = {
        {"step", KEY_STEP}, {"iter", KEY_ITER}, {"epoch", KEY_EPOCH},    {"mode", KEY_MODE},
        {"lr", KEY_LR},     {"time", KEY_TIME}, {"data_time", KEY_TIME}, {"memory", KEY_TIME},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (tv_span_is(key, table[i].key))
            return table[i].role;
    return KEY_METRIC;
}

static enum key_role known_role(const struct tv_json_field *field)
{
    if (!field->slot)
        return role_of(field->key);
    if (field->slot->role == KEY_NEW)
        field->slot->role = (uint8_t)role_of(field->key);
    return (enum key_role)field->slot->role;
}

static void take_field(const struct tv_json_field *field, struct entry *entry)
{
    switch (known_role(field)) {
    case KEY_STEP:
        entry->has_step = tv_json_integer(&field->value, &entry->step);
        return;
    case KEY_ITER:
        entry->has_iter = tv_json_integer(&field->value, &entry->iter);
        return;
    case KEY_MODE:
        entry->has_mode = true;
        entry->is_val_mode = !tv_span_is(field->value.text, "train");
        return;
    case KEY_EPOCH:
        entry->has_epoch = tv_json_integer(&field->value, &entry->epoch);
        break;
    case KEY_LR:
        entry->has_lr = true;
        break;
    default:
        break;
    }
    entry->metrics[entry->len++] = field;
}

/* mmcv: the iteration over all epochs. */
static int64_t global_iteration(struct state *state, const struct entry *entry)
{
    if (!entry->has_epoch)
        return entry->iter;
    if (!state->has_train)
        state->first_epoch = entry->epoch;
    else if (state->epoch_length == 0 && entry->epoch > state->last_epoch &&
             entry->iter <= state->last_iter)
        state->epoch_length = state->last_iter;
    state->last_iter = entry->iter;
    int64_t epochs = entry->epoch - state->first_epoch;
    if (epochs < 0 || epochs > INT32_MAX || state->epoch_length < 0 ||
        state->epoch_length > INT32_MAX)
        return entry->iter;
    return epochs * state->epoch_length + entry->iter;
}

/* The step of a line and whether it is an evaluation's; false when it is neither. */
static bool place(struct state *state, const struct entry *entry, int64_t *ret_step, bool *ret_val)
{
    *ret_val = entry->has_mode ? entry->is_val_mode : !entry->has_iter && !entry->has_lr;
    if (*ret_val) {
        bool is_epoch = entry->has_step && entry->step < state->last_step;
        *ret_step = entry->has_step && !is_epoch ? entry->step : state->last_step;
        return entry->has_step || entry->has_mode;
    }
    if (entry->has_step)
        *ret_step = entry->step;
    else if (entry->has_iter)
        *ret_step = global_iteration(state, entry);
    else
        return false;
    state->has_train = true;
    state->last_step = *ret_step;
    if (entry->has_epoch)
        state->last_epoch = entry->epoch;
    return true;
}

static struct tv_tag *val_tag(const struct pass *pass, const struct tv_json_field *field)
{
    char name[512];
    struct tv_text text = tv_text_in(name, sizeof name);
    size_t slot = field->slot ? (size_t)(field->slot - pass->state->jsonl.keys.slot) : 0;
    if (field->slot && pass->state->val_tag[slot])
        return pass->state->val_tag[slot];
    tv_text_add(&text, "val/");
    tv_text_add_span(&text, field->key);
    struct tv_tag *tag =
        text.cut ? NULL : pass->out->tag(pass->out->ctx, (struct tv_span){name, text.len});
    if (field->slot)
        pass->state->val_tag[slot] = tag;
    return tag;
}

static void on_object(void *ctx, const struct tv_json_field *fields, size_t len, uint32_t line)
{
    const struct pass *pass = ctx;
    struct tv_sample samples[TV_JSONL_FIELDS];
    const struct tv_json_field *metrics[TV_JSONL_FIELDS];
    struct entry entry = {.metrics = metrics};
    int64_t step;
    size_t count = 0;
    bool is_val;
    (void)line;
    for (size_t i = 0; i < len; i++)
        take_field(&fields[i], &entry);
    if (!place(pass->state, &entry, &step, &is_val)) {
        if (!is_val)
            tv_jsonl_leave_out(&pass->state->jsonl, pass->out,
                               "a whole number as \"step\" or \"iter\"");
        return;
    }
    for (size_t i = 0; i < entry.len; i++) {
        /* cppcheck-suppress uninitvar ; take_field() has set that many */
        const struct tv_json_field *field = metrics[i];
        enum key_role role = known_role(field);
        double value;
        if (!tv_json_number(&field->value, &value) || (is_val && role != KEY_METRIC))
            continue;
        struct tv_tag *tag = is_val ? val_tag(pass, field) : tv_json_tag(field, pass->out);
        if (tag)
            samples[count++] = (struct tv_sample){tag, step, NAN, value};
    }
    if (count)
        pass->out->samples(pass->out->ctx, samples, count);
}

static struct tv_feed feed(void *ctx, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)reterr;
    struct state *state = ctx;
    struct pass pass = {state, out};
    return tv_jsonl_feed(&state->jsonl, in, last, out, &(struct tv_jsonl_reader){&pass, on_object});
}

static int probe(struct tv_span basename, struct tv_span head)
{
    bool old_name = tv_span_ends(basename, ".log.json");
    if (!tv_span_starts(head, "{"))
        return 0;
    if (tv_span_holds(head, "\"mode\"") && tv_span_holds(head, "\"iter\"") &&
        tv_span_holds(head, "\"epoch\""))
        return old_name ? 95 : 80;
    if (tv_span_starts(head, "{\"env_info\"") && old_name)
        return 90; /* that line may be longer than the head */
    if (tv_span_holds(head, "\"iter\"") && tv_span_holds(head, "\"step\"") &&
        tv_span_holds(head, "\"data_time\""))
        return tv_span_ends(basename, ".json") ? 90 : 80;
    return 0;
}

const struct tv_parser tv_parser_mmengine_log = {
    .name = "mmengine_log",
    .summary = "JSON lines of OpenMMLab's trainers: MMEngine and mmcv",
    .mode = TV_PARSER_STREAM,
    .state_size = sizeof(struct state),
    .probe = probe,
    .feed = feed,
};
