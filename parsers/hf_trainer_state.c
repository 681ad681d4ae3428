/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trainer_state.json of the Hugging Face Trainer: the whole log_history, written anew at each save
 * with a plain open("w"), so half a file is normal while it is being written. Source:
 * huggingface/transformers src/transformers/trainer_callback.py (TrainerState.save_to_json:
 * json.dumps(indent=2, sort_keys=True), NaN and Infinity as bare words), v4.0 to v5.9.
 *
 * No tree is built. The top-level values become facts "trainer_state.<key>" and come before the
 * samples, although most of them stand behind log_history; that is passed over once for it. The
 * format has no clock: wall_time is NaN. */
#include "lib/config.h"
#include "lib/json_scan.h"
#include "trainvet/parser.h"
#include "trainvet/text.h"
#include <math.h>
#include <string.h>

#define FIELDS_MAX 256 /* members of one entry; more are dropped */
#define FACTS_MAX  256
#define FACT_DEPTH 6
#define DAMAGE_MAX 32 /* damaged entries, then the file is given up */

enum key_role { KEY_NEW, KEY_STEP, KEY_EPOCH, KEY_TRAIN, KEY_SUMMARY, KEY_METRIC };

struct state {
    struct tv_json_keys keys;
    double epoch, global_step, max_steps; /* of the whole file, NaN when not known */
    double last_epoch;                    /* of the last entry that had a step */
    int64_t last_step, end_step;
    bool has_last, has_end;
    bool said_no_step, said_fields;
    bool looks_right; /* a key of a trainer state was seen beside log_history */
    unsigned damaged;
};

struct pass {
    struct state *state;
    const struct tv_emit *out;
    struct tv_config config; /* the facts, below "trainer_state" */
    const char *start;       /* of the file */
    const char *good;        /* everything before it was understood */
    const char *counted;     /* what stands here is in line `line` */
    uint32_t line;
    uint64_t entries;
};

struct entry {
    int64_t step;
    double epoch;
    bool has_step, is_train, is_summary;
    size_t len;
    struct tv_sample *samples; /* room for FIELDS_MAX */
};

/* 1-based. Counts on from the last position asked for. */
static uint32_t line_at(struct pass *pass, const char *at)
{
    if (at < pass->counted) {
        pass->counted = pass->start;
        pass->line = 1;
    }
    uint32_t lines = 0;
    for (const char *p = pass->counted; p < at; p++)
        lines += *p == '\n';
    pass->counted = at;
    pass->line += lines;
    return pass->line;
}

static void say(struct pass *pass, const char *at, size_t length, bool is_note, const char *what)
{
    pass->out->damage(pass->out->ctx, &(struct tv_damage){.offset = (uint64_t)(at - pass->start),
                                                          .length = length,
                                                          .line = line_at(pass, at),
                                                          .is_note = is_note,
                                                          .what = what});
}

/* A value that was read whole, below the current key; nested ones as "a.b" and "a.0". */
static void add_facts(struct pass *pass, const struct tv_json_value *value, int depth)
{
    static const enum tv_config_type types[] = {
        [TV_JSON_NULL] = TV_CONFIG_NULL,   [TV_JSON_FALSE] = TV_CONFIG_NUMBER,
        [TV_JSON_TRUE] = TV_CONFIG_NUMBER, [TV_JSON_NUMBER] = TV_CONFIG_NUMBER,
        [TV_JSON_STRING] = TV_CONFIG_TEXT,
    };
    char resolved[1024];
    struct tv_span text = value->text, key;
    bool is_object = value->type == TV_JSON_OBJECT, more;
    if (!is_object && value->type != TV_JSON_ARRAY) {
        if (value->type == TV_JSON_STRING && memchr(text.data, '\\', text.len))
            text = (struct tv_span){resolved, tv_json_unescape(text, resolved, sizeof resolved)};
        tv_config_value(&pass->config, text, types[value->type], line_at(pass, value->text.data));
        return;
    }
    struct tv_json json = {.at = text.data + 1, .end = text.data + text.len};
    struct tv_json_value member;
    for (size_t i = 0; depth < FACT_DEPTH && pass->config.facts < FACTS_MAX; i++) {
        if (tv_json_next(&json, i == 0, is_object ? &key : NULL, &more) != TV_OK || !more ||
            tv_json_read(&json, &member) != TV_OK)
            return;
        size_t mark = is_object ? tv_config_enter(&pass->config, key)
                                : tv_config_enter_index(&pass->config, i);
        add_facts(pass, &member, depth + 1);
        tv_config_leave(&pass->config, mark);
    }
}

/* One member of the top level. */
static void take_member(struct pass *pass, struct tv_span key, const struct tv_json_value *value)
{
    uint32_t line = line_at(pass, value->text.data);
    int64_t total;
    size_t mark = tv_config_enter(&pass->config, key);
    add_facts(pass, value, 0);
    tv_config_leave(&pass->config, mark);
    if (tv_span_is(key, "epoch"))
        tv_json_number(value, &pass->state->epoch);
    else if (tv_span_is(key, "global_step"))
        tv_json_number(value, &pass->state->global_step);
    else if (tv_span_is(key, "max_steps") && tv_json_integer(value, &total) && total > 0) {
        pass->state->max_steps = (double)total;
        tv_config_fact(&pass->config, "log.total_steps", value->text, TV_CONFIG_NUMBER, line);
    } else if (tv_span_is(key, "best_global_step")) /* there since transformers 4.50 */
        tv_config_fact(&pass->config, "trainer_state.has_best_global_step", tv_span_of("true"),
                       TV_CONFIG_NUMBER, line);
}

static bool is_known_key(struct tv_span key)
{
    static const char *const known[] = {"global_step",   "max_steps",   "num_train_epochs",
                                        "best_metric",   "total_flos",  "is_world_process_zero",
                                        "logging_steps", "trial_params"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (tv_span_is(key, known[i]))
            return true;
    return false;
}

/* Members of the top level up to log_history (*ret_found, json stands at its value) or the end. */
static enum tv_status read_members(struct pass *pass, struct tv_json *json, bool first,
                                   bool is_scout, bool *ret_found)
{
    struct tv_json_value value;
    struct tv_span key;
    bool more;
    *ret_found = false;
    for (;; first = false) {
        enum tv_status status = tv_json_next(json, first, &key, &more);
        if (status != TV_OK || !more)
            return status;
        if (tv_span_is(key, "log_history")) {
            *ret_found = true;
            return TV_OK;
        }
        status = tv_json_read(json, &value);
        if (status != TV_OK)
            return status;
        if (is_scout) {
            pass->state->looks_right |= is_known_key(key);
        } else {
            take_member(pass, key, &value);
            pass->good = json->at;
        }
    }
}

static enum key_role role_of(struct tv_span key)
{
    if (tv_span_is(key, "step"))
        return KEY_STEP;
    if (tv_span_is(key, "epoch"))
        return KEY_EPOCH;
    if (tv_span_is(key, "loss") || tv_span_is(key, "learning_rate"))
        return KEY_TRAIN;
    return tv_span_is(key, "train_runtime") ? KEY_SUMMARY : KEY_METRIC;
}

static void take_field(struct pass *pass, const struct tv_json_field *field, struct entry *entry)
{
    struct tv_json_key *slot = field->slot;
    enum key_role role = slot && slot->role ? (enum key_role)slot->role : role_of(field->key);
    double value;
    if (slot)
        slot->role = (uint8_t)role;
    if (role == KEY_STEP) {
        entry->has_step = tv_json_integer(&field->value, &entry->step);
        return;
    }
    if (!tv_json_number(&field->value, &value))
        return;
    if (role == KEY_EPOCH)
        entry->epoch = value;
    entry->is_train |= role == KEY_TRAIN;
    entry->is_summary |= role == KEY_SUMMARY;
    struct tv_tag *tag = tv_json_tag(field, pass->out);
    if (tag)
        entry->samples[entry->len++] =
            (struct tv_sample){.tag = tag, .wall_time = NAN, .value = value};
}

/* An entry without a step: that of the previous entry when the epoch is the same, else by the
 * file's own ratio of steps and epochs. */
static void guess_step(struct pass *pass, const char *at, struct entry *entry)
{
    struct state *state = pass->state;
    double step = entry->epoch * (state->global_step / state->epoch);
    if (entry->len && !state->said_no_step)
        say(pass, at, 0, true,
            "an entry of log_history has no step: it is worked out from the epoch");
    state->said_no_step |= entry->len > 0;
    if (state->has_last && entry->epoch == state->last_epoch)
        entry->step = state->last_step;
    else if (fabs(step) < 0x1p53)
        entry->step = llround(step);
    else
        entry->step = TV_STEP_UNKNOWN;
}

static void take_entry(struct pass *pass, const char *at, const struct tv_json_field *fields,
                       size_t len)
{
    struct state *state = pass->state;
    struct tv_sample samples[FIELDS_MAX];
    struct entry entry = {.epoch = NAN, .samples = samples};
    for (size_t i = 0; i < len; i++)
        take_field(pass, &fields[i], &entry);
    if (!entry.has_step)
        guess_step(pass, at, &entry);
    for (size_t i = 0; i < entry.len; i++)
        samples[i].step = entry.step;
    if (entry.len)
        pass->out->samples(pass->out->ctx, samples, entry.len);
    if (entry.has_step) {
        state->has_last = true;
        state->last_step = entry.step;
        state->last_epoch = entry.epoch;
    }
    /* a run that was resumed after its end goes on behind the summary */
    if (entry.is_train && !entry.is_summary)
        state->has_end = false;
    if (entry.is_summary) {
        state->has_end = true;
        state->end_step = entry.step;
    }
    pass->entries++;
}

/* One entry. An entry that is damaged inside is passed over; where even its end cannot be told, the
 * next opening brace is taken for the next entry's. */
static enum tv_status read_entry(struct pass *pass, struct tv_json *json)
{
    struct tv_json_field fields[FIELDS_MAX];
    struct state *state = pass->state;
    struct tv_json_value value;
    const char *start = json->at, *why;
    size_t len;
    enum tv_status status = tv_json_object(json, &state->keys, fields, FIELDS_MAX, &len);
    if (status == TV_OK) {
        if (len > FIELDS_MAX && !state->said_fields)
            say(pass, start, 0, true,
                "an entry of log_history has more than 256 values: the rest is ignored");
        state->said_fields |= len > FIELDS_MAX;
        take_entry(pass, start, fields, len < FIELDS_MAX ? len : FIELDS_MAX);
        return TV_OK;
    }
    if (status == TV_AGAIN || ++state->damaged > DAMAGE_MAX)
        return status;
    why = json->why;
    struct tv_json behind = {.at = start, .end = json->end};
    if (tv_json_read(&behind, &value) != TV_OK) {
        const char *next = memchr(json->at, '{', (size_t)(json->end - json->at));
        if (!next || next == start)
            return status;
        behind.at = next;
    }
    char what[160];
    struct tv_text text = tv_text_in(what, sizeof what);
    tv_text_add(&text, "an entry of log_history cannot be read: %s", why);
    say(pass, start, (size_t)(behind.at - start), false, what);
    json->at = behind.at;
    return TV_OK;
}

/* From the opening bracket to behind the closing one, or to where it cannot go on. */
static enum tv_status read_entries(struct pass *pass, struct tv_json *json)
{
    enum tv_status status = tv_json_enter(json, '[');
    bool more = true;
    for (bool first = true; status == TV_OK; first = false) {
        pass->good = json->at;
        tv_json_skip_blank(json);
        bool resumed = json->at < json->end && *json->at == '{'; /* behind damage, or the first */
        if (!resumed)
            status = tv_json_next(json, first, NULL, &more);
        if (status != TV_OK || !more)
            return status;
        status = read_entry(pass, json);
    }
    return status;
}

static enum tv_status fail_at(const struct pass *pass, const struct tv_json *json,
                              enum tv_status status, struct tv_error *reterr)
{
    if (status == TV_AGAIN)
        tv_fail(reterr, status,
                "the file ends in the middle: it is being written, or its writer was stopped");
    else
        tv_fail(reterr, status, "the trainer state cannot be read further: %s", json->why);
    if (reterr)
        reterr->offset = (uint64_t)(json->at - pass->start);
    return status;
}

/* The Trainer's summary is there, or every planned step is done: the last ones, fewer than make a
 * logging interval, log nothing. */
static void say_end(const struct pass *pass)
{
    const struct state *state = pass->state;
    bool is_done = state->global_step >= state->max_steps && state->global_step < 9e15;
    if (state->has_end || is_done)
        pass->out->mark(pass->out->ctx,
                        &(struct tv_mark){.kind = TV_MARK_END,
                                          .step = state->has_end ? state->end_step
                                                                 : (int64_t)state->global_step,
                                          .wall_time = NAN});
}

/* Everything from log_history's value on. */
static enum tv_status read_rest(struct pass *pass, struct tv_json *json, struct tv_error *reterr)
{
    struct tv_json behind = *json;
    struct tv_json_value value;
    bool again, whole = tv_json_read(&behind, &value) == TV_OK;
    if (whole && value.type != TV_JSON_ARRAY)
        return tv_fail(reterr, TV_EUNSUPPORTED,
                       "this is no trainer state: its log_history is no list");
    enum tv_status after = TV_OK;
    if (whole)
        after = read_members(pass, &behind, false, false, &again);
    const char *good = pass->good;
    enum tv_status status = read_entries(pass, json);
    if (!whole && status == TV_OK) {
        behind = *json;
        after = read_members(pass, &behind, false, false, &again);
        good = pass->good;
    }
    if (status != TV_OK)
        return fail_at(pass, json, status, reterr);
    pass->good = good > json->at ? good : json->at;
    if (after != TV_OK)
        return fail_at(pass, &behind, after, reterr);
    say_end(pass);
    tv_json_skip_blank(&behind);
    if (behind.at < behind.end)
        say(pass, behind.at, (size_t)(behind.end - behind.at), false,
            "there are bytes behind the end of the JSON document");
    pass->good = behind.end;
    return TV_OK;
}

/* No log_history was found: why, and whether it may still come. */
static enum tv_status not_found(const struct pass *pass, struct tv_json *json,
                                enum tv_status status, struct tv_error *reterr)
{
    if (status == TV_OK)
        return tv_fail(reterr, TV_EUNSUPPORTED, "this is no trainer state: it has no log_history");
    if (status == TV_ECORRUPT && !pass->state->looks_right) {
        tv_fail(reterr, status, "this is no trainer state: %s", json->why);
        reterr->offset = (uint64_t)(json->at - pass->start);
        return status;
    }
    return fail_at(pass, json, status, reterr);
}

static enum tv_status read_file(struct pass *pass, struct tv_span in, struct tv_error *reterr)
{
    struct tv_json json = {.at = in.data, .end = in.data + in.len};
    bool found = false;
    if (tv_span_starts(in, "\xEF\xBB\xBF"))
        json.at += 3;
    tv_json_skip_blank(&json);
    if (json.at == json.end) {
        pass->good = json.end;
        return tv_fail(reterr, TV_AGAIN, "the file is empty");
    }
    struct tv_json scout = json;
    enum tv_status status = tv_json_enter(&scout, '{');
    if (status == TV_OK)
        status = read_members(pass, &scout, true, true, &found);
    if (!found)
        return not_found(pass, &scout, status, reterr);
    tv_json_enter(&json, '{');
    read_members(pass, &json, true, false, &found);
    return read_rest(pass, &json, reterr);
}

static struct tv_feed feed(void *ctx, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    struct state *state = ctx;
    struct tv_error unused = {.status = TV_OK};
    (void)last;
    *state = (struct state){.epoch = NAN, .global_step = NAN, .max_steps = NAN, .last_epoch = NAN};
    struct pass pass = {.state = state,
                        .out = out,
                        .config = tv_config_begin(out, TV_FACT_LOG, "trainer_state"),
                        .start = in.data,
                        .good = in.data,
                        .counted = in.data,
                        .line = 1};
    reterr = reterr ? reterr : &unused;
    enum tv_status status = read_file(&pass, in, reterr);
    if (status != TV_OK)
        reterr->line = line_at(&pass, in.data + reterr->offset);
    return (struct tv_feed){
        .status = status, .consumed = (size_t)(pass.good - in.data), .records = pass.entries};
}

static int probe(struct tv_span basename, struct tv_span head)
{
    static const char *const words[] = {"\"log_history\"", "\"best_metric\"", "\"global_step\"",
                                        "\"best_model_checkpoint\"", "\"is_world_process_zero\""};
    bool named = tv_span_is(basename, "trainer_state.json");
    int found = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        found += tv_span_holds(head, words[i]);
    if (tv_span_starts(tv_span_trim(head), "{") && found >= 2)
        return named ? 95 : found >= 4 ? 60 : 0;
    return named ? 40 : 0;
}

const struct tv_parser tv_parser_hf_trainer_state = {
    .name = "hf_trainer_state",
    .summary = "trainer_state.json of the Hugging Face Trainer and what is built on it",
    .mode = TV_PARSER_SNAPSHOT,
    .state_size = sizeof(struct state),
    .probe = probe,
    .feed = feed,
};
